"""What ``tracing`` keeps: lines of results, and how others left the graph."""

from __future__ import annotations

import gc
import inspect
from typing import Any

import pytest

import gradling
from gradling.engine import Value, inference_mode, no_grad
from gradling.engine.cuts import CUTS
from gradling.engine.modes import mode
from gradling.engine.sites import _known as LINES
from gradling.engine.sites import site, tracing


def line_of(made: Any) -> str:
    found = site(made)
    return "" if found is None else found.line


def here(offset: int = 0) -> str:
    """``file:line`` of the caller's line, moved by ``offset``."""
    frame = inspect.currentframe()
    assert frame is not None and frame.f_back is not None
    return f"{__file__}:{frame.f_back.f_lineno + offset}"


def test_a_value_knows_its_line() -> None:
    x = Value(3.0)
    with tracing():
        y = x * x
        z = (y + 1).tanh()
    assert line_of(y) == here(-2)
    assert line_of(z) == here(-2)
    assert line_of(x) == "" and line_of(x * y) == ""


def test_a_node_knows_its_line_also_inside_a_model() -> None:
    net = gradling.nn.Linear(2, 1)
    x = gradling.ones(1, 2)
    net(x)
    with tracing():
        y = net(x)
    assert line_of(y._node) == here(-1)  # the line of the user, not that of the layer
    assert line_of(net(x)._node) == ""


def test_nothing_is_kept_without_it_or_after_the_results_are_gone() -> None:
    gc.collect()
    before = len(LINES), len(CUTS)
    x, w = Value(1.0), gradling.ones(2, requires_grad=True)
    kept = [x * x, x.detach(), w * 2, w.detach()]
    assert (len(LINES), len(CUTS)) == before
    with tracing():
        kept = [x * x, x.detach(), w * 2, w.detach(), (w * 3).long()]
    assert (len(LINES), len(CUTS)) == (before[0] + 3, before[1] + 3)
    del kept, w
    gc.collect()
    assert (len(LINES), len(CUTS)) == before


def leave_by(how: str, w: Any) -> Any:
    if how == "detach":
        return w.detach()
    if how == "dtype":
        return w.long()
    if how == "no derivative":
        return w.argmax()
    if how == "numpy":
        return gradling.tensor(w.numpy())
    if how == "copy":
        return gradling.tensor([w.sum(), w.sum()])
    with no_grad() if how == "no_grad" else inference_mode():
        return w * 2


@pytest.mark.parametrize("how", ["detach", "dtype", "no_grad", "inference_mode", "numpy", "copy"])
def test_how_a_tensor_left_the_graph(how: str) -> None:
    w = gradling.ones(3, requires_grad=True)
    with tracing():
        out = leave_by(how, w)
    found = CUTS.get(out._data)
    assert found is not None and found.how == how
    assert found.line.startswith(__file__)
    assert how == "copy" or found.sources == (w._node,)


def test_a_result_in_the_graph_knows_which_operands_were_cut_off() -> None:
    w = gradling.ones(3, requires_grad=True)
    with tracing():
        lost = w.detach()
        y = lost.double() * w.double()  # through a conversion, too
    (cut,) = y._node.noted("cuts").values()
    (origin,) = cut.sources
    assert origin is CUTS.get(lost._data)


def test_values_leave_by_detach_and_no_grad() -> None:
    x = Value(2.0)
    with tracing():
        a = x.detach()
        with no_grad():
            b = x * x
    for made, how in ((a, "detach"), (b, "no_grad")):
        found = CUTS.get(made)
        assert found is not None and found.how == how and x in found.sources


def test_it_changes_no_number_and_nests() -> None:
    w = gradling.tensor([1.0, -2.0], requires_grad=True)

    def loss() -> Any:
        return ((w * w).tanh() @ w.exp()).sum()

    plain = loss()
    plain.backward()
    expected = w.grad.numpy().copy()
    w.grad = None
    with tracing(), gradling.detect_anomaly():
        watched = loss()
        watched.backward()
        assert mode().watch is not None and mode().anomaly
    assert watched.item() == plain.item() and (w.grad.numpy() == expected).all()
    assert mode().watch is None


def test_also_of_numbers_that_equal_nothing() -> None:
    with tracing():
        y = Value(float("nan")) * 2
    assert line_of(y) == here(-1)


@tracing
def decorated(x: Value) -> Value:
    return x * x


def test_as_a_decorator() -> None:
    assert line_of(decorated(Value(1.0))).startswith(__file__)
