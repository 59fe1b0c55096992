"""Rprop: steps by the sign of the gradient alone, with a step size per entry.

    s ← η⁺ s   where g keeps its sign,   η⁻ s   where it changed (and then g counts as 0 this once)
    p ← p - sign(g) s,                   s held within step_sizes

For whole-batch gradients. Riedmiller & Braun, "A direct adaptive method for faster backpropagation
learning: the RPROP algorithm" (1993).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..tensor.node import Array
from .flat import Flat, Slots
from .optimizer import Group, Optimizer


class Rprop(Optimizer):
    """Rprop; see the top of this file for the formula.

    Args:
        params: parameters or groups of them.
        lr: the first step size.
        etas: (η⁻, η⁺), factors after a change of sign and after none.
        step_sizes: smallest and largest step.
        maximize: climb instead of descend.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50.0),
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params, {"lr": lr, "etas": etas, "step_sizes": step_sizes, "maximize": maximize}
        )

    def check_options(self, group: Group) -> None:
        super().check_options(group)
        if not 0.0 < group["etas"][0] < 1.0 < group["etas"][1]:
            raise ValueError(
                f"Rprop: expected etas (η⁻ in (0, 1), η⁺ above 1), got {group['etas']}"
            )

    def _prepare(self, flat: Flat, group: Group) -> None:
        flat.state["step_size"] = np.full_like(flat.data, group["lr"])

    def update(self, p: Array, g: Array, state: Slots, group: Group) -> None:
        (shrink, grow), (smallest, largest) = group["etas"], group["step_sizes"]
        if group["maximize"]:
            g *= -1
        prev, size = state["prev"], state["step_size"]
        turn = np.sign(g * prev)
        size *= np.where(turn > 0, grow, np.where(turn < 0, shrink, 1.0)).astype(size.dtype)
        np.clip(size, smallest, largest, out=size)
        g[turn < 0] = 0
        p -= np.sign(g) * size
        prev[:] = g
