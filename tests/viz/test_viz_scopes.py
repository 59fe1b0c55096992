"""Modules opened and closed by wish, and repeats shown by their first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gradling
from gradling import nn
from gradling.viz import draw
from gradling.viz.draw import longest
from gradling.viz.scopes import chooser


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4))

    def forward(self, x):
        return x + self.fc(x)


class Net(nn.Module):
    def __init__(self, n=12):
        super().__init__()
        self.blocks = nn.Sequential(*[Block() for _ in range(n)])
        self.head = nn.Linear(4, 1)

    def forward(self, x):
        return self.head(self.blocks(x))


def boxes(n=12, **options):
    net = Net(n)
    return draw(net(gradling.ones(2, 4)).sum(), params=net, **options).graph


def titles(graph):
    return [node.op for node in graph.nodes if node.role == "group"]


def scopes(graph):
    return {node.scope for node in graph.nodes if node.role == "op"}


def test_blocks_alike_are_shown_by_the_first_and_how_many_more():
    graph = boxes(budget=30)
    more = next(node for node in graph.nodes if "more" in "".join(node.notes))
    assert more.op == "blocks.1 … blocks.11"
    assert more.notes[0] == "+11 more like blocks.0"
    assert more.count == 11 * 4
    assert {"blocks.0", "blocks.0.fc.1"} <= scopes(graph)
    assert titles(graph)[:2] == ["blocks.0.fc.0", "blocks.0.fc.2"]


def test_blocks_of_other_sizes_are_not_alike():
    net = nn.Sequential(*[nn.Linear(n, n + 1) for n in range(1, 20)])
    graph = draw(net(gradling.ones(1, 1)), params=net, budget=30).graph
    assert not any("more like" in note for node in graph.nodes for note in node.notes)


def test_one_module_run_often_says_how_often():
    cell = nn.Linear(3, 3)

    class Again(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell = cell

        def forward(self, x):
            for _ in range(40):
                x = self.cell(x).tanh()
            return x

    net = Again()
    y = net(gradling.ones(1, 3))
    graph = draw(y, params=net, budget=10).graph
    (group,) = (node for node in graph.nodes if node.role == "group")
    assert group.op == "(xWᵀ+b → tanh)"
    assert group.notes[0] == "39 times in a row and a part"


def test_a_cell_of_several_ops_run_often_says_so_by_its_weights():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell = nn.LSTMCell(3, 3)

        def forward(self, x):
            state = None
            for _ in range(40):
                state = self.cell(x, state)
            return state[0]

    net = Twice()
    graph = draw(net(gradling.ones(1, 3)), params=net, budget=10).graph
    assert any(node.op == "cell (×40)" for node in graph.nodes)


@pytest.mark.parametrize("pattern", ["blocks.7.*", ["blocks.7", "blocks.7.fc*"]])
def test_expanded_modules_are_open_whatever_the_budget(pattern):
    graph = boxes(budget=8, expand=pattern)
    assert {"blocks.7", "blocks.7.fc.0", "blocks.7.fc.1", "blocks.7.fc.2"} <= scopes(graph)
    assert len(graph.nodes) <= 8 + 4
    assert not any(scope.startswith("blocks.3") for scope in scopes(graph))


def test_a_function_may_choose_what_is_open_and_what_is_closed():
    graph = boxes(budget=8, expand=lambda path: path == "blocks.2")
    assert "blocks.2" in scopes(graph) and "blocks.2.fc.0" not in scopes(graph)
    graph = boxes(n=2, budget=None, collapse=lambda path: path == "blocks.1")
    assert titles(graph) == ["blocks.1"]
    assert "blocks.0.fc.0" in scopes(graph)


@pytest.mark.parametrize(
    ("depth", "closed"),
    [
        (0, ["blocks", "head"]),
        (1, ["blocks.0", "blocks.1"]),
        (2, ["blocks.0.fc", "blocks.1.fc"]),
        (9, []),
    ],
)
def test_depth_closes_what_lies_deeper(depth, closed):
    assert titles(boxes(n=2, budget=None, depth=depth)) == closed


def test_what_is_to_be_expanded_wins_over_what_is_to_be_closed():
    graph = boxes(n=2, budget=None, depth=0, expand="blocks.1.fc")
    assert titles(graph) == ["blocks.0", "blocks.1.fc.0", "blocks.1.fc.2", "head"]
    assert scopes(graph) == {"blocks.1", "blocks.1.fc.1", ""}


@pytest.mark.parametrize("pattern", [3, [3]])
def test_other_wishes_are_refused(pattern):
    with pytest.raises(TypeError, match=r"takes a pattern such as 'encoder.0.\*'"):
        boxes(n=1, expand=pattern)


def test_a_depth_below_0_is_refused():
    with pytest.raises(ValueError, match="0 or more, got -1"):
        boxes(n=1, depth=-1)


@given(st.integers(0, 12), st.integers(4, 40), st.integers(0, 4) | st.none())
def test_nothing_is_lost_whatever_is_wished(block, budget, depth):
    graph = boxes(budget=budget, expand=f"blocks.{block}.*", depth=depth)
    assert sum(node.count for node in graph.nodes) == graph.ops == 12 * 4 + 2
    place = {node.id: at for at, node in enumerate(graph.nodes)}
    assert all(place[edge.source] < place[edge.target] for edge in graph.edges)


def test_patterns_ending_in_a_star_mean_the_module_too():
    chosen = chooser("expand", "a.b.*")
    assert [chosen(path) for path in ("a.b", "a.b.c", "a.b.c.d", "a", "a.bc")] == [
        True, True, True, False, False,
    ]  # fmt: skip


def test_long_chains_are_drawn_from_top_to_bottom():
    x = gradling.ones(2, requires_grad=True)
    y = x
    for _ in range(15):
        y = y.tanh()
    assert draw(x * 2).direction == "LR"
    assert draw(y).direction == "TB"
    assert longest(draw(y).graph) == 16


def test_windows_say_what_is_unusual_about_them():
    net = nn.Sequential(nn.Conv2d(1, 2, 3, stride=2, padding=1), nn.MaxPool2d(2))
    graph = draw(net(gradling.ones(1, 1, 8, 8)), params=net).graph
    calls = [(node.op, *node.settings) for node in graph.nodes if node.role == "op"]
    assert calls == [("conv2d", "stride=2", "padding=1"), ("max_pool2d", "kernel=2")]
