"""Stochastic gradient descent with momentum.

    v ← μ v + (1 - τ) g        (v = g on the first step)
    p ← p - γ v                (Nesterov: p ← p - γ (g + μ v))

with learning rate γ, momentum μ, dampening τ. Momentum: Polyak, "Some methods of speeding up the
convergence of iteration methods" (1964); Nesterov's look-ahead as in Sutskever et al., "On the
importance of initialization and momentum in deep learning" (2013).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..tensor.node import Array
from .flat import Slots
from .optimizer import Group, Optimizer


class SGD(Optimizer):
    """Stochastic gradient descent; see the top of this file for the formula.

    Args:
        params: parameters or groups of them.
        lr: learning rate γ.
        momentum: μ, the share of the last direction that is kept.
        dampening: τ, how much of each new gradient is held back from the direction.
        weight_decay: adds ``weight_decay * p`` to the gradient.
        nesterov: look ahead along the direction; needs momentum and no dampening.
        maximize: climb instead of descend.

    >>> import gradling
    >>> w = gradling.tensor([1.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> gradling.optim.SGD([w], lr=0.1).step()
    >>> w
    tensor([0.8000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr, "momentum": momentum, "dampening": dampening,
                "weight_decay": weight_decay, "nesterov": nesterov, "maximize": maximize,
            },
        )  # fmt: skip

    def check_options(self, group: Group) -> None:
        super().check_options(group)
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise ValueError(
                "SGD: nesterov needs momentum > 0 and dampening = 0, got "
                f"momentum = {group['momentum']}, dampening = {group['dampening']}"
            )

    def update(self, p: Array, g: Array, state: Slots, group: Group) -> None:
        momentum, decay = group["momentum"], group["weight_decay"]
        if group["maximize"]:
            g *= -1
        if decay:
            g += decay * p
        if momentum:
            v = state["momentum_buffer"]
            if state.step == 1:
                v[:] = g
            else:
                v *= momentum
                v += (1 - group["dampening"]) * g
            g = g + momentum * v if group["nesterov"] else v
        p -= group["lr"] * g
