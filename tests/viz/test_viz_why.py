"""``why_no_grad``: each cause by its name, with the line where it was watched."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

import gradling
from gradling import nn
from gradling.engine import Value
from gradling.viz import tracing, why_no_grad


def leaf(*numbers: float, label: str | None = None) -> Any:
    made = gradling.tensor(numbers, requires_grad=True)
    made.label = label
    return made


def here(offset: int = 0) -> str:
    frame = inspect.currentframe()
    assert frame is not None and frame.f_back is not None
    return f"{__file__}:{frame.f_back.f_lineno + offset}"


def left(how: str, w: Any) -> Any:
    if how == "detach":
        return w.detach()
    if how == "data":
        return w.data
    if how == "numpy":
        return gradling.tensor(w.numpy())
    if how == "copy":
        return gradling.tensor(w)
    if how == "integer":
        return w.long()
    if how == "w > 2":
        return (w > 2).double()
    with gradling.no_grad() if how == "no_grad" else gradling.inference_mode():
        return w * 2


CUT = {
    "detach": "detached",
    "data": "detached",
    "numpy": "detached",
    "copy": "detached",
    "integer": "integer dtype",
    "w > 2": "integer dtype",
    "no_grad": "no_grad",
}


@pytest.mark.parametrize("how", CUT)
def test_a_cut_on_the_way_is_found_with_its_line(how: str) -> None:
    w, other = leaf(1.0, 2.0), leaf(3.0, 4.0)
    with tracing():
        inner = left(how, (w * 3).relu())
        loss = (inner * other).exp().sum()
    loss.backward()
    why = why_no_grad(w, loss)
    assert why.reason == CUT[how] and why.remedy
    assert why.line.startswith(f"{__file__}:")
    source = (
        Path(__file__).read_text(encoding="utf-8").splitlines()[int(why.line.split(":")[1]) - 1]
    )
    assert {"data": "w.data", "integer": "long", "copy": "tensor(w)", "no_grad": "w * 2"}.get(
        how, how
    ) in source
    assert why.line in str(why)
    assert why_no_grad(other, loss).reason == "present"


@pytest.mark.parametrize("how", ["detach", "no_grad", "inference", "integer"])
def test_the_loss_itself_outside_the_graph(how: str) -> None:
    w = leaf(1.0, 2.0)
    with tracing():
        loss = left(how, w).sum()
    why = why_no_grad(w, loss)
    assert why.reason == {"integer": "integer dtype", "detach": "detached"}.get(how, "no_grad")
    assert why.line.startswith(f"{__file__}:")
    unseen = why_no_grad(w, left(how, w).sum())
    assert unseen.line == "" and "tracing()" in str(unseen)


def test_asking_about_what_was_cut_off() -> None:
    w, other = leaf(1.0, 2.0), leaf(3.0, 4.0)
    with tracing():
        shadow = (w * 2).detach()
        loss, line = (shadow * other).sum(), here(-1)
    why = why_no_grad(shadow, loss)
    assert (why.reason, why.line) == ("detached", line)


def test_two_cuts_are_both_named() -> None:
    w, other = leaf(1.0, 2.0), leaf(3.0, 4.0)
    with tracing():
        first = w.detach().requires_grad_()
        loss, line = ((first * 2).detach() * other).sum(), here()
    why = why_no_grad(w, loss)
    assert why.line == line and "once more" in why.text and str(here(-3)) in why.text


def test_without_the_trace_shared_memory_still_tells() -> None:
    w, other = leaf(1.0, 2.0), leaf(3.0, 4.0)
    why = why_no_grad(w, (w.detach() * other).sum())
    assert why.reason == "detached" and "mul" in why.text and "tracing()" in why.text
    twin = w.detach().requires_grad_()
    assert why_no_grad(w, twin.exp().sum()).reason == "another object"
    assert why_no_grad(w.detach(), (w * w).sum()).reason == "detached"


def test_backward_has_not_run_then_it_has() -> None:
    w = leaf(1.0, 2.0, label="w")
    loss = (w * w).sum()
    assert why_no_grad(w, loss).reason == "backward has not run"
    assert "loss.sum().backward()" in str(why_no_grad(w, w * w))
    loss.backward()
    assert why_no_grad(w, loss).reason == "present"
    w.grad = None
    assert why_no_grad(w, loss).reason == "backward has not run"
    loss.backward(retain_graph=False)
    w.grad = None
    assert "freed" in why_no_grad(w, loss).text


def test_kinds_of_tensors_that_collect_nothing() -> None:
    w = leaf(1.0, 2.0)
    inner = w * 2
    loss = inner.sum()
    assert why_no_grad(inner, loss).reason == "not kept"
    inner.retain_grad()
    assert why_no_grad(inner, loss).reason == "backward has not run"
    assert why_no_grad(gradling.tensor([1, 2]), loss).reason == "integer dtype"
    assert why_no_grad(gradling.ones(2), loss).reason == "requires_grad is False"
    with gradling.inference_mode():
        made = w * 2
    assert why_no_grad(made, loss).reason == "no_grad"


def test_no_path_names_the_nearest_shared_ancestor() -> None:
    w = leaf(1.0, 2.0, label="w")
    with tracing():
        trunk, line = w * 2, here()
        trunk.label = "trunk"
        branch = trunk.exp()
        loss = trunk.tanh().sum()
    why = why_no_grad(branch, loss)
    assert (why.reason, why.shared) == ("no path", "trunk") and line in why.text
    alone = leaf(5.0, label="alone")
    why = why_no_grad(alone, loss)
    assert why.reason == "no path" and why.shared == "" and "depends on w" in why.text


def test_what_no_trace_can_see_is_named_once_there_is_one() -> None:
    w, other = leaf(1.0, 2.0), leaf(3.0, 4.0)
    with tracing():
        loss = (other * w.sum().item()).sum()
    assert ".item()" in why_no_grad(w, loss).remedy
    assert "tracing()" in why_no_grad(w, (other * 2).sum()).remedy


def test_a_parameter_that_was_replaced() -> None:
    model = nn.Linear(2, 1)
    old = model.weight
    model.weight = nn.Parameter(old.detach() * 2)
    loss = model(gradling.ones(1, 2)).sum()
    loss.backward()
    why = why_no_grad(old, loss, model=model)
    assert why.reason == "another object" and "weight has its shape" in why.text
    assert why_no_grad(model.weight, loss, model=model).reason == "present"
    shared = nn.Parameter(model.weight)
    assert "shares its memory" in why_no_grad(shared, loss, model=model).text
    model.zero_grad()
    why = why_no_grad(model.bias, loss, model=model)
    assert why.reason == "backward has not run" and "bias" in why.text


def test_values_have_the_same_causes() -> None:
    w, b = Value(2.0, label="w"), Value(1.0, label="b")
    assert why_no_grad(w, w * b).reason == "backward has not run"
    with tracing():
        cut, line = (w * w).detach() * b, here()
        with gradling.no_grad():
            blind = w * b
        loss, made = blind * b, here(-1)
    assert (why_no_grad(w, cut).reason, why_no_grad(w, cut).line) == ("detached", line)
    assert (why_no_grad(w, loss).reason, why_no_grad(w, loss).line) == ("no_grad", made)
    assert why_no_grad(w, blind).reason == "no_grad"
    assert why_no_grad(w, w.detach() * b).reason == "another object"  # its label is on a copy
    trunk = w * b
    trunk.label = "trunk"
    assert why_no_grad(trunk.exp(), trunk.tanh()).shared == "trunk"
    cut.backward()
    assert why_no_grad(b, cut).reason == "present"

    class Net:
        def parameters(self) -> list[Value]:
            return [b]

    assert why_no_grad(w, cut, model=Net()).reason == "another object"


def test_nothing_changes_by_asking() -> None:
    w = leaf(1.0, 2.0)
    loss = (w.detach() * w).sum()
    why_no_grad(w, loss)
    loss.backward()
    assert w.grad.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("wrong", [3.0, None, gradling.ones(1).numpy()])
def test_plain_numbers_are_refused(wrong: Any) -> None:
    w = leaf(1.0)
    with pytest.raises(TypeError, match="expected loss to be a Value or a Tensor, got"):
        why_no_grad(w, wrong)
    with pytest.raises(TypeError, match="expected w to be"):
        why_no_grad(wrong, w)
