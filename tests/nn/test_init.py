"""Initialisers: the distributions they promise, what layers start from, and their messages."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
import pytest

import gradling
from gradling import nn
from gradling.nn import init

SHAPE = (300, 200)


def seeded() -> Any:
    return gradling.Generator(0)


def bounds_of_uniform(x: np.ndarray[Any, Any], bound: float) -> None:
    """Evenly from [-bound, bound)."""
    assert x.min() >= -bound and x.max() < bound
    assert np.isclose(x.var(), bound**2 / 3, rtol=0.03)
    quarters = np.histogram(x, bins=4, range=(-bound, bound))[0] / x.size
    assert np.allclose(quarters, 0.25, atol=0.01)


def spread_of_normal(x: np.ndarray[Any, Any], std: float) -> None:
    assert abs(x.mean()) < std * 0.02 and np.isclose(x.std(), std, rtol=0.02)
    assert np.isclose((np.abs(x) < std).mean(), 0.6827, atol=0.01)


def drawn(name: str, *args: Any, shape: Any = SHAPE, **kwargs: Any) -> np.ndarray[Any, Any]:
    x = gradling.zeros(*shape)
    assert getattr(init, name)(x, *args, generator=seeded(), **kwargs) is x
    again = getattr(init, name)(gradling.zeros(*shape), *args, generator=seeded(), **kwargs)
    assert np.array_equal(x.numpy(), again.numpy())
    return x.numpy()


def test_plain_distributions() -> None:
    bounds_of_uniform(drawn("uniform_", -2.0, 2.0), 2.0)
    spread_of_normal(drawn("normal_", 0.0, 3.0), 3.0)
    x = drawn("trunc_normal_", 0.0, 1.0, -0.5, 1.0)
    assert x.min() >= -0.5 and x.max() <= 1.0
    share = (np.abs(x) < 0.5).mean()
    assert np.isclose(share, 0.38292 / (0.19146 + 0.34134), atol=0.01)


def test_xavier() -> None:
    out, fan_in = SHAPE
    bounds_of_uniform(drawn("xavier_uniform_", 2.0), 2.0 * sqrt(6 / (out + fan_in)))
    spread_of_normal(drawn("xavier_normal_"), sqrt(2 / (out + fan_in)))
    kernel = drawn("xavier_normal_", shape=(40, 30, 5, 5))
    spread_of_normal(kernel, sqrt(2 / (40 * 25 + 30 * 25)))


@pytest.mark.parametrize(("mode", "fan"), [("fan_in", 200), ("fan_out", 300)])
def test_kaiming(mode: str, fan: int) -> None:
    spread_of_normal(drawn("kaiming_normal_", mode=mode, nonlinearity="relu"), sqrt(2 / fan))
    bounds_of_uniform(drawn("kaiming_uniform_", 0.3, mode), sqrt(6 / (1 + 0.09) / fan))


@pytest.mark.parametrize("shape", [(5, 5), (7, 3), (3, 7), (4, 2, 3)])
def test_orthogonal(shape: tuple[int, ...]) -> None:
    x = drawn("orthogonal_", 2.0, shape=shape).reshape(shape[0], -1).astype(float)
    product = x @ x.T if x.shape[0] <= x.shape[1] else x.T @ x
    assert np.allclose(product, 4 * np.eye(len(product)), atol=1e-5)


def test_rotations_are_drawn_evenly() -> None:
    draw = seeded()
    firsts = [
        init.orthogonal_(gradling.zeros(2, 2), generator=draw)[0, 0].item() for _ in range(4000)
    ]
    # the cosine of an even angle: below 1/2 in size for a third of them
    assert abs(np.mean(firsts)) < 0.04 and np.isclose(
        np.mean(np.abs(firsts) < 0.5), 1 / 3, atol=0.03
    )


def test_constants() -> None:
    x = gradling.zeros(2, 3)
    assert init.constant_(x, 4.0).tolist() == [[4.0] * 3] * 2
    assert init.ones_(x).tolist() == [[1.0] * 3] * 2
    assert init.zeros_(x).tolist() == [[0.0] * 3] * 2
    assert init.eye_(x).tolist() == [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    sparse = drawn("sparse_", 0.9, std=1.0, shape=(10, 5))
    assert ((sparse == 0).sum(0) == 9).all()


@pytest.mark.parametrize("groups", [1, 2])
def test_dirac_passes_channels_through(groups: int) -> None:
    w = init.dirac_(gradling.zeros(4, 4 // groups, 3), groups)
    x = np.random.default_rng(0).standard_normal((2, 4, 5)).astype(np.float32)
    y = nn.functional.conv1d(gradling.tensor(x), w, padding=1, groups=groups)
    assert np.allclose(y.numpy(), x)


def test_gains() -> None:
    assert init.calculate_gain("conv2d") == init.calculate_gain("sigmoid") == 1.0
    assert init.calculate_gain("relu") == sqrt(2) and init.calculate_gain("selu") == 0.75
    assert init.calculate_gain("leaky_relu", 1.0) == 1.0
    with pytest.raises(ValueError, match="there are"):
        init.calculate_gain("rleu")
    with pytest.raises(ValueError, match="number as slope"):
        init.calculate_gain("leaky_relu", True)


def test_what_cannot_be_filled_is_named() -> None:
    for wrong, said in [
        (lambda: init.xavier_uniform_(gradling.zeros(3)), "at least 2 dimensions"),
        (lambda: init.eye_(gradling.zeros(3)), "expected a matrix"),
        (lambda: init.dirac_(gradling.zeros(3, 3)), "3, 4 or 5"),
        (lambda: init.dirac_(gradling.zeros(3, 3, 3), 2), "groups"),
        (lambda: init.orthogonal_(gradling.zeros(3)), "2 dimensions"),
        (lambda: init.kaiming_normal_(gradling.zeros(3, 3), mode="fan"), "fan_in"),
        (lambda: init.trunc_normal_(gradling.zeros(3), 0.0, 1.0, 50.0, 60.0), "widen them"),
        (lambda: init.sparse_(gradling.zeros(3), 0.5), "expected a matrix"),
    ]:
        with pytest.raises(ValueError, match=said):
            wrong()
    with pytest.raises(TypeError, match="expected a tensor"):
        init.zeros_([1.0])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="Generator"):
        init.uniform_(gradling.zeros(3), generator=3)


def test_filling_is_outside_of_the_graph_and_an_edit_it_knows_of() -> None:
    w = nn.Parameter(gradling.ones(2))
    y = (w * w).sum()
    init.zeros_(w)
    assert w.is_leaf and w.requires_grad
    with pytest.raises(RuntimeError, match="changed afterwards"):
        y.backward()


def test_layers_start_from_pytorchs_distributions() -> None:
    layer = nn.Linear(100, 300, generator=seeded())
    bounds_of_uniform(layer.weight.detach().numpy(), 0.1)
    assert np.abs(layer.bias.detach().numpy()).max() < 0.1
    spread_of_normal(nn.Embedding(300, 100, generator=seeded()).weight.detach().numpy(), 1.0)
    bounds_of_uniform(nn.Bilinear(25, 40, 50, generator=seeded()).weight.detach().numpy(), 0.2)
    gradling.manual_seed(7)
    a = nn.Linear(3, 4)
    gradling.manual_seed(7)
    b = nn.Linear(3, 4)
    assert np.array_equal(a.weight.detach().numpy(), b.weight.detach().numpy())
    assert nn.Linear(2, 2, dtype="float64").weight.dtype == gradling.float64
    assert nn.Linear(0, 2).weight.shape == (2, 0)
