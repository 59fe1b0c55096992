"""Losses between class scores, probabilities and labels."""

from __future__ import annotations

from ...tensor import Tensor
from .. import functional as F
from ..functional.checks import check_reduction
from .base import Loss, WeightedLoss


class CrossEntropyLoss(WeightedLoss):
    """-log softmax(input) at the target class.

    Args:
        weight: (C,), a factor per class.
        ignore_index: samples with this label count for nothing.
        reduction: "mean" (divided by the weights used), "sum" or "none".
        label_smoothing: share of the target spread evenly over all classes (Szegedy et al., 2016).
        from_probs: the input holds probabilities, not logits.

    Shapes: input logits (C,), (N, C) or (N, C, d1, …); target class indices (), (N,) or (N, d1, …),
    or probabilities of the input's shape.

    Backward: the loss is log Σ exp(x_c) - x_t, so dx_c = softmax(x)_c - 1[c = t]: what was
    predicted minus what was wanted. The largest logit is subtracted first, which changes nothing
    and lets no exp overflow; and no logarithm of a softmax that may be 0 is taken.

    >>> import gradling
    >>> loss = CrossEntropyLoss()
    >>> loss(gradling.tensor([[1000.0, 0.0]]), gradling.tensor([1])).item()
    1000.0
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
        from_probs: bool = False,
    ) -> None:
        super().__init__(weight, reduction=reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing
        self.from_probs = from_probs

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
            from_probs=self.from_probs,
        )


class NLLLoss(WeightedLoss):
    """-input at the target class, for log-probabilities.

    Arguments and shapes as for ``CrossEntropyLoss``, with class indices only. Backward: -weight / Σ
    weights at the target, 0 elsewhere; what makes it learn is ``LogSoftmax`` before it, whose
    backward subtracts the softmax.

    >>> import gradling
    >>> NLLLoss()(gradling.tensor([[-1.0, -2.0]]), gradling.tensor([1])).item()
    2.0
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, reduction=reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.nll_loss(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )


class BCELoss(WeightedLoss):
    """-t log x - (1 - t) log(1 - x), for probabilities x and targets t from 0 to 1.

    Args:
        weight: a factor per entry, which may broadcast.

    Backward: (x - t) / (x (1 - x)) · g. Logarithms stop at -100 and the denominator at 1e-12, so a
    sure and wrong answer costs much, but not inf. ``BCEWithLogitsLoss`` needs no such stop.

    >>> import gradling
    >>> BCELoss()(gradling.tensor([0.0]), gradling.tensor([1.0])).item()
    100.0
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy(input, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(WeightedLoss):
    """-p t log σ(x) - (1 - t) log(1 - σ(x)), for logits x and targets t from 0 to 1.

    Args:
        weight: a factor per entry, which may broadcast.
        pos_weight: p, which may broadcast; above 1, missed positives count for more.

    Backward: for p = 1 the loss is (1 - t) x - log σ(x), so dx = σ(x) - t. It is worked out as
    max(x, 0) - t x + log(1 + exp(-|x|)), whose exp cannot overflow.

    >>> import gradling
    >>> BCEWithLogitsLoss()(gradling.tensor([1000.0]), gradling.tensor([0.0])).item()
    1000.0
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        *,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(weight, reduction=reduction)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(
            input, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )


class KLDivLoss(Loss):
    """target (log target - input): how far exp(input) is from the target distribution.

    Args:
        reduction: "batchmean" (the sum over the batch size: the mathematical one), "mean" (over all
            entries), "sum" or "none".
        log_target: the target too is given as logarithms.

    Backward: -target · g towards the input (0 log 0 counts as 0). Kullback & Leibler, "On
    information and sufficiency" (1951).

    >>> import gradling
    >>> p = gradling.tensor([[0.5, 0.5]])
    >>> KLDivLoss(reduction="batchmean")(p.log(), p).item()
    0.0
    """

    def __init__(self, *, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction=reduction)
        self.log_target = log_target

    def _check(self, reduction: str) -> None:
        check_reduction("KLDivLoss", reduction, "batchmean")

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


class SoftMarginLoss(Loss):
    """log(1 + exp(-t x)), for targets t of 1 and -1: logistic regression.

    Backward: -t σ(-t x) · g: nothing is left to gain where x is far on t's side. Written as -log
    σ(t x), it overflows nowhere.

    >>> import gradling
    >>> SoftMarginLoss()(gradling.tensor([1000.0]), gradling.tensor([-1.0])).item()
    1000.0
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.soft_margin_loss(input, target, reduction=self.reduction)


class MultiLabelSoftMarginLoss(WeightedLoss):
    """``BCEWithLogitsLoss`` averaged over the classes of each sample, then over samples.

    Args:
        weight: (C,), a factor per class.

    Shapes: input and target (N, C) or (C,). Backward: (σ(x) - t) / C · g. The logarithm is taken of
    logits, as in ``BCEWithLogitsLoss``, so it stays finite however large they are.

    >>> import gradling
    >>> MultiLabelSoftMarginLoss()(gradling.zeros(1, 3), gradling.ones(1, 3)).item()
    0.6931471...
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multilabel_soft_margin_loss(input, target, self.weight, reduction=self.reduction)
