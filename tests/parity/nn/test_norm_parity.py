"""Normalization beside PyTorch's: outputs, gradients, running statistics, both modes."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

import gradling
from gradling import nn

torch = pytest.importorskip("torch")

SIDES = st.sampled_from((1, 2, 3, 5, 7))
DTYPES = st.sampled_from(("float32", "float64"))


def normal(shape: Any, dtype: str, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    return (rng.standard_normal(shape) * 3 + rng.integers(-5, 6)).astype(dtype)


def stir(module: Any) -> Any:
    """Parameters away from 1 and 0."""
    rng = np.random.default_rng(1)
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(torch.tensor(rng.standard_normal(tuple(p.shape))))
    return module


@given(st.data(), DTYPES, st.sampled_from((0.1, 0.7, None)), st.booleans(), st.booleans())
def test_batch_norm(
    twins: Any, data: Any, dtype: str, momentum: Any, affine: bool, track: bool
) -> None:
    dims = data.draw(st.sampled_from((0, 1, 2, 2, 3)))
    places = tuple(data.draw(SIDES) for _ in range(dims))
    shape = (data.draw(st.sampled_from((2, 3, 6, 0))), data.draw(SIDES), *places)
    name = f"BatchNorm{max(dims, 1)}d"
    settings = {"momentum": momentum, "affine": affine, "track_running_stats": track}
    settings["bias"] = data.draw(st.booleans())
    ours = getattr(nn, name)(shape[1], **settings)
    theirs = stir(getattr(torch.nn, name)(shape[1], **settings))
    assert repr(ours) == repr(theirs)
    if not shape[0] and not affine:
        return  # PyTorch divides by 0 here
    x = normal(shape, dtype, data.draw(st.integers(0, 5)))
    twins(ours, theirs, [x], dtype=dtype, times=3)
    twins(ours, theirs, [x], dtype=dtype, training=False)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(4, 8, 6, 6), (3, 5, 7, 3), (2, 64, 8, 8)])
def test_batch_norm_where_channels_lie_last(twins: Any, dtype: str, shape: Any) -> None:
    """The memory order that convolutions leave."""

    def net(module: Any) -> Any:
        return module.Sequential(
            module.Conv2d(shape[1], shape[1], 1), module.BatchNorm2d(shape[1]), module.ReLU(),
            module.Conv2d(shape[1], 3, 3, padding=1), module.BatchNorm2d(3),
        )  # fmt: skip

    twins(net(nn), net(torch.nn), [normal(shape, dtype)], dtype=dtype, times=2)
    twins(net(nn), net(torch.nn), [normal(shape, dtype)], dtype=dtype, training=False)


@given(st.data(), DTYPES, st.sampled_from((0, 1, 2)))
def test_layer_norm(twins: Any, data: Any, dtype: str, kind: int) -> None:
    axes = tuple(data.draw(SIDES) for _ in range(data.draw(st.integers(1, 3))))
    lead = tuple(
        data.draw(st.sampled_from((0, 1, 3, 5))) for _ in range(data.draw(st.integers(0, 2)))
    )
    settings = [{}, {"elementwise_affine": False}, {"bias": False, "eps": 1e-3}][kind]
    ours, theirs = nn.LayerNorm(axes, **settings), stir(torch.nn.LayerNorm(axes, **settings))
    assert repr(ours) == repr(theirs)
    twins(ours, theirs, [normal((*lead, *axes), dtype)], dtype=dtype)


@given(st.data(), DTYPES, st.sampled_from((0, 1, 2)))
def test_rms_norm(twins: Any, data: Any, dtype: str, kind: int) -> None:
    axes = tuple(data.draw(SIDES) for _ in range(data.draw(st.integers(1, 3))))
    lead = tuple(data.draw(st.sampled_from((0, 1, 3))) for _ in range(data.draw(st.integers(0, 2))))
    settings = [{}, {"elementwise_affine": False}, {"eps": 1e-3}][kind]
    ours, theirs = nn.RMSNorm(axes, **settings), stir(torch.nn.RMSNorm(axes, **settings))
    assert repr(ours) == repr(theirs)
    twins(ours, theirs, [normal((*lead, *axes), dtype)], dtype=dtype)


@given(st.data(), DTYPES, st.booleans())
def test_group_norm(twins: Any, data: Any, dtype: str, affine: bool) -> None:
    groups = data.draw(st.sampled_from((1, 2, 3)))
    channels = groups * data.draw(st.sampled_from((1, 2, 5)))
    places = tuple(data.draw(SIDES) for _ in range(data.draw(st.integers(0, 3))))
    shape = (data.draw(st.sampled_from((1, 2, 3))), channels, *places)
    if int(np.prod(shape)) == shape[0] * groups:
        return  # one value per group is refused, see below
    ours = nn.GroupNorm(groups, channels, affine=affine)
    theirs = stir(torch.nn.GroupNorm(groups, channels, affine=affine))
    assert repr(ours) == repr(theirs)
    twins(ours, theirs, [normal(shape, dtype)], dtype=dtype)


@given(st.data(), DTYPES, st.booleans(), st.booleans())
def test_instance_norm(twins: Any, data: Any, dtype: str, affine: bool, track: bool) -> None:
    dims = data.draw(st.sampled_from((1, 2, 3)))
    places = tuple(data.draw(st.sampled_from((2, 3, 5))) for _ in range(dims))
    channels, batch = data.draw(SIDES), data.draw(st.sampled_from(((), (1,), (3,))))
    settings = {"affine": affine, "track_running_stats": track}
    ours = getattr(nn, f"InstanceNorm{dims}d")(channels, **settings)
    theirs = stir(getattr(torch.nn, f"InstanceNorm{dims}d")(channels, **settings))
    assert repr(ours) == repr(theirs)
    x = normal((*batch, channels, *places), dtype)
    twins(ours, theirs, [x], dtype=dtype, times=2)
    twins(ours, theirs, [x], dtype=dtype, training=False)


@pytest.mark.parametrize("name", ["BatchNorm1d", "InstanceNorm1d", "LayerNorm"])
def test_large_mean(twins: Any, name: str) -> None:
    """Numbers far from 0 keep their digits: the mean is taken away before squares are."""
    x = np.random.default_rng(0).standard_normal((8, 16, 16)).astype("float32") + 1000
    twins(getattr(nn, name)(16), getattr(torch.nn, name)(16), [x], dtype="float32", tolerance=3e-3)


@pytest.mark.parametrize(
    ("name", "shape"),
    [("BatchNorm1d", (1, 4)), ("BatchNorm2d", (1, 4, 1, 1)), ("InstanceNorm1d", (3, 4, 1))],
)
def test_refused_as_in_pytorch(name: str, shape: Any) -> None:
    for module, tensor in ((torch.nn, torch.zeros), (nn, gradling.zeros)):
        with pytest.raises(ValueError, match="more than 1"):
            getattr(module, name)(4)(tensor(shape))
