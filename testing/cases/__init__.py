"""What each row of the op table is tested with: ``cases_of(op)`` draws a `Case`."""

from __future__ import annotations

from ..laws import Case
from . import (
    arrange,
    attention,
    factors,
    indexing,
    linalg,
    nn,
    normalization,
    pooling,
    recurrent,
    reductions,
    shape,
)
from .registry import CASES, REFERENCES, case, cases_of, is_elementwise, subject, without_case

__all__ = [
    "CASES",
    "REFERENCES",
    "Case",
    "arrange",
    "attention",
    "case",
    "cases_of",
    "factors",
    "indexing",
    "is_elementwise",
    "linalg",
    "nn",
    "normalization",
    "pooling",
    "recurrent",
    "reductions",
    "shape",
    "subject",
    "without_case",
]
