"""Arguments that many functions take, checked before anything happens: sizes, counts, devices."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from .dtypes import DType, as_dtype, get_default_dtype
from .errors import ShapeError


class RangeError(ValueError, RuntimeError):
    """A number outside of what makes sense (a RuntimeError too, as PyTorch raises)."""


def whole(name: str, what: str, value: Any) -> int:
    """A whole number, also as a NumPy or 0-d tensor one; True and 2.0 are not."""
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        return operator.index(value)
    except TypeError:
        raise TypeError(
            f"{name}: expected {what} to be a whole number, got {said(value)}"
        ) from None


def all_tensors(name: str, **operands: Any) -> None:
    """Everything that should be a tensor is one."""
    for operand, x in operands.items():
        if not hasattr(x, "_data"):
            raise TypeError(
                f"{name}: expected {operand} to be a tensor, got {said(x)}; wrap it: "
                "gradling.tensor(...)"
            )


def said(value: Any) -> str:
    """A value in an error message, short."""
    if hasattr(value, "_data") or isinstance(value, np.ndarray):
        return f"a {value.dtype} {type(value).__name__} of shape {tuple(value.shape)}"
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 60 else text[:57] + '...'}"


def numbers(name: str, given: tuple[Any, ...], what: str = "sizes") -> tuple[int, ...]:
    """Whole numbers given separately, or as one tuple or list."""
    if len(given) == 1 and not hasattr(given[0], "__index__"):
        if isinstance(given[0], (str, float)) or not hasattr(given[0], "__iter__"):
            raise TypeError(
                f"{name}: expected whole numbers as {what}, or one tuple of them, got "
                f"{said(given[0])}"
            )
        given = tuple(given[0])
    return tuple(
        [n if n.__class__ is int else whole(name, f"each of the {what}", n) for n in given]
    )


def new_shape(
    name: str, given: tuple[Any, ...], size: Any = None, **unknown: Any
) -> tuple[int, ...]:
    """The shape of a tensor to be made, from ``f(2, 3)``, ``f((2, 3))`` or ``f(size=(2, 3))``."""
    for word in unknown:
        raise TypeError(f"{name}() got an unexpected keyword argument {word!r}")
    if size is not None:
        if given:
            raise TypeError(f"{name}: the size was given twice, as {given} and as size={size!r}")
        given = (size,)
    elif not given:
        raise TypeError(f"{name}: expected a size; {name}(()) makes a 0-d tensor")
    shape = numbers(name, given)
    if any(n < 0 for n in shape):
        raise ShapeError(f"{name}: sizes cannot be negative, got {shape}")
    return shape


def on_cpu(name: str, device: Any) -> None:
    """``"cpu"`` is the only device there is; PyTorch programs may name it."""
    if device is not None and str(device).partition(":")[0] != "cpu":
        raise RuntimeError(
            f"{name}: there is no device {device!r} here: everything runs on the cpu"
        )


def floating(name: str, dtype: Any) -> DType:
    """A floating dtype, the default one for ``None``."""
    wanted = get_default_dtype() if dtype is None else as_dtype(dtype)
    if wanted.kind != "f":
        raise TypeError(
            f"{name}: expected a floating dtype (float16, float32, float64), got {wanted}; "
            "convert the result with .to(dtype)"
        )
    return wanted


def fits(name: str, value: Any, dtype: DType) -> Any:
    """A Python number that ``dtype`` can hold: a fraction is cut off, what is too large refused."""
    if dtype.kind in "iu":
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
        low = -high - 1 if dtype.kind == "u" else low  # negative ones count from the top, as in C
        if not low <= value <= high:  # false for nan too
            raise RangeError(
                f"{name}: {value!r} is out of the range of {dtype}, {np.iinfo(dtype).min} to {high}"
            )
        return int(value) % (high + 1) if dtype.kind == "u" else int(value)
    return value
