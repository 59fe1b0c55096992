"""Convolutions beside PyTorch's: drawn shapes and arguments, outputs and all gradients."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import assume, given

from gradling import nn

torch = pytest.importorskip("torch")

SIDE = {1: (1, 2, 3, 5, 7, 11, 13), 2: (1, 2, 3, 5, 7, 11), 3: (1, 2, 3, 5)}


@st.composite
def convolutions(draw: Any, transposed: bool) -> Any:
    dims = draw(st.sampled_from((1, 2, 2, 3) if not transposed else (1, 2, 2)))
    each = lambda options: tuple(draw(st.sampled_from(options)) for _ in range(dims))  # noqa: E731
    groups = draw(st.sampled_from((1, 1, 2, 3)))
    channels, outputs = (groups * draw(st.sampled_from((1, 2, 3, 5))) for _ in range(2))
    size, kernel = each(SIDE[dims]), each((1, 2, 3, 5))
    stride, dilation = each((1, 1, 2, 3)), each((1, 1, 2))
    settings = {
        "stride": stride,
        "dilation": dilation,
        "groups": groups,
        "bias": draw(st.booleans()),
        "padding": each((0, 1, 2)),
    }
    if transposed:
        limit = [max(s, d) for s, d in zip(stride, dilation, strict=True)]
        settings["output_padding"] = tuple(draw(st.integers(0, n - 1)) for n in limit)
    elif draw(st.booleans()):
        settings["padding_mode"] = draw(
            st.sampled_from(("zeros", "reflect", "replicate", "circular"))
        )
        if draw(st.booleans()):
            settings["stride"] = 1
            settings["padding"] = draw(st.sampled_from(("same", "valid")))
    batch = draw(st.sampled_from(((), (0,), (1,), (3,), (7,))))
    dtype = draw(st.sampled_from(("float32", "float64")))
    rng = np.random.default_rng(draw(st.integers(0, 9)))
    x = rng.standard_normal((*batch, channels, *size)).astype(dtype)
    return dims, channels, outputs, kernel, settings, x


# PyTorch's word on its own speed; it warns once, in whichever example comes first.
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")
@given(convolutions(transposed=False))
def test_conv(twins: Any, case: Any) -> None:
    dims, channels, outputs, kernel, settings, x = case
    theirs = getattr(torch.nn, f"Conv{dims}d")(channels, outputs, kernel, **settings)
    ours = getattr(nn, f"Conv{dims}d")(channels, outputs, kernel, **settings)
    with torch.no_grad():
        try:
            theirs.to(getattr(torch, str(x.dtype)))(torch.tensor(x))
        except RuntimeError:  # the kernel, or a reflected border, is larger than the input
            with pytest.raises((ValueError, RuntimeError)):
                ours.to(x.dtype)(nn.Parameter(x))
            return
    twins(ours, theirs, [x], dtype=str(x.dtype))
    assert repr(ours) == repr(theirs)


@given(convolutions(transposed=True))
def test_conv_transpose(twins: Any, case: Any) -> None:
    dims, channels, outputs, kernel, settings, x = case
    theirs = getattr(torch.nn, f"ConvTranspose{dims}d")(channels, outputs, kernel, **settings)
    ours = getattr(nn, f"ConvTranspose{dims}d")(channels, outputs, kernel, **settings)
    sizes = [
        (n - 1) * s - 2 * p + d * (k - 1) + e + 1
        for n, s, p, d, k, e in zip(
            x.shape[-dims:], theirs.stride, theirs.padding, theirs.dilation, kernel,
            theirs.output_padding, strict=True,
        )
    ]  # fmt: skip
    assume(min(sizes) > 0)
    twins(ours, theirs, [x], dtype=str(x.dtype))
    assert repr(ours) == repr(theirs)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("channels", "outputs", "size", "padding"),
    [(32, 48, (13, 11), 1), (64, 33, (4, 4), 1), (33, 32, (7, 19), 0), (37, 41, (6, 5), (2, 1))],
)
def test_many_channels(
    twins: Any, dtype: str, channels: int, outputs: int, size: Any, padding: Any
) -> None:
    """The sizes at which 3x3 kernels are applied by Winograd's method."""
    x = np.random.default_rng(0).standard_normal((3, channels, *size)).astype(dtype)
    arguments = (channels, outputs, 3, 1, padding)
    twins(nn.Conv2d(*arguments), torch.nn.Conv2d(*arguments), [x], dtype=dtype)


def test_output_size(near: Any) -> None:
    theirs = torch.nn.ConvTranspose2d(3, 2, 3, stride=3, padding=1)
    ours = nn.ConvTranspose2d(3, 2, 3, stride=3, padding=1)
    ours.load_state_dict({name: x.numpy() for name, x in theirs.state_dict().items()})
    x = np.ones((1, 3, 4, 5), np.float32)
    wanted = theirs(torch.tensor(x), output_size=(12, 13))
    near("output", ours(nn.Parameter(x), output_size=(12, 13)), wanted)


@pytest.mark.parametrize("name", ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose2d"])
def test_start_values(name: str) -> None:
    """Parameters start from PyTorch's distribution: the same bounds and spread."""
    ours = getattr(nn, name)(16, 32, 3, groups=2)
    theirs = getattr(torch.nn, name)(16, 32, 3, groups=2)
    for (key, a), (_, b) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
        assert a.shape == tuple(b.shape), key
        assert np.abs(a._data).max() == pytest.approx(b.abs().max().item(), rel=0.2), key
        assert a._data.std() == pytest.approx(b.std().item(), rel=0.3), key
