"""Between numbers and arrays: ``unroll`` leads from a tensor computation down to its Values,
``lift`` from a program on Values up to array operations."""

from .lifting import Lifted, lift
from .recording import LiftError
from .unrolling import Unrolled, unroll

__all__ = ["LiftError", "Lifted", "Unrolled", "lift", "unroll"]
