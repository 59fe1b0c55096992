"""Sliding windows over the last axes of arrays (N, C, *size), reduced to their largest entry or
sum.

Memory order is left as it is found: what works on (N, C, H, W) works as fast where channels lie
last. The windows are never copied: a tap of all windows at once is a strided slice of the input.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...tensor.node import Array
from .geometry import Geometry


def surrounded(x: Array, how: Geometry, value: float) -> Array:
    """``x`` as far as windows reach, ``value`` around it; ``x`` itself where they stay inside."""
    if how.whole == how.size:
        return x
    out = np.empty_like(x, shape=(*x.shape[:2], *how.whole))
    out.fill(value)
    inner: Any = (..., *how.inner)
    out[inner] = x
    return out


def _along(axis: int, place: slice) -> Any:
    return (slice(None),) * axis + (place,)


def _taps(how: Geometry, axis: int) -> list[slice]:
    """The slices of one spatial axis that outputs meet at each tap."""
    k, s, d, o = how.kernel[axis], how.stride[axis], how.dilation[axis], how.out[axis]
    return [slice(t * d, t * d + (o - 1) * s + 1, s) for t in range(k)]


def _apart(how: Geometry, axis: int) -> bool:
    """Whether no entry along this axis is met by two outputs."""
    return how.stride[axis] >= how.reach[axis] or how.out[axis] == 1


def largest(x: Array, how: Geometry) -> Array:
    """The largest entry of each window, axis by axis: k + k comparisons for a window of k * k."""
    y = surrounded(x, how, -np.inf)
    for axis in range(len(how.kernel)):
        first, *others = [y[_along(axis + 2, place)] for place in _taps(how, axis)]
        if not others:
            y = first
            continue
        y = np.maximum(first, others[0])
        for other in others[1:]:
            np.maximum(y, other, out=y)
    return y if y.base is None else y.copy("K")


def winners(x: Array, y: Array, how: Geometry) -> Array:
    """Which tap of each window gave its largest entry ``y``: the first of equals; the last NaN.

    Taps are numbered in C order. Among equals a tap outside the input never wins.
    """
    taps = list(how.taps())
    kind = np.uint8 if len(taps) <= 256 else np.int32
    won = np.empty_like(y, dtype=kind)
    won.fill(len(taps) - 1)
    padded = how.whole != how.size
    xp = surrounded(x, how, -np.inf)
    valid = surrounded(np.ones((1, 1, *how.size), bool), how, False) if padded else None
    for number in range(len(taps) - 1 - (not padded), -1, -1):
        at: Any = (slice(None), *taps[number][1])
        hit = xp[at] == y
        if valid is not None:
            hit &= valid[at]
        np.copyto(won, number, where=hit)
    if np.isnan(y).any():
        for number, (_, where) in enumerate(taps):
            np.copyto(won, number, where=np.isnan(xp[(slice(None), *where)]))
    return won


def positions(won: Array, how: Geometry) -> Array:
    """Winning taps as places in the input, counted along its flattened spatial axes (int64)."""
    flat = np.zeros(won.shape, np.int64)
    rest: Array = won.astype(np.int64)
    step, steps = 1, []
    for n in reversed(how.size):
        steps.append(step)
        step *= n
    for axis in range(len(how.kernel) - 1, -1, -1):
        tap = rest % how.kernel[axis]
        rest = rest // how.kernel[axis]
        start = np.arange(how.out[axis]) * how.stride[axis] - how.padding[axis][0]
        start = start.reshape(-1, *(1,) * (len(how.kernel) - 1 - axis))
        flat += (start + tap * how.dilation[axis]) * steps[len(how.kernel) - 1 - axis]
    return flat


def pick(x: Array, won: Array, how: Geometry) -> Array:
    """The entry of each window at its winning tap."""
    xp = surrounded(x, how, 0)
    y = np.empty_like(x, shape=won.shape)
    for number, (_, where) in enumerate(how.taps()):
        np.copyto(y, xp[(slice(None), *where)], where=won == number)
    return y


def spread(g: Array, won: Array, how: Geometry) -> Array:
    """The adjoint of ``pick``: each window's number added at its winning tap, zeros elsewhere."""
    whole = np.zeros_like(g, shape=(*g.shape[:2], *how.whole))
    apart = all(_apart(how, axis) for axis in range(len(how.kernel)))
    for number, (_, where) in enumerate(how.taps()):
        at: Any = (slice(None), *where)
        if apart:
            np.copyto(whole[at], g, where=won == number)
        else:
            whole[at] += np.where(won == number, g, 0)
    return _inside(whole, how)


def total(x: Array, how: Geometry) -> Array:
    """The sum of each window."""
    y = surrounded(x, how, 0)
    for axis in range(len(how.kernel)):
        first, *others = [y[_along(axis + 2, place)] for place in _taps(how, axis)]
        if not others:
            y = first
            continue
        y = np.add(first, others[0])
        for other in others[1:]:
            y += other
    return y if y.base is None else y.copy("K")


def spread_evenly(g: Array, how: Geometry) -> Array:
    """The adjoint of ``total``: each window's number added to all of its entries."""
    for axis in range(len(how.kernel) - 1, -1, -1):
        shape = list(g.shape)
        shape[axis + 2] = how.whole[axis]
        wide = np.zeros_like(g, shape=tuple(shape))
        for place in _taps(how, axis):
            at = _along(axis + 2, place)
            if _apart(how, axis):
                wide[at] = g
            else:
                wide[at] += g
        g = wide
    return _inside(g, how)


def _inside(whole: Array, how: Geometry) -> Array:
    inner: Any = (..., *how.inner)
    return whole if how.whole == how.size else whole[inner]


def counts(how: Geometry, padding: tuple[int, ...], include_padding: bool) -> Any:
    """How many entries a mean over each window counts: one number, or one per place (*out).

    With ``include_padding`` the ``padding`` on both sides counts too, but not what a window at the
    end reaches beyond it.
    """
    found: Any = np.ones((), np.int64)
    for n, o, k, s, (lo, _), p in zip(
        how.size, how.out, how.kernel, how.stride, how.padding, padding, strict=True
    ):
        start = np.arange(o) * s - lo
        low, high = (-p, n + p) if include_padding else (0, n)
        found = np.multiply.outer(found, np.minimum(start + k, high) - np.maximum(start, low))
    return int(found.flat[0]) if found.size and (found == found.flat[0]).all() else found
