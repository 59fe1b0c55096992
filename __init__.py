"""gradling: a gradient engine that starts as one number and grows into tensors."""

import sys as _sys
from typing import TYPE_CHECKING as _TYPE_CHECKING

from . import engine, tensor
from .engine import (
    Value,
    detect_anomaly,
    enable_grad,
    inference_mode,
    is_grad_enabled,
    no_grad,
    set_grad_enabled,
)
from .tensor import Tensor, autograd, linalg
from .tensor import generators as random
from .tensor import transforms as func
from .tensor.arranging import (
    cartesian_prod,
    combinations,
    diag,
    diag_embed,
    diagflat,
    diagonal,
    flip,
    fliplr,
    flipud,
    repeat_interleave,
    roll,
    rot90,
    tile,
    tril,
    triu,
)
from .tensor.asking import (
    can_cast,
    clone,
    detach,
    dtype,
    finfo,
    iinfo,
    is_floating_point,
    is_tensor,
    numel,
)
from .tensor.choice import (
    allclose,
    clamp,
    clamp_max,
    clamp_min,
    clip,
    equal,
    isclose,
    isneginf,
    isposinf,
    nan_to_num,
    where,
)
from .tensor.contraction import einsum, inner, tensordot
from .tensor.creation import (
    as_tensor,
    asarray,
    empty,
    empty_like,
    from_numpy,
    full,
    full_like,
    ones,
    ones_like,
    zeros,
    zeros_like,
)
from .tensor.draws import (
    bernoulli,
    multinomial,
    normal,
    poisson,
    rand,
    rand_like,
    randint,
    randint_like,
    randn,
    randn_like,
    randperm,
)
from .tensor.dtypes import (
    double,
    float16,
    float32,
    float64,
    get_default_dtype,
    half,
    int8,
    int16,
    int32,
    int64,
    long,
    promote_types,
    result_type,
    set_default_dtype,
    short,
    uint8,
)
from .tensor.elementwise import (
    abs,
    absolute,
    acos,
    acosh,
    add,
    addcdiv,
    addcmul,
    arccos,
    arccosh,
    arcsin,
    arcsinh,
    arctan,
    arctan2,
    arctanh,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    bitwise_and,
    bitwise_left_shift,
    bitwise_not,
    bitwise_or,
    bitwise_right_shift,
    bitwise_xor,
    ceil,
    cos,
    cosh,
    div,
    divide,
    eq,
    erf,
    exp,
    exp2,
    expm1,
    fix,
    float_power,
    floor,
    floor_divide,
    fmod,
    frac,
    ge,
    greater,
    greater_equal,
    gt,
    hypot,
    isfinite,
    isinf,
    isnan,
    le,
    lerp,
    less,
    less_equal,
    log,
    log1p,
    log2,
    log10,
    logaddexp,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    logit,
    lt,
    maximum,
    minimum,
    mul,
    multiply,
    ne,
    neg,
    negative,
    not_equal,
    positive,
    pow,
    reciprocal,
    relu,
    remainder,
    round,
    rsqrt,
    rsub,
    sgn,
    sigmoid,
    sign,
    sin,
    sinh,
    sqrt,
    square,
    sub,
    subtract,
    tan,
    tanh,
    true_divide,
    trunc,
    xlogy,
)
from .tensor.extremes import amax, amin, aminmax, argmax, argmin, max, min
from .tensor.factors import det, inverse, logdet, slogdet
from .tensor.free import explained as _explained
from .tensor.gathering import (
    gather,
    index_add,
    index_copy,
    index_fill,
    index_put,
    index_select,
    scatter,
    scatter_add,
    take,
    take_along_dim,
)
from .tensor.generators import (
    Generator,
    default_generator,
    get_rng_state,
    initial_seed,
    manual_seed,
    seed,
    set_rng_state,
)
from .tensor.joining import (
    block_diag,
    cat,
    chunk,
    column_stack,
    concat,
    concatenate,
    dsplit,
    dstack,
    hsplit,
    hstack,
    narrow,
    row_stack,
    select,
    select_scatter,
    slice_scatter,
    split,
    stack,
    tensor_split,
    unbind,
    vsplit,
    vstack,
)
from .tensor.masking import (
    argwhere,
    bucketize,
    masked_fill,
    masked_scatter,
    masked_select,
    nonzero,
    one_hot,
    searchsorted,
)
from .tensor.numpy_protocol import from_dlpack
from .tensor.padding import pad
from .tensor.products import (
    addbmm,
    addmm,
    addmv,
    addr,
    baddbmm,
    bmm,
    cross,
    dot,
    ger,
    kron,
    matmul,
    matrix_exp,
    matrix_power,
    mm,
    mv,
    outer,
    trace,
    vdot,
)
from .tensor.reductions import (
    all,
    any,
    count_nonzero,
    logsumexp,
    mean,
    nanmean,
    nansum,
    norm,
    prod,
    std,
    std_mean,
    sum,
    var,
    var_mean,
)
from .tensor.running import cummax, cummin, cumprod, cumsum, diff, logcumsumexp
from .tensor.saving import load, save
from .tensor.sequences import arange, eye, linspace, logspace, tril_indices, triu_indices
from .tensor.shape import (
    atleast_1d,
    atleast_2d,
    atleast_3d,
    broadcast_shapes,
    broadcast_tensors,
    broadcast_to,
    flatten,
    meshgrid,
    movedim,
    permute,
    ravel,
    reshape,
    squeeze,
    swapaxes,
    t,
    transpose,
    unflatten,
    unsqueeze,
)
from .tensor.shares import log_softmax, softmax
from .tensor.sorting import (
    argsort,
    bincount,
    kthvalue,
    median,
    msort,
    sort,
    topk,
    unique,
    unique_consecutive,
)
from .tensor.transforms import (
    grad,
    grad_and_value,
    hessian,
    hvp,
    jacobian,
    jvp,
    value_and_grad,
    vjp,
)

adjoint, moveaxis, swapdims = tensor.shape.matrix_transpose, movedim, transpose
# PyTorch's names for these dtypes; nothing below uses Python's types of that name.
bool, int, float = tensor.dtypes.bool_, tensor.dtypes.int_, tensor.dtypes.float_

# `from gradling.autograd import Function`, `import gradling.func`, as programs written for PyTorch
# spell it: these modules live in the package of tensors.
for _path, _module in {
    "autograd": autograd,
    "autograd.function": autograd.function,
    "autograd.functional": autograd.functional,
    "func": func,
    "linalg": linalg,
    "random": random,
}.items():
    _sys.modules[f"{__name__}.{_path}"] = _module
del _path, _module, _sys

for _names in (globals(), vars(linalg)):
    _explained(_names)
del _names

__version__ = "0.1.0"

_LATER = (
    "bridges", "data", "interop", "models", "nn", "optim", "testing", "train", "utils", "viz",
)  # fmt: skip
_BRIDGES = ("capture", "lift", "unroll")
if _TYPE_CHECKING:  # for those who check types; __getattr__ imports them when they are asked for
    from .bridges import capture as capture
    from .bridges import lift as lift
    from .bridges import unroll as unroll


def __getattr__(name: str) -> object:
    """The larger packages are imported at first use: ``import gradling`` stays quick."""
    if name in _LATER:
        from importlib import import_module

        return import_module(f"{__name__}.{name}")
    if name in _BRIDGES:
        from . import bridges

        found: object = getattr(bridges, name)
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER, *_BRIDGES})
