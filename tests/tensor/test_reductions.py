"""Reductions, running results, sorting and shares by themselves."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gradling
from gradling.nn import Parameter
from gradling.testing import gradcheck, gradgradcheck, shapes

inf, nan = math.inf, math.nan
f16, f32, f64 = gradling.float16, gradling.float32, gradling.float64


def leaf(data: Any) -> gradling.Tensor:
    return gradling.tensor(data, dtype=f64, requires_grad=True)


def gradient(function: Any, data: Any) -> list[Any]:
    x = leaf(data)
    function(x).sum().backward()
    return x.grad.tolist()


# Ties, zeros, kinks ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "data", "wanted"),
    [
        (lambda x: x.amax(0), [1.0, 3.0, 3.0], [0.0, 0.5, 0.5]),
        (lambda x: x.amin(0), [1.0, 1.0, 3.0], [0.5, 0.5, 0.0]),
        (lambda x: x.max(), [1.0, 3.0, 3.0], [0.0, 0.5, 0.5]),
        (lambda x: x.min(), [1.0, 1.0, 3.0], [0.5, 0.5, 0.0]),
        (lambda x: x.median(), [1.0, 2.0, 2.0], [0.0, 0.5, 0.5]),
        (lambda x: x.max(0).values, [1.0, 3.0, 3.0], [0.0, 1.0, 0.0]),
        (lambda x: x.min(0).values, [1.0, 1.0, 3.0], [1.0, 0.0, 0.0]),
        (lambda x: x.cummax(0).values, [1.0, 1.0, 0.0], [1.0, 2.0, 0.0]),
        (lambda x: x.prod(), [2.0, 0.0, 3.0], [0.0, 6.0, 0.0]),
        (lambda x: x.prod(), [2.0, 0.0, 0.0], [0.0, 0.0, 0.0]),
        (lambda x: x.cumprod(0), [2.0, 0.0, 3.0], [1.0, 8.0, 0.0]),
        (lambda x: x.cumprod(0), [2.0, 0.0, 0.0, 5.0], [1.0, 2.0, 0.0, 0.0]),
        (lambda x: x.std(), [2.0, 2.0, 2.0], [0.0, 0.0, 0.0]),
        (lambda x: x.norm(), [0.0, 0.0], [0.0, 0.0]),
        (lambda x: x.norm(1), [0.0, -2.0], [0.0, -1.0]),
        (lambda x: x.norm(3), [0.0, 0.0], [0.0, 0.0]),
        (lambda x: x.norm(0), [0.0, 5.0], [0.0, 0.0]),
        (lambda x: x.norm(inf), [3.0, -3.0, 1.0], [0.5, -0.5, 0.0]),
    ],
)
def test_the_gradient_at_ties_and_zeros(function, data, wanted):
    assert gradient(function, data) == wanted


@given(st.data())
def test_a_tie_shares_out_all_of_the_gradient(data):
    x = np.array(data.draw(st.lists(st.integers(0, 2), min_size=1, max_size=6)), float)
    for function in (gradling.amax, gradling.amin, gradling.median):
        g = gradient(lambda t, f=function: f(t), x)
        assert math.isclose(sum(g), 1.0)
        assert len({v for v in g if v}) == 1


@pytest.mark.parametrize("zeros", [(), (0,), (2,), (0, 3), (1, 2, 3)])
@pytest.mark.parametrize("name", ["prod", "cumprod"])
def test_products_are_right_at_zeros_to_the_second_order(name, zeros):
    data = np.array([1.5, -0.7, 2.0, 0.4])
    data[list(zeros)] = 0.0
    x = leaf(data)
    function = (lambda t: t.prod()) if name == "prod" else (lambda t: t.cumprod(0))
    assert gradcheck(function, (x,))
    assert gradgradcheck(function, (x,))


def hessian(function: Any, x: Any) -> Any:
    (first,) = gradling.autograd.grad(function(x), [x], create_graph=True)
    return np.array([gradling.autograd.grad(f, [x], retain_graph=True)[0].tolist() for f in first])


def test_the_hessian_of_a_product_with_two_zeros():
    # x0 x1 x2 x3 with x1 = x2 = 0: only the mixed derivative of the two zeros is left, x0 x3
    wanted = np.zeros((4, 4))
    wanted[1, 2] = wanted[2, 1] = 10.0
    np.testing.assert_allclose(hessian(lambda t: t.prod(), leaf([2.0, 0.0, 0.0, 5.0])), wanted)


# Derivatives of what is picked or composed -------------------------------------------------------

SMOOTH = {
    "max": lambda x: x.max(1).values,
    "min keepdim": lambda x: x.min(0, keepdim=True).values,
    "sort": lambda x: x.sort(0, descending=True).values,
    "topk": lambda x: x.topk(2, 1, largest=False).values,
    "kthvalue": lambda x: x.kthvalue(2, 1).values,
    "median": lambda x: x.median(0).values,
    "cummin": lambda x: x.cummin(1).values,
    "aminmax": lambda x: x.aminmax(dim=1).max - x.aminmax(dim=1).min,
    "nansum": lambda x: x.nansum(1) ** 2,
    "nanmean": lambda x: x.nanmean(0) ** 2,
    "diff": lambda x: x.diff(2, 1) ** 2,
    "std_mean": lambda x: gradling.std_mean(x, 1)[0] * gradling.std_mean(x, 1)[1],
    "var": lambda x: x.var((0, 1), correction=0),
    "norm 2": lambda x: x.norm(dim=1),
    "norm 3": lambda x: x.norm(3, dim=(0, 1)),
    "norm 0.5": lambda x: x.norm(0.5, dim=1),
    "norm -1": lambda x: x.norm(-1, dim=1),
    "logcumsumexp": lambda x: x.logcumsumexp(1),
    "softmax": lambda x: x.softmax(0),
    "log_softmax": lambda x: x.log_softmax(-1),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_first_and_second_derivatives(name):
    x = leaf(np.random.default_rng(1).permutation(12).reshape(3, 4) / 5 + 0.3)
    assert gradcheck(SMOOTH[name], (x,))
    assert gradgradcheck(SMOOTH[name], (x,))


# Numerical care ----------------------------------------------------------------------------------


def test_float16_adds_up_in_float32():
    x = gradling.full((4096,), 64.0, dtype=f16)
    assert x.mean().item() == 64.0 and x.sum().item() == inf
    assert gradling.ones(3000, dtype=f16).cumsum(0)[-1].item() == 3000
    assert x.var().item() == 0.0 and x.std().dtype is f16
    assert gradling.full((4,), 100.0, dtype=f16).softmax(0).tolist() == [0.25] * 4
    assert gradling.full((300,), 300.0, dtype=f16).norm().item() == pytest.approx(5196, abs=4)


@pytest.mark.parametrize("dtype", [f32, f64], ids=str)
def test_sums_of_exponentials_neither_overflow_nor_vanish(dtype):
    x = gradling.tensor([-1e4, 0.0, 1e4, 1e4], dtype=dtype, requires_grad=True)
    assert x.logsumexp(0).item() == pytest.approx(1e4 + math.log(2))
    assert (x * 1e-3).softmax(0).sum().item() == pytest.approx(1.0)
    assert x.log_softmax(0).tolist()[:2] == pytest.approx([-2e4 - math.log(2), -1e4 - math.log(2)])
    for name in ("logsumexp", "softmax", "log_softmax", "logcumsumexp"):
        x.grad = None
        getattr(x, name)(0).sum().backward()
        assert bool(x.grad.isfinite().all())


def test_logcumsumexp_gradient_of_a_long_steep_row():
    x = leaf(np.linspace(-2000, 2000, 5000))
    y = x.logcumsumexp(0)
    assert bool(y.isfinite().all())
    y.sum().backward()
    assert bool(x.grad.isfinite().all()) and x.grad.sum().item() == pytest.approx(5000)


def test_log_softmax_keeps_what_softmax_loses():
    assert gradling.tensor([0.0, -1000.0]).log_softmax(0).tolist() == [0.0, -1000.0]


# Shapes, dims, dtypes ----------------------------------------------------------------------------


@given(shapes(min_dims=1, min_side=1), st.booleans(), st.booleans(), st.data())
def test_dims_in_any_spelling(shape, keepdim, listed, data):
    order = data.draw(st.permutations(range(len(shape))))
    dims = tuple(d - len(shape) * data.draw(st.booleans()) for d in order[: len(order) // 2 + 1])
    x = np.random.default_rng(0).normal(size=shape)
    t = gradling.Tensor(x)
    for name in ("sum", "mean", "amax", "amin"):
        found = getattr(t, name)(list(dims) if listed else dims, keepdim)
        wanted = getattr(np, name)(x, dims, keepdims=keepdim)
        np.testing.assert_allclose(found.numpy(), wanted, err_msg=name)
    np.testing.assert_allclose(
        t.prod(dims[0], keepdim).numpy(), np.prod(x, dims[0], keepdims=keepdim)
    )


def test_numpy_names_are_taken():
    x = gradling.tensor([[1.0, 2.0], [3.0, 5.0]])
    assert gradling.equal(x.sum(axis=0, keepdims=True), x.sum(0, keepdim=True))
    assert gradling.equal(x.max(axis=1).values, x.max(dim=1).values)
    assert gradling.equal(x.softmax(axis=0), x.softmax(0))
    with pytest.raises(TypeError, match="got both dim and axis; use dim"):
        x.sum(dim=0, axis=1)
    with pytest.raises(TypeError, match="unexpected keyword"):
        x.sum(axes=1)


def test_results_of_a_parameter_are_plain_tensors():
    w = Parameter(gradling.tensor([[3.0, 1.0], [2.0, 4.0]]))
    results: list[Any] = [
        w.argmax(), w.sort().indices, w.max(1).indices, w.all(), w.count_nonzero(), w.unique(),
        w.topk(1).indices, w.median(0).indices, w.max(1).values, w.sum(),
    ]  # fmt: skip
    assert all(type(r) is gradling.Tensor for r in results)
    assert not any(r.requires_grad for r in results[:8]) and results[8].requires_grad


@pytest.mark.parametrize(
    ("program", "dtype"),
    [
        ("b.sum()", "int64"), ("u.sum()", "int64"), ("h.sum()", "float16"), ("b.prod()", "int64"),
        ("u.cumsum(0)", "int64"), ("u.cumprod(0)", "int64"), ("u.amax()", "uint8"),
        ("u.all()", "uint8"), ("i.any()", "bool"), ("f.argmax()", "int64"), ("b.amax()", "bool"),
        ("i.logsumexp(0)", "float32"), ("u.median()", "uint8"), ("f.count_nonzero()", "int64"),
        ("i.sum(dtype=g.float64)", "float64"), ("i.mean(dtype=g.float32)", "float32"),
        ("i.softmax(0, g.float64)", "float64"), ("f.sum(dtype=g.int64)", "int64"),
        ("i.nansum()", "int64"), ("i.bincount()", "int64"), ("i.bincount(f)", "float32"),
        ("i.bincount(i)", "float64"), ("i.diff()", "int64"), ("b.diff()", "bool"),
    ],
)  # fmt: skip
def test_dtype_of_the_result(program, dtype):
    kinds = {"b": "bool", "u": "uint8", "i": "int64", "h": "float16", "f": "float32"}
    names = {name: gradling.ones(2).to(kind) for name, kind in kinds.items()}
    assert eval(program, names | {"g": gradling}).dtype == np.dtype(dtype)


# Order -------------------------------------------------------------------------------------------


@given(st.lists(st.sampled_from([0.0, 1.0, 2.0, inf, -inf, nan]), max_size=8), st.booleans())
def test_sorting_is_stable_and_puts_nan_above_all(numbers, descending):
    x = gradling.tensor(numbers, dtype=f64)
    values, indices = x.sort(descending=descending)
    assert indices.dtype == gradling.int64
    np.testing.assert_array_equal(values.numpy(), x.numpy()[indices.numpy()])
    key = [math.inf if v == inf else v for v in numbers]
    rank = [(2 if math.isnan(v) else 1, 0 if math.isnan(v) else v) for v in key]
    places = sorted(range(len(rank)), key=lambda k: rank[k])
    if descending:
        places = sorted(range(len(rank)), key=lambda k: rank[k], reverse=True)
    assert indices.tolist() == places
    assert x.argsort(descending=descending).tolist() == places
    k = len(numbers) // 2
    assert x.topk(k, largest=descending).indices.tolist() == places[:k]


@given(st.lists(st.integers(0, 4) | st.just(nan), min_size=1, max_size=9))
def test_medians(numbers):
    x = gradling.tensor([float(v) for v in numbers])
    value, place = x.median(0)
    if any(math.isnan(v) for v in numbers):
        assert math.isnan(value.item()) and math.isnan(x.median().item())
        assert math.isnan(numbers[place.item()])
    else:
        assert value.item() == x.median().item() == sorted(numbers)[(len(numbers) - 1) // 2]
        assert numbers[place.item()] == value.item()


@given(st.lists(st.integers(-2, 2), max_size=10))
def test_unique_undoes_itself(numbers):
    x = gradling.tensor(numbers, dtype=gradling.int64)
    for function in (gradling.unique, gradling.unique_consecutive):
        values, inverse, counts = function(x, return_inverse=True, return_counts=True)
        assert gradling.equal(values[inverse], x)
        assert counts.sum().item() == len(numbers)
    assert gradling.unique(x).tolist() == sorted(set(numbers))
    assert gradling.unique(gradling.tensor([nan, nan, 1.0])).shape == (3,)  # nan equals nothing


def test_max_of_two_tensors_is_maximum():
    x, y = gradling.tensor([1.0, 4.0]), gradling.tensor([2.0, 3.0])
    assert gradling.max(x, y).tolist() == [2.0, 4.0] == x.max(other=y).tolist()
    assert gradling.min(x, y).tolist() == [1.0, 3.0]


def test_running_extremes_remember_the_last_of_a_tie():
    values, indices = gradling.tensor([1.0, 3.0, 3.0, 2.0]).cummax(0)
    assert values.tolist() == [1.0, 3.0, 3.0, 3.0] and indices.tolist() == [0, 1, 2, 2]


# Refusals ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("program", "error", "says"),
    [
        ("i.mean()", TypeError, "mean: expected a floating tensor, got int64"),
        ("i.std()", TypeError, "std: expected a floating tensor"),
        ("i.softmax(0)", TypeError, "softmax: expected a floating tensor, got int64"),
        ("x.sum(2)", IndexError, "sum: dim 2 is out of range for a tensor with 2 dimensions"),
        ("x.sum((0, -2))", ValueError, "names an axis twice"),
        ("x.sum(0.5)", TypeError, "sum: expected dim to be an int, got float 0.5"),
        ("x.prod((0, 1))", TypeError, "prod: expected dim to be an int"),
        ("e.amax()", RuntimeError, "amax: the tensor is empty: there is nothing to choose from"),
        ("e.max(1)", IndexError, r"max: axis 1 of shape \(2, 0\) is empty"),
        ("e.argmin(1)", IndexError, "argmin: axis 1 of shape"),
        ("e.argmax()", IndexError, "argmax: the tensor is empty"),
        ("e.median(1)", IndexError, "median: axis 1"),
        ("x.topk(3)", RuntimeError, "topk: k must be 0 to 2, the size of axis -1, got 3"),
        ("x.topk(1.5)", TypeError, "topk: expected k to be a whole number"),
        ("x.kthvalue(0)", ValueError, "kthvalue: k must be 1 to 2"),
        ("x.var(0, unbiased=True, correction=1)", TypeError, "expected unbiased or correction"),
        ("x.norm('nuc')", ValueError, "norm: p must be a number or 'fro', got 'nuc'"),
        ("x.bincount()", TypeError, "bincount: expected whole numbers, got float32"),
        ("i.bincount(x)", ValueError, "bincount: expected a weight per entry"),
        ("(-i).bincount()", ValueError, "expected numbers and minlength to be 0 or more"),
        ("x.sum().diff()", ValueError, "diff: a 0-d tensor has no neighbours"),
        ("x.logsumexp()", TypeError, "missing 1 required positional argument: 'dim'"),
        ("x.cumsum()", TypeError, "missing 1 required positional argument: 'dim'"),
    ],
)
def test_bad_arguments(program, error, says):
    names = {"x": gradling.ones(2, 2), "i": gradling.ones(2).long(), "e": gradling.ones(2, 0)}
    with pytest.raises(error, match=says):
        eval(program, names)


def test_too_few_entries_for_a_spread_are_warned_of():
    with pytest.warns(UserWarning, match="std: 1 entries leave no degree of freedom") as record:
        assert math.isnan(gradling.ones(1).std().item())
    assert record[0].filename == __file__
    assert gradling.ones(1).std(correction=0).item() == 0.0


def test_nothing_at_all():
    e = gradling.ones(0)
    assert e.sum().item() == 0 and e.prod().item() == 1 and math.isnan(e.mean().item())
    assert e.logsumexp(0).item() == -inf and e.norm().item() == 0
    assert e.all().item() is True and e.any().item() is False
    assert e.softmax(0).shape == e.cumsum(0).shape == e.sort().values.shape == (0,)
    assert gradling.ones(2, 0).sum(1).tolist() == [0, 0]
