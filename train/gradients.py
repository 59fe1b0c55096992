"""Gradients of a whole model: scaled, clipped, checked; Tensors' and Values' alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isfinite
from typing import Any

import numpy as np

from ..engine import Value


def scale(params: Iterable[Any], factor: float) -> None:
    """Multiply all gradients by ``factor``."""
    for p in params:
        if isinstance(p, Value):
            if p._grad is not None:
                p._grad *= factor
        elif p.grad is not None:
            p.grad._data[...] *= factor


def clip(params: Sequence[Any], most: float) -> float:
    """Scale all gradients down together so that their norm is at most ``most``; returns the norm
    before."""
    gradients = [
        np.asarray(p.grad) if isinstance(p, Value) else p.grad._data
        for p in params
        if p.grad is not None
    ]
    norm = float(np.sqrt(sum(float((g.astype(np.float64) ** 2).sum()) for g in gradients)))
    if norm > most:
        scale(params, most / (norm + 1e-6))
    return norm


def first_not_finite(params: Sequence[Any]) -> int | None:
    """The place of the first parameter whose gradient has a nan or inf; None if all are finite."""
    with np.errstate(all="ignore"):
        for place, p in enumerate(params):
            g = p._grad if isinstance(p, Value) else None if p.grad is None else p.grad._data
            # a sum costs less than asking of every entry, and is finite nearly always
            if g is not None and not isfinite(np.sum(g)) and not np.isfinite(g).all():
                return place
    return None
