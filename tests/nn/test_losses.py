"""Losses: gradients, stability, the shapes they refuse, and the mistakes they name."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import gradling
from gradling import nn
from gradling.nn import functional as F
from gradling.nn.functional.checks import told
from gradling.testing import check_gradients

rng = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def first_time() -> Iterator[None]:
    """As if nothing had been warned of yet."""
    told.clear()
    yield
    told.clear()


def normal(*shape: int) -> Any:
    return gradling.tensor(rng.standard_normal(shape))


def uniform(*shape: int) -> Any:
    return gradling.tensor(rng.uniform(0.1, 0.9, shape))


def signs(*shape: int) -> Any:
    return gradling.tensor(rng.choice([-1.0, 1.0], shape))


LABELS = gradling.tensor([1, 0, 4, 2])
CASES: list[tuple[nn.Module, tuple[Any, ...], int]] = [  # loss, operands, how many of them vary
    (nn.MSELoss(), (normal(4, 5), normal(4, 5)), 2),
    (nn.MSELoss(reduction="none"), (normal(4, 5), normal(4, 5)), 2),
    (nn.L1Loss(), (normal(4, 5), normal(4, 5)), 2),
    (nn.SmoothL1Loss(beta=0.5), (normal(4, 5), normal(4, 5)), 2),
    (nn.HuberLoss(delta=0.7), (normal(4, 5), normal(4, 5)), 2),
    (nn.PoissonNLLLoss(), (normal(4), uniform(4) * 4), 2),
    (nn.PoissonNLLLoss(False, full=True), (uniform(4), uniform(4) * 4 + 1), 2),
    (nn.GaussianNLLLoss(full=True), (normal(4, 5), normal(4, 5), uniform(4, 1)), 3),
    (nn.CrossEntropyLoss(), (normal(4, 5), LABELS), 1),
    (nn.CrossEntropyLoss(uniform(5), label_smoothing=0.1), (normal(4, 5), LABELS), 1),
    (nn.CrossEntropyLoss(ignore_index=4, reduction="none"), (normal(4, 5), LABELS), 1),
    (nn.CrossEntropyLoss(), (normal(4, 5), uniform(4, 5)), 2),
    (
        nn.CrossEntropyLoss(),
        (normal(4, 5, 2), gradling.tensor([[1, 0], [2, 3], [4, 4], [0, 1]])),
        1,
    ),
    (nn.CrossEntropyLoss(from_probs=True), (uniform(4, 5), LABELS), 1),
    (nn.NLLLoss(uniform(5), ignore_index=0), (normal(4, 5), LABELS), 1),
    (nn.BCELoss(uniform(5)), (uniform(4, 5), uniform(4, 5)), 2),
    (nn.BCEWithLogitsLoss(), (normal(4, 5), uniform(4, 5)), 2),
    (nn.BCEWithLogitsLoss(uniform(5), pos_weight=uniform(5)), (normal(4, 5), uniform(4, 5)), 2),
    (nn.KLDivLoss(reduction="batchmean"), (normal(4, 5), uniform(4, 5)), 2),
    (nn.KLDivLoss(reduction="sum", log_target=True), (normal(4, 5), normal(4, 5)), 2),
    (nn.SoftMarginLoss(), (normal(4, 5), signs(4, 5)), 1),
    (nn.MultiLabelSoftMarginLoss(uniform(5)), (normal(4, 5), uniform(4, 5)), 1),
    (nn.HingeEmbeddingLoss(0.5), (normal(4, 5), signs(4, 5)), 1),
    (nn.MarginRankingLoss(0.5), (normal(4), normal(4), signs(4)), 2),
    (nn.MultiMarginLoss(2, 0.7, uniform(5)), (normal(4, 5), LABELS), 1),
    (nn.MultiLabelMarginLoss(), (normal(2, 3), gradling.tensor([[1, 2, -1], [-1, 0, 0]])), 1),
    (nn.CosineEmbeddingLoss(0.2), (normal(4, 5), normal(4, 5), signs(4)), 2),
    (nn.TripletMarginLoss(0.5, swap=True), (normal(4, 5), normal(4, 5), normal(4, 5)), 3),
    (nn.TripletMarginWithDistanceLoss(), (normal(4, 5), normal(4, 5), normal(4, 5)), 3),
]


@pytest.mark.parametrize(("loss", "operands", "vary"), CASES, ids=[repr(c[0]) for c in CASES])
def test_gradients(loss: nn.Module, operands: tuple[Any, ...], vary: int) -> None:
    loss.double()
    fixed = operands[vary:]
    report = check_gradients(lambda *xs: loss(*xs, *fixed), *operands[:vary])
    assert report.verdict == "correct", str(report)


@pytest.mark.parametrize(
    ("loss", "operands"),
    [(c[0], c[1]) for c in CASES if type(c[0]).__name__ in
     ("MSELoss", "CrossEntropyLoss", "BCEWithLogitsLoss", "BCELoss", "HuberLoss")],
    ids=repr,
)  # fmt: skip
def test_second_gradients(loss: nn.Module, operands: tuple[Any, ...]) -> None:
    report = check_gradients(lambda x: loss(x, *operands[1:]), operands[0], order=2)
    assert report.verdict == "correct", str(report)


def test_large_logits_stay_finite_and_exact() -> None:
    x = gradling.tensor([[1e4, 0.0, -1e4]], requires_grad=True)
    loss = F.cross_entropy(x, gradling.tensor([2]))
    loss.backward()
    assert loss.item() == 2e4 and x.grad.tolist() == [[1.0, 0.0, -1.0]]
    z = gradling.tensor([1e4, -1e4], requires_grad=True)
    loss = F.binary_cross_entropy_with_logits(z, gradling.tensor([0.0, 1.0]), reduction="sum")
    loss.backward()
    assert loss.item() == 2e4 and z.grad.tolist() == [1.0, -1.0]
    s = gradling.tensor([1e4], requires_grad=True)
    F.soft_margin_loss(s, gradling.tensor([-1.0])).backward()
    assert s.grad.tolist() == [1.0]
    h = gradling.tensor([1e30], requires_grad=True)
    for f in (F.huber_loss, F.smooth_l1_loss):
        h.grad = None
        loss = f(h, gradling.zeros(1))
        loss.backward()
        assert np.isclose(loss.item(), 1e30) and h.grad.tolist() == [1.0]


def test_ignored_samples_count_for_nothing_even_where_they_are_nan() -> None:
    x = gradling.tensor([[1.0, 2.0], [float("nan"), float("inf")]], requires_grad=True)
    loss = F.cross_entropy(x, gradling.tensor([0, -100]))
    loss.backward()
    wanted = F.cross_entropy(gradling.tensor([[1.0, 2.0]]), gradling.tensor([0]))
    assert loss.item() == wanted.item()
    assert x.grad[1].tolist() == [0.0, 0.0] and np.isfinite(x.grad.numpy()).all()
    (again,) = gradling.autograd.grad(
        F.cross_entropy(x, gradling.tensor([0, -100])), [x], create_graph=True
    )
    assert np.allclose(again.detach().numpy(), x.grad.numpy())


def test_a_mean_over_nothing_is_nan() -> None:
    none = gradling.tensor([], dtype=gradling.int64)
    for loss in (F.cross_entropy, F.nll_loss):
        assert np.isnan(loss(gradling.ones(0, 3), none).item())
        assert loss(gradling.ones(0, 3), none, reduction="sum").item() == 0
    assert np.isnan(F.mse_loss(gradling.ones(0), gradling.ones(0)).item())


@pytest.mark.parametrize(
    ("loss", "x", "t", "said"),
    [
        (F.mse_loss, (32, 1), (32,), "`target.unsqueeze(-1)` would make it (32, 1)"),
        (F.mse_loss, (32,), (32, 1), "`target.squeeze(-1)` would make it (32,)"),
        (F.l1_loss, (32, 1), (32,), "they would broadcast to (32, 32)"),
        (F.huber_loss, (3, 4), (4,), "broadcast=True allows that"),
        (F.smooth_l1_loss, (3, 4), (4, 3), "`target.mT` would make it (3, 4)"),
        (F.binary_cross_entropy_with_logits, (8, 1), (8,), "must have the same shape"),
        (F.binary_cross_entropy, (8, 1), (8,), "must have the same shape"),
        (F.kl_div, (8, 2), (8,), "must have the same shape"),
        (F.soft_margin_loss, (8, 1), (8,), "must have the same shape"),
        (F.hinge_embedding_loss, (8, 1), (8,), "must have the same shape"),
        (F.poisson_nll_loss, (8, 1), (8,), "must have the same shape"),
    ],
)
def test_differing_shapes_are_refused_with_the_reshape_that_fits(
    loss: Any, x: Any, t: Any, said: str
) -> None:
    with pytest.raises(ValueError) as caught:
        loss(gradling.ones(*x), gradling.ones(*t))
    assert said in str(caught.value)
    if "`target." in str(caught.value):
        call = str(caught.value).split("`")[1]
        loss(gradling.ones(*x), eval(call, {"target": gradling.ones(*t)}))


def test_broadcasting_can_be_asked_for() -> None:
    x, t = gradling.tensor([[1.0], [3.0]]), gradling.tensor([1.0, 2.0])
    assert F.mse_loss(x, t, broadcast=True).item() == (0 + 1 + 4 + 1) / 4
    assert F.l1_loss(x, t, broadcast=True).item() == 1.0
    with pytest.raises(ValueError, match="do not broadcast"):
        F.mse_loss(gradling.ones(2), gradling.ones(3), broadcast=True)


def test_class_indices_out_of_range_are_named() -> None:
    for loss in (F.cross_entropy, F.nll_loss, F.multi_margin_loss):
        with pytest.raises(IndexError, match=r"target\[2\] is 3, and there are 3 classes, 0 to 2"):
            loss(gradling.ones(4, 3), gradling.tensor([0, 1, 3, 2]))
        with pytest.raises(IndexError, match="2 of 4 labels are out of range"):
            loss(gradling.ones(4, 3), gradling.tensor([0, -7, -100_000, 2]))
    with pytest.raises(IndexError, match=r"target\[1, 0\] is 9"):
        F.cross_entropy(gradling.ones(2, 3, 1), gradling.tensor([[0], [9]]))


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (gradling.ones(4, 1).long(), "`target.squeeze(-1)` would make it (4,)"),
        (gradling.ones(4, 3).long(), "`target.argmax(1)` class indices"),
        (gradling.ones(4), "`target.long()` would make them class indices"),
        (gradling.ones(3, 4), "`target.mT` would make it (4, 3)"),
        (gradling.ones(5).long(), "class indices must be of shape (4,)"),
    ],
)
def test_labels_of_another_shape_are_refused(target: Any, said: str) -> None:
    with pytest.raises(ValueError) as caught:
        F.cross_entropy(gradling.ones(4, 3), target)
    assert said in str(caught.value)


def test_probabilities_in_place_of_logits_are_warned_of_once() -> None:
    p, t = F.softmax(normal(6, 3).float(), 1), gradling.tensor([0, 1, 2, 0, 1, 2])
    with pytest.warns(UserWarning, match="look like probabilities.*logits are expected") as caught:
        F.cross_entropy(p, t)
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nn.CrossEntropyLoss()(p, t)  # told already
        told.clear()
        F.cross_entropy(normal(6, 3), t)
        F.cross_entropy(p, t, from_probs=True)
    with pytest.warns(UserWarning, match="log-probabilities are expected"):
        nn.NLLLoss()(p, t)
    exact = F.nll_loss(p.log(), t).item()
    assert np.isclose(F.cross_entropy(p, t, from_probs=True).item(), exact)


def test_logits_in_place_of_probabilities_are_refused() -> None:
    with pytest.raises(RuntimeError, match="binary_cross_entropy_with_logits"):
        F.binary_cross_entropy(gradling.tensor([1.5]), gradling.tensor([1.0]))


def test_kl_div_warns_of_its_mean_once() -> None:
    with pytest.warns(UserWarning, match="batchmean"):
        F.kl_div(gradling.zeros(2, 2), gradling.ones(2, 2))
    F.kl_div(gradling.zeros(2, 2), gradling.ones(2, 2))


def test_other_mistakes_are_named() -> None:
    one, zero = gradling.ones(2), gradling.tensor([0])
    for wrong, said in [
        (lambda: F.mse_loss(one, one, reduction="avg"), "'mean', 'sum', 'none', got 'avg'"),
        (lambda: nn.MSELoss(reduction="batchmean"), "reduction must be one of"),
        (lambda: F.cross_entropy(one[None], zero, label_smoothing=2.0), "from 0 to 1"),
        (lambda: F.cross_entropy(one[None], zero, gradling.ones(3)), "per class"),
        (lambda: F.huber_loss(one, one, delta=0.0), "must be positive"),
        (lambda: F.smooth_l1_loss(one, one, beta=-1.0), "must not be negative"),
        (lambda: F.gaussian_nll_loss(one, one, -one), "must not be negative"),
        (lambda: F.gaussian_nll_loss(one, one, gradling.ones(3)), "does not fit input"),
        (lambda: F.triplet_margin_loss(one, one, one, margin=0.0), "margin must be positive"),
        (lambda: F.triplet_margin_loss(one, one, gradling.ones(3)), "the same shape"),
        (lambda: F.cosine_embedding_loss(one, one, one), "targets"),
        (lambda: nn.MultiMarginLoss(3), "p must be 1 or 2"),
        (lambda: F.mse_loss(one, one, weight=gradling.ones(3)), "weight"),
        (lambda: F.binary_cross_entropy(one, one, weight=gradling.ones(3)), "does not broadcast"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=said):
            wrong()
    with pytest.raises(TypeError, match="expected target to be a tensor, got list"):
        F.mse_loss(one, [1.0, 2.0])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"\.float\(\)"):
        F.mse_loss(one.long(), one.long())
    with pytest.raises(TypeError, match="floating scores"):
        F.cross_entropy(gradling.ones(1, 2).long(), gradling.tensor([0]))


def test_mixed_dtypes_are_promoted() -> None:
    loss = F.mse_loss(gradling.ones(2), gradling.tensor([1, 3]))
    assert loss.dtype == gradling.float32 and loss.item() == 2.0
    assert F.mse_loss(gradling.ones(2), gradling.ones(2).double()).dtype == gradling.float64


def test_weights_are_buffers() -> None:
    loss = nn.BCEWithLogitsLoss(gradling.ones(3), pos_weight=gradling.ones(3))
    assert list(loss.state_dict()) == ["weight", "pos_weight"] and not list(loss.parameters())
    assert loss.double().pos_weight.dtype == gradling.float64
    assert list(nn.CrossEntropyLoss().state_dict()) == []


def test_half_precision_means_do_not_overflow() -> None:
    x = gradling.full((1000,), 100.0, dtype=gradling.float16)
    assert F.mse_loss(x, x * 0).item() == 10000.0


def test_a_column_of_a_transposed_input_counts() -> None:
    x = normal(3, 4).float().requires_grad_()
    y = x.T  # not contiguous
    F.cross_entropy(y, gradling.tensor([0, 1, 2, 0])).backward()
    z = gradling.tensor(x.detach().numpy().T.copy(), requires_grad=True)
    F.cross_entropy(z, gradling.tensor([0, 1, 2, 0])).backward()
    assert np.allclose(x.grad.numpy().T, z.grad.numpy())


@pytest.mark.parametrize(
    "a, b, t, hint",
    [
        ((5, 3), (5, 3), (5, 1), "target.squeeze(-1)"),
        ((5, 3), (3, 5), (5,), "input2.mT"),
        ((5, 1, 3), (5, 3), (5,), "input1.squeeze(1)"),
        ((5, 3), (5, 3), (1, 5), "target.flatten()"),
    ],
)
def test_cosine_loss_says_the_reshape_that_fits(a: Any, b: Any, t: Any, hint: str) -> None:
    operands = {"input1": normal(*a), "input2": normal(*b), "target": gradling.ones(*t)}
    with pytest.raises(ValueError, match=re.escape(f"`{hint}` would make it")):
        F.cosine_embedding_loss(**operands)
    name = hint.partition(".")[0]
    operands[name] = eval(hint, {}, operands)  # what was said works
    F.cosine_embedding_loss(**operands)


@pytest.mark.parametrize(
    "shapes, hint",
    [
        ([(5, 3), (5, 3), (3, 5)], "negative.mT"),
        ([(5, 3), (5, 1, 3), (5, 3)], "positive.squeeze(1)"),
        ([(3,), (1, 3), (1, 3)], "anchor.unsqueeze(0)"),
    ],
)
def test_triplet_loss_says_the_reshape_that_fits(shapes: Any, hint: str) -> None:
    names = ("anchor", "positive", "negative")
    operands = {name: normal(*shape) for name, shape in zip(names, shapes, strict=True)}
    with pytest.raises(ValueError, match=re.escape(f"`{hint}` would make it")):
        F.triplet_margin_loss(**operands)
    operands[hint.partition(".")[0]] = eval(hint, {}, operands)
    F.triplet_margin_loss(**operands)


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("shape, target", [((2, 3), [1, 1]), ((3,), 1)])
def test_nothing_but_ignored_samples_has_no_mean_and_no_gradient(
    shape: Any, target: Any, smoothing: float
) -> None:
    x = normal(*shape).requires_grad_()
    t = gradling.tensor(target)
    loss = F.cross_entropy(x, t, ignore_index=1, label_smoothing=smoothing)
    loss.backward()
    assert np.isnan(loss.item())
    assert x.grad is not None and not x.grad.numpy().any()
