"""Backward over Values: the right number at every leaf, however the graph is wired."""

from __future__ import annotations

import gc
import math
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from gradling.engine import Value, detect_anomaly, enable_grad, grad, history, no_grad
from gradling.engine import backward as backward_of


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def naive(y: Value, x: Value) -> float:
    """d y / d x as the sum over all paths: the definition, at exponential cost."""
    if y is x:
        return 1.0
    return sum(slope * naive(child, x) for child, slope in zip(y.inputs, y.partials, strict=True))


@st.composite
def programs(draw: st.DrawFn) -> tuple[list[Value], list[Value]]:
    """Leaves, and everything made of them by a random program: operands are reused freely."""
    leaves = [Value(draw(st.floats(-2, 2))) for _ in range(draw(st.integers(1, 3)))]
    made = list(leaves)
    for _ in range(draw(st.integers(1, 9))):
        a, b = (made[draw(st.integers(0, len(made) - 1))] for _ in range(2))
        steps: list[Callable[[], Value]] = [
            lambda a=a, b=b: a + b,
            lambda a=a, b=b: a * b,
            lambda a=a, b=b: a - b,
            lambda a=a: a.relu(),
            lambda a=a: a.tanh(),
            lambda a=a: 2 - a * 0.5,
            lambda a=a, b=b: a.clamp(b, b + 1),
        ]  # fmt: skip
        made.append(draw(st.sampled_from(steps))())
    return leaves, made


@given(programs())
def test_any_program_agrees_with_the_sum_over_paths(drawn: tuple[list[Value], list[Value]]) -> None:
    leaves, made = drawn
    root = made[-1]
    wanted = [naive(root, x) for x in leaves]
    root.backward()
    assert [x.grad for x in leaves] == pytest.approx(wanted, rel=1e-9, abs=1e-12)
    assert [g.data for g in grad(root, leaves)] == pytest.approx(wanted, rel=1e-9, abs=1e-12)
    for node in history(root):
        if node.op is not None:
            assert node.grad == pytest.approx(naive(root, node), rel=1e-9, abs=1e-12)
        assert node.pending == 0


@given(programs(), st.integers(1, 4))
def test_each_further_backward_adds_once_more_to_leaves_only(
    drawn: tuple[list[Value], list[Value]], times: int
) -> None:
    leaves, made = drawn
    root = made[-1]
    root.backward()
    first = [x._grad for x in leaves]
    inner = {node: node.grad for node in history(root) if node.op is not None}
    for _ in range(times):
        root.backward()
    assert [x._grad for x in leaves] == [
        None if g is None else pytest.approx(g * (times + 1), rel=1e-9) for g in first
    ]
    assert {node: node.grad for node in inner} == inner


def test_reuse() -> None:
    x = Value(3.0)
    y = x * x
    assert y.inputs == (x, x) and y.partials == (3.0, 3.0)
    y.backward()
    assert x.grad == 6.0
    a = Value(2.0)
    b = a * a
    (b * (b + 3)).backward()  # b is used by two results, one of which is made of the other
    assert a.grad == 44.0


def test_backward_from_a_leaf_and_from_the_middle() -> None:
    x = Value(2.0)
    x.backward()
    x.backward(3.0)
    assert x.grad == 4.0
    middle = Value(1.0) * x
    top = middle * 5
    x.zero_grad()
    middle.backward()
    assert x.grad == 1.0 and top._grad is None


def test_a_gradient_scales_everything() -> None:
    x = Value(2.0)
    y = x * x
    y.backward(-0.5)
    assert (x.grad, y.grad) == (-2.0, -0.5)
    assert grad(y, x, gradient=10).data == 40.0


@pytest.mark.parametrize("seed", [math.nan, math.inf, -math.inf])
def test_a_seed_that_is_not_finite(seed: float) -> None:
    x = Value(2.0)
    y = x * x
    for start in (lambda: y.backward(seed), lambda: grad(y, x, gradient=seed)):
        with pytest.raises(
            ValueError, match=f"expected a finite gradient to start from, got {seed}"
        ):
            start()
    assert x._grad is None and y._grad is None


def test_a_seed_that_is_no_number() -> None:
    with pytest.raises(TypeError, match="backward: expected a number to start from, got str"):
        Value(1.0).backward("one")  # type: ignore[arg-type]


def test_grad_leaves_every_grad_alone() -> None:
    x, z = Value(2.0), Value(5.0)
    y = x * x
    first, other = grad(y, [x, z])
    assert (first.data, other.data) == (4.0, 0.0)
    assert x._grad is None and y._grad is None
    assert grad(y, y).data == 1.0
    assert first.op is None


@pytest.mark.parametrize("arguments", [(3.0, Value(1.0)), (Value(1.0), 3.0), (Value(1.0), [2.0])])
def test_grad_of_what_is_no_value(arguments: tuple[Any, Any]) -> None:
    with pytest.raises(TypeError, match="grad: expected"):
        grad(*arguments)


def test_history_is_operands_before_results_and_left_before_right() -> None:
    a, b = Value(1.0), Value(2.0)
    c = b * a
    d = a + c
    assert history(d) == [a, b, c, d] and all(
        found is wanted for found, wanted in zip(history(d), [a, b, c, d], strict=True)
    )
    assert len(history(c, d)) == 4


def test_no_graph_under_no_grad() -> None:
    x = Value(2.0)
    with no_grad():
        made = [
            x + x,
            x * x,
            x - x,
            x / x,
            x**2,
            x**x,
            x.relu(),
            x.tanh(),
            x + 1,
            -x,
            x.clamp(0, 1),
        ]
        with enable_grad():
            kept = x * x
    assert all(y.op is None and y.inputs == () for y in made)
    assert kept.inputs == (x, x)


def test_constants_stand_in_args_but_not_in_inputs() -> None:
    x = Value(2.0)
    y = 3 - x
    assert y.args == (3.0, x) and y.inputs == (x,) and y.partials == (-1.0,)
    z = x.clamp(0, 1)
    assert z.args == (x, 0.0, 1.0) and z.params == ()
    assert x.softplus(2.0).args == (x,) and x.softplus(2.0).params == (2.0, 20.0)


class Interrupt(float):
    """A slope in whose product the user presses Ctrl-C."""

    def __rmul__(self, g: float) -> float:
        raise KeyboardInterrupt


def test_an_interrupted_walk_leaves_nothing_behind() -> None:
    x = Value(2.0)
    inner = x.clamp(x, x * 3)
    y = inner * x
    edges = inner.edges
    inner.edges = (*edges[:-1], Interrupt())
    with pytest.raises(KeyboardInterrupt):
        y.backward()
    inner.edges = edges
    assert all(node.pending == 0 for node in history(y))
    x.zero_grad()
    y.backward()
    assert x.grad == 4.0


def test_a_dropped_graph_is_freed_without_the_collector(no_collector: None) -> None:
    x = Value(1.0)
    y = x
    for _ in range(100):
        y = (y * x + 1).tanh()
    y.backward()
    slope = grad(y, x, create_graph=True)
    watched = [weakref.ref(node) for node in history(y, slope) if node is not x]
    assert len(watched) > 400
    del y, slope
    assert not any(ref() is not None for ref in watched)


def test_two_threads_train_nets_that_share_leaves() -> None:
    """Forward and backward of both interleave; what they add to the shared leaf is exact."""
    shared, rounds = Value(1.0), 300
    wrong: list[str] = []

    def train(own: Value) -> None:
        try:
            for _ in range(rounds):
                y = shared * own
                for _ in range(20):
                    y = y * 1.0 + own * 0.0
                own.zero_grad()
                y.backward()
                if own.grad != 1.0:
                    wrong.append(f"own gradient {own.grad}")
        except BaseException as error:
            wrong.append(repr(error))

    own = [Value(2.0), Value(3.0)]
    threads = [threading.Thread(target=train, args=(x,)) for x in own]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert shared.grad == rounds * 5.0


def test_detect_anomaly_names_the_op_and_the_line() -> None:
    x = Value(-1.0)
    with detect_anomaly(), pytest.raises(RuntimeError) as caught:
        (x * 2).log()
    assert "forward log at" in str(caught.value) and "made NaN of -2.0" in str(caught.value)
    assert __file__ in str(caught.value)
    with detect_anomaly(), pytest.raises(RuntimeError, match="mul at .* was handed, and passed on"):
        Value(math.nan) * 2
    zero = Value(0.0)
    with detect_anomaly():
        y = zero.sqrt() * 0.0
        with pytest.raises(
            RuntimeError, match=r"backward of sqrt made NaN of gradient 0.0 and slope inf"
        ):
            y.backward()


def test_the_function_is_the_method() -> None:
    x = Value(3.0)
    backward_of(x * x)
    assert x.grad == 6.0
