"""Pooling and resizing: gradients, ties, memory order, messages."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gradling
from gradling import nn
from gradling.nn import functional as F
from gradling.testing import check_gradients


def distinct(*shape: int) -> Any:
    """Entries that are all different, in no order."""
    size = int(np.prod(shape))
    return np.random.default_rng(0).permutation(size).reshape(shape) / 8.0


SMOOTH = [
    lambda x: F.avg_pool2d(x, 3, 2, 1),
    lambda x: F.avg_pool2d(x, (2, 3), 2, (1, 1), ceil_mode=True, count_include_pad=False),
    lambda x: F.adaptive_avg_pool2d(x, (2, 3)),
    lambda x: F.interpolate(x, (7, 3), mode="bilinear"),
    lambda x: F.interpolate(x, scale_factor=1.7, mode="nearest"),
    lambda x: F.interpolate(x, scale_factor=2, mode="bicubic", align_corners=True),
    lambda x: F.interpolate(x, scale_factor=2),
    lambda x: F.pixel_unshuffle(F.pixel_shuffle(x, 2) * 2, 2),
]
CHOOSING = [
    lambda x: F.max_pool2d(x, 3, 2, 1),
    lambda x: F.max_pool2d(x, 2, 1, dilation=2),
    lambda x: F.adaptive_max_pool2d(x, (2, 3)),
    lambda x: F.max_unpool2d(*F.max_pool2d(x, 2, return_indices=True), 2, output_size=(4, 5)),
]


@pytest.mark.parametrize("function", SMOOTH + CHOOSING)
def test_gradients(function: Any) -> None:
    x = gradling.tensor(distinct(2, 4, 4, 5), requires_grad=True)
    assert check_gradients(function, x).verdict == "correct"


@pytest.mark.parametrize("function", SMOOTH + CHOOSING)
def test_second_derivatives(function: Any) -> None:
    x = gradling.tensor(distinct(1, 4, 4, 5), requires_grad=True)
    report = check_gradients(lambda x: function(x * x * 0.1), x, order=2)
    assert report.verdict == "correct"


@given(st.lists(st.integers(-1, 1), min_size=9, max_size=9))
def test_the_first_of_equals_gets_the_gradient(entries: list[int]) -> None:
    x = gradling.tensor([[entries[:3], entries[3:6], entries[6:]]]).float().requires_grad_()
    y, place = F.max_pool2d(x, 3, return_indices=True)
    y.sum().backward()
    assert place.item() == entries.index(max(entries))
    assert x.grad.reshape(-1).tolist() == [float(i == place.item()) for i in range(9)]


def test_padding_never_wins() -> None:
    x = gradling.full((1, 1, 2, 2), -np.inf).requires_grad_()
    y, places = F.max_pool2d(x, 2, 1, 1, return_indices=True)
    y.sum().backward()
    assert places[0, 0].tolist() == [[0, 0, 1], [0, 0, 1], [2, 2, 3]]
    assert x.grad.sum().item() == 9


@pytest.mark.parametrize("function", [F.max_pool2d, F.avg_pool2d])
@pytest.mark.parametrize("settings", [(2,), (3, 2, 1)])
def test_memory_order_is_kept(function: Any, settings: Any) -> None:
    """Channels that lie last in memory stay last, forward and backward: nets need no copies."""
    last = np.ascontiguousarray(distinct(2, 6, 7, 5)).transpose(0, 3, 1, 2)
    y = function(x := gradling.tensor(last), *settings)
    assert channels_last(y.numpy())
    g = y.numpy() + 1
    traced = function(x.requires_grad_(), *settings)
    node = traced.grad_fn
    part = node.op.vjp[0](g, *node.saved, *node.params)
    assert channels_last(part if part.base is None else part.base)
    plain = function(gradling.tensor(np.ascontiguousarray(last)), *settings)
    assert np.array_equal(plain.numpy(), y.detach().numpy())


def channels_last(x: Any) -> bool:
    return bool(x.transpose(0, 2, 3, 1).flags.c_contiguous)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.MaxPool2d(2)(gradling.zeros(4, 4)), "expected input (batch, channels"),
        (lambda: nn.MaxPool2d(2)(gradling.zeros(1, 4, 4).long()), "convert it with .float()"),
        (lambda: nn.MaxPool2d(5)(gradling.zeros(1, 1, 4, 4)), "take a smaller kernel_size"),
        (lambda: nn.AvgPool2d(2, padding=2)(gradling.zeros(1, 1, 4, 4)), "at most half"),
        (lambda: nn.AvgPool2d((2, 2, 2))(gradling.zeros(1, 1, 4, 4)), "one per spatial axis"),
        (lambda: nn.AdaptiveAvgPool2d((2, 2, 2))(gradling.zeros(1, 1, 4, 4)), "2 output sizes"),
        (lambda: F.avg_pool2d(gradling.zeros(1, 1, 4, 4), 2, divisor_override=0), "not be 0"),
        (lambda: F.interpolate(gradling.zeros(1, 1, 4, 4)), "exactly one of size and"),
        (lambda: F.interpolate(gradling.zeros(1, 1, 4), 4, mode="bilinear"), "takes 4-d input"),
        (lambda: F.interpolate(gradling.zeros(1, 1, 4), 4, mode="best"), "mode must be one of"),
        (lambda: F.interpolate(gradling.zeros(1, 1, 4), 4, align_corners=True), "leave it None"),
        (lambda: F.interpolate(gradling.zeros(1, 1, 4), scale_factor=0.1), "must be positive"),
        (lambda: F.pixel_shuffle(gradling.zeros(3, 2, 2), 2), "upscale_factor² = 4"),
        (lambda: F.pixel_unshuffle(gradling.zeros(3, 3, 2), 2), "divisible by downscale_factor"),
        (
            lambda: nn.MaxUnpool2d(2)(gradling.zeros(1, 1, 1, 1), gradling.tensor([[[[7]]]])),
            "has places 0 to 3",
        ),
    ],
)
def test_messages(call: Any, message: str) -> None:
    with pytest.raises((ValueError, RuntimeError, TypeError)) as caught:
        call()
    assert message in str(caught.value)
