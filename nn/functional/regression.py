"""Losses between numbers. The layers of the same names say more about each."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...tensor import Tensor
from ...tensor.choice import clamp_max, where
from ...tensor.elementwise import abs as magnitude
from ...tensor.errors import ShapeError
from ...tensor.record import apply
from ..rows import losses as rows
from .checks import check_reduction, pair, tensor_operands, weighted
from .distances import floored


def mse_loss(
    input: Tensor,
    target: Tensor,
    *,
    reduction: str = "mean",
    weight: Tensor | None = None,
    broadcast: bool = False,
) -> Tensor:
    """(input - target)², averaged.

    Args:
        input: any shape.
        target: the same shape (or one that broadcasts, with ``broadcast``).
        reduction: "mean", "sum" or "none".
        weight: a factor per entry; the mean then divides by their sum.
        broadcast: allow different shapes.

    Raises:
        ShapeError: input and target differ in shape; shows the reshape that fits.

    >>> import gradling
    >>> mse_loss(gradling.tensor([1.0, 2.0]), gradling.tensor([1.0, 4.0]))
    tensor(2.)
    """
    check_reduction("mse_loss", reduction)
    input, target = pair("mse_loss", input, target, broadcast)
    if weight is not None:
        return weighted("mse_loss", (input - target) ** 2, weight, reduction, True)
    if broadcast and input.shape != target.shape:
        return weighted("mse_loss", (input - target) ** 2, None, reduction, True)
    return apply(rows.mse_loss, (input, target), (reduction,))


def l1_loss(
    input: Tensor,
    target: Tensor,
    *,
    reduction: str = "mean",
    weight: Tensor | None = None,
    broadcast: bool = False,
) -> Tensor:
    """|input - target|, averaged; arguments as for ``mse_loss``.

    >>> import gradling
    >>> l1_loss(gradling.tensor([1.0, 2.0]), gradling.tensor([1.0, 4.0]))
    tensor(1.)
    """
    check_reduction("l1_loss", reduction)
    input, target = pair("l1_loss", input, target, broadcast)
    return weighted("l1_loss", magnitude(input - target), weight, reduction, True)


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    *,
    reduction: str = "mean",
    beta: float = 1.0,
    broadcast: bool = False,
) -> Tensor:
    """½ d² / beta where d = |input - target| < beta, else d - ½ beta; arguments as for
    ``mse_loss``.

    >>> import gradling
    >>> smooth_l1_loss(gradling.tensor([1.0, 5.0]), gradling.zeros(2), reduction="none").tolist()
    [0.5, 4.5]
    """
    check_reduction("smooth_l1_loss", reduction)
    if beta < 0:
        raise ValueError(f"smooth_l1_loss: beta must not be negative, got {beta}")
    if beta == 0:
        return l1_loss(input, target, reduction=reduction, broadcast=broadcast)
    input, target = pair("smooth_l1_loss", input, target, broadcast)
    return weighted("smooth_l1_loss", _rounded(input - target, beta) / beta, None, reduction, False)


def huber_loss(
    input: Tensor,
    target: Tensor,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Tensor | None = None,
    *,
    broadcast: bool = False,
) -> Tensor:
    """½ d² where d = |input - target| < delta, else delta (d - ½ delta); arguments as for
    ``mse_loss``.

    >>> import gradling
    >>> huber_loss(gradling.tensor([1.0, 5.0]), gradling.zeros(2), reduction="none").tolist()
    [0.5, 4.5]
    """
    check_reduction("huber_loss", reduction)
    if delta <= 0:
        raise ValueError(f"huber_loss: delta must be positive, got {delta}")
    input, target = pair("huber_loss", input, target, broadcast)
    return weighted("huber_loss", _rounded(input - target, delta), weight, reduction, False)


def _rounded(difference: Tensor, corner: float) -> Tensor:
    """½ d² up to the corner, from there the straight line that meets it: c (d - ½ c), c = min(d,
    corner).

    One formula for both pieces, so that no square of a huge d is ever made.
    """
    d = magnitude(difference)
    near = clamp_max(d, corner)
    return near * (d - 0.5 * near)


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    *,
    eps: float = 1e-8,
    reduction: str = "mean",
    broadcast: bool = False,
) -> Tensor:
    """The negative log likelihood of counts under rates λ, without the terms that do not move.

    exp(input) - target · input with ``log_input`` (input is log λ), else input - target · log(input
    + eps). ``full`` adds Stirling's approximation of log target! for targets above 1.

    >>> import gradling
    >>> poisson_nll_loss(gradling.tensor([0.0]), gradling.tensor([2.0]))
    tensor(1.)
    """
    check_reduction("poisson_nll_loss", reduction)
    input, target = pair("poisson_nll_loss", input, target, broadcast)
    rate, log_rate = (input.exp(), input) if log_input else (input, (input + eps).log())
    loss = rate - target * log_rate
    if full:
        loss = loss + _log_factorial(target)
    return weighted("poisson_nll_loss", loss, None, reduction, False)


def _log_factorial(target: Tensor) -> Tensor:
    """Stirling: t log t - t + ½ log(2πt) above 1, else 0 (which is nearer there)."""
    above = target > 1
    safe = where(above, target, 1.0)  # no log of what is not used
    approximation: Tensor = safe * safe.log() - safe + 0.5 * (2 * math.pi * safe).log()
    return where(above, approximation, 0.0)  # type: ignore[no-any-return]


def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
    *,
    broadcast: bool = False,
) -> Tensor:
    """½ (log var + (input - target)² / var), the negative log likelihood under N(input, var).

    Args:
        var: a number, or a tensor of the input's shape, or of that shape with its last axis missing
            or one axis of size 1. Below ``eps`` it counts as eps, but keeps its gradient.
        full: add ½ log 2π.

    >>> import gradling
    >>> gaussian_nll_loss(gradling.tensor([0.0]), gradling.tensor([2.0]), gradling.tensor([1.0]))
    tensor(2.)
    """
    name = "gaussian_nll_loss"
    check_reduction(name, reduction)
    if eps <= 0:
        raise ValueError(f"{name}: eps must be positive, got {eps}")
    input, target = pair(name, input, target, broadcast)
    var = _variance(name, input, var)
    var = floored(var, eps)
    loss = 0.5 * (var.log() + (input - target) ** 2 / var)
    if full:
        loss = loss + 0.5 * math.log(2 * math.pi)
    return weighted(name, loss, None, reduction, False)


def _variance(name: str, input: Tensor, var: Any) -> Tensor:
    if isinstance(var, (int, float)):
        var = Tensor(np.full(input.shape, var, input.dtype))
    tensor_operands(name, var=var)
    if (var._data < 0).any():
        raise ValueError(
            f"{name}: var must not be negative; its smallest entry is {var._data.min()}"
        )
    if var.shape == input.shape:
        return var  # type: ignore[no-any-return]
    if var.shape == input.shape[:-1]:
        return var.reshape(*var.shape, 1)  # type: ignore[no-any-return]
    differ = [(n, m) for n, m in zip(input.shape, var.shape, strict=False) if n != m]
    if var.ndim == input.ndim and len(differ) == 1 and differ[0][1] == 1:
        return var  # type: ignore[no-any-return]
    raise ShapeError(
        f"{name}: var {var.shape} does not fit input {input.shape}: give one variance per entry, "
        f"or one for each {input.shape[:-1]}"
    )
