"""The checker on rules written for PyTorch, right and wrong; our stated subgradients beside its."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradling.nn  # noqa: F401  (adds its rows to the table)
from gradling.engine import TABLE
from gradling.testing import check_gradients, subgradients

torch = pytest.importorskip("torch")

RNG = np.random.default_rng(11)
X, W, B = RNG.standard_normal((6, 4)), RNG.standard_normal((4, 3)), RNG.standard_normal(3)
PINS = list(subgradients())


def torch_pair(fn: Any) -> tuple[Any, Any]:
    """The thin adapter: a function of torch tensors as a function and a gradient on arrays."""

    def call(*arrays: Any) -> Any:
        return fn(*map(torch.tensor, arrays)).numpy()

    def grad_fn(g: Any, *arrays: Any) -> Any:
        leaves = [torch.tensor(x, requires_grad=True) for x in arrays]
        fn(*leaves).backward(torch.tensor(g))
        return tuple(None if x.grad is None else x.grad.numpy() for x in leaves)

    return call, grad_fn


def verdicts(fn: Any, *arrays: Any) -> list[str]:
    """What is said of each operand."""
    call, grad_fn = torch_pair(fn)
    report = check_gradients(call, *arrays, grad_fn=grad_fn, cotangent=True)
    return [str(o.verdict) for o in report.operands]


def test_functions_of_pytorch_are_right() -> None:
    assert verdicts(torch.sin, X) == ["correct"]
    assert verdicts(lambda x: torch.logsumexp(x, 1), X) == ["correct"]
    assert verdicts(torch.nn.functional.gelu, X) == ["correct"]
    assert verdicts(torch.matmul, X, W) == ["correct"] * 2
    assert verdicts(lambda x, w, b: torch.addmm(b, x, w).tanh(), X, W, B) == ["correct"] * 3


def test_a_kink_and_a_random_function_of_pytorch() -> None:
    assert verdicts(torch.relu, np.array([0.0, 1.0])) == ["kink"]
    assert verdicts(lambda x: torch.nn.functional.dropout(x, 0.5), X) == ["noisy"]


@pytest.mark.parametrize("factor, verdict", [(1.0, "correct"), (1.001, "wrong"), (-1.0, "wrong")])
def test_a_rule_scaled(factor: float, verdict: str) -> None:
    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return factor * 2 * x * g

    assert verdicts(Square.apply, X) == [verdict]


BACKWARDS: dict[str, tuple[Any, list[str]]] = {
    "right": (lambda g, x, w, p: (g @ w.T, x.T @ g, g.sum(0)), ["correct"] * 3),
    "bias not summed": (lambda g, x, w, p: (g @ w.T, x.T @ g, g[0]), ["correct"] * 2 + ["wrong"]),
    "summed over the wrong axis": (
        lambda g, x, w, p: (g @ w.T, x.T @ g, g.sum(1)[:3]), ["correct"] * 2 + ["wrong"],
    ),
    "mean for a sum": (
        lambda g, x, w, p: (g @ w.T, x.T @ g, g.mean(0)), ["correct"] * 2 + ["wrong"],
    ),
    "a path lost": (lambda g, x, w, p: (g @ w.T, None, g.sum(0)), ["correct", "wrong", "correct"]),
    "g squared": (lambda g, x, w, p: (g * g @ w.T, x.T @ g, g.sum(0)), ["wrong"] + ["correct"] * 2),
}  # fmt: skip


@pytest.mark.parametrize("name", BACKWARDS)
def test_a_linear_layer_written_as_a_function(name: str) -> None:
    rule, expected = BACKWARDS[name]

    class Linear(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, w: Any, b: Any) -> Any:
            ctx.save_for_backward(x, w, b)
            return x @ w + b

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return rule(g, *ctx.saved_tensors)

    assert verdicts(Linear.apply, X, W, B) == expected


def test_softmax_with_its_diagonal_only() -> None:
    class Softmax(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            y = torch.softmax(x, -1)
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (y,) = ctx.saved_tensors
            return g * y * (1 - y)

    assert verdicts(Softmax.apply, X) == ["wrong"]


TORCH = {
    "clamp": "clamp", "nan_to_num": None, "softshrink": "nn.functional.softshrink",
    "hardshrink": "nn.functional.hardshrink", "hardtanh": "nn.functional.hardtanh",
    "hardsigmoid": "nn.functional.hardsigmoid", "hardswish": "nn.functional.hardswish",
    "leaky_relu": "nn.functional.leaky_relu", "elu": "nn.functional.elu",
    "celu": "nn.functional.celu", "selu": "nn.functional.selu", "prelu": "nn.functional.prelu",
    "relu": "relu", "threshold": "nn.functional.threshold", "xlogy": "special.xlogy",
}  # fmt: skip


@pytest.mark.parametrize("op, at", sorted({(s.op, s.at) for s in PINS}))
def test_stated_subgradients_equal_those_of_pytorch(op: str, at: Any) -> None:
    fn = torch
    for part in (TORCH.get(op, op) or "").split("."):
        fn = getattr(fn, part)
    operands = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in at]
    out = fn(*operands, *TABLE[op].defaults)
    if out.requires_grad:
        out.backward()
    stated = [s.stated for s in PINS if (s.op, s.at) == (op, at)]
    theirs = [0.0 if x.grad is None else x.grad.item() for x in operands]
    for mine, other in zip(stated, theirs, strict=True):
        # Where PyTorch gives NaN (logaddexp of two infinities), a number may be stated.
        assert mine == pytest.approx(other, rel=1e-12, nan_ok=True) or np.isnan(other)
