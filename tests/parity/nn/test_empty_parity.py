"""Batches of nothing: every layer and loss gives what PyTorch's gives, or both refuse."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import gradling

torch = pytest.importorskip("torch")

Case = tuple[str, tuple[Any, ...], dict[str, Any], list[tuple[int, ...]]]
CASES: list[Case] = [
    ("Conv2d", (3, 4, 3), {"padding": 1, "padding_mode": "circular"}, [(0, 3, 7, 5)]),
    ("Conv2d", (3, 3, 3), {"groups": 3}, [(0, 3, 7, 5)]),
    ("Conv2d", (4, 4, 1), {}, [(0, 4, 7, 5)]),
    ("Conv2d", (32, 32, 3), {"padding": 1}, [(0, 32, 8, 8)]),
    ("Upsample", (), {"scale_factor": 2, "mode": "bilinear"}, [(0, 3, 4, 5)]),
    ("BatchNorm1d", (3,), {}, [(0, 3)]),
    ("GroupNorm", (1, 3), {}, [(0, 3, 4)]),
    ("GroupNorm", (3, 3), {}, [(0, 3)]),
    ("LayerNorm", (3,), {}, [(0, 3)]),
    ("RMSNorm", (3,), {}, [(0, 3)]),
    ("Linear", (3, 2), {}, [(0, 3)]),
    ("Bilinear", (3, 4, 2), {}, [(0, 3), (0, 4)]),
    ("Flatten", (), {}, [(0, 3, 4)]),
    ("Unflatten", (1, (1, 3)), {}, [(0, 3)]),
    ("MultiheadAttention", (4, 2), {}, [(3, 0, 4)] * 3),
    ("MultiheadAttention", (4, 2), {"batch_first": True}, [(0, 3, 4)] * 3),
    ("MultiheadAttention", (4, 2), {}, [(0, 2, 4), (3, 2, 4), (3, 2, 4)]),
    ("MultiheadAttention", (4, 2), {}, [(3, 2, 4), (0, 2, 4), (0, 2, 4)]),
    ("TransformerEncoderLayer", (4, 2, 8, 0.0), {}, [(3, 0, 4)]),
    ("TransformerDecoderLayer", (4, 2, 8, 0.0), {}, [(3, 0, 4)] * 2),
    ("Softmax", (0,), {}, [(0, 3)]),
    ("Softmax", (1,), {}, [(0, 3)]),
    ("LogSoftmax", (1,), {}, [(0, 3)]),
    ("GLU", (), {}, [(0, 4)]),
    ("PReLU", (3,), {}, [(0, 3)]),
    ("GELU", (), {}, [(0, 3)]),
    ("CosineSimilarity", (), {}, [(0, 3)] * 2),
    ("PairwiseDistance", (), {}, [(0, 3)] * 2),
]
for dims, places in ((1, (7,)), (2, (7, 5)), (3, (5, 3, 3))):
    shape = (0, 3, *places)
    CASES += [
        (f"{kind}{dims}d", arguments, {}, [shape])
        for kind, arguments in (
            ("Conv", (3, 4, 3)), ("ConvTranspose", (3, 4, 3, 2)), ("MaxPool", (2,)),
            ("AvgPool", (2,)), ("AdaptiveAvgPool", (2,)), ("AdaptiveMaxPool", (2,)),
            ("BatchNorm", (3,)), ("InstanceNorm", (3,)), ("Dropout", (0.5,)),
        )
    ]  # fmt: skip
for kind in ("RNN", "LSTM", "GRU"):
    CASES += [
        (kind, (3, 4), {"bidirectional": True, "num_layers": 2}, [(5, 0, 3)]),
        (kind, (3, 4), {"batch_first": True}, [(0, 5, 3)]),
        (kind, (3, 4), {}, [(0, 2, 3)]),  # no steps
        (f"{kind}Cell", (3, 4), {}, [(0, 3)]),
    ]
for reduction in ("mean", "sum", "none"):
    CASES += [
        (f"{kind}Loss", (), {"reduction": reduction}, [(0, 3)] * 2)
        for kind in (
            "MSE", "L1", "SmoothL1", "Huber", "BCE", "BCEWithLogits", "KLDiv", "PoissonNLL",
            "HingeEmbedding", "MultiLabelSoftMargin",
        )
    ] + [
        ("TripletMarginLoss", (), {"reduction": reduction}, [(0, 3)] * 3),
        ("GaussianNLLLoss", (), {"reduction": reduction}, [(0, 3)] * 3),
        ("MarginRankingLoss", (), {"reduction": reduction}, [(0,)] * 3),
        ("CosineEmbeddingLoss", (), {"reduction": reduction}, [(0, 3), (0, 3), (0,)]),
    ]  # fmt: skip


def outcome(library: Any, case: Case, training: bool) -> Any:
    """Outputs, gradients and buffers as arrays; or that it refused."""
    name, arguments, settings, shapes = case
    try:
        module = getattr(library.nn, name)(*arguments, **settings).train(training)
        xs = [library.zeros(*shape, requires_grad=True) for shape in shapes]
        y = module(*xs)
        ys = flat(y)
        ys[0].sum().backward()
    except Exception:
        return None
    grads = [x.grad for x in (*xs, *module.parameters())]
    return [None if z is None else np.asarray(z.detach()) for z in (*ys, *grads, *module.buffers())]


def flat(y: Any) -> list[Any]:
    if isinstance(y, (tuple, list)):
        return [x for part in y for x in flat(part)]
    return [y]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c[0]}-{c[3][0]}")
def test_nothing_in(case: Case, training: bool) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # each has its own to say of this
        theirs, ours = outcome(torch, case, training), outcome(gradling, case, training)
    assert (theirs is None) == (ours is None)
    if theirs is None:
        return
    # parameters are drawn, so outputs without a batch axis are compared in shape only
    for a, b in zip(ours, theirs, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            assert a.shape == b.shape and a.dtype == b.dtype
            assert (
                a.size == 0
                or case[0].endswith(("Attention", "LSTM", "RNN", "GRU"))
                or (np.array_equal(a, b, equal_nan=True))
            )
