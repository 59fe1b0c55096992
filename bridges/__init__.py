"""Between numbers and arrays: ``unroll`` leads from a tensor computation down to its Values,
``lift`` from a program on Values up to array operations, ``capture`` from tensors to kernels."""

from .capturing import Captured, capture
from .lifting import Lifted, lift
from .listing import CaptureError
from .recording import LiftError
from .unrolling import Unrolled, unroll

__all__ = [
    "CaptureError",
    "Captured",
    "LiftError",
    "Lifted",
    "Unrolled",
    "capture",
    "lift",
    "unroll",
]
