"""Losses between numbers."""

from __future__ import annotations

from ...tensor import Tensor
from .. import functional as F
from .base import Loss


class MSELoss(Loss):
    """(input - target)²: the mean squared error.

    Backward: 2 (input - target) / n · g towards the input, the negative towards the target. Large
    errors weigh most; its minimum is the mean of the targets (Gauss, 1809: the maximum likelihood
    under normal errors).

    Shapes: input and target equal, any; a number, or that shape with reduction "none".

    >>> import gradling
    >>> MSELoss()(gradling.tensor([1.0, 2.0]), gradling.tensor([1.0, 4.0])).item()
    2.0
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.mse_loss(input, target, reduction=self.reduction)


class L1Loss(Loss):
    """|input - target|: the mean absolute error.

    Backward: sign(input - target) / n · g, and 0 where they are equal. All errors pull alike; its
    minimum is the median of the targets.

    >>> import gradling
    >>> L1Loss()(gradling.tensor([1.0, 2.0]), gradling.tensor([1.0, 4.0])).item()
    1.0
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.l1_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(Loss):
    """½ d² / beta where d = |input - target| < beta, else d - ½ beta.

    Backward: d / beta up to beta, then 1, with the sign of the error: never above 1. No square of a
    large d is made. Girshick, "Fast R-CNN" (2015). ``beta = 0`` is ``L1Loss``.

    >>> import gradling
    >>> SmoothL1Loss()(gradling.tensor([3.0]), gradling.tensor([0.0])).item()
    2.5
    """

    def __init__(self, *, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(Loss):
    """½ d² where d = |input - target| < delta, else delta (d - ½ delta).

    Backward: d up to delta, then delta, with the sign of the error, so that single wild targets
    pull no harder than delta. Huber, "Robust estimation of a location parameter" (1964).

    >>> import gradling
    >>> HuberLoss(delta=2.0)(gradling.tensor([3.0]), gradling.tensor([0.0])).item()
    4.0
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.huber_loss(input, target, self.reduction, self.delta)


class PoissonNLLLoss(Loss):
    """exp(input) - target · input: how unlikely counts are under the rate exp(input).

    Args:
        log_input: the input is the logarithm of the rate; else the rate λ, with loss λ - target
            log(λ + eps).
        full: add Stirling's approximation of log target!.
        eps: keeps log(λ + eps) finite.

    Backward: (exp(input) - target) / n · g: rate minus count.

    >>> import gradling
    >>> PoissonNLLLoss()(gradling.tensor([0.0]), gradling.tensor([2.0])).item()
    1.0
    """

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        *,
        eps: float = 1e-8,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        self.log_input = log_input
        self.full = full
        self.eps = eps

    def forward(self, log_input: Tensor, target: Tensor) -> Tensor:
        return F.poisson_nll_loss(
            log_input, target, self.log_input, self.full, eps=self.eps, reduction=self.reduction
        )


class GaussianNLLLoss(Loss):
    """½ (log var + (input - target)² / var): how unlikely targets are under N(input, var).

    Args:
        full: add ½ log 2π.
        eps: the smallest variance that counts.

    Backward: with e = (input - target) / var, e towards the input and ½ (1 / var - e²) towards var:
    the variance grows where errors exceed it. Where var < eps the number used is eps, and the
    gradient is that at eps. Nix & Weigend, "Estimating the mean and variance of the target" (1994).

    >>> import gradling
    >>> one = gradling.ones(1)
    >>> GaussianNLLLoss()(gradling.zeros(1), 2 * one, one).item()
    2.0
    """

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.full = full
        self.eps = eps

    def forward(self, input: Tensor, target: Tensor, var: Tensor | float) -> Tensor:
        return F.gaussian_nll_loss(input, target, var, self.full, self.eps, self.reduction)
