"""Elementwise functions against PyTorch: value, dtype, shape, gradient, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import gradling
from gradling.engine import TABLE
from gradling.tensor import elementwise

torch = pytest.importorskip("torch")

DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]
ROWS = [  # those of the nets' layers are compared where the layers are
    name
    for name, op in TABLE.items()
    if (float in op.on or name.startswith("bitwise_")) and hasattr(elementwise, name)
]
OPTIONS = {"leaky_relu": (0.2,), "elu": (1.5,), "gelu": ("tanh",), "softplus": (2.0, 5.0)}
EDGES = [0.0, -0.0, 0.5, 1.0, -1.0, 1.5, 2.0, -2.0, 3.0, 100.0, -100.0, np.inf, -np.inf, np.nan]

# PyTorch has no kernel for these on whole numbers; here they give floats, as most functions do.
ONLY_FLOATS_IN_TORCH = {
    "leaky_relu", "elu", "gelu", "silu", "softplus", "logsigmoid", "hypot", "logaddexp", "lerp",
}  # fmt: skip


def theirs(name: str) -> Any:
    return getattr(torch, name, None) or getattr(torch.nn.functional, name)


def ours(name: str) -> Any:
    return getattr(gradling, name, None) or getattr(elementwise, name)


def entries(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> np.ndarray[Any, Any]:
    """An array with values worth trying, in some memory layout."""
    kind = np.dtype(dtype).kind
    if kind == "f":
        edges, plain = rng.choice(EDGES, shape), rng.normal(size=shape) * 2
        x = np.where(rng.random(shape) < 0.5, edges, plain).astype(dtype)
    else:
        x = rng.integers(0 if kind in "bu" else -4, 2 if kind == "b" else 5, shape).astype(dtype)
    layout = rng.integers(4)
    if layout == 0:
        x = np.array(x, order="F")
    elif layout == 1 and x.ndim:
        x = np.repeat(x, 2, axis=-1)[..., ::2]
    elif layout == 2:
        x = x[(..., *(slice(None, None, -1),) * x.ndim)]
    return x


SIDES = st.lists(st.sampled_from([0, 1, 2, 3]), max_size=3)


@st.composite
def operands(draw: st.DrawFn, count: int) -> list[np.ndarray[Any, Any]]:
    """Arrays of shapes that broadcast, 0-d and empty ones among them."""
    full = tuple(draw(SIDES))
    dtypes = [draw(st.sampled_from(DTYPES))] * count
    rng = np.random.default_rng(draw(st.integers(0, 2**20)))
    arrays = []
    for dtype in dtypes:
        shape = tuple(n if rng.random() < 0.7 else 1 for n in full)
        shape = shape[rng.integers(0, len(full) + 1) :] if rng.random() < 0.3 else shape
        dtype = str(rng.choice(DTYPES)) if rng.random() < 0.2 else dtype
        arrays.append(entries(rng, shape, dtype))
    return arrays


def tolerance(dtype: np.dtype[Any]) -> float:
    return {"e": 4e-3, "f": 4e-6, "d": 1e-12}.get(dtype.char, 0.0)


def agree(mine: Any, its: Any, what: str, rtol: float | None = None, terms: Any = 0.0) -> None:
    """Equal up to rounding, relative to the result or to the terms that it is a sum of."""
    a, b = np.asarray(mine.detach()), its.detach().numpy(force=True)
    assert a.dtype == b.dtype, f"{what}: {a.dtype} here, {b.dtype} in PyTorch"
    assert a.shape == b.shape, f"{what}: {a.shape} here, {b.shape} in PyTorch"
    rtol = tolerance(a.dtype) if rtol is None else rtol
    tiny = float(np.finfo(a.dtype).tiny) * 16 if a.dtype.kind == "f" else 0.0
    x, y = a.astype(np.float64), b.astype(np.float64)
    with np.errstate(invalid="ignore"):  # inf - inf
        near = np.abs(x - y) <= rtol * (np.abs(y) + np.maximum(terms, 1.0)) + tiny
    same = (x == y) | (np.isnan(x) & np.isnan(y)) | (near & np.isfinite(x) & np.isfinite(y))
    assert np.all(same), f"{what}: {a.tolist()} here, {b.tolist()} in PyTorch"


def summed(mine: Any, arrays: list[Any], g: np.ndarray[Any, Any]) -> list[Any]:
    """For each operand, how large the terms are that its gradient sums where it is broadcast."""
    full = [np.array(np.broadcast_to(a, g.shape)) for a in arrays]
    xs = [gradling.Tensor(a).requires_grad_(a.dtype.kind == "f") for a in full]
    mine(*xs).backward(gradling.Tensor(g))
    out = []
    for x, a in zip(xs, arrays, strict=True):
        if x.grad is None:
            out.append(0.0)
            continue
        part = np.nan_to_num(np.abs(x.grad.numpy().astype(np.float64)), posinf=0.0)
        part = part.sum(tuple(range(part.ndim - a.ndim)))
        stretched = tuple(k for k in range(a.ndim) if a.shape[k] == 1 != part.shape[k])
        out.append(part.sum(stretched, keepdims=True))
    return out


def compare(mine: Any, its: Any, arrays: list[Any], slopes: bool = True, may: bool = False) -> None:
    """Run both on the same arrays. Either both refuse, or value and gradients agree."""
    grads = [slopes and a.dtype.kind == "f" for a in arrays]
    xs = [gradling.Tensor(a).requires_grad_(r) for a, r in zip(arrays, grads, strict=True)]
    ts = [torch.tensor(a.copy()) for a in arrays]
    ts = [t.requires_grad_() if r else t for t, r in zip(ts, grads, strict=True)]
    try:
        wanted = its(*ts)
    except (RuntimeError, TypeError, IndexError) as error:
        if not may:
            with pytest.raises((RuntimeError, TypeError, IndexError)):
                mine(*xs)
                pytest.fail(f"PyTorch says: {error}")
        return
    found = mine(*xs)
    # Where dtypes are mixed PyTorch computes parts of it in an operand's own precision.
    loose = max(tolerance(np.dtype(d)) for d in (found.dtype, *(a.dtype for a in arrays)))
    agree(found, wanted, "value", loose if found.dtype.kind == "f" else None)
    assert found.requires_grad == wanted.requires_grad
    if wanted.requires_grad:
        g = np.linspace(0.5, 1.5, wanted.numel()).reshape(wanted.shape).astype(found.dtype)
        found.backward(gradling.tensor(g))
        try:
            wanted.backward(torch.tensor(g))
        except (
            RuntimeError
        ):  # a few of PyTorch's rules trip over a constant operand of truth values
            return
        broadcast = any(a.shape != g.shape for a in arrays)
        terms = summed(mine, arrays, g) if broadcast else [0.0] * len(arrays)
        for i, (x, t) in enumerate(zip(xs, ts, strict=True)):
            if x.requires_grad and t.grad is not None:
                what = f"gradient of operand {i}"
                agree(x.grad, t.grad, what, 20 * loose, terms[i])


@pytest.mark.parametrize("name", ROWS)
def test_rows(name: str) -> None:
    count = len(TABLE[name].args)
    options = OPTIONS.get(name, ())
    keywords = {"approximate": options[0]} if name == "gelu" else {}
    options = () if name == "gelu" else options

    @given(operands(count))
    def check(arrays: list[Any]) -> None:
        may = name in ONLY_FLOATS_IN_TORCH
        if name == "logit":
            arrays = [np.asarray(a + a.dtype.type(0)) for a in arrays]  # inf at either 0
        slopes = name != "floor_divide"  # PyTorch has no gradient for it; here it is 0
        if name in ("atan2", "lerp") and any(a.dtype.kind not in "f" for a in arrays):
            slopes = False  # PyTorch's -a and 1 - weight of a constant wrap around in uint8
        compare(
            lambda *xs: ours(name)(*xs, *options, **keywords),
            lambda *ts: theirs(name)(*ts, *options, **keywords),
            arrays, slopes, may,
        )  # fmt: skip

    check()


def small(arrays: list[Any]) -> bool:
    """What PyTorch has quirks on: a number that does not fit uint8 wraps around in a comparison or
    as a bound; half precision loses the sign of 0 in a root."""
    return any(a.dtype in (np.uint8, np.float16) for a in arrays)


NUMBERS = (
    st.sampled_from([True, False]) | st.integers(-3, 3) | st.sampled_from([0.0, 0.5, 2.0, -1.5])
)
WITH_NUMBERS = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b,
    "/": lambda a, b: a / b, "//": lambda a, b: a // b, "%": lambda a, b: a % b,
    "**": lambda a, b: a**b,
    "&": lambda a, b: a & b, "|": lambda a, b: a | b, "^": lambda a, b: a ^ b,
    "==": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
}  # fmt: skip


@pytest.mark.parametrize("symbol", WITH_NUMBERS)
@pytest.mark.parametrize("first", ["tensor", "number"])
def test_operators_with_numbers(symbol: str, first: str) -> None:
    operator = WITH_NUMBERS[symbol]

    @given(operands(1), NUMBERS)
    def check(arrays: list[Any], number: Any) -> None:
        assume(not (small(arrays) and not isinstance(number, float) and number < 0))
        assume(not (symbol == "**" and number is True or number is False))

        def run(x: Any) -> Any:
            return operator(x, number) if first == "tensor" else operator(number, x)

        compare(run, run, arrays, slopes=symbol != "//")

    check()


def call(arguments: str) -> Any:
    """The same call on both libraries: ``t`` is the library, a, b, c the operands."""

    def runner(library: Any) -> Any:
        names = "a b c".split()
        return lambda *xs: eval(arguments, {"t": library, **dict(zip(names, xs, strict=False))})

    return runner(gradling), runner(torch)


ONE = """
    t.round(a,decimals=2)  t.round(a,decimals=-1)  a.round(decimals=0)  t.clamp(a,-1)
    t.clamp(a,max=1)  t.clamp(a,-0.5,1.5)  a.clip(1,-1)  a.clamp_min(0)  t.clamp_max(a,0.5)
    t.nan_to_num(a)  t.nan_to_num(a,2.5)  a.nan_to_num(nan=1.0,posinf=7.0,neginf=-7.0)
    t.where(a>0,a,0)  t.where(a>0,1.5,a)  t.where(a!=0,1,2)  t.where(a>0,2.5,1)  t.logit(a)
    t.logit(a,eps=0.1)  t.float_power(a,2)  t.isposinf(a)  t.isneginf(a)  t.add(a,2,alpha=3)
    t.sub(a,2,alpha=2)  t.rsub(a,1)  t.div(a,2,rounding_mode='floor')  t.positive(a)
    t.div(a,2,rounding_mode='trunc')  t.div(a,-1.5,rounding_mode='trunc')  t.sgn(a)
    t.add(a,a,alpha=2.5)  t.lerp(a,a,0.25)  a**2  a**3  a**4  a**0.5  a**-0.5  a**-1  a**-2  2**a
    t.pow(a,1.5)  t.fmod(a,2)  t.remainder(a,-2)  t.xlogy(a,2)  t.xlogy(2,a)  t.remainder(5,a)
    a<<1  a>>1  t.bitwise_left_shift(a,3)
""".split()
TWO = """
    t.where(a>0,a,b)  t.clamp(a,b)  t.clamp(a,max=b)  t.add(a,b,alpha=2)  t.sub(a,b,alpha=3)
    t.div(a,b,rounding_mode='floor')  t.div(a,b,rounding_mode='trunc')  a.float_power(b)
    t.lerp(a,b,0.25)  t.lerp(a,b,0.75)  a.clamp_min(b)  a.clamp_max(b)  a.where(b>0,b)
    t.addcmul(a,b,b)  t.addcdiv(a,b,b+1.5)  t.addcdiv(a,b,b+1.5,value=0.5)
""".split()
THREE = ["t.clamp(a,b,c)", "t.where(a!=0,b,c)", "t.addcmul(a,b,c)", "t.addcmul(a,b,c,value=2)"]
# PyTorch refuses mixed dtypes or whole numbers in these; here they are promoted, as everywhere.
STRICT = (
    "a.round(decimals=0)",
    "t.lerp",
    "t.clamp(a,b",
    "t.addc",
    "t.round(a,decimals",
    "t.clamp(a,-1)",
)


QUIRKS = ("a.float_power(b)", "a**0.5", "a**-0.5", "t.pow(a,1.5)", "a.clip(1,-1)", "t.clamp(a,-1)")


@pytest.mark.parametrize("arguments", ONE + TWO + THREE)
def test_calls(arguments: str) -> None:
    mine, its = call(arguments)
    count = 1 if arguments in ONE else 2 if arguments in TWO else 3

    @given(operands(count))
    def check(arrays: list[Any]) -> None:
        slopes = "floor" not in arguments
        assume(not (arguments in QUIRKS and small(arrays)))
        if "addc" in arguments:  # inf times the gradient 0 of what was broadcast to nothing
            assume(all(a.size for a in arrays))
        if "logit" in arguments:
            arrays = [np.asarray(a + a.dtype.type(0)) for a in arrays]
        if "eps" in arguments:
            assume(not any(np.isnan(a).any() for a in arrays))
        compare(mine, its, arrays, slopes, may=arguments.startswith(STRICT))

    check()
