"""Rows of the table whose rules know about shape: views, reductions, indexing, products."""

from . import arrange, indexing, linalg, reductions, shape

__all__ = ["arrange", "indexing", "linalg", "reductions", "shape"]
