"""Schedules are pure functions of the step, and can be saved, plotted and stacked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import gradling
from gradling.optim import SGD, lr_scheduler
from gradling.optim.lr_scheduler import (
    ChainedScheduler,
    CosineAnnealingLR,
    ExponentialLR,
    LinearLR,
    OneCycleLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
    WarmupLR,
)


def optimizer(lr: float = 1.0) -> SGD:
    return SGD([gradling.zeros(1, requires_grad=True)], lr=lr, momentum=0.9)


SCHEDULES: list[Callable[[SGD], Any]] = [
    lambda o: StepLR(o, 3),
    lambda o: CosineAnnealingLR(o, 7, 0.01),
    lambda o: WarmupLR(o, 4, after=CosineAnnealingLR(o, 6)),
    lambda o: OneCycleLR(o, 2.0, 20),
    lambda o: SequentialLR(o, [LinearLR(o), ExponentialLR(o, 0.9)], [5]),
]


@pytest.mark.parametrize("make", SCHEDULES)
def test_stepping_sets_what_lr_at_says(make: Callable[[SGD], Any]) -> None:
    stepped = optimizer()
    schedule = make(stepped)
    wanted = [schedule.lr_at(t) for t in range(15)]
    found = []
    for _ in wanted:
        found.append(stepped.param_groups[0]["lr"])
        schedule.step()
    assert found == pytest.approx(wanted)


@pytest.mark.parametrize("make", SCHEDULES)
def test_saved_in_the_middle_it_goes_on(make: Callable[[SGD], Any], tmp_path: Any) -> None:
    whole = optimizer()
    schedule = make(whole)
    for _ in range(12):
        schedule.step()
    first = optimizer()
    half = make(first)
    for _ in range(6):
        half.step()
    gradling.save([first.state_dict(), half.state_dict()], tmp_path / "s.npz")
    second = optimizer()
    rest = make(second)
    states = gradling.load(tmp_path / "s.npz")
    second.load_state_dict(states[0])
    rest.load_state_dict(states[1])
    for _ in range(6):
        rest.step()
    assert second.param_groups[0]["lr"] == whole.param_groups[0]["lr"]


def test_a_learning_rate_changed_by_hand_is_scaled_from_there() -> None:
    o = optimizer()
    schedule = ExponentialLR(o, 0.5)
    o.param_groups[0]["lr"] = 8.0
    schedule.step()
    assert o.param_groups[0]["lr"] == 4.0


def test_chained_schedules_multiply() -> None:
    o = optimizer()
    both = ChainedScheduler([StepLR(o, 2, 0.1), ExponentialLR(o, 0.5)])
    for _ in range(4):
        both.step()
    assert o.param_groups[0]["lr"] == pytest.approx(0.1**2 * 0.5**4)


@pytest.mark.parametrize(
    "make",
    [
        lambda o: StepLR(o, 0),
        lambda o: LinearLR(o, start_factor=0.0),
        lambda o: CosineAnnealingLR(o, 0),
        lambda o: OneCycleLR(o, 1.0),
        lambda o: OneCycleLR(o, 1.0, 10, anneal_strategy="cosine"),
        lambda o: SequentialLR(o, [StepLR(o, 1)], [3]),
        lambda o: ReduceLROnPlateau(o, mode="least"),
        lambda o: ReduceLROnPlateau(o, factor=1.5),
        lambda o: WarmupLR(o, 0),
        lambda o: lr_scheduler.LambdaLR(o, [lambda t: 1.0, lambda t: 1.0]),
        lambda o: SequentialLR(o, [StepLR(o, 1), StepLR(optimizer(), 1)], [3]),
    ],
)
def test_bad_arguments_are_named(make: Callable[[SGD], Any]) -> None:
    with pytest.raises(ValueError, match=r"[A-Za-z]+LR|ReduceLROnPlateau"):
        make(optimizer())


def test_not_an_optimizer() -> None:
    with pytest.raises(TypeError, match="expected an optimizer"):
        StepLR(gradling.zeros(1), 3)


def test_one_cycle_says_when_it_is_over() -> None:
    schedule = OneCycleLR(optimizer(), 1.0, 3)
    schedule.step()
    schedule.step()
    with pytest.raises(ValueError, match="past the 3 steps"):
        schedule.step()
        schedule.step()


@pytest.mark.parametrize("make", SCHEDULES)
def test_a_group_added_later_is_scheduled_too(make: Callable[[SGD], Any]) -> None:
    stepped = optimizer()
    schedule = make(stepped)
    schedule.step()
    stepped.add_param_group({"params": [gradling.zeros(1, requires_grad=True)], "lr": 0.1})
    if isinstance(schedule, (OneCycleLR, lr_scheduler.CyclicLR)):
        before = schedule.last_epoch
        with pytest.raises(ValueError, match=r"group 1 since.*after the last add_param_group"):
            schedule.step()
        assert schedule.last_epoch == before
        assert "initial_lr" not in stepped.param_groups[1]
        return
    for _ in range(9):
        schedule.step()
    assert 0 <= stepped.param_groups[1]["lr"] < 1
    assert len(schedule.get_last_lr()) == 2


def test_a_group_added_later_goes_down_by_the_same_factor() -> None:
    stepped = optimizer(lr=1.0)
    schedule = StepLR(stepped, 3, gamma=0.5)
    for _ in range(2):
        schedule.step()
    stepped.add_param_group({"params": [gradling.zeros(1, requires_grad=True)], "lr": 0.1})
    for _ in range(4):
        schedule.step()
    assert schedule.get_last_lr() == pytest.approx([0.25, 0.025])


def test_a_floor_per_group_must_cover_a_group_added_later() -> None:
    stepped = optimizer()
    stepped.add_param_group({"params": [gradling.zeros(1, requires_grad=True)]})
    schedule = ReduceLROnPlateau(stepped, min_lr=[0.1, 0.2])
    stepped.add_param_group({"params": [gradling.zeros(1, requires_grad=True)]})
    with pytest.raises(ValueError, match="1 groups more than min_lr"):
        schedule.step(1.0)


@pytest.mark.parametrize("halved", [False, True])
def test_last_epoch_goes_on_from_the_loaded_learning_rate(halved: bool) -> None:
    whole = optimizer()
    first = ExponentialLR(whole, 0.9)
    for _ in range(5):
        first.step()
    if halved:
        whole.param_groups[0]["lr"] /= 2
    later = optimizer()
    later.load_state_dict(whole.state_dict())
    second = ExponentialLR(later, 0.9, last_epoch=first.last_epoch - 1)
    assert second.last_epoch == first.last_epoch
    for _ in range(3):
        assert later.param_groups[0]["lr"] == pytest.approx(whole.param_groups[0]["lr"], rel=1e-12)
        first.step()
        second.step()


def test_a_state_without_the_functions_keeps_them() -> None:
    stepped = optimizer()
    schedule = lr_scheduler.LambdaLR(stepped, lambda t: 0.5**t)
    stepped.param_groups[0]["lr"] = 0.25
    schedule.load_state_dict({"last_epoch": 2, "base_lrs": [1.0], "lr_lambdas": [None]})
    schedule.step()
    assert schedule.get_last_lr() == pytest.approx([0.125])
