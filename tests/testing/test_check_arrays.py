"""The checker on pairs of array functions: right gradients pass, wrong ones are named."""

from __future__ import annotations

import re

import numpy as np
import pytest

from gradling.testing import check_gradients
from gradling.testing.report import (
    GradientNotFinite,
    KinkInGradient,
    NoisyGradient,
    Verdict,
    WrongGradient,
)

RNG = np.random.default_rng(7)
X = np.array([0.3, -1.2, 2.5])


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def softmax_grad(g, x):
    y = softmax(x)
    return y * (g - (g * y).sum(-1, keepdims=True))


def layer_norm(x):
    c = x - x.mean(-1, keepdims=True)
    return c / np.sqrt((c * c).mean(-1, keepdims=True) + 1e-5)


def layer_norm_grad(g, x):
    c = x - x.mean(-1, keepdims=True)
    s = np.sqrt((c * c).mean(-1, keepdims=True) + 1e-5)
    y = c / s
    return (g - g.mean(-1, keepdims=True) - y * (g * y).mean(-1, keepdims=True)) / s


RIGHT = {
    "tanh": (np.tanh, lambda g, x: g * (1 - np.tanh(x) ** 2), X),
    "square at its minimum": (np.square, lambda g, x: 2 * g * x, np.zeros(3)),
    "square an ulp from its minimum": (
        lambda x: (x - 4) ** 2,
        lambda g, x: 2 * g * (x - 4),
        np.array([4 - 2**-51, 4.0]),
    ),
    "saturated inside, small outside": (
        lambda x: 1 - np.tanh(x + 10),
        lambda g, x: -g / np.cosh(x + 10) ** 2,
        np.array([0.25, 0.5]),
    ),
    "linear": (lambda x: 3 * x, lambda g, x: 3 * g, X),
    "tiny": (lambda x: 1e-30 * np.sin(x), lambda g, x: 1e-30 * g * np.cos(x), X),
    "huge input": (lambda x: 2 * x, lambda g, x: 2 * g, 1e8 * X),
    "huge offset": (lambda x: 1e8 + x, lambda g, x: g, X),
    "fast": (lambda x: np.sin(1e4 * x), lambda g, x: 1e4 * g * np.cos(1e4 * x), X),
    "next to a pole": (np.log, lambda g, x: g / x, np.array([1e-12, 2.0])),
    "next to a kink": (lambda x: np.maximum(x, 0), lambda g, x: g * (x > 0), 1e-9 * X),
    "next to a kink, offset": (lambda x: 1 + abs(x), lambda g, x: g * np.sign(x), np.array([1e-8])),
    "a smooth bend of width 1e-6": (
        lambda x: np.logaddexp(0, 1e6 * x) / 1e6,
        lambda g, x: g / (1 + np.exp(-1e6 * x)),
        np.array([1e-7, 0.0, -3e-7]),
    ),
    "floor": (np.floor, lambda g, x: np.zeros_like(x), X),
    "constant": (lambda x: np.ones(3), lambda g, x: np.zeros_like(x), X),
    "softmax": (softmax, softmax_grad, RNG.standard_normal((2, 5))),
    "layer norm": (layer_norm, layer_norm_grad, RNG.standard_normal((3, 6))),
    "layer norm of large numbers": (layer_norm, layer_norm_grad, 1e5 * RNG.standard_normal((3, 6))),
    "rounding is all that is left": (
        lambda x: np.stack([(x[0] + x[1]) * 3.3 - x[0] * 3.3 - x[1] * 3.3, x[1] * x[2]]),
        lambda g, x: np.array([0.0, g[1] * x[2], g[1] * x[1]]),
        X,
    ),
    "what adds up to nothing": (
        lambda x: x * 3.3 - x * 1.1 - x * 2.2,
        lambda g, x: np.zeros_like(x),
        1e3 * X,
    ),
    "sort": (np.sort, lambda g, x: g[np.argsort(np.argsort(x))], X),
    "scalar output": (lambda x: np.sum(x**3), lambda x: 3 * x**2, X),
    "jacobian": (
        lambda x: x[:2] * x[1:],
        lambda x: np.array([[x[1], x[0], 0], [0, x[2], x[1]]]),
        X,
    ),
    "0-d": (np.exp, lambda g, x: g * np.exp(x), np.array(0.5)),
    "size 0": (np.exp, lambda g, x: g * np.exp(x), np.empty((0, 3))),
    "size 0 output": (lambda x: x[:0], lambda g, x: np.zeros_like(x), X),
    "many": (np.sin, lambda g, x: g * np.cos(x), RNG.standard_normal(20_000)),
    "many near kinks": (np.abs, lambda g, x: g * np.sign(x), 1e-4 * RNG.standard_normal(3000)),
    "float32": (np.sin, lambda g, x: g * np.cos(x), X.astype(np.float32)),
    "float16": (np.sin, lambda g, x: g * np.cos(x), X.astype(np.float16)),
    "reversed": (np.sin, lambda g, x: g * np.cos(x), X[::-1]),
    "read-only": (np.sin, lambda g, x: g * np.cos(x), np.broadcast_to(X, (4, 3))),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_gradients_are_correct(name):
    fn, grad_fn, x = RIGHT[name]
    report = check_gradients(fn, x, grad_fn=grad_fn)
    assert report.verdict == "correct", str(report)
    assert report


MUTANTS = ("scaled", "one entry", "sign", "additive", "doubled")
FLAT = (
    "floor",
    "constant",
    "what adds up to nothing",
    "square at its minimum",
    "square an ulp from its minimum",
)  # a zero gradient has no scaled mutant


@pytest.mark.parametrize(
    "name, mutant",
    [
        (n, m)
        for n in RIGHT
        if "size 0" not in n
        for m in MUTANTS
        if n not in FLAT or m == "additive"
    ],
)
def test_wrong_gradients_are_convicted(name, mutant):
    fn, grad_fn, x = RIGHT[name]

    def wrong(g, *inputs):
        if fn in (RIGHT["scalar output"][0], RIGHT["jacobian"][0]):
            right = np.tensordot(g, grad_fn(*inputs), axes=np.ndim(g))
        else:
            right = grad_fn(g, *inputs)
        out = np.array(right)
        if mutant == "scaled":
            return out * 1.001
        if mutant == "sign":
            return -out
        if mutant == "doubled":
            return out * 2
        if mutant == "additive":
            return out + np.asarray(1e-3 * (np.abs(out).max() or 1.0), dtype=out.dtype)
        flat = out.reshape(-1)
        flat[np.argmax(np.abs(flat))] *= 1.001
        return out

    report = check_gradients(fn, x, grad_fn=wrong)
    # next to a kink a mutant may fall between the slopes of its two sides
    allowed = ("wrong", "kink") if "kink" in name else ("wrong",)
    assert report.verdict in allowed, report


def test_a_gradient_five_times_too_large_is_wrong_however_small():
    for size in (1e-7, 1e-20, 1e-200):
        report = check_gradients(lambda x, s=size: s * x, X, grad_fn=lambda g, x, s=size: 5 * s * g)
        assert report.verdict == "wrong"
        assert report.worst.ratio == pytest.approx(5)


def test_tiny_gradient_beside_a_large_value():
    def fn(x):
        return 1 + 1e-7 * x

    assert check_gradients(fn, X, grad_fn=lambda g, x: 1e-7 * g)
    assert check_gradients(fn, X, grad_fn=lambda g, x: 5e-7 * g).verdict == "wrong"
    assert check_gradients(fn, X, grad_fn=lambda g, x: 0 * g).verdict == "wrong"


def test_tiny_entry_beside_a_large_one():
    slopes = np.array([1e8, 1e-3])
    assert check_gradients(lambda x: slopes * x, X[:2], grad_fn=lambda g, x: g * slopes)
    report = check_gradients(
        lambda x: slopes * x, X[:2], grad_fn=lambda g, x: g * np.array([1e8, 2e-3])
    )
    assert report.verdict == "wrong"
    assert report.worst.index == (1,)


@pytest.mark.parametrize("count", [10, 200, 5000])
def test_the_one_wrong_entry_is_found(count):
    x = RNG.standard_normal(count)

    def wrong(g, x):
        out = g * np.cos(x)
        out[count // 3] *= 1.001
        return out

    report = check_gradients(np.sin, x, grad_fn=wrong)
    assert report.verdict == "wrong"
    assert report.worst.index == (count // 3,)
    assert report.worst.ratio == pytest.approx(1.001)
    assert report.worst.order == pytest.approx(1, abs=0.1)


def test_dropped_transpose_names_the_operand():
    a, b = RNG.standard_normal((2, 4, 4))
    good = check_gradients(np.matmul, a, b, grad_fn=lambda g, a, b: (g @ b.T, a.T @ g), names="ab")
    assert good
    report = check_gradients(np.matmul, a, b, grad_fn=lambda g, a, b: (g @ b.T, a @ g), names="ab")
    assert [(o.name, o.verdict) for o in report.operands] == [("a", "correct"), ("b", "wrong")]
    assert report.worst.order == pytest.approx(1, abs=0.1)


def test_rules_that_mistreat_the_upstream_gradient():
    for use in (lambda g: g * g, abs, np.ones_like):
        report = check_gradients(np.sin, X, grad_fn=lambda g, x, use=use: use(g) * np.cos(x))
        assert report.verdict == "wrong"


def test_softmax_with_its_diagonal_only():
    """p (1 - p) is the textbook slip; a cotangent of ones would not see it."""
    report = check_gradients(softmax, X, grad_fn=lambda x: softmax(x) * (1 - softmax(x)))
    assert report.verdict == "wrong"


def test_kinks():
    at = np.array([0.0, 1.0])
    for value in (0.0, 0.5, 1.0):
        report = check_gradients(
            lambda x: np.maximum(x, 0), at, grad_fn=lambda g, x, v=value: g * np.where(x == 0, v, 1)
        )
        assert report.verdict == "kink"
        assert report.worst.slopes == pytest.approx((0, 1))
    outside = check_gradients(np.abs, at, grad_fn=lambda g, x: g * np.where(x == 0, 5, 1))
    assert outside.verdict == "wrong"
    assert "outside" in outside.worst.reason
    tie = check_gradients(np.max, np.ones(2), grad_fn=lambda g, x: g * np.array([1.0, 0.0]))
    assert tie.verdict == "kink"
    jump = check_gradients(np.floor, np.array([1.0]), grad_fn=lambda g, x: 0 * g)
    assert jump.verdict == "kink"
    assert "jumps" in jump.worst.reason


def test_the_distance_to_a_kink_is_told():
    near = np.array([1.0, 1e-8])
    report = check_gradients(lambda x: np.maximum(x, 0), near, grad_fn=lambda g, x: g * (x > 0))
    assert report
    assert re.search(r"x\[1\] is within \de-08 of a kink", str(report))


def test_noise_is_not_called_wrong():
    rng = np.random.default_rng(0)
    x = RNG.standard_normal(5)

    def noisy(x):
        return np.sin(x) + 1e-4 * rng.standard_normal(x.shape)

    report = check_gradients(noisy, x, grad_fn=lambda g, x: g * np.cos(x))
    assert report.verdict == "noisy"
    assert "different values" in " ".join(report.notes)
    assert check_gradients(noisy, x, grad_fn=lambda g, x: -g * np.cos(x)).verdict == "wrong"


def test_hidden_single_precision_is_noticed():
    def inside(x):
        return np.sin(x.astype(np.float32)).astype(np.float64)

    x = RNG.standard_normal(8)
    report = check_gradients(inside, x, grad_fn=lambda g, x: g * np.cos(x))
    assert report.verdict in ("noisy", "correct")
    assert any("1e-07" in note for note in report.notes)
    assert check_gradients(inside, x, grad_fn=lambda g, x: 1.05 * g * np.cos(x)).verdict == "wrong"


def test_a_staircase_is_noisy():
    report = check_gradients(lambda x: np.sin(x).round(6), X, grad_fn=lambda g, x: g * np.cos(x))
    assert report.verdict == "noisy"
    assert "staircase" in report.worst.reason


@pytest.mark.parametrize(
    "fn, grad_fn, x",
    [
        (np.sqrt, lambda g, x: g / (2 * np.sqrt(x)), [0.0, 1.0]),
        (np.exp, lambda g, x: g * np.exp(x), [800.0, 1.0]),
        (np.sin, lambda g, x: g * np.cos(x), [np.inf, 1.0]),
        (np.sin, lambda g, x: g * np.cos(x), [np.nan, 1.0]),
        (np.sin, lambda g, x: g * np.where(x > 1, np.nan, np.cos(x)), [2.0, 1.0]),
    ],
)
def test_not_finite(fn, grad_fn, x):
    assert check_gradients(fn, np.array(x), grad_fn=grad_fn).verdict == "not finite"


def test_overflow_in_the_given_dtype_only():
    x = np.array([5.0], dtype=np.float16)
    report = check_gradients(
        lambda x: x**4, x, grad_fn=lambda g, x: g * (x**8 / x**5 * np.asarray(4, dtype=x.dtype))
    )
    assert report.verdict == "not finite"
    assert "float16" in report.worst.reason


def test_shapes_of_gradients():
    report = check_gradients(lambda a, b: a + b, X, np.array(1.0), grad_fn=lambda g, a, b: (g, g))
    assert report.verdict == "wrong"
    assert "shape (3,)" in report.worst.reason
    good = lambda g, a, b: (g, g.sum())  # noqa: E731
    assert check_gradients(lambda a, b: a + b, X, np.array(1.0), grad_fn=good)


def test_missing_gradient_claims_zero():
    report = check_gradients(np.multiply, X, X, grad_fn=lambda g, a, b: (g * b, None), names="ab")
    assert report.verdict == "wrong"
    assert "no gradient arrived at b" in str(report)


def test_several_outputs():
    def fn(x):
        return np.sin(x), x[:2] ** 2

    def grad_fn(gs, x):
        return gs[0] * np.cos(x) + np.append(2 * gs[1] * x[:2], 0)

    assert check_gradients(fn, X, grad_fn=grad_fn, cotangent=True)
    assert not check_gradients(fn, X, grad_fn=lambda gs, x: gs[0] * np.cos(x), cotangent=True)


def test_integer_operands_are_held_constant():
    index = np.array([0, 2])
    report = check_gradients(
        lambda x, i: x[i], X, index, grad_fn=lambda g, x, i: (np.array([g[0], 0, g[1]]), None)
    )
    assert report, str(report)
    assert len(report.operands) == 1


def test_complex_step_sees_further():
    assert check_gradients(np.sin, X, grad_fn=lambda g, x: g * np.cos(x), complex_step=True)
    slightly = check_gradients(
        np.sin, X, grad_fn=lambda g, x: g * np.cos(x) * (1 + 1e-8), complex_step=True
    )
    assert slightly.verdict == "wrong"
    kept = check_gradients(np.abs, X, grad_fn=lambda g, x: g * np.sign(x), complex_step=True)
    assert kept
    assert "contradicts" in " ".join(kept.notes)


def test_layout_and_dtype_are_held_against_the_float64_copy():
    def careless(g, x):
        return g * np.cos(np.frombuffer(np.ascontiguousarray(x), x.dtype).reshape(x.shape))

    def wrong_when_strided(g, x):
        return g * np.cos(x) * (1 if x.flags.c_contiguous else 2)

    assert check_gradients(np.sin, X[::-1], grad_fn=careless)
    report = check_gradients(np.sin, X[::-1], grad_fn=wrong_when_strided)
    assert report.verdict == "wrong"
    assert "strides" in report.worst.reason

    def sloppy(g, x):
        return g * (np.cos(x) + np.asarray(1000, x.dtype) - np.asarray(1000, x.dtype))

    assert check_gradients(np.sin, X, grad_fn=sloppy)
    assert check_gradients(np.sin, X.astype(np.float32), grad_fn=sloppy).verdict == "noisy"


def test_inputs_are_never_changed():
    def fn(x):
        y = x * 2
        x[...] = 0
        return y

    x = X.copy()
    report = check_gradients(fn, x, grad_fn=lambda g, x: 2 * g)
    assert np.array_equal(x, X)
    assert report
    assert "changed its input" in str(report)


def test_same_seed_same_report():
    def run(seed):
        return str(check_gradients(np.tanh, X, grad_fn=lambda g, x: g, seed=seed))

    assert run(3) == run(3)


@pytest.mark.parametrize(
    "grad_fn, x, error",
    [
        (lambda g, x: 0 * g, np.array([0.0]), KinkInGradient),
        (lambda g, x: 7 * g, np.array([1.0]), WrongGradient),
        (lambda g, x: g * np.inf, np.array([1.0]), GradientNotFinite),
    ],
)
def test_assert_correct_raises_by_verdict(grad_fn, x, error):
    report = check_gradients(np.abs, x, grad_fn=grad_fn)
    with pytest.raises(error, match="gradient of absolute"):
        report.assert_correct()


def test_noise_raises_its_own_error():
    rng = np.random.default_rng(0)
    report = check_gradients(
        lambda x: x + rng.standard_normal(), X, grad_fn=lambda g, x: g, cotangent=True
    )
    with pytest.raises(NoisyGradient):
        report.assert_correct()


def test_bad_calls_say_what_to_change():
    with pytest.raises(TypeError, match="at least one floating operand"):
        check_gradients(np.sin, np.array([1, 2]), grad_fn=np.cos)
    with pytest.raises(ValueError, match="order must be 1 or 2"):
        check_gradients(np.sin, X, grad_fn=np.cos, order=3)
    with pytest.raises(ValueError, match="order=2 needs"):
        check_gradients(np.sin, X, grad_fn=np.cos, order=2)
    with pytest.raises(TypeError, match="returned 3 gradients for 2 operands"):
        check_gradients(np.add, X, X, grad_fn=lambda g, a, b: (g, g, g))
    with pytest.raises(TypeError, match="real operands"):
        check_gradients(np.sin, np.array([1j]), grad_fn=np.cos)
    with pytest.raises(TypeError, match="no floating output"):
        check_gradients(np.argmax, X, grad_fn=lambda g, x: x)
    with pytest.raises(ValueError, match="3 names for 1 operands"):
        check_gradients(np.sin, X, grad_fn=np.cos, names="abc")


def test_page():
    report = check_gradients(np.tanh, np.array([0.3, -1.2]), grad_fn=lambda x: 1 - np.tanh(x))
    text = str(report)
    for part in ("gradient of tanh: WRONG", "claimed", "measured", "ratio", "remainder order 1.0",
                 "test_check_arrays.py", "largest error", "central differences"):  # fmt: skip
        assert part in text
    assert max(map(len, text.splitlines())) <= 140
    assert repr(report).startswith("<Report wrong: tanh, x[1]")
    assert str(check_gradients(np.tanh, X, grad_fn=lambda x: 1 - np.tanh(x) ** 2)).count("\n") < 9


def test_verdicts_are_ordered_by_gravity():
    assert [str(v) for v in Verdict] == ["correct", "noisy", "kink", "wrong", "not finite"]
