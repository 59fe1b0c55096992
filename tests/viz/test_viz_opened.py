"""A weighted sum drawn as the products and sums that it is made of: the same picture as of those
written out, with numbers that are exact."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradling import nn
from gradling.engine import TABLE, Value, no_grad, weighted_sum
from gradling.engine.sites import tracing
from gradling.viz import diff, draw, explain, steps
from gradling.viz.read import read


def spelt(ws, xs, b):
    for w, x in zip(ws, xs, strict=True):
        b = b + w * x
    return b


def graph_of(form, numbers, backward=True):
    """A small net of one form or the other: shared operands, constants, a sum within a sum."""
    a, b, c = (Value(x, label=name) for x, name in zip(numbers, "abc", strict=True))
    inner = form([a, b], [b, 2.0], c)
    inner.label = "inner"
    y = form([inner, a], [inner, c], 1.0).tanh()
    if backward:
        y.backward()
    return y


@given(st.tuples(*[st.floats(-2, 2)] * 3), st.booleans())
def test_opened_is_drawn_as_if_written_out(numbers, backward):
    """Boxes, arrows, labels, values and gradients, and their order."""
    drawn = draw(graph_of(weighted_sum, numbers, backward)).graph
    assert drawn == draw(graph_of(spelt, numbers, backward)).graph
    assert drawn.ops == 9


def test_opening_touches_nothing_and_heeds_no_mode():
    y = graph_of(weighted_sum, (1.0, 2.0, 3.0))
    numbers = [(v.data, v.grad) for v in (y, *y.inputs)]
    expected = draw(graph_of(spelt, (1.0, 2.0, 3.0))).graph
    with no_grad(), tracing():
        assert draw(y).graph == expected
    assert [(v.data, v.grad) for v in (y, *y.inputs)] == numbers


def test_a_gradient_that_is_nan_is_shown_as_nan():
    y = weighted_sum([Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)], Value(5.0))
    y.grad = math.nan
    ops = [node for node in draw(y).graph.nodes if node.role == "op"]
    assert len(ops) == 4 and all(node.grad.nans == 1 for node in ops)


def test_small_graphs_are_opened_large_ones_closed():
    x = [Value(0.5), Value(-1.0)]
    assert draw(nn.Neuron(2, seed=0)(x)).graph.ops == 5
    net = nn.MLP(2, [4, 4, 1], seed=0)
    assert draw(net(x)).graph.ops == 17
    assert draw(net(x), opened=True).graph.ops == 64
    assert draw(net(x), budget=None).graph.ops == 64
    assert draw(nn.Neuron(2, seed=0)(x), opened=False).graph.ops == 2
    assert draw(nn.Neuron(2, seed=0)(x), budget=8).graph.ops == 2


def test_closed_it_names_its_operands_and_its_constants():
    w, b = [Value(2.0, label="w0"), Value(3.0, label="w1")], Value(1.0, label="b")
    y = weighted_sum(w, [0.5, Value(4.0, label="x1")], b)
    drawing = draw(y, opened=False, constants=False)
    (node,) = [node for node in drawing.graph.nodes if node.role == "op"]
    assert node.operands == ("b", "w0", "x0", "w1", "x1") and node.op == "Σ w·x"
    assert "Σ w·x(x0=0.5)" in drawing.text()
    many = weighted_sum(w * 4, [0.5] * 8, b)
    assert "(x0=0.5, x1=0.5, x2=0.5, …)" in draw(many, opened=False, constants=False).text()


def test_lines_and_parameters_are_those_of_the_sum():
    n = nn.Neuron(2, nonlin=False, seed=0)
    with tracing():
        y = n([Value(1.0), Value(2.0)])
    nodes = draw(y, params=n).graph.nodes
    assert [node.label for node in nodes if node.role == "parameter"] == ["b", "w.0", "w.1"]
    ops = [node for node in nodes if node.role == "op"]
    assert len(ops) == 4 and all("test_viz_opened.py" in node.site for node in ops)


def test_a_difference_between_neurons_is_found_inside():
    n = nn.Neuron(2, seed=0)
    before = draw(n([1.0, 2.0]), params=n)
    n.w[0].data += 1
    assert "no difference" not in str(diff(before, n([1.0, 2.0]), params=n))


def test_any_fused_op_of_numbers_opens_by_its_composition(monkeypatch):
    mul = TABLE["mul"]
    monkeypatch.setattr(mul, "composition", lambda a, b: (a + b) ** 2 / 4 - (a - b) ** 2 / 4)
    y = Value(3.0) * Value(5.0)
    y.backward()
    nodes = read([y], opened=True).graph.nodes
    assert sum(node.count for node in nodes) == 7 and nodes[-1].result
    assert read([y]).graph.ops == 1


def test_formulas_of_a_sum():
    w = [Value(float(k), label=f"w{k}") for k in range(1, 7)]
    x = Value(0.5, label="x")
    y = weighted_sum(w[:2], [x, 3.0])
    y.label = "y"
    assert str(steps(y)).splitlines()[0].strip() == "1  y = w1 * x + w2 * 3 = 6.5"
    assert "y = w1 * x + w2 * 3" in str(explain(y, w[0]))
    long = weighted_sum(w, [x] * 6, Value(1.0, label="b"))
    assert "b + w1 * x + w2 * x + w3 * x + … + w6 * x = 11.5" in str(steps(long))
    assert "d y / d x = 1" in str(explain(y, x))


@pytest.mark.parametrize(
    ("form", "words"),
    [("svg", "Σ w·x"), ("html", "Σ w·x"), ("dot", "Σ w·x"), ("mermaid", "w#183;x")],
)
def test_a_closed_sum_is_written_in_every_form(form, words):
    drawing = draw(graph_of(weighted_sum, (1.0, 2.0, 3.0)), opened=False)
    text = getattr(drawing, form)
    assert words in (text if form == "dot" else text())


def test_the_weights_of_a_layer_are_one_box():
    net = nn.MLP(2, [16, 16, 1], activation="tanh", seed=1)
    drawing = draw(net([Value(0.5), Value(0.25)]), params=net)
    notes = {(node.op or node.role, *node.notes) for node in drawing.graph.nodes}
    assert {("parameter", "256 alike"), ("Σ w·x", "16 alike"), ("tanh", "16 alike")} <= notes
    assert len(drawing.graph.nodes) <= 14
