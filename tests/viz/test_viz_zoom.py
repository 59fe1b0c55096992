"""``zoom``: one entry of a tensor computation, in Values: the same numbers and gradients."""

from __future__ import annotations

from math import fsum
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gradling
from gradling import nn
from gradling.engine import Value
from gradling.viz import explain, steps, tracing, zoom

CLOSE = 1e-12  # of float64 numbers of size about 1, made by a few dozen ops


def leaf(shape: tuple[int, ...], seed: int, label: str) -> Any:
    made = gradling.tensor(np.random.default_rng(seed).uniform(-1, 1, shape), requires_grad=True)
    made.label = label
    return made


PROGRAMS = {
    "matmul": lambda x, w: (x @ w).tanh(),
    "softmax": lambda x, w: (x @ w).softmax(-1),
    "norm": lambda x, w: nn.functional.layer_norm(x @ w, (3,)).sigmoid(),
    "reduce": lambda x, w: (x.mean(0) @ w).exp() * w.std(0),
    "shapes": lambda x, w: gradling.cat([x.mT[:, :3], w.relu()]).flip(0)[1:],
    "losses": lambda x, w: nn.functional.cross_entropy(x @ w, gradling.tensor([0, 2])) * w,
}


@pytest.mark.parametrize("name", PROGRAMS)
@given(data=st.data())
def test_numbers_and_gradients_are_those_of_the_tensor(name: str, data: Any) -> None:
    seed = data.draw(st.integers(0, 99))
    x, w = leaf((2, 4), seed, "x"), leaf((4, 3), seed + 1, "w")
    if name == "shapes":
        x = leaf((3, 4), seed, "x")
    y = PROGRAMS[name](x, w)
    at = tuple(data.draw(st.integers(0, size - 1)) for size in y.shape)
    part = zoom(y, at=at)
    assert abs(part.value.data - y[at].item()) <= CLOSE * max(1.0, abs(y[at].item()))
    gx, gw = gradling.autograd.grad(y[at], [x, w], allow_unused=True)
    part.value.backward()
    for t, g in ((x, gx), (w, gw)):
        found = np.vectorize(lambda v: v.grad, otypes=[float])(part[t]) if g is not None else 0.0
        expected = 0.0 if g is None else g.numpy()
        assert np.abs(found - expected).max() <= CLOSE * max(1.0, np.abs(expected).max())


def test_an_entry_of_a_tensor_stepped_through_and_explained() -> None:
    x, w = leaf((2, 3), 0, "x"), leaf((3, 2), 1, "w")
    with tracing():
        y = (x @ w).tanh() * 2
    part = zoom(y[1, 0])
    walk = part.steps()
    (g,) = gradling.autograd.grad(y[1, 0], [w])
    told = {walk.name(e.to): e.after for e in walk if e.to is not None}
    assert told["w[2, 0]"] == pytest.approx(g[2, 0].item(), rel=CLOSE)
    assert "w[2, 1]" not in told  # another column: no part of this number
    found = part.explain(w, (2, 0))
    assert found.gradient == pytest.approx(g[2, 0].item(), rel=CLOSE)
    assert fsum(path.product for path in found.all_paths()) == pytest.approx(found.gradient)
    assert "w[2, 0]" in str(found) and "test_viz_zoom.py" in str(found)  # lines are carried over
    assert {part.op_of(path.places[1]) for path in found.paths} == {"tanh (2, 2)"}
    assert part.op_of(part[w][0, 0]) == ""
    assert "tanh" in str(part.draw()) and repr(part).startswith("<Zoom: ")


def test_explain_opens_tensors_by_itself() -> None:
    x, w = leaf((2, 3), 0, "x"), leaf((3, 1), 1, "w")
    loss = ((x @ w) ** 2).mean()
    (g,) = gradling.autograd.grad(loss, [w])
    found = explain(loss, w, index=(1, 0))
    assert found.count == 2 and found.gradient == pytest.approx(g[1, 0].item(), rel=CLOSE)
    bare = gradling.tensor([2.0], requires_grad=True)
    assert explain((bare * 3).sum(), bare).gradient == 3.0
    assert "w[0]" in str(explain((bare * 3).sum(), bare))
    with pytest.raises(ValueError, match="3 entries; choose one of shape"):
        explain(loss, w)
    with pytest.raises(ValueError, match="expected 2 indices"):
        explain(loss, w, index=1)
    with pytest.raises(IndexError):
        explain(loss, w, index=(5, 0))
    with pytest.raises(ValueError, match="why_no_grad"):
        explain(loss, leaf((2,), 0, "other"), index=0)


def test_a_function_and_a_module() -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)).double()
    x = gradling.tensor([[0.5, -1.0]], dtype=gradling.float64)
    part = zoom(net(x), params=net)
    assert part.value.data == pytest.approx(net(x).item(), rel=CLOSE)
    assert "2.bias[0]" in str(part.steps())
    assert zoom(lambda a: (a * a).sum(), x).value.data == pytest.approx(1.25, rel=CLOSE)


def test_steps_of_the_whole_and_of_the_entry_agree() -> None:
    x = leaf((2, 2), 3, "x")
    loss = (x @ x).exp().sum()
    whole = {walk.to: walk.after for walk in steps(loss) if walk.to is not None}
    single = zoom(loss)
    told = {e.to: e.after for e in single.steps() if e.to is not None}
    for place in np.ndindex(2, 2):
        assert told[single[x][place]] == pytest.approx(whole[x._node][place], rel=CLOSE)


def test_mistakes_are_named() -> None:
    x = leaf((2, 2), 0, "x")
    with pytest.raises(ValueError, match=r"4 entries; choose one of shape \(2, 2\)"):
        zoom(x * 2)
    with pytest.raises(TypeError, match="expected a tensor or a function"):
        zoom(Value(1.0))
    with pytest.raises(ValueError, match="no graph"):
        zoom(gradling.ones(1))
    with pytest.raises(ValueError, match="more than 5"):
        zoom((x @ x).sum(), limit=5)
    with pytest.raises(TypeError, match="one tensor as its result"):
        zoom(lambda a: (a, a), x)
    with pytest.raises(KeyError, match="no part"):
        zoom((x * x).sum()).explain(leaf((1,), 0, "other"), 0)
