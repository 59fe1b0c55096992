"""Elementwise functions by themselves: dtypes, refusals, extreme inputs, in-place forms, erf."""

from __future__ import annotations

import inspect
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gradling
from gradling.engine import TABLE
from gradling.tensor import choice, elementwise, overwrite
from gradling.tensor.erf import erf
from gradling.tensor.in_place_forms import InPlaceForms
from gradling.testing import gradcheck, gradgradcheck, tensors

inf, nan = math.inf, math.nan
f16, f32, f64 = gradling.float16, gradling.float32, gradling.float64


def functions(module: Any) -> dict[str, Any]:
    """The public functions of a module, by every name they have."""
    return {
        name: f
        for name, f in vars(module).items()
        if inspect.isfunction(f)
        and not name.startswith("_")
        and (f.__module__ == module.__name__ or f.__module__ == "gradling.tensor.record")
        and name not in ("unary", "binary", "elementwise", "record", "converted", "as_constant")
    }


# Every row has a function, every function its exports --------------------------------------------

ACTIVATIONS = {
    "leaky_relu",
    "elu",
    "gelu",
    "silu",
    "softplus",
    "logsigmoid",
}  # nn.functional has these


def test_every_elementwise_row_has_a_function():
    import subprocess
    import sys

    # a fresh process, whose table has no rows of nets
    program = (
        "import gradling.tensor; from gradling.engine import TABLE\n"
        "print(*[n for n, op in TABLE.items() if float in op.on or n.startswith('bitwise')])"
    )
    rows = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    known = functions(elementwise) | functions(choice)
    elsewhere = ["trunc_divide", "weighted_sum"]  # in div, and in engine: tensors have products
    assert [n for n in rows.stdout.split() if n not in known] == elsewhere


@pytest.mark.parametrize("name", sorted((functions(elementwise) | functions(choice)).keys()))
def test_every_function_is_exported_and_a_method(name):
    function = (functions(elementwise) | functions(choice))[name]
    assert function.__doc__
    if name not in ACTIVATIONS and name != "where_method":
        assert inspect.unwrap(getattr(gradling, name)) is function
    if name not in ACTIVATIONS and name not in ("rsub", "where", "where_method"):
        assert getattr(gradling.Tensor, name) is function


# dtypes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("program", "dtype"),
    [
        ("i + 1", "int64"), ("i + 1.5", "float32"), ("i / 2", "float32"), ("i // 2", "int64"),
        ("b + 1", "int64"), ("b + b", "bool"), ("b * 1.0", "float32"), ("u + 1", "uint8"),
        ("u + i", "int64"), ("u + i0", "uint8"), ("h + 1.5", "float16"), ("h + d0", "float16"),
        ("h + d", "float64"), ("f + d0", "float32"), ("i + d0", "float64"), ("f > d", "bool"),
        ("i.exp()", "float32"), ("b.sqrt()", "float32"), ("h.exp()", "float16"),
        ("i.floor()", "int64"), ("b.square()", "int64"), ("i ** 2", "int64"),
        ("i ** 2.0", "float32"),
        ("b & b", "bool"), ("b & u", "uint8"), ("~b", "bool"), ("i << 1", "int64"),
        ("i.clamp(0.5)", "float32"), ("i.clamp(0)", "int64"), ("g.where(b, 1, 2)", "int64"),
        ("g.where(b, 1.0, 2)", "float32"), ("g.where(b, h, 0.0)", "float16"),
        ("f.sign()", "float32"),
        ("g.where(b, h, d)", "float64"), ("f.isnan()", "bool"), ("i.isfinite()", "bool"),
    ],
)  # fmt: skip
def test_dtype_of_the_result(program, dtype):
    made = {
        name: gradling.ones(2).to(kind)
        for name, kind in [
            ("b", "bool"), ("u", "uint8"), ("i", "int64"), ("h", "float16"), ("f", "float32"),
            ("d", "float64"),
        ]
    }  # fmt: skip
    made |= {"i0": gradling.tensor(1), "d0": gradling.tensor(1.0, dtype=f64), "g": gradling}
    assert eval(program, made).dtype == np.dtype(dtype)


@given(tensors(dtype=f32, shape=(4,)), st.sampled_from(sorted(functions(elementwise))))
def test_float16_is_worked_out_in_float32_and_rounded_once(x, name):
    function = functions(elementwise)[name]
    if len(inspect.signature(function).parameters) != 1 or name == "bitwise_not":
        return
    half = x.detach().half()
    wide = function(half.float())
    assert gradling.equal(function(half).float(), wide.half().float()) or bool(wide.isnan().any())


def test_whole_numbers_wrap_around_and_numbers_with_them():
    u = gradling.tensor([0, 255], dtype=gradling.uint8)
    assert (u + 1).tolist() == [1, 0]
    assert (u - 1).tolist() == [255, 254]
    assert (u + 300).tolist() == [44, 43]
    assert (-u).tolist() == [0, 1]
    assert (u < 300).tolist() == [True, True]
    with pytest.raises(OverflowError, match="too large for whole numbers of 64 bits"):
        u + 2**70


@pytest.mark.parametrize(
    ("program", "says"),
    [
        ("-b", "neg: not defined on truth values; convert"),
        ("b - b", "use ~mask"),
        ("1 - b", "use ~mask"),
        ("f - True", "use ~mask"),
        ("abs(b)", "abs: not defined on truth values"),
        ("b.floor()", "floor: not defined on truth values"),
        ("b // b", "floor_divide: not defined on truth values"),
        ("b.relu()", "relu: not defined on truth values"),
        ("f & f", "bitwise_and: expected whole numbers or truth values, got float32"),
        ("~f", "bitwise_not: expected whole numbers"),
        ("f << 1", "bitwise_left_shift: expected whole numbers"),
        ("i.frac()", "frac: expected a floating tensor, got int64"),
        ("i ** -1", r"pow: whole numbers to the power -1 are not whole; use .float\(\) first"),
        ("g.add(i, i, alpha=0.5)", "add: 0.5 times whole numbers is not whole"),
        ("g.sub(i, b, alpha=2)", "use ~mask"),
        ("i.round(decimals=1)", "round: decimals need a floating tensor, got int64"),
        ("g.addcdiv(f, i, i)", "whether to round is not said"),
        ("g.where(i, f, f)", "expected truth values as condition, got int64"),
        ("g.isclose(f, i)", "isclose: expected operands of one dtype, got float32 and int64"),
        ("g.positive(b)", "positive: not defined on truth values"),
    ],
)  # fmt: skip
def test_refused_dtypes(program, says):
    names = {
        "b": gradling.tensor([True]), "i": gradling.tensor([1]), "f": gradling.tensor([1.0]),
        "g": gradling,
    }  # fmt: skip
    with pytest.raises((TypeError, RuntimeError), match=says):
        eval(program, names)


@pytest.mark.parametrize(
    "program", ["i // z", "i % z", "i // 0", "i % 0", "g.fmod(i, 0)", "5 // z"]
)
def test_whole_division_by_zero_raises(program):
    names = {"i": gradling.tensor([1, 2]), "z": gradling.tensor([1, 0]), "g": gradling}
    with pytest.raises(ZeroDivisionError, match=r"cannot be divided by 0; floats can"):
        eval(program, names)
    with pytest.raises(RuntimeError):  # PyTorch's type
        eval(program, names)


@pytest.mark.parametrize(
    ("program", "says"),
    [
        ("x.clamp()", "clamp: expected min, max or both, got neither"),
        ("g.div(x, x, rounding_mode='up')", "rounding_mode must be None, 'floor' or 'trunc'"),
        ("g.where(x > 0, x)", "expected input and other, or neither"),
        ("x.fill_(g.ones(2))", "expected a number or a 0-d tensor"),
        ("x.fill_('a')", "expected a number or a 0-d tensor, got str 'a'"),
        ("x.copy_(g.ones(3))", r"entries of shape \(3,\) do not broadcast to \(2,\)"),
        ("g.isclose(x, x, rtol=-1)", "tolerances must not be negative"),
        ("x + 'a'", "unsupported operand"),
        ("g.add(x, 'a')", "add: expected a tensor or a number, got str"),
        ("g.where(x > 0, x, g.ones(3))", "do not broadcast"),
        (
            "g.gelu_(x)" if hasattr(gradling, "gelu_") else "g.div(x, x, rounding_mode=1)",
            "rounding",
        ),
    ],
)
def test_bad_arguments(program, says):
    with pytest.raises((TypeError, ValueError), match=says):
        eval(program, {"x": gradling.ones(2), "g": gradling})


@pytest.mark.parametrize(
    ("a", "b", "hint"),
    [
        ((3, 4), (3,), "The second with .unsqueeze(1) would broadcast to (3, 4)."),
        ((2, 4), (2, 3, 4), "The first with .unsqueeze(1) would broadcast to (2, 3, 4)."),
        ((5,), (2,), "The first with .unsqueeze(1) would broadcast to (5, 2)."),
        ((3, 4), (4, 3), "The first transposed (.T) would fit."),
    ],
)
def test_of_the_ways_to_broadcast_the_one_with_the_smallest_result_is_named(a, b, hint):
    with pytest.raises(ValueError, match="do not broadcast") as caught:
        gradling.ones(a) + gradling.ones(b)
    assert str(caught.value).endswith(hint)


# where -------------------------------------------------------------------------------------------


def test_where_keeps_its_condition_out_of_promotion_and_the_graph():
    x = gradling.tensor([1.0, -1.0], dtype=f16, requires_grad=True)
    y = gradling.where(x > 0, x, 0.0)
    assert y.dtype is f16
    y.sum().backward()
    assert x.grad.tolist() == [1.0, 0.0]


def test_where_alone_gives_indices():
    rows, columns = gradling.where(gradling.tensor([[0.0, 1.0], [2.0, 0.0]]) != 0)
    assert rows.tolist() == [0, 1] and columns.tolist() == [1, 0]
    assert gradling.where(gradling.tensor(True))[0].tolist() == [0]
    assert gradling.where(gradling.tensor(False))[0].tolist() == []


def test_rules_mix_numbers_truth_values_and_tensors_under_create_graph():
    for name, op in TABLE.items():
        if gradling.engine.Value not in op.on or not op.differentiable:
            continue
        x = gradling.tensor([0.6, 0.3], dtype=f64, requires_grad=True)
        for place in range(len(op.args)):
            if op.vjp[place] is None:
                continue
            operands = [0.4] * len(op.args)
            if name == "where":
                operands[0] = gradling.tensor([True, False])
            operands[place] = x
            y = op(*operands, *op.defaults)
            (first,) = gradling.autograd.grad(y.sum(), [x], create_graph=True)
            if first.requires_grad:
                first.sum().backward()
            plain = gradling.autograd.grad(op(*operands, *op.defaults).sum(), [x])[0]
            np.testing.assert_array_equal(first.detach().numpy(), plain.numpy(), err_msg=name)


@given(st.sampled_from([f32, f64]), st.booleans(), st.integers(0, 3))
def test_masking_bits_is_what_np_where_does(dtype, zero_first, seed):
    from gradling.tensor.kernels import where

    rng = np.random.default_rng(seed)
    g = rng.normal(size=(70, 70)).astype(dtype)
    g[::7] = [[inf], [-inf], [nan], [-0.0], [1e-300 if dtype is f64 else 1e-40]] * 2
    g = g[:, ::-1] if seed else g
    condition = rng.random(g.shape[1]) < 0.5 if seed > 1 else rng.random(g.shape) < 0.5
    found = where(condition, 0.0, g) if zero_first else where(condition, g, 0.0)
    wanted = np.where(condition, 0.0, g) if zero_first else np.where(condition, g, 0.0)
    np.testing.assert_array_equal(found, wanted)
    assert found.dtype == dtype


# Extreme inputs ----------------------------------------------------------------------------------

HUGE = {f32: 3e38, f64: 1e308}
SAFE = "sigmoid silu gelu softplus logsigmoid elu leaky_relu relu tanh erf atan asinh".split()


@pytest.mark.parametrize("name", SAFE)
@pytest.mark.parametrize("dtype", [f32, f64], ids=str)
def test_no_finite_number_gives_nan(name, dtype):
    edges = [0.0, 1e-40, 1.0, 20.0, 89.0, 104.0, 710.0, 750.0, 1e4, 1e19, 1e30, HUGE[dtype]]
    x = gradling.tensor([*edges, *(-e for e in edges)], dtype=dtype, requires_grad=True)
    y = getattr(elementwise, name)(x)
    assert bool(y.isfinite().all())
    y.sum().backward()
    assert bool(x.grad.isfinite().all())


def exact(name: str, x: float) -> float:
    """Formulas in Python's floats, one branch a case."""
    if name == "softplus":
        return x if x > 20 else math.log1p(math.exp(x)) if x > -700 else math.exp(x)
    if name == "logsigmoid":
        return x if x < -40 else -math.log1p(math.exp(-x))
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0


@pytest.mark.parametrize("name", ["softplus", "logsigmoid", "sigmoid"])
@pytest.mark.parametrize("dtype", [f32, f64], ids=str)
def test_tails_keep_their_digits(name, dtype):
    x = np.concatenate([np.linspace(-80, 80, 321), [-600.0, -100.0, 600.0]]).astype(dtype)
    found = getattr(elementwise, name)(gradling.Tensor(x)).numpy()
    wanted = np.array([exact(name, float(v)) for v in x])
    tiny = float(np.finfo(dtype).tiny)
    np.testing.assert_allclose(found, wanted, rtol=20 * np.finfo(dtype).eps, atol=tiny)


def test_logaddexp_and_xlogy_at_infinities():
    a, b = (gradling.tensor(v, requires_grad=True) for v in ([inf, -inf, 0.0], [inf, -inf, inf]))
    y = gradling.logaddexp(a, b)
    assert y.tolist() == [inf, -inf, inf]
    y.sum().backward()
    assert a.grad.tolist() == [0.5, 0.5, 0.0] and b.grad.tolist() == [0.5, 0.5, 1.0]
    x = gradling.tensor([0.0, 0.0, 0.0], requires_grad=True)
    y = gradling.xlogy(x, gradling.tensor([0.0, inf, nan]))
    assert y.tolist()[:2] == [0.0, 0.0] and math.isnan(y.tolist()[2])


def test_lerp_hits_its_ends_exactly():
    a, b = gradling.tensor([0.1, 1e8, -3.0]), gradling.tensor([0.7, 0.3, 1e-3])
    assert gradling.equal(gradling.lerp(a, b, 1.0), b) and gradling.equal(
        gradling.lerp(a, b, 0.0), a
    )
    assert gradling.equal(gradling.lerp(a, b, gradling.ones(3)), b)


def test_atan2_turns_right_where_squares_would_vanish_or_overflow():
    a = gradling.tensor([1e-200, 1e200, 0.0], dtype=f64, requires_grad=True)
    b = gradling.tensor([1e-200, 1e200, 0.0], dtype=f64, requires_grad=True)
    gradling.atan2(a, b).sum().backward()
    np.testing.assert_allclose(a.grad.numpy(), [5e199, 5e-201, 0.0], rtol=1e-12)
    np.testing.assert_allclose(b.grad.numpy(), [-5e199, -5e-201, 0.0], rtol=1e-12)


@pytest.mark.parametrize(("dtype", "ulps"), [(f64, 2.0), (f32, 1.5)], ids=str)
def test_erf_is_right_to_the_last_bits(dtype, ulps):
    grids = [np.linspace(-6.5, 6.5, 200_001), np.linspace(-0.01, 0.01, 50_001)]
    grids.append(np.logspace(-35, 0, 20_001))
    x = np.concatenate(grids).astype(dtype)
    wanted = np.array([math.erf(v) for v in x.tolist()])
    unit = np.spacing(np.abs(wanted).astype(dtype)).astype(np.float64)
    assert np.max(np.abs(erf(x) - wanted) / unit) <= ulps
    assert np.max(np.abs(erf(x[:60]) - wanted[:60]) / unit[:60]) <= 0.5 + (dtype is f64)


def test_erf_at_the_edges_and_on_any_layout():
    x = np.array([nan, inf, -inf, 0.0, -0.0, 40.0, 1e-310] * 20)
    with np.errstate(invalid="ignore"):
        y = erf(x)
    np.testing.assert_array_equal(y[:6], [nan, 1.0, -1.0, 0.0, -0.0, 1.0])
    assert math.copysign(1, y[4]) == -1 and y[6] == math.erf(1e-310)
    grid = np.linspace(-3, 3, 40_000).reshape(200, 200)
    np.testing.assert_array_equal(erf(grid.T), erf(grid).T)
    np.testing.assert_array_equal(erf(grid[::-2]), erf(grid)[::-2])
    assert erf(np.zeros((0, 3))).shape == (0, 3)


# In place ----------------------------------------------------------------------------------------

FORMS = sorted(n for n in vars(InPlaceForms) if n.endswith("_") and not n.startswith("_"))
ROW = gradling.full((3,), 0.3)
OTHERS = {
    "fill_": (0.3,), "copy_": (ROW,), "lerp_": (ROW, 0.7), "addcmul_": (ROW,) * 2,
    "addcdiv_": (ROW,) * 2,
    "clamp_": (0.4, 0.6), "clip_": (0.4, 0.6), "clamp_min_": (0.5,), "clamp_max_": (0.5,),
    "zero_": (),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_in_place_form_is_the_function_kept(name):
    whole = name.startswith("bitwise")
    start = np.array([[0.2, 0.4, 0.6], [0.5, 0.3, 0.9]])
    start = (start * 10).astype(np.int64) if whole else start
    function = getattr(gradling, name[:-1], None)
    rest = OTHERS.get(name)
    if rest is None:
        one = len(
            [p for p in inspect.signature(function).parameters.values() if p.default is p.empty]
        )
        rest = () if one == 1 else (2,) if whole else (gradling.full((3,), 0.3, dtype=f64),)
    plain = {
        "fill_": gradling.full_like,
        "copy_": lambda x, v: v.double() + 0 * x,
        "zero_": gradling.zeros_like,
    }.get(name, function)
    x = gradling.Tensor(start.copy())
    wanted = plain(x, *rest)
    memory = x._data
    with gradling.no_grad():
        assert getattr(x, name)(*rest) is x
    assert x._data is memory and x.dtype == start.dtype
    np.testing.assert_array_equal(x.numpy(), wanted.numpy().astype(start.dtype))
    if whole:
        return
    leaf = gradling.Tensor(start.copy()).requires_grad_()
    with pytest.raises(RuntimeError, match="leaf"):
        getattr(leaf, name)(*rest)
    np.testing.assert_array_equal(leaf.detach().numpy(), start)
    y = leaf * 1
    getattr(y, name)(*rest)
    if not y.requires_grad:  # truth values have no gradient, also as numbers
        return
    y.sum().backward()
    other = gradling.Tensor(start.copy()).requires_grad_()
    z = plain(other * 1, *rest)
    if z.requires_grad:
        z.to(f64).sum().backward()
        np.testing.assert_array_equal(leaf.grad.numpy(), other.grad.numpy())


def test_what_is_copied_in_gets_the_gradient():
    x, source = gradling.ones(2, 3, requires_grad=True), gradling.ones(3, requires_grad=True)
    y = x * 2
    y.copy_(source)
    (y * y).sum().backward()
    assert source.grad.tolist() == [4.0, 4.0, 4.0] and not x.grad.any()
    y = gradling.zeros(2)
    y.fill_(source.sum())
    y.sum().backward()
    assert source.grad.tolist() == [6.0, 6.0, 6.0]


def test_overwriting_converts_and_refuses_what_does_not_fit():
    assert gradling.tensor([1, 2]).fill_(2.7).tolist() == [2, 2]
    assert gradling.tensor([True]).fill_(2.7).tolist() == [True]
    assert gradling.tensor([1, 2]).copy_(gradling.tensor([1.9, -1.9])).tolist() == [1, -1]
    u = gradling.tensor([1], dtype=gradling.uint8)
    with pytest.raises(ValueError, match="out of the range of uint8"):
        u.fill_(300)
    assert u.tolist() == [1]
    with pytest.raises(TypeError, match="cannot hold"):
        gradling.tensor([1]).add_(1.5)


# Derivatives of what is composed -----------------------------------------------------------------


@pytest.mark.parametrize(
    "function",
    [
        lambda x, y: gradling.addcmul(x, y, y, value=0.5),
        lambda x, y: gradling.addcdiv(x, y, y + 3, value=2),
        lambda x, y: gradling.clamp(x, y - 1, y + 0.1),
        lambda x, y: gradling.where(x > y, x * x, y),
        lambda x, y: gradling.add(x, y, alpha=3),
        lambda x, y: gradling.sub(x, y, alpha=2),
        lambda x, y: gradling.lerp(x, y, 0.3),
        lambda x, y: gradling.float_power(x + 3, y),
        lambda x, y: gradling.logit((x + y).sigmoid(), eps=1e-6),
        lambda x, y: (x * y).add_(x).mul_(y).exp_(),
    ],
)
def test_compositions_have_first_and_second_derivatives(function):
    rng = np.random.default_rng(0)
    x, y = (gradling.Tensor(rng.uniform(0.2, 1, size)).requires_grad_() for size in ((2, 3), (3,)))
    assert gradcheck(function, (x, y))
    assert gradgradcheck(function, (x, y))


def test_close_and_equal():
    a = gradling.tensor([1.0, inf, nan, -inf])
    assert gradling.isclose(a, a).tolist() == [True, True, False, True]
    assert gradling.isclose(a, a, equal_nan=True).tolist() == [True] * 4
    assert not gradling.allclose(a, a) and gradling.allclose(a, a, equal_nan=True)
    assert not gradling.equal(a, a) and gradling.equal(a[:2], a[:2])
    assert not gradling.equal(gradling.ones(2), gradling.ones(2, 1))
    assert gradling.allclose(gradling.ones(0), gradling.ones(0))


def test_overwrite_functions_are_documented():
    assert all(f.__doc__ for f in (overwrite.fill_, overwrite.zero_, overwrite.copy_))
