"""RAdam: Adam that waits for its second moment to be worth dividing by.

    ρ∞ = 2/(1 - β₂) - 1,             ρₜ = ρ∞ - 2tβ₂ᵗ/(1 - β₂ᵗ)
    r² = (ρₜ - 4)(ρₜ - 2)ρ∞ / ((ρ∞ - 4)(ρ∞ - 2)ρₜ)
    p ← p - γ r m̂ / (√v̂ + ε)   where ρₜ > 5,   p ← p - γ m̂   before

Liu et al., "On the variance of the adaptive learning rate and beyond" (2019).
"""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt
from typing import Any

import numpy as np

from ..tensor.node import Array
from .flat import Slots
from .optimizer import Group, Optimizer


class RAdam(Optimizer):
    """RAdam; see the top of this file for the formula.

    Args:
        params: parameters or groups of them.
        lr: learning rate γ.
        betas: decay rates β₁, β₂ of the two averages.
        eps: ε, keeps the quotient finite.
        weight_decay: adds ``weight_decay * p`` to the gradient.
        decoupled_weight_decay: shrink the parameters apart from the gradient, as AdamW.
        maximize: climb instead of descend.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
                "decoupled_weight_decay": decoupled_weight_decay, "maximize": maximize,
            },
        )  # fmt: skip

    def update(self, p: Array, g: Array, state: Slots, group: Group) -> None:
        lr, (beta1, beta2), t = group["lr"], group["betas"], state.step
        if group["maximize"]:
            g *= -1
        if group["weight_decay"] and group["decoupled_weight_decay"]:
            p *= 1 - lr * group["weight_decay"]
        elif group["weight_decay"]:
            g += group["weight_decay"] * p
        m, v = state["exp_avg"], state["exp_avg_sq"]
        m += (1 - beta1) * (g - m)
        v *= beta2
        v += (1 - beta2) * g * g
        direction = m / (1 - beta1**t)
        correction = 1 - beta2**t
        longest = 2 / (1 - beta2) - 1
        length = longest - 2 * t * beta2**t / correction
        if length > 5:
            rectified = sqrt(
                (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
            )
            direction *= rectified * sqrt(correction) / (np.sqrt(v) + group["eps"])
        p -= lr * direction
