"""Our modules inside PyTorch's models, sharing memory, and PyTorch's twins of ours."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradling
from gradling import nn, optim

torch = pytest.importorskip("torch", reason="this is about PyTorch")

from gradling.interop.torch import as_torch_module, from_torch, to_torch, twin  # noqa: E402


def net() -> Any:
    gradling.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2))


def test_memory_is_shared_both_ways() -> None:
    ours = gradling.ones(2, 3)
    theirs = to_torch(ours)
    theirs[0, 0] = 7
    assert ours.tolist()[0][0] == 7
    back = from_torch(theirs)
    ours[1, 1] = -1
    assert back.tolist()[1][1] == -1


def test_a_module_of_ours_inside_a_model_of_theirs_has_their_gradients() -> None:
    module = net()
    first, last = torch.nn.Linear(4, 3), torch.nn.Linear(2, 1)
    mixed = torch.nn.Sequential(first, as_torch_module(module), last)
    pure = torch.nn.Sequential(first, twin(module), last)
    x = torch.randn(6, 4, requires_grad=True)
    results = []
    for model in (mixed, pure):
        model.zero_grad()
        x.grad = None
        loss = (model(x) ** 2).sum()
        loss.backward()
        results.append([loss.detach(), x.grad, *(p.grad for p in model.parameters())])
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


def test_their_optimizer_steps_our_weights_and_ours_theirs() -> None:
    module = net()
    wrapped = as_torch_module(module)
    theirs = torch.optim.SGD(wrapped.parameters(), lr=0.1)
    wrapped(torch.ones(1, 3)).sum().backward()
    before = [p.detach().clone() for p in module.parameters()]
    theirs.step()
    for p, q, old in zip(module.parameters(), wrapped.parameters(), before, strict=True):
        assert p.detach().numpy().tobytes() == q.detach().numpy().tobytes()
        assert p.tolist() != old.tolist()
    ours = optim.SGD(module.parameters(), lr=0.1)
    module(gradling.ones(1, 3)).sum().backward()
    ours.step()
    wrapped(torch.ones(1, 3))
    for p, q in zip(module.parameters(), wrapped.parameters(), strict=True):
        np.testing.assert_array_equal(p.detach().numpy(), q.detach().numpy())


def test_training_mode_and_no_grad_go_through() -> None:
    wrapped = as_torch_module(nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5)))
    wrapped.eval()
    assert not wrapped.ours.training
    with torch.no_grad():
        assert not wrapped(torch.ones(2, 3)).requires_grad


def test_results_and_arguments_of_any_structure_cross() -> None:
    recurrent = as_torch_module(nn.LSTM(3, 4))
    x = torch.randn(5, 2, 3, requires_grad=True)
    y, (h, c) = recurrent(x, hx=(torch.zeros(1, 2, 4), torch.zeros(1, 2, 4)))
    (y.sum() + h.sum() + c.sum()).backward()
    assert x.grad is not None and all(p.grad is not None for p in recurrent.parameters())

    attention = as_torch_module(nn.MultiheadAttention(4, 2))
    q = torch.randn(3, 2, 4)
    y, weights = attention(q, q, q, need_weights=False)
    assert y.shape == (3, 2, 4) and weights is None

    class Named(nn.Module):
        def forward(self, batch: Any) -> Any:
            return {"double": batch["x"] * 2, "sizes": [len(batch["x"])]}

    found = as_torch_module(Named())({"x": torch.ones(3)})
    assert found["double"].tolist() == [2, 2, 2] and found["sizes"] == [3]


def test_buffers_are_shared_and_both_state_dicts_are_alike() -> None:
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    wrapped = as_torch_module(module)
    wrapped(torch.randn(6, 3))
    state = wrapped.state_dict()
    assert list(state) == list(module.state_dict())
    assert state["1.num_batches_tracked"] == 1
    np.testing.assert_array_equal(state["1.running_mean"], module[1].running_mean.numpy())
    wrapped.load_state_dict({name: torch.ones_like(value) for name, value in state.items()})
    assert module[0].weight.tolist() == [[1.0] * 3] * 4
    assert module[1].running_mean.tolist() == [1.0] * 4


def test_changing_the_dtype_of_theirs_changes_ours() -> None:
    module = nn.Linear(3, 2)
    wrapped = as_torch_module(module).double()
    assert module.weight.dtype == gradling.float64
    assert wrapped(torch.ones(1, 3, dtype=torch.float64)).dtype == torch.float64
    with torch.no_grad():
        next(wrapped.parameters()).zero_()
    assert module.weight.tolist() == [[0.0] * 3] * 2


def test_a_second_pass_is_what_pytorch_says() -> None:
    wrapped = as_torch_module(nn.Linear(3, 2))
    loss = (wrapped(torch.ones(1, 3)) ** 2).sum()
    loss.backward(retain_graph=True)
    first = [p.grad.clone() for p in wrapped.parameters()]
    loss.backward()
    for p, g in zip(wrapped.parameters(), first, strict=True):
        torch.testing.assert_close(p.grad, 2 * g)


def test_a_module_that_gives_no_tensor_is_refused() -> None:
    class Nothing(nn.Module):
        def forward(self, x: Any) -> Any:
            return 3

    with pytest.raises(TypeError, match="Nothing gave no tensor"):
        as_torch_module(Nothing())(torch.ones(2))


def test_what_is_shared_or_frozen_is_so_in_the_twin() -> None:
    first = nn.Linear(3, 3)
    module = nn.Sequential(first, nn.Linear(3, 3), first)
    module[1].weight = first.weight
    first.bias.requires_grad_(False)
    theirs = twin(module.double())
    assert theirs[0] is theirs[2]
    assert theirs[1].weight is theirs[0].weight
    assert not theirs[0].bias.requires_grad and theirs[1].weight.requires_grad
    assert theirs[1].weight.dtype == torch.float64


def test_a_function_without_a_twin_is_named() -> None:
    layer = nn.TransformerEncoderLayer(4, 2, 5, activation=lambda x: x * 2)
    with pytest.raises(TypeError, match=r"0 calls <lambda>, which is not PyTorch's"):
        twin(nn.Sequential(layer))


TWINS = [
    lambda: nn.Linear(3, 2, bias=False),
    lambda: nn.Bilinear(3, 3, 2),
    lambda: nn.Embedding(7, 3, padding_idx=2),
    lambda: nn.Conv2d(2, 4, 3, stride=2, padding=1, groups=2, padding_mode="reflect"),
    lambda: nn.ConvTranspose2d(2, 4, 3, stride=2, output_padding=1, bias=False),
    lambda: nn.BatchNorm2d(3, eps=1e-3),
    lambda: nn.LayerNorm((3, 2)),
    lambda: nn.GroupNorm(2, 4),
    lambda: nn.LSTM(3, 5, num_layers=2, bidirectional=True, batch_first=True),
    lambda: nn.GRU(3, 5, bias=False),
    lambda: nn.MultiheadAttention(4, 2, batch_first=True),
    lambda: nn.Sequential(nn.Linear(2, 2), nn.LeakyReLU(0.3), nn.MaxPool2d(3, 2)),
    lambda: nn.ModuleDict({"a": nn.GELU("tanh"), "b": nn.ModuleList([nn.Softmax(1)])}),
]


@pytest.mark.parametrize("make", TWINS)
def test_twins_have_the_same_arguments_and_weights(make: Any) -> None:
    module = make()
    theirs = twin(module)
    assert {k: tuple(v.shape) for k, v in theirs.state_dict().items()} == {
        k: v.shape for k, v in module.state_dict().items()
    }
    for (_, p), (_, q) in zip(module.named_parameters(), theirs.named_parameters(), strict=True):
        np.testing.assert_array_equal(p.detach().numpy(), q.detach().numpy())
    assert repr(theirs).replace("NonDynamicallyQuantizableLinear", "Linear") == repr(module)


def test_a_module_with_a_forward_of_its_own_is_named() -> None:
    class Own(nn.Module):
        pass

    with pytest.raises(TypeError, match=r"twin: 1 is a Own"):
        twin(nn.Sequential(nn.Linear(2, 2), Own()))
