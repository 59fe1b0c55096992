"""Between numbers and arrays: ``unroll`` leads from a tensor computation down to its Values."""

from .unrolling import Unrolled, unroll

__all__ = ["Unrolled", "unroll"]
