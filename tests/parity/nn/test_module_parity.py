"""Modules beside PyTorch's: names, keys, order, printing, and a whole training run."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import gradling
from gradling import nn

torch = pytest.importorskip("torch")


def nested(library: Any) -> Any:
    """The same model from either library's ``nn``."""
    nn, ones = library.nn, library.ones

    class Block(nn.Module):
        def __init__(self, n: int) -> None:
            super().__init__()
            self.register_buffer("mask", ones(n), persistent=False)
            self.act = nn.GELU()
            self.fc = nn.Linear(n, n)
            self.register_buffer("count", ones(1))
            self.gain = nn.Parameter(ones(n))
            self.register_parameter("shift", None)

        def forward(self, x: Any) -> Any:
            return self.act(self.fc(x)) * self.gain * self.mask

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.blocks = nn.ModuleList([Block(3) for _ in range(3)])
            self.extra = nn.ModuleDict({"a": nn.Linear(3, 2), "b": nn.Identity()})
            self.scales = nn.ParameterList([nn.Parameter(ones(1)), nn.Parameter(ones(2))])
            self.named = nn.Sequential(
                OrderedDict([("first", nn.Linear(3, 3)), ("second", nn.Tanh())])
            )
            self.shared = self.blocks[0]

        def forward(self, x: Any) -> Any:
            for block in self.blocks:
                x = block(x) + x
            return self.extra["a"](self.named(self.shared(x))) * self.scales[1]

    return Net()


def test_names_keys_and_order() -> None:
    ours, theirs = nested(gradling), nested(torch)
    for method in ("named_parameters", "named_buffers", "named_modules", "named_children"):
        a = [name for name, _ in getattr(ours, method)()]
        assert a == [name for name, _ in getattr(theirs, method)()], method
    for method in ("named_parameters", "named_modules"):
        a = [name for name, _ in getattr(ours, method)(remove_duplicate=False)]
        assert a == [name for name, _ in getattr(theirs, method)(remove_duplicate=False)]
    assert list(ours.state_dict()) == list(theirs.state_dict())
    seen: tuple[list[str], list[str]] = ([], [])
    ours.apply(lambda m: seen[0].append(type(m).__name__))
    theirs.apply(lambda m: seen[1].append(type(m).__name__))
    assert seen[0] == seen[1]


def test_repr() -> None:
    ours, theirs = nested(gradling), nested(torch)
    ours.scales, theirs.scales = None, None  # PyTorch's list of parameters prints its class there
    assert repr(ours) == repr(theirs).replace("  (scales): None\n", "")


def test_a_nested_model(twins: Any) -> None:
    x = np.random.default_rng(0).standard_normal((5, 3))
    for dtype in ("float32", "float64"):
        twins(nested(gradling), nested(torch), [x.astype(dtype)], dtype=dtype)


def test_layers_by_default_start_alike() -> None:
    torch.manual_seed(0)
    gradling.manual_seed(0)
    for make in (lambda n: n.Linear(64, 200), lambda n: n.Bilinear(64, 9, 30),
                 lambda n: n.Embedding(100, 64)):  # fmt: skip
        ours, theirs = make(nn), make(torch.nn)
        for (name, a), (_, b) in zip(
            ours.named_parameters(), theirs.named_parameters(), strict=True
        ):
            a, b = a.detach().numpy(), b.detach().numpy()
            assert np.isclose(a.std(), b.std(), rtol=0.12), name
            assert np.isclose(np.abs(a).max(), np.abs(b).max(), rtol=0.3), name


@given(
    st.sampled_from(("Tanh", "ReLU", "GELU")),
    st.sampled_from(("mse", "cross_entropy")),
    st.integers(0, 99),
)
@settings(max_examples=10)
def test_a_training_run(activation: str, kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((20, 2))
    t = rng.standard_normal((20, 3)) if kind == "mse" else rng.integers(0, 3, 20)

    def losses(library: Any, state: Any) -> tuple[Any, list[float]]:
        layers, f = library.nn, library.nn.functional
        act = getattr(layers, activation)
        net = layers.Sequential(layers.Linear(2, 8), act(), layers.Linear(8, 3)).double()
        if state is not None:
            net.load_state_dict({k: np.asarray(v) for k, v in state.items()})
        loss_of = f.mse_loss if kind == "mse" else f.cross_entropy
        state = {k: v.detach().numpy().copy() for k, v in net.state_dict().items()}
        found = []
        for _ in range(20):
            loss = loss_of(net(library.tensor(X)), library.tensor(t))
            net.zero_grad()
            loss.backward()
            with library.no_grad():
                for p in net.parameters():
                    p -= 0.3 * p.grad
            found.append(loss.item())
        return state, found

    state, theirs = losses(torch, None)
    _, ours = losses(gradling, state)
    assert np.allclose(ours, theirs, rtol=1e-9)


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0, float("inf")])
@pytest.mark.parametrize("most", [0.1, 1e6])
def test_clipping(p: float, most: float) -> None:
    rng = np.random.default_rng(0)
    grads = [rng.standard_normal(shape) for shape in ((3, 4), (5,), ())]

    def clipped(library: Any) -> list[Any]:
        ps = [library.tensor(np.asarray(g), requires_grad=True) for g in grads]
        sum(
            (q * library.tensor(np.asarray(g))).sum() for q, g in zip(ps, grads, strict=True)
        ).backward()
        before = library.nn.utils.get_total_norm([q.grad for q in ps], p)
        total = library.nn.utils.clip_grad_norm_(ps, most, norm_type=p)
        library.nn.utils.clip_grad_value_(ps[:1], 0.05)
        return [np.asarray(before), np.asarray(total), *(np.asarray(q.grad) for q in ps)]

    for a, b in zip(clipped(gradling), clipped(torch), strict=True):
        assert a.shape == b.shape and np.allclose(a, b, rtol=1e-12)


def test_gains() -> None:
    for name in ("linear", "conv3d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"):
        assert nn.init.calculate_gain(name) == torch.nn.init.calculate_gain(name)
    assert nn.init.calculate_gain("leaky_relu", 0.3) == torch.nn.init.calculate_gain(
        "leaky_relu", 0.3
    )


@pytest.mark.parametrize("groups", [1, 2])
def test_dirac_and_eye(groups: int) -> None:
    a = nn.init.dirac_(gradling.zeros(4, 3, 3, 2), groups).numpy()
    assert np.array_equal(a, torch.nn.init.dirac_(torch.zeros(4, 3, 3, 2), groups).numpy())
    b = nn.init.eye_(gradling.zeros(4, 3)).numpy()
    assert np.array_equal(b, torch.nn.init.eye_(torch.zeros(4, 3)).numpy())


@pytest.mark.filterwarnings("ignore:Full backward hook is firing")
def test_backward_hooks(near: Any) -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((5, 3))
    state = {k: v.numpy() for k, v in torch.nn.Linear(3, 3).double().state_dict().items()}

    def told(library: Any, follow: bool) -> list[Any]:
        class Mixed(library.nn.Module):  # type: ignore[misc]
            def forward(self, x: Any, factor: float, z: Any) -> Any:
                return x * factor, (x * z).tanh()

        first, mixed, found = library.nn.Linear(3, 3).double(), Mixed(), []
        first.load_state_dict({k: library.tensor(v) for k, v in state.items()})
        first.register_full_backward_hook(lambda m, gi, go: found.extend([*gi, *go]))
        mixed.register_full_backward_hook(lambda m, gi, go: found.extend([*gi, *go]))
        mixed.register_full_backward_hook(lambda m, gi, go: (gi[0] * 3, None, None))
        x = library.tensor(X, requires_grad=follow)
        a, b = mixed(first(x), 2.0, library.tensor(X))
        (a.sum() + (b * b).sum()).backward()
        return [*found, first.weight.grad, x.grad]

    for follow in (True, False):
        ours, theirs = told(gradling, follow), told(torch, follow)
        assert len(ours) == len(theirs)
        for place, (p, q) in enumerate(zip(ours, theirs, strict=True)):
            if p is not None or q is None or q.any():  # of what wants none PyTorch shows zeros
                near(f"{place}", p, q)
