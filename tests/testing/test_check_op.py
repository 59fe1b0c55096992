"""`check_op`: the laws on a user's function, and each kind of mistake it names."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st

import gradling
from gradling.engine.op import POSITIVE, REAL
from gradling.testing import LawBroken, arrays, check_op, shapes
from gradling.testing.laws import LAWS, Case, Subject, subject_of
from gradling.testing.laws.edges import finite_edges
from gradling.testing.rule_mutants import Mutant, planted

FEW = {"examples": 15}


def broken(fn, *operands, **options):
    report = check_op(fn, *operands, **FEW, **options)
    assert bool(report) == (not report.broken)
    return {result.law for result in report.broken}


def softmax(x):
    e = x.exp()
    return e / e.sum(-1, keepdim=True)


def test_right_functions_obey_every_law():
    assert check_op(lambda x: x * x.sigmoid(), reference=lambda x: x / (1 + np.exp(-x)), **FEW)
    assert check_op(lambda a, b: a * b.tanh(), **FEW)
    assert check_op(lambda x: x.log(), POSITIVE, **FEW)
    assert check_op(lambda x: x.abs(), REAL.without(0.0), **FEW)
    assert check_op(softmax, arrays(shapes(min_dims=1)), **FEW)
    pairs = st.integers(1, 3).flatmap(
        lambda n: st.tuples(arrays((2, n)), arrays((n, 2)))
    )  # fmt: skip
    assert check_op(lambda a, b: a @ b, inputs=pairs, **FEW)


def test_a_wrong_value():
    assert "value" in broken(lambda x: x * x, reference=lambda x: x**3)


def test_a_path_that_was_cut():
    report = check_op(lambda x: x * x.detach(), name="half", **FEW)
    assert {"gradient", "second"} <= {result.law for result in report.broken}
    page = str(report)
    assert "half breaks the law 'gradient'" in page
    assert "out = half(x)" in page
    assert "ratio      0.5" in page
    with pytest.raises(LawBroken, match="half: .* laws are broken"):
        report.assert_correct()


def test_a_kink_inside_the_domain_is_reported_as_one():
    report = check_op(lambda x: (x - 2.0).abs(), REAL, examples=60)
    assert "kink" in str(report)
    assert check_op(lambda x: (x - 2.0).abs(), REAL.without(2.0), examples=60)


def test_an_operand_written_to():
    def careless(x):
        x._data[...] = x._data + 1
        return x * 2

    assert "unchanged" in broken(careless)


def test_a_gradient_that_is_nan_at_a_finite_value():
    def guarded(x):
        return gradling.where(x > 0, x.sqrt(), 0.0 * x)

    report = check_op(guarded, POSITIVE, laws=["gradient", "finite_edges"], **FEW)
    assert report.results[0].outcome == "holds"
    assert report.results[0].says.startswith("<g, J u>")


def test_a_rule_that_is_not_linear_where_gradients_are_tiny():
    class Faint(gradling.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1e-20

        @staticmethod
        def backward(ctx, g):
            return g * g.abs() * 1e-20

    assert broken(Faint, laws=["linear"]) == {"linear"}


def test_function_that_raises_somewhere():
    def picky(x):
        if x.numel() == 0:
            raise ValueError("no entries")
        return x * 2

    report = check_op(picky, laws=["form"], examples=100)
    assert "ValueError: no entries" in str(report)


def test_unknown_law():
    with pytest.raises(ValueError, match="no law is called 'gravity'"):
        check_op(lambda x: x, laws=["gravity"])


def subject(call, **options):
    return Subject("it", call, "it", **options)


def case(*operands):
    return Case(tuple(np.asarray(x, dtype=np.float64) for x in operands))


X = [[0.5, -1.5], [2.0, 0.25]]


@pytest.mark.parametrize(
    "law, wrong",
    [
        ("gradient", lambda g, y, a, b: g * a),
        ("linear", lambda g, y, a, b: g * g * b),
        ("linear", lambda g, y, a, b: b),
        ("layouts", lambda g, y, a, b: g * np.ravel(b, "K").reshape(b.shape)),
        ("constants", None),
        ("aliased", lambda g, y, a, b: g * (b if a is not b else 3 * b)),
        ("accumulates", None),
        ("scalar", lambda g, y, a, b: g * b if isinstance(a, np.ndarray) else 2 * g * b),
        ("broadcasting", lambda g, y, a, b: g * b if a.shape == b.shape else 2 * g * b),
        ("unchanged", lambda g, y, a, b: np.multiply(a, 2, out=a) * g),
        ("second", lambda g, y, a, b: g * getattr(b, "detach", lambda: b)()),
    ],
)
def test_each_law_notices_its_mistake(law, wrong):
    calls = iter(range(1, 100))
    wrong = wrong or (lambda g, y, a, b: g * b * next(calls))  # another gradient at each call
    row = subject_of("mul")
    drawn = case(X, [[3.0]]) if law == "broadcasting" else case(X, np.array(X).T)
    LAWS[law](row, drawn)
    with planted(Mutant("mul", 0, law, wrong)), pytest.raises(LawBroken) as caught:
        LAWS[law](row, drawn)
    assert f"op 'mul' breaks the law {law!r}" in str(caught.value)
    assert "out = gradling.engine.TABLE['mul'](a, b)" in str(caught.value)


class Product(gradling.autograd.Function):
    """x * w as a user would write it."""

    @staticmethod
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        return x * w

    @staticmethod
    def backward(ctx, g):
        x, w = ctx.saved_tensors
        return g * w, g * x


class Forgetful(Product):
    """The same without undoing what broadcasting repeats, and with one gradient lost."""

    @staticmethod
    def backward(ctx, g):
        x, w = ctx.saved_tensors
        return g * w, None


def test_functions_written_by_users():
    same_shape = shapes().flatmap(lambda shape: st.tuples(arrays(shape), arrays(shape)))
    report = check_op(Product, inputs=same_shape, **FEW)
    assert report, str(report)
    assert report.function == "Product.apply"
    assert "gradient" in broken(Forgetful, inputs=same_shape)


def test_edges():
    finite_edges(subject(lambda x: x.tanh()))
    with pytest.raises(LawBroken, match="a gradient is NaN"):
        finite_edges(
            subject(lambda x: gradling.where(x != 0, x / x, x * 0) + 0 * x.sqrt().detach())
        )
