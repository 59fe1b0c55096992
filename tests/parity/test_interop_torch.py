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
