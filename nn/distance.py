"""Distances and angles as modules."""

from __future__ import annotations

from ..tensor import Tensor
from . import functional as F
from .module import Module


class CosineSimilarity(Module):
    """x1 · x2 / (max(‖x1‖, eps) · max(‖x2‖, eps)) along ``dim``.

    Backward: towards x1, g (v - cos · u) / ‖x1‖ with unit vectors u, v: what of v is across u.

    >>> import gradling
    >>> CosineSimilarity()(gradling.ones(1, 4), gradling.ones(1, 4)).tolist()
    [1.0]
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim = dim
        self.eps = eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return F.cosine_similarity(x1, x2, self.dim, self.eps)


class PairwiseDistance(Module):
    """‖x1 - x2 + eps‖ₚ along the last axis.

    Backward: for p = 2 along the unit vector from x2 to x1; eps gives it a direction where they are
    equal.

    >>> import gradling
    >>> PairwiseDistance(eps=0.0)(gradling.tensor([[3.0, 4.0]]), gradling.zeros(1, 2)).tolist()
    [5.0]
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)
