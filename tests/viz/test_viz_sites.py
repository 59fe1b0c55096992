"""Source lines: remembered when asked for, of numbers and tensors, inside modules and out."""

from __future__ import annotations

import gc
import inspect

import pytest

import gradling
from gradling import nn
from gradling.engine import Value, sites
from gradling.engine.sites import site
from gradling.viz import draw, tracing


def here():
    return inspect.currentframe().f_back.f_lineno


def test_nothing_is_remembered_unless_asked_for():
    x = Value(2.0)
    t = gradling.ones(2, requires_grad=True) * 2
    assert site(x * x) is None and site(t._node) is None


def test_numbers_know_the_line_that_made_them():
    x = Value(2.0)
    with tracing():
        y, line = x * x + 1, here()
    assert site(y).line == site(y.inputs[0]).line == f"{__file__}:{line}"
    assert site(y).seconds >= 0
    assert site(x * x) is None


def test_tensors_in_modules_know_the_line_of_the_user():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(3, 2)

        def forward(self, x):
            self.line = here() + 1
            return self.fc(x).relu()

    net = Net()
    with tracing():
        y = net(gradling.ones(4, 3))
    nodes = [node for node in draw(y, params=net).graph.nodes if node.role == "op"]
    assert len(nodes) == 2
    assert {node.site for node in nodes} == {f"{__file__}:{net.line}"}
    assert all(node.seconds >= 0 for node in nodes)


def test_under_anomaly_lines_are_remembered_too():
    with gradling.detect_anomaly():
        y = gradling.ones(2, requires_grad=True).exp()
        z = Value(1.0).exp()
    assert site(y._node).line.startswith(__file__)
    assert site(z).line.startswith(__file__)


def test_as_a_decorator_and_nested_it_ends_where_it_should():
    @tracing
    def made():
        return Value(2.0) * 3

    with tracing():
        inner = made()
        outer = Value(1.0) + 1
    assert site(inner) is not None and site(outer) is not None
    assert site(Value(1.0) + 1) is None


def test_what_is_gone_is_forgotten():
    gc.collect()
    before = len(sites._known)
    with tracing():
        y = Value(2.0)
        for _ in range(50):
            y = y * 1.5
    assert len(sites._known) == before + 50
    del y
    assert len(sites._known) == before


@pytest.mark.parametrize("inside", [gradling.no_grad, gradling.inference_mode])
def test_without_a_graph_there_is_nothing_to_remember_and_nothing_breaks(inside):
    with tracing(), inside():
        y = gradling.ones(2, requires_grad=True) * 2
    assert y._node is None
