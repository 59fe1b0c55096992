"""Comparing graphs: what is the same is said to be, and every difference is counted once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

import gradling
from gradling import nn
from gradling.engine import Value
from gradling.viz import diff, draw
from gradling.viz.compare import ADDED, REMOVED


@st.composite
def graphs(draw):
    nodes = [Value(1.0, label=label) for label in "abc"]
    for _ in range(draw(st.integers(1, 25))):
        x, y = draw(st.sampled_from(nodes)), draw(st.sampled_from(nodes))
        nodes.append(draw(st.sampled_from([lambda x, y: x * y, lambda x, y: x - y]))(x, y))
    return nodes[-1]


def states(drawing, budget=None):
    return {node.id: node.measure.split(":")[0] for node in drawing.graph.nodes}


@given(graphs(), graphs())
def test_any_two_graphs_compare_and_nothing_is_lost(a, b):
    one, other = draw(a, budget=None), draw(b, budget=None)
    found = diff(one, other, budget=None)
    place = {node.id: at for at, node in enumerate(found.graph.nodes)}
    assert all(place[edge.source] < place[edge.target] for edge in found.graph.edges)
    marks = [node.step + 1 for node in found.graph.nodes]
    assert len(marks) - marks.count(REMOVED) == len(other.graph.nodes)
    assert len(marks) - marks.count(ADDED) == len(one.graph.nodes)


@given(graphs())
def test_a_graph_is_no_different_from_itself(y):
    found = diff(y, y)
    assert found.graph.remark == "no difference"
    assert all(node.step == -1 for node in found.graph.nodes)


def test_a_step_of_training_changes_numbers_alone():
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    x = gradling.ones(2, 3)

    def seen():
        loss = net(x).square().mean()
        loss.backward()
        return draw(loss, params=net, budget=None)

    before = seen()
    with gradling.no_grad():
        for p in net.parameters():
            p -= 0.1 * p.grad
    found = diff(before, seen())
    assert "added" not in found.graph.remark and "removed" not in found.graph.remark
    weight = next(node for node in found.graph.nodes if node.label == "2.bias")
    assert weight.measure.startswith("changed: value ") and " → " in weight.measure


def test_a_layer_that_came_is_marked_in_every_format():
    def net(*extra):
        gradling.manual_seed(0)
        return nn.Sequential(nn.Linear(3, 3), nn.Tanh(), *extra)

    x = gradling.ones(1, 3)
    small, large = net(), net(nn.Linear(3, 2))
    found = diff(draw(small(x), params=small), draw(large(x), params=large))
    added = [node.label or node.op for node in found.graph.nodes if node.step + 1 == ADDED]
    assert added == ["2.weight", "2.bias", "xWᵀ+b"]
    assert "3 added" in found.graph.remark
    assert "3 added" in found.text() and "added" in found.mermaid() and "added" in found.html()
    assert "#009e73" in found.svg()


def test_few_nodes_that_came_stay_visible_in_a_folded_picture():
    def chain(extra):
        y = Value(1.0, label="x")
        for at in range(300):
            y = (y * 0.9).tanh()
            if extra and at == 150:
                y = y.exp()
        return y

    found = diff(chain(False), chain(True))
    assert len(found.graph.nodes) <= 60
    assert [node.op for node in found.graph.nodes if node.measure == "added"] == ["exp"]


def test_changes_of_call_shape_and_dtype_are_named():
    x = gradling.ones(2, 3, requires_grad=True)
    x.label = "x"
    found = diff(x.sum(dim=0), x.sum(dim=1))
    (node,) = (node for node in found.graph.nodes if node.role == "op")
    assert "shape (3,) → (2,)" in node.measure and "call dim=" in node.measure
