"""Pooling and resizing beside PyTorch's: values, indices, gradients, and what is refused."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import assume, given

import gradling
from gradling import nn
from gradling.nn import functional as F

torch = pytest.importorskip("torch")


@st.composite
def images(draw: Any, dims: int, sides: Any = (1, 2, 3, 5, 7, 11)) -> np.ndarray[Any, Any]:
    """(batch,) channels and spatial axes; whole numbers, so that many entries are equal."""
    size = tuple(draw(st.sampled_from(sides)) for _ in range(dims))
    batch = draw(st.sampled_from(((), (1,), (3,), (0,))))
    dtype = draw(st.sampled_from(("float32", "float64")))
    rng = np.random.default_rng(draw(st.integers(0, 9)))
    x = rng.standard_normal((*batch, draw(st.sampled_from((1, 2, 5))), *size))
    return (np.rint(x) if draw(st.booleans()) else x).astype(dtype)


@st.composite
def pools(draw: Any) -> Any:
    dims = draw(st.sampled_from((1, 2, 2, 3)))
    sizes = lambda options: tuple(draw(st.sampled_from(options)) for _ in range(dims))  # noqa: E731
    kernel = sizes((1, 2, 3, 5))
    settings = {
        "kernel_size": kernel,
        "stride": draw(st.sampled_from((None, 1, 2, 3))),
        "padding": tuple(draw(st.integers(0, k // 2)) for k in kernel),
        "ceil_mode": draw(st.booleans()),
    }
    return dims, settings, draw(images(dims, (1, 2, 3, 5, 7, 11) if dims < 3 else (2, 3, 5)))


def outcome(layer: Any, x: Any) -> Any:
    try:
        return layer(x)
    except (RuntimeError, ValueError) as error:
        return error


@given(pools(), st.sampled_from((1, 1, 2)))
def test_max_pool(both: Any, case: Any, dilation: int) -> None:
    dims, settings, x = case
    arguments = {**settings, "dilation": dilation, "return_indices": True}
    theirs = getattr(torch.nn, f"MaxPool{dims}d")(**arguments)
    ours = getattr(nn, f"MaxPool{dims}d")(**arguments)
    assert repr(ours) == repr(theirs)
    wanted = outcome(theirs, torch.tensor(x))
    if isinstance(wanted, Exception):
        assert isinstance(outcome(ours, gradling.tensor(x)), Exception)
        return
    # of a window that holds nothing but padding, PyTorch gives an index outside, and may crash
    assume(not torch.isinf(wanted[0]).any())
    both(ours, theirs, [x])


@given(pools(), st.booleans(), st.sampled_from((None, None, 3, -2)))
def test_avg_pool(both: Any, case: Any, include: bool, divisor: int | None) -> None:
    dims, settings, x = case
    arguments = {**settings, "count_include_pad": include}
    if dims > 1:
        arguments["divisor_override"] = divisor
    theirs = getattr(torch.nn, f"AvgPool{dims}d")(**arguments)
    ours = getattr(nn, f"AvgPool{dims}d")(**arguments)
    assert repr(ours) == repr(theirs)
    if isinstance(outcome(theirs, torch.tensor(x)), Exception):
        # with ceil_mode, PyTorch refuses in 3 dimensions some windows that it takes in 2
        assert dims == 3 or isinstance(outcome(ours, gradling.tensor(x)), Exception)
        return
    both(ours, theirs, [x])


@given(st.data())
def test_adaptive_pools(both: Any, data: Any) -> None:
    dims = data.draw(st.sampled_from((1, 2, 2, 3)))
    x = data.draw(images(dims, (1, 2, 3, 5, 6, 7)))
    size = tuple(data.draw(st.sampled_from((1, 2, 3, 5))) for _ in range(dims))
    name = data.draw(st.sampled_from(("Avg", "Max")))
    arguments = (size,) if name == "Avg" else (size, True)
    theirs = getattr(torch.nn, f"Adaptive{name}Pool{dims}d")(*arguments)
    ours = getattr(nn, f"Adaptive{name}Pool{dims}d")(*arguments)
    assert repr(ours) == repr(theirs)
    both(ours, theirs, [x])


@given(images(2, (4, 5, 6, 8)), st.sampled_from((1, 2)))
def test_max_unpool(both: Any, x: Any, stride: int) -> None:
    def through(library: Any, module: Any) -> Any:
        pool, back = module.MaxPool2d(2, stride, return_indices=True), module.MaxUnpool2d(2, stride)

        def run(x: Any) -> Any:
            y, places = pool(x)
            return back(y, places, output_size=x.shape[-2:])

        return run

    both(through(gradling, nn), through(torch, torch.nn), [x])


@given(st.data())
def test_interpolate(both: Any, data: Any) -> None:
    dims = data.draw(st.sampled_from((1, 2, 2, 3)))
    x = data.draw(images(dims, (1, 2, 3, 5, 7)))
    assume(x.ndim == dims + 2 and len(x))
    linear = {1: ["linear"], 2: ["bilinear", "bicubic"], 3: ["trilinear"]}[dims]
    mode = data.draw(st.sampled_from(["nearest", "nearest-exact", "area", *linear]))
    settings: dict[str, Any] = {"mode": mode}
    if mode in linear:
        settings["align_corners"] = data.draw(st.booleans())
    if data.draw(st.booleans()):
        settings["size"] = tuple(data.draw(st.integers(1, 9)) for _ in range(dims))
    else:
        options = (0.5, 1.0, 1.3, 2, 2.7, 3)
        settings["scale_factor"] = tuple(data.draw(st.sampled_from(options)) for _ in range(dims))
        settings["recompute_scale_factor"] = data.draw(st.sampled_from((None, True)))
        pairs = list(zip(x.shape[2:], settings["scale_factor"], strict=True))
        assume(all(n * f >= 1 for n, f in pairs))
        # where a factor leaves the size as it was, PyTorch's gradient is not that of its forward
        assume(all(f == 1 or int(n * f) != n for n, f in pairs))
    both(
        lambda x: F.interpolate(x, **settings),
        lambda x: torch.nn.functional.interpolate(x, **settings),
        [x],
    )
    theirs = torch.nn.Upsample(**settings)
    assert repr(nn.Upsample(**settings)) == repr(theirs)


@given(images(2, (1, 2, 3)), st.sampled_from((1, 2, 3)))
def test_pixel_shuffle(both: Any, x: Any, r: int) -> None:
    assume(x.size)  # PyTorch's gradient of an empty batch has the wrong shape
    wide = np.repeat(x, r * r, axis=-3) * np.arange(1, x.shape[-3] * r * r + 1).reshape(-1, 1, 1)
    wide = wide.astype(x.dtype)
    both(nn.PixelShuffle(r), torch.nn.PixelShuffle(r), [wide])
    high = np.repeat(np.repeat(x, r, axis=-1), r, axis=-2)
    high = (high + np.arange(high.shape[-1])).astype(x.dtype)
    both(nn.PixelUnshuffle(r), torch.nn.PixelUnshuffle(r), [high])


@pytest.mark.parametrize("size", [3, (2, 3), (2, 2)])
def test_special_entries(both: Any, size: Any) -> None:
    """NaN, infinities and ties go where PyTorch sends them."""
    x = np.zeros((1, 3, 6, 6))
    x[0, 0, 2, 3] = x[0, 0, 4, 4] = np.nan
    x[0, 1, :4] = -np.inf
    x[0, 2, 1, 1] = x[0, 2, 1, 4] = np.inf
    arguments = {"kernel_size": size, "stride": 2, "padding": 1, "return_indices": True}
    both(nn.MaxPool2d(**arguments), torch.nn.MaxPool2d(**arguments), [x])
