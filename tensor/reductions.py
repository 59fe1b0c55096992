"""Many entries brought down to few."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .dtypes import as_dtype, int64
from .errors import normal_dims
from .record import apply
from .rows import reductions as rows

if TYPE_CHECKING:
    from .tensor import Tensor

Dims = int | tuple[int, ...] | list[int] | None


def sum(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum over ``dim`` (one axis, several, or all); whole numbers add up in int64.

    >>> import gradling
    >>> gradling.tensor([[1.0, 2.0], [3.0, 4.0]]).sum(0)
    tensor([4., 6.])
    """
    if dtype is not None:
        input = input.to(as_dtype(dtype))
    elif input._data.dtype.kind in "bui":
        input = input.to(int64)
    shape = input._data.shape
    return apply(rows.sum_, (input,), (normal_dims("sum", dim, len(shape)), keepdim, shape))


def mean(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The mean over ``dim`` (one axis, several, or all); nan where there is nothing to average."""
    if dtype is not None:
        input = input.to(as_dtype(dtype))
    if input._data.dtype.kind != "f":
        raise TypeError(
            f"mean: expected a floating tensor, got {input.dtype}; a mean of whole numbers is not one: "
            "use x.float().mean()"
        )
    shape = input._data.shape
    dims = normal_dims("mean", dim, len(shape))
    count = 1
    for axis in dims:
        count *= shape[axis]
    return apply(rows.sum_, (input,), (dims, keepdim, shape)) / count
