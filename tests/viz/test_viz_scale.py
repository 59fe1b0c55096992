"""Colour by a quantity: the right step, said in words too, in every format."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gradling
from gradling import nn
from gradling.engine import Value
from gradling.viz import draw, tracing
from gradling.viz.scale import KINDS, NUMBERS, ink, scaled
from gradling.viz.spec import Node


def network():
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    with tracing():
        y = net(gradling.ones(2, 3)).sum()
    y.backward()
    return y, net


COLORS = ["grad", "value", "dtype", "time", "memory", lambda node: node.count]


@pytest.mark.parametrize("color", COLORS)
def test_every_format_says_the_measure_and_the_scale(color):
    y, net = network()
    drawing = draw(y, params=net, color=color)
    marked = [node for node in drawing.graph.nodes if node.step >= 0]
    assert marked
    page = drawing.html()
    for node in marked:
        assert drawing.graph.scale.colors[node.step] in drawing.dot
        assert node.measure.split()[-1] in page
    assert 'class="step"' in page
    assert json.loads(drawing.json())["scale"]["colors"]
    assert "stroke-width:5px" in drawing.mermaid()
    drawing.svg()


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30))
def test_larger_numbers_never_have_a_lighter_step(numbers):
    nodes = [Node(f"n{at}", "leaf", label=str(at)) for at in range(len(numbers))]
    scale, mark = scaled(nodes, lambda node: numbers[int(node.id[1:])])
    steps = [mark(node).step for node in nodes]
    assert len(scale.steps) == len(scale.colors)
    assert all(0 <= step < len(scale.steps) for step in steps)
    ranked = sorted(zip(numbers, steps, strict=True))
    assert all(a[1] <= b[1] for a, b in zip(ranked, ranked[1:], strict=False))
    if min(numbers) < max(numbers):
        assert max(steps) == len(NUMBERS) - 1


def test_numbers_far_apart_are_told_apart_by_ratio():
    nodes = [Node(f"n{at}", "leaf") for at in range(7)]
    _, mark = scaled(nodes, lambda node: 10.0 ** -int(node.id[1:]))
    assert [mark(node).step for node in nodes] == [5, 5, 4, 3, 2, 1, 0]


def test_many_kinds_share_the_last_colour():
    nodes = [Node(f"n{at}", "leaf") for at in range(12)]
    scale, mark = scaled(nodes, lambda node: f"kind {int(node.id[1:]):02}")
    assert scale.steps[-1] == "others" and len(scale.steps) == len(KINDS)
    assert mark(nodes[11]).step == len(KINDS) - 1


def test_what_is_not_known_has_no_colour():
    x = Value(3.0, label="x")
    y = x * 2
    marked = draw(y, color=lambda node: 1.0 if node.label == "x" else None).graph
    assert [node.step for node in marked.nodes if node.label != "x"] == [-1, -1]


def test_views_hold_no_memory_of_their_own():
    x = gradling.ones(10, 10, requires_grad=True)
    nodes = draw((x.reshape(100) * 2).sum(), budget=None).graph.nodes
    assert [node.memory for node in nodes if node.role == "op"] == [0, 400, 4]


@pytest.mark.parametrize(
    ("color", "error", "match"),
    [
        ("size", ValueError, "expected one of 'grad', 'value', 'dtype', 'time', 'memory'"),
        ("time", ValueError, "compute under viz.tracing"),
        ("grad", ValueError, r"call backward\(\) first"),
        (lambda node: [1], TypeError, "gives numbers, texts or None, got list"),
        (lambda node: "a" if node.label else 1, TypeError, "numbers for some nodes and texts"),
    ],
)
def test_what_cannot_be_a_colour_is_said(color, error, match):
    with pytest.raises(error, match=match):
        draw(Value(3.0, label="x") * 2, color=color)


def test_words_on_strips_are_readable():
    def light(color):
        parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for color in (*NUMBERS, *KINDS):
        low, high = sorted((light(color), light(ink(color))))
        assert (high + 0.05) / (low + 0.05) >= 4.5, color
