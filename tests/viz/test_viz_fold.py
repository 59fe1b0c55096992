"""Folding: within the budget, free of cycles, nothing lost, and readable where structure allows."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradling.engine import Value
from gradling.viz import draw
from gradling.viz.dot import to_dot
from gradling.viz.fold import fold
from gradling.viz.read import read
from gradling.viz.spec import Edge, Graph, Node


@st.composite
def graphs(draw, most=60):
    """Any graph without cycles: modules re-entered, constants, labels, several results."""
    size = draw(st.integers(1, most))
    nodes, edges = [], []
    for at in range(size):
        role = draw(st.sampled_from(["leaf", "parameter", "constant", "op", "op", "op"]))
        sources = draw(st.lists(st.integers(0, at - 1), max_size=3)) if at and role == "op" else []
        role = "leaf" if role == "op" and not sources else role
        nodes.append(
            Node(
                f"n{at}",
                role,
                op=draw(st.sampled_from("+*")) if role == "op" else "",
                label=draw(st.sampled_from(["", "", "a", "w1", "w2"])),
                operands=tuple("abc"[: len(sources)]),
                scope=draw(st.sampled_from(["", "", "net", "net.0", "net.1", "net.1.fc", "out"])),
                result=at == size - 1 or draw(st.integers(0, 9)) == 0,
                count=int(role == "op"),
            )
        )
        edges += [Edge(f"n{source}", f"n{at}", port) for port, source in enumerate(sources)]
    ops = sum(node.count for node in nodes)
    return Graph(tuple(nodes), tuple(edges), ops=ops)


@given(graphs(), st.integers(4, 30))
def test_folding_keeps_the_budget_and_loses_nothing(graph, budget):
    done = fold(graph, budget)
    folded, members = done.graph, done.members
    assert len(folded.nodes) <= budget
    assert sum(node.count for node in folded.nodes) == graph.ops == folded.ops
    shown = [at for node in folded.nodes for at in members[node.id]]
    missing = set(range(len(graph.nodes))) - set(shown)
    assert len(shown) == len(set(shown))
    assert all(graph.nodes[at].role == "constant" for at in missing)
    results = {at for at, node in enumerate(graph.nodes) if node.result}
    assert {at for node in folded.nodes if node.result for at in members[node.id]} >= results


@given(graphs(), st.integers(4, 30))
def test_folded_edges_run_forward_and_stand_for_real_ones(graph, budget):
    done = fold(graph, budget)
    folded, members = done.graph, done.members
    place = {node.id: at for at, node in enumerate(folded.nodes)}
    home = {at: key for key, ats in members.items() for at in ats}
    expected = set()
    for edge in graph.edges:
        source, target = int(edge.source[1:]), int(edge.target[1:])
        if source in home and home[source] != home[target]:
            expected.add((home[source], home[target]))
    assert {(edge.source, edge.target) for edge in folded.edges} == expected
    assert all(place[edge.source] < place[edge.target] for edge in folded.edges)


@given(graphs())
def test_a_large_enough_budget_changes_nothing_but_frames(graph):
    done = fold(graph, len(graph.nodes) + 3)
    folded, members = done.graph, done.members
    assert [node.id for node in folded.nodes] == [node.id for node in graph.nodes]
    assert folded.edges == tuple(sorted(graph.edges, key=lambda edge: int(edge.target[1:])))
    assert members == {node.id: (at,) for at, node in enumerate(graph.nodes)}


@given(graphs(), st.integers(4, 30))
def test_frames_nest_and_hold_what_they_name(graph, budget):
    folded = fold(graph, budget).graph
    frames = {"": ""}
    for cluster in folded.clusters:
        assert cluster.label.startswith(frames[cluster.parent])
        frames[cluster.id] = cluster.label
    for node in folded.nodes:
        assert node.cluster in frames


@given(graphs(), st.integers(4, 60), st.booleans())
def test_written_edges_lead_from_and_to_what_is_written(graph, budget, apart):
    dot = to_dot(fold(graph, budget).graph, apart=apart)
    nodes = set(re.findall(r"^ *(\w+) \[shape", dot, re.MULTILINE))
    for source, target, port in re.findall(r"^ *(\w+) -> (\w+)(?::(\w+):w)?", dot, re.MULTILINE):
        assert {source, target} <= nodes
        if port:
            line = next(line for line in dot.splitlines() if line.strip().startswith(f"{target} ["))
            assert f'PORT="{port}"' in line
    assert "<TABLE" not in re.sub(r"label=<.*>", "", dot)


def test_a_budget_too_small_to_show_anything_is_refused():
    graph = read([Value(1.0)]).graph
    with pytest.raises(ValueError, match="expected at least 4, got 3"):
        fold(graph, 3)


def test_an_op_keeps_its_operands_apart_when_a_group_feeds_it():
    x = Value(1.0, label="x")
    y = x
    for _ in range(100):
        y = y.tanh()
    drawing = draw(y - x, y)
    arrivals = [edge for edge in drawing.graph.edges if edge.target == "n101"]
    assert [edge.port for edge in arrivals] == [0, 1]
    dot = drawing.dot
    assert set(re.findall(r"(\w+)(?::\w+)* ->", dot)) <= set(re.findall(r"(\w+) \[", dot))


def test_constants_go_first():
    y = Value(1.0, label="x")
    for _ in range(5):
        y = y * 2.0 + 0.5
    folded = fold(read([y]).graph, 12).graph
    assert [node.role for node in folded.nodes] == ["leaf", *["op"] * 10]
    assert folded.nodes[1].constants == ((1, "2"),)
    assert folded.shown == folded.ops == 10
    assert all(
        node.role != "constant" for node in fold(read([y]).graph, constants=False).graph.nodes
    )
    assert sum(node.role == "constant" for node in fold(read([y]).graph).graph.nodes) == 10


def test_a_long_chain_says_what_repeats():
    y = Value(1.0, label="x")
    for _ in range(500):
        y = (y * 1.01).tanh()
    y = y + 1.0
    folded = fold(read([y]).graph).graph
    chain = folded.nodes[1]
    assert (chain.op, chain.notes[0]) == ("(* → tanh)", "500 times in a row")
    assert folded.shown == 2


def mlp(sizes, samples):
    rng = random.Random(0)
    layers = [
        [[Value(rng.uniform(-1, 1)) for _ in range(n_in + 1)] for _ in range(n_out)]
        for n_in, n_out in zip(sizes, sizes[1:], strict=False)
    ]
    loss = Value(0.0)
    for _ in range(samples):
        x = [rng.uniform(-1, 1) for _ in range(sizes[0])]
        for layer in layers:
            sums = []
            for bias, *weights in layer:
                total = bias
                for w, xi in zip(weights, x, strict=True):
                    total = total + w * xi
                sums.append(total.tanh())
            x = sums
        loss = loss + (x[0] - 1.0) ** 2
    return loss


def test_a_net_of_values_folds_to_its_layers():
    drawing = draw(mlp([2, 8, 8, 1], samples=30))
    notes = {(node.op, *node.notes) for node in drawing.graph.nodes if node.role == "group"}
    assert ("tanh", "240 alike") in notes  # 8 neurons, 30 samples, in either hidden layer
    assert ("+", "240 alike, each 8 in a row") in notes
    assert ("*", "1 920 alike") in notes
    assert ("+", "29 in a row") in notes  # the sum over samples but its last, the result
    assert len(drawing.graph.nodes) <= 40


def test_numbered_labels_are_alike_and_their_range_is_shown():
    weights = [Value(float(i), label=f"w{i}") for i in range(80)]
    y = sum((w.tanh() for w in weights), Value(0.0, label="start"))
    labels = [node.label for node in draw(y).graph.nodes if node.role == "leaf"]
    assert labels == ["start", "w0 … w79"]


def scoped(steps):
    """A chain of ops, each with the scope given."""
    nodes = [Node("n0", "leaf", label="x")]
    edges = []
    for at, scope in enumerate(steps, 1):
        nodes.append(Node(f"n{at}", "op", op=f"op{at}", operands=("x",), scope=scope, count=1))
        edges.append(Edge(f"n{at - 1}", f"n{at}", 0))
    return Graph(tuple(nodes), tuple(edges), ops=len(steps))


def test_modules_close_from_the_innermost():
    steps = [f"net.{block}.fc" for block in range(4) for _ in range(5)]
    folded = fold(scoped(steps), 6).graph
    assert [node.op for node in folded.nodes] == ["", *(f"net.{block}.fc" for block in range(4))]
    assert [cluster.label for cluster in folded.clusters] == ["net"]


def test_a_module_called_twice_is_two_boxes_in_a_row():
    steps = ["fc"] * 5 + ["act"] * 5 + ["fc"] * 5
    done = fold(scoped(steps), 6)
    folded, members = done.graph, done.members
    assert [node.op for node in folded.nodes] == ["", "fc", "act", "fc"]
    assert [len(members[node.id]) for node in folded.nodes] == [1, 5, 5, 5]


def test_a_parameter_of_an_op_between_two_calls_stays_outside_of_the_module():
    plain = scoped(["fc"] * 3 + [""] + ["fc"] * 3)
    graph = Graph((Node("w", "parameter"), *plain.nodes), (*plain.edges, Edge("w", "n4", 1)), ops=7)
    folded = fold(graph, 5).graph
    assert [node.op for node in folded.nodes] == ["", "", "fc", "op4", "fc"]


def test_a_closed_module_says_what_it_holds():
    nodes, edges = [Node("n0", "leaf", label="x"), Node("n1", "parameter", shape=(3, 4))], []
    for at in range(2, 9):
        nodes.append(
            Node(f"n{at}", "op", op="*", operands=("a", "b"), scope="cell", module="Cell", count=1)
        )
        edges += [Edge(f"n{at - 1 if at > 2 else 0}", f"n{at}", 0), Edge("n1", f"n{at}", 1)]
    folded = fold(Graph(tuple(nodes), tuple(edges), ops=7), 5).graph
    assert [node.op for node in folded.nodes] == ["", "cell (×7)"]
    assert folded.nodes[1].notes == ("Cell", "12 parameters", "used 7 times")


def test_modules_are_framed_when_there_is_room():
    folded = fold(scoped(["net.a", "net.a", "net.b", "net.b", ""])).graph
    assert [cluster.label for cluster in folded.clusters] == ["net", "net.a", "net.b"]
    assert [cluster.parent for cluster in folded.clusters] == ["", "c0", "c0"]


def test_a_graph_without_any_pattern_is_cut_along_its_depth():
    rng = random.Random(0)
    values = [Value(rng.uniform(-1, 1)) for _ in range(4)]
    for _ in range(3000):
        a, b = rng.choice(values[-30:]), rng.choice(values[-30:])
        values.append(rng.choice([a + b, a * b, (a - b).tanh()]))
    drawing = draw(values[-1])
    assert len(drawing.graph.nodes) <= 60
    assert "a slice of the depth" in drawing.text()


def test_many_results_donelike_the_rest():
    x = Value(1.0, label="x")
    drawing = draw([x * float(i) for i in range(500)])
    assert len(drawing.graph.nodes) == 2
    assert drawing.graph.nodes[1].result


def test_a_hundred_thousand_nodes_are_folded():
    loss = mlp([2, 16, 16, 1], samples=150)
    drawing = draw(loss)
    assert drawing.graph.ops > 90_000
    assert len(drawing.graph.nodes) <= 60
    assert "ops shown as" in drawing.text()
