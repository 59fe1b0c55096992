"""A step of a 2-16-16-1 net with tanh, batch 100, mean square error: all of it is overhead."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from ..case import Case, Step
from . import normal, training, twins

SIZES = (2, 16, 16, 1)
LR = {"SGD": 0.05, "Adam": 1e-3}
BETA1, BETA2, EPS = 0.9, 0.999, 1e-8


def data() -> tuple[Any, Any]:
    return normal(100, 2), np.tanh(normal(100, 1, seed=1))


def weights() -> list[Any]:
    """W, b of each layer, in turn."""
    found = []
    for seed, (n, m) in enumerate(zip(SIZES, SIZES[1:], strict=False)):
        found += [normal(m, n, seed=seed + 2) / np.float32(sqrt(n)), np.zeros(m, np.float32)]
    return found


def net(lib: Any) -> Any:
    nn = lib.nn
    model = nn.Sequential(
        nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 1)
    )
    with lib.no_grad():
        for p, start in zip(model.parameters(), weights(), strict=True):
            p.copy_(lib.tensor(start))
    return model


def module_step(optimizer: str) -> Any:
    def build(lib: Any) -> Step:
        model = net(lib)
        x, t = map(lib.tensor, data())
        mse = lib.nn.functional.mse_loss
        return training(lib, model, lambda: mse(model(x), t), optimizer, LR[optimizer])

    return build


def gradients_by_hand(ps: list[Any], x: Any, t: Any) -> list[Any]:
    """What one writes who knows the chain rule and nothing else."""
    w1, b1, w2, b2, w3, b3 = ps
    h1 = np.tanh(x @ w1.T + b1)
    h2 = np.tanh(h1 @ w2.T + b2)
    d = h2 @ w3.T + b3 - t
    (d * d).mean()
    g3 = d * np.float32(2 / d.size)
    g2 = (g3 @ w3) * (1 - h2 * h2)
    g1 = (g2 @ w2) * (1 - h1 * h1)
    return [g1.T @ x, g1.sum(0), g2.T @ h1, g2.sum(0), g3.T @ h2, g3.sum(0)]


def update(optimizer: str, ps: list[Any]) -> Any:
    """SGD or Adam on a list of arrays, in place."""
    lr = LR[optimizer]
    if optimizer == "SGD":

        def descend(gs: list[Any]) -> None:
            for p, g in zip(ps, gs, strict=True):
                p -= lr * g

        return descend
    ms, vs, count = [np.zeros_like(p) for p in ps], [np.zeros_like(p) for p in ps], [0]

    def adam(gs: list[Any]) -> None:
        count[0] += 1
        rate, root = lr / (1 - BETA1 ** count[0]), sqrt(1 - BETA2 ** count[0])
        for p, g, m, v in zip(ps, gs, ms, vs, strict=True):
            m *= BETA1
            m += (1 - BETA1) * g
            v *= BETA2
            v += (1 - BETA2) * (g * g)
            p -= rate * m / (np.sqrt(v) / root + EPS)

    return adam


def by_hand(optimizer: str) -> Step:
    ps = weights()
    x, t = data()
    move = update(optimizer, ps)
    return lambda: move(gradients_by_hand(ps, x, t))


def by_autograd(optimizer: str) -> Step:
    import autograd.numpy as anp
    from autograd import grad

    x, t = data()
    ps = weights()

    def loss(ps: list[Any]) -> Any:
        h = x
        for w, b in zip(ps[:-2:2], ps[1:-2:2], strict=True):
            h = anp.tanh(anp.dot(h, w.T) + b)
        d = anp.dot(h, ps[-2].T) + ps[-1] - t
        return anp.mean(d * d)

    slope, move = grad(loss), update(optimizer, ps)
    return lambda: move(slope(ps))


def by_mygrad(optimizer: str) -> Step:
    import mygrad as mg

    x, t = data()
    arrays = weights()
    ps = [mg.tensor(w, copy=False) for w in arrays]
    move = update(optimizer, arrays)

    def step() -> None:
        h: Any = x
        for w, b in zip(ps[:-2:2], ps[1:-2:2], strict=True):
            h = mg.tanh(h @ w.T + b)
        d = h @ ps[-2].T + ps[-1] - t
        mg.mean(d * d).backward()
        gs = [p.grad for p in ps]
        for p in ps:
            p.null_grad()
            p.data.flags.writeable = True
        move(gs)

    return step


def by_jax(optimizer: str) -> Step:
    import jax
    import jax.numpy as jnp

    x, t = map(jnp.asarray, data())

    def loss(ps: list[Any]) -> Any:
        h = x
        for w, b in zip(ps[:-2:2], ps[1:-2:2], strict=True):
            h = jnp.tanh(h @ w.T + b)
        d = h @ ps[-2].T + ps[-1] - t
        return jnp.mean(d * d)

    def moved(p: Any, g: Any, m: Any, v: Any, n: Any) -> tuple[Any, Any, Any]:
        if optimizer == "SGD":
            return p - LR["SGD"] * g, m, v
        m, v = BETA1 * m + (1 - BETA1) * g, BETA2 * v + (1 - BETA2) * g * g
        rate, root = LR["Adam"] / (1 - BETA1**n), jnp.sqrt(1 - BETA2**n)
        return p - rate * m / (jnp.sqrt(v) / root + EPS), m, v

    @jax.jit
    def step(ps: Any, ms: Any, vs: Any, n: Any) -> Any:
        gs = jax.grad(loss)(ps)
        new = [moved(*one, n) for one in zip(ps, gs, ms, vs, strict=True)]
        return *map(list, zip(*new, strict=True)), n + 1

    ps = [jnp.asarray(w) for w in weights()]
    state = [ps, [p * 0 for p in ps], [p * 0 for p in ps], jnp.float32(1)]

    def run() -> None:
        state[:] = jax.block_until_ready(step(*state))

    return run


def captured_step(optimizer: str) -> Step:
    import gradling

    model = net(gradling)
    x, t = map(gradling.tensor, data())
    mse = gradling.nn.functional.mse_loss
    loss = gradling.capture(lambda x, t: mse(model(x), t))
    return training(gradling, model, lambda: loss(x, t), optimizer, LR[optimizer])


def cases(optimizer: str) -> tuple[Case, Case]:
    theirs: dict[str, Any] = {
        "torch": twins(module_step(optimizer))["torch"],
        "numpy": lambda: by_hand(optimizer),
        "autograd": lambda: by_autograd(optimizer),
        "mygrad": lambda: by_mygrad(optimizer),
    }
    title = f"2-16-16-1 MLP step, batch 100, {optimizer}"
    return (
        Case(
            f"mlp-{optimizer.lower()}", title,
            {"gradling": twins(module_step(optimizer))["gradling"], **theirs},
            {"torch": 0.25, "numpy": 1.5, "autograd": 0.15, "mygrad": 0.15}, rounds=40, block=0.02,
        ),
        Case(
            f"mlp-{optimizer.lower()}-captured", f"the same, captured, {optimizer}",
            {"gradling": lambda: captured_step(optimizer), **theirs,
             "jax.jit": lambda: by_jax(optimizer)},
            {"numpy": 1.1, "jax.jit": 1.0, "autograd": 0.15, "mygrad": 0.15}, rounds=40, block=0.02,
        ),
    )  # fmt: skip


CASES = (*cases("SGD"), *cases("Adam"))
