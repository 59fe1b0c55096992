"""Sliding windows over the last axes of arrays (N, C, *size), reduced to their largest entry or
sum.

Memory order is left as it is found: what works on (N, C, H, W) works as fast where channels lie
last. The windows are never copied: a tap of all windows at once is a strided slice of the input.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from ...tensor.node import Array
from .geometry import Geometry, Slices


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


def hits(x: Array, y: Array, how: Geometry) -> Iterator[tuple[int, Slices, Array]]:
    """Per tap, its number, where it lies in (*whole), and the windows whose largest entry it gave.

    Of several equal entries the first one counts, in C order of the taps; an entry outside the
    input never does. A window with a NaN counts for its last tap.
    """
    taps = list(how.taps())
    padded = how.whole != how.size
    xp = surrounded(x, how, -np.inf)
    valid = surrounded(np.ones((1, 1, *how.size), bool), how, False) if padded else None
    free: Any = None  # windows that have no winner yet
    for number, (_, where) in enumerate(taps):
        at: Any = (slice(None), slice(None), *where)
        if number == len(taps) - 1 and free is not None and valid is None:
            yield number, where, free
            return
        hit = xp[at] == y
        if valid is not None:
            hit &= valid[at]
        if free is None:
            free = ~hit
        else:
            hit &= free
            np.greater(free, hit, out=free)
        yield number, where, hit


def winners(x: Array, y: Array, how: Geometry) -> Array:
    """Which tap of each window gave its largest entry ``y``; of several NaN the last."""
    kind: Any = np.uint8 if np.prod(how.kernel) <= 256 else np.int32
    won = np.zeros_like(y, dtype=kind)
    for number, _, hit in hits(x, y, how):
        won += hit * kind(number)
    if np.isnan(y).any():
        xp = surrounded(x, how, -np.inf)
        for number, (_, where) in enumerate(how.taps()):
            np.copyto(won, number, where=np.isnan(xp[(slice(None), slice(None), *where)]))
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
        np.copyto(y, xp[(slice(None), slice(None), *where)], where=won == number)
    return y


def _room(g: Array, how: Geometry, written: bool) -> tuple[Array, bool]:
    """Memory for the gradient of the padded input, and whether no entry is met twice.

    Zeros, unless each entry is met once and ``written`` over.
    """
    apart = all(_apart(how, axis) for axis in range(len(how.kernel)))
    covered = apart and all(
        o * k == n for o, k, n in zip(how.out, how.kernel, how.whole, strict=True)
    )
    make = np.empty_like if covered and written else np.zeros_like
    return make(g, shape=(*g.shape[:2], *how.whole)), apart


def spread(g: Array, won: Array, how: Geometry) -> Array:
    """The adjoint of ``pick``: each window's number added at its winning tap, zeros elsewhere."""
    chosen = ((where, won == number) for number, (_, where) in enumerate(how.taps()))
    return _spread(g, chosen, how)


def spread_to_largest(g: Array, y: Array, x: Array, how: Geometry) -> Array:
    """``spread`` to where the largest entries were, found on the way."""
    if g.strides != y.strides:  # after a flatten; as many entries as windows are soon put in order
        ordered = np.empty_like(y)
        ordered[...] = g
        g = ordered
    if y.size and np.isnan(y.max()):
        return spread(g, winners(x, y, how), how)
    return _spread(g, ((where, hit) for _, where, hit in hits(x, y, how)), how)


def _spread(g: Array, chosen: Iterable[tuple[Slices, Array]], how: Geometry) -> Array:
    """Each tap's slice of the input gets ``g`` where it was chosen."""
    # A product with 0 and 1 takes NumPy a tenth of a choice, but inf and nan times 0 is not 0.
    finite = bool(np.isfinite(g.sum()))
    whole, apart = _room(g, how, finite)
    for where, hit in chosen:
        place = whole[(slice(None), slice(None), *where)]
        if not finite:
            place += np.where(hit, g, 0)
        elif apart:
            np.multiply(g, hit, out=place)
        else:
            place += g * hit
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
