"""Rows of the table whose rules know about shape: views, reductions, indexing, products."""

from . import arrange, factors, indexing, linalg, norms, reductions, running, shape, shares

__all__ = [
    "arrange",
    "factors",
    "indexing",
    "linalg",
    "norms",
    "reductions",
    "running",
    "shape",
    "shares",
]
