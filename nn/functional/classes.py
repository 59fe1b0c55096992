"""Losses between class scores and class labels."""

from __future__ import annotations

from math import nan, prod
from typing import Any

import numpy as np

from ...tensor import Tensor
from ...tensor.choice import clamp_min, where
from ...tensor.errors import ShapeError
from ...tensor.node import Array
from ...tensor.reading import prepared
from ...tensor.record import apply
from ..rows import losses as rows
from .checks import check_reduction, reshapes_that, tensor_operands, warn_once, weighted
from .softmax import log_softmax


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    from_probs: bool = False,
) -> Tensor:
    """-log softmax(input) at the target class, averaged.

    Args:
        input: logits (C,), (N, C) or (N, C, d1, …).
        target: class indices (), (N,) or (N, d1, …); or probabilities of the input's shape.
        weight: (C,), a factor per class; the mean over indices divides by those used.
        ignore_index: samples with this index count for nothing.
        reduction: "mean", "sum" or "none".
        label_smoothing: share of the target that is spread evenly over all classes, 0 to 1.
        from_probs: the input holds probabilities, not logits.

    Raises:
        ShapeError: the target does not fit.
        IndexError: an index is not a class.

    >>> import gradling
    >>> cross_entropy(gradling.tensor([[0.0, 0.0]]), gradling.tensor([1])).item()  # log 2
    0.6931471...
    """
    name = "cross_entropy"
    check_reduction(name, reduction)
    _check_scores(name, input, target)
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"{name}: label_smoothing must be from 0 to 1, got {label_smoothing}")
    weight = _class_weight(name, input, weight)
    if target._data.dtype.kind == "f":
        logp = _log_probs(input, from_probs)
        return _soft(logp, target, weight, reduction, label_smoothing)
    if label_smoothing == 0 and not from_probs:
        _warn_of_probabilities(name, input, "logits", "without a softmax before it")
        of_classes = None if weight is None else weight._data
        places = prepared(
            _picked, name, target._data, input.shape, input.dtype, of_classes, ignore_index,
            reduction,
        )  # fmt: skip
        loss = apply(rows.cross_entropy, (in_rows(input),), (places, reduction))
        flat = reduction == "none" and loss.shape != target.shape
        return loss.reshape(target.shape) if flat else loss
    labels = Labels.of(name, input, target, weight, ignore_index)
    if not labels.count and reduction == "mean":
        return input.mean()  # nan: there is nothing to average
    if reduction == "mean" and labels.ignored is not None and labels.ignored.all():
        return input[:0].sum() + nan  # nan too, but no input has a part
    logp = _log_probs(input, from_probs)
    picked = labels.picked(logp, reduction)
    if label_smoothing == 0:
        return picked
    spread = labels.spread(logp, weight, reduction)
    return (1 - label_smoothing) * picked + (label_smoothing / labels.classes) * spread


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """-input at the target class, averaged: the loss for log-probabilities.

    Arguments as for ``cross_entropy``, with class indices only; ``cross_entropy`` is this after
    ``log_softmax``, in one step.

    >>> import gradling
    >>> nll_loss(gradling.tensor([[-1.0, -2.0]]), gradling.tensor([1])).item()
    2.0
    """
    name = "nll_loss"
    check_reduction(name, reduction)
    _check_scores(name, input, target)
    _warn_of_probabilities(name, input, "log-probabilities", "after log_softmax, not softmax")
    labels = Labels.of(name, input, target, _class_weight(name, input, weight), ignore_index)
    if not labels.count and reduction == "mean":
        return input.mean()
    return labels.picked(input, reduction)


class Labels:
    """Class indices, checked, and where in a matrix of scores (rows, C) each one is."""

    def __init__(
        self,
        name: str,
        target: Array,
        scores: tuple[int, ...],
        dtype: Any,
        weight: Array | None,
        ignore_index: int,
    ) -> None:
        if target.dtype.kind == "f":
            raise TypeError(
                f"{name}: expected class indices, got a {target.dtype} target; use .long()"
            )
        self.shape = target.shape
        self.classes = classes = scores[min(1, len(scores) - 1)]
        t = np.ascontiguousarray(target, dtype=np.int64).reshape(-1)
        # one comparison for both ends: seen without sign, negative numbers are huge
        wrong = t.view(np.uint64) >= np.uint64(classes)
        self.ignored: Array | None = None
        if wrong.any():
            ignored = t == ignore_index
            bad = np.flatnonzero(wrong & ~ignored)
            if len(bad):
                at = tuple(map(int, np.unravel_index(bad[0], self.shape)))
                raise IndexError(
                    f"{name}: target{list(at) if at else ''} is {t[bad[0]]}, and there are "
                    f"{classes} classes, 0 to {classes - 1} (input {scores}); {len(bad)} of "
                    f"{len(t)} labels are out of range"
                )
            self.ignored, t = ignored, np.where(ignored, 0, t)
        elif ignore_index >= 0:
            ignored = t == ignore_index
            self.ignored = ignored if ignored.any() else None
        self.picks = t + np.arange(len(t)) * classes
        self.weights: Array | None = None  # of each sample, where they are not all 1
        if weight is not None:
            self.weights = weight[t]
        if self.ignored is not None:
            ones = np.ones(len(t), dtype) if self.weights is None else self.weights
            self.weights = np.where(self.ignored, ones.dtype.type(0), ones)
        self.count = len(t)

    @classmethod
    def of(
        cls, name: str, input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int
    ) -> Labels:
        of_classes = None if weight is None else weight._data
        return cls(name, target._data, input.shape, input.dtype, of_classes, ignore_index)

    def share(self, reduction: str) -> Any:
        """What each sample's loss counts for."""
        if reduction != "mean":
            return 1.0 if self.weights is None else self.weights
        if self.weights is None:
            return 1 / self.count if self.count else float("nan")
        with np.errstate(all="ignore"):
            return self.weights / self.weights.sum()

    def unflat(self, losses: Tensor) -> Tensor:
        return losses.reshape(self.shape) if losses.shape != self.shape else losses

    def picked(self, logp: Tensor, reduction: str) -> Tensor:
        """-logp at the labels, with their shares."""
        return self._combined(-in_rows(logp).reshape(-1)[Tensor(self.picks)], reduction)

    def spread(self, logp: Tensor, weight: Tensor | None, reduction: str) -> Tensor:
        """-logp added up over all classes, the weight of the label's class deciding the mean."""
        rows = in_rows(logp)
        each = -(rows if weight is None else rows * weight).sum(1)
        if self.ignored is not None:
            each = each * Tensor((~self.ignored).astype(logp.dtype))
        if reduction == "none":
            return self.unflat(each)
        total = each.sum()
        if reduction == "sum":
            return total
        return total / float(self.count if self.weights is None else self.weights.sum())

    def _combined(self, each: Tensor, reduction: str) -> Tensor:
        if self.ignored is not None:  # exactly 0, also where the score is infinite
            each = where(Tensor(~self.ignored), each, 0.0)
        share = self.share(reduction)
        each = each * (Tensor(share) if isinstance(share, np.ndarray) else share)
        return self.unflat(each) if reduction == "none" else each.sum()


def _picked(
    name: str, target: Array, scores: tuple[int, ...], dtype: Any, weight: Array | None,
    ignore_index: int, reduction: str,
) -> rows.Picked:  # fmt: skip
    labels = Labels(name, target, scores, dtype, weight, ignore_index)
    ignored, mean = labels.ignored, reduction == "mean"
    if mean and ignored is not None and ignored.all():
        return rows.Picked(labels.picks, 0.0, ignored, True)
    return rows.Picked(labels.picks, labels.share(reduction), ignored, mean and not labels.count)


def in_rows(x: Tensor) -> Tensor:
    """Scores as a matrix with classes last: (N, C, d1, …) -> (N d1 …, C)."""
    if x.ndim == 2:
        return x
    if x.ndim > 2:
        x = x.permute(0, *range(2, x.ndim), 1)
    return x.reshape(prod(x.shape[:-1]), x.shape[-1])


def _log_probs(input: Tensor, from_probs: bool) -> Tensor:
    if not from_probs:
        return log_softmax(input, min(1, input.ndim - 1))
    return clamp_min(input, float(np.finfo(input.dtype).tiny)).log()


def _soft(
    logp: Tensor, target: Tensor, weight: Tensor | None, reduction: str, smoothing: float
) -> Tensor:
    """-Σ target · logp over the classes, averaged over everything else."""
    axis = min(1, logp.ndim - 1)
    classes = logp.shape[axis]
    target = target.to(logp.dtype)
    if smoothing:
        target = target * (1 - smoothing) + smoothing / classes
    if weight is not None:
        target = target * weight.reshape(classes, *(1,) * (logp.ndim - axis - 1))
    each = -(target * logp).sum(axis)
    return weighted("cross_entropy", each, None, reduction, False)


def _check_scores(name: str, input: Tensor, target: Tensor) -> None:
    """Scores and labels that belong together."""
    tensor_operands(name, input=input, target=target)
    if input._data.dtype.kind != "f":
        raise TypeError(f"{name}: expected floating scores, got {input.dtype}; use .float()")
    if input.ndim == 0:
        raise ShapeError(f"{name}: expected scores (C,), (N, C) or (N, C, d1, …), got one number")
    labels = (*input.shape[:1], *input.shape[2:]) if input.ndim > 1 else ()
    if target._data.dtype.kind == "f":
        if target.shape == input.shape:
            return
        wanted, kind = input.shape, "probabilities"
    else:
        wanted, kind = labels, "class indices"
        if target.shape == wanted and target._data.dtype.kind in "iu":
            return
    said = f"{name}: target {target.dtype} {target.shape} does not fit input {input.shape}: {kind} "
    said += f"must be of shape {wanted}"
    hint = reshapes_that(target, lambda shape: shape == wanted, "target")
    if kind == "probabilities" and target.shape == labels:
        hint = "; `target.long()` would make them class indices"
    elif not hint and kind == "class indices":

        def fits(shape: tuple[int, ...]) -> bool:
            return (*shape[:1], *shape[2:]) == target.shape

        hint = reshapes_that(input, fits, "input")
    if kind == "class indices" and target.shape == input.shape:
        hint = "; `target.float()` would make it probabilities, `target.argmax(1)` class indices"
    raise ShapeError(said + hint)


def _class_weight(name: str, input: Tensor, weight: Tensor | None) -> Tensor | None:
    if weight is None:
        return None
    tensor_operands(name, weight=weight)
    classes = input.shape[min(1, input.ndim - 1)]
    if weight.shape != (classes,):
        raise ShapeError(f"{name}: weight {weight.shape} must be one per class, ({classes},)")
    return weight.to(input.dtype)


def _warn_of_probabilities(name: str, input: Tensor, wanted: str, where: str) -> None:
    """Once: rows that add up to 1 and have nothing negative are hardly what was meant."""
    x = input._data
    if x.ndim < 2 or x.size == 0 or len(x) < 2 or not 0 <= x.item(0) <= 1:
        return
    if (
        abs(float(x[0].sum(0).flat[0]) - 1) < 1e-3
        and (x >= 0).all()
        and np.allclose(x.sum(1), 1, atol=1e-3)
    ):
        also = "; from_probs=True takes them as they are" if name == "cross_entropy" else ""
        warn_once(
            f"probabilities in {name}",
            f"{name}: these look like probabilities (none negative, every row adds up to 1), but "
            f"{wanted} are expected: pass what the last layer gives, {where}{also}",
        )
