"""inf, nan and what overflows pass through layers and losses as IEEE says, without a warning."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest

import gradling
from gradling import nn
from gradling.nn import functional as F

EXTREME = (1e38, -1e38, float("inf"), float("nan"), 0.0, 1e-45)
LAYERS: dict[str, Callable[[], Any]] = {
    "BatchNorm1d": lambda: nn.BatchNorm1d(3),
    "BatchNorm1d, eval": lambda: nn.BatchNorm1d(3).eval(),
    "LayerNorm": lambda: nn.LayerNorm(3),
    "GroupNorm": lambda: nn.GroupNorm(1, 3),
    "RMSNorm": lambda: nn.RMSNorm(3),
    "GRU": lambda: nn.GRU(3, 2),
    "LSTM": lambda: nn.LSTM(3, 2),
    "TransformerEncoderLayer": lambda: nn.TransformerEncoderLayer(3, 1, 4, dropout=0.0),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_warn_of_nothing(name: str) -> None:
    layer = LAYERS[name]()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for number in (*EXTREME, *EXTREME[::-1]):  # what has gone into running means stays there
            y = layer(gradling.full((4, 3), number, requires_grad=True))
            (y[0] if isinstance(y, tuple) else y).sum().backward()


def test_losses_and_distances_warn_of_nothing() -> None:
    x = gradling.tensor([EXTREME, EXTREME[::-1]], requires_grad=True)
    target = gradling.zeros(2, 6)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for function in (F.mse_loss, F.huber_loss, F.cosine_similarity, F.pairwise_distance):
            function(x, target).sum().backward()
        for function in (F.cross_entropy, F.multi_margin_loss):
            function(x, gradling.tensor([0, 5])).sum().backward()


@pytest.mark.parametrize("loss", [F.nll_loss, F.multi_margin_loss])
def test_class_indices_that_are_floats_are_refused(loss: Any) -> None:
    with pytest.raises(TypeError, match=r"expected class indices, got a float32 target.*long"):
        loss(gradling.zeros(2, 3), gradling.full((2, 3), float("nan")))
