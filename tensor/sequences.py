"""Tensors that follow a rule: ranges, grids of equal steps, identity matrices, triangles of
indices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .arguments import RangeError, fits, on_cpu, said, whole
from .creation import _known, _number, _or_default
from .dtypes import DType, as_dtype, get_default_dtype, int64
from .errors import ShapeError
from .node import Array
from .tensor import Tensor


def arange(
    start: Any = 0,
    end: Any = None,
    step: Any = 1,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """start, start + step, … up to but not including ``end``: ``arange(end)`` or ``arange(start,
    end)``.

    int64 if all three are whole numbers, else the default float dtype; ceil((end - start) / step)
    entries.

    Raises:
        ValueError: a step of 0 or away from ``end``, bounds that are not finite.

    >>> arange(1, 2.5, 0.5).tolist()
    [1.0, 1.5, 2.0]
    """
    on_cpu("arange", device)
    if end is None:
        start, end = 0, start
    start, end, step = (_number("arange", x) for x in (start, end, step))
    if dtype is None:
        whole_numbers = all(isinstance(x, int) for x in (start, end, step))
        wanted = int64 if whole_numbers else get_default_dtype()
    else:
        wanted = _numeric("arange", dtype)
    if not (math.isfinite(start) and math.isfinite(end) and math.isfinite(step)):
        raise RangeError(f"arange: expected finite bounds and step, got {start}, {end}, {step}")
    if (end - start) * step < 0:
        raise RangeError(
            f"arange: a step of {step} leads away from {end}, starting at {start}; change its sign"
        )
    if wanted.kind in "iu":
        start, end, step = int(start), int(end), int(step)  # fractions are cut off, as in PyTorch
    if step == 0:
        raise RangeError("arange: the step must not be 0")
    if all(isinstance(x, int) for x in (start, end, step)):
        count = -((start - end) // step)
    else:
        count = math.ceil((end - start) / step)
    if wanted.kind in "iu":
        entries = np.arange(count) * step + start
    else:
        entries = start + step * np.arange(count, dtype=np.float64)
    return _known(entries.astype(wanted), requires_grad)


def _numeric(name: str, dtype: Any) -> DType:
    wanted = as_dtype(dtype)
    if wanted.kind == "b":
        raise TypeError(f"{name}: expected a dtype of numbers, got bool")
    return wanted


def linspace(
    start: Any,
    end: Any,
    steps: int,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``steps`` numbers from ``start`` to ``end``, both included, at equal distance.

    >>> linspace(0, 1, 5).tolist()
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    on_cpu("linspace", device)
    wanted = get_default_dtype() if dtype is None else _numeric("linspace", dtype)
    return _known(_steps("linspace", start, end, steps, wanted).astype(wanted), requires_grad)


def _steps(name: str, start: Any, end: Any, steps: Any, dtype: DType) -> Array:
    """Equal steps, the second half counted from the end, so that both ends are met exactly."""
    first, last = _end(name, start), _end(name, end)
    count = whole(name, "steps", steps)
    if count < 0:
        raise RangeError(f"{name}: expected steps >= 0, got {count}")
    if dtype.kind in "iu":
        first, last = fits(name, first, dtype), fits(name, last, dtype)
    if count == 1:
        return np.array([first])
    step = (last - first) / (count - 1) if count else 0.0
    places = np.arange(count)
    with np.errstate(all="ignore"):
        entries: Array = np.where(
            places < count // 2, first + step * places, last - step * (count - 1 - places)
        )
    return entries


def _end(name: str, x: Any) -> Any:
    if np.ndim(getattr(x, "_data", x)):
        raise ShapeError(f"{name}: expected start and end to be numbers, got {said(x)}")
    return _number(name, x)


def logspace(
    start: Any,
    end: Any,
    steps: int,
    base: float = 10.0,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``steps`` powers of ``base``, from base**start to base**end, at equal ratio.

    >>> logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    on_cpu("logspace", device)
    wanted = get_default_dtype() if dtype is None else _numeric("logspace", dtype)
    with np.errstate(all="ignore"):
        powers = np.power(float(base), _steps("logspace", start, end, steps, np.dtype(np.float64)))
        return _known(powers.astype(wanted), requires_grad)


def eye(
    n: int,
    m: int | None = None,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The (n, m) matrix with ones on its diagonal; square without ``m``."""
    on_cpu("eye", device)
    rows = whole("eye", "n", n)
    columns = rows if m is None else whole("eye", "m", m)
    if rows < 0 or columns < 0:
        raise ShapeError(f"eye: sizes cannot be negative, got {rows} and {columns}")
    return _known(np.eye(rows, columns, dtype=_or_default(dtype)), requires_grad)


def tril_indices(
    row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None
) -> Tensor:
    """Where the lower triangle of a (row, col) matrix is: (2, count) row and column indices.

    >>> tril_indices(2, 2)
    tensor([[0, 1, 1],
            [0, 0, 1]])
    """
    rows, columns, k = _triangle("tril_indices", row, col, offset, device)
    return _pairs("tril_indices", np.tri(rows, columns, k, dtype=bool), dtype)


def triu_indices(
    row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None
) -> Tensor:
    """Where the upper triangle of a (row, col) matrix is: (2, count) row and column indices."""
    rows, columns, k = _triangle("triu_indices", row, col, offset, device)
    return _pairs("triu_indices", ~np.tri(rows, columns, k - 1, dtype=bool), dtype)


def _triangle(name: str, row: Any, col: Any, offset: Any, device: Any) -> tuple[int, int, int]:
    on_cpu(name, device)
    rows, columns = whole(name, "row", row), whole(name, "col", col)
    if rows < 0 or columns < 0:
        raise ShapeError(f"{name}: sizes cannot be negative, got {rows} and {columns}")
    return rows, columns, whole(name, "offset", offset)


def _pairs(name: str, mask: Array, dtype: Any) -> Tensor:
    wanted = int64 if dtype is None else as_dtype(dtype)
    if wanted.kind not in "iu":
        raise TypeError(f"{name}: expected a dtype of whole numbers, got {wanted}")
    return _known(np.stack(np.nonzero(mask)).astype(wanted), False)
