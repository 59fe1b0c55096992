"""RMSprop: the gradient over its running size.

    v ← α v + (1 - α) g²
    p ← p - γ g / (√v + ε)           (centered: √(v - ḡ²), ḡ the running mean gradient)

With momentum μ the quotient feeds b ← μ b + g/(√v + ε), and p ← p - γ b. Tieleman & Hinton, lecture
6.5 of "Neural networks for machine learning" (2012); the centered form: Graves, "Generating
sequences with recurrent neural networks" (2013).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..tensor.node import Array
from .flat import Slots
from .optimizer import Group, Optimizer


class RMSprop(Optimizer):
    """RMSprop; see the top of this file for the formula.

    Args:
        params: parameters or groups of them.
        lr: learning rate γ.
        alpha: α, the share of the running average that is kept.
        eps: ε, keeps the quotient finite.
        weight_decay: adds ``weight_decay * p`` to the gradient.
        momentum: μ, the share of the last direction that is kept.
        centered: divide by the spread of the gradient about its mean.
        maximize: climb instead of descend.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr, "alpha": alpha, "eps": eps, "weight_decay": weight_decay,
                "momentum": momentum, "centered": centered, "maximize": maximize,
            },
        )  # fmt: skip

    def check_options(self, group: Group) -> None:
        super().check_options(group)
        if not group["alpha"] >= 0:
            raise ValueError(f"RMSprop: expected alpha >= 0, got {group['alpha']}")

    def update(self, p: Array, g: Array, state: Slots, group: Group) -> None:
        alpha, lr = group["alpha"], group["lr"]
        if group["maximize"]:
            g *= -1
        if group["weight_decay"]:
            g += group["weight_decay"] * p
        v = state["square_avg"]
        v *= alpha
        v += (1 - alpha) * g * g
        if group["centered"]:
            mean = state["grad_avg"]
            mean += (1 - alpha) * (g - mean)
            size = np.sqrt(v - mean * mean)
        else:
            size = np.sqrt(v)
        size += group["eps"]
        direction = g / size
        if group["momentum"]:
            b = state["momentum_buffer"]
            b *= group["momentum"]
            b += direction
            direction = b
        p -= lr * direction
