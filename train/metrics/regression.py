"""Metrics of numbers: how far predictions lie from their targets."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from ...tensor.node import Array
from .base import Metric, as_array


class _OfDifferences(Metric):
    """A metric of prediction minus target, which must have one shape."""

    higher_is_better = False

    def reset(self) -> None:
        self.total, self.seen = 0.0, 0

    def differences(self, prediction: Any, target: Any) -> tuple[Array, Array]:
        p, t = as_array(prediction), as_array(target)
        if p.shape != t.shape:
            hint = f"; target.reshape({p.shape}) would fit" if p.size == t.size else ""
            raise ValueError(
                f"{self.name}: prediction {p.shape} and target {t.shape} differ in shape{hint}"
            )
        t = t.astype(np.float64)
        return p - t, t


class MAE(_OfDifferences):
    """The mean absolute difference."""

    name = "mae"

    def update(self, prediction: Any, target: Any) -> None:
        difference, _ = self.differences(prediction, target)
        self.total += float(np.abs(difference).sum())
        self.seen += difference.size

    def compute(self) -> float:
        return self.total / self.seen if self.seen else float("nan")


class RMSE(_OfDifferences):
    """The root of the mean squared difference."""

    name = "rmse"

    def update(self, prediction: Any, target: Any) -> None:
        difference, _ = self.differences(prediction, target)
        self.total += float((difference**2).sum())
        self.seen += difference.size

    def compute(self) -> float:
        return sqrt(self.total / self.seen) if self.seen else float("nan")


class R2(_OfDifferences):
    """The share of the targets' variance that is explained: 1 - Σ(p - t)² / Σ(t - t̄)²."""

    name = "r2"
    higher_is_better = True

    def reset(self) -> None:
        super().reset()
        self.mean = self.spread = 0.0

    def update(self, prediction: Any, target: Any) -> None:
        difference, t = self.differences(prediction, target)
        if not t.size:
            return
        self.total += float((difference**2).sum())
        # two batches' spreads about their own means, joined about the common one (Chan et al.,
        # 1979)
        shift, n = float(t.mean()) - self.mean, t.size
        self.spread += float(((t - t.mean()) ** 2).sum()) + shift**2 * self.seen * n / (
            self.seen + n
        )
        self.mean += shift * n / (self.seen + n)
        self.seen += n

    def compute(self) -> float:
        if self.seen < 2:
            return float("nan")
        return 1.0 - self.total / self.spread if self.spread else float("nan")
