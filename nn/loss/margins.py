"""Losses that ask for a margin, and are satisfied beyond it: no gradient where they are 0."""

from __future__ import annotations

from collections.abc import Callable

from ...tensor import Tensor
from .. import functional as F
from .base import Loss, WeightedLoss


class HingeEmbeddingLoss(Loss):
    """x where the target is 1, max(0, margin - x) where it is -1: x is a distance.

    Backward: g where together, -g where apart and nearer than the margin. Hadsell et al.,
    "Dimensionality reduction by learning an invariant mapping" (2006).

    >>> import gradling
    >>> HingeEmbeddingLoss()(gradling.tensor([0.25]), gradling.tensor([-1.0])).item()
    0.75
    """

    def __init__(self, margin: float = 1.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.hinge_embedding_loss(input, target, self.margin, reduction=self.reduction)


class MarginRankingLoss(Loss):
    """max(0, margin - t (x1 - x2)): target 1 wants x1 above x2, -1 below.

    Backward: -t g towards x1 and t g towards x2, while the margin is not reached.

    >>> import gradling
    >>> a, b = gradling.tensor([1.0]), gradling.tensor([3.0])
    >>> MarginRankingLoss()(a, b, gradling.tensor([1.0])).item()
    2.0
    """

    def __init__(self, margin: float = 0.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return F.margin_ranking_loss(input1, input2, target, self.margin, reduction=self.reduction)


class MultiMarginLoss(WeightedLoss):
    """Σ over classes c ≠ t of max(0, margin - x_t + x_c)ᵖ / C: the multi-class hinge.

    Args:
        p: 1 or 2.
        margin: how much above the others the target's score should be.
        weight: (C,), a factor by the target's class.

    Shapes: input (N, C) or (C,), target (N,) or (). Backward: each class that is too near gets g /
    C (times twice its shortfall for p = 2), and the target the negative of their sum. Crammer &
    Singer (2001).

    >>> import gradling
    >>> MultiMarginLoss()(gradling.tensor([[0.0, 0.5]]), gradling.tensor([1])).item()
    0.25
    """

    def __init__(
        self,
        p: int = 1,
        margin: float = 1.0,
        weight: Tensor | None = None,
        *,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, reduction=reduction)
        if p not in (1, 2):
            raise ValueError(f"MultiMarginLoss: p must be 1 or 2, got {p!r}")
        self.p = p
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multi_margin_loss(
            input, target, self.p, self.margin, self.weight, reduction=self.reduction
        )


class MultiLabelMarginLoss(Loss):
    """Σ over labels i and other classes j of max(0, 1 - x_i + x_j) / C.

    Shapes: input (N, C) or (C,), target of the same shape: the labels of a sample as class indices,
        then -1.
    Backward: each pair that is too near pushes its label up and the other class down by g / C.

    >>> import gradling
    >>> x, labels = gradling.tensor([[0.0, 0.5]]), gradling.tensor([[1, -1]])
    >>> MultiLabelMarginLoss()(x, labels).item()
    0.25
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multilabel_margin_loss(input, target, reduction=self.reduction)


class CosineEmbeddingLoss(Loss):
    """1 - cos(x1, x2) where the target is 1, max(0, cos(x1, x2) - margin) where it is -1.

    Shapes: inputs (N, D) or (D,), target (N,) or (). Backward: towards x1, ∓g (v - cos · u) / ‖x1‖
    with unit vectors u, v: only the direction is turned. 1e-12 in the roots keeps it finite at 0.

    >>> import gradling
    >>> a, b = gradling.tensor([[1.0, 0.0]]), gradling.tensor([[0.0, 1.0]])
    >>> CosineEmbeddingLoss()(a, b, gradling.tensor([1])).item()
    1.0
    """

    def __init__(self, margin: float = 0.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return F.cosine_embedding_loss(
            input1, input2, target, self.margin, reduction=self.reduction
        )


class TripletMarginLoss(Loss):
    """max(0, margin + d(anchor, positive) - d(anchor, negative)), d the p-norm distance.

    Args:
        eps: added to each difference, so that the distance has a slope where two are equal.
        swap: take d(positive, negative) where that is smaller than d(anchor, negative).

    Backward: while the margin is not reached, the anchor is drawn along the unit vector to the
    positive and pushed along that from the negative. Schroff et al., "FaceNet" (2015); Balntas et
    al. (2016).

    >>> import gradling
    >>> a, n = gradling.zeros(1, 2), gradling.tensor([[0.0, 0.5]])
    >>> round(TripletMarginLoss()(a, a, n).item(), 3)
    0.5
    """

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        *,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        self.margin = margin
        self.p = p
        self.eps = eps
        self.swap = swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        return F.triplet_margin_loss(
            anchor,
            positive,
            negative,
            self.margin,
            self.p,
            self.eps,
            self.swap,
            reduction=self.reduction,
        )


class TripletMarginWithDistanceLoss(Loss):
    """``TripletMarginLoss`` with any distance of two batches (``pairwise_distance`` if None).

    Backward: while margin + d(a, p) - d(a, n) is above 0, d(a, p) gets g and d(a, n) gets -g, and
    the distance's own backward takes them on to its two operands; else all three get 0. What keeps
    it finite is up to the distance: give a norm a slope where two are equal, as
    ``pairwise_distance`` does with eps.

    >>> import gradling
    >>> a, n = gradling.zeros(1, 2), gradling.tensor([[0.0, 0.5]])
    >>> TripletMarginWithDistanceLoss(
    ...     distance_function=lambda x, y: (x - y).abs().sum(-1))(a, a, n).item()
    0.5
    """

    def __init__(
        self,
        *,
        distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        self.distance_function = distance_function
        self.margin = margin
        self.swap = swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        return F.triplet_margin_with_distance_loss(
            anchor,
            positive,
            negative,
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
            reduction=self.reduction,
        )
