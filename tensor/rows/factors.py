"""Inverses, determinants and factorisations, with rules that use products and solves only.

A factorisation with several results is one row with its results side by side in one array; the
public function cuts them apart. Symmetric ones use the symmetric part of their operand. Formulas:
Giles, "Collected matrix derivative results" (2008), and Seeger et al., "Auto-differentiating
linear algebra" (2017).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...engine.op import REAL, Op
from ...engine.rows.choice import where
from ..node import Array
from .arrange import tril, triu
from .linalg import matmul
from .reductions import sum_
from .shape import diag_embed, reshape, unsqueeze
from .structural import structural


class LinAlgError(np.linalg.LinAlgError, RuntimeError):
    """A matrix that has no such inverse or factor (a RuntimeError too, as PyTorch raises)."""


def _single(x: Array) -> Array:
    """LAPACK has no float16: it is computed in float32."""
    return x.astype(np.float32) if x.dtype.char == "e" else x


def _each(name: str, x: Array, run: Callable[[Array], Any], remedy: str) -> Any:
    """Run on a stack of matrices; where one of them fails, say which."""
    try:
        return run(x)
    except np.linalg.LinAlgError:
        place = ""
        for at in np.ndindex(x.shape[:-2]):
            try:
                run(x[at])
            except np.linalg.LinAlgError:
                place = f" at {at}" if at else ""
                break
        raise LinAlgError(f"{name}: the matrix{place} {remedy}") from None


_SINGULAR = (
    "is singular: its rows are linearly dependent, so it has no inverse; linalg.pinv and "
    "linalg.lstsq work with it, or add a small multiple of the identity"
)


def _inv(x: Array) -> Array:
    y = _each("inv", _single(x), np.linalg.inv, _SINGULAR)
    return np.asarray(y, x.dtype)


inv: Op = structural(
    "inv", "x", _inv, symbol="⁻¹",
    vjp=(lambda g, y, x: -matmul(matmul(y.mT, g), y.mT),), domain=(REAL,),
    why="X Y = 1, so dX Y + X dY = 0: dY = -Y dX Y, and the gradient is -Yᵀ G Yᵀ.",
)  # fmt: skip


def _solve(a: Array, b: Array) -> Array:
    full = _single(a)
    try:
        return np.asarray(np.linalg.solve(full, _single(b)), a.dtype)
    except np.linalg.LinAlgError:
        return np.asarray(_each("solve", full, np.linalg.inv, _SINGULAR))  # says which matrix


def _solve_parts(needed: Any, g: Any, y: Any, a: Any, b: Any) -> Any:
    back = solve(a.mT, g)
    return -matmul(back, y.mT) if needed[0] else None, back if needed[1] else None


solve: Op = structural(
    "solve", "a b", _solve,
    vjp=(None, None), domain=(REAL, REAL), joint=_solve_parts,
    why="A Y = B: dA Y + A dY = dB. One more solve, with Aᵀ, gives dB; dA is -dB Yᵀ. Never by the "
    "inverse, which costs digits.",
)  # fmt: skip


def _det(x: Array) -> Array:
    return np.asarray(np.linalg.det(_single(x)), x.dtype)


def _cofactor(x: Array) -> Array:
    """det(X) X⁻ᵀ, which exists where the inverse does not: then by singular values."""
    full = _single(x)
    try:
        y = np.asarray(np.linalg.det(full))[..., None, None] * np.linalg.inv(full).mT
    except np.linalg.LinAlgError:
        u, s, v = np.linalg.svd(full)
        others = [np.prod(np.delete(s, i, axis=-1), axis=-1) for i in range(s.shape[-1])]
        turn = np.linalg.det(u) * np.linalg.det(v)
        y = turn[..., None, None] * (u * np.stack(others, -1)[..., None, :]) @ v
    return np.asarray(y, x.dtype)


def _matrix(g: Any) -> Any:
    """One number per matrix, to be multiplied by the matrix."""
    return unsqueeze(g, (g.ndim, g.ndim + 1))


det: Op = structural(
    "det", "x", _det, symbol="det",
    vjp=(lambda g, y, x: _matrix(g) * cofactor(x),), domain=(REAL,),
    why="Linear in each entry, whose slope is its cofactor: det(X) X⁻ᵀ (Jacobi), finite even for "
    "singular X.",
)  # fmt: skip


def _of_cofactor(g: Any, y: Any, x: Any) -> Any:
    back = inv(x).mT
    last = (g.ndim - 2, g.ndim - 1)
    return back * sum_(g * y, last, True, tuple(g.shape)) - matmul(matmul(y, g.mT), back)


cofactor: Op = structural(
    "cofactor", "x", _cofactor,
    vjp=(lambda g, y, x: _of_cofactor(g, y, x),), domain=(REAL,),
    why="C = det(X) X⁻ᵀ by the product rule: <G, C> X⁻ᵀ - C Gᵀ X⁻ᵀ.",
)  # fmt: skip


def _logabsdet(x: Array) -> Array:
    return np.asarray(np.linalg.slogdet(_single(x))[1], x.dtype)


logabsdet: Op = structural(
    "logabsdet", "x", _logabsdet, symbol="log|det|",
    vjp=(lambda g, y, x: _matrix(g) * inv(x).mT,), domain=(REAL,),
    why="d log|det X| = <X⁻ᵀ, dX>. The logarithm does not overflow where the determinant would.",
)  # fmt: skip


def _symmetric(x: Any) -> Any:
    return (x + x.mT) / 2


def _cholesky(x: Array) -> Array:
    remedy = (
        "is not positive definite: xᵀ A x > 0 must hold for every x; for a covariance with "
        "dependent columns add a small multiple of the identity"
    )
    return np.asarray(
        _each("cholesky", _symmetric(_single(x)), np.linalg.cholesky, remedy), x.dtype
    )


def _of_cholesky(g: Any, y: Any) -> Any:
    inner = matmul(y.mT, g)
    lower = (tril(inner, 0) + tril(inner, -1)) / 2  # the diagonal counts half
    return _symmetric(solve(y.mT, solve(y.mT, lower.mT).mT))


cholesky: Op = structural(
    "cholesky", "x", _cholesky,
    vjp=(lambda g, y, x: _of_cholesky(tril(g, 0), y),), domain=(REAL,),
    why="A = L Lᵀ, so L⁻¹ dA L⁻ᵀ = L⁻¹ dL + (L⁻¹ dL)ᵀ, whose lower half is L⁻¹ dL, the diagonal "
    "halved. Read backwards: L⁻ᵀ Φ(Lᵀ G) L⁻¹, made symmetric.",
)  # fmt: skip


def _qr(x: Array) -> Array:
    q, r = np.linalg.qr(_single(x))
    return np.asarray(np.concatenate([q, r], axis=-2), x.dtype)


def _of_qr(g: Any, y: Any) -> Any:
    m = y.shape[-2] - y.shape[-1]
    q, r, gq, gr = y[..., :m, :], y[..., m:, :], g[..., :m, :], triu(g[..., m:, :], 0)
    inner = matmul(r, gr.mT) - matmul(gq.mT, q)
    symmetric = tril(inner, 0) + tril(inner, -1).mT
    return solve(r, (gq + matmul(q, symmetric)).mT).mT


qr: Op = structural(
    "qr", "x", _qr,  # Q (m, n) above R (n, n), for m >= n
    vjp=(lambda g, y, x: _of_qr(g, y),), domain=(REAL,),
    why="A = Q R with Qᵀ Q = 1 and R upper triangular: Qᵀ dQ is antisymmetric, which splits dA "
    "into both parts. Needs independent columns.",
)  # fmt: skip


def _gaps(squares: Any, inner: Any) -> Any:
    """inner_ij / (s_j - s_i), 0 on the diagonal and where nothing is to be divided."""
    n = squares.shape[-1]
    last = squares.ndim
    gap = unsqueeze(squares, (last - 1,)) - unsqueeze(squares, (last,))
    idle = (gap == 0) & (inner == 0) | np.eye(n, dtype=bool)
    return where(idle, 0.0, inner / where(idle, 1.0, gap))


def _diagonal_matrix(values: Any) -> Any:
    shape = tuple(values.shape)
    return diag_embed(values, 0, len(shape) - 1, len(shape), (*shape, shape[-1]))


def _eigh(x: Array) -> Array:
    w, v = np.linalg.eigh(_symmetric(_single(x)))
    return np.asarray(np.concatenate([v, w[..., None]], axis=-1), x.dtype)


def _of_eigh(g: Any, y: Any) -> Any:
    v, w, gv, gw = y[..., :-1], y[..., -1], g[..., :-1], g[..., -1]
    inner = _diagonal_matrix(gw) + _gaps(w, matmul(v.mT, gv))
    return _symmetric(matmul(matmul(v, inner), v.mT))


eigh: Op = structural(
    "eigh", "x", _eigh,  # eigenvectors as columns (n, n), then eigenvalues (n, 1)
    vjp=(lambda g, y, x: _of_eigh(g, y),), domain=(REAL,),
    why="In the basis of eigenvectors dA changes eigenvalue i by its entry (i, i), and turns "
    "vector j towards i by its entry (i, j) / (w_j - w_i): near equal eigenvalues turn without "
    "bound.",
)  # fmt: skip


def _svd(x: Array, m: int, n: int) -> Array:
    u, s, v = np.linalg.svd(_single(x), full_matrices=False)
    lead = x.shape[:-2]
    parts = [part.reshape(*lead, int(np.prod(part.shape[len(lead) :]))) for part in (u, s, v)]
    return np.asarray(np.concatenate(parts, axis=-1), x.dtype)


def svd_parts(y: Any, m: int, n: int) -> tuple[Any, Any, Any]:
    """U (m, k), singular values (k,) and Vᵀ (k, n) from where they lie side by side."""
    k, lead = min(m, n), tuple(y.shape[:-1])
    u, s, v = y[..., : m * k], y[..., m * k : m * k + k], y[..., m * k + k :]
    return reshape(u, (*lead, m, k), u.shape), s, reshape(v, (*lead, k, n), v.shape)


def _of_svd(g: Any, y: Any, m: int, n: int) -> Any:
    (u, s, v), (gu, gs, gv) = svd_parts(y, m, n), svd_parts(g, m, n)
    last = s.ndim
    across, down = unsqueeze(s, (last - 1,)), unsqueeze(s, (last,))
    turn_u, turn_v = matmul(u.mT, gu), matmul(gv, v.mT)
    inner = _diagonal_matrix(gs)
    inner = inner + _gaps(s * s, turn_u - turn_u.mT) * across
    inner = inner + _gaps(s * s, turn_v.mT - turn_v) * down
    left = matmul(u, inner)
    if m > n:
        left = left + (gu - matmul(u, turn_u)) / across
    x = matmul(left, v)
    if n > m:
        x = x + matmul(u, (gv - matmul(turn_v, v)) / down)
    return x


svd: Op = structural(
    "svd", "x", _svd, params={"m": 0, "n": 0},  # U, S and Vᵀ, each flattened
    vjp=(lambda g, y, x, m, n: _of_svd(g, y, m, n),), domain=(REAL,),
    why="A = U S Vᵀ: as eigh for A Aᵀ and Aᵀ A, with the squares of the singular values; what lies "
    "outside of U and V can only turn them outwards, by 1/s.",
)  # fmt: skip


def _pinv(x: Array, rcond: float) -> Array:
    return np.asarray(np.linalg.pinv(_single(x), rcond=rcond), x.dtype)


def _of_pinv(g: Any, y: Any, x: Any) -> Any:
    gt, yt = g.mT, y.mT
    part = -matmul(matmul(yt, g), yt)
    part = part + matmul(matmul(gt - matmul(matmul(x, y), gt), y), yt)
    return part + matmul(matmul(yt, y), gt - matmul(matmul(gt, y), x))


pinv: Op = structural(
    "pinv", "x", _pinv, params={"rcond": 1e-15}, symbol="⁺",
    vjp=(lambda g, y, x, rcond: _of_pinv(g, y, x),), domain=(REAL,),
    why="The inverse's rule, and what becomes of the parts outside of X's rows and columns (Golub "
    "& Pereyra, 1973), while the rank stays the same.",
)  # fmt: skip
