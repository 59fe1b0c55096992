"""Adamax: Adam with the largest recent gradient in place of the root mean square.

    m ← β₁ m + (1 - β₁) g
    u ← max(β₂ u, |g| + ε)
    p ← p - γ / (1 - β₁ᵗ) · m / u

Kingma & Ba, "Adam: a method for stochastic optimization" (2014), section 7.1.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..tensor.node import Array
from .flat import Slots
from .optimizer import Group, Optimizer


class Adamax(Optimizer):
    """Adamax; see the top of this file for the formula.

    Args:
        params: parameters or groups of them.
        lr: learning rate γ.
        betas: decay rates β₁ of the mean, β₂ of the maximum.
        eps: ε, keeps the quotient finite.
        weight_decay: adds ``weight_decay * p`` to the gradient.
        maximize: climb instead of descend.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "maximize": maximize,
            },
        )

    def update(self, p: Array, g: Array, state: Slots, group: Group) -> None:
        beta1, beta2 = group["betas"]
        if group["maximize"]:
            g *= -1
        if group["weight_decay"]:
            g += group["weight_decay"] * p
        m, u = state["exp_avg"], state["exp_inf"]
        m += (1 - beta1) * (g - m)
        np.maximum(beta2 * u, np.abs(g) + group["eps"], out=u)
        p -= group["lr"] / (1 - beta1**state.step) * m / u
