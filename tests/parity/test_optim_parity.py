"""Optimizers and schedules follow PyTorch's trajectories step by step."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import gradling
from gradling import optim
from gradling.optim import lr_scheduler

torch = pytest.importorskip("torch", reason="parity is checked where PyTorch is installed")

SHAPES = [(3, 2), (4,), (), (1, 5)]

OPTIMIZERS = [
    ("SGD", {"lr": 0.01}),
    ("SGD", {"lr": 0.01, "weight_decay": 0.1, "maximize": True}),
    ("SGD", {"lr": 0.01, "momentum": 0.9, "dampening": 0.3}),
    ("SGD", {"lr": 0.01, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("Adagrad", {}),
    (
        "Adagrad",
        {"lr": 0.1, "lr_decay": 0.01, "weight_decay": 0.1, "initial_accumulator_value": 0.5},
    ),
    ("RMSprop", {}),
    ("RMSprop", {"centered": True, "momentum": 0.5, "weight_decay": 0.1, "alpha": 0.9}),
    ("Adam", {"lr": 0.01}),
    ("Adam", {"lr": 0.01, "amsgrad": True, "weight_decay": 0.1, "betas": (0.8, 0.95)}),
    ("Adam", {"lr": 0.01, "maximize": True, "eps": 1e-4}),
    ("AdamW", {"lr": 0.01}),
    ("AdamW", {"lr": 0.01, "amsgrad": True, "weight_decay": 0.2}),
    ("Adadelta", {}),
    ("Adadelta", {"lr": 0.5, "rho": 0.8, "weight_decay": 0.1, "maximize": True}),
    ("Adamax", {"weight_decay": 0.1}),
    ("NAdam", {"weight_decay": 0.1}),
    ("NAdam", {"decoupled_weight_decay": True, "weight_decay": 0.1, "momentum_decay": 0.01}),
    ("RAdam", {"lr": 0.01}),
    ("RAdam", {"lr": 0.01, "decoupled_weight_decay": True, "weight_decay": 0.1}),
    ("Rprop", {}),
    ("Rprop", {"lr": 0.1, "etas": (0.4, 1.3), "step_sizes": (1e-3, 0.5)}),
    ("ASGD", {"lr": 0.01}),
    ("ASGD", {"lr": 0.01, "t0": 10, "weight_decay": 0.1, "lambd": 0.01}),
]


def starts(dtype: str) -> list[Any]:
    draw = np.random.default_rng(5)
    return [draw.standard_normal(shape).astype(dtype) for shape in SHAPES]


def loss_of(params: list[Any]) -> Any:
    return sum(((p - 1) ** 2 * (p + 2).sin()).sum() for p in params)


def descend(optimizer: Any, params: list[Any], steps: int) -> None:
    for _ in range(steps):
        optimizer.zero_grad()
        loss_of(params).backward()
        optimizer.step()


def assert_same(ours: list[Any], theirs: list[Any], rtol: float) -> None:
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.numpy(), b.detach().numpy(), rtol=rtol, atol=1e-9)


@pytest.mark.parametrize(("name", "options"), OPTIMIZERS)
def test_trajectory_of_100_steps(name: str, options: dict[str, Any]) -> None:
    ours = [gradling.tensor(w, requires_grad=True) for w in starts("float64")]
    theirs = [torch.tensor(w, requires_grad=True) for w in starts("float64")]
    mine = getattr(optim, name)(ours, **options)
    yours = getattr(torch.optim, name)(theirs, **options)
    for _ in range(10):
        descend(mine, ours, 10)
        descend(yours, theirs, 10)
        assert_same(ours, theirs, 1e-6)


@pytest.mark.parametrize(("name", "options"), OPTIMIZERS)
def test_state_loads_from_pytorch_and_goes_on(name: str, options: dict[str, Any]) -> None:
    ours = [gradling.tensor(w, requires_grad=True) for w in starts("float64")]
    theirs = [torch.tensor(w, requires_grad=True) for w in starts("float64")]
    yours = getattr(torch.optim, name)(theirs, **options)
    descend(yours, theirs, 30)
    with gradling.no_grad():
        for a, b in zip(ours, theirs, strict=True):
            a.copy_(gradling.tensor(b.detach().numpy()))
    mine = getattr(optim, name)(ours, lr=123.0)
    mine.load_state_dict(yours.state_dict())
    descend(mine, ours, 20)
    descend(yours, theirs, 20)
    assert_same(ours, theirs, 1e-6)


@pytest.mark.parametrize(("name", "options"), OPTIMIZERS)
def test_a_parameter_without_gradient_is_left_alone(name: str, options: dict[str, Any]) -> None:
    ours = [gradling.tensor(w, requires_grad=True) for w in starts("float64")]
    theirs = [torch.tensor(w, requires_grad=True) for w in starts("float64")]
    mine = getattr(optim, name)(ours, **options)
    yours = getattr(torch.optim, name)(theirs, **options)
    for step in range(12):
        missing = step % len(SHAPES)  # another one each time, so that their step counts drift apart
        for optimizer, params in ((mine, ours), (yours, theirs)):
            optimizer.zero_grad()
            loss_of([p for i, p in enumerate(params) if i != missing]).backward()
            optimizer.step()
    assert_same(ours, theirs, 1e-6)


def test_groups_with_options_of_their_own() -> None:
    ours = [gradling.tensor(w, requires_grad=True) for w in starts("float64")]
    theirs = [torch.tensor(w, requires_grad=True) for w in starts("float64")]
    optimizers = []
    for library, params in ((optim, ours), (torch.optim, theirs)):
        groups = [{"params": params[:1], "lr": 0.1}, {"params": params[1:3], "betas": (0.5, 0.9)}]
        optimizer = library.Adam(groups, lr=0.01)
        optimizer.add_param_group({"params": params[3], "weight_decay": 0.3})
        optimizers.append(optimizer)
    descend(optimizers[0], ours, 30)
    descend(optimizers[1], theirs, 30)
    assert_same(ours, theirs, 1e-6)


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_lbfgs_follows_pytorch(search: str | None) -> None:
    draw = np.random.default_rng(0)
    begin = [draw.standard_normal(shape) for shape in [(3, 2), (4,)]]
    ours = [gradling.tensor(w, requires_grad=True) for w in begin]
    theirs = [torch.tensor(w, requires_grad=True) for w in begin]
    options = {
        "lr": 0.1 if search is None else 1.0,
        "line_search_fn": search,
        "max_iter": 5,
        "history_size": 4,
    }
    mine, yours = optim.LBFGS(ours, **options), torch.optim.LBFGS(theirs, **options)

    def closure(optimizer: Any, params: list[Any]) -> Any:
        a, b = params
        optimizer.zero_grad()
        loss = ((a**2).sum() - 1) ** 2 + ((b - a.reshape(-1)[:4] ** 2) ** 2).sum() * 10
        loss.backward()
        return loss

    for _ in range(15):
        first = mine.step(lambda: closure(mine, ours))
        second = yours.step(lambda: closure(yours, theirs))
        assert float(first.detach()) == pytest.approx(float(second.detach()), rel=1e-6, abs=1e-9)
        assert_same(ours, theirs, 1e-5)


def test_muon_is_pytorchs_within_its_half_precision() -> None:
    begin = np.random.default_rng(1).standard_normal((6, 4)).astype("float32")
    ours, theirs = (
        gradling.tensor(begin, requires_grad=True),
        torch.tensor(begin, requires_grad=True),
    )
    mine, yours = optim.Muon([ours], lr=0.02), torch.optim.Muon([theirs], lr=0.02)
    descend(mine, [ours], 3)
    descend(yours, [theirs], 3)
    # PyTorch runs the Newton–Schulz steps in bfloat16, which has 8 bits
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), atol=5e-3)


SCHEDULES = {
    "lambda": lambda L, o: L.LambdaLR(o, lambda t: 0.9**t),
    "multiplicative": lambda L, o: L.MultiplicativeLR(o, lambda t: 0.99),
    "step": lambda L, o: L.StepLR(o, 7, 0.5),
    "milestones, one twice": lambda L, o: L.MultiStepLR(o, [3, 3, 20], 0.3),
    "constant": lambda L, o: L.ConstantLR(o, 0.2, 9),
    "linear": lambda L, o: L.LinearLR(o, 0.1, 0.8, 11),
    "exponential": lambda L, o: L.ExponentialLR(o, 0.97),
    "polynomial": lambda L, o: L.PolynomialLR(o, 50, 2.0),
    "cosine": lambda L, o: L.CosineAnnealingLR(o, 30, 0.01),
    "restarts": lambda L, o: L.CosineAnnealingWarmRestarts(o, 10, 2, 0.01),
    "one after another": lambda L, o: L.SequentialLR(
        o,
        [L.LinearLR(o, 0.1, total_iters=10), L.CosineAnnealingLR(o, 40), L.ExponentialLR(o, 0.9)],
        [10, 50],
    ),
    "chained": lambda L, o: L.ChainedScheduler(
        [L.LinearLR(o, 0.1, total_iters=10), L.ExponentialLR(o, 0.9)]
    ),
    "chained with a floor": lambda L, o: L.ChainedScheduler(
        [L.ConstantLR(o, 0.1, total_iters=10), L.CosineAnnealingLR(o, 30, 0.001)]
    ),
    "triangular": lambda L, o: L.CyclicLR(o, 0.1, 1.0, 7, 12),
    "triangular2": lambda L, o: L.CyclicLR(o, 0.1, 1.0, 7, mode="triangular2"),
    "exp_range": lambda L, o: L.CyclicLR(o, 0.1, 1.0, 7, 12, mode="exp_range", gamma=0.99),
    "one cycle": lambda L, o: L.OneCycleLR(o, 1.0, 100),
    "one cycle, lines, three phases": lambda L, o: L.OneCycleLR(
        o, 1.0, 100, three_phase=True, anneal_strategy="linear"
    ),
}


def schedule_pair(name: str) -> tuple[Any, Any, Any, Any]:
    ours, theirs = gradling.zeros(1, requires_grad=True), torch.zeros(1, requires_grad=True)
    mine = optim.SGD([ours], lr=0.5, momentum=0.9)
    yours = torch.optim.SGD([theirs], lr=0.5, momentum=0.9)
    return (
        mine,
        yours,
        SCHEDULES[name](lr_scheduler, mine),
        SCHEDULES[name](torch.optim.lr_scheduler, yours),
    )


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedule_over_100_steps(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's, of its own ways to step
        mine, yours, ours, theirs = schedule_pair(name)
        for step in range(99):
            a, b = mine.param_groups[0], yours.param_groups[0]
            assert a["lr"] == pytest.approx(b["lr"], rel=1e-9, abs=1e-12), step
            assert a["momentum"] == pytest.approx(b["momentum"]), step
            yours.step()
            ours.step()
            theirs.step()


def test_plateau_follows_pytorch() -> None:
    metrics = np.concatenate([np.linspace(1, 0.5, 10), np.full(40, 0.5), [0.4], np.full(30, 0.41)])
    ours, theirs = gradling.zeros(1, requires_grad=True), torch.zeros(1, requires_grad=True)
    mine, yours = optim.SGD([ours], lr=0.5), torch.optim.SGD([theirs], lr=0.5)
    options: dict[str, Any] = {"factor": 0.3, "patience": 4, "cooldown": 3, "min_lr": 1e-3}
    a = lr_scheduler.ReduceLROnPlateau(mine, **options)
    b = torch.optim.lr_scheduler.ReduceLROnPlateau(yours, **options)
    for metric in metrics:
        a.step(metric)
        b.step(metric)
        assert mine.param_groups[0]["lr"] == pytest.approx(yours.param_groups[0]["lr"], rel=1e-12)
