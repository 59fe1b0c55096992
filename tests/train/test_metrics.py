"""Metrics over batches of unequal size equal those over everything at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gradling
from gradling import train

CLASSES = 4
METRICS: dict[str, Any] = {
    "accuracy": lambda: train.Accuracy(),
    "top2": lambda: train.TopK(2),
    "confusion": lambda: train.ConfusionMatrix(CLASSES),
    "precision": lambda: train.Precision(CLASSES),
    "recall": lambda: train.Recall(CLASSES, "weighted"),
    "f1": lambda: train.F1(CLASSES, None),
    "perplexity": lambda: train.Perplexity(),
}
REGRESSION: dict[str, Any] = {"mae": train.MAE, "rmse": train.RMSE, "r2": train.R2}


def split(n: int, cuts: list[int]) -> list[slice]:
    edges = [0, *sorted({c % (n + 1) for c in cuts}), n]
    return [slice(a, b) for a, b in zip(edges, edges[1:], strict=False) if b > a]


@pytest.mark.parametrize("name", METRICS)
@given(
    seed=st.integers(0, 1000), n=st.integers(1, 30), cuts=st.lists(st.integers(0, 30), max_size=4)
)
def test_classification_in_pieces(name: str, seed: int, n: int, cuts: list[int]) -> None:
    draw = np.random.default_rng(seed)
    scores, target = draw.standard_normal((n, CLASSES)), draw.integers(0, CLASSES, n)
    metric = METRICS[name]()
    for piece in split(n, cuts):
        metric.update(gradling.tensor(scores[piece]), gradling.tensor(target[piece]))
    np.testing.assert_allclose(metric.compute(), METRICS[name]()(scores, target), rtol=1e-12)


@pytest.mark.parametrize("name", REGRESSION)
@given(
    seed=st.integers(0, 1000), n=st.integers(2, 30), cuts=st.lists(st.integers(0, 30), max_size=4)
)
def test_regression_in_pieces(name: str, seed: int, n: int, cuts: list[int]) -> None:
    draw = np.random.default_rng(seed)
    prediction, target = draw.standard_normal((n, 2)), draw.standard_normal((n, 2)) + 100
    metric = REGRESSION[name]()
    for piece in split(n, cuts):
        metric.update(prediction[piece], target[piece])
    assert metric.compute() == pytest.approx(REGRESSION[name]()(prediction, target), rel=1e-9)


def test_values_that_can_be_worked_out_by_hand() -> None:
    scores = np.array([[3.0, 1, 0], [0, 2, 1], [0, 2, 1], [1, 0, 5]])
    target = np.array([0, 1, 2, 2])
    assert train.Accuracy()(scores, target) == 0.75
    assert train.TopK(2)(scores, target) == 1.0
    assert train.ConfusionMatrix(3)(scores, target).tolist() == [[1, 0, 0], [0, 1, 0], [0, 1, 1]]
    assert train.Precision(3, None)(scores, target).tolist() == [1.0, 0.5, 1.0]
    assert train.Recall(3, None)(scores, target).tolist() == [1.0, 1.0, 0.5]
    assert train.F1(3, "micro")(scores, target) == 0.75
    assert train.Perplexity()(np.zeros((2, 8)), np.array([3, 4])) == pytest.approx(8.0)
    assert train.MAE()([1.0, 2.0], [2.0, 4.0]) == 1.5
    assert train.RMSE()([1.0, 2.0], [1.0, 4.0]) == pytest.approx(2**0.5)
    assert train.R2()([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]) == 1.0


@pytest.mark.parametrize("target", [[0, 1, 1], [-1, 1, 1], [0.0, 1.0, 1.0], [[0], [1], [1]]])
def test_accuracy_of_one_score_an_item_goes_by_its_sign(target: Any) -> None:
    assert train.Accuracy()(np.array([-2.0, 0.5, -0.1]), target) == pytest.approx(2 / 3)
    assert train.Accuracy()(np.array([[-2.0], [0.5], [-0.1]]), target) == pytest.approx(2 / 3)


def test_metrics_of_the_wrong_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"target.reshape\(\(3, 1\)\) would fit"):
        train.MAE()(np.zeros((3, 1)), np.zeros(3))
    with pytest.raises(ValueError, match="3 predictions"):
        train.Accuracy()(np.zeros((3, 2)), np.zeros(4))
    with pytest.raises(ValueError, match="C >= 5"):
        train.TopK(5)(np.zeros((3, 2)), np.zeros(3))
    with pytest.raises(ValueError, match="expected 0 to 1"):
        train.ConfusionMatrix(2)(np.zeros((3, 2)), np.array([0, 1, 2]))
    with pytest.raises(ValueError, match="whole numbers"):
        train.Accuracy()(np.zeros((2, 2)), np.array([0.5, 1.0]))
