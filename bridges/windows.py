"""Scalar forms of convolutions and poolings: what the entries of each window come to."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..nn.kernels.geometry import Geometry
from .entries import Array, filled, numbers, total


def places(how: Geometry) -> Array:
    """Which entry of the flattened input each output meets at each tap (outputs, taps); -1 beyond
    the edges."""
    flat: Any = np.zeros((1, 1), int)
    inside: Any = np.ones((1, 1), bool)
    for n, o, k, s, d, (before, _) in zip(
        how.size, how.out, how.kernel, how.stride, how.dilation, how.padding, strict=True
    ):
        at = np.arange(o)[:, None] * s + np.arange(k) * d - before
        # outputs and taps of this axis count faster than those of the axes before it
        flat = (flat[:, None, :, None] * n + at[None, :, None, :]).reshape(
            len(flat) * o, flat.shape[1] * k
        )
        valid = (at >= 0) & (at < n)
        inside = (inside[:, None, :, None] & valid[None, :, None, :]).reshape(flat.shape)
    return np.where(inside, flat, -1)


def _met(x: Array, how: Geometry, beyond: float) -> Array:
    """(N, C, *size) as (N, C, outputs, taps)."""
    flat = x.reshape(*x.shape[:2], prod(how.size))
    edge = np.full((*x.shape[:2], 1), beyond, object)
    return np.concatenate([flat, edge], axis=2)[:, :, places(how)]


def _added(parts: Array, how: Geometry) -> Array:
    """The adjoint: (N, C, outputs, taps) added up where they were met."""
    lead = parts.shape[:2]
    y = np.zeros((*lead, prod(how.size) + 1), object)
    at: Any = (slice(None), slice(None), places(how))
    np.add.at(y, at, parts)
    return y[:, :, :-1].reshape(*lead, *how.size)


def _groups(channels: int, how: Geometry) -> list[slice]:
    size = channels // how.groups
    return [slice(g * size, (g + 1) * size) for g in range(how.groups)]


def _rows(x: Array) -> Array:
    """(N, C, outputs, …) as (N * outputs, C * …)."""
    x = np.moveaxis(x, 2, 1)
    return x.reshape(x.shape[0] * x.shape[1], prod(x.shape[2:]))


def conv(x: Array, w: Array, how: Geometry) -> Array:
    met = _met(x, how, 0.0)
    parts = []
    for inputs, outputs in zip(_groups(x.shape[1], how), _groups(len(w), how), strict=True):
        kernel = w[outputs]
        y = _rows(met[:, inputs]) @ kernel.reshape(len(kernel), prod(w.shape[1:])).T
        parts.append(np.moveaxis(y.reshape(len(x), met.shape[2], len(kernel)), 2, 1))
    return np.concatenate(parts, axis=1).reshape(len(x), len(w), *how.out)


def conv_bias(x: Array, w: Array, b: Array, how: Geometry) -> Array:
    return conv(x, w, how) + b.reshape(-1, *(1,) * len(how.kernel))


def conv_input(z: Array, w: Array, how: Geometry) -> Array:
    flat = z.reshape(*z.shape[:2], prod(how.out))
    taps = prod(how.kernel)
    parts = []
    for outputs in _groups(len(w), how):
        kernel = w[outputs].reshape(-1, w.shape[1] * taps)
        met = _rows(flat[:, outputs]) @ kernel
        parts.append(np.moveaxis(met.reshape(len(z), flat.shape[2], w.shape[1], taps), 2, 1))
    return _added(np.concatenate(parts, axis=1), how)


def conv_weight(z: Array, x: Array, how: Geometry) -> Array:
    flat = z.reshape(*z.shape[:2], prod(how.out))
    met = _met(x, how, 0.0)
    pairs = zip(_groups(x.shape[1], how), _groups(z.shape[1], how), strict=True)
    parts = [_rows(flat[:, outputs]).T @ _rows(met[:, inputs]) for inputs, outputs in pairs]
    return np.concatenate(parts).reshape(z.shape[1], x.shape[1] // how.groups, *how.kernel)


def max_pool(x: Array, how: Geometry) -> Array:
    """The winner of each window, by size; among equals the first, and nan before all."""
    met = _met(x, how, -np.inf)
    won = np.argmax(numbers(met), axis=-1)
    y = np.take_along_axis(met, won[..., None], axis=-1)
    return y.reshape(*x.shape[:2], *how.out)


def window_pick(x: Array, won: Array, how: Geometry) -> Array:
    met = _met(x, how, 0.0)
    y = np.take_along_axis(met, won.reshape(*met.shape[:3], 1).astype(int), axis=-1)
    return y.reshape(won.shape)


def window_spread(x: Array, won: Array, how: Geometry) -> Array:
    at = places(how)[np.arange(prod(how.out)), won.reshape(*won.shape[:2], prod(how.out))]
    y = np.zeros((*x.shape[:2], prod(how.size) + 1), object)
    examples, channels = np.ogrid[: len(x), : x.shape[1]]
    index: Any = (examples[..., None], channels[..., None], at)
    np.add.at(y, index, x.reshape(at.shape))
    return y[:, :, :-1].reshape(*x.shape[:2], *how.size)


def avg_pool(x: Array, how: Geometry, divisor: Any) -> Array:
    met = _met(x, how, 0.0)
    sums = filled([total(list(row)) for row in met.reshape(-1, met.shape[-1])])
    y: Array = sums.reshape(*x.shape[:2], *how.out) / np.asarray(divisor, float)
    return y


def avg_spread(x: Array, how: Geometry, divisor: Any) -> Array:
    parts = (x / np.asarray(divisor, float)).reshape(*x.shape[:2], prod(how.out), 1)
    return _added(np.broadcast_to(parts, (*parts.shape[:3], prod(how.kernel))), how)
