"""Losses as one node each, where that was measured to pay."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ...engine.op import REAL, Domain
from ...engine.rows.activations import logsigmoid
from ...engine.rows.choice import maximum
from ...engine.rows.powers import log, log1p
from ...tensor import Tensor
from ...tensor.node import Array
from ...tensor.rows.structural import structural
from ..kernels.scratch import ones
from .activations import both

Params = tuple[bool, ...]


def reduced(loss: Any, reduction: str) -> Any:
    """The mean or sum of a tensor of losses, or itself."""
    if reduction == "mean":
        return loss.mean()
    return loss.sum() if reduction == "sum" else loss


def _total(losses: Array, reduction: str) -> Any:
    if reduction == "none":
        return losses
    if losses.dtype.char == "e":  # float16 is for storing: its sums would overflow
        return losses.dtype.type(_total(losses.astype(np.float32), reduction))
    total = np.add.reduce(losses, axis=None)
    return total / losses.dtype.type(losses.size) if reduction == "mean" else total


def _spread(slopes: Array, g: Any, reduction: str, times: int = 1) -> Array:
    """The slope of each loss times the gradient of their mean, their sum, or of each."""
    g = g * times if reduction == "none" else g.item() * times  # NumPy takes a float fastest
    if reduction == "mean" and slopes.size:
        g /= slopes.size
    out: Array = slopes * g
    return out


# Measured on 100 x 1 in float32, forward and backward: 14 us as one node, 34 us as difference,
# square, sum and quotient.


def _mse(input: Array, target: Array, reduction: str) -> tuple[Any, Array]:
    d: Array = input - target
    if reduction == "none" or d.dtype.char == "e":
        return _total(d * d, reduction), d
    flat = d.reshape(-1)
    total = flat.dot(flat)  # squares and sums in one pass
    return total / d.dtype.type(d.size) if reduction == "mean" else total, d


def _mse_parts(
    needed: Params, g: Any, y: Any, input: Any, target: Any, reduction: str, d: Any
) -> tuple[Any, Any]:
    part = _spread(d, g, reduction, 2)
    return part, -part if needed[1] else None


mse_loss = structural(
    "mse_loss", "input target", _mse, params={"reduction": "mean"},
    vjp=(None, None), domain=(REAL, REAL), joint=_mse_parts,
    composition=lambda input, target, reduction: reduced((input - target) ** 2, reduction),
    why="d (a - b)² = 2 (a - b) (da - db), over the number of entries for the mean.",
)  # fmt: skip


def _bce_of_floats(x: float, t: float) -> float:
    no, yes = max(log1p.on[float](-x), -100.0), max(log.on[float](x), -100.0)
    return float((t - 1.0) * no - t * yes)


binary_cross_entropy = both(
    "binary_cross_entropy", "input target",
    _bce_of_floats,
    lambda x, t: (t - 1) * np.maximum(np.log1p(-x), -100) - t * np.maximum(np.log(x), -100),
    vjp=(
        lambda g, y, x, t: g * (x - t) / maximum(x * (1 - x), 1e-12),
        lambda g, y, x, t: g * (maximum(log1p(-x), -100.0) - maximum(log(x), -100.0)),
    ),
    domain=(Domain("probability", 0.0, 1.0), REAL),
    why="d(-t log x - (1 - t) log(1 - x)) = (x - t)/(x (1 - x)). Logarithms stop at -100 and the "
    "denominator at 1e-12, as in PyTorch: a sure and wrong answer costs much, not inf.",
)  # fmt: skip

# Measured on 100 x 1 in float32, forward and backward: 32 us as one node, 68 us as the six of its
# composition.


def _bce(input: Array, target: Array, reduction: str) -> tuple[Any, Array]:
    tail = np.exp(-np.absolute(input))  # of a negative number: no overflow
    losses = np.maximum(input, 0) - input * target + np.log1p(tail)
    slopes = np.where(input >= 0, 1, tail) / (1 + tail) - target  # σ(x) - t
    return _total(losses, reduction), slopes


def _bce_parts(
    needed: Params, g: Any, y: Any, input: Any, target: Any, reduction: str, slopes: Any
) -> tuple[Any, Any]:
    return _spread(slopes, g, reduction), _spread(-input, g, reduction) if needed[1] else None


bce_with_logits = structural(
    "bce_with_logits", "input target", _bce, params={"reduction": "mean"},
    vjp=(None, None), domain=(REAL, REAL), joint=_bce_parts,
    composition=lambda input, target, reduction: reduced(
        (1 - target) * input - logsigmoid(input), reduction
    ),
    why="-t log σ(x) - (1 - t) log(1 - σ(x)) = (1 - t) x - log σ(x), of slope σ(x) - t.",
)  # fmt: skip

# Measured on 100 x 10 in float32, forward and backward: 37 us as one node, 105 us as shift, exp,
# sum, log, difference, picking and mean.


def _row_max(x: Array) -> Array:
    """The largest entry of each row, (N, 1)."""
    if x.shape[1] <= 64:  # a transposed copy and a maximum down columns: 2 to 7 times as fast
        down: Array = np.maximum.reduce(x.T.copy(), axis=0, initial=-np.inf)
        return down[:, None]
    top: Array = np.maximum.reduce(x, axis=1, keepdims=True)
    return top


class Picked(NamedTuple):
    """What a label picks of a matrix of scores, row by row."""

    picks: Array  # places in the flat matrix
    share: Any  # what each row's loss counts for
    ignored: Array | None  # rows that count for nothing, whatever their scores
    empty: bool = False  # a mean of nothing: nan, and no score has a part in it


def _cross_entropy(input: Array, labels: Picked, reduction: str) -> tuple[Any, Array]:
    picks, share, ignored, empty = labels
    # The largest exponent is 0: nothing overflows, and one term is 1. Picks count row by row, so
    # everything made here, and the gradient after it, is laid out in rows whatever the input is.
    z = np.subtract(input, _row_max(input), order="C")
    e = np.exp(z)
    sums = np.dot(e, ones(e.shape[1], e.dtype))
    losses = np.log(sums)
    losses -= z.reshape(-1)[picks]
    e /= sums[:, None]
    if ignored is not None:  # exactly 0, also where the row holds nan
        losses[ignored], e[ignored] = 0, 0
    losses *= share
    if reduction == "none":
        return losses, e
    return losses.dtype.type(np.nan) if empty else np.add.reduce(losses), e


def _cross_entropy_parts(
    needed: Params, g: Any, y: Any, input: Any, labels: Picked, reduction: str, softmax: Any
) -> tuple[Any]:
    picks, share, _, _ = labels
    each = g * share
    part: Array = softmax * (each[:, None] if np.ndim(each) else each)
    part.reshape(-1)[picks] -= each
    return (part,)


def _log_softmax_picked(x: Tensor, labels: Picked, reduction: str) -> Tensor:
    from ...tensor.choice import where

    picks, share, ignored, empty = labels
    if ignored is not None:
        x = where(Tensor(~ignored[:, None]), x, 0.0)
    z = x - Tensor(_row_max(x._data))  # a shift changes nothing, so it needs no gradient
    losses = z.exp().sum(1).log() - z.reshape(-1)[Tensor(picks)]
    if ignored is not None:
        losses = where(Tensor(~ignored), losses, 0.0)
    losses = losses * (Tensor(share) if isinstance(share, np.ndarray) else share)
    return losses if reduction == "none" else losses.sum() + (np.nan if empty else 0.0)


cross_entropy = structural(
    "cross_entropy", "input", _cross_entropy,
    params={"labels": (), "reduction": "sum"},
    vjp=(None,), domain=(REAL,), joint=_cross_entropy_parts, composition=_log_softmax_picked,
    why="-log softmax(x)_t = log Σ exp(x) - x_t, of slope softmax(x) - 1[t].",
)  # fmt: skip
