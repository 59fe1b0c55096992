"""Lion: the sign of an interpolated momentum, and nothing else to keep.

    p ← p - γ ( sign(β₁ m + (1 - β₁) g) + λ p )
    m ← β₂ m + (1 - β₂) g

Every entry moves by γ (and the decay), so γ wants to be 3 to 10 times smaller than Adam's. Chen et
al., "Symbolic discovery of optimization algorithms" (2023).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..tensor.node import Array
from .flat import Slots
from .optimizer import Group, Optimizer


class Lion(Optimizer):
    """Lion; see the top of this file for the formula.

    Args:
        params: parameters or groups of them.
        lr: learning rate γ.
        betas: β₁ of the step, β₂ of the momentum.
        weight_decay: λ, apart from the gradient.
        maximize: climb instead of descend.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params, {"lr": lr, "betas": betas, "weight_decay": weight_decay, "maximize": maximize}
        )

    def update(self, p: Array, g: Array, state: Slots, group: Group) -> None:
        lr, (beta1, beta2) = group["lr"], group["betas"]
        if group["maximize"]:
            g *= -1
        m = state["exp_avg"]
        if group["weight_decay"]:
            p *= 1 - lr * group["weight_decay"]
        p -= lr * np.sign(beta1 * m + (1 - beta1) * g)
        m += (1 - beta2) * (g - m)
