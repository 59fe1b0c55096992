"""Numbers inside an op's domain, by construction away from its kinks, poles and edges."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..engine.op import Domain, Op

GAP = 0.125  # distance kept from kinks and poles: thousands of the steps that differences take
REACH = 4.0  # how far numbers go where the domain has no end


def pieces(domain: Domain, reach: float = REACH, gap: float = GAP) -> list[tuple[float, float]]:
    """The closed intervals that ``domain`` is drawn from, ``gap`` away from what breaks.

    >>> from gradling.engine.op import NONZERO, POSITIVE
    >>> pieces(NONZERO)
    [(-4.0, -0.125), (0.125, 4.0)]
    >>> pieces(POSITIVE)
    [(0.125, 4.0)]
    """
    if domain.name == "whole number":  # between two steps of a staircase, never on one
        halves = range(-2 * int(reach), 2 * int(reach))  # round steps at halves
        return [(k / 2 + gap, k / 2 + 0.5 - gap) for k in halves]
    low = domain.low + gap if math.isfinite(domain.low) else -reach
    high = domain.high - gap if math.isfinite(domain.high) else max(reach, low + 1)
    cuts = sorted(point for point in domain.avoid if low - gap < point < high + gap)
    edges = [low]
    for point in cuts:
        edges += [point - gap, point + gap]
    edges.append(high)
    pairs = [(edges[k], edges[k + 1]) for k in range(0, len(edges), 2)]
    return [(a, b) for a, b in pairs if a <= b]


def sample(
    domain: Domain, shape: Sequence[int], rng: np.random.Generator, dtype: Any = np.float64
) -> np.ndarray[Any, Any]:
    """Random numbers of a domain, for tests that need no hypothesis."""
    shape = tuple(shape)
    if domain.name == "truth value":
        return rng.integers(0, 2, shape).astype(np.bool_)
    intervals = np.array(pieces(domain))
    which = rng.integers(0, len(intervals), shape)
    low, high = intervals[which, 0], intervals[which, 1]
    return np.asarray(rng.uniform(low, high), dtype=dtype)


def separated(op: Op) -> bool:
    """Do the op's operands have to keep apart from each other (maximum, clamp: a kink at a tie)?"""
    if any(domain.name != "real" for domain in op.domain):
        return False
    return any(len(pin.at) > 1 and len(set(map(float, pin.at))) < len(pin.at) for pin in op.pinned)
