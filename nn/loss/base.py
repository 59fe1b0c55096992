"""What all losses have in common."""

from __future__ import annotations

from ...tensor import Tensor
from ..functional.checks import check_reduction
from ..module import Module


class Loss(Module):
    """A loss keeps its settings, and calls the function of ``nn.functional`` with them.

    Args:
        reduction: "mean" over all entries, "sum", or "none".
    """

    reduction: str

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__()
        self._check(reduction)
        self.reduction = reduction

    def _check(self, reduction: str) -> None:
        check_reduction(type(self).__name__, reduction)


class WeightedLoss(Loss):
    """A loss with weights, which are a buffer: part of the state, converted with the module."""

    weight: Tensor | None

    def __init__(self, weight: Tensor | None = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.register_buffer("weight", weight)
