"""Metrics of classes: shares of right answers, and the confusion that they come from."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...tensor.node import Array
from .base import Metric, as_array, class_targets, predicted_classes


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
        classes = predicted_classes(scores)
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
        predicted = predicted_classes(as_array(prediction))
        true = class_targets(self.name, as_array(target), len(predicted))
        for what, found in (("predicted", predicted), ("true", true)):
            if found.size and not (found.min() >= 0 and found.max() < self.classes):
                raise ValueError(
                    f"{self.name}: {what} classes run from {found.min()} to {found.max()}; "
                    f"expected 0 to {self.classes - 1}"
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
