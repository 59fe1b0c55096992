"""Rows of the table whose rules know about shape: reductions, views, indexing, products of matrices."""

from . import indexing, linalg, reductions, shape

__all__ = ["indexing", "linalg", "reductions", "shape"]
