"""Means over all items: perplexity, and any function of a batch."""

from __future__ import annotations

from collections.abc import Callable
from math import exp
from typing import Any

import numpy as np

from .base import Metric, as_array, class_targets


class Perplexity(Metric):
    """exp of the mean negative log-likelihood of the true classes; scores (N, C) or (N, T, C) as
    logits."""

    name = "perplexity"
    higher_is_better = False

    def reset(self) -> None:
        self.total, self.seen = 0.0, 0

    def update(self, prediction: Any, target: Any) -> None:
        scores = as_array(prediction)
        scores = scores.reshape(-1, scores.shape[-1]).astype(np.float64)
        classes = class_targets(self.name, as_array(target), len(scores))
        top = scores.max(1, keepdims=True, initial=-np.inf)
        normal = np.log(np.exp(scores - top).sum(1)) + top[:, 0]
        self.total += float((normal - scores[np.arange(len(scores)), classes]).sum())
        self.seen += len(scores)

    def compute(self) -> float:
        return exp(self.total / self.seen) if self.seen else float("nan")


class Mean(Metric):
    """The mean of a function of (prediction, target) that gives one number a batch, items counting
    alike."""

    def __init__(self, function: Callable[[Any, Any], Any], name: str | None = None) -> None:
        self.function = function
        self.name = name or str(getattr(function, "__name__", "metric"))  # type: ignore[misc]
        super().__init__()

    def reset(self) -> None:
        self.total, self.seen = 0.0, 0

    def update(self, prediction: Any, target: Any) -> None:
        n = len(as_array(target))
        self.total += float(self.function(prediction, target)) * n
        self.seen += n

    def compute(self) -> float:
        return self.total / self.seen if self.seen else float("nan")
