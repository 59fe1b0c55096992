"""Reductions, running results, sorting and shares against PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

DTYPES = ["float64", "float32", "float16", "int64", "uint8", "bool"]
OVER_ALL = "sum mean prod var std amax amin max min median all any nansum nanmean".split()
OVER_DIM = [*OVER_ALL, "logsumexp"]
OVER_DIMS = "sum mean var std amax amin all any nansum nanmean logsumexp".split()
RUNNING = "cumsum cumprod logcumsumexp cummax cummin softmax log_softmax".split()


@st.composite
def arrays(draw: st.DrawFn, dtypes: list[str] = DTYPES, max_dims: int = 3, nan: bool = True) -> Any:
    """Small arrays with ties, zeros and infinities, of every dtype and any shape."""
    shape = tuple(draw(st.lists(st.sampled_from([0, 1, 2, 3, 4]), max_size=max_dims)))
    dtype = draw(st.sampled_from(dtypes))
    rng = np.random.default_rng(draw(st.integers(0, 2**20)))
    if dtype.startswith("float"):
        kind = rng.integers(4)
        x = rng.normal(size=shape) * 2
        if kind == 1:
            x = np.round(x)  # ties, and zeros
        elif kind == 2:
            x = np.where(rng.random(shape) < 0.3, rng.choice([0.0, np.inf, -np.inf], shape), x)
        elif kind == 3 and nan:
            x = np.where(rng.random(shape) < 0.3, np.nan, x)
    else:
        x = rng.integers(
            0 if dtype in ("bool", "uint8") else -3, 2 if dtype == "bool" else 4, shape
        )
    return x.astype(dtype)


def rtol(x: np.ndarray[Any, Any]) -> float:
    return {"e": 2e-2, "d": 1e-10}.get(x.dtype.char, 2e-5)


def smooth(x: np.ndarray[Any, Any]) -> bool:
    """No gradient is compared at infinities and nan: those are listed below, one by one."""
    return x.dtype.kind != "f" or bool(np.isfinite(x).all())


@pytest.mark.parametrize("name", OVER_ALL)
@given(arrays())
def test_over_all(agree: Any, name: str, x: Any) -> None:
    assume(not (name == "prod" and x.dtype == np.float16))  # rounded once here, at each step there
    assume(not (name == "median" and (x.dtype == bool or x.dtype.kind != "f" and x.size == 0)))
    agree(f"t.{name}(x)", rtol(x), not smooth(x), x=x)


@pytest.mark.parametrize("name", OVER_DIM)
@given(arrays(), st.integers(-3, 2), st.booleans())
def test_over_one_axis(agree: Any, name: str, x: Any, dim: int, keepdim: bool) -> None:
    assume(not (name == "median" and x.dtype == bool))
    if name == "median" and x.ndim > dim >= -x.ndim:  # which of a tie is open
        x = np.sort(np.argsort(x, axis=dim).astype(x.dtype), axis=dim)
    agree(f"t.{name}(x, {dim}, keepdim={keepdim})", rtol(x), not smooth(x), x=x)


@pytest.mark.parametrize("name", OVER_DIMS)
@given(arrays(), st.lists(st.integers(-3, 2), max_size=3), st.booleans())
def test_over_several_axes(agree: Any, name: str, x: Any, dim: Any, keepdim: bool) -> None:
    dim = list({d % max(1, x.ndim): d for d in dim}.values())  # each axis once
    if name == "logsumexp" and not dim:
        dim = [0]
    flaw = not dim and name in ("var", "std")  # its gradient divides by 1 - correction in PyTorch
    agree(f"t.{name}(x, {tuple(dim)}, keepdim={keepdim})", rtol(x), flaw or not smooth(x), x=x)


@pytest.mark.parametrize("name", ["var", "std", "var_mean", "std_mean"])
@given(arrays(DTYPES[:3]), st.sampled_from([None, 0, -1]), st.sampled_from([0, 1, 2, 0.5, 7]))
def test_correction(agree: Any, name: str, x: Any, dim: Any, correction: float) -> None:
    assume(smooth(x))
    x = x + x.dtype.type(0.37)  # so that no mean is 0 but for rounding
    n = x.size if dim is None or not x.ndim else x.shape[dim]
    flat = n <= correction  # nan or inf: what its gradient is called is open
    agree(f"t.{name}(x, {dim}, correction={correction})", rtol(x), flat, x=x)
    agree(f"t.{name}(x, {bool(correction)})", rtol(x), x.size <= 1, x=x)


@pytest.mark.parametrize("name", RUNNING)
@given(arrays(), st.integers(-3, 2))
def test_along_an_axis(agree: Any, name: str, x: Any, dim: int) -> None:
    if not x.size and name.startswith("cumm"):
        return  # PyTorch does not look at dim
    if x.dtype.kind != "f" and (name == "logcumsumexp" or "softmax" in name and not x.size):
        return  # here the first gives floats, and the others refuse an empty tensor too
    agree(f"t.{name}(x, {dim})", rtol(x), not smooth(x), x=x)


@pytest.mark.parametrize("p", [0, 1, 2, 3, 1.5, 0.5, -1, "inf", "-inf", None, "fro"])
@given(arrays(DTYPES[:3], nan=False), st.sampled_from([None, 0, -1, (0, 1)]), st.booleans())
def test_norm(agree: Any, p: Any, x: Any, dim: Any, keepdim: bool) -> None:
    assume(dim != (0, 1) or x.ndim > 1)
    order = f"float('{p}')" if isinstance(p, str) and "inf" in p else repr(p)
    x = np.where(np.isinf(x), 3, x).astype(x.dtype)
    # a slope like (norm / x)² leaves float16 between PyTorch's steps; ours is rounded once
    between = x.dtype == np.float16 and p == -1
    agree(f"t.norm(x, {order}, {dim}, {keepdim})", rtol(x), between, x=x)


@pytest.mark.parametrize(
    "program",
    """
    t.sort(x,{d})  t.sort(x,dim={d},descending=True,stable=True)  t.argsort(x,dim={d},stable=True)
    t.topk(x,{k},{d}).values  t.topk(x,{k},{d},False).values  t.kthvalue(x,{k},{d}).values
    t.argmax(x,{d})  t.argmin(x,{d},{keep})  t.count_nonzero(x,{d})  t.cumsum(x,{d},dtype=t.float64)
    t.cumprod(x,{d},dtype=t.float32)  t.sum(x,{d},dtype=t.float64)  t.mean(x,{d},dtype=t.float64)
    t.prod(x,{d},dtype=t.float64)  t.softmax(x,{d},t.float64)  t.log_softmax(x,{d},dtype=t.float64)
    t.aminmax(x,dim={d})  t.sum(x,axis={d},keepdims={keep})  t.var(x,axis={d})  t.msort(x)
    x.max(axis={d},keepdims={keep})  t.argmax(x)  t.argmax(x,keepdim=True)  t.count_nonzero(x)
    t.max(x,x)  x.min(x)  t.unique(x,return_inverse=True,return_counts=True)  t.diff(x,{k},{d})
    t.unique_consecutive(x,return_inverse=True,return_counts=True)  t.logsumexp(x,{d},{keep})
    x.nansum(dtype=t.float64)
    """.split(),
)
@given(arrays(nan=False), st.integers(-2, 2), st.integers(0, 3), st.booleans())
def test_programs(agree: Any, program: str, x: Any, d: int, k: int, keep: bool) -> None:
    if any(word in program for word in ("sort", "topk", "kth")):  # which of a tie is open
        x = np.argsort(x.reshape(-1), kind="stable").reshape(x.shape).astype(x.dtype)
        assume(x.dtype.kind != "b")
    if x.dtype.kind == "b" and ("arg" in program or "topk" in program or "kth" in program):
        return  # PyTorch has none for truth values
    if x.dtype.kind == "f" and "unique" in program:
        x = np.nan_to_num(x, posinf=9, neginf=-9).astype(
            int
        )  # PyTorch refuses what requires a gradient
    if "diff" in program:
        k += 1
    near = max(2e-5, rtol(x)) if "float32" in program else rtol(x)
    agree(program.format(d=d, k=k, keep=keep), near, not smooth(x), x=x)


@pytest.mark.parametrize("program", ["t.unique(x,dim={d})", "t.unique_consecutive(x,dim={d})"])
@given(arrays(["int64", "uint8"]), st.integers(-2, 1))
def test_unique_slices(agree: Any, program: str, x: Any, d: int) -> None:
    options = "return_inverse=True,return_counts=True)"
    assume(x.size)
    agree(program.format(d=d)[:-1] + f",{options}", x=x)


@given(arrays(["int64", "uint8"], max_dims=1), st.sampled_from([0, 6]))
def test_bincount(agree: Any, x: Any, least: int) -> None:
    agree(f"t.bincount(x, minlength={least})", x=x)
    if x.size:
        weights = np.arange(x.size).reshape(x.shape)
        for dtype in (np.float32, np.float64, np.int64):
            agree("t.bincount(x, w.detach())", 1e-6, True, x=x, w=weights.astype(dtype))


@pytest.mark.parametrize("data", [[np.inf, 1.0], [-np.inf, 1.0], [-np.inf] * 2, [np.inf] * 2])
@pytest.mark.parametrize(
    "program",
    """
    t.logsumexp(x,0) t.softmax(x,0) t.log_softmax(x,0) t.logcumsumexp(x,0) t.amax(x,0) t.max(x)
    t.median(x) t.prod(x) t.norm(x) t.std(x) t.var(x) t.cumprod(x,0) t.cumsum(x,0) t.mean(x)
    x.norm(float('inf')) x.norm(3) x.norm(1) x.max(0).values t.sort(x).values t.nansum(x)
    """.split(),
)
def test_gradients_at_infinities(agree: Any, program: str, data: Any) -> None:
    agree(program, 1e-12, x=np.array(data))
