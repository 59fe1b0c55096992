"""Metrics that run over batches of unequal size: update with each, compute at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .base import Metric
from .classification import F1, Accuracy, ConfusionMatrix, Precision, Recall, TopK
from .means import Mean, Perplexity
from .regression import MAE, R2, RMSE

NAMED: dict[str, Callable[[], Metric]] = {
    "accuracy": Accuracy, "top5": lambda: TopK(5), "mae": MAE, "rmse": RMSE, "r2": R2,
    "perplexity": Perplexity,
}  # fmt: skip


def resolve(metrics: Any) -> dict[str, Metric]:
    """Metrics from names, Metric objects and functions, or a dict of them, by name."""
    if isinstance(metrics, (str, Metric)) or callable(metrics):
        metrics = (metrics,)
    given = metrics.items() if isinstance(metrics, dict) else [(None, m) for m in metrics or ()]
    found: dict[str, Metric] = {}
    for name, metric in given:
        if isinstance(metric, str):
            if metric not in NAMED:
                raise ValueError(f"no metric is named {metric!r}; there are {', '.join(NAMED)}")
            metric = NAMED[metric]()
        elif not isinstance(metric, Metric):
            if isinstance(metric, type) or not callable(metric):
                raise TypeError(f"expected a metric's name, a Metric or a function, got {metric!r}")
            metric = Mean(metric)
        found[name or metric.name] = metric
    return found
