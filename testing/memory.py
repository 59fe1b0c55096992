"""The same numbers in other memory layouts: what a rule must not notice."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tensor import Tensor

LAYOUTS = ("contiguous", "transposed", "strided", "reversed", "broadcast")


def lay_out(array: np.ndarray[Any, Any], layout: str) -> np.ndarray[Any, Any]:
    """``array`` in another layout; all but *broadcast* keep its numbers.

    * transposed: axes stored in reverse order (Fortran order)
    * strided: every second entry of a wider array
    * reversed: negative strides along every axis
    * broadcast: the first row repeated with stride 0, read-only

    >>> x = np.arange(6.0).reshape(2, 3)
    >>> [lay_out(x, name).strides for name in LAYOUTS]
    [(24, 8), (8, 16), (48, 16), (-24, -8), (0, 8)]
    """
    if layout == "contiguous" or array.ndim == 0:
        return array.copy()
    if layout == "transposed":
        return np.asarray(array, order="F").copy(order="F")
    if layout == "strided":
        wide = np.full((*array.shape[:-1], 2 * array.shape[-1]), 7, array.dtype)
        wide[..., ::2] = array
        return wide[..., ::2]
    if layout == "reversed":
        back = (slice(None, None, -1),) * array.ndim
        return np.ascontiguousarray(array[back])[back]
    if layout == "broadcast":
        return np.broadcast_to(array[:1].copy(), array.shape)
    raise ValueError(f"layout must be one of {', '.join(LAYOUTS)}; got {layout!r}")


def upstream(out: Tensor, seed: int = 0) -> Tensor:
    """A fixed irregular upstream gradient for ``out``: multiples of 1/8, exact in every dtype.

    Never a bare ``.sum()``: a cotangent of ones cannot see what cancels over a row (softmax).

    >>> upstream(laid_out([1.0, 2.0])).shape
    (2,)
    """
    return Tensor(irregular(np.asarray(out._data), seed))


def irregular(value: np.ndarray[Any, Any], seed: int = 0) -> np.ndarray[Any, Any]:
    """The same for an array."""
    rng = np.random.default_rng(seed + value.size)
    g = rng.integers(4, 13, value.shape) / 8 * rng.choice([-1.0, 1.0], value.shape)
    kind = value.dtype if np.issubdtype(value.dtype, np.floating) else np.float64
    return np.asarray(g, dtype=kind)


def laid_out(
    data: Any, layout: str = "contiguous", dtype: Any = "float64", requires_grad: bool = True
) -> Tensor:
    """A tensor of ``data`` in a given memory layout (see `lay_out`), sharing that memory.

    >>> laid_out([[1.0, 2.0], [3.0, 4.0]], "transposed").is_contiguous()
    False
    """
    x = Tensor(lay_out(np.array(data, dtype=dtype), layout))
    return x.requires_grad_() if requires_grad else x
