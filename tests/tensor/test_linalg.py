"""Linear algebra: identities, gradients of what is composed, hard cases, and messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradling
from gradling import Tensor, linalg
from gradling.testing import check_gradients

RNG = np.random.default_rng(0)
A = RNG.normal(size=(3, 3)) + 2 * np.eye(3)
STACK = RNG.normal(size=(2, 3, 3)) + 3 * np.eye(3)
TALL = RNG.normal(size=(4, 2)) + np.eye(4, 2)


def close(a: Tensor, b: Any) -> None:
    expected = b.detach().numpy() if isinstance(b, Tensor) else b
    np.testing.assert_allclose(a.detach().numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("matrix", [A, STACK, np.eye(1), np.ones((2, 0, 0))])
def test_identities(matrix: Any) -> None:
    x = gradling.tensor(matrix)
    eye = np.broadcast_to(np.eye(x.shape[-1]), x.shape)
    close(x @ linalg.inv(x), eye)
    close(x @ linalg.solve(x, gradling.tensor(eye.copy())), eye)
    sign, logabsdet = linalg.slogdet(x)
    close(sign * logabsdet.exp(), linalg.det(x))
    if x.numel():
        q, r = linalg.qr(x)
        close(q @ r, x)
        close(q.mT @ q, eye)
        u, s, v = linalg.svd(x)
        close(u * s.unsqueeze(-2) @ v, x)
        spd = x @ x.mT
        factor = linalg.cholesky(spd)
        close(factor @ factor.mT, spd)
        values, vectors = linalg.eigh(spd)
        close(vectors * values.unsqueeze(-2) @ vectors.mT, spd)
        close(linalg.pinv(x), linalg.inv(x))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: linalg.matrix_power(x, 3),
        lambda x: linalg.matrix_power(x, -2),
        lambda x: gradling.logdet(x @ x.mT),
        lambda x: linalg.cond(x, "fro"),
        lambda x: linalg.norm(x, "nuc"),
        lambda x: linalg.norm(x, 2),
        lambda x: linalg.norm(x, 1),
        lambda x: linalg.norm(x, -np.inf),
        lambda x: linalg.multi_dot([x, x.mT, x[0]]),
        lambda x: linalg.cross(x, x.mT),
        lambda x: linalg.qr(x[:2]).R,
        lambda x: linalg.solve(x, x[0]),
        lambda x: linalg.solve(x, x.mT, left=False),
        lambda x: linalg.solve_triangular(x, x, upper=True, unitriangular=True),
        lambda x: linalg.lstsq(x[:, :2], x[:, 2:]).solution,
        lambda x: linalg.svdvals(x),
        lambda x: linalg.eigvalsh(x + x.mT),
        lambda x: gradling.addmm(x, x, x, beta=0.5, alpha=2),
        lambda x: gradling.baddbmm(x, x[None], x[None]),
        lambda x: gradling.kron(x[:2], x[:, 1:]),
        lambda x: gradling.trace(x @ x),
        lambda x: gradling.outer(x[0], x[1]),
        lambda x: gradling.inner(x, x),
        lambda x: gradling.tensordot(x, x, ([0, 1], [1, 0])),
        lambda x: gradling.einsum("ij,jk,ki->", x, x, x),
        lambda x: gradling.einsum("ii,ij->j", x, x),
        lambda x: gradling.einsum("...i,...i->...", x, x[0]),
        lambda x: x @ x[0],
        lambda x: x[0] @ x,
        lambda x: x[0] @ x[1],
        lambda x: x[None] @ x[0],
        lambda x: x[0] @ x[None],
    ],
)
def test_gradients_of_what_is_composed(function: Callable[[Tensor], Tensor]) -> None:
    check_gradients(function, A).assert_correct()
    check_gradients(function, A, order=2).assert_correct()


def test_the_gradient_of_a_determinant_exists_where_the_inverse_does_not() -> None:
    singular = np.array([[1.0, 2, 3], [2, 4, 6], [1, 0, 1]])
    minors = np.array([[4.0, 4, -4], [-2, -2, 2], [0, 0, 0]])
    for matrix, cofactors in (
        (singular, minors),
        (np.zeros((3, 3)), np.zeros((3, 3))),
        (np.ones((2, 2)), np.array([[1.0, -1], [-1, 1]])),
        (np.stack([singular, np.eye(3)]), np.stack([minors, np.eye(3)])),
    ):
        x = gradling.tensor(matrix, requires_grad=True)
        linalg.det(x).sum().backward()
        assert x.grad is not None
        close(x.grad, cofactors)


def test_norms_of_nothing_but_zeros_have_gradient_zero() -> None:
    for order in (0, 0.5, 1, 1.5, 2, 3, np.inf, -np.inf, -1):
        x = gradling.zeros(3, dtype="float64", requires_grad=True)
        linalg.vector_norm(x, order).backward()
        assert x.grad is not None
        assert x.grad.tolist() == [0, 0, 0], order


def test_large_entries_do_not_overflow_a_high_norm() -> None:
    x = gradling.tensor([1e30, 2e30], requires_grad=True)
    y = linalg.vector_norm(x, np.inf)
    y.backward()
    assert (y.item(), x.grad) == (np.float32(2e30), x.grad)
    assert x.grad is not None
    assert x.grad.tolist() == [0, 1]


def test_equal_eigenvalues_do_not_spoil_the_gradient_of_their_sum() -> None:
    x = gradling.eye(3, dtype="float64", requires_grad=True)
    linalg.eigvalsh(x).sum().backward()
    assert x.grad is not None
    close(x.grad, np.eye(3))
    y = gradling.eye(3, dtype="float64", requires_grad=True)
    linalg.svdvals(y).sum().backward()
    assert y.grad is not None
    close(y.grad, np.eye(3))


def test_a_logarithm_of_a_determinant_does_not_overflow() -> None:
    x = gradling.eye(400) * 10
    assert np.isinf(linalg.det(x).item())
    np.testing.assert_allclose(linalg.slogdet(x).logabsdet.item(), 400 * np.log(10), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_low_precision_is_kept(dtype: str) -> None:
    x = gradling.tensor(A, dtype=dtype, requires_grad=True)
    for y in (linalg.inv(x), linalg.det(x), linalg.cholesky(x @ x.mT), linalg.solve(x, x), x @ x):
        assert y.dtype == np.dtype(dtype)
        y.sum().backward()
        assert x.grad is not None
        assert x.grad.dtype == np.dtype(dtype)


def test_float16_sums_up_in_float32() -> None:
    ones = gradling.ones(1, 4096, dtype="float16")
    assert (ones @ ones.mT).item() == 4096  # adding one by one in float16 would stop at 2048


@pytest.mark.parametrize("layout", ["transposed", "strided", "reversed", "broadcast"])
def test_products_of_any_layout(layout: str) -> None:
    from gradling.testing.memory import lay_out

    a, b = RNG.normal(size=(2, 3, 4)), RNG.normal(size=(4, 5))
    x, y = (gradling.from_numpy(lay_out(m, layout)).requires_grad_() for m in (a, b))
    expected = np.einsum("bij,jk->bik", x.detach().numpy(), y.detach().numpy())
    close(x @ y, expected)
    (x @ y).sum().backward()
    assert x.grad is not None and y.grad is not None
    close(x.grad, np.broadcast_to(y.detach().numpy().sum(1), a.shape))
    close(y.grad, np.broadcast_to(x.detach().numpy().sum((0, 1))[:, None], b.shape))


def test_einsum_agrees_with_numpy_on_long_equations() -> None:
    shapes = {"a": 2, "b": 3, "c": 4, "d": 2, "e": 3}
    for equation in (
        "ab,bc,cd,de->ae",
        "abc,cde,ea->bd",
        "ab,ab,ab->ab",
        "abc,bcd,cda->",
        "a,b,c,d->dcba",
    ):
        terms = equation.split("->")[0].split(",")
        arrays = [RNG.normal(size=[shapes[c] for c in term]) for term in terms]
        found = gradling.einsum(equation, *(gradling.tensor(a) for a in arrays))
        close(found, np.einsum(equation, *arrays))


def test_multi_dot_chooses_the_cheap_order() -> None:
    from gradling.tensor.linalg import _best_cuts

    assert _best_cuts([10, 100, 5, 50])[0, 2] == 1  # (A B) C: 7 500 products, not 75 000
    assert _best_cuts([50, 5, 100, 10])[0, 2] == 0


@pytest.mark.parametrize(
    ("program", "error", "said"),
    [
        ("x @ x", ValueError, r"\(2, 3\) @ \(2, 3\).*the second one transposed \(\.mT\) would fit"),
        ("x.mT @ x.mT", RuntimeError, "transposed"),
        ("x @ t.ones(4)", ValueError, r"the last axis of the first \(3\) must equal the only axis"),
        ("t.ones(2, 3, 4) @ t.ones(3, 4, 5)", ValueError, "leading axes.*do not broadcast"),
        ("x @ x.mT.double()", TypeError, r"\.to\(gradling\.float64\) on one of them"),
        ("x @ x.mT.long()", TypeError, r"got float32 and int64.*\.to\(gradling\.float32\)"),
        ("(x > 0) @ (x > 0).mT", TypeError, "truth values"),
        ("x @ 2", ValueError, "use \\* for numbers"),
        ("t.matmul(x, [1, 2, 3])", TypeError, r"wrap it: gradling\.tensor"),
        ("t.mm(x, t.ones(3))", ValueError, "expected a matrix and a matrix.*matmul broadcasts"),
        ("t.bmm(t.ones(2, 3, 4), t.ones(1, 4, 5))", ValueError, "as many matrices on both sides"),
        (
            "t.einsum('ij,jk', x, t.ones(4, 2))",
            ValueError,
            "label 'j' has size 3 in one operand and 4",
        ),
        ("t.einsum('ij', x, x)", ValueError, "describes 1 operands, but 2"),
        ("t.einsum('i', x)", ValueError, "has 2 axes, but 1 labels"),
        ("t.einsum('ij->k', x)", ValueError, "output label 'k' is in no operand"),
        ("t.einsum('ij->ii', x)", ValueError, "diag_embed makes diagonals"),
        ("t.einsum('ii', x)", ValueError, "comes twice in one operand, with sizes 2 and 3"),
        ("t.einsum('i%', x)", ValueError, "'%' in 'i%' is no label"),
        ("t.einsum('ij,ij', x, x.double())", TypeError, r"convert with \.to\(dtype\)"),
        (
            "t.linalg.inv(x)",
            ValueError,
            r"expected square matrices \(…, n, n\), got shape \(2, 3\)",
        ),
        ("t.linalg.inv(t.ones(2, 2))", linalg.LinAlgError, "linearly dependent"),
        (
            "t.linalg.inv(t.stack([t.eye(2), t.ones(2, 2)]))",
            RuntimeError,
            r"the matrix at \(1,\) is",
        ),
        ("t.linalg.solve(t.zeros(2, 2), t.ones(2))", RuntimeError, "solve: the matrix is singular"),
        ("t.linalg.solve(t.eye(2), x.mT)", ValueError, "rows of B must be 2"),
        ("t.linalg.cholesky(-t.eye(2))", RuntimeError, "not positive definite"),
        ("t.linalg.det(t.ones(2, 2).long())", TypeError, r"use \.float\(\)"),
        ("t.linalg.norm(x, 3)", ValueError, "ord must be 'fro'"),
        ("t.linalg.vector_norm(x[:0], float('inf'))", ValueError, "no entries at all"),
        ("t.linalg.svd(x.requires_grad_())", RuntimeError, "full_matrices=False"),
        ("t.tensordot(x, x, 3)", ValueError, "expected dims from 0 to 2"),
    ],
)
def test_messages(program: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        eval(program, {"t": gradling, "x": gradling.zeros(2, 3)})


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_norms_of_matrices_without_entries(shape: tuple[int, ...]) -> None:
    x = gradling.zeros(shape, requires_grad=True)
    for order in ("fro", "nuc", 1, 2, float("inf")):
        y = linalg.matrix_norm(x, order)
        assert y.item() == 0.0
        y.backward()
        assert x.grad.shape == shape  # type: ignore[union-attr]
    for order in (-1, -2, -float("inf")):
        with pytest.raises(RuntimeError, match="no entries at all"):
            linalg.matrix_norm(x, order)
