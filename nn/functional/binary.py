"""Losses between probabilities, or their logits, and targets from 0 to 1."""

from __future__ import annotations

from ...tensor import Tensor
from ...tensor.elementwise import logsigmoid, xlogy
from ...tensor.errors import ShapeError, broadcast_clash
from ...tensor.node import Array
from ...tensor.reading import checked
from ...tensor.record import apply, elementwise
from ..rows import losses as rows
from .checks import (
    check_reduction,
    maker,
    pair,
    reshapes_that,
    tensor_operands,
    warn_once,
    weighted,
)


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    reduction: str = "mean",
    broadcast: bool = False,
) -> Tensor:
    """-target log(input) - (1 - target) log(1 - input), averaged; logarithms no smaller than -100.

    Args:
        input: probabilities, 0 to 1, of any shape.
        target: the same shape (or one that broadcasts, with ``broadcast``).
        weight: a factor per entry, which may broadcast.
        reduction: "mean", "sum" or "none".

    Raises:
        RuntimeError: the input has entries outside of [0, 1].

    >>> import gradling
    >>> binary_cross_entropy(gradling.tensor([0.5]), gradling.tensor([1.0])).item()  # log 2
    0.6931471...
    """
    name = "binary_cross_entropy"
    check_reduction(name, reduction)
    input, target = pair(name, input, target, broadcast)
    checked(_check_probabilities, name, input._data)
    loss = elementwise(rows.binary_cross_entropy, (input, target))
    return weighted(name, _times(name, loss, weight), None, reduction, False)


def _check_probabilities(name: str, x: Array) -> None:
    if not ((x >= 0) & (x <= 1)).all():
        raise RuntimeError(
            f"{name}: the input must hold probabilities, 0 to 1, and goes from {x.min():.4g} to "
            f"{x.max():.4g}; for logits take binary_cross_entropy_with_logits"
        )


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
    broadcast: bool = False,
) -> Tensor:
    """-target log σ(input) - (1 - target) log(1 - σ(input)), averaged; exact for any logit.

    Args:
        input: logits, of any shape.
        target: the same shape (or one that broadcasts, with ``broadcast``), 0 to 1.
        weight: a factor per entry, which may broadcast.
        pos_weight: a factor of the first term, which may broadcast: above 1, misses count for more.
        reduction: "mean", "sum" or "none".

    >>> import gradling
    >>> logits, target = gradling.tensor([0.0, 1000.0]), gradling.tensor([1.0, 1.0])
    >>> binary_cross_entropy_with_logits(logits, target, reduction="none").tolist()
    [0.6931471..., 0.0]
    """
    name = "binary_cross_entropy_with_logits"
    check_reduction(name, reduction)
    input, target = pair(name, input, target, broadcast)
    if maker(input) == "sigmoid":
        warn_once(
            f"probabilities in {name}",
            f"{name}: the input comes from a sigmoid, but logits are expected: pass what goes into "
            "it (more exact for large numbers), or binary_cross_entropy takes probabilities",
        )
    if pos_weight is None and weight is None and input.shape == target.shape:
        return apply(rows.bce_with_logits, (input, target), (reduction,))
    loss = (1 - target) * input
    if pos_weight is None:
        loss = loss - logsigmoid(input)
    else:
        _fits(name, "pos_weight", pos_weight, input)
        loss = loss - (1 + (pos_weight - 1) * target) * logsigmoid(input)
    return weighted(name, _times(name, loss, weight), None, reduction, False)


def _times(name: str, loss: Tensor, weight: Tensor | None) -> Tensor:
    if weight is None:
        return loss
    _fits(name, "weight", weight, loss)
    return loss * weight


def _fits(name: str, what: str, weight: Tensor, loss: Tensor) -> None:
    tensor_operands(name, **{what: weight})
    if weight.ndim > loss.ndim or broadcast_clash([weight.shape, loss.shape]) is not None:
        raise ShapeError(f"{name}: {what} {weight.shape} does not broadcast to {loss.shape}")


def kl_div(
    input: Tensor,
    target: Tensor,
    *,
    reduction: str = "mean",
    log_target: bool = False,
    broadcast: bool = False,
) -> Tensor:
    """target (log target - input), averaged: how far ``exp(input)`` is from ``target``.

    Args:
        input: log-probabilities, of any shape.
        target: probabilities of the same shape, or their logarithms with ``log_target``.
        reduction: "batchmean" (the sum over the first axis's size: the mathematical one), "mean"
            (over all entries), "sum" or "none".

    >>> import gradling
    >>> p = gradling.tensor([[0.5, 0.5]])
    >>> kl_div(p.log(), p, reduction="batchmean").item()
    0.0
    """
    name = "kl_div"
    check_reduction(name, reduction, "batchmean")
    input, target = pair(name, input, target, broadcast)
    if reduction == "mean":
        warn_once(
            "mean of kl_div",
            'kl_div: reduction="mean" divides by the number of all entries; the divergence of the '
            'distributions, averaged over the batch, is reduction="batchmean"',
        )
    entropy = target.exp() * target if log_target else xlogy(target, target)
    loss = entropy - (target.exp() if log_target else target) * input
    if reduction == "batchmean":
        return loss.sum() / (input.shape[0] if input.ndim else 1)
    return weighted(name, loss, None, reduction, False)


def soft_margin_loss(
    input: Tensor, target: Tensor, *, reduction: str = "mean", broadcast: bool = False
) -> Tensor:
    """log(1 + exp(-target · input)), averaged, for targets 1 and -1; exact for any input.

    >>> import gradling
    >>> soft_margin_loss(gradling.tensor([1000.0]), gradling.tensor([-1.0])).item()
    1000.0
    """
    name = "soft_margin_loss"
    check_reduction(name, reduction)
    input, target = pair(name, input, target, broadcast)
    return weighted(name, -logsigmoid(target * input), None, reduction, False)


def multilabel_soft_margin_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, *, reduction: str = "mean"
) -> Tensor:
    """binary_cross_entropy_with_logits averaged over the last axis (classes), then over the rest.

    Args:
        input: logits (..., C).
        target: 0 or 1, the same shape.
        weight: (C,), a factor per class.

    >>> import gradling
    >>> multilabel_soft_margin_loss(gradling.zeros(1, 3), gradling.ones(1, 3)).item()  # log 2
    0.6931471...
    """
    name = "multilabel_soft_margin_loss"
    check_reduction(name, reduction)
    input, target = pair(name, input, target)
    if not input.ndim:
        raise ShapeError(f"{name}: expected at least one axis, of classes, got one number")
    loss = apply(rows.bce_with_logits, (input, target), ("none",))
    if weight is not None and weight.ndim and weight.shape[-1] not in (1, input.shape[-1]):
        hint = reshapes_that(weight, lambda shape: shape == input.shape[-1:], "weight")
        raise ShapeError(
            f"{name}: weight {weight.shape} must be one per class, {input.shape[-1:]}{hint}"
        )
    return weighted(name, _times(name, loss, weight).mean(-1), None, reduction, False)
