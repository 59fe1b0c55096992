"""``steps``: each contribution once, in the engine's own order, to the engine's own numbers."""

from __future__ import annotations

import copy
import io
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gradling
from gradling import nn
from gradling.engine import Value, history, walk
from gradling.tensor import backward as tensor_backward
from gradling.viz import steps, tracing


@st.composite
def graphs(draw: Any) -> Value:
    values = [Value(x) for x in draw(st.lists(st.floats(-2, 2), min_size=1, max_size=3))]
    for op, i, j in draw(
        st.lists(
            st.tuples(st.sampled_from("+ * - tanh relu max exp".split()),
                      st.integers(0, 99), st.integers(0, 99)), max_size=15)
    ):  # fmt: skip
        a, b = values[-1 - i % min(4, len(values))], values[j % len(values)]
        binary = {"+": a.__add__, "*": a.__mul__, "-": a.__sub__, "max": a.maximum}
        values.append(binary[op](b) if op in binary else getattr(a, op)())
    return values[-1]


@given(graphs())
def test_every_contribution_once_in_the_order_of_the_engine(y: Value) -> None:
    found = steps(y)
    nodes = history(y)
    sent = Counter((id(e.place), e.port) for e in found if e.phase == "backward")
    owed = Counter((id(node), port) for node in nodes for port in range(len(node.inputs)))
    assert sent == owed and set(sent.values()) <= {1}
    assert [e.place for e in found if e.phase == "forward"] == [n for n in nodes if n.op]

    told = {id(e.to): e.after for e in found if e.to is not None}
    order = list(dict.fromkeys(id(e.place) for e in found if e.phase == "backward"))
    twin = copy.deepcopy(y)
    twins = dict(zip(map(id, history(twin)), map(id, nodes), strict=True))
    if twin.op is not None:
        walk._reach(twin)
        twin._grad = 1.0
        assert [twins[id(node)] for node in walk._descend(twin)] == order
    else:
        twin.backward()
    for node in history(twin):  # bit by bit: the order of additions is part of it
        assert np.float64(node.grad).tobytes() == np.float64(told[twins[id(node)]]).tobytes()
    assert all(node._grad is None for node in nodes)  # nothing was changed


def same(a: float | None, b: float | None) -> bool:
    return a == b or (a is not None and b is not None and a != a and b != b)


@given(graphs())
def test_numbers_of_each_step_fit_together(y: Value) -> None:
    so_far: dict[int, float | None] = {}
    seen: Counter[int] = Counter()
    for event in steps(y, gradient=2.0):
        if event.to is None:
            continue
        seen[id(event.to)] += 1
        assert event.nth == seen[id(event.to)] <= event.of
        assert same(event.before, so_far.get(id(event.to)))
        if event.phase == "backward":
            assert event.place.inputs[event.port] is event.to
            assert same(event.given, so_far[id(event.place)])
            assert same(event.part, event.given * event.slope)
            assert same(event.after, (event.before or 0.0) + event.part)
        so_far[id(event.to)] = event.after
    assert all(event.of == seen[id(event.to)] for event in steps(y) if event.to is not None)


def models() -> list[Any]:
    gradling.manual_seed(0)
    x = gradling.randn(3, 4, requires_grad=True)
    shared = x.relu()
    lstm = nn.LSTM(4, 2)
    return [
        (shared @ shared.mT).softmax(0).sum(),
        nn.Sequential(nn.Linear(4, 3), nn.LayerNorm(3), nn.GELU(), nn.Linear(3, 1))(x).mean(),
        nn.functional.cross_entropy(x, gradling.tensor([0, 3, 1])),
        lstm(x[:, None])[0].square().sum(),
        (x[0] * x[1] + gradling.cat([x[2], x[0]])[2:6] / 3).sum() + x.max() * x.std(),
    ]


@pytest.mark.parametrize("which", range(5))
def test_tensors_get_what_backward_gives_them(which: int) -> None:
    loss = models()[which]
    found = steps(loss)
    told = {id(e.to): (e.to, e.after) for e in found if e.to is not None}
    order = list(dict.fromkeys(id(e.place) for e in found if e.phase == "backward"))
    engine = [id(node) for node in tensor_backward.history([loss._node])]
    assert order == [key for key in engine if key in set(order)]
    pairs = Counter((id(e.place), e.port) for e in found if e.phase == "backward")
    assert set(pairs.values()) == {1}
    loss.backward()
    leaves = [(node, after) for node, after in told.values() if node.op is None]
    assert leaves
    for node, after in leaves:
        assert np.asarray(node.grad).tobytes() == np.asarray(after).tobytes()


def test_breakpoints() -> None:
    x, z = Value(3.0, label="x"), Value(1.0, label="z")
    found = steps(x * x * x + z)
    for nth in (1, 2, 3):
        event = found[found.when(x, nth)]
        assert event.to is x and (event.nth, event.of) == (nth, 3)
    assert found.when(lambda event: event.phase == "backward" and event.part > 8.5) == found.when(x)
    with pytest.raises(LookupError, match="gets 3 contributions, not a #4"):
        found.when(x, 4)
    with pytest.raises(LookupError, match="gets 0 contributions"):
        found.when(Value(1.0))
    assert found.absent(found.when(z)) and not found.absent(len(found) - 1)


def test_the_terminal() -> None:
    x = Value(3.0, label="x")
    lines: list[str] = []
    answers = iter(["", "", "p", "w x 2", "w x 9", "a", "g 1", "what", "q"])
    with tracing():
        y = x * x
    steps(y).play(lambda prompt: next(answers), lines.append)
    text = "\n".join(lines)
    assert "[4/4] v1 → x: 1 · 3 = 3; x.grad 3 → 6 (2 of 2)" in text
    assert "x never gets contribution 9" in text and "absent: none" in text
    assert "test_viz_steps.py" in text and "[1/4]" in text

    def closed(prompt: str) -> str:
        raise EOFError

    steps(y).play(closed, lines.append)


def test_pages_are_the_same_for_equal_graphs_and_labels_stay_text() -> None:
    def page() -> str:
        x = Value(3.0, label="</script><b>x")
        return steps(x * x + x.exp()).html()

    assert page() == page()
    assert "</script><b>" not in page() and page().count("<script>") == 1


def test_a_notebook_gets_a_document_of_its_own() -> None:
    shown = steps(Value(1.0) * 2)._repr_html_()
    assert shown.startswith("<iframe srcdoc=") and 'sandbox="allow-scripts"' in shown


def test_saving(tmp_path: Path) -> None:
    x = Value(3.0, label="x")
    found = steps(x * x)
    assert found.save(tmp_path / "s.txt").read_text(encoding="utf-8") == found.text()
    assert found.save(tmp_path / "s.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    with pytest.raises(ValueError, match=r"expected \.html, \.gif or \.txt"):
        found.save(tmp_path / "s.png")
    image = pytest.importorskip("PIL.Image", reason="Pillow writes GIFs")
    frames = image.open(io.BytesIO(found.gif(seconds=0.5)))
    assert frames.n_frames == len(found)
    assert image.open(io.BytesIO(found.gif(forward=False))).n_frames == len(found) - 1
    with pytest.raises(ValueError, match="seconds > 0"):
        found.gif(seconds=0)


def test_what_is_too_large_says_so_and_still_prints() -> None:
    y = Value(1.0)
    for _i in range(2600):
        y = y * 1.0
    found = steps(y)
    assert len(found.text().splitlines()) == 5201
    with pytest.raises(ValueError, match="more than a page can hold"):
        found.html()
    assert found._repr_html_().endswith("5 201 steps in all</pre>")
    with pytest.raises(ValueError, match="too many to watch"):
        found.gif()
    y = Value(1.0)
    for _i in range(200):
        y = y * 1.0
    assert "too many for a picture" in steps(y).html()


def test_mistakes_are_named() -> None:
    with pytest.raises(TypeError, match="expected loss to be a Value or a Tensor"):
        steps(1.0)
    with pytest.raises(ValueError, match="requires no gradient"):
        steps(gradling.ones(2))
