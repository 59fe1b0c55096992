"""Linear layers, embeddings and activations beside PyTorch's: outputs and all gradients."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from gradling import nn
from gradling.nn import functional as F

torch = pytest.importorskip("torch")

DTYPES = st.sampled_from(("float32", "float64"))
SIDES = st.sampled_from((1, 2, 3, 5, 7, 11, 13))
LEADS = st.sampled_from(((), (0,), (1,), (3,), (7,), (2, 5), (3, 1, 2)))


def normal(draw: Any, shape: tuple[int, ...], dtype: str, scale: float = 1.0) -> Any:
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    return (scale * np.asarray(rng.standard_normal(shape))).astype(dtype)


@given(st.data(), DTYPES, LEADS, SIDES, SIDES, st.booleans())
def test_linear(twins: Any, data: Any, dtype: str, lead: Any, n: int, m: int, bias: bool) -> None:
    x = normal(data.draw, (*lead, n), dtype)
    twins(nn.Linear(n, m, bias), torch.nn.Linear(n, m, bias), [x], dtype=dtype)


@given(st.data(), DTYPES, LEADS.filter(lambda lead: 0 not in lead), SIDES, SIDES, st.booleans())
def test_bilinear(twins: Any, data: Any, dtype: str, lead: Any, n: int, m: int, bias: bool) -> None:
    x, z = normal(data.draw, (*lead, n), dtype), normal(data.draw, (*lead, m), dtype)
    ours, theirs = nn.Bilinear(n, m, 3, bias), torch.nn.Bilinear(n, m, 3, bias)
    assert repr(ours) == repr(theirs)
    twins(ours, theirs, [x, z], dtype=dtype)


@given(
    st.data(),
    DTYPES,
    LEADS,
    st.sampled_from(
        (
            {},
            {"padding_idx": 1},
            {"padding_idx": -1},
            {"scale_grad_by_freq": True},
            {"max_norm": 1.0},
        )
    ),
)
def test_embedding(twins: Any, data: Any, dtype: str, lead: Any, settings: Any) -> None:
    rows, dim = data.draw(st.integers(2, 7)), data.draw(SIDES)
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    index = np.asarray(rng.integers(0, rows, lead))
    ours, theirs = nn.Embedding(rows, dim, **settings), torch.nn.Embedding(rows, dim, **settings)
    assert repr(ours) == repr(theirs)
    twins(ours, theirs, [index], dtype=dtype)


@given(st.data(), st.integers(1, 3), st.integers(-2, -1))
def test_flatten_and_back(both: Any, data: Any, first: int, last: int) -> None:
    x = normal(data.draw, (2, 3, 5, 7, 2), "float64")
    ours, theirs = nn.Flatten(first, last), torch.nn.Flatten(first, last)
    assert repr(ours) == repr(theirs)
    both(ours, theirs, [x])
    both(nn.Unflatten(3, (7, 1)), torch.nn.Unflatten(3, (7, 1)), [x])


ACTIVATIONS: list[tuple[str, dict[str, Any]]] = [
    ("ReLU", {}),
    ("ReLU6", {}),
    ("LeakyReLU", {"negative_slope": 0.2}),
    ("PReLU", {}),
    ("RReLU", {}),
    ("ELU", {"alpha": 0.7}),
    ("SELU", {}),
    ("CELU", {"alpha": 1.7}),
    ("GELU", {}),
    ("GELU", {"approximate": "tanh"}),
    ("SiLU", {}),
    ("Mish", {}),
    ("Sigmoid", {}),
    ("LogSigmoid", {}),
    ("Hardsigmoid", {}),
    ("Hardswish", {}),
    ("Tanh", {}),
    ("Hardtanh", {"min_val": -2.0, "max_val": 0.5}),
    ("Softplus", {}),
    ("Softplus", {"beta": 2.0, "threshold": 3.0}),
    ("Softsign", {}),
    ("Tanhshrink", {}),
    ("Softshrink", {"lambd": 0.3}),
    ("Hardshrink", {}),
    ("Threshold", {"threshold": 0.1, "value": 20.0}),
]
KINKS = (0.0, -0.0, 0.1, 0.3, -0.3, 0.5, -0.5, -2.0, 3.0, -3.0, 6.0, 1e4, -1e4, np.inf)


@pytest.mark.parametrize(("name", "settings"), ACTIVATIONS)
@given(st.data(), DTYPES, LEADS)
def test_activation(
    twins: Any, name: str, settings: Any, data: Any, dtype: str, lead: tuple[int, ...]
) -> None:
    x = normal(data.draw, (*lead, 3), dtype, 3.0)
    kinks = data.draw(st.lists(st.sampled_from(KINKS), max_size=x.size))
    x.flat[: len(kinks)] = kinks
    x[np.isinf(x) & (name in ("GELU", "SiLU", "Mish", "Softsign", "Tanhshrink"))] = 0
    if name == "PReLU":  # its weight's gradient is a sum, where terms of 1e4 may cancel
        x[np.isfinite(x) & (np.abs(x) > 20)] = 0
    ours, theirs = getattr(nn, name)(**settings), getattr(torch.nn, name)(**settings)
    assert repr(ours) == repr(theirs)
    # PyTorch holds two of the constants of these in single precision
    loose = 1e-7 if name in ("CELU", "Hardsigmoid") and dtype == "float64" else None
    twins(ours, theirs, [x], dtype=dtype, training=name != "RReLU", tolerance=loose)


@given(st.data(), DTYPES, SIDES)
def test_prelu_by_channel(twins: Any, data: Any, dtype: str, channels: int) -> None:
    x = normal(data.draw, (3, channels, 2), dtype)
    twins(nn.PReLU(channels), torch.nn.PReLU(channels), [x], dtype=dtype)


@pytest.mark.parametrize("name", ["Softmax", "LogSoftmax", "Softmin"])
@given(st.data(), DTYPES, LEADS, st.integers(-2, 1))
def test_softmax(both: Any, name: str, data: Any, dtype: str, lead: Any, dim: int) -> None:
    x = normal(data.draw, (*lead, 2, 3), dtype, 30.0)
    ours, theirs = getattr(nn, name)(dim), getattr(torch.nn, name)(dim)
    assert repr(ours) == repr(theirs)
    both(ours, theirs, [x])


@given(st.data(), DTYPES, st.integers(-3, 2))
def test_glu(both: Any, data: Any, dtype: str, dim: int) -> None:
    x = normal(data.draw, (2, 4, 6), dtype)
    both(nn.GLU(dim), torch.nn.GLU(dim), [x])
    x = normal(data.draw, (2, 3, 2, 5), dtype)
    both(nn.Softmax2d(), torch.nn.Softmax2d(), [x])


@given(st.data(), DTYPES, st.integers(-2, 1), st.sampled_from((1e-8, 2.0)))
def test_cosine_similarity(both: Any, data: Any, dtype: str, dim: int, eps: float) -> None:
    x, z = normal(data.draw, (3, 5), dtype), normal(data.draw, (3, 5), dtype)
    both(nn.CosineSimilarity(dim, eps), torch.nn.CosineSimilarity(dim, eps), [x, z])


@given(st.data(), DTYPES, st.sampled_from((0.5, 1.0, 2.0, 3.0, float("inf"))), st.booleans())
def test_distances(both: Any, data: Any, dtype: str, p: float, keepdim: bool) -> None:
    x, z = normal(data.draw, (3, 5), dtype), normal(data.draw, (3, 5), dtype)
    both(
        nn.PairwiseDistance(p, keepdim=keepdim),
        torch.nn.PairwiseDistance(p, keepdim=keepdim),
        [x, z],
    )
    both(lambda a: F.normalize(a, p), lambda a: torch.nn.functional.normalize(a, p), [x])


@given(st.lists(st.integers(0, 4), max_size=5), st.sampled_from((5, 6, -1)))
def test_one_hot(both: Any, labels: list[int], classes: int) -> None:
    if labels or classes > 0:
        index = np.array(labels, np.int64)
        both(
            lambda t: F.one_hot(t, classes),
            lambda t: torch.nn.functional.one_hot(t, classes),
            [index],
        )


def test_dropout_in_evaluation_is_nothing_and_full_dropout_is_zero(both: Any) -> None:
    x = np.ones((2, 3, 4), np.float32)
    for name in ("Dropout", "Dropout1d", "AlphaDropout"):
        both(getattr(nn, name)(0.5).eval(), getattr(torch.nn, name)(0.5).eval(), [x])
        both(getattr(nn, name)(1.0), getattr(torch.nn, name)(1.0), [x])
