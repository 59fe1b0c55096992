"""Optimizers without PyTorch beside them: state, groups, Values, bad input."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import gradling
from gradling import optim
from gradling.engine import Value

ALGORITHMS = sorted(
    name
    for name, kind in vars(optim).items()
    if inspect.isclass(kind) and issubclass(kind, optim.Optimizer) and kind is not optim.Optimizer
)
STEPPED = [name for name in ALGORITHMS if name != "LBFGS"]


def matrices(seed: int = 0) -> list[Any]:
    draw = np.random.default_rng(seed)
    return [gradling.tensor(draw.standard_normal((3, n)), requires_grad=True) for n in (2, 5)]


def loss_of(params: list[Any]) -> Any:
    return sum(((p - 1) ** 2).sum() for p in params)


def descend(optimizer: Any, params: list[Any], steps: int) -> None:
    def closure() -> Any:
        optimizer.zero_grad()
        loss = loss_of(params)
        loss.backward()
        return loss

    for _ in range(steps):
        optimizer.step(closure)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_algorithm_brings_a_loss_down(name: str) -> None:
    params = matrices()
    before = float(loss_of(params).detach())
    optimizer = getattr(optim, name)(
        params, **({} if name in ("Adadelta", "LBFGS") else {"lr": 0.01})
    )
    descend(optimizer, params, 60)
    assert float(loss_of(params).detach()) < before * (0.999 if name == "Adadelta" else 0.9)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_state_saved_in_the_middle_gives_the_same_bits(name: str, tmp_path: Any) -> None:
    whole, halves = matrices(), matrices()
    first = getattr(optim, name)(whole)
    descend(first, whole, 20)
    second = getattr(optim, name)(halves)
    descend(second, halves, 10)
    gradling.save(second.state_dict(), tmp_path / "state.npz")
    third = getattr(optim, name)(halves, lr=99.0)
    third.load_state_dict(gradling.load(tmp_path / "state.npz"))
    descend(third, halves, 10)
    for a, b in zip(whole, halves, strict=True):
        assert a.detach().numpy().tobytes() == b.detach().numpy().tobytes()


@pytest.mark.parametrize("name", [name for name in STEPPED if name != "Muon"])
def test_values_move_as_tensors_do(name: str) -> None:
    numbers = [0.3, -1.2, 2.0]
    tensors = [gradling.tensor(x, dtype="float64", requires_grad=True) for x in numbers]
    values = [Value(x) for x in numbers]
    one, two = getattr(optim, name)(tensors), getattr(optim, name)(values)
    for _ in range(5):
        one.zero_grad()
        two.zero_grad()
        sum((t - 1) ** 2 for t in tensors).backward()
        sum((v - 1) ** 2 for v in values).backward()
        one.step()
        two.step()
    for t, v in zip(tensors, values, strict=True):
        assert v.data == pytest.approx(t.item(), rel=1e-12)


def test_parameters_of_several_dtypes_keep_them() -> None:
    params = [
        gradling.ones(3, requires_grad=True),
        gradling.ones(2, dtype="float64", requires_grad=True),
    ]
    optimizer = optim.Adam(params, lr=0.1)
    descend(optimizer, params, 0)
    (params[0] * 2).sum().backward()
    (params[1] * 2).sum().backward()
    optimizer.step()
    assert [p.dtype for p in params] == [gradling.float32, gradling.float64]
    assert [p.tolist()[0] for p in params] == pytest.approx([0.9, 0.9])


def test_a_parameter_that_got_a_new_array_is_stepped_where_it_is() -> None:
    w = gradling.ones(2, requires_grad=True)
    optimizer = optim.SGD([w], lr=1.0)
    w.data = gradling.tensor([5.0, 6.0])
    (w * 1.0).sum().backward()
    optimizer.step()
    assert w.tolist() == [4.0, 5.0]


def test_a_step_refuses_a_graph_that_saved_the_old_weights() -> None:
    w = gradling.ones(2, requires_grad=True)
    optimizer = optim.SGD([w], lr=1.0)
    loss = (w * w).sum()
    w.grad = gradling.ones(2)
    optimizer.step()
    with pytest.raises(RuntimeError, match="an optimizer's step"):
        loss.backward()


def test_zero_grad_drops_or_zeroes() -> None:
    w = gradling.ones(2, requires_grad=True)
    optimizer = optim.SGD([w], lr=1.0)
    (w * 3).sum().backward()
    optimizer.zero_grad(set_to_none=False)
    assert w.grad is not None
    assert w.grad.tolist() == [0.0, 0.0]
    optimizer.zero_grad()
    assert w.grad is None


def test_hooks_run_around_the_step_and_can_be_removed() -> None:
    w = gradling.ones(1, requires_grad=True)
    optimizer = optim.SGD([w], lr=1.0)
    seen: list[str] = []
    before = optimizer.register_step_pre_hook(lambda *_: seen.append("before"))
    optimizer.register_step_post_hook(lambda *_: seen.append("after"))
    optimizer.step()
    before.remove()
    optimizer.step()
    assert seen == ["before", "after", "after"]


def test_a_closure_is_run_with_gradients_on_and_returned() -> None:
    w = gradling.ones(1, requires_grad=True)
    optimizer = optim.SGD([w], lr=0.5)

    def closure() -> Any:
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    with gradling.no_grad():
        assert optimizer.step(closure).item() == 1.0
    assert w.item() == 0.0


class TestBadInput:
    def test_no_parameters(self) -> None:
        w = gradling.ones(1, requires_grad=True)
        generator = (p for p in [w])
        optim.SGD(generator, lr=0.1)
        with pytest.raises(ValueError, match="used up only once"):
            optim.SGD(generator, lr=0.1)

    def test_a_parameter_in_two_groups(self) -> None:
        w = gradling.ones(1, requires_grad=True)
        with pytest.raises(ValueError, match="given twice"):
            optim.SGD([{"params": [w]}, {"params": [w], "lr": 1.0}], lr=0.1)

    def test_no_parameter_at_all(self) -> None:
        with pytest.raises(TypeError, match="parameter 0 is a float"):
            optim.SGD([1.0], lr=0.1)
        with pytest.raises(TypeError, match="put it in a list"):
            optim.SGD(gradling.ones(1, requires_grad=True), lr=0.1)

    def test_the_result_of_an_op(self) -> None:
        w = gradling.ones(1, requires_grad=True)
        with pytest.raises(ValueError, match="not a leaf"):
            optim.SGD([w * 2], lr=0.1)

    @pytest.mark.parametrize(
        ("name", "options"),
        [
            ("SGD", {"lr": -1.0}),
            ("SGD", {"lr": float("nan")}),
            ("SGD", {"nesterov": True}),
            ("Adam", {"betas": (1.0, 0.9)}),
            ("Adam", {"eps": -1e-8}),
            ("RMSprop", {"alpha": -0.1}),
            ("Adadelta", {"rho": 1.5}),
            ("Rprop", {"etas": (1.5, 1.2)}),
            ("Muon", {"adjust_lr_fn": "other"}),
            ("LBFGS", {"line_search_fn": "armijo"}),
        ],
    )
    def test_options_out_of_range(self, name: str, options: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match=name):
            getattr(optim, name)(matrices(), **options)

    def test_an_option_that_does_not_exist(self) -> None:
        with pytest.raises(TypeError, match="unknown option 'momentun'"):
            optim.SGD([{"params": matrices(), "momentun": 0.9}], lr=0.1)

    def test_state_of_another_model_changes_nothing(self) -> None:
        params, others = matrices(), matrices()[:1]
        one, two = optim.Adam(params), optim.Adam(others)
        descend(one, params, 3)
        descend(two, others, 3)
        before = {k: v.tolist() for k, v in one.state[params[0]].items() if hasattr(v, "tolist")}
        with pytest.raises(ValueError, match="another model"):
            one.load_state_dict(two.state_dict())
        after = {k: v.tolist() for k, v in one.state[params[0]].items() if hasattr(v, "tolist")}
        assert before == after

    def test_a_model_in_place_of_its_parameters(self) -> None:
        with pytest.raises(TypeError, match=r"the model itself, a Linear; pass model\.parameters"):
            optim.Adam(gradling.nn.Linear(2, 2))
        with pytest.raises(TypeError, match="an iterable of parameters, got int"):
            optim.Adam(3)  # type: ignore[arg-type]

    def test_muon_wants_matrices(self) -> None:
        with pytest.raises(ValueError, match="AdamW"):
            optim.Muon([gradling.ones(3, requires_grad=True)])

    def test_lbfgs_wants_a_closure(self) -> None:
        with pytest.raises(TypeError, match="closure"):
            optim.LBFGS(matrices()).step()


@pytest.mark.parametrize("name", ["SGD", "LBFGS"])
def test_hooks_before_the_step_run_before_its_closure(name: str) -> None:
    w = gradling.ones(1, requires_grad=True)
    optimizer = getattr(optim, name)([w], lr=0.1)
    seen: list[str] = []
    optimizer.register_step_pre_hook(lambda *_: seen.append("hook"))

    def closure() -> Any:
        seen.append("closure")
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    assert seen[:2] == ["hook", "closure"]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"lr": "0.1"}, "lr must be a number, got '0.1'"),
        ({"lr": None}, "lr must be a number, got None"),
        ({"betas": 0.9}, "betas must be a pair of numbers, got 0.9"),
        ({"betas": (0.9, 0.9, 0.9)}, "betas must be a pair"),
    ],
)
def test_options_of_a_wrong_kind(options: dict[str, Any], text: str) -> None:
    with pytest.raises(TypeError, match=text):
        optim.Adam(matrices(), **options)


def test_state_of_another_optimizer_changes_nothing() -> None:
    params = matrices()
    one, two = optim.SGD(params, lr=0.3, momentum=0.9), optim.Adam(params, lr=0.1)
    descend(one, params, 2)
    with pytest.raises(ValueError, match=r"of another optimizer: it has 'dampening'.*Adam"):
        two.load_state_dict(one.state_dict())
    assert two.param_groups[0]["lr"] == 0.1
    assert not two.state
