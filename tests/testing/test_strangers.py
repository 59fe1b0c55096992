"""The kit as a stranger meets it: ops of their own, odd functions, and what the pages then say."""

from __future__ import annotations

import contextlib
import io
import textwrap

import numpy as np
import pytest

import gradling
from gradling import Value, autograd
from gradling.engine import TABLE
from gradling.testing import check_gradients, check_op, network
from gradling.testing.rule_mutants import Mutant, planted

X = np.array([0.5, -1.2, 2.0])
SCALE = 3.0


class Product(autograd.Function):
    """x * w, right."""

    @staticmethod
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        return x * w

    @staticmethod
    def backward(ctx, g):
        x, w = ctx.saved_tensors
        return g * w, g * x


class Scaled(autograd.Function):
    """x * w, with a slip that mentions a number and a module of this file."""

    @staticmethod
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        return x * w

    @staticmethod
    def backward(ctx, g):
        x, w = ctx.saved_tensors
        return g * w * np.sqrt(SCALE), g * x


class Turned(autograd.Function):
    """x @ w without the transposes."""

    @staticmethod
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        return x @ w

    @staticmethod
    def backward(ctx, g):
        x, w = ctx.saved_tensors
        return g @ w, x @ g


def half(x):
    return x * x.detach()


@pytest.mark.parametrize("fn", [Product, Product.apply])
def test_a_function_of_autograd_itself_or_its_apply(fn):
    report = check_gradients(fn, gradling.tensor(X), gradling.tensor(X[::-1].copy()))
    assert report, str(report)
    assert report.function == "Product.apply"
    assert [o.name for o in report.operands] == ["x", "w"]


def test_a_wrong_function_of_autograd_is_named_with_its_line():
    square = np.arange(9.0).reshape(3, 3)
    report = check_gradients(Turned, square, square + 1)
    assert report.verdict == "wrong"
    (line,) = report.culprits
    assert "op 'Turned'" in line
    assert "Turned.backward" in line
    assert "test_strangers.py" in line
    deep = check_gradients(lambda x: Turned.apply(x.tanh(), x).exp(), square / 9)
    assert deep.culprits == (line.replace("node 1 of 1", "node 2 of 3"),)


def test_the_arguments_of_a_module_have_names():
    report = check_gradients(network([3, 1]), X)
    assert [o.name for o in report.operands] == ["input"]


def test_where_every_rule_is_right_the_function_itself_is_to_blame():
    for report in (check_gradients(half, X), check_gradients(lambda a: a * a.data, Value(2.0))):
        assert report.verdict == "wrong"
        (line,) = report.culprits
        assert line.startswith("fn ")
        assert "the rule of every op in it is right" in line


def test_the_guilty_rule_of_a_function_of_values():
    with planted(Mutant("exp", 0, "scaled", lambda g, y, x: g * y * 1.001)):
        report = check_gradients(lambda a, b: (a * b).exp() + a**2, 0.5, 1.5)
    (line,) = report.culprits
    assert "op 'exp'" in line
    assert TABLE["exp"].vjp[0].__code__.co_filename not in line  # it was another rule


def test_nobody_is_blamed_for_a_value_that_is_not_finite():
    report = check_gradients(lambda x: x.exp(), np.array([1000.0]))
    assert report.verdict == "not finite"
    assert report.culprits == ()


def test_ints_beside_floats_are_constants():
    assert check_gradients(lambda x, n: x**n, 2.0, 3)
    assert check_gradients(lambda x: x * x, np.float64(3.0))
    with pytest.raises(TypeError, match=r"or 2\.0 to a function of Values"):
        check_gradients(lambda x: x * 2, 3)


def test_functions_of_values_that_return_something_else():
    with pytest.raises(TypeError, match="returned NoneType, not a Value"):
        check_gradients(lambda a: None, 2.0)
    with pytest.raises(TypeError, match="returned tuple, not a Value"):
        check_gradients(lambda a: (), 2.0)


RANDOM = {
    "dropout": lambda x: gradling.nn.functional.dropout(x, 0.5),
    "dropout, and a path is cut": lambda x: gradling.nn.functional.dropout(x, 0.5) * x.detach(),
    "noise": lambda x: x + gradling.randn(len(X)),
}


@pytest.mark.parametrize("name", RANDOM)
def test_a_function_that_draws_is_noisy_not_kinked_and_not_wrong(name):
    for seed in range(20):
        gradling.manual_seed(seed)
        report = check_gradients(RANDOM[name], np.tile(X, 1), seed=seed)
        assert report.verdict == "noisy", str(report)
        assert "different values" in " ".join(report.notes)


def test_a_function_that_counts_its_calls_is_noisy():
    calls = iter(range(1, 10_000))
    report = check_gradients(lambda x: x * next(calls), X)
    assert report.verdict == "noisy", str(report)


def test_what_noise_cannot_explain_is_wrong():
    def fn(x):
        return x * x.detach() + 1e-4 * gradling.randn(len(X))

    assert check_gradients(fn, X).verdict == "wrong"


def closing_over(k):
    def inner(x):
        return x * k * x.detach()

    return inner


WRONG = {
    "a function": half,
    "a Function": Scaled,
    "a Function's apply": Scaled.apply,
    "a closure": closing_over(2.0),
    "a lambda": lambda x: x * x.detach() * np.e,
}


@pytest.mark.parametrize("name", WRONG)
def test_the_program_of_a_broken_law_runs_as_it_stands(name):
    report = check_op(WRONG[name], laws=["gradient"], examples=10)
    (result,) = report.broken
    assert "gradient of " in str(result.error)
    program = str(result.error)[str(result.error).index("    import gradling, ") :]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(textwrap.dedent(program), {})
    assert "WRONG" in printed.getvalue()


def test_the_program_of_a_function_of_the_library_imports_it():
    report = check_op(gradling.nn.functional.softmax, laws=["gradient"], examples=5)
    assert "import softmax\n" in str(report)
    assert report.results[0].outcome == "BROKEN"  # it is not told its dim
    assert "1 law is broken" in str(report)
