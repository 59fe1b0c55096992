"""Adadelta: steps in the units of the parameters, from the sizes of gradients and of past steps.

    v ← ρ v + (1 - ρ) g²
    d = g √(u + ε) / √(v + ε)
    u ← ρ u + (1 - ρ) d²
    p ← p - γ d

Zeiler, "ADADELTA: an adaptive learning rate method" (2012).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..tensor.node import Array
from .flat import Slots
from .optimizer import Group, Optimizer


class Adadelta(Optimizer):
    """Adadelta; see the top of this file for the formula.

    Args:
        params: parameters or groups of them.
        lr: γ, scales the steps (1 in the paper).
        rho: ρ, the share of the running averages that is kept.
        eps: ε, starts the steps off from 0.
        weight_decay: adds ``weight_decay * p`` to the gradient.
        maximize: climb instead of descend.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {"lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize},
        )

    def check_options(self, group: Group) -> None:
        super().check_options(group)
        if not 0 <= group["rho"] <= 1:
            raise ValueError(f"Adadelta: expected rho in [0, 1], got {group['rho']}")

    def update(self, p: Array, g: Array, state: Slots, group: Group) -> None:
        rho, eps = group["rho"], group["eps"]
        if group["maximize"]:
            g *= -1
        if group["weight_decay"]:
            g += group["weight_decay"] * p
        v, u = state["square_avg"], state["acc_delta"]
        v *= rho
        v += (1 - rho) * g * g
        d = np.sqrt(u + eps) / np.sqrt(v + eps) * g
        u *= rho
        u += (1 - rho) * d * d
        p -= group["lr"] * d
