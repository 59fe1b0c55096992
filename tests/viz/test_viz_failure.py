"""Exceptions carry the graph up to the op that failed."""

from __future__ import annotations

import sys
import types

import pytest

import gradling
from gradling import nn
from gradling.viz import draw_failure


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.body = nn.Sequential(nn.ReLU(), nn.MaxPool2d(2))
        self.fc = nn.Linear(100, 10)

    def forward(self, x):
        return self.fc(self.body(self.conv(x)).flatten(1))


def error_of(call, kind=Exception):
    with pytest.raises(kind) as caught:
        call()
    return caught.value


def failing():
    return error_of(lambda: Net()(gradling.ones(2, 1, 8, 8)))


def test_an_error_inside_a_model_carries_the_graph():
    error = failing()
    (failed,) = (node for node in error.graph.graph.nodes if node.failed)
    assert failed.notes == ("failed here", "(2, 36) and (10, 100) and (10,)")
    assert failed.scope == "fc"
    names = [node.op for node in error.graph.graph.nodes if node.role == "op"]
    assert names == ["conv2d", "relu", "max_pool2d", "reshape", "xWᵀ+b"]
    assert {"conv.weight", "fc.bias"} <= {node.label for node in error.graph.graph.nodes}


def test_the_note_is_said_once_and_short():
    notes = [note for note in failing().__notes__ if "graph up to it" in note]
    assert len(notes) == 1
    assert "failed here" in notes[0] and len(notes[0].splitlines()) <= 26


def test_the_picture_marks_the_op():
    drawing = failing().graph
    assert "octagon" in drawing.dot and "#b3261e" in drawing.svg()
    assert "failed" in drawing.html()
    assert ":::failed" in drawing.mermaid()


def test_a_model_that_works_pays_nothing(monkeypatch):
    monkeypatch.setitem(sys.modules, "gradling.viz.failure", None)
    net = nn.Linear(3, 2)
    assert net(gradling.ones(1, 3)).shape == (1, 2)


def test_where_no_picture_can_be_made_the_error_is_as_it_was(monkeypatch):
    class Odd(nn.Module):
        def forward(self):
            raise KeyError("mine")

    error = error_of(Odd(), KeyError)
    assert error.args == ("mine",)
    assert not hasattr(error, "graph")
    first = error_of(lambda: nn.Linear(3, 2)(gradling.ones(1, 4)))
    assert not hasattr(first, "graph")  # nothing had been computed


def test_errors_outside_modules_are_drawn_on_demand():
    x = gradling.ones(2, 3, requires_grad=True)
    error = error_of(lambda: x.exp() @ x, ValueError)
    drawing = draw_failure(error)
    assert [node.op for node in drawing.graph.nodes if node.role == "op"] == ["exp", "matmul"]


def test_without_an_error_there_is_nothing_to_draw(monkeypatch):
    monkeypatch.delattr(sys, "last_exc", raising=False)
    monkeypatch.delattr(sys, "last_value", raising=False)
    with pytest.raises(ValueError, match="needs an exception"):
        draw_failure()
    with pytest.raises(ValueError, match="no tensor was at hand"):
        draw_failure(KeyError("never raised"))


def test_a_long_model_is_told_in_few_lines():
    net = nn.Sequential(*[nn.Linear(4, 4) for _ in range(60)], nn.Linear(5, 1))
    error = error_of(lambda: net(gradling.ones(1, 4)))
    (note,) = (note for note in error.__notes__ if "graph up to it" in note)
    assert len(note.splitlines()) <= 26
    assert "ops shown as" in note


def test_in_a_notebook_the_picture_is_shown_with_the_traceback(monkeypatch):
    shown = []
    shell = types.SimpleNamespace(
        kernel=True,
        InteractiveTB=types.SimpleNamespace(structured_traceback=lambda *parts: ["traceback"]),
    )
    package = types.ModuleType("IPython")
    package.get_ipython = lambda: shell
    inner = types.ModuleType("IPython.display")
    inner.display = shown.append
    monkeypatch.setitem(sys.modules, "IPython", package)
    monkeypatch.setitem(sys.modules, "IPython.display", inner)
    error = failing()
    assert shown == []
    assert error._render_traceback_() == ["traceback"]
    assert shown == [error.graph]
