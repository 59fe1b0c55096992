"""Losses beside PyTorch's: every reduction, drawn shapes, gradients by input and by target."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

import gradling
from gradling import nn

torch = pytest.importorskip("torch")

DTYPES = st.sampled_from(("float32", "float64"))
REDUCTIONS = st.sampled_from(("mean", "sum", "none"))
SHAPES = st.sampled_from(((), (0,), (1,), (5,), (3, 7), (0, 3), (2, 3, 5)))
MATRICES = st.sampled_from(((1, 1), (3, 7), (0, 3), (5, 2), (11, 13)))
Array = np.ndarray[Any, Any]


class Numbers:
    """Arrays of one dtype from one seed."""

    def __init__(self, seed: int, dtype: str) -> None:
        self.rng, self.dtype = np.random.default_rng(seed), dtype

    def normal(self, shape: Any, scale: float = 1.0) -> Array:
        return np.asarray(scale * self.rng.standard_normal(shape), self.dtype)

    def uniform(self, shape: Any, low: float = 0.0, high: float = 1.0) -> Array:
        return np.asarray(self.rng.uniform(low, high, shape), self.dtype)

    def signs(self, shape: Any) -> Array:
        return np.asarray(self.rng.choice([-1.0, 1.0], shape), self.dtype)

    def labels(self, shape: Any, classes: int) -> Array:
        return np.asarray(self.rng.integers(0, classes, shape))


NUMBERS = st.builds(Numbers, st.integers(0, 99), DTYPES)


def same_loss(
    both: Any,
    name: str,
    arrays: list[Array],
    reduction: str,
    fixed: int = 0,
    tolerance: float | None = None,
    **settings: Any,
) -> None:
    """Compare a loss and its gradients; the last ``fixed`` arrays take none (labels, ±1)."""
    ours, theirs = dict(settings), dict(settings)
    for key, value in settings.items():
        if isinstance(value, np.ndarray):
            ours[key], theirs[key] = gradling.tensor(value), torch.tensor(value)
    a = getattr(nn, name)(reduction=reduction, **ours)
    b = getattr(torch.nn, name)(reduction=reduction, **theirs)
    last = arrays[len(arrays) - fixed :]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # both warn of kl_div's mean
        both(
            lambda *xs: a(*xs, *map(gradling.tensor, last)),
            lambda *xs: b(*xs, *map(torch.tensor, last)),
            arrays[: len(arrays) - fixed],
            tolerance,
        )


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("MSELoss", {}),
        ("L1Loss", {}),
        ("SmoothL1Loss", {}),
        ("SmoothL1Loss", {"beta": 0.5}),
        ("SmoothL1Loss", {"beta": 0.0}),
        ("HuberLoss", {"delta": 0.7}),
    ],
)
@given(NUMBERS, SHAPES, REDUCTIONS)
def test_of_numbers(
    both: Any, name: str, settings: Any, draw: Numbers, shape: Any, reduction: str
) -> None:
    x, t = draw.normal(shape), draw.normal(shape)
    if x.size > 1:
        t.flat[0] = x.flat[0]  # a tie: the kink of |d|
        x.flat[1] = 1e10 + t.flat[1]
    same_loss(both, name, [x, t], reduction, **settings)


@given(NUMBERS, SHAPES, REDUCTIONS, st.booleans())
def test_binary(both: Any, draw: Numbers, shape: Any, reduction: str, soft: bool) -> None:
    t = draw.uniform(shape) if soft else draw.labels(shape, 2).astype(draw.dtype)
    weight = draw.uniform(shape[-1:])
    p, logits = draw.uniform(shape), draw.normal(shape, 30.0)
    for settings in ({}, {"weight": weight}):
        same_loss(both, "BCELoss", [p, t], reduction, **settings)
    if p.size > 1:
        # Here logarithms and the slope are bounded. PyTorch's bound 1e-12 is in single precision,
        # and its gradient by the target is that of the unbounded logarithms: nan.
        p.flat[0], p.flat[1] = 0, 1
        same_loss(both, "BCELoss", [p, t], reduction, fixed=1, tolerance=1e-5)
    for settings in ({}, {"weight": weight}, {"pos_weight": np.asarray(weight * 5)}):
        same_loss(both, "BCEWithLogitsLoss", [logits, t], reduction, **settings)


@given(NUMBERS, SHAPES, st.sampled_from(("mean", "sum", "none", "batchmean")))
def test_kl_div(both: Any, draw: Numbers, shape: Any, reduction: str) -> None:
    x, p, logp = draw.normal(shape), draw.uniform(shape), draw.normal(shape)
    if reduction == "batchmean" and shape[:1] == (0,):
        return  # 0/0: nan there, nan here, but a sum of nothing has no shape to compare
    if p.size > 1:
        p.flat[0] = 0
    same_loss(both, "KLDivLoss", [x, p], reduction)
    same_loss(both, "KLDivLoss", [x, logp], reduction, log_target=True)


@given(NUMBERS, SHAPES, REDUCTIONS, st.booleans(), st.booleans())
def test_poisson(
    both: Any, draw: Numbers, shape: Any, reduction: str, log_input: bool, full: bool
) -> None:
    rate, count = draw.uniform(shape), draw.uniform(shape, 0, 4)
    same_loss(
        both, "PoissonNLLLoss", [rate, count], reduction, fixed=1, log_input=log_input, full=full
    )


@given(
    NUMBERS,
    st.sampled_from((((3, 5), (3, 5)), ((3, 5), (3,)), ((3, 5), (3, 1)), ((2, 3, 5), (2, 1, 5)))),
    REDUCTIONS,
    st.booleans(),
)
def test_gaussian(both: Any, draw: Numbers, shapes: Any, reduction: str, full: bool) -> None:
    shape, of_var = shapes
    var = draw.uniform(of_var, 0.5, 2.0)
    same_loss(
        both, "GaussianNLLLoss", [draw.normal(shape), draw.normal(shape), var], reduction, full=full
    )
    var.flat[0] = 1e-9  # below eps: the number is replaced, its gradient stays
    same_loss(both, "GaussianNLLLoss", [draw.normal(shape), draw.normal(shape), var], reduction)


@given(NUMBERS, SHAPES, REDUCTIONS, st.sampled_from((0.3, 1.0)))
def test_margins(both: Any, draw: Numbers, shape: Any, reduction: str, margin: float) -> None:
    x, z, signs = draw.normal(shape), draw.normal(shape), draw.signs(shape)
    same_loss(both, "HingeEmbeddingLoss", [x, signs], reduction, fixed=1, margin=margin)
    if len(shape) < 2:
        same_loss(both, "MarginRankingLoss", [x, z, signs], reduction, fixed=1, margin=margin)
    # PyTorch's overflows where target * input is below -88 (float32) or -709
    same_loss(both, "SoftMarginLoss", [draw.normal(shape, 20.0), signs], reduction, fixed=1)


@given(NUMBERS, MATRICES, REDUCTIONS, st.booleans())
def test_vectors(both: Any, draw: Numbers, shape: Any, reduction: str, swap: bool) -> None:
    x, y, z = draw.normal(shape), draw.normal(shape), draw.normal(shape)
    same_loss(
        both, "CosineEmbeddingLoss", [x, y, draw.signs(shape[:1])], reduction, fixed=1, margin=0.2
    )
    for p in (1.0, 2.0, 3.0):
        same_loss(both, "TripletMarginLoss", [x, y, z], reduction, p=p, swap=swap, margin=0.7)


@given(NUMBERS, MATRICES, REDUCTIONS, st.booleans())
def test_several_labels(both: Any, draw: Numbers, shape: Any, reduction: str, weigh: bool) -> None:
    x, hot = draw.normal(shape, 5.0), draw.labels(shape, 2).astype(draw.dtype)
    settings = {"weight": draw.uniform(shape[1:])} if weigh else {}
    same_loss(both, "MultiLabelSoftMarginLoss", [x, hot], reduction, fixed=1, **settings)
    if shape[0]:  # PyTorch gives uninitialised memory for an empty batch
        labels = draw.rng.integers(-1, shape[1], shape)
        same_loss(both, "MultiLabelMarginLoss", [x, labels], reduction, fixed=1)
        one = draw.labels(shape[:1], shape[1])
        for p in (1, 2):
            same_loss(both, "MultiMarginLoss", [x, one], reduction, fixed=1, p=p, **settings)


@st.composite
def scores(draw: Any) -> tuple[Numbers, Array, tuple[int, ...]]:
    numbers = draw(NUMBERS)
    classes = draw(st.sampled_from((1, 2, 3, 7, 67)))
    batch = draw(st.sampled_from(((), (0,), (1,), (5,), (2, 3), (3, 2, 5))))
    shape = (*batch[:1], classes, *batch[1:])
    return numbers, numbers.normal(shape, draw(st.sampled_from((1.0, 100.0)))), batch


@given(
    scores(), REDUCTIONS, st.booleans(), st.sampled_from((-100, 0, 1)), st.sampled_from((0.0, 0.1))
)
def test_class_indices(
    both: Any, case: Any, reduction: str, weigh: bool, ignore: int, smoothing: float
) -> None:
    draw, x, batch = case
    classes = x.shape[min(1, x.ndim - 1)]
    labels = draw.labels(batch, classes)
    if labels.size > 1:
        labels.flat[0] = ignore
    settings: dict[str, Any] = {"ignore_index": ignore}
    if weigh:
        settings["weight"] = draw.uniform((classes,), 0.1, 1.0)
    if ignore >= 0 and (labels == ignore).all():
        return  # the mean of nothing
    same_loss(both, "NLLLoss", [x, labels], reduction, fixed=1, **settings)
    settings["label_smoothing"] = smoothing
    same_loss(both, "CrossEntropyLoss", [x, labels], reduction, fixed=1, **settings)


@given(scores(), REDUCTIONS, st.booleans(), st.sampled_from((0.0, 0.1)))
def test_class_probabilities(
    both: Any, case: Any, reduction: str, weigh: bool, smoothing: float
) -> None:
    draw, x, _ = case
    settings: dict[str, Any] = {"label_smoothing": smoothing}
    if weigh:
        settings["weight"] = draw.uniform(x.shape[min(1, x.ndim - 1)], 0.1, 1.0)
    p = draw.uniform(x.shape)
    same_loss(both, "CrossEntropyLoss", [x, p], reduction, **settings)


WEIGHTED: list[tuple[str, dict[str, Any]]] = [
    ("mse_loss", {}),
    ("l1_loss", {}),
    ("huber_loss", {"delta": 0.7}),
]


@pytest.mark.parametrize(("name", "settings"), WEIGHTED)
@given(NUMBERS, SHAPES, REDUCTIONS)
def test_weights_of_entries(
    both: Callable[..., Any], name: str, settings: Any, draw: Numbers, shape: Any, reduction: str
) -> None:
    x, t, w = draw.normal(shape), draw.normal(shape), draw.uniform(shape, 0.1, 1.0)

    def loss(library: Any) -> Callable[..., Any]:
        function = getattr(library.nn.functional, name)
        return lambda a, b, c: function(a, b, reduction=reduction, weight=c, **settings)

    both(loss(gradling), loss(torch), [x, t, w])
