"""Metrics that run over batches of unequal size: update with each, compute at the end.

Shapes: predictions (N, …) or scores (N, C); targets (N, …) or class numbers (N,).
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp, sqrt
from typing import Any, ClassVar

import numpy as np

from ..tensor.node import Array


def as_array(values: Any) -> Array:
    """Tensors, Values, nested lists of them, arrays: as one array."""
    if isinstance(values, (list, tuple)):
        return np.array([as_array(value) for value in values])
    if hasattr(values, "_data"):
        return values._data  # type: ignore[no-any-return]
    if hasattr(values, "edges"):
        return np.array(values.data)
    return np.asarray(values)


def predicted_classes(name: str, scores: Array) -> Array:
    """Class numbers from scores (N, C), or from one score an item, whose sign decides."""
    if scores.ndim >= 2 and scores.shape[1] > 1:
        return np.asarray(scores.argmax(1))
    if scores.dtype.kind == "f":
        return (scores.reshape(len(scores), -1)[:, 0] > 0).astype(np.int64)
    return scores.reshape(-1)


def class_targets(name: str, target: Array, n: int) -> Array:
    """Class numbers (N,); labels -1 and 1 count as 0 and 1."""
    flat = target.reshape(-1) if target.ndim != 1 else target
    if len(flat) != n:
        raise ValueError(
            f"{name}: expected one class per prediction, got {n} predictions and a target of shape "
            f"{target.shape}"
        )
    if flat.dtype.kind == "f":
        whole = flat.astype(np.int64)
        if not (whole == flat).all():
            raise ValueError(
                f"{name}: expected whole numbers as classes, got a {flat.dtype} target with others"
            )
        flat = whole
    return np.where(flat == -1, 0, flat) if flat.size and flat.min() == -1 else flat


class Metric:
    """Base of all metrics: ``update(prediction, target)``, ``compute()``, ``reset()``."""

    name: ClassVar[str] = "metric"
    higher_is_better: ClassVar[bool] = True

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        raise TypeError(f"{type(self).__name__} must define reset()")

    def update(self, prediction: Any, target: Any) -> None:
        raise TypeError(f"{type(self).__name__} must define update(prediction, target)")

    def compute(self) -> Any:
        raise TypeError(f"{type(self).__name__} must define compute()")

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint in the middle of an epoch keeps: the numbers and arrays counted so
        far."""
        return {k: v for k, v in vars(self).items() if isinstance(v, (int, float, np.ndarray))}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def __call__(self, prediction: Any, target: Any) -> Any:
        """The metric of this one batch alone."""
        fresh = type(self).__new__(type(self))
        fresh.__dict__.update(vars(self))
        fresh.reset()
        fresh.update(prediction, target)
        return fresh.compute()


class TopK(Metric):
    """The share of items whose class is among the k highest scores.

    >>> TopK(2)([[0.1, 0.7, 0.2], [0.8, 0.1, 0.3]], [2, 1])
    0.5
    """

    def __init__(self, k: int = 5) -> None:
        if k < 1:
            raise ValueError(f"TopK: expected k >= 1, got {k}")
        self.k = k
        self.name = f"top{k}"  # type: ignore[misc]  # the k is part of the name
        super().__init__()

    def reset(self) -> None:
        self.right = self.seen = 0

    def update(self, prediction: Any, target: Any) -> None:
        scores = as_array(prediction)
        if scores.ndim < 2 or scores.shape[1] < self.k:
            raise ValueError(
                f"{self.name}: expected scores (N, C) with C >= {self.k}, got {scores.shape}"
            )
        classes = class_targets(self.name, as_array(target), len(scores))
        if self.k < scores.shape[1]:
            best = np.argpartition(-scores, self.k - 1, axis=1)[:, : self.k]
        else:
            best = np.broadcast_to(np.arange(self.k), scores.shape)
        self.right += int((best == classes[:, None]).any(1).sum())
        self.seen += len(scores)

    def compute(self) -> float:
        return self.right / self.seen if self.seen else float("nan")


class Accuracy(Metric):
    """The share of items put in the right class.

    Scores (N, C) by the largest; one score an item (N,) or (N, 1) by its sign, with classes 0/1 or
    -1/1.

    >>> Accuracy()([[0.1, 0.9], [0.8, 0.2]], [1, 1])
    0.5
    """

    name = "accuracy"

    def reset(self) -> None:
        self.right = self.seen = 0

    def update(self, prediction: Any, target: Any) -> None:
        scores = as_array(prediction)
        if scores.ndim > 2:  # scores (N, C, …) of many places an item
            scores = np.moveaxis(scores, 1, -1).reshape(-1, scores.shape[1])
        classes = predicted_classes(self.name, scores)
        self.right += int(
            (classes == class_targets(self.name, as_array(target), len(classes))).sum()
        )
        self.seen += len(classes)

    def compute(self) -> float:
        return self.right / self.seen if self.seen else float("nan")


class ConfusionMatrix(Metric):
    """Counts (C, C): rows are the true classes, columns the predicted ones.

    >>> ConfusionMatrix(2)([[0.1, 0.9], [0.8, 0.2]], [1, 1]).tolist()
    [[0, 0], [1, 1]]
    """

    name = "confusion"

    def __init__(self, classes: int) -> None:
        if classes < 2:
            raise ValueError(f"ConfusionMatrix: expected at least 2 classes, got {classes}")
        self.classes = classes
        super().__init__()

    def reset(self) -> None:
        self.counts = np.zeros((self.classes, self.classes), np.int64)

    def update(self, prediction: Any, target: Any) -> None:
        predicted = predicted_classes(self.name, as_array(prediction))
        true = class_targets(self.name, as_array(target), len(predicted))
        for what, found in (("predicted", predicted), ("true", true)):
            if found.size and not (found.min() >= 0 and found.max() < self.classes):
                raise ValueError(
                    f"{self.name}: {what} classes run from {found.min()} to {found.max()}; "
                    "expected 0 to "
                    f"{self.classes - 1}"
                )
        pairs = true * self.classes + predicted
        self.counts += np.bincount(pairs, minlength=self.classes**2).reshape(self.counts.shape)

    def compute(self) -> Array:
        return self.counts.copy()


class _OfConfusion(Metric):
    """A rate of each class, from the confusion matrix, averaged.

    ``average``: "macro" (classes count the same), "micro" (items count the same), "weighted"
    (classes by their size), None (one number per class). A rate of 0 out of 0 counts as 0.
    """

    def __init__(self, classes: int, average: str | None = "macro") -> None:
        if average not in ("macro", "micro", "weighted", None):
            raise ValueError(
                f"{type(self).__name__}: average must be 'macro', 'micro', 'weighted' or None, got "
                f"{average!r}"
            )
        self.matrix, self.average = ConfusionMatrix(classes), average
        super().__init__()

    def reset(self) -> None:
        self.matrix = ConfusionMatrix(self.matrix.classes)

    def state_dict(self) -> dict[str, Any]:
        return self.matrix.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.matrix.load_state_dict(state)

    def update(self, prediction: Any, target: Any) -> None:
        self.matrix.update(prediction, target)

    def rate(self, right: Array, predicted: Array, true: Array) -> Array:
        raise TypeError(f"{type(self).__name__} must define rate(right, predicted, true)")

    def compute(self) -> Any:
        counts = self.matrix.counts
        right, predicted, true = np.diag(counts), counts.sum(0), counts.sum(1)
        if self.average == "micro":
            right, predicted, true = (part.sum(keepdims=True) for part in (right, predicted, true))
        rates = self.rate(right, predicted, true)
        if self.average is None:
            return rates
        if self.average == "weighted":
            return float((rates * true).sum() / max(1, true.sum()))
        return float(rates.mean())


def _share(part: Array, whole: Array) -> Array:
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)


class Precision(_OfConfusion):
    """Of what was put in a class, the share that belongs there."""

    name = "precision"

    def rate(self, right: Array, predicted: Array, true: Array) -> Array:
        return _share(right, predicted)


class Recall(_OfConfusion):
    """Of what belongs in a class, the share that was put there."""

    name = "recall"

    def rate(self, right: Array, predicted: Array, true: Array) -> Array:
        return _share(right, true)


class F1(_OfConfusion):
    """The harmonic mean of precision and recall."""

    name = "f1"

    def rate(self, right: Array, predicted: Array, true: Array) -> Array:
        return _share(2 * right, predicted + true)


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


NAMED: dict[str, Callable[[], Metric]] = {
    "accuracy": Accuracy, "top5": lambda: TopK(5), "mae": MAE, "rmse": RMSE, "r2": R2,
    "perplexity": Perplexity,
}  # fmt: skip


def resolve(metrics: Any) -> dict[str, Metric]:
    """Metrics from names, Metric objects and functions, or a dict of them, by name."""
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
