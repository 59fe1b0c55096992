"""The summary of a model: its tree, its counts, and where it stops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradling
from gradling import nn


def image_net() -> nn.Sequential:
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))


def test_the_table() -> None:
    assert str(nn.summary(image_net(), gradling.zeros(32, 1, 28, 28))) == "\n".join([
        "─────────────────────────────────────────────────────────────────────",
        "Module         Output shape  Parameters  Multiply-adds  Output memory",
        "─────────────────────────────────────────────────────────────────────",
        "Sequential     (32, 10)         101,770      3,252,224         1.3 kB",
        "├─ 0: Flatten  (32, 784)              -              -       100.4 kB",
        "├─ 1: Linear   (32, 128)        100,480      3,211,264        16.4 kB",
        "├─ 2: ReLU     (32, 128)              -              -        16.4 kB",
        "└─ 3: Linear   (32, 10)           1,290         40,960         1.3 kB",
        "─────────────────────────────────────────────────────────────────────",
        "101,770 parameters (407.1 kB)",
        "input (32, 1, 28, 28): 3,252,224 multiply-adds; 116.7 kB kept for backward",
    ])  # fmt: skip


def test_it_ends_where_a_shape_fails() -> None:
    net = nn.Sequential(nn.Linear(4, 8), nn.Sequential(nn.ReLU(), nn.Linear(7, 3)), nn.ReLU())
    s = nn.summary(net, (2, 4))
    assert [(r.path, r.output, r.failed) for r in s.rows] == [
        ("", None, False),
        ("0", (2, 8), False),
        ("1", None, False),
        ("1.0", (2, 8), False),
        ("1.1", None, True),
    ]
    assert isinstance(s.error, ValueError)
    text = str(s)
    assert "✗ failed" in text and "stopped by ShapeError: linear: input (2, 8)" in text
    assert not any(m._hooks and (m._hooks.before or m._hooks.after) for m in net.modules())


class Two(nn.Module):
    """Two inputs, a list of children, one of them called twice, a product of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = [nn.Linear(3, 3) for _ in range(2)]
        self.tied = nn.Linear(3, 3)
        self.tied.weight, self.tied.bias = self.blocks[0].weight, self.blocks[0].bias
        self.unused = nn.Linear(3, 100)
        self.drop = nn.Dropout(0.5)

    def forward(self, x: Any, *, z: Any) -> Any:
        for block in (*self.blocks, self.blocks[0], self.tied):
            x = self.drop(block(x))
        return {"product": x @ z.mT, "parts": [x, z]}


def test_several_inputs_nests_and_shared_modules() -> None:
    x, z = gradling.ones(5, 3), gradling.ones(2, 3)
    s = nn.summary(Two(), {"x": x, "z": z})
    rows = {row.path: row for row in s.rows}
    assert rows[""].output == [(5, 2), [(5, 3), (2, 3)]] and s.input == [(5, 3), (2, 3)]
    assert rows["blocks.0"].calls == 2 and rows["blocks.0"].multiply_adds == 2 * 5 * 9
    assert rows["blocks.0"].depth == 1 and rows["blocks.0"].name == "blocks.0"
    assert rows["tied"].shared and not rows["blocks.0"].shared
    assert rows["unused"].output is None and rows["unused"].calls == 0
    assert s.multiply_adds == 4 * 5 * 9 + 5 * 2 * 3
    assert s.parameters == 2 * 12 + 400
    assert "blocks.0: Linear ×2" in str(s) and "(12)" in str(s)


def test_nothing_is_left_behind() -> None:
    net = Two()
    net.train()
    net.blocks[0].requires_grad_(False)
    before = gradling.get_rng_state().tolist()
    s = nn.summary(net, {"x": gradling.ones(5, 3), "z": gradling.ones(2, 3)})
    assert s.trainable == s.parameters - 12 and "12 of them frozen" in str(s)
    assert s.multiply_adds > 0
    assert net.training and net.drop.training and not net.blocks[0].weight.requires_grad
    assert all(p.grad is None for p in net.parameters())
    assert gradling.get_rng_state().tolist() == before
    with gradling.no_grad():
        nn.summary(net, {"x": gradling.ones(5, 3), "z": gradling.ones(2, 3)})


def test_without_input_and_to_a_depth() -> None:
    net = nn.Sequential(nn.Sequential(nn.Linear(2, 2)))
    s = nn.summary(net)
    assert [r.output for r in s.rows] == [None] * 3 and "input" not in str(s)
    assert [r.path for r in nn.summary(net, (1, 2), depth=1).rows] == ["", "0"]
    assert nn.summary(net.double(), (1, 2)).rows[0].output == (1, 2)  # zeros of the model's dtype
    assert nn.summary(net, np.zeros((4, 2))).rows[0].output == (4, 2)
    with pytest.raises(TypeError, match="expected a Module, got list"):
        nn.summary([1])  # type: ignore[arg-type]


def test_convolutions_are_counted() -> None:
    net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, groups=1), nn.Conv2d(8, 4, 1, bias=False))
    s = nn.summary(net, (2, 3, 5, 7))
    assert s.multiply_adds == 2 * 5 * 7 * (8 * 27 + 4 * 8)


def test_buffers_are_told() -> None:
    net = nn.Linear(1, 1)
    net.register_buffer("table", gradling.zeros(1000))
    assert "buffers 4.0 kB" in str(nn.summary(net))


def test_attention_is_counted() -> None:
    x = gradling.ones(5, 3, 8)  # 5 places, 3 examples
    s = nn.summary(nn.MultiheadAttention(8, 2), (x, x, x))
    projections = 5 * 3 * 8 * (3 * 8 + 8)
    assert s.multiply_adds == projections + 3 * 2 * 5 * 5 * (4 + 4)
