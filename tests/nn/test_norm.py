"""Normalization: what comes out has mean 0 and spread 1, gradients by name, modes, messages."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradling
from gradling import nn
from gradling.nn import functional as F
from gradling.testing import check_gradients, check_module


def normal(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal(shape)


LAYERS = [
    (nn.BatchNorm1d(3), (4, 3)),
    (nn.BatchNorm2d(3), (2, 3, 2, 4)),
    (nn.LayerNorm((2, 3)), (4, 2, 3)),
    (nn.RMSNorm(5), (4, 5)),
    (nn.GroupNorm(2, 4), (2, 4, 3)),
    (nn.InstanceNorm2d(3, affine=True), (2, 3, 2, 4)),
]
NAMES = [repr(layer) for layer, _ in LAYERS]


@pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=NAMES)
@pytest.mark.parametrize("training", [True, False])
def test_gradients_by_name(layer: nn.Module, shape: tuple[int, ...], training: bool) -> None:
    layer.double().train(training)
    for parameter in layer.parameters():
        parameter.data = gradling.tensor(normal(*parameter.shape, seed=1))
    x = gradling.tensor(normal(*shape), requires_grad=True)
    assert check_module(layer, x).verdict == "correct"


@pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=NAMES)
def test_second_derivatives(layer: nn.Module, shape: tuple[int, ...]) -> None:
    layer.double().train()
    x = gradling.tensor(normal(*shape), requires_grad=True)
    assert check_gradients(lambda x: layer(x).tanh(), x, order=2).verdict == "correct"


@pytest.mark.parametrize(
    ("layer", "axes"),
    [
        (nn.BatchNorm2d(4, affine=False), (0, 2, 3)),
        (nn.LayerNorm((5, 6), elementwise_affine=False), (2, 3)),
        (nn.InstanceNorm2d(4), (2, 3)),
        (nn.GroupNorm(1, 4, affine=False), (1, 2, 3)),
    ],
)
@pytest.mark.parametrize("scale", [1e-2, 1.0, 1e4])
def test_mean_0_and_spread_1(layer: nn.Module, axes: Any, scale: float) -> None:
    layer.eps = 1e-12
    y = layer.double()(gradling.tensor(normal(3, 4, 5, 6) * scale + 7 * scale)).numpy()
    np.testing.assert_allclose(y.mean(axes), 0, atol=1e-6)
    np.testing.assert_allclose(y.std(axes), 1, rtol=1e-6)


def test_running_statistics_are_the_data_s() -> None:
    """With momentum None they are the means over all batches; evaluation then uses them."""
    layer = nn.BatchNorm1d(2, momentum=None).double()
    batches = [normal(50, 2, seed=s) * [1, 5] + [0, 3] for s in range(4)]
    for batch in batches:
        layer(gradling.tensor(batch))
    assert int(layer.num_batches_tracked) == 4
    np.testing.assert_allclose(layer.running_mean.numpy(), np.mean([b.mean(0) for b in batches], 0))
    variances = [b.var(0, ddof=1) for b in batches]
    np.testing.assert_allclose(layer.running_var.numpy(), np.mean(variances, 0))
    before = {name: x.numpy().copy() for name, x in layer.state_dict().items()}
    y = layer.eval()(gradling.tensor(batches[0]))
    x_hat = (batches[0] - before["running_mean"]) / np.sqrt(before["running_var"] + layer.eps)
    np.testing.assert_allclose(y.detach().numpy(), x_hat)
    for name, x in layer.state_dict().items():
        assert np.array_equal(x.numpy(), before[name])


def test_backward_through_evaluation_survives_training() -> None:
    """Training moves the running statistics that an earlier evaluation was made with."""
    layer = nn.BatchNorm1d(2)
    x = gradling.tensor(normal(4, 2)).float().requires_grad_()
    y = layer.eval()(x)
    layer.train()(x.detach())
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 1 / np.sqrt(1 + layer.eps), rtol=1e-6)


@pytest.mark.parametrize("channels", [1, 3, 64, 700])
def test_memory_order_does_not_matter(channels: int) -> None:
    x = normal(4, 6, 5, channels)
    last, first = x.transpose(0, 3, 1, 2), np.ascontiguousarray(x.transpose(0, 3, 1, 2))
    cut = normal(4, 6, 8, channels)
    cut[:, :, :5] = x
    results = []
    for array in (last, first, cut[:, :, :5].transpose(0, 3, 1, 2)):
        layer = nn.BatchNorm2d(channels).double()
        leaf = gradling.tensor(array, requires_grad=True)
        y = layer(leaf)
        (y * gradling.tensor(first)).sum().backward()
        results.append((y.detach().numpy(), leaf.grad.numpy(), layer.weight.grad.numpy()))
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_half_precision_is_summed_in_single() -> None:
    x = gradling.ones(1, 4096, dtype=gradling.float16) * 3
    assert F.rms_norm(x, 4096).numpy() == pytest.approx(1, abs=1e-2)
    assert F.layer_norm(x, 4096).dtype == gradling.float16


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.BatchNorm1d(3)(gradling.zeros(1, 3)), "Call model.eval() to predict, or train"),
        (lambda: nn.BatchNorm2d(3)(gradling.zeros(4, 3)), "expected 4-d input"),
        (lambda: nn.BatchNorm1d(3)(gradling.zeros(4, 5)), "num_features = 3 channels (axis 1)"),
        (lambda: nn.LayerNorm(3)(gradling.zeros(3, 4)), "`x.mT` would make it (4, 3)"),
        (lambda: nn.RMSNorm(3)(gradling.zeros(4, 3).long()), "convert it with .float()"),
        (lambda: nn.GroupNorm(2, 5), "num_channels=5 must be divisible by num_groups=2"),
        (lambda: F.group_norm(gradling.zeros(2, 5, 3), 2), "5 channels cannot be split"),
        (lambda: nn.InstanceNorm1d(3)(gradling.zeros(2, 3, 1)), "more than 1 place per channel"),
        (lambda: nn.BatchNorm1d(3).double()(gradling.zeros(2, 3)), "input is float32, weight is"),
        (lambda: F.layer_norm(gradling.zeros(2, 3), 3, gradling.zeros(2)), "weight (2,) must be"),
        (lambda: F.batch_norm(gradling.zeros(2, 3), None, None), "running_mean and running_var"),
    ],
)
def test_messages(call: Any, message: str) -> None:
    with pytest.raises((ValueError, RuntimeError, TypeError)) as caught:
        call()
    assert message in str(caught.value)
