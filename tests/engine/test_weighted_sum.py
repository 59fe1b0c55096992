"""``weighted_sum``: to the bit what + and * give, as one number."""

from __future__ import annotations

import copy
import math
import pickle
import sys
import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gradling
from gradling.engine import TABLE, Value, detect_anomaly, grad, history, no_grad, weighted_sum
from gradling.engine.sites import site, tracing

WHOLE = st.integers(-9, 9).map(float)  # sums and products of few of them are exact
NUMBERS = st.floats(-1e3, 1e3) | st.sampled_from([0.0, -0.0, math.inf, math.nan, 1e308, 5e-324])
KINDS = st.sampled_from([Value, float, int])


def spelt(ws, xs, b=0.0):
    y = b
    for w, x in zip(ws, xs, strict=True):
        y = y + w * x
    return y


def bits(*numbers):
    """Equal where they are the same to the bit; every nan is one."""
    return [x.hex() if x == x else "nan" for x in map(float, numbers)]


@st.composite
def operands(draw, numbers=NUMBERS):
    """(weights, xs, bias), each a Value or a constant, some of them the same Value twice."""
    pool = [Value(draw(numbers)) for _ in range(3)]

    def one(kind):
        if draw(st.integers(0, 3)) == 0:
            return draw(st.sampled_from(pool))
        x = draw(numbers if kind is not int else st.integers(-9, 9))
        return kind(x)

    n = draw(st.integers(1, 6))
    kinds = [draw(KINDS | st.just(Value)) for _ in range(3)]  # usually a row is of one kind
    ws, xs = ([one(kind) for _ in range(n)] for kind in kinds[:2])
    return ws, xs, one(kinds[2])


def leaves(ws, xs, b):
    return list(dict.fromkeys(v for v in (b, *ws, *xs) if isinstance(v, Value)))


@given(operands(), NUMBERS.filter(math.isfinite))
def test_the_same_bits_as_spelt_out(given_, seed):
    ws, xs, b = given_
    y, other = weighted_sum(ws, xs, b), spelt(ws, xs, b)
    assert bits(y.data) == bits(getattr(other, "data", other))
    if not isinstance(other, Value):
        return
    if not leaves(ws, xs, b):
        assert y.op is None
        return
    y.backward(seed)
    mine = [v.grad for v in leaves(ws, xs, b)]
    for v in leaves(ws, xs, b):
        v.zero_grad()
    other.backward(seed)
    theirs = [v.grad for v in leaves(ws, xs, b)]
    for v, a, c in zip(leaves(ws, xs, b), mine, theirs, strict=True):
        parts = [
            abs(seed * slope) for to, slope in zip(y.inputs, y.partials, strict=True) if to is v
        ]
        if len(parts) == 1:
            assert bits(a) == bits(c)
        elif math.isfinite(sum(parts)):  # added in another order: each of 13 may round once more
            assert abs(a - c) <= 13 * sys.float_info.epsilon * sum(parts)


@given(operands())
def test_args_inputs_and_partials(given_):
    ws, xs, b = given_
    y = weighted_sum(ws, xs, b)
    if y.op is None:
        return
    args = [b, *(v for pair in zip(ws, xs, strict=True) for v in pair)]
    assert len(y.args) == len(args) and y.params == ()
    for mine, theirs in zip(y.args, args, strict=True):
        same = mine is theirs if isinstance(theirs, Value) else bits(mine) == bits(theirs)
        assert same
    partners = [1.0, *(v for w, x in zip(ws, xs, strict=True) for v in (x, w))]
    pairs = [(a, getattr(p, "data", p)) for a, p in zip(args, partners, strict=True)
             if isinstance(a, Value)]  # fmt: skip
    assert list(y.inputs) == [a for a, _ in pairs]
    assert bits(*y.partials) == bits(*(p for _, p in pairs))
    assert y._prev == set(y.inputs) and y._op == TABLE["weighted_sum"].symbol


@given(operands(WHOLE))
def test_second_derivatives(given_):
    ws, xs, b = given_
    targets = leaves(ws, xs, b)
    if not targets:
        return
    found = []
    for form in (weighted_sum, spelt):
        y = form(ws, xs, b) ** 2
        firsts = grad(y, targets, create_graph=True)
        assert [g.data for g in firsts] == [g.data for g in grad(y, targets)]
        total = spelt([1.5 + k for k in range(len(firsts))], firsts, Value(0.0))
        found.append([g.data for g in firsts] + [g.data for g in grad(total, targets)])
    assert found[0] == found[1]


def test_of_nothing():
    b = Value(2.0)
    assert weighted_sum([], []).data == 0.0
    y = weighted_sum([], [], b)
    y.backward()
    assert (y.data, b.grad) == (2.0, 1.0)


def test_of_constants_alone_is_a_constant():
    y = weighted_sum([1, 2.0], (3, 4.0), 0.5)
    assert (y.data, y.op, y.inputs) == (11.5, None, ())


def test_any_iterable_and_numpy_scalars():
    np = pytest.importorskip("numpy")
    w = [Value(1.0), Value(2.0)]
    assert weighted_sum((v for v in w), np.array([3.0, 4.0])).data == 11.0
    assert weighted_sum(w, np.array([Value(3.0), Value(4.0)]), np.float32(0.5)).data == 11.5


@pytest.mark.parametrize(
    ("given_", "error", "words"),
    [
        (([Value(1.0)], []), ValueError, "as many weights as xs, got 1 weights and 0 xs"),
        (([Value(1.0)], ["2"]), TypeError, r"xs\[0\]: expected a number or a Value, got str"),
        (([None], [1.0]), TypeError, r"weights\[0\]: expected a number or a Value, got NoneType"),
        (([Value(1.0)], [2.0], "b"), TypeError, "bias: expected a number or a Value, got str"),
        ((gradling.ones(1), [2.0]), TypeError, r"for tensors write gradling\.dot\(weights, xs\)"),
        (([gradling.ones(())], [2.0]), TypeError, r"weights\[0\]: .* got Tensor"),
        (([Value(1.0)], [[1.0, 2.0]]), TypeError, r"xs\[0\]: expected a number or a Value"),
    ],
)
def test_what_is_refused(given_, error, words):
    with pytest.raises(error, match=words):
        weighted_sum(*given_)


def graph():
    w, x = [Value(2.0, label="w"), Value(-1.0)], [Value(3.0), 0.5]
    return weighted_sum(w, x, Value(1.0)).tanh()


@pytest.mark.parametrize("again", [copy.deepcopy, lambda y: pickle.loads(pickle.dumps(y))])
def test_copies(again):
    y = graph()
    y.backward()
    twin = again(y)
    assert [v.data for v in history(twin)] == [v.data for v in history(y)]
    assert [v.grad for v in history(twin)] == [v.grad for v in history(y)]
    (total,) = twin.inputs
    assert total.op is TABLE["weighted_sum"] and total.args[-1] == 0.5
    assert not {id(v) for v in history(y)} & {id(v) for v in history(twin)}


def test_under_no_grad():
    w = [Value(2.0)]
    with no_grad():
        y = weighted_sum(w, [Value(3.0)], w[0])
    assert (y.data, y.op, y.inputs) == (8.0, None, ())


def test_a_nan_is_found_where_it_is_made():
    w = [Value(math.inf)]
    with detect_anomaly():
        with pytest.raises(RuntimeError, match="forward weighted_sum at .* made NaN of 1.0, inf"):
            weighted_sum(w, [0.0], Value(1.0))
        y = weighted_sum(w, [Value(1.0)])
        with pytest.raises(RuntimeError, match="backward of weighted_sum made NaN of gradient 0"):
            y.backward(0.0)


def test_its_line_is_known_under_tracing():
    with tracing():
        y = weighted_sum([Value(1.0)], [Value(2.0)])
    assert "test_weighted_sum.py" in site(y).line


def test_as_deep_as_memory_goes_and_freed_by_counting():
    x = y = Value(1.0)
    w = Value(1.0)
    for _ in range(50_000):
        y = weighted_sum([w], [y], x)
    y.backward()
    assert y.data == 50_001.0
    inner = weakref.ref(y.inputs[-1])
    copied = copy.deepcopy(y)
    assert copied.data == y.data
    del y
    assert inner() is None


def test_the_row_on_arrays_is_elementwise_and_broadcasts():
    row = TABLE["weighted_sum"]
    b, w = gradling.ones(2, 1, requires_grad=True), gradling.ones(3) * 2
    y = row(b, w, gradling.arange(3.0), w, 1.0)
    assert y.tolist() == [[3.0, 5.0, 7.0]] * 2
    y.sum().backward()
    assert b.grad.tolist() == [[3.0], [3.0]]
    with pytest.raises(ValueError, match="shorter|argument"):
        row(b, w)
