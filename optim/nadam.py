"""NAdam: Adam whose mean gradient looks one step ahead, as Nesterov's momentum does.

    μₜ = β₁ (1 - ½ 0.96^{tψ}),       Πₜ = μ₁ μ₂ … μₜ
    p ← p - γ [ (1 - μₜ) g / (1 - Πₜ) + μₜ₊₁ m / (1 - Πₜ₊₁) ] / (√v̂ + ε)

with Adam's m and v̂. Dozat, "Incorporating Nesterov momentum into Adam" (2016).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..tensor.node import Array
from .flat import Slots
from .optimizer import Group, Optimizer


class NAdam(Optimizer):
    """NAdam; see the top of this file for the formula.

    Args:
        params: parameters or groups of them.
        lr: learning rate γ.
        betas: decay rates β₁, β₂ of the two averages.
        eps: ε, keeps the quotient finite.
        weight_decay: adds ``weight_decay * p`` to the gradient.
        momentum_decay: ψ, how fast the look-ahead settles at β₁.
        decoupled_weight_decay: shrink the parameters apart from the gradient, as AdamW.
        maximize: climb instead of descend.
    """

    numbers = ("mu_product",)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
                "momentum_decay": momentum_decay, "decoupled_weight_decay": decoupled_weight_decay,
                "maximize": maximize,
            },
        )  # fmt: skip

    def check_options(self, group: Group) -> None:
        super().check_options(group)
        if group["momentum_decay"] < 0:
            raise ValueError(f"NAdam: expected momentum_decay >= 0, got {group['momentum_decay']}")

    def update(self, p: Array, g: Array, state: Slots, group: Group) -> None:
        lr, (beta1, beta2), t = group["lr"], group["betas"], state.step
        if group["maximize"]:
            g *= -1
        if group["weight_decay"] and group["decoupled_weight_decay"]:
            p *= 1 - lr * group["weight_decay"]
        elif group["weight_decay"]:
            g += group["weight_decay"] * p
        mu = beta1 * (1 - 0.5 * 0.96 ** (t * group["momentum_decay"]))
        mu_next = beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * group["momentum_decay"]))
        product = state.numbers.get("mu_product", 1.0) * mu
        state.numbers["mu_product"] = product
        m, v = state["exp_avg"], state["exp_avg_sq"]
        m += (1 - beta1) * (g - m)
        v *= beta2
        v += (1 - beta2) * g * g
        root = np.sqrt(v / (1 - beta2**t)) + group["eps"]
        p -= lr * (1 - mu) / (1 - product) * g / root
        p -= lr * mu_next / (1 - product * mu_next) * m / root
