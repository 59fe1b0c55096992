"""A model and its optimizer, copied or pickled together, go on together."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

import gradling
from gradling import nn, optim, train

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


@pytest.mark.parametrize("name", ["SGD", "Adam", "Rprop", "LBFGS"])
def test_a_model_converted_after_its_optimizer_was_made_goes_on(name: str) -> None:
    gradling.manual_seed(0)
    model = nn.Linear(3, 2)
    optimizer = MAKE[name](list(model.parameters()))
    twin, its = copy.deepcopy((model, optimizer))
    descend(model, optimizer, 2)
    descend(twin, its, 2)
    twin.double()
    x = gradling.linspace(-1, 1, 12).reshape(4, 3)

    def closure() -> Any:
        its.zero_grad()
        loss = (twin(x.double()) ** 2).mean()
        loss.backward()
        return loss

    for _ in range(3):
        its.step(closure)
    assert twin.weight.dtype is gradling.float64
    descend(model, optimizer, 3)
    for p, q in zip(model.parameters(), twin.parameters(), strict=True):
        assert gradling.allclose(p.double(), q, rtol=1e-3, atol=1e-4)


def test_a_parameter_of_another_shape_than_its_state_is_refused() -> None:
    p = gradling.ones(3, requires_grad=True)
    optimizer = optim.Adam([p])
    p.sum().backward()
    optimizer.step()
    p.data, p.grad = gradling.ones(5), None
    p.sum().backward()
    with pytest.raises(RuntimeError, match=r"parameter 0 had shape \(3,\).* has \(5,\) now"):
        optimizer.step()


def test_without_state_another_shape_is_stepped() -> None:
    p = gradling.ones(3, requires_grad=True)
    optimizer = optim.SGD([p], lr=0.5)
    for size in (3, 5):
        p.data, p.grad = gradling.ones(size), None
        p.sum().backward()
        optimizer.step()
        assert p.tolist() == [0.5] * size


def test_an_average_takes_its_own_statistics_and_is_evaluated_as_the_model_is() -> None:
    gradling.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 2))
    average = optim.swa_utils.AveragedModel(model)
    average.update_parameters(model)
    batches = [(gradling.randn(8, 2), gradling.zeros(8, dtype="int64")) for _ in range(3)]
    average.eval()
    optim.swa_utils.update_bn(batches, average)
    assert average.training is False
    norm = average.module[1]
    inputs = [average.module[0](x) for x, _ in batches]
    wanted = sum(x.mean(0) for x in inputs) / 3
    assert (norm.running_mean - wanted).abs().max().item() < 1e-5
    assert "loss" in train.evaluate(average, batches[0])
    assert train.predict(average, batches[0][0]).shape == (8, 2)
