"""NumPy's functions on tensors: recorded, or refused where a gradient would be lost."""

from __future__ import annotations

import operator
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradling
from gradling.engine import TABLE
from gradling.tensor.numpy_functions import FUNCTIONS, UFUNCS

Tensor = gradling.Tensor
A = np.array([[0.3, 0.8, 0.5], [0.9, 0.2, 0.6]])
S = np.array([[2.0, 0.3, 0.1], [0.3, 1.5, 0.2], [0.1, 0.2, 1.0]])
V = np.array([0.4, 0.7, 0.1])
F = Callable[..., Any]

# Each program gives the same numbers on arrays and on tensors, and on tensors it is differentiable.
PROGRAMS: list[tuple[F, tuple[Any, ...]]] = [
    (lambda a: np.sum(a), (A,)),
    (lambda a: np.sum(a, axis=0, keepdims=True), (A,)),
    (lambda a: np.sum(a, 1), (A,)),
    (lambda a: a.sum(axis=1), (A,)),
    (lambda a: np.prod(a, axis=0), (A,)),
    (lambda a: np.mean(a, axis=(0, 1)), (A,)),
    (lambda a: np.var(a, axis=0), (A,)),
    (lambda a: np.std(a, axis=1, ddof=1, keepdims=True), (A,)),
    (lambda a: np.max(a), (A,)),
    (lambda a: np.amin(a, axis=1), (A,)),
    (lambda a: np.ptp(a, axis=0), (A,)),
    (lambda a: np.nansum(a, axis=0), (A,)),
    (lambda a: np.nanmean(a), (A,)),
    (lambda a: np.cumsum(a), (A,)),
    (lambda a: np.cumsum(a, axis=1), (A,)),
    (lambda a: np.cumprod(a, axis=0), (A,)),
    (lambda a: np.diff(a, axis=1), (A,)),
    (lambda a: np.add.reduce(a), (A,)),
    (lambda a: np.add.reduce(a, axis=1, keepdims=True), (A,)),
    (lambda a: np.maximum.reduce(a, 1), (A,)),
    (lambda a: np.multiply.reduce(a), (A,)),
    (lambda a: np.add.accumulate(a, axis=1), (A,)),
    (lambda a, v: np.multiply.outer(a, v), (A, V)),
    (lambda a, v: np.subtract.outer(a, v), (A, V)),
    (lambda a: np.reshape(a, (3, 2)), (A,)),
    (lambda a: np.ravel(a), (A,)),
    (lambda a: np.transpose(a), (A,)),
    (lambda a: np.transpose(a, (1, 0)), (A,)),
    (lambda a: np.swapaxes(a, 0, 1), (A,)),
    (lambda a: np.moveaxis(a, 0, -1), (A,)),
    (lambda a: np.expand_dims(a, (0, 2)), (A,)),
    (lambda a: np.squeeze(a), (A[:1],)),
    (lambda a: np.squeeze(a, axis=0), (A[:1],)),
    (lambda a: np.broadcast_to(a, (4, 2, 3)), (A,)),
    (lambda a, v: np.broadcast_arrays(a, v)[1], (A, V)),
    (lambda a: np.concatenate([a, A, a], axis=1), (A,)),
    (lambda a: np.concatenate((A, a), axis=None), (A,)),
    (lambda a: np.stack([a, A], axis=2), (A,)),
    (lambda a, v: np.vstack([a, v]), (A, V)),
    (lambda v: np.hstack([v, 2 * v]), (V,)),
    (lambda v: np.dstack([v, V]), (V,)),
    (lambda v: np.append(v, v), (V,)),
    (lambda a: np.split(a, 3, axis=1)[1], (A,)),
    (lambda a: np.array_split(a, 2, axis=1)[0], (A,)),
    (lambda a: np.tile(a, 2), (A,)),
    (lambda a: np.tile(a, (2, 1, 2)), (A,)),
    (lambda a: np.repeat(a, 2), (A,)),
    (lambda a: np.repeat(a, [1, 2], axis=0), (A,)),
    (lambda a: np.flip(a), (A,)),
    (lambda a: np.flip(a, 1), (A,)),
    (lambda a: np.fliplr(a), (A,)),
    (lambda a: np.flipud(a), (A,)),
    (lambda a: np.roll(a, 1), (A,)),
    (lambda a: np.roll(a, (1, 2), axis=(0, 1)), (A,)),
    (lambda a: np.rot90(a), (A,)),
    (lambda a: np.pad(a, ((1, 2), (0, 1)), constant_values=7.0), (A,)),
    (lambda a: np.pad(a, 1), (A,)),
    (lambda v: np.meshgrid(v, V)[0], (V,)),
    (lambda v: np.atleast_2d(v), (V,)),
    (lambda v: np.diag(v), (V,)),
    (lambda a: np.diagonal(a, 1), (A,)),
    (lambda a: np.trace(a), (S,)),
    (lambda a: np.tril(a) + np.triu(a, 1) * 2, (S,)),
    (lambda a: np.copy(a), (A,)),
    (lambda a: np.where(A > 0.5, a, -1.0), (A,)),
    (lambda a, v: np.where(A > 0.5, a, v), (A, V)),
    (lambda a: np.clip(a, 0.25, 0.7), (A,)),
    (lambda a: np.clip(a, None, V), (A,)),
    (lambda a: np.nan_to_num(a), (A,)),
    (lambda a: np.round(a, 1), (A,)),
    (lambda a: np.sort(a, axis=1), (A,)),
    (lambda a: np.take(a, [2, 0], axis=1), (A,)),
    (lambda a: np.take_along_axis(a, np.array([[1], [2]]), 1), (A,)),
    (lambda a, v: np.dot(a, v), (A, V)),
    (lambda a: np.dot(a, 2.0), (A,)),
    (lambda a, b: np.matmul(a, b), (A, S)),
    (lambda a: a @ S, (A,)),
    (lambda a: S @ a.T, (A,)),
    (lambda v: V @ v, (V,)),
    (lambda a, v: np.inner(a, v), (A, V)),
    (lambda a, v: np.outer(a, v), (A, V)),
    (lambda v: np.vdot(v, V), (V,)),
    (lambda a: np.tensordot(a, A, axes=(0, 0)), (A,)),
    (lambda a: np.tensordot(a, A, 2), (A,)),
    (lambda a, v: np.einsum("ij,j->i", a, v), (A, V)),
    (lambda a, v: np.kron(a, v), (A, V)),
    (lambda a: np.linalg.norm(a), (A,)),
    (lambda a: np.linalg.norm(a, axis=1), (A,)),
    (lambda a: np.linalg.inv(a), (S,)),
    (lambda a: np.linalg.det(a), (S,)),
    (lambda a: np.linalg.slogdet(a)[1], (S,)),
    (lambda a, v: np.linalg.solve(a, v), (S, V)),
    (lambda a: np.linalg.cholesky(a + a.T), (S,)),
    (lambda a: np.linalg.matrix_power(a, 3), (S,)),
    (lambda a: np.cbrt(a) + np.deg2rad(a) + np.degrees(a), (A,)),
    (lambda a: np.fabs(a) + np.positive(a) + np.conjugate(a), (A,)),
    (lambda a: np.divmod(a, 0.27)[1], (A,)),
    (lambda a: np.add(a, 1, dtype=np.float64), (A,)),
]  # fmt: skip


@pytest.mark.parametrize("place", range(len(PROGRAMS)))
def test_the_same_numbers_with_a_gradient(place: int) -> None:
    program, arrays = PROGRAMS[place]
    tensors = [gradling.tensor(a, requires_grad=True) for a in arrays]
    y = program(*tensors)
    wanted = np.asarray(program(*arrays))
    assert isinstance(y, Tensor) and y.requires_grad
    assert y.shape == wanted.shape and np.allclose(np.asarray(y), wanted)
    u = np.random.default_rng(0).normal(size=wanted.shape)
    slopes = gradling.autograd.grad(y, tensors, gradling.tensor(u), materialize_grads=True)
    for at, (slope, array) in enumerate(zip(slopes, arrays, strict=True)):
        v = np.random.default_rng(1).normal(size=array.shape)
        ends = [
            np.asarray(program(*[a + h * v if i == at else a for i, a in enumerate(arrays)]))
            for h in (1e-6, -1e-6)
        ]
        quotient = np.sum(u * (ends[0] - ends[1])) / 2e-6
        assert np.sum(np.asarray(slope) * v) == pytest.approx(quotient, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("func", FUNCTIONS, ids=lambda f: f.__name__)
def test_every_mapped_function_is_in_a_program(func: F) -> None:
    """Discovered from the table of mapped functions: a new one needs a program above."""
    names = {n for program, _ in PROGRAMS for n in names_in(program.__code__)}
    creators = {
        "zeros_like",
        "ones_like",
        "full_like",
        "amax",
        "around",
        "atleast_1d",
        "max",
        "min",
    }
    assert func.__name__ in names | creators


def names_in(code: Any) -> set[str]:
    return {
        *code.co_names,
        *(n for c in code.co_consts if hasattr(c, "co_names") for n in names_in(c)),
    }


ROWS = [
    (op, kernel)
    for op in TABLE.values()
    if float in op.on and isinstance(kernel := op.on.get(np.ndarray), np.ufunc)
]


@pytest.mark.parametrize(("op", "ufunc"), ROWS, ids=[op.name for op, _ in ROWS])
def test_every_ufunc_of_the_table(op: Any, ufunc: Any) -> None:
    numbers = [np.array([0.25, 0.5]), np.array([0.75, 0.125])][: len(op.args)]
    if op.name == "acosh":
        numbers = [np.array([1.25, 1.5])]
    operands = [gradling.tensor(n, requires_grad=True) for n in numbers]
    y = ufunc(*operands)
    assert isinstance(y, Tensor)
    assert np.allclose(np.asarray(y), ufunc(*numbers), equal_nan=True)
    assert (y.grad_fn is not None and y.grad_fn.name == op.name) == op.differentiable
    if len(op.args) == 2:
        for mixed in (ufunc(numbers[0], operands[1]), ufunc(operands[0], numbers[1])):
            assert np.allclose(np.asarray(mixed), ufunc(*numbers)) and isinstance(mixed, Tensor)


OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]


@pytest.mark.parametrize("operate", OPERATORS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("left", [V, V.astype("f"), np.float64(2.0), np.float32(2.0), np.int64(2)])
def test_arrays_on_either_side(operate: F, left: Any) -> None:
    x = gradling.tensor(V, requires_grad=True)
    y, z = operate(left, x), operate(x, left)
    assert isinstance(y, Tensor) and isinstance(z, Tensor)
    assert np.allclose(np.asarray(y), operate(left, V)) and np.allclose(
        np.asarray(z), operate(V, left)
    )
    y.sum().backward()
    assert x.grad is not None


def test_single_precision_meets_double() -> None:
    x = gradling.ones(3, requires_grad=True)
    assert (V * x).dtype is gradling.float64  # as between tensors
    assert (np.float64(2) * x).dtype is gradling.float32  # numbers have no precision of their own
    assert (V @ x).dtype is (x @ V).dtype is gradling.float64
    (V @ x).backward()
    assert x.grad is not None and x.grad.dtype is gradling.float32


REFUSED: list[F] = [
    lambda x: np.fft.fft(x),
    lambda x: np.median(x),
    lambda x: np.heaviside(x, 0.5),
    lambda x: np.sum(x, where=[True, False, True]),
    lambda x: np.add.at(np.zeros(3), [0, 1, 2], x),
    lambda x: np.copyto(np.zeros(3), x),
    lambda x: np.put(np.zeros(3), [0, 1, 2], x),
    lambda x: np.add(x, 1, out=np.zeros(3), where=np.array([True, False, True])),
    lambda x: np.interp(x, V, V),
    lambda x: np.pad(x, 1, mode="reflect"),
    lambda x: np.linspace(x[0], 1.0, 3),
]


@pytest.mark.parametrize("call", REFUSED)
def test_a_gradient_is_not_lost_without_a_word(call: F) -> None:
    x = gradling.tensor(V, requires_grad=True)
    with pytest.raises(TypeError, match=r"np\..*(t.detach\(\).numpy\(\)|see gradling)"):
        call(x)
    with gradling.no_grad():
        if "pad" not in call.__code__.co_names:
            call(x)  # nothing is lost here
            call(x.detach())


def test_what_has_no_gradient_anyway() -> None:
    x = gradling.tensor(V, requires_grad=True)
    assert np.argsort(x).tolist() == [2, 0, 1] and np.argmax(x) == 1
    assert np.shape(x) == (3,) and np.ndim(x) == 1 and np.size(x) == 3
    assert np.allclose(x, V) and np.array_equal(x, V) and np.isclose(x, 0.4)[0]
    assert np.signbit(x).tolist() == [False] * 3
    assert np.count_nonzero(x) == 3 and np.nonzero(x)[0].tolist() == [0, 1, 2]
    assert np.zeros_like(x).tolist() == [0.0] * 3 and not np.ones_like(x).requires_grad
    assert np.full_like(x, 2.0).tolist() == [2.0] * 3
    assert "0.4" in np.array2string(x)


def test_writing_results_to_arrays_and_tensors() -> None:
    array, x = V.copy(), gradling.tensor(V)
    before = array
    array += x
    assert array is before and np.allclose(array, 2 * V)
    out = gradling.zeros(3, dtype=gradling.float64)
    assert np.multiply(x, 2.0, out=out) is out and np.allclose(out, 2 * V)
    assert np.sum(x, out=np.zeros(())) == pytest.approx(V.sum())
    tracked = x.clone().requires_grad_()
    with pytest.raises(TypeError, match=r"array \+= t becomes array = array \+ t"):
        array += tracked
    assert np.allclose(array, 2 * V)
    recorded = np.exp(tracked, out=out)
    assert recorded is out and out.grad_fn is not None


def test_as_an_array() -> None:
    x = gradling.tensor(A, requires_grad=True)
    array = np.asarray(x)
    assert type(array) is np.ndarray and np.shares_memory(array, x.detach().numpy())
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 1.0
    assert np.asarray(x, dtype="f").dtype == np.float32
    copied = np.array(x)
    copied[0] = 9.0
    assert x[0, 0].item() == 0.3
    assert np.array([x[0], x[1]]).shape == (2, 3) and np.array([x[0, 0], x[0, 1]]).tolist() == [
        0.3,
        0.8,
    ]
    assert [row.tolist() for row in x] == A.tolist()
    with pytest.raises(ValueError, match="needs a copy"):
        np.array(x, dtype="f", copy=False)
    plain = x.detach()
    np.asarray(plain)[0, 0] = 5.0
    assert plain[0, 0].item() == 5.0


def test_matplotlib_plots_tensors(tmp_path: Path) -> None:
    matplotlib = pytest.importorskip("matplotlib", reason="matplotlib is an extra: gradling[plot]")
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    x = gradling.linspace(0, 1, 5, requires_grad=True)
    figure, axes = plt.subplots()
    axes.plot(x, x * x)
    axes.scatter(x, x.sin(), c=x)
    axes.bar([1, 2, 3, 4, 5], x)
    axes.hist(x)
    axes.imshow(gradling.ones(2, 2, requires_grad=True))
    axes.fill_between(x, x, 2 * x)
    axes.set_xlim(x[0], x[-1] + 1)
    figure.savefig(tmp_path / "plot.png")
    plt.close(figure)
    assert (tmp_path / "plot.png").stat().st_size > 1000


class TestMemoryOfOthers:
    def test_an_array_edited_after_it_was_used(self) -> None:
        mask = np.ones(3)
        x = gradling.tensor(V, requires_grad=True)
        y = (x * mask).sum()
        mask[0] = 0.0
        with pytest.raises(RuntimeError, match="'b', which was changed afterwards by NumPy code"):
            y.backward()

    def test_dlpack_both_ways(self) -> None:
        array = np.arange(6.0).reshape(2, 3)
        x = gradling.from_dlpack(array)
        assert x.dtype is gradling.float64 and np.shares_memory(x.numpy(), array)
        array[0, 0] = 7.0
        assert x[0, 0].item() == 7.0
        back = np.from_dlpack(x)
        assert np.shares_memory(back, array) and x.__dlpack_device__() == (1, 0)
        assert np.shares_memory(np.from_dlpack(x.T), array)

    def test_dlpack_of_tensors_in_a_graph(self) -> None:
        x = gradling.ones(3, requires_grad=True)
        with pytest.raises(BufferError, match=r"in a graph, .*x.detach\(\)"):
            np.from_dlpack(x)
        assert np.from_dlpack(x.detach()).tolist() == [1.0, 1.0, 1.0]

    def test_dlpack_of_memory_that_is_read_only(self) -> None:
        array = np.arange(3.0)
        array.flags.writeable = False
        try:
            x = gradling.from_dlpack(array)
        except BufferError:
            return  # before NumPy 2.1 read-only memory cannot be handed over at all
        with pytest.raises(RuntimeError, match="read-only"):
            x.add_(1)

    def test_a_gradient_notices_edits_from_the_other_side(self) -> None:
        other = np.ones(3)
        x = gradling.from_dlpack(other).requires_grad_()
        y = (x * x).sum()
        other[1] = 5.0
        with pytest.raises(RuntimeError, match="changed afterwards by NumPy code outside"):
            y.backward()

    def test_what_cannot_be_taken_over(self) -> None:
        with pytest.raises(TypeError, match="expected something with __dlpack__, got list"):
            gradling.from_dlpack([1.0])
        with pytest.raises(TypeError, match="there are no tensors of complex128"):
            gradling.from_dlpack(np.ones(2, complex))


def test_ufuncs_of_the_second_table_are_ufuncs() -> None:
    assert all(isinstance(ufunc, np.ufunc) for ufunc, _ in UFUNCS)
