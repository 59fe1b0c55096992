"""A model and its optimizer, copied or pickled together, go on together."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

import gradling
from gradling import nn, optim

COPIES: dict[str, Callable[[Any], Any]] = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda x: pickle.loads(pickle.dumps(x)),
}
MAKE: dict[str, Callable[[Any], optim.Optimizer]] = {
    "SGD": lambda p: optim.SGD(p, lr=0.1, momentum=0.9),
    "Adam": lambda p: optim.Adam(p, lr=0.1),
    "RMSprop": lambda p: optim.RMSprop(p, lr=0.1),
    "Rprop": lambda p: optim.Rprop(p, lr=0.1),
    "LBFGS": lambda p: optim.LBFGS(p, lr=0.1),
    "Muon": lambda p: optim.Muon([q for q in p if q.ndim == 2], lr=0.1),
}


def descend(model: Any, optimizer: Any, steps: int) -> None:
    x = gradling.linspace(-1, 1, 12).reshape(4, 3)

    def closure() -> Any:
        optimizer.zero_grad()
        loss = (model(x) ** 2).mean()
        loss.backward()
        return loss

    for _ in range(steps):
        optimizer.step(closure)


def numbers(model: Any) -> list[Any]:
    return [p.tolist() for p in model.parameters()]


@pytest.mark.parametrize("copied", COPIES)
@pytest.mark.parametrize("name", MAKE)
@pytest.mark.parametrize("before", [0, 2])
def test_a_copy_takes_the_steps_of_the_original(name: str, copied: str, before: int) -> None:
    gradling.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    optimizer = MAKE[name](list(model.parameters()))
    descend(model, optimizer, before)
    twin, its = COPIES[copied]((model, optimizer))
    start = numbers(model)
    assert numbers(twin) == start
    descend(twin, its, 3)
    assert numbers(model) == start, "the original moved with its copy"
    assert numbers(twin) != start, "the copy did not move"
    descend(model, optimizer, 3)
    assert numbers(twin) == numbers(model)


def test_a_net_of_values_too() -> None:
    model = nn.MLP(2, [3, 1])
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    twin, its = copy.deepcopy((model, optimizer))
    (twin([1.0, 2.0]) ** 2).backward()
    start = [p.data for p in twin.parameters()]
    its.step()
    assert [p.data for p in twin.parameters()] != start
    assert [p.data for p in model.parameters()] == start
