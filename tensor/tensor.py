"""``Tensor``: an array that can take part in a graph, with PyTorch's spelling.

The functions live in one file per family, and are the methods too: ``x.sum(0)`` is
``gradling.sum(x, 0)``.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..engine.op import TABLE
from . import (
    alike,
    arranging,
    asking,
    choice,
    contraction,
    conversion,
    display,
    draws,
    elementwise,
    extremes,
    factors,
    gathering,
    indexing,
    joining,
    masking,
    products,
    reductions,
    refill,
    running,
    shares,
    sorting,
)
from . import shape as shapes
from .dtypes import DType, float32
from .in_place_forms import InPlaceForms
from .inplace import augmented, in_place
from .node import Array, Node
from .numpy_protocol import NumPyProtocol
from .reading import read
from .record import binary, bind
from .rows.structural import serve_tensors


def operator(name: str, reflected: bool = False) -> Callable[..., Tensor]:
    return binary(TABLE[name], reflected, operator=True)


class Tensor(NumPyProtocol, InPlaceForms):
    """An n-dimensional array of one dtype that remembers, where asked to, how it was made.

    Make one with ``gradling.tensor(...)``, ``zeros``, ``randn``, … ``Tensor(data)`` takes an array
    as it is, sharing its memory, and anything else as float32.
    """

    __slots__ = ()

    def __init__(self, data: Any, node: Node | None = None) -> None:
        if data.__class__ is not Array:
            data = np.array(data, dtype=float32)
        self._data = data
        self._node = node
        self._base = None
        self._views = None

    # What it is ----------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[builtins.int, ...]:
        return self._data.shape  # type: ignore[no-any-return]

    @property
    def dtype(self) -> DType:
        return self._data.dtype  # type: ignore[no-any-return]

    @property
    def ndim(self) -> builtins.int:
        return self._data.ndim

    @property
    def device(self) -> str:
        return "cpu"

    @property
    def itemsize(self) -> builtins.int:
        return self._data.itemsize

    @property
    def nbytes(self) -> builtins.int:
        return self._data.nbytes

    def dim(self) -> builtins.int:
        return self._data.ndim

    def size(self, dim: builtins.int | None = None) -> Any:
        """The shape, or its entry ``dim``."""
        from .errors import normal_dim

        shape = self._data.shape
        return shape if dim is None else shape[normal_dim("size", dim, len(shape))]

    def numel(self) -> builtins.int:
        return self._data.size

    nelement = numel

    def element_size(self) -> builtins.int:
        return self._data.itemsize

    def is_floating_point(self) -> builtins.bool:
        return self._data.dtype.kind == "f"  # type: ignore[no-any-return]

    def is_contiguous(self) -> builtins.bool:
        read("is_contiguous()")
        return self._data.flags.c_contiguous

    # Numbers out ---------------------------------------------------------------------------------

    item = conversion.item
    tolist = conversion.tolist
    numpy = conversion.numpy
    to = conversion.to
    type = conversion.type_
    type_as = conversion.type_as
    float, double, half = conversion.float_, conversion.double, conversion.half
    int, long, short = conversion.int_, conversion.long, conversion.short
    char, byte = conversion.char, conversion.byte
    bool = conversion.bool_
    cpu = conversion.cpu
    clone = conversion.clone
    contiguous = conversion.contiguous
    __array__ = conversion.array
    __bool__ = conversion.truth
    __float__ = conversion.as_float
    __int__ = conversion.as_int
    __index__ = conversion.as_index
    __repr__ = display.show
    __format__ = display.formatted

    def __len__(self) -> Any:
        if not self._data.ndim:
            raise TypeError("len() of a 0-d tensor: it is one number, .item() gives it")
        return self._data.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if not self._data.ndim:
            raise TypeError("iteration over a 0-d tensor: it is one number, .item() gives it")
        return (self[i] for i in range(self._data.shape[0]))

    def __contains__(self, element: Any) -> Any:
        read("x in tensor")
        value = element._data if isinstance(element, Tensor) else element
        return np.any(self._data == value).item()

    def __hash__(self) -> Any:
        """Equality is entry by entry; identity is what a set asks for."""
        read("a tensor in a set or as a key")
        return object.__hash__(self)

    # Entry by entry ------------------------------------------------------------------------------

    __add__, __radd__ = operator("add"), operator("add", True)
    __sub__, __rsub__ = operator("sub"), operator("sub", True)
    __mul__, __rmul__ = operator("mul"), operator("mul", True)
    __truediv__, __rtruediv__ = operator("div"), operator("div", True)
    __floordiv__, __rfloordiv__ = operator("floor_divide"), operator("floor_divide", True)
    __mod__, __rmod__ = operator("remainder"), operator("remainder", True)
    __pow__, __rpow__ = operator("pow"), operator("pow", True)
    __neg__, __abs__, __invert__ = elementwise.neg, elementwise.abs, elementwise.bitwise_not
    __eq__, __ne__ = operator("eq"), operator("ne")  # type: ignore[assignment]
    __lt__, __le__, __gt__, __ge__ = operator("lt"), operator("le"), operator("gt"), operator("ge")
    __and__, __rand__ = operator("bitwise_and"), operator("bitwise_and", True)
    __or__, __ror__ = operator("bitwise_or"), operator("bitwise_or", True)
    __xor__, __rxor__ = operator("bitwise_xor"), operator("bitwise_xor", True)
    __lshift__, __rlshift__ = operator("bitwise_left_shift"), operator("bitwise_left_shift", True)
    __rshift__, __rrshift__ = operator("bitwise_right_shift"), operator("bitwise_right_shift", True)

    def __pos__(self) -> Tensor:
        return self

    add, sub, subtract = elementwise.add, elementwise.sub, elementwise.sub
    mul, multiply, div, divide = elementwise.mul, elementwise.mul, elementwise.div, elementwise.div
    true_divide, lerp = elementwise.div, elementwise.lerp
    addcmul, addcdiv = elementwise.addcmul, elementwise.addcdiv
    floor_divide = elementwise.floor_divide
    remainder, fmod = elementwise.remainder, elementwise.fmod
    pow, float_power = elementwise.pow, elementwise.float_power
    neg, negative, positive = elementwise.neg, elementwise.neg, elementwise.positive
    abs, absolute = elementwise.abs, elementwise.abs
    sign, sgn = elementwise.sign, elementwise.sign
    exp, exp2, expm1 = elementwise.exp, elementwise.exp2, elementwise.expm1
    log, log1p = elementwise.log, elementwise.log1p
    log2, log10 = elementwise.log2, elementwise.log10
    sqrt, rsqrt, square = elementwise.sqrt, elementwise.rsqrt, elementwise.square
    reciprocal = elementwise.reciprocal
    sin, cos, tan = elementwise.sin, elementwise.cos, elementwise.tan
    asin, acos, atan = elementwise.asin, elementwise.acos, elementwise.atan
    arcsin, arccos, arctan = elementwise.asin, elementwise.acos, elementwise.atan
    sinh, cosh, tanh = elementwise.sinh, elementwise.cosh, elementwise.tanh
    asinh, acosh, atanh = elementwise.asinh, elementwise.acosh, elementwise.atanh
    arcsinh, arccosh, arctanh = elementwise.asinh, elementwise.acosh, elementwise.atanh
    erf, sigmoid = elementwise.erf, elementwise.sigmoid
    relu, logit = elementwise.relu, elementwise.logit
    floor, ceil, round = elementwise.floor, elementwise.ceil, elementwise.round
    trunc, fix, frac = elementwise.trunc, elementwise.trunc, elementwise.frac
    isnan, isinf, isfinite = elementwise.isnan, elementwise.isinf, elementwise.isfinite
    isposinf, isneginf, isclose = choice.isposinf, choice.isneginf, choice.isclose
    allclose, equal = choice.allclose, choice.equal
    maximum, minimum = elementwise.maximum, elementwise.minimum
    clamp, clip, nan_to_num = choice.clamp, choice.clamp, choice.nan_to_num
    clamp_min, clamp_max = choice.clamp_min, choice.clamp_max
    where = choice.where_method
    atan2, arctan2, hypot = elementwise.atan2, elementwise.atan2, elementwise.hypot
    logaddexp, xlogy = elementwise.logaddexp, elementwise.xlogy
    eq, ne, lt, le = elementwise.eq, elementwise.ne, elementwise.lt, elementwise.le
    gt, ge = elementwise.gt, elementwise.ge
    not_equal, less, less_equal = elementwise.ne, elementwise.lt, elementwise.le
    greater, greater_equal = elementwise.gt, elementwise.ge
    logical_and, logical_or = elementwise.logical_and, elementwise.logical_or
    logical_xor, logical_not = elementwise.logical_xor, elementwise.logical_not
    bitwise_and, bitwise_or = elementwise.bitwise_and, elementwise.bitwise_or
    bitwise_xor, bitwise_not = elementwise.bitwise_xor, elementwise.bitwise_not
    bitwise_left_shift = elementwise.bitwise_left_shift
    bitwise_right_shift = elementwise.bitwise_right_shift

    # Fewer entries -------------------------------------------------------------------------------

    sum, nansum = reductions.sum, reductions.nansum
    mean, nanmean = reductions.mean, reductions.nanmean
    prod, logsumexp, norm = reductions.prod, reductions.logsumexp, reductions.norm
    var, std = reductions.var, reductions.std
    all, any = reductions.all, reductions.any
    count_nonzero = reductions.count_nonzero
    amax, amin, aminmax = extremes.amax, extremes.amin, extremes.aminmax
    max, min = extremes.max, extremes.min
    argmax, argmin = extremes.argmax, extremes.argmin
    cumsum, cumprod, logcumsumexp = running.cumsum, running.cumprod, running.logcumsumexp
    cummax, cummin, diff = running.cummax, running.cummin, running.diff
    sort, argsort, topk, kthvalue = sorting.sort, sorting.argsort, sorting.topk, sorting.kthvalue
    median, unique, bincount = sorting.median, sorting.unique, sorting.bincount
    msort, unique_consecutive = sorting.msort, sorting.unique_consecutive
    softmax, log_softmax = shares.softmax, shares.log_softmax

    # Other shapes --------------------------------------------------------------------------------

    reshape, view, ravel = shapes.reshape, shapes.view, shapes.ravel
    reshape_as, view_as = shapes.reshape_as, shapes.view_as
    flatten, unflatten = shapes.flatten, shapes.unflatten
    squeeze, unsqueeze = shapes.squeeze, shapes.unsqueeze
    transpose, permute, t = shapes.transpose, shapes.permute, shapes.t
    swapaxes, swapdims, adjoint = shapes.swapaxes, shapes.transpose, shapes.matrix_transpose
    movedim, moveaxis = shapes.movedim, shapes.movedim
    T, mT = property(shapes.reversed_axes), property(shapes.matrix_transpose)
    H, mH = property(shapes.t), property(shapes.matrix_transpose)
    expand, expand_as = shapes.expand, shapes.expand_as
    broadcast_to = shapes.broadcast_to
    stride = asking.strides
    data_ptr, storage_offset = asking.data_ptr, asking.storage_offset
    repeat, tile = arranging.repeat, arranging.tile
    repeat_interleave = arranging.repeat_interleave
    flip, fliplr, flipud = arranging.flip, arranging.fliplr, arranging.flipud
    rot90, roll = arranging.rot90, arranging.roll
    diag, diagonal, diag_embed = arranging.diag, arranging.diagonal, arranging.diag_embed
    diagflat, tril, triu = arranging.diagflat, arranging.tril, arranging.triu
    unfold = arranging.unfold
    split, chunk, tensor_split = joining.split, joining.chunk, joining.tensor_split
    hsplit, vsplit, dsplit = joining.hsplit, joining.vsplit, joining.dsplit
    unbind, narrow, select = joining.unbind, joining.narrow, joining.select

    # Picking entries -----------------------------------------------------------------------------

    __getitem__ = indexing.getitem
    __setitem__ = indexing.setitem
    gather, take, take_along_dim = gathering.gather, gathering.take, gathering.take_along_dim
    scatter, scatter_add = gathering.scatter, gathering.scatter_add
    index_select, index_add = gathering.index_select, gathering.index_add
    index_copy, index_fill = gathering.index_copy, gathering.index_fill
    index_put, fill_diagonal_ = gathering.index_put, gathering.fill_diagonal_
    put, put_ = gathering.put, in_place(gathering.put)
    masked_fill, masked_select = masking.masked_fill, masking.masked_select
    masked_scatter = masking.masked_scatter
    nonzero, argwhere = masking.nonzero, masking.argwhere
    scatter_, scatter_add_ = in_place(gathering.scatter), in_place(gathering.scatter_add)
    index_add_, index_copy_ = in_place(gathering.index_add), in_place(gathering.index_copy)
    index_fill_, index_put_ = in_place(gathering.index_fill), in_place(gathering.index_put)
    masked_fill_ = in_place(masking.masked_fill)
    masked_scatter_ = in_place(masking.masked_scatter)
    tril_, triu_ = in_place(arranging.tril), in_place(arranging.triu)

    # Matrices ------------------------------------------------------------------------------------

    __matmul__, __rmatmul__ = products.matmul_operator, products.matmul_reflected
    matmul, mm, bmm, mv = products.matmul, products.mm, products.bmm, products.mv
    dot, vdot, inner = products.dot, products.vdot, contraction.inner
    outer, ger, kron, cross = products.outer, products.ger, products.kron, products.cross
    addmm, addmv, addr = products.addmm, products.addmv, products.addr
    baddbmm, addbmm = products.baddbmm, products.addbmm
    trace, matrix_power = products.trace, products.matrix_power
    matrix_exp = products.matrix_exp
    addmm_, addmv_ = in_place(products.addmm), in_place(products.addmv)
    baddbmm_ = in_place(products.baddbmm)
    inverse, det, slogdet = factors.inv, factors.det, factors.slogdet
    logdet, pinverse = factors.logdet, factors.pinv

    # New ones of this dtype, and random ones -----------------------------------------------------

    new_zeros, new_ones, new_empty = alike.new_zeros, alike.new_ones, alike.new_empty
    new_full, new_tensor = alike.new_full, alike.new_tensor
    bernoulli, multinomial = draws.bernoulli, draws.multinomial
    normal_, uniform_, bernoulli_ = refill.normal_, refill.uniform_, refill.bernoulli_
    random_, exponential_, log_normal_ = refill.random_, refill.exponential_, refill.log_normal_
    geometric_, cauchy_ = refill.geometric_, refill.cauchy_

    # In place ------------------------------------------------------------------------------------

    __iadd__ = augmented(operator("add"), "+=")
    __isub__ = augmented(operator("sub"), "-=")
    __imul__ = augmented(operator("mul"), "*=")
    __itruediv__ = augmented(operator("div"), "/=")
    __ifloordiv__ = augmented(operator("floor_divide"), "//=")
    __imod__ = augmented(operator("remainder"), "%=")
    __ipow__ = augmented(operator("pow"), "**=")
    __iand__ = augmented(operator("bitwise_and"), "&=")
    __ior__ = augmented(operator("bitwise_or"), "|=")
    __ixor__ = augmented(operator("bitwise_xor"), "^=")
    __ilshift__ = augmented(operator("bitwise_left_shift"), "<<=")
    __irshift__ = augmented(operator("bitwise_right_shift"), ">>=")


bind(Tensor)
TABLE["where"].on[Tensor] = choice.where  # its condition takes no part in promotion
serve_tensors(Tensor, TABLE)
