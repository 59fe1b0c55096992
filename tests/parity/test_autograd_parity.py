"""Views and in-place edits against PyTorch, in sequences that hypothesis draws.

After any sequence of views, edits and uses every handle holds the numbers that it holds in PyTorch,
and backward gives its gradients. Where PyTorch refuses backward, since something that was saved
was edited in place, ours may still have it: then the gradient is measured.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import gradling

torch = pytest.importorskip("torch")

Step = tuple[str, tuple[Any, ...]]
X = np.array([[0.5, -1.2, 0.8, 0.3], [1.1, 0.4, -0.6, 0.9], [-0.2, 0.7, 1.3, -0.5]])
VIEWS: dict[str, Callable[[Any], Any]] = {
    "row": lambda h: h[0],
    "last": lambda h: h[-1:],
    "tail": lambda h: h[1:],
    "column": lambda h: h[..., 0],
    "stride": lambda h: h[..., ::2],
    "turned": lambda h: h.transpose(0, -1),
    "flat": lambda h: h.view(-1),
    "thin": lambda h: h.unsqueeze(0),
    "wide": lambda h: h.expand(2, *h.shape),
    "diagonal": lambda h: h.diagonal(),
}
EDITS: dict[str, Callable[[Any, Any], Any]] = {
    "mul_": lambda h, o: h.mul_(1.5),
    "add_": lambda h, o: h.add_(o),
    "times_": lambda h, o: h.mul_(o),
    "exp_": lambda h, o: h.exp_(),
    "relu_": lambda h, o: h.relu_(),
    "zero_": lambda h, o: h.zero_(),
    "copy_": lambda h, o: h.copy_(o),
    "first=": lambda h, o: h.__setitem__(0, 2.5),
    "all=": lambda h, o: h.__setitem__(Ellipsis, o),
    "+=": lambda h, o: h.__iadd__(o),
}
USES: dict[str, Callable[[Any], Any]] = {
    "square": lambda h: (h * h).sum(),
    "exp": lambda h: h.exp().sum(),
    "sum": lambda h: h.sum(),
    "sin": lambda h: h.sin().sum(),
}


class Run:
    """One program under one library."""

    def __init__(self, library: Any, x: Any, start: str, record: bool = True) -> None:
        self.library = library
        self.record = record
        self.x = library.from_numpy(np.array(x))
        if record:
            self.x.requires_grad_()
        base = library.from_numpy(np.zeros_like(X)) if start == "buffer" else self.x * 1.0
        self.handles = [self.x, base]
        self.kept: list[Any] = []

    def step(self, step: Step) -> str:
        """Do it; say what became of it."""
        kind, (name, a, b) = step
        h, o = self.handles[a % len(self.handles)], self.handles[b % len(self.handles)]
        try:
            if kind == "view":
                self.handles.append(VIEWS[name](h))
            elif kind == "edit":
                EDITS[name](h, o)
            elif kind == "use":
                self.kept.append(USES[name](h))
            elif kind == "detach":
                self.handles.append(h.detach())
            else:
                with self.library.no_grad():
                    EDITS[name](h, o)
        except (RuntimeError, ValueError, IndexError, TypeError) as error:
            return str(error)
        return "done"

    def values(self) -> list[Any]:
        return [np.array(h.tolist()) for h in self.handles]

    def loss(self) -> Any:
        terms = [h.sum() * (place + 1) for place, h in enumerate(self.handles)]
        total = terms[0]
        for term in [*terms[1:], *self.kept]:
            total = total + term
        return total

    def gradient(self) -> Any:
        total = self.loss()
        if not total.requires_grad:
            return np.zeros_like(X)
        try:
            total.backward()
        except RuntimeError as error:
            return error
        return np.zeros_like(X) if self.x.grad is None else self.x.grad.detach().numpy()


def measured(steps: list[Step], start: str, outcomes: list[str]) -> np.ndarray[Any, Any]:
    """The slope of the program's result by difference quotients: no graph, every edit in memory."""

    def result(x: np.ndarray[Any, Any]) -> float:
        run = Run(gradling, x, start, record=False)
        for step, outcome in zip(steps, outcomes, strict=True):
            if outcome == "done":
                run.step(step)
        return float(run.loss().item())

    slopes = np.zeros_like(X)
    for place in np.ndindex(X.shape):
        h = np.zeros_like(X)
        h[place] = 1e-6
        slopes[place] = (result(X + h) - result(X - h)) / 2e-6
    return slopes


def steps(kinds: tuple[str, ...]) -> st.SearchStrategy[list[Step]]:
    names = {"view": VIEWS, "edit": EDITS, "use": USES, "quiet": EDITS, "detach": {"detach": None}}
    which = st.integers(0, 7)
    each = st.sampled_from(kinds).flatmap(
        lambda kind: st.tuples(
            st.just(kind), st.tuples(st.sampled_from(sorted(names[kind])), which, which)
        )
    )
    return st.lists(each, min_size=1, max_size=8)


def compare(program: list[Step], start: str, may_measure: bool) -> None:
    ours, theirs = Run(gradling, X, start), Run(torch, X, start)
    outcomes = []
    for step in program:
        before = ours.values()
        outcome, known = ours.step(step), theirs.step(step)
        if "single memory location" in known:
            return  # PyTorch refuses operands that overlap what is written; ours computes first
        said = f"{step}: {outcome} for {known}"
        if known == "done" and ("read-only" in outcome or "share memory" in outcome):
            # PyTorch lets an expanded tensor be given the very memory that it shows, and one of
            # its copies (h[0] = 2) be written to, which writes to all. Ours must have left it be.
            for a, b in zip(ours.values(), before, strict=True):
                np.testing.assert_array_equal(a, b, err_msg=said)
            return
        outcomes.append(outcome)
        if "a leaf Variable" in known and step[1][1] % len(ours.handles) > 1:
            # PyTorch takes a view of what joined a graph after it was made for a leaf, and refuses
            # to edit it; ours follows what it shows
            if may_measure:
                as_measured(ours.gradient(), program[: len(outcomes)], start, outcomes)
            return
        assert (outcome == "done") == (known == "done"), said
        for place, (a, b) in enumerate(zip(ours.values(), theirs.values(), strict=True)):
            np.testing.assert_allclose(a, b, rtol=1e-12, err_msg=f"handle {place} after {said}")
    assert [h.requires_grad for h in ours.handles] == [h.requires_grad for h in theirs.handles]
    found, known = ours.gradient(), theirs.gradient()
    if not isinstance(known, Exception):
        assert not isinstance(found, Exception), found
        np.testing.assert_allclose(found, known, rtol=1e-9, atol=1e-12)
    elif may_measure:
        as_measured(found, program, start, outcomes)


def as_measured(found: Any, program: list[Step], start: str, outcomes: list[str]) -> None:
    """A gradient that ours does not refuse is that of difference quotients, where these exist."""
    slopes = measured(program, start, outcomes)
    if not isinstance(found, Exception) and np.isfinite(slopes).all() and np.isfinite(found).all():
        scale = 1 + np.abs(found).max()
        np.testing.assert_allclose(found, slopes, atol=1e-4 * scale)


@pytest.mark.parametrize("start", ["graph", "buffer"])
@given(steps(("view", "edit", "use")))
@settings(max_examples=100)
def test_views_edits_and_uses(start: str, program: list[Step]) -> None:
    compare(program, start, may_measure=True)


@pytest.mark.parametrize("start", ["graph", "buffer"])
@given(steps(("view", "edit", "use", "quiet", "detach")))
@settings(max_examples=100)
def test_with_edits_that_no_gradient_sees(start: str, program: list[Step]) -> None:
    compare(program, start, may_measure=False)


def both(program: Callable[[Any], Any]) -> tuple[Any, Any]:
    ours = program(gradling)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's own, of its own parts
        return ours, program(torch)


def test_hooks_see_what_pytorchs_see() -> None:
    def program(t: Any) -> Any:
        seen: list[Any] = []
        x = t.tensor([1.0, 2.0], requires_grad=True)
        y = x * 2
        y.retain_grad()
        y.register_hook(lambda g: seen.append(g.tolist()))
        y.register_hook(lambda g: g * 3)
        handle = x.register_hook(lambda g: g + 1)
        y.mul_(2)
        y.register_hook(lambda g: seen.append(g.tolist()))
        (y * y).sum().backward()
        first = x.grad.tolist()
        handle.remove()
        (x * 5).sum().backward()
        return seen, first, x.grad.tolist(), y.grad.tolist()

    ours, theirs = both(program)
    assert sorted(ours[0]) == sorted(theirs[0]) and ours[1:] == theirs[1:]


def test_functions_of_ones_own() -> None:
    def program(t: Any) -> Any:
        class Wave(t.autograd.Function):  # type: ignore[misc]
            @staticmethod
            def forward(ctx: Any, x: Any, w: Any, times: int) -> Any:
                s, c = (x * w).sin(), (x * w).cos()
                ctx.save_for_backward(x, w, s, c)
                ctx.times = times
                return s * times, c

            @staticmethod
            def backward(ctx: Any, gs: Any, gc: Any) -> Any:
                x, w, s, c = ctx.saved_tensors
                g = gs * ctx.times * c - gc * s
                return g * w, (g * x).sum(), None

        x = t.tensor([0.3, 1.1], dtype=t.float64, requires_grad=True)
        w = t.tensor(0.7, dtype=t.float64, requires_grad=True)
        s, c = Wave.apply(x, w, 3)
        first = t.autograd.grad((s * c).sum(), [x, w], create_graph=True)
        second = t.autograd.grad(first[0].sum() + first[1], [x, w])
        return [g.tolist() for g in (*first, *second)]

    ours, theirs = both(program)
    for a, b in zip(ours, theirs, strict=True):
        assert a == pytest.approx(b, rel=1e-12)


def test_transforms_and_functional() -> None:
    def program(t: Any) -> Any:
        def f(x: Any, y: Any) -> Any:
            return (x.sin() * y).sum() * x[0] + (y**3).sum()

        def g(x: Any) -> Any:
            return x * x.sum()

        x = t.tensor([0.3, 0.5], dtype=t.float64)
        y = t.tensor([0.7, 1.1], dtype=t.float64)
        v = t.tensor([1.0, 10.0], dtype=t.float64)
        functional = t.autograd.functional
        found = [
            *t.func.grad(f, argnums=(0, 1))(x, y),
            *t.func.grad_and_value(f)(x, y),
            t.func.grad(lambda x: t.func.grad(f, argnums=1)(x, y).sum())(x),
            t.func.vjp(g, x)[1](v)[0],
            *t.func.jvp(g, (x,), (v,)),
            t.func.jacrev(g)(x),
            t.func.jacfwd(g)(x),
            *t.func.jacrev(f, argnums=(0, 1))(x, y),
            t.func.hessian(f)(x, y),
            functional.jacobian(g, x),
            functional.hessian(lambda x: f(x, y), x),
            functional.vjp(g, x, v)[1],
            functional.jvp(g, x, v)[1],
            functional.hvp(lambda x: f(x, y), x, v)[1],
            functional.jacobian(lambda x, y: x * y, (x, y))[1],
        ]
        return [np.array(part.tolist()) for part in found]

    for ours, theirs in zip(*both(program), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


def test_modes_agree() -> None:
    def program(t: Any) -> Any:
        x = t.ones(2, requires_grad=True)
        seen = []
        with t.no_grad():
            seen.append((x * 2).requires_grad)
            with t.enable_grad():
                seen.append((x * 2).requires_grad)
            with t.inference_mode(False):
                seen.append(t.is_grad_enabled())
        with t.inference_mode():
            y = x * 2
            seen.append(y.requires_grad)
            with t.enable_grad():
                seen.append((x * 2).requires_grad)
        try:
            y.requires_grad_()
            seen.append("joined")
        except RuntimeError:
            seen.append("refused")
        t.set_grad_enabled(False)
        seen.append((x * 2).requires_grad)
        t.set_grad_enabled(True)
        with t.autograd.detect_anomaly(check_nan=False):
            seen.append((x * 2).requires_grad)
        return seen

    ours, theirs = both(program)
    assert ours == theirs


def test_dlpack_shares_memory_with_pytorch() -> None:
    ours = gradling.tensor([[1.0, 2.0], [3.0, 4.0]])
    theirs = torch.from_dlpack(ours)
    theirs[0, 0] = 9.0
    assert ours.tolist() == [[9.0, 2.0], [3.0, 4.0]]
    back = gradling.from_dlpack(theirs.t())
    back[0, 1] = 7.0
    assert ours[1, 0].item() == 7.0 and back.dtype is gradling.float32
    for dtype in ("float64", "float16", "int64", "int32", "uint8", "int8", "bool"):
        there = torch.from_dlpack(gradling.ones(2, dtype=dtype))
        assert str(there.dtype) == f"torch.{dtype}"
        assert gradling.from_dlpack(there).dtype == np.dtype(dtype)
    with pytest.raises(BufferError, match="x.detach"):
        torch.from_dlpack(gradling.ones(2, requires_grad=True))
    with pytest.raises((RuntimeError, BufferError)):
        gradling.from_dlpack(torch.ones(2, requires_grad=True))


def test_copies_agree() -> None:
    def program(t: Any) -> Any:
        x = t.ones(2, requires_grad=True)
        (x * x).sum().backward()
        twin = copy.deepcopy(x)
        twin.grad += 1
        shallow = copy.copy(x)
        try:
            copy.deepcopy(x * 2)
            refused = False
        except RuntimeError:
            refused = True
        return (
            x.grad.tolist(),
            twin.grad.tolist(),
            twin.requires_grad,
            shallow.requires_grad,
            refused,
        )

    ours, theirs = both(program)
    assert ours == theirs
