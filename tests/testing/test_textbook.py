"""Code that is not ours: hand-made gradients, right and with the slips that textbooks warn of."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from gradling.testing import check_gradients

RNG = np.random.default_rng(11)
X = RNG.standard_normal((6, 4))
W, B = RNG.standard_normal((4, 3)), RNG.standard_normal(3)
LABELS = np.array([0, 2, 1, 1, 0, 2])


def logits_loss(x, w, b):
    z = x @ w + b
    z = z - z.max(1, keepdims=True)
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    return -np.log(p[np.arange(len(x)), LABELS]).mean()


def logits_grad(x, w, b, *, averaged=True, summed=True, minus_one=True):
    z = x @ w + b
    z = z - z.max(1, keepdims=True)
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    p[np.arange(len(x)), LABELS] -= minus_one
    p /= len(x) if averaged else 1
    return p @ w.T, x.T @ p, p.sum(0) if summed else p[0]


def batch_norm(x):
    return (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5)


def batch_norm_grad(g, x, *, through_mean=True, through_variance=True):
    mean, inverse = x.mean(0), 1 / np.sqrt(x.var(0) + 1e-5)
    xhat = (x - mean) * inverse
    out = g.copy()
    if through_mean:
        out = out - g.mean(0)
    if through_variance:
        out = out - xhat * (g * xhat).mean(0)
    return out * inverse


def conv1d(x, w):
    return np.array([x[i : i + len(w)] @ w for i in range(len(x) - len(w) + 1)])


def conv1d_grad(g, x, w, *, flipped=True):
    dx = np.convolve(g, w[::-1] if not flipped else w)
    return dx, np.array([g @ x[k : k + len(g)] for k in range(len(w))])


def dropout(x):
    mask = np.random.default_rng(3).random(x.shape) < 0.8
    return x * mask / 0.8


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def attention(q, k, v):
    scores = q @ k.T / np.sqrt(q.shape[-1])
    e = np.exp(scores - scores.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True) @ v


def attention_grad(g, q, k, v, *, scaled=True, through_softmax=True, turned=True):
    scale = np.sqrt(q.shape[-1])
    p = attention(q, k, np.eye(len(k)))
    dp = g @ v.T
    ds = p * (dp - (dp * p).sum(-1, keepdims=True)) if through_softmax else p * dp
    ds = ds / scale if scaled else ds
    return ds @ k, (ds.T if turned else ds) @ q, p.T @ g


def relu_layer(x, w):
    return np.maximum(x @ w, 0)


QKV = tuple(RNG.standard_normal((3, 5, 5)))

RIGHT = {
    "sigmoid": (sigmoid, lambda g, x: g * sigmoid(x) * (1 - sigmoid(x)), (X,)),
    "attention": (attention, attention_grad, QKV),
    "softmax regression": (logits_loss, logits_grad, (X, W, B)),
    "batch norm": (batch_norm, batch_norm_grad, (X,)),
    "convolution": (conv1d, conv1d_grad, (X[:, 0], W[:3, 0])),
    "seeded dropout": (dropout, lambda g, x: dropout(g), (X,)),
    "least squares": (lambda w: np.mean((X @ w - B[0]) ** 2),
                      lambda w: 2 * X.T @ (X @ w - B[0]) / 6, (W[:, 0],)),
    "log-sum-exp": (lambda x: np.log(np.exp(x).sum()), lambda x: np.exp(x) / np.exp(x).sum(), (B,)),
    "determinant": (np.linalg.det, lambda a: np.linalg.det(a) * np.linalg.inv(a).T, (X[:4],)),
    "inverse": (np.linalg.inv, lambda g, a: -np.linalg.inv(a).T @ g @ np.linalg.inv(a).T, (X[:4],)),
    "norm": (np.linalg.norm, lambda x: x / np.linalg.norm(x), (B,)),
}  # fmt: skip

BATCH, SOFTMAX = (X,), (X, W, B)


def without(grad, **parts):
    """The hand-made gradient with some of its parts left out."""
    return partial(grad, **parts)


def inverse_without_transposes(g, a):
    return -np.linalg.inv(a) @ g @ np.linalg.inv(a)


def square(w):
    return np.mean((X @ w) ** 2)


# what is wrong: (function, its wrong gradient, inputs, names of the operands it is wrong for)
WRONG = {
    "mean forgotten": (logits_loss, without(logits_grad, averaged=False), SOFTMAX, "xwb"),
    "softmax without its -1": (logits_loss, without(logits_grad, minus_one=False), SOFTMAX, "xwb"),
    "bias of one row only": (logits_loss, without(logits_grad, summed=False), SOFTMAX, "b"),
    "not through the mean": (batch_norm, without(batch_norm_grad, through_mean=False), BATCH, "x"),
    "not through the variance": (
        batch_norm, without(batch_norm_grad, through_variance=False), BATCH, "x",
    ),
    "kernel not turned round": (
        conv1d, without(conv1d_grad, flipped=False), RIGHT["convolution"][2], "x",
    ),
    "dropout without its scale": (dropout, lambda g, x: dropout(g) * 0.8, BATCH, "x"),
    "factor 2 of a square": (square, lambda w: X.T @ (X @ w) / 6, (W[:, 0],), "x"),
    "sign of a quotient": (np.divide, lambda g, a, b: (g / b, g * a / b**2), (X, X + 9), "w"),
    "tanh by its input": (np.tanh, lambda x: 1 - x**2, BATCH, "x"),
    "sigmoid of a sigmoid": (
        sigmoid, lambda x: sigmoid(sigmoid(x)) * (1 - sigmoid(sigmoid(x))), BATCH, "x",
    ),
    "attention without its scale": (attention, without(attention_grad, scaled=False), QKV, "xw"),
    "attention with softmax's diagonal": (
        attention, without(attention_grad, through_softmax=False), QKV, "xw",
    ),
    "attention, keys not turned": (attention, without(attention_grad, turned=False), QKV, "w"),
    "mask of the input, not the sum": (
        relu_layer, lambda g, x, w: (g @ w.T * (x > 0), x.T @ (g * (x @ w > 0))), (X, W), "x",
    ),
    "no transposes": (np.linalg.inv, inverse_without_transposes, (X[:4],), "x"),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_right(name):
    fn, grad_fn, inputs = RIGHT[name]
    assert check_gradients(fn, *inputs, grad_fn=grad_fn).verdict == "correct"


@pytest.mark.parametrize("name", WRONG)
def test_wrong(name):
    fn, grad_fn, inputs, guilty = WRONG[name]
    report = check_gradients(fn, *inputs, grad_fn=grad_fn, names="xwb"[: len(inputs)])
    assert report.verdict == "wrong", str(report)
    assert {o.name for o in report.operands if o.verdict == "wrong"} == set(guilty)


def test_the_gradient_of_straight_through_rounding_is_not_one():
    """Practical, but no derivative: the checker says so."""
    report = check_gradients(np.round, X, grad_fn=lambda g, x: g)
    assert report.verdict == "wrong"
