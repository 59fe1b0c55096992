"""Rows of the table whose rules know about shape: reductions, views, indexing, products of matrices."""

from . import arrange, indexing, linalg, reductions, shape

__all__ = ["arrange", "indexing", "linalg", "reductions", "shape"]
