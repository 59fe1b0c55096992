"""Adam, with AdamW's decoupled weight decay and AMSGrad as variants.

    m ← β₁ m + (1 - β₁) g            first moment: the mean gradient
    v ← β₂ v + (1 - β₂) g²           second moment: its size
    p ← p - γ m̂ / (√v̂ + ε),          m̂ = m / (1 - β₁ᵗ), v̂ = v / (1 - β₂ᵗ)

The corrections undo the start from 0, which makes early averages too small. Kingma & Ba, "Adam: a
method for stochastic optimization" (2014). AMSGrad divides by the largest v so far: Reddi et al.,
"On the convergence of Adam and beyond" (2018). AdamW shrinks p by γλ apart from the gradient:
Loshchilov & Hutter, "Decoupled weight decay regularization" (2017).
"""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt
from typing import Any, ClassVar

import numpy as np

from ..tensor.node import Array
from .flat import Slots
from .optimizer import Group, Optimizer


class Adam(Optimizer):
    """Adam; see the top of this file for the formula.

    Args:
        params: parameters or groups of them.
        lr: learning rate γ.
        betas: decay rates β₁, β₂ of the two averages.
        eps: ε, keeps the quotient finite.
        weight_decay: λ; adds ``weight_decay * p`` to the gradient.
        amsgrad: divide by the largest second moment so far.
        maximize: climb instead of descend.
    """

    decoupled: ClassVar[bool] = False

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
                "amsgrad": amsgrad, "maximize": maximize,
            },
        )  # fmt: skip

    def update(self, p: Array, g: Array, state: Slots, group: Group) -> None:
        lr, (beta1, beta2), decay = group["lr"], group["betas"], group["weight_decay"]
        if group["maximize"]:
            g *= -1
        if decay and self.decoupled:
            p *= 1 - lr * decay
        elif decay:
            g += decay * p
        m, v = state["exp_avg"], state["exp_avg_sq"]
        toward = g - m
        toward *= 1 - beta1
        m += toward
        v *= beta2
        g *= g
        g *= 1 - beta2
        v += g
        if group["amsgrad"]:
            v = np.maximum(state["max_exp_avg_sq"], v, out=state["max_exp_avg_sq"])
        root = np.sqrt(v, out=g)  # the gradient has been used: its buffer serves as scratch
        # √v̂ + ε = (√v + ε c) / c with c the root of the correction: a number, not one more array
        c = sqrt(1 - beta2**state.step)
        root += group["eps"] * c
        np.divide(m, root, out=root)
        root *= lr * c / (1 - beta1**state.step)
        p -= root


class AdamW(Adam):
    """Adam with weight decay apart from the gradient; see the top of this file.

    Args: as Adam's; ``weight_decay`` shrinks each parameter by ``lr * weight_decay`` per step.
    """

    decoupled = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize)
