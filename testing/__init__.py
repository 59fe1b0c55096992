"""Property tests for gradients: checks with a verdict, hypothesis strategies, laws."""

from __future__ import annotations

from .check import check_gradients, check_problem

__all__ = ["check_gradients", "check_problem"]
