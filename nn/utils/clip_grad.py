"""Keeping gradients from becoming too large."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ...tensor import Tensor
from ...tensor.node import Array

Tensors = Tensor | Iterable[Tensor]


def _gradients(parameters: Tensors) -> list[Array]:
    """The arrays of the gradients that there are."""
    found = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    return [p.grad._data for p in found if p.grad is not None]


def get_total_norm(
    tensors: Tensors, norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> Tensor:
    """The ``norm_type``-norm of all entries of all tensors, as if they were one vector.

    Args:
        norm_type: p; inf for the largest magnitude.
        error_if_nonfinite: raise if the norm is nan or inf.
    """
    found = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    return _total([x._data for x in found], float(norm_type), error_if_nonfinite)


def _total(arrays: list[Array], p: float, strict: bool) -> Tensor:
    if not arrays:
        return Tensor(np.zeros((), np.float32))
    norms = np.array(
        [np.linalg.norm(x.reshape(-1).astype(np.float64), p) for x in arrays if x.size]
    )
    total = np.linalg.norm(norms, p) if norms.size else 0.0
    if strict and not np.isfinite(total):
        raise RuntimeError(
            f"the total norm of the gradients is {total}, so they cannot be clipped; "
            "detect_anomaly() tells where nan or inf came from"
        )
    return Tensor(np.asarray(total, arrays[0].dtype))


def clip_grad_norm_(
    parameters: Tensors,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale all gradients down together, in place, so that their norm is ``max_norm`` at most.

    Args:
        parameters: tensors whose gradients are meant; those without are passed over.
        max_norm: the largest norm.
        norm_type: p of the norm; inf for the largest magnitude.
        error_if_nonfinite: raise if the norm is nan or inf.
        foreach: accepted for PyTorch's sake.

    Returns:
        The norm before, a 0-d tensor.

    The direction stays. Pascanu et al., "On the difficulty of training recurrent neural networks"
    (2013).

    >>> import gradling
    >>> x = gradling.tensor([3.0, 4.0], requires_grad=True)
    >>> (x * x / 2).sum().backward()
    >>> clip_grad_norm_([x], 1.0).item()
    5.0
    >>> round(get_total_norm([x.grad]).item(), 3)
    1.0
    """
    gradients = _gradients(parameters)
    total = _total(gradients, float(norm_type), error_if_nonfinite)
    with np.errstate(all="ignore"):
        share = min(float(max_norm) / (float(total.item()) + 1e-6), 1.0)
    if share < 1 or share != share:
        for g in gradients:
            np.multiply(g, g.dtype.type(share), out=g)
    return total


def clip_grad_value_(parameters: Tensors, clip_value: float, foreach: bool | None = None) -> None:
    """Bring every entry of every gradient into [-clip_value, clip_value], in place.

    >>> import gradling
    >>> x = gradling.tensor([3.0, 0.5], requires_grad=True)
    >>> (x * x / 2).sum().backward()
    >>> clip_grad_value_([x], 1.0)
    >>> x.grad.tolist()
    [1.0, 0.5]
    """
    for g in _gradients(parameters):
        np.clip(g, -float(clip_value), float(clip_value), out=g)
