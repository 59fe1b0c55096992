"""Which of our functions is meant by NumPy's: its names for arguments, and its defaults."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import (
    arranging,
    choice,
    contraction,
    creation,
    elementwise,
    extremes,
    gathering,
    joining,
    linalg,
    padding,
    products,
    reductions,
    running,
    shape,
    sorting,
)
from .creation import as_tensor as _t
from .dtypes import common_dtype, get_default_dtype
from .tensor import Tensor

Axes = Any


def _float(a: Any) -> Tensor:
    x = _t(a)
    return x if x.is_floating_point() else x.to(get_default_dtype())


def _all(arrays: Any) -> list[Tensor]:
    return [_t(a) for a in arrays]


def _matched(*arrays: Any) -> list[Tensor]:
    """Operands of a product, which take one dtype: arrays among them give way, as NumPy has it."""
    tensors = _all(arrays)
    if all(isinstance(a, Tensor) for a in arrays):
        return tensors
    wanted = common_dtype([x._data for x in tensors])
    return [x.to(wanted) for x in tensors]


def _flat(a: Any, axis: int | None) -> tuple[Tensor, int]:
    return (_t(a).reshape(-1), 0) if axis is None else (_t(a), axis)


# Fewer entries -----------------------------------------------------------------------------------


def sum(a: Any, axis: Axes = None, dtype: Any = None, *, keepdims: bool = False) -> Any:
    return reductions.sum(_t(a), axis, keepdims, dtype=dtype)


def prod(a: Any, axis: Any = None, dtype: Any = None, *, keepdims: bool = False) -> Any:
    return reductions.prod(_t(a), axis, keepdims, dtype=dtype)


def mean(a: Any, axis: Axes = None, dtype: Any = None, *, keepdims: bool = False) -> Any:
    return reductions.mean(_float(a), axis, keepdims, dtype=dtype)


def var(a: Any, axis: Axes = None, *, ddof: float = 0, keepdims: bool = False) -> Any:
    return reductions.var(_float(a), axis, keepdim=keepdims, correction=ddof)


def std(a: Any, axis: Axes = None, *, ddof: float = 0, keepdims: bool = False) -> Any:
    return reductions.std(_float(a), axis, keepdim=keepdims, correction=ddof)


def amax(a: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    return extremes.amax(_t(a), () if axis is None else axis, keepdims)


def amin(a: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    return extremes.amin(_t(a), () if axis is None else axis, keepdims)


def ptp(a: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    return amax(a, axis, keepdims=keepdims) - amin(a, axis, keepdims=keepdims)


def nansum(a: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    return reductions.nansum(_t(a), axis, keepdims)


def nanmean(a: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    return reductions.nanmean(_float(a), axis, keepdims)


def cumsum(a: Any, axis: int | None = None, dtype: Any = None) -> Any:
    x, dim = _flat(a, axis)
    return running.cumsum(x, dim, dtype=dtype)


def cumprod(a: Any, axis: int | None = None, dtype: Any = None) -> Any:
    x, dim = _flat(a, axis)
    return running.cumprod(x, dim, dtype=dtype)


def diff(a: Any, n: int = 1, axis: int = -1) -> Any:
    return running.diff(_t(a), n, axis)


# Other shapes ------------------------------------------------------------------------------------


def reshape(a: Any, /, shape: Any) -> Any:
    return _t(a).reshape(shape)


def ravel(a: Any) -> Any:
    return _t(a).reshape(-1)


def transpose(a: Any, axes: Any = None) -> Any:
    x = _t(a)
    return x.permute(*(range(x.ndim)[::-1] if axes is None else axes))


def expand_dims(a: Any, axis: Any) -> Any:
    x = _t(a)
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    for dim in sorted(n % (x.ndim + len(axes)) for n in axes):
        x = x.unsqueeze(dim)
    return x


def squeeze(a: Any, axis: Any = None) -> Any:
    x = _t(a)
    if axis is None:
        return x.squeeze()
    for dim in axis if isinstance(axis, tuple) else (axis,):
        if x.shape[dim] != 1:
            raise ValueError(f"np.squeeze: axis {dim} of {x.shape} has size {x.shape[dim]}, not 1")
    return x.squeeze(axis)


def concatenate(arrays: Any, axis: int | None = 0) -> Any:
    tensors = _all(arrays)
    if axis is None:
        return joining.cat([x.reshape(-1) for x in tensors], 0)
    return joining.cat(tensors, axis)


def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    return concatenate([arr, values], axis)


def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    x = _t(ary)
    if isinstance(indices_or_sections, int) and x.shape[axis] % indices_or_sections:
        raise ValueError("array split does not result in an equal division")
    return list(joining.tensor_split(x, indices_or_sections, axis))


def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    return list(joining.tensor_split(_t(ary), indices_or_sections, axis))


def tile(A: Any, reps: Any) -> Any:
    return arranging.tile(_t(A), reps if isinstance(reps, (tuple, list)) else (reps,))


def repeat(a: Any, repeats: Any, axis: int | None = None) -> Any:
    count = repeats if isinstance(repeats, int) else _t(np.asarray(repeats))
    return arranging.repeat_interleave(_t(a), count, axis)


def flip(m: Any, axis: Any = None) -> Any:
    x = _t(m)
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return arranging.flip(x, tuple(axes))


def roll(a: Any, shift: Any, axis: Any = None) -> Any:
    return arranging.roll(_t(a), shift, axis)


def rot90(m: Any, k: int = 1, axes: Any = (0, 1)) -> Any:
    return arranging.rot90(_t(m), k, axes)


def pad(array: Any, pad_width: Any, mode: str = "constant", *, constant_values: float = 0) -> Any:
    x = _t(array)
    if mode != "constant" or not isinstance(constant_values, (int, float)):
        raise TypeError("np.pad: on a tensor only mode='constant' with one value; see gradling.pad")
    widths = np.broadcast_to(np.asarray(pad_width), (x.ndim, 2))
    return padding.pad(
        x, tuple(int(n) for pair in widths[::-1] for n in pair), value=constant_values
    )


def meshgrid(*xi: Any, indexing: str = "xy") -> Any:
    return list(shape.meshgrid(*_all(xi), indexing=indexing))


def copy(a: Any) -> Any:
    return _t(a).clone()


# Entry by entry, and choosing --------------------------------------------------------------------


def where(condition: Any, x: Any = None, y: Any = None, /) -> Any:
    if x is None and y is None:
        return np.nonzero(np.asarray(condition))
    return choice.where(
        _t(condition), x if _plain_number(x) else _t(x), y if _plain_number(y) else _t(y)
    )


def _plain_number(x: Any) -> bool:
    return isinstance(x, (int, float))


def clip(
    a: Any, a_min: Any = None, a_max: Any = None, /, *, min: Any = None, max: Any = None
) -> Any:
    low, high = (min if a_min is None else a_min), (max if a_max is None else a_max)
    bounds = [b if b is None or _plain_number(b) else _t(b) for b in (low, high)]
    return _t(a) if bounds == [None, None] else choice.clamp(_t(a), *bounds)


def nan_to_num(x: Any, *, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    return choice.nan_to_num(_t(x), nan, posinf, neginf)


def round(a: Any, decimals: int = 0) -> Any:
    return elementwise.round(_t(a), decimals=decimals)


def sort(a: Any, axis: int | None = -1) -> Any:
    x, dim = _flat(a, axis)
    return sorting.sort(x, dim).values


def take(a: Any, indices: Any, axis: int | None = None) -> Any:
    x, dim = _flat(a, axis)
    dim %= x.ndim
    return x[(*[slice(None)] * dim, np.asarray(indices))]


def take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Any:
    x, dim = _flat(arr, axis)
    return gathering.take_along_dim(x, _t(np.asarray(indices)), dim)


# Matrices ----------------------------------------------------------------------------------------


def dot(a: Any, b: Any) -> Any:
    x, y = _matched(a, b)
    if x.ndim == 0 or y.ndim == 0:
        return x * y
    if x.ndim <= 2 and y.ndim <= 2:
        return x @ y
    return contraction.tensordot(x, y, ([x.ndim - 1], [max(y.ndim - 2, 0)]))


def outer(a: Any, b: Any) -> Any:
    return products.outer(*[x.reshape(-1) for x in _matched(a, b)])


def vdot(a: Any, b: Any) -> Any:
    return products.dot(*[x.reshape(-1) for x in _matched(a, b)])


def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    if not isinstance(axes, int):
        axes = [[n] if isinstance(n, int) else list(n) for n in axes]
    x, y = _matched(a, b)
    return contraction.tensordot(x, y, axes)


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    return linalg.norm(_float(x), ord, axis, keepdims)


# The tables --------------------------------------------------------------------------------------


def _on_lists(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda tup: function(_all(tup))


NAMED_ALIKE = """
sum prod mean var std amax amin ptp nansum nanmean cumsum cumprod diff reshape ravel transpose
expand_dims squeeze concatenate append split array_split tile repeat flip roll rot90 pad
meshgrid copy where clip nan_to_num round sort take take_along_axis dot outer vdot tensordot
"""
FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    **{getattr(np, name): globals()[name] for name in NAMED_ALIKE.split()},
    np.max: amax,
    np.min: amin,
    np.around: round,
    np.stack: lambda arrays, axis=0: joining.stack(_all(arrays), axis),
    np.hstack: _on_lists(joining.hstack),
    np.vstack: _on_lists(joining.vstack),
    np.dstack: _on_lists(joining.dstack),
    np.swapaxes: lambda a, axis1, axis2: _t(a).transpose(axis1, axis2),
    np.moveaxis: lambda a, source, destination: _t(a).movedim(source, destination),
    np.broadcast_to: lambda array, shape: _t(array).broadcast_to(shape),
    np.broadcast_arrays: lambda *args: shape.broadcast_tensors(*_all(args)),
    np.atleast_1d: lambda *arys: shape.atleast_1d(*_all(arys)),
    np.atleast_2d: lambda *arys: shape.atleast_2d(*_all(arys)),
    np.fliplr: lambda m: arranging.fliplr(_t(m)),
    np.flipud: lambda m: arranging.flipud(_t(m)),
    np.diag: lambda v, k=0: arranging.diag(_t(v), k),
    np.diagonal: lambda a, offset=0, axis1=0, axis2=1: _t(a).diagonal(offset, axis1, axis2),
    np.trace: lambda a, offset=0: _t(a).diagonal(offset).sum(-1),
    np.tril: lambda m, k=0: arranging.tril(_t(m), k),
    np.triu: lambda m, k=0: arranging.triu(_t(m), k),
    np.zeros_like: lambda a, dtype=None: creation.zeros_like(_t(a), dtype=dtype),
    np.ones_like: lambda a, dtype=None: creation.ones_like(_t(a), dtype=dtype),
    np.full_like: lambda a, fill_value, dtype=None: creation.full_like(
        _t(a), fill_value, dtype=dtype
    ),
    np.einsum: lambda subscripts, *operands: contraction.einsum(subscripts, *_matched(*operands)),
    np.inner: lambda a, b: contraction.inner(*_matched(a, b)),
    np.kron: lambda a, b: products.kron(*_matched(a, b)),
    np.linalg.norm: norm,
    np.linalg.inv: lambda a: linalg.inv(_float(a)),
    np.linalg.det: lambda a: linalg.det(_float(a)),
    np.linalg.slogdet: lambda a: linalg.slogdet(_float(a)),
    np.linalg.solve: lambda a, b: linalg.solve(*map(_float, _matched(a, b))),
    np.linalg.cholesky: lambda a: linalg.cholesky(_float(a)),
    np.linalg.matrix_power: lambda a, n: linalg.matrix_power(_t(a), n),
}


def _cbrt(x: Any) -> Any:
    x = _float(x)
    return x.sign() * x.abs() ** (1 / 3)


def _along_first(function: Callable[..., Any]) -> Callable[..., Any]:
    """A ufunc's ``reduce`` or ``accumulate``, which runs over axis 0 where no other is given."""
    return lambda array, axis=0, **kwargs: function(array, axis, **kwargs)


# Ufuncs that are not the kernel of a row of the table.
UFUNCS: dict[tuple[Any, str], Callable[..., Any]] = {
    (np.true_divide, "__call__"): lambda a, b: elementwise.div(a, b),
    (np.power, "__call__"): elementwise.pow,
    (np.float_power, "__call__"): elementwise.float_power,
    (np.sign, "__call__"): elementwise.sign,
    (np.reciprocal, "__call__"): elementwise.reciprocal,
    (np.logaddexp, "__call__"): elementwise.logaddexp,
    (np.positive, "__call__"): _t,
    (np.conjugate, "__call__"): _t,
    (np.fabs, "__call__"): lambda x: _float(x).abs(),
    (np.cbrt, "__call__"): _cbrt,
    (np.deg2rad, "__call__"): lambda x: _float(x) * (np.pi / 180),
    (np.radians, "__call__"): lambda x: _float(x) * (np.pi / 180),
    (np.rad2deg, "__call__"): lambda x: _float(x) * (180 / np.pi),
    (np.degrees, "__call__"): lambda x: _float(x) * (180 / np.pi),
    (np.divmod, "__call__"): lambda a, b: (_t(a) // b, _t(a) % b),
    (np.matmul, "__call__"): lambda a, b: products.matmul(*_matched(a, b)),
    (np.add, "reduce"): _along_first(sum),
    (np.multiply, "reduce"): _along_first(prod),
    (np.maximum, "reduce"): _along_first(amax),
    (np.minimum, "reduce"): _along_first(amin),
    (np.add, "accumulate"): _along_first(cumsum),
    (np.multiply, "accumulate"): _along_first(cumprod),
    **{
        (ufunc, "outer"): _outer
        for ufunc, _outer in {
            np.add: lambda a, b: _open(a, b) + _t(b),
            np.subtract: lambda a, b: _open(a, b) - _t(b),
            np.multiply: lambda a, b: _open(a, b) * _t(b),
            np.true_divide: lambda a, b: _open(a, b) / _t(b),
        }.items()
    },
}


def _open(a: Any, b: Any) -> Tensor:
    """``a`` with an axis of size 1 for each of ``b``'s."""
    x = _t(a)
    return x.reshape((*x.shape, *(1,) * np.ndim(b)))
