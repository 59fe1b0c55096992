"""Reading live graphs: every operand, in order, once per use, and nothing invented."""

from __future__ import annotations

import numpy as np
import pytest

from gradling.engine import Value
from gradling.tensor import Tensor
from gradling.viz.fold import fold
from gradling.viz.read import read
from gradling.viz.spec import Edge


def filled(*outputs, params=None):
    reading = read(outputs, params)
    folded = fold(reading.graph, budget=None)
    return reading.moment(folded).fill(folded)


def by_label(graph, label):
    return next(node for node in graph.nodes if node.label == label)


def wanting(data):
    return Tensor(np.asarray(data, dtype=np.float32)).requires_grad_()


def test_a_square_of_x_has_two_edges_from_one_box():
    x = Value(3.0, label="x")
    graph = read([x * x]).graph
    assert [node.role for node in graph.nodes] == ["leaf", "op"]
    assert graph.edges == (Edge("n0", "n1", 0), Edge("n0", "n1", 1))
    assert graph.nodes[1].op == "*"
    assert graph.ops == 1


def test_operands_keep_their_order_and_constants_their_place():
    x = Value(4.0, label="x")
    for y, places in ((x - 1, {"leaf": 0, "constant": 1}), (1 - x, {"constant": 0, "leaf": 1})):
        graph = read([y]).graph
        role = {node.id: node.role for node in graph.nodes}
        assert {role[edge.source]: edge.port for edge in graph.edges} == places


def test_a_gradient_is_absent_until_it_is_computed():
    x = Value(2.0, label="x")
    unused = Value(1.0, label="unused")
    y = x * 3
    assert all(node.grad is None for node in filled(y).nodes)
    y.backward()
    graph = filled(y, unused)
    assert by_label(graph, "x").grad.items == (3.0,)
    assert by_label(graph, "unused").grad is None


def test_a_gradient_of_zero_is_not_absent():
    x = Value(-1.0, label="x")
    y = x.relu()
    y.backward()
    assert by_label(filled(y), "x").grad.items == (0.0,)


def test_equal_graphs_read_equal():
    def build():
        a, b = Value(1.0, label="a"), Value(2.0, label="b")
        y = ((a + b) * a - 2.0 / b).tanh()
        y.backward()
        return y

    assert filled(build()) == filled(build())


def test_outputs_are_results_wherever_they_stand():
    x = Value(1.0)
    inner = x * 2
    outer = inner + x
    nodes = read([inner, outer, inner]).graph.nodes
    assert [node.result for node in nodes if node.role == "op"] == [True, True]
    assert len(nodes) == 4


def test_a_deep_chain_is_read_without_recursion():
    y = x = Value(0.0)
    for _ in range(50_000):
        y = y + x
    assert read([y]).graph.ops == 50_000


def test_nodes_come_after_their_operands():
    x = Value(1.0)
    y = x
    for _ in range(20):
        y = y * x + y
    graph = read([y]).graph
    place = {node.id: at for at, node in enumerate(graph.nodes)}
    assert all(place[edge.source] < place[edge.target] for edge in graph.edges)


def test_parameters_of_an_op_are_settings_unless_they_are_the_usual_ones():
    x = Value(1.0)
    assert read([x.leaky_relu(0.2)]).graph.nodes[-1].settings == ("negative_slope=0.2",)
    assert read([x.leaky_relu()]).graph.nodes[-1].settings == ()


def test_tensors_show_shape_dtype_and_what_is_known_of_their_numbers():
    x = wanting([[1.0, -2.0], [3.0, 4.0]])
    y = (x.tanh() * 2.0).sum()
    y.backward()
    nodes = filled(y, params={"x": x}).nodes
    leaf = next(node for node in nodes if node.label == "x")
    assert (leaf.role, leaf.shape, leaf.dtype) == ("parameter", (2, 2), "float32")
    assert leaf.value.items == (1.0, -2.0, 3.0, 4.0)
    assert leaf.grad.shape == (2, 2)
    assert nodes[-1].shape == ()
    assert nodes[-1].value.items == (float(y._data),)
    tanh = next(node for node in nodes if node.op == "tanh")
    assert tanh.value.items[0] == pytest.approx(np.tanh(1.0))
    assert tanh.grad is None  # not retained


def test_large_arrays_are_summarised_and_bad_numbers_counted():
    data = np.linspace(-1.0, 1.0, 101, dtype=np.float32)
    data[3], data[4], data[5] = np.nan, np.inf, -np.inf
    summary = filled(wanting(data)).nodes[0].value
    assert (summary.items, summary.size, summary.nans, summary.infs) == ((), 101, 1, 2)
    assert (summary.low, summary.high) == (-1.0, 1.0)
    assert summary.mean == pytest.approx(np.mean(data[np.isfinite(data)]))


@pytest.mark.parametrize("data", [np.zeros((0, 3), np.float32), np.full(9, np.nan, np.float32)])
def test_arrays_without_a_finite_number_have_no_range(data):
    summary = filled(wanting(data)).nodes[0].value
    assert summary.low != summary.low
    assert summary.size == data.size


def test_an_array_used_twice_is_one_box():
    data = Tensor(np.ones((2, 2), np.float32))
    w = wanting(np.ones((2, 2)))
    graph = read([((data * w) * data).sum()]).graph
    assert [node.shape for node in graph.nodes if node.role == "constant"] == [(2, 2)]


def test_a_tensor_without_a_graph_is_a_box_of_its_own():
    graph = filled(Tensor(np.ones(2, np.float32)))
    assert [(node.role, node.result) for node in graph.nodes] == [("constant", True)]


def test_whole_numbers_and_truth_values_can_be_drawn():
    for data in (np.arange(20), np.arange(20) % 2 == 0):
        summary = filled(Tensor(data)).nodes[0].value
        assert summary.high == float(data.max())


def test_params_may_be_a_module():
    class Net:
        def __init__(self):
            self.w = Value(2.0)

        def named_parameters(self):
            yield "w", self.w

    net = Net()
    nodes = read([net.w * Value(1.0)], net).graph.nodes
    assert [(node.role, node.label) for node in nodes[:2]] == [("parameter", "w"), ("leaf", "")]


def test_a_label_of_its_own_goes_before_a_name():
    w = Value(2.0, label="mine")
    assert read([w * w], {"w": w}).graph.nodes[0].label == "mine"


@pytest.mark.parametrize("wrong", [3.0, "y", None, object()])
def test_other_things_cannot_be_drawn(wrong):
    with pytest.raises(TypeError, match="takes Values and Tensors, got"):
        read([wrong])


def test_params_of_another_kind_are_refused():
    with pytest.raises(TypeError, match="a module or a mapping"):
        read([Value(1.0)], params=[Value(1.0)])


def test_a_gradient_that_somebody_looked_at_is_read_all_the_same():
    x = wanting([1.0, 2.0])
    (x * x).sum().backward()
    assert x.grad is not None
    assert [node.grad.items for node in filled(x * x).nodes if node.role == "leaf"] == [(2.0, 4.0)]
