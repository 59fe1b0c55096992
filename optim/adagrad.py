"""Adagrad: a learning rate per entry that shrinks with all the gradients it has seen.

    s ← s + g²
    p ← p - γₜ g / (√s + ε),         γₜ = γ / (1 + (t - 1) η)

Duchi, Hazan & Singer, "Adaptive subgradient methods for online learning and stochastic
optimization" (2011).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..tensor.node import Array
from .flat import Flat, Slots
from .optimizer import Group, Optimizer


class Adagrad(Optimizer):
    """Adagrad; see the top of this file for the formula.

    Args:
        params: parameters or groups of them.
        lr: learning rate γ.
        lr_decay: η, slows the learning rate down with the steps.
        weight_decay: adds ``weight_decay * p`` to the gradient.
        initial_accumulator_value: where s starts.
        eps: ε, keeps the quotient finite.
        maximize: climb instead of descend.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr, "lr_decay": lr_decay, "weight_decay": weight_decay,
                "initial_accumulator_value": initial_accumulator_value, "eps": eps,
                "maximize": maximize,
            },
        )  # fmt: skip

    def check_options(self, group: Group) -> None:
        super().check_options(group)
        for name in ("lr_decay", "initial_accumulator_value"):
            if group[name] < 0:
                raise ValueError(f"Adagrad: expected {name} >= 0, got {group[name]}")

    def _prepare(self, flat: Flat, group: Group) -> None:
        flat.state["sum"] = np.full_like(flat.data, group["initial_accumulator_value"])

    def update(self, p: Array, g: Array, state: Slots, group: Group) -> None:
        if group["maximize"]:
            g *= -1
        if group["weight_decay"]:
            g += group["weight_decay"] * p
        s = state["sum"]
        s += g * g
        lr = group["lr"] / (1 + (state.step - 1) * group["lr_decay"])
        p -= lr * g / (np.sqrt(s) + group["eps"])
