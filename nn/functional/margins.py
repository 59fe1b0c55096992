"""Losses that ask for a margin, and are satisfied beyond it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...tensor import Tensor
from ...tensor.choice import clamp_min, where
from ...tensor.elementwise import minimum
from ...tensor.errors import ShapeError
from .checks import check_reduction, pair, reshapes_that, tensor_operands, weighted
from .classes import Labels, _check_scores, _class_weight, in_rows
from .distances import pairwise_distance

Distance = Callable[[Tensor, Tensor], Tensor]


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    *,
    reduction: str = "mean",
    broadcast: bool = False,
) -> Tensor:
    """input where the target is 1, max(0, margin - input) where it is -1, averaged.

    >>> import gradling
    >>> x, t = gradling.tensor([0.25, 0.25]), gradling.tensor([1.0, -1.0])
    >>> hinge_embedding_loss(x, t, reduction="none").tolist()
    [0.25, 0.75]
    """
    name = "hinge_embedding_loss"
    check_reduction(name, reduction)
    input, target = pair(name, input, target, broadcast)
    apart = where(target != 1, clamp_min(margin - input, 0), 0.0)
    together = where(target != -1, input, 0.0)
    return weighted(name, apart + together, None, reduction, False)


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0.0,
    *,
    reduction: str = "mean",
    broadcast: bool = False,
) -> Tensor:
    """max(0, margin - target (input1 - input2)), averaged: target 1 wants input1 to be larger.

    >>> import gradling
    >>> a, b = gradling.tensor([1.0]), gradling.tensor([3.0])
    >>> margin_ranking_loss(a, b, gradling.tensor([1.0])).item()
    2.0
    """
    name = "margin_ranking_loss"
    check_reduction(name, reduction)
    input1, input2 = pair(name, input1, input2, broadcast)
    difference, target = pair(name, input1 - input2, target, broadcast)
    return weighted(name, clamp_min(margin - target * difference, 0), None, reduction, False)


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    *,
    reduction: str = "mean",
) -> Tensor:
    """Σ over the other classes of max(0, margin - x_target + x_other)ᵖ / C, averaged.

    Args:
        input: scores (C,) or (N, C).
        target: class indices () or (N,).
        p: 1 or 2.
        weight: (C,), a factor by the target's class, inside the power.

    >>> import gradling
    >>> multi_margin_loss(gradling.tensor([[0.0, 0.5]]), gradling.tensor([1])).item()
    0.25
    """
    name = "multi_margin_loss"
    check_reduction(name, reduction)
    if p not in (1, 2):
        raise ValueError(f"{name}: p must be 1 or 2, got {p!r}")
    _check_scores(name, input, target)
    if input.ndim > 2:
        raise ShapeError(f"{name}: expected scores (C,) or (N, C), got {input.shape}")
    weight = _class_weight(name, input, weight)
    labels = Labels.of(name, input, target, None, ignore_index=-1 - 2**62)
    x = in_rows(input)
    right = x.reshape(-1)[Tensor(labels.picks)].reshape(labels.count, 1)
    short = clamp_min(margin - right + x, 0)
    if p == 2:
        short = short * short
    if weight is not None:
        short = short * weight[Tensor(labels.picks % max(labels.classes, 1))].reshape(-1, 1)
    others = np.ones(x.shape, bool)
    others.reshape(-1)[labels.picks] = False
    each = where(Tensor(others), short, 0.0).sum(1) / labels.classes
    return weighted(name, labels.unflat(each), None, reduction, False)


def multilabel_margin_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    """Σ over labels i and other classes j of max(0, 1 - x_i + x_j) / C, averaged.

    Args:
        input: scores (C,) or (N, C).
        target: class indices of the same shape: the labels of a sample, then -1.

    >>> import gradling
    >>> x, labels = gradling.tensor([[0.0, 0.5]]), gradling.tensor([[1, -1]])
    >>> multilabel_margin_loss(x, labels).item()
    0.25
    """
    name = "multilabel_margin_loss"
    check_reduction(name, reduction)
    tensor_operands(name, input=input, target=target)
    if input.ndim not in (1, 2) or target.shape != input.shape:
        raise ShapeError(
            f"{name}: expected scores (C,) or (N, C) and indices of the same shape, got "
            f"{input.shape} and {target.shape}"
        )
    classes = input.shape[-1]
    x, t = input.reshape(-1, classes), target._data.reshape(-1, classes)
    if target._data.dtype.kind not in "iu" or (t < -1).any() or (t >= classes).any():
        raise IndexError(f"{name}: expected class indices 0 to {classes - 1}, then -1, got {t}")
    used = np.cumprod(t >= 0, axis=1).astype(bool)  # up to the first -1
    is_label = np.zeros(t.shape, bool)
    rows, places = np.nonzero(used)
    is_label[rows, t[rows, places]] = True
    right = x[Tensor(rows), Tensor(t[rows, places])].reshape(-1, 1)
    short = clamp_min(1 - right + x[Tensor(rows)], 0)
    short = where(Tensor(~is_label[rows]), short, 0.0).sum(1)
    owner = (np.arange(len(t))[:, None] == rows).astype(x.dtype)  # whose label it is
    each = (Tensor(owner) @ short) / classes
    return weighted(name, each.reshape(input.shape[:-1]), None, reduction, False)


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0.0,
    *,
    reduction: str = "mean",
) -> Tensor:
    """1 - cos where the target is 1, max(0, cos - margin) where it is -1, averaged.

    Args:
        input1, input2: (D,) or (N, D).
        target: () or (N,), 1 or -1.

    >>> import gradling
    >>> a, b = gradling.tensor([[1.0, 0.0]]), gradling.tensor([[0.0, 1.0]])
    >>> cosine_embedding_loss(a, b, gradling.tensor([1])).item()
    1.0
    """
    name = "cosine_embedding_loss"
    check_reduction(name, reduction)
    tensor_operands(name, input1=input1, input2=input2, target=target)
    if input1.shape != input2.shape or target.shape != input1.shape[:-1] or input1.ndim > 2:
        raise ShapeError(
            f"{name}: expected two inputs (D,) or (N, D) and targets () or (N,), got "
            f"{input1.shape}, {input2.shape} and {target.shape}"
            + _cosine_hint(input1, input2, target)
        )
    eps = 1e-12  # inside the roots: finite slopes for vectors of zeros
    dot = (input1 * input2).sum(-1)
    cos = dot / ((input1 * input1).sum(-1) + eps).sqrt() / ((input2 * input2).sum(-1) + eps).sqrt()
    loss = where(target == 1, 1 - cos, 0.0) + where(target == -1, clamp_min(cos - margin, 0), 0.0)
    return weighted(name, loss, None, reduction, False)


def _cosine_hint(input1: Tensor, input2: Tensor, target: Tensor) -> str:
    """The change of one operand that makes all three fit, if there is one."""

    def fit(a: tuple[int, ...], b: tuple[int, ...], t: tuple[int, ...]) -> bool:
        return a == b and t == a[:-1] and len(a) in (1, 2)

    a, b, t = input1.shape, input2.shape, target.shape
    return (
        reshapes_that(target, lambda shape: fit(a, b, shape), "target")
        or reshapes_that(input2, lambda shape: fit(a, shape, t), "input2")
        or reshapes_that(input1, lambda shape: fit(shape, b, t), "input1")
    )


def _triplet_hint(**operands: Tensor) -> str:
    """The change of the one that differs to the shape of the two others, if there is one."""
    for name, x in operands.items():
        others = {other.shape for key, other in operands.items() if key != name}
        if len(others) == 1:
            hint = reshapes_that(x, others.__contains__, name)
            if hint:
                return hint
    return ""


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    *,
    reduction: str = "mean",
) -> Tensor:
    """max(0, margin + d(anchor, positive) - d(anchor, negative)), averaged, d the p-norm distance.

    ``swap`` takes d(positive, negative) where that is smaller (Balntas et al., 2016).

    >>> import gradling
    >>> a, n = gradling.zeros(1, 2), gradling.tensor([[0.0, 0.5]])
    >>> round(triplet_margin_loss(a, a, n).item(), 3)
    0.5
    """
    return triplet_margin_with_distance_loss(
        anchor, positive, negative,
        distance_function=lambda a, b: pairwise_distance(a, b, p, eps),
        margin=margin, swap=swap, reduction=reduction,
    )  # fmt: skip


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Distance | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """``triplet_margin_loss`` with any distance (``pairwise_distance`` if None)."""
    name = "triplet_margin_loss"
    check_reduction(name, reduction)
    tensor_operands(name, anchor=anchor, positive=positive, negative=negative)
    if margin <= 0:
        raise ValueError(f"{name}: margin must be positive, got {margin}")
    if not anchor.shape == positive.shape == negative.shape:
        raise ShapeError(
            f"{name}: anchor {anchor.shape}, positive {positive.shape} and negative "
            f"{negative.shape} must have the same shape"
            + _triplet_hint(anchor=anchor, positive=positive, negative=negative)
        )
    distance = distance_function or pairwise_distance
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = minimum(far, distance(positive, negative))
    return weighted(name, clamp_min(margin + near - far, 0), None, reduction, False)
