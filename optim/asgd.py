"""ASGD: gradient descent that also keeps the average of where it has been.

    p ← (1 - λη) p - η g
    a ← a + μ (p - a),               η = γ / (1 + λγt)^α,   μ = 1 / max(1, t - t₀)

The average ``ax`` in the state converges faster than p. Polyak & Juditsky, "Acceleration of
stochastic approximation by averaging" (1992).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..tensor.node import Array
from .flat import Slots
from .optimizer import Group, Optimizer


class ASGD(Optimizer):
    """Averaged gradient descent; see the top of this file for the formula.

    Args:
        params: parameters or groups of them.
        lr: learning rate γ.
        lambd: λ, shrinks parameters and learning rate.
        alpha: α, the power by which the learning rate falls.
        t0: t₀, the step after which averaging starts.
        weight_decay: adds ``weight_decay * p`` to the gradient.
        maximize: climb instead of descend.
    """

    numbers = ("eta", "mu")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0,
                "weight_decay": weight_decay, "maximize": maximize,
            },
        )  # fmt: skip

    def update(self, p: Array, g: Array, state: Slots, group: Group) -> None:
        lr, lambd, t = group["lr"], group["lambd"], state.step
        eta, mu = state.numbers.get("eta", lr), state.numbers.get("mu", 1.0)
        if group["maximize"]:
            g *= -1
        if group["weight_decay"]:
            g += group["weight_decay"] * p
        p *= 1 - lambd * eta
        p -= eta * g
        average = state["ax"]
        if mu == 1:
            average[:] = p
        else:
            average += mu * (p - average)
        state.numbers["eta"] = lr / (1 + lambd * lr * t) ** group["alpha"]
        state.numbers["mu"] = 1 / max(1.0, t - group["t0"])
