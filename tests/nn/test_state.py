"""state_dict and load_state_dict: what fits is loaded, what does not is listed, at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradling
from gradling import nn


def net() -> nn.Sequential:
    return nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))


def test_a_round_trip() -> None:
    a, b = net(), net()
    state = a.state_dict()
    assert list(state) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert not any(t.requires_grad for t in state.values())
    assert state["0.weight"]._data is a[0].weight._data  # shared, as in PyTorch
    assert str(b.load_state_dict(state)) == "<All keys matched successfully>"
    x = gradling.ones(1, 2)
    assert a(x).item() == b(x).item()
    assert b[0].weight._data is not a[0].weight._data
    assert a.state_dict(keep_vars=True)["0.weight"] is a[0].weight
    assert list(a.state_dict(prefix="model.")) == [f"model.{k}" for k in state]


def test_arrays_and_other_dtypes_are_taken() -> None:
    a = net()
    numbers = {k: np.asarray(v, np.float64) + 1 for k, v in a.state_dict().items()}
    a.load_state_dict(numbers)
    assert a[0].weight.dtype == gradling.float32
    assert np.allclose(a[0].weight.numpy(), numbers["0.weight"])


def test_every_problem_is_listed_and_nothing_is_loaded() -> None:
    a = net()
    before = {k: v.numpy().copy() for k, v in a.state_dict().items()}
    state: dict[str, Any] = {k: v + 1 for k, v in a.state_dict().items()}
    state["0.wieght"] = state.pop("0.weight")
    state["2.weight"] = gradling.ones(3, 1)
    state["2.bias"] = "text"
    with pytest.raises(RuntimeError) as caught:
        a.load_state_dict(state)
    message = str(caught.value)
    for part in (
        "nothing was loaded into Sequential",
        "missing: 0.weight",
        "unexpected: 0.wieght",
        "0.wieght looks like 0.weight",
        "wrong shape: 2.weight is (1, 3) here and (3, 1) there (its transpose would fit",
        "not numbers: 2.bias",
    ):
        assert part in message
    for name, array in before.items():
        assert np.array_equal(a.state_dict()[name].numpy(), array)


def test_a_common_first_part_is_seen() -> None:
    a = net()
    state = {f"module.{k}": v for k, v in a.state_dict().items()}
    with pytest.raises(RuntimeError, match="without their first part 'module.'"):
        a.load_state_dict(state)


def test_not_strict_tells_what_it_passed_over_and_still_refuses_shapes() -> None:
    a = net()
    found = a.load_state_dict({"0.bias": gradling.ones(3), "extra": gradling.ones(1)}, strict=False)
    assert found.missing_keys == ["0.weight", "2.weight", "2.bias"]
    assert found.unexpected_keys == ["extra"]
    assert a[0].bias.tolist() == [1.0, 1.0, 1.0]
    with pytest.raises(RuntimeError, match="wrong shape: 0.bias"):
        a.load_state_dict({"0.bias": gradling.ones(4)}, strict=False)
    with pytest.raises(TypeError, match="expected a dict"):
        a.load_state_dict([1])  # type: ignore[arg-type]


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(5, 3)
        self.head = nn.Linear(3, 5, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, x: Any) -> Any:
        return self.head(self.embedding(x))


@pytest.mark.parametrize("assign", [False, True])
def test_tied_weights_stay_tied(assign: bool) -> None:
    a, b = Tied(), Tied()
    assert len(list(a.parameters())) == 1 and len(a.state_dict()) == 2
    b.load_state_dict(a.state_dict(), assign=assign)
    assert b.head.weight is b.embedding.weight
    assert np.array_equal(b.head.weight.numpy(), a.head.weight.numpy())
    b.double()
    assert b.head.weight is b.embedding.weight
    y = b(gradling.tensor([1, 2]))
    y.sum().backward()
    table = b.head.weight.detach().numpy()
    expected = np.tile(table[[1, 2]].sum(0), (5, 1))  # as the matrix of the head
    expected[[1, 2]] += table.sum(0)  # as what the tokens are looked up in
    np.testing.assert_allclose(b.head.weight.grad.numpy(), expected, rtol=1e-12)


def test_one_name_of_a_tied_tensor_is_enough() -> None:
    # as files come that hold each tensor once
    for name in ("embedding.weight", "head.weight"):
        a, b = Tied(), Tied()
        assert b.load_state_dict({name: a.state_dict()[name]}).missing_keys == []
        assert b.head.weight is b.embedding.weight
        assert np.array_equal(b.head.weight.numpy(), a.head.weight.numpy())
    with pytest.raises(RuntimeError, match=r"missing: embedding.weight, head.weight"):
        Tied().load_state_dict({})


def test_a_tied_tensor_cannot_be_two_things() -> None:
    a = Tied()
    before = a.head.weight.tolist()
    state = {k: v.clone() for k, v in a.state_dict().items()}
    state["head.weight"] += 1
    for strict in (True, False):
        with pytest.raises(RuntimeError, match="embedding.weight and head.weight are one tensor"):
            a.load_state_dict(state, strict=strict)
    assert a.head.weight.tolist() == before
    state = {name: gradling.full((5, 3), float("nan")) for name in state}
    a.load_state_dict(state)


def test_assign_takes_the_tensors_and_keeps_the_parameters() -> None:
    a = net()
    optimizer_holds = a[0].weight
    state = {k: v.double() for k, v in a.state_dict().items()}
    a.load_state_dict(state, assign=True)
    assert a[0].weight is optimizer_holds and a[0].weight.dtype == gradling.float64
    assert a[0].weight._data is state["0.weight"]._data and a[0].weight.requires_grad
    a(gradling.ones(1, 2, dtype=gradling.float64)).sum().backward()
    assert a[0].weight.grad.dtype == gradling.float64


def test_loading_is_an_edit_that_backward_knows_of() -> None:
    a = net()
    y = a(gradling.ones(1, 2))
    a.load_state_dict({k: v + 1 for k, v in a.state_dict().items()})
    with pytest.raises(RuntimeError, match="changed afterwards"):
        y.sum().backward()


def test_an_optimizer_sees_what_was_loaded() -> None:
    from gradling import optim

    a = net()
    optimizer = optim.SGD(a.parameters(), lr=1.0)
    a(gradling.ones(1, 2)).sum().backward()
    optimizer.step()
    a.load_state_dict({k: gradling.zeros(*v.shape) for k, v in a.state_dict().items()})
    optimizer.zero_grad()
    (a(gradling.ones(1, 2)) * 2).sum().backward()
    optimizer.step()
    assert a[2].bias.tolist() == [-2.0]


def test_parameters_as_a_vector_and_back() -> None:
    a = net()
    vector = nn.utils.parameters_to_vector(a.parameters())
    assert vector.shape == (13,) and vector.requires_grad
    nn.utils.vector_to_parameters(vector.detach() * 0 + 2, a.parameters())
    assert all((p == 2)._data.all() for p in a.parameters())
    with pytest.raises(ValueError, match="13 entries"):
        nn.utils.vector_to_parameters(gradling.zeros(12), a.parameters())
    (vector * vector).sum().backward()  # through the concatenation


@pytest.mark.parametrize("p", [1.0, 2.0, float("inf")])
def test_clipping_gradients(p: float) -> None:
    a = net()
    a(gradling.ones(4, 2)).sum().backward()
    grads = [q.grad.numpy().copy() for q in a.parameters()]
    whole = np.linalg.norm(np.concatenate([g.reshape(-1) for g in grads]), p)
    total = nn.utils.clip_grad_norm_(a.parameters(), whole / 2, norm_type=p)
    assert np.isclose(total.item(), whole)
    for q, g in zip(a.parameters(), grads, strict=True):
        assert np.allclose(q.grad.numpy(), g / 2, rtol=1e-4)
    nn.utils.clip_grad_norm_(a.parameters(), 1e9)  # far: nothing changes
    for q, g in zip(a.parameters(), grads, strict=True):
        assert np.allclose(q.grad.numpy(), g / 2, rtol=1e-4)
    nn.utils.clip_grad_value_(a.parameters(), 1e-3)
    assert max(abs(q.grad.numpy()).max() for q in a.parameters()) <= 1e-3
    next(a.parameters()).grad.fill_(float("nan"))
    with pytest.raises(RuntimeError, match="nan"):
        nn.utils.clip_grad_norm_(a.parameters(), 1.0, error_if_nonfinite=True)
    assert nn.utils.clip_grad_norm_([], 1.0).item() == 0
