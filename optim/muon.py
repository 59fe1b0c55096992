"""Muon: momentum made orthogonal, so that every direction of a matrix moves by the same amount.

    B ← μ B + (1 - μ) G,             N = (1 - μ) G + μ B   (Nesterov; else N = B)
    P ← (1 - γλ) P - γ' U Vᵀ         where N = U S Vᵀ

U Vᵀ comes from a few Newton–Schulz steps X ← a X + (b X Xᵀ + c (X Xᵀ)²) X, which drive all singular
values towards 1 without a decomposition. γ' is γ √max(1, rows/columns), or 0.2 γ √max(rows,
columns) to match the size of Adam's steps. For the matrices inside a net; vectors, embeddings and
the last layer go to another optimizer. Jordan et al., "Muon: an optimizer for hidden layers in
neural networks" (2024); Liu et al., "Muon is scalable for LLM training" (2025).
"""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt
from typing import Any

import numpy as np

from ..tensor import Tensor
from ..tensor.node import Array
from .flat import Flat, Slots
from .optimizer import Group, Optimizer

# steepest at 0 among quintics that stay near 1 (Jordan, 2024)
COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def orthogonal(
    matrix: Array,
    steps: int = 5,
    coefficients: tuple[float, float, float] = COEFFICIENTS,
    eps: float = 1e-7,
) -> Array:
    """Roughly U Vᵀ of ``matrix`` = U S Vᵀ, (rows, columns): singular values between about 0.7 and
    1.2."""
    a, b, c = coefficients
    x = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    x = x / max(float(np.linalg.norm(x)), eps)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return x.T if matrix.shape[0] > matrix.shape[1] else x


class Muon(Optimizer):
    """Muon for matrices; see the top of this file for the formula.

    Args:
        params: parameters with two dimensions, or groups of them.
        lr: learning rate γ.
        weight_decay: λ, apart from the gradient.
        momentum: μ.
        nesterov: look ahead along the momentum.
        ns_coefficients, ns_steps, eps: of the Newton–Schulz steps.
        adjust_lr_fn: "original" or "match_rms_adamw", how γ' follows from γ and the shape.

    Raises:
        ValueError: a parameter that is not a matrix.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = COEFFICIENTS,
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr, "weight_decay": weight_decay, "momentum": momentum, "nesterov": nesterov,
                "ns_coefficients": ns_coefficients, "eps": eps, "ns_steps": ns_steps,
                "adjust_lr_fn": adjust_lr_fn,
            },
        )  # fmt: skip

    def check_options(self, group: Group) -> None:
        super().check_options(group)
        for place, p in enumerate(group["params"]):
            if not isinstance(p, Tensor) or p.ndim != 2:
                raise ValueError(
                    f"Muon: parameter {place} has shape {getattr(p, 'shape', ())}; only matrices "
                    "can be made orthogonal: give vectors and numbers to AdamW"
                )
        if group["adjust_lr_fn"] not in (None, "original", "match_rms_adamw"):
            raise ValueError(
                "Muon: adjust_lr_fn must be 'original' or 'match_rms_adamw', got "
                f"{group['adjust_lr_fn']!r}"
            )

    def _step_flat(self, flat: Flat, group: Group) -> None:
        flat.adopt()
        present = flat.gather()
        for place, found in enumerate(present):
            if found:  # matrix by matrix: their products do not lie end to end
                state = flat.slots(place, place + 1)
                buffer = state["momentum_buffer"].reshape(flat.shapes[place])
                self._move(flat.places[place], flat.grad_places[place], buffer, group)
        if any(present):
            flat.publish()

    def _move(self, p: Array, g: Array, buffer: Array, group: Group) -> None:
        momentum, lr = group["momentum"], group["lr"]
        buffer += (1 - momentum) * (g - buffer)
        direction = g + momentum * (buffer - g) if group["nesterov"] else buffer
        step = orthogonal(direction, group["ns_steps"], group["ns_coefficients"], group["eps"])
        rows, columns = p.shape
        if group["adjust_lr_fn"] == "match_rms_adamw":
            scale = 0.2 * sqrt(max(rows, columns))
        else:
            scale = sqrt(max(1.0, rows / columns))
        p *= 1 - lr * group["weight_decay"]
        p -= lr * scale * step

    def update(self, p: Array, g: Array, state: Slots, group: Group) -> None:
        raise TypeError("Muon: steps matrix by matrix")
