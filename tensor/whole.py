"""How whole numbers and truth values compute, and which ops refuse them.

Floats never pass through here: they have the kernels of ``kernels.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..engine.op import TABLE, Op, attach
from .arguments import RangeError
from .dtypes import DType
from .errors import DtypeError, WholeDivisionError
from .node import Array


class Whole:
    """Marks the kernels for whole numbers and truth values in ``op.on``."""


def _divisor(a: Array, b: Array, name: str) -> Array:
    if a.size and not np.all(b):
        raise WholeDivisionError(
            f"{name}: whole numbers cannot be divided by 0; floats can, giving inf or nan: "
            "convert with .float()"
        )
    return b


def floor_divide(a: Array, b: Array) -> Any:
    return np.floor_divide(a, _divisor(a, b, "floor_divide"))


def trunc_divide(a: Array, b: Array) -> Any:
    return np.floor_divide(a - np.fmod(a, _divisor(a, b, "trunc_divide")), b)


def remainder(a: Array, b: Array) -> Any:
    return np.remainder(a, _divisor(a, b, "remainder"))


def fmod(a: Array, b: Array) -> Any:
    return np.fmod(a, _divisor(a, b, "fmod"))


def pow_(a: Array, b: Array) -> Any:
    if b.dtype.kind == "i" and np.any(b < 0):  # 1/a**|b| rounded towards 0: only 1 and -1 survive
        up = np.power(a, np.abs(b))
        return np.where(b < 0, np.where(np.abs(a) == 1, up, 0), up).astype(a.dtype, copy=False)
    return np.power(a, b)


def _same(x: Array) -> Array:
    return x.copy()


def clamp(x: Array, low: Array, high: Array) -> Any:
    return np.minimum(np.maximum(x, low), high)


KERNELS: dict[str, Callable[..., Any]] = {
    "floor_divide": floor_divide,
    "trunc_divide": trunc_divide,
    "remainder": remainder,
    "fmod": fmod,
    "pow": pow_,
    "square": lambda x: np.square(x, dtype=np.int64 if x.dtype.kind == "b" else None),
    "relu": lambda x: np.maximum(x, 0),
    "floor": _same,
    "ceil": _same,
    "trunc": _same,
    "round": _same,
    "nan_to_num": lambda x, nan, posinf, neginf: x.copy(),
    "sign": lambda x: x.copy() if x.dtype.kind == "b" else np.sign(x),
    "clamp": clamp,
    "isnan": lambda x: np.zeros(x.shape, bool),
    "isinf": lambda x: np.zeros(x.shape, bool),
    "isfinite": lambda x: np.ones(x.shape, bool),
}
attach(Whole, KERNELS)

# What is refused --------------------------------------------------------------------------------

_NO_TRUTH = frozenset(
    "neg abs floor ceil round trunc relu floor_divide trunc_divide remainder fmod pow "
    "bitwise_left_shift bitwise_right_shift".split()
)
_WHOLE_ONLY = frozenset(name for name in TABLE if name.startswith("bitwise_"))


def check(op: Op, operands: Sequence[Any], dtype: DType) -> None:
    """Raise if ``op`` does not take operands whose common dtype is ``dtype``."""
    name = op.name
    if dtype.kind == "f":
        if name in _WHOLE_ONLY:
            raise DtypeError(
                f"{name}: expected whole numbers or truth values, got {dtype}; compare first "
                "(x > 0), or convert with .long()"
            )
        if name != "sub":
            return
    if name == "sub" and any(_is_truth(x) for x in operands):
        raise DtypeError(
            "sub: a truth value cannot be subtracted. To turn a mask around use ~mask; to count "
            "with it, convert: mask.int()"
        )
    if name == "pow" and isinstance(operands[1], int) and operands[1] < 0:
        raise RangeError(
            f"pow: whole numbers to the power {operands[1]} are not whole; use .float() first"
        )
    if dtype.kind == "b" and name in _NO_TRUTH:
        raise DtypeError(
            f"{name}: not defined on truth values; convert with .int() or .float() first"
        )
    if name == "frac":
        raise DtypeError(f"frac: expected a floating tensor, got {dtype}, which has no fractions")


def _is_truth(x: Any) -> bool:
    return x.dtype.kind == "b" if isinstance(x, np.ndarray) else isinstance(x, bool)


def constant(op: Op, x: Any, dtype: DType) -> Any:
    """A Python number among whole operands: it wraps around as they do, unless compared."""
    if op.result == "bool":
        return x
    try:
        return np.asarray(x, np.int64).astype(dtype)
    except OverflowError:
        raise OverflowError(f"{op.name}: {x} is too large for whole numbers of 64 bits") from None
