"""Choosing entries and telling tensors apart: where, clamp, nan_to_num, isclose and their kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..engine import TABLE
from .arguments import RangeError, all_tensors, fits
from .dtypes import common_dtype
from .elementwise import eq, isfinite, isinf, isnan, logical_and, logical_or
from .errors import DtypeError, explain
from .node import Array
from .quiet import Quiet
from .reading import read
from .record import as_constant, converted, elementwise, record

if TYPE_CHECKING:
    from .tensor import Tensor

_WHERE = TABLE["where"]


def where(condition: Any, input: Any = None, other: Any = None) -> Any:
    """``input`` where ``condition`` is true, ``other`` elsewhere; all three broadcast.

    Without the two: the indices of the true entries, a tensor per dimension.

    The gradient of the branch that was not taken is 0, but its rule still runs: at 0, the gradient
    of where(x > 0, sqrt(x), 0) is nan. Write sqrt(where(x > 0, x, 1)): no bad value is ever made.

    Args:
        condition: truth values.
        input, other: tensors or numbers.

    >>> import gradling
    >>> x = gradling.tensor([-1.0, 2.0])
    >>> gradling.where(x > 0, x, 0.0)
    tensor([0., 2.])
    """
    from .tensor import Tensor

    truth = _truth(condition)
    if input is None and other is None:
        read("where(condition)")
        return tuple(Tensor(index) for index in np.nonzero(np.atleast_1d(truth)))
    if input is None or other is None:
        raise TypeError("where: expected input and other, or neither of them, got one")
    a, b = (x._data if isinstance(x, Tensor) else as_constant(_WHERE, x) for x in (input, other))
    dtype = common_dtype((a, b))
    a, b = _in(dtype, a), _in(dtype, b)
    with Quiet():
        try:
            y = np.where(truth, a, b)
        except ValueError as error:
            explain(_WHERE, (truth, a, b), error)
    nodes = [x._node if isinstance(x, Tensor) else None for x in (input, other)]
    return record(_WHERE, y, (None, *nodes), (truth, a, b), ())


def where_method(self: Tensor, condition: Any, other: Any) -> Tensor:
    """This tensor where ``condition`` is true, ``other`` elsewhere."""
    return where(condition, self, other)  # type: ignore[no-any-return]


def _truth(condition: Any) -> Array:
    truth = np.asarray(getattr(condition, "_data", condition))
    if truth.dtype.kind != "b":
        if truth.dtype != np.uint8:
            raise DtypeError(
                f"where: expected truth values as condition, got {truth.dtype}; write x != 0"
            )
        truth = truth.astype(bool)
    return truth


def _in(dtype: np.dtype[Any], x: Any) -> Array:
    if isinstance(x, np.ndarray):
        made = x.astype(dtype, copy=False)
    else:
        made = np.asarray(fits("where", x, dtype), dtype)
    if made is not x:
        converted(x, made)
    return made


def clamp(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """The nearest number in [min, max], entry by entry; ``max`` wins where min > max.

    The bounds are numbers or tensors that broadcast, and one may be left out. The slope is 1 inside
    and on the bounds; where a bound that is a tensor holds an entry, it has the slope.

    >>> import gradling
    >>> gradling.clamp(gradling.tensor([-2.0, 0.5, 2.0]), min=-1, max=1)
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if min is None and max is None:
        raise RangeError("clamp: expected min, max or both, got neither")
    given = [x for x in (min, max) if x is not None]
    dtype = common_dtype([getattr(x, "_data", x) for x in (input, *given)])
    if dtype.kind == "f":
        low, high = (-np.inf if min is None else min), (np.inf if max is None else max)
    else:
        low, high = _bound(dtype, min, 0), _bound(dtype, max, 1)
    return elementwise(TABLE["clamp"], (input, low, high))


clip = clamp


def _bound(dtype: np.dtype[Any], bound: Any, top: int) -> Any:
    """A bound for whole numbers, within what they can hold."""
    if bound is not None and not isinstance(bound, int):
        return bound
    if dtype.kind == "b":
        return bool(top if bound is None else bound)
    lowest, highest = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    if bound is None:
        return highest if top else lowest
    return sorted((lowest, bound, highest))[1]


def clamp_min(input: Tensor, min: Any) -> Tensor:
    """``clamp(input, min=min)``"""
    return clamp(input, min)


def clamp_max(input: Tensor, max: Any) -> Tensor:
    """``clamp(input, max=max)``"""
    return clamp(input, None, max)


def nan_to_num(
    input: Tensor,
    nan: float | None = None,
    posinf: float | None = None,
    neginf: float | None = None,
) -> Tensor:
    """nan replaced by ``nan`` (0), infinities by ``posinf`` and ``neginf`` (the largest numbers).

    >>> import gradling
    >>> gradling.nan_to_num(gradling.tensor([float("nan"), 1.0]), nan=-1.0)
    tensor([-1.,  1.])
    """
    dtype = input._data.dtype
    if dtype.kind == "f":
        largest = float(np.finfo(dtype).max)
        posinf = largest if posinf is None else posinf
        neginf = -largest if neginf is None else neginf
    return elementwise(TABLE["nan_to_num"], (input,), (0.0 if nan is None else nan, posinf, neginf))


def isposinf(input: Tensor) -> Tensor:
    """Whether each entry is inf."""
    return logical_and(isinf(input), input > 0)


def isneginf(input: Tensor) -> Tensor:
    """Whether each entry is -inf."""
    return logical_and(isinf(input), input < 0)


def isclose(
    input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> Tensor:
    """Whether |input - other| <= atol + rtol * |other|, entry by entry; equal infinities are close.

    Raises:
        DtypeError: the dtypes differ.
        RangeError: a tolerance is negative.

    >>> import gradling
    >>> gradling.isclose(gradling.tensor([1.0, 2.0]), gradling.tensor([1.0, 2.1]))
    tensor([ True, False])
    """
    all_tensors("isclose", input=input, other=other)
    if input.dtype is not other.dtype:
        raise DtypeError(
            f"isclose: expected operands of one dtype, got {input.dtype} and {other.dtype}; "
            "convert one"
        )
    if rtol < 0 or atol < 0:
        raise RangeError(f"isclose: tolerances must not be negative, got rtol={rtol}, atol={atol}")
    same = eq(input, other)
    if equal_nan:
        same = logical_or(same, logical_and(isnan(input), isnan(other)))
    if input._data.dtype.kind == "b":
        return same
    a, b = input.detach(), other.detach()
    if a._data.dtype.kind != "f":
        a, b = a.double(), b.double()
    gap = (a - b).abs()
    return logical_or(same, logical_and(isfinite(gap), gap <= atol + (rtol * b).abs()))


def allclose(
    input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> bool:
    """Whether all entries are close (see ``isclose``)."""
    all_tensors("allclose", input=input, other=other)
    read("allclose")
    return bool(isclose(input, other, rtol, atol, equal_nan)._data.all())


def equal(input: Tensor, other: Tensor) -> bool:
    """Whether both have the same shape and the same entries; nan equals nothing.

    >>> import gradling
    >>> gradling.equal(gradling.tensor([1, 2]), gradling.tensor([1, 2]))
    True
    """
    all_tensors("equal", input=input, other=other)
    read("equal")
    return input.shape == other.shape and bool(np.array_equal(input._data, other._data))
