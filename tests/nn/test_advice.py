"""What an error advises works: the advice is taken out of its message and followed."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import Any

import pytest

import gradling
from gradling import nn
from gradling.nn import functional as F

ones, zeros = gradling.ones, gradling.zeros


def refused(call: Callable[[], Any]) -> str:
    with pytest.raises((ValueError, TypeError)) as caught:
        call()
    return str(caught.value)


PAIRED: list[tuple[str, int]] = [
    ("mse_loss", 2), ("l1_loss", 2), ("smooth_l1_loss", 2), ("huber_loss", 2),
    ("binary_cross_entropy", 2), ("binary_cross_entropy_with_logits", 2), ("kl_div", 2),
    ("poisson_nll_loss", 2), ("gaussian_nll_loss", 3), ("soft_margin_loss", 2),
    ("hinge_embedding_loss", 2), ("margin_ranking_loss", 3), ("multilabel_soft_margin_loss", 2),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:kl_div")
@pytest.mark.parametrize(("name", "operands"), PAIRED)
@pytest.mark.parametrize("shapes", [((5, 1), (5,)), ((5,), (5, 1)), ((2, 3), (3, 2))])
def test_losses_of_two_shapes(name: str, operands: int, shapes: Any) -> None:
    loss = getattr(F, name)
    given: dict[str, Any] = {"input": ones(*shapes[0]), "target": ones(*shapes[1])}
    order = ["input", "target"]
    if operands == 3:
        given["other"] = ones(*shapes[0])  # a second input, or the variance
        order = (
            ["input", "target", "other"] if name.startswith("g") else ["input", "other", "target"]
        )
    said = refused(lambda: loss(*(given[x] for x in order)))
    assert str(shapes[0]) in said and str(shapes[1]) in said
    advice = re.search(r"`((input|target)\.[^`]+)` would make it (\([^)]*\))", said)
    assert advice, said
    changed = given | {advice[2]: eval(advice[1], dict(given))}
    assert str(changed[advice[2]].shape) == advice[3]
    if advice[2] == "input" and operands == 3:
        changed["other"] = changed["input"]
    loss(*(changed[x] for x in order))
    if "broadcast=True allows that" in said:
        loss(*(given[x] for x in order), broadcast=True)


def test_linear() -> None:
    layer = nn.Linear(6, 2)
    for shape in ((5, 2, 3), (6, 5)):
        x = ones(*shape)
        said = refused(lambda x=x: layer(x))
        advice = re.search(r"`(x\.[^`]+)`", said)
        assert advice, said
        layer(eval(advice[1], {"x": x}))


def test_dtypes_of_linear() -> None:
    whole = refused(lambda: nn.Linear(2, 2)(ones(3, 2, dtype=gradling.int64)))
    assert "input is int64, the parameters are float32; " in whole
    assert whole.endswith("convert the input with .to(float32)")  # no module is made of integers
    wide = refused(lambda: nn.Linear(2, 2)(ones(3, 2, dtype=gradling.float64)))
    assert wide.endswith(".to(float32) or the module with .to(float64)")
    layer = nn.Linear(2, 2)
    layer.bias = nn.Parameter(zeros(2, dtype=gradling.float64))
    assert "the parameters are float32 and float64" in refused(lambda: layer(ones(3, 2)))


def test_classes_stand_on_axis_one() -> None:
    scores, labels = gradling.randn(5, 7, 3), zeros(5, 7, dtype=gradling.int64)
    said = refused(lambda: F.cross_entropy(scores, labels))
    advice = re.search(r"`(input\.[^`]+)` would make it (\([^)]*\))", said)
    assert advice and advice[2] == "(5, 3, 7)", said
    F.cross_entropy(eval(advice[1], {"input": scores}), labels)


def test_one_place_is_too_few_for_an_instance_norm() -> None:
    layer = nn.InstanceNorm2d(3)
    for mode in (True, False):
        said = refused(lambda mode=mode: layer.train(mode)(ones(2, 3, 1, 1)))
        # neither a larger batch nor evaluation would help
        assert "more than 1 place" in said and "batch" not in said and "eval" not in said
        assert re.search(r"LayerNorm|GroupNorm", said)
    said = refused(lambda: nn.GroupNorm(3, 3)(ones(2, 3)))
    assert "fewer groups" in said and "eval" not in said
    nn.GroupNorm(1, 3)(ones(2, 3))


def test_probabilities_in_place_of_logits_are_told_once(monkeypatch: Any) -> None:
    monkeypatch.setattr(F.checks, "told", set())
    x = gradling.randn(4, 1, requires_grad=True)
    target = ones(4)
    with pytest.warns(UserWarning, match="comes from a sigmoid.*binary_cross_entropy takes"):
        F.binary_cross_entropy_with_logits(x.sigmoid().squeeze(1), target)
    F.binary_cross_entropy_with_logits(x.sigmoid().squeeze(1), target)  # once
    monkeypatch.setattr(F.checks, "told", set())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        F.binary_cross_entropy_with_logits(x.squeeze(1), target)
        F.binary_cross_entropy_with_logits((x.sigmoid() * 2 - 1).squeeze(1), target)
