"""Many layers of one tensor in a graph: their gradients meet in one array, not in one each."""

from __future__ import annotations

import tracemalloc

import numpy as np

import gradling


def test_layers_add_up_with_whatever_else_the_tensor_is_used_for() -> None:
    rng = np.random.default_rng(0)
    for order in (1, 2, 3):
        x = gradling.tensor(rng.normal(size=(5, 4)), requires_grad=True)
        weights = rng.normal(size=(5, 4))
        inner = x * 1.0
        parts = [(inner[k] * gradling.tensor(weights[k])).sum() for k in range(5)]
        parts.insert(order, (inner * inner).sum())
        parts.append((inner[1:3, ::2] ** 2).sum())
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        total.backward()
        expected = weights + 2 * x.detach().numpy()
        expected[1:3, ::2] += 2 * x.detach().numpy()[1:3, ::2]
        assert x.grad is not None
        np.testing.assert_allclose(x.grad.numpy(), expected)


def test_a_gradient_that_was_read_does_not_grow_afterwards() -> None:
    x = gradling.ones(3, 2, requires_grad=True)
    inner = x * 2
    inner.retain_grad()
    seen: list[list[float]] = []
    inner.register_hook(lambda g: seen.append(g.tolist()))
    (inner[0].sum() + inner[1].sum() + inner.sum()).backward()
    assert seen == [[[2, 2], [2, 2], [1, 1]]]
    assert inner.grad is not None
    assert inner.grad.tolist() == seen[0]
    kept = inner.grad
    (inner[0].sum() + inner[1].sum()).backward()
    assert kept.tolist() == seen[0]


def test_memory_does_not_grow_with_the_number_of_layers() -> None:
    x = gradling.zeros(400, 2000, requires_grad=True)  # 3.2 MB
    parts = x.unbind()
    total = parts[0].sum()
    for part in parts[1:]:
        total = total + part.sum()
    tracemalloc.start()
    total.backward()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * 3.2e6
    assert x.grad is not None
    assert (x.grad.numpy() == 1).all()


def test_second_derivatives_go_the_long_way() -> None:
    x = gradling.arange(6.0).reshape(3, 2).requires_grad_()
    y = (x[0] ** 3).sum() + (x[1] ** 3).sum() + (x[0] ** 2).sum()
    (slope,) = gradling.autograd.grad(y, [x], create_graph=True)
    (curve,) = gradling.autograd.grad(slope.sum(), [x])
    assert curve.tolist() == [[2, 8], [12, 18], [0, 0]]
