"""A step length along a direction that satisfies the strong Wolfe conditions.

    f(x + t d) ≤ f(x) + c₁ t f'(x)·d         far enough down
    |f'(x + t d)·d| ≤ c₂ |f'(x)·d|           and flat enough there

First the step is widened until an interval is known to hold such a point, then the interval is
narrowed; both guess by the minimum of a cubic. Nocedal & Wright, "Numerical optimization" (2006),
algorithms 3.5 and 3.6.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import NamedTuple

from ..tensor.node import Array


class Point(NamedTuple):
    """Where the search has looked: step, value, gradient, and slope along the direction."""

    t: float
    f: float
    g: Array
    slope: float


def cubic_minimum(a: Point, b: Point, low: float, high: float) -> float:
    """Where the cubic with these values and slopes is smallest, within [low, high]."""
    if a.t > b.t:
        a, b = b, a
    d1 = a.slope + b.slope - 3 * (a.f - b.f) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    if not square >= 0:
        return (low + high) / 2
    d2 = sqrt(square)
    bottom = b.slope - a.slope + 2 * d2
    if bottom == 0:
        return (low + high) / 2
    return min(max(b.t - (b.t - a.t) * ((b.slope + d2 - d1) / bottom), low), high)


def strong_wolfe(
    look: Callable[[float], Point],
    start: Point,
    t: float,
    widest: float,
    *,
    c1: float = 1e-4,
    c2: float = 0.9,
    tolerance: float = 1e-9,
    tries: int = 25,
) -> tuple[Point, int]:
    """The point found, and how often the function was looked at.

    Args:
        look: value and gradient at a step length.
        start: the point at step 0.
        t: the step to try first.
        widest: the largest entry of the direction; intervals narrower than ``tolerance`` over it
            end the search.
    """
    previous, new, used = start, look(t), 1
    for attempt in range(tries):
        if new.f > start.f + c1 * new.t * start.slope or (attempt > 1 and new.f >= previous.f):
            break
        if abs(new.slope) <= -c2 * start.slope:
            return new, used
        if new.slope >= 0:
            break
        low, high = new.t + 0.01 * (new.t - previous.t), new.t * 10
        t = cubic_minimum(previous, new, low, high)
        previous, new, used = new, look(t), used + 1
    else:
        return min(start, new, key=lambda point: point.f), used
    return _narrow(look, start, previous, new, used, tries - (used - 1), c1, c2, tolerance / widest)


def _narrow(
    look: Callable[[float], Point],
    start: Point,
    one: Point,
    other: Point,
    used: int,
    tries: int,
    c1: float,
    c2: float,
    narrowest: float,
) -> tuple[Point, int]:
    """Shrink the interval between two points, the better of which is ``best``."""
    best, end = (one, other) if one.f <= other.f else (other, one)
    stalled = False
    for _ in range(tries):
        left, right = min(best.t, end.t), max(best.t, end.t)
        if right - left < narrowest:
            break
        t = cubic_minimum(best, end, left, right)
        margin = 0.1 * (right - left)
        if min(right - t, t - left) < margin:  # too close to a known point to learn from
            if stalled or t >= right or t <= left:
                t = right - margin if abs(t - right) < abs(t - left) else left + margin
                stalled = False
            else:
                stalled = True
        else:
            stalled = False
        new, used = look(t), used + 1
        if new.f > start.f + c1 * t * start.slope or new.f >= best.f:
            end = new
            if end.f < best.f:
                best, end = end, best
        else:
            if abs(new.slope) <= -c2 * start.slope:
                return new, used
            if new.slope * (end.t - best.t) >= 0:
                end = best
            best = new
    return best, used
