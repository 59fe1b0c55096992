"""Every row of the table on arrays of Values: its scalar form.

Elementwise rows run entry by entry. Rows that only move, add or multiply entries run by their own
array kernel, since NumPy's loops over objects call the operators of the entries. The others are
spelt out here, or, where they are fused, in the composition that their row names.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

import numpy as np

from ..engine import Op
from ..tensor.rows.indexing import along as index_along
from . import matrices
from .entries import Array, Row, along, boxed, each, filled, numbers, one, total

Form = Callable[..., Any]

# Kernels that make do with moving entries, + and *
AS_THEY_ARE = set(
    """alias broadcast_to reshape permute unsqueeze squeeze diagonal diag_embed unfold fold
    view_put clone roll cat stack repeat repeat_interleave pad tril triu matmul matvec dot
    einsum sum mean prod getitem place index setitem gather cumsum cumprod
    dropout""".split()
)
FORMS: dict[str, Form] = {}
NOT_UNROLLED = {
    "eigh": "eigenvectors come from an iteration that stops when nothing changes any more",
    "svd": "singular vectors come from an iteration that stops when nothing changes any more",
}


def form(*names: str) -> Callable[[Form], Form]:
    def register(function: Form) -> Form:
        FORMS.update(dict.fromkeys(names, function))
        return function

    return register


def scalar_form(op: Op) -> Form | None:
    """How ``op`` computes on arrays of Values; None where only its composition says so."""
    if op.name in FORMS:
        return FORMS[op.name]
    if op.name in AS_THEY_ARE:
        return op.on[np.ndarray]
    if float in op.on:

        def entrywise(*call: Any) -> Any:
            arity = op.arity(len(call))
            return each(op, *call[:arity], params=call[arity:])

        return entrywise
    return None


@form("cast")
def _cast(x: Array, dtype: Any, before: Any) -> Array:
    return x  # a Value is a Python float, whatever the tensor was


@form("sum_to")
def _sum_to(x: Array, shape: tuple[int, ...]) -> Array:
    lead = x.ndim - len(shape)
    spread = [lead + k for k, n in enumerate(shape) if n == 1 and x.shape[lead + k] != 1]
    return along(total, x, (*range(lead), *spread), False).reshape(shape)


@form("flip")
def _flip(x: Array, dims: tuple[int, ...]) -> Array:
    y: Array = np.flip(x, dims)
    return y


@form("where")
def _where(condition: Array, a: Array, b: Array) -> Array:
    y: Array = np.where(numbers(condition) != 0, a, b)
    return y


@form("collect")
def _collect(x: Array, index: Any, shape: tuple[int, ...]) -> Array:
    y: Array = np.zeros(shape, object)
    np.add.at(y, index, x)
    return y


@form("spread")
def _spread(x: Array, index: Array, dim: int, shape: tuple[int, ...]) -> Array:
    y: Array = _collect(x, index_along(index, dim), shape)
    return y


@form("embedding")
def _look_up(weight: Array, index: Array, share: Any, shape: tuple[int, ...]) -> Array:
    y: Array = weight[index]
    if share is None:
        return y
    shares = np.broadcast_to(share, y.shape)
    if not np.isin(shares, (0, 1)).all():
        raise NotImplementedError(
            "unroll: embedding(scale_grad_by_freq=True) has by intention a gradient that is not "
            "its derivative; unroll it without that option"
        )
    y = np.where(shares == 1, y, numbers(y))
    return y


# Reductions --------------------------------------------------------------------------------------


def _reduced(f: Callable[..., Any], count: int = 0) -> Form:
    """A form of (x, *params, dim, keepdim, shape) from a function of one row's entries."""

    def run(x: Array, *params: Any) -> Array:
        dim, keepdim = params[count : count + 2]
        return along(lambda row: f(row, *params[:count]), x, dim, keepdim)

    return run


def _chosen(pick: Callable[[Array], float]) -> Callable[[Row], Any]:
    """The entry that ``pick`` names; those that tie share the gradient evenly."""

    def choose(row: Row) -> Any:
        sizes = numbers(filled(row))
        best = pick(sizes)
        tied = [x for x, size in zip(row, sizes, strict=True) if size == best]
        if not tied:  # nan
            return next(x for x in row if float(x) != float(x))
        return tied[0] if len(tied) == 1 else total(tied) / float(len(tied))

    return choose


def _middle(sizes: Array) -> float:
    return float("nan") if np.isnan(sizes).any() else float(np.sort(sizes)[(sizes.size - 1) // 2])


FORMS["amax"] = _reduced(_chosen(np.max))
FORMS["amin"] = _reduced(_chosen(np.min))
FORMS["median"] = _reduced(_chosen(_middle))


def _var(row: Row, correction: float) -> Any:
    mean = total(row) / float(len(row))
    away = [x - mean for x in row]
    return one("div", total([d * d for d in away]), max(0.0, len(row) - correction))


def _std(row: Row, correction: float) -> Any:
    variance = _var(row, correction)
    # where all entries are equal there is no slope: 0, as the row says
    return 0.0 if float(variance) == 0 else one("sqrt", variance)


def _logsumexp(row: Row) -> Any:
    top = max((float(x) for x in row), default=-inf)
    base = top if abs(top) < inf else 0.0
    return one("log", total([one("exp", x - base) for x in row])) + base


def _norm(row: Row, order: float) -> Any:
    sizes = [one("abs", x) for x in row]
    if order == 0:
        return float(sum(float(x) != 0 for x in row))
    if order == 1:
        return total(sizes)
    if order in (inf, -inf):
        return _chosen(np.max if order > 0 else np.min)(sizes)
    if order == 2:
        squares = total([x * x for x in row])
        return 0.0 if float(squares) == 0 else one("sqrt", squares)
    powers = total([one("pow", size, order) for size in sizes])
    return 0.0 if float(powers) == 0 else one("pow", powers, 1.0 / order)


FORMS["var"], FORMS["std"] = _reduced(_var, 1), _reduced(_std, 1)
FORMS["logsumexp"] = _reduced(_logsumexp)
FORMS["vector_norm"] = _reduced(_norm, 1)


@form("logcumsumexp")
def _logcumsumexp(x: Array, dim: int) -> Array:
    if x.ndim == 0:
        return x
    add = np.frompyfunc(lambda a, b: one("logaddexp", a, b), 2, 1)
    return boxed(add.accumulate(x, axis=dim))


# Matrices ----------------------------------------------------------------------------------------


def _of_matrices(function: Callable[..., Any]) -> Form:
    return lambda *call: matrices.stacked(function, *call)


for _name in ("solve", "inv", "det", "cofactor", "logabsdet", "cholesky", "qr"):
    FORMS[_name] = _of_matrices(getattr(matrices, _name))
FORMS["pinv"] = lambda x, rcond: matrices.stacked(matrices.pinv, x)


def _windows(name: str) -> Form:
    def run(*call: Any) -> Array:
        from . import windows  # nn, which knows of windows, need not be there for anything else

        found: Array = getattr(windows, name)(*call)
        return found

    return run


for _name in """conv conv_bias conv_input conv_weight max_pool avg_pool avg_spread window_pick
    window_spread""".split():
    FORMS[_name] = _windows(_name)
