"""Scalar forms of convolutions and poolings: sums of products over the taps of a kernel."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..nn.kernels import windows
from ..nn.kernels.geometry import Geometry
from .entries import Array, boxed, numbers


def _last(x: Array) -> Array:
    return np.moveaxis(x, 1, -1)


def _first(x: Array) -> Array:
    return np.moveaxis(x, -1, 1)


def _padded(x: Array, how: Geometry) -> Array:
    """(N, C, *size) as (N, *whole, C), with zeros around."""
    wide = np.zeros((x.shape[0], *how.whole, x.shape[1]), object)
    inside: Any = (slice(None), *how.inner)
    wide[inside] = _last(x)
    return wide


def _groups(channels: int, how: Geometry) -> list[slice]:
    size = channels // how.groups
    return [slice(g * size, (g + 1) * size) for g in range(how.groups)]


def conv(x: Array, w: Array, how: Geometry) -> Array:
    wide = _padded(x, how)
    met = np.stack([wide[place] for _, place in how.taps()], axis=-1)  # (N, *out, C, taps)
    parts = []
    for inputs, outputs in zip(_groups(x.shape[1], how), _groups(w.shape[0], how), strict=True):
        rows = met[..., inputs, :]
        lead = rows.shape[:-2]
        rows = rows.reshape(int(np.prod(lead)), rows.shape[-2] * rows.shape[-1])
        kernel = w[outputs].reshape(-1, rows.shape[1])
        parts.append((rows @ kernel.T).reshape(*lead, len(kernel)))
    return _first(np.concatenate(parts, axis=-1))


def conv_bias(x: Array, w: Array, b: Array, how: Geometry) -> Array:
    return conv(x, w, how) + b.reshape(-1, *(1,) * len(how.kernel))


def conv_input(z: Array, w: Array, how: Geometry) -> Array:
    channels = w.shape[1] * how.groups
    wide = np.zeros((z.shape[0], *how.whole, channels), object)
    last = _last(z)
    for tap, place in how.taps():
        for inputs, outputs in zip(_groups(channels, how), _groups(w.shape[0], how), strict=True):
            at: Any = (outputs, slice(None), *tap)
            wide[place][..., inputs] += last[..., outputs] @ w[at]
    return _first(wide[(slice(None), *how.inner)])


def conv_weight(z: Array, x: Array, how: Geometry) -> Array:
    wide, last = _padded(x, how), _last(z)
    rows = int(np.prod(last.shape[:-1]))
    outputs, channels = z.shape[1], x.shape[1]
    y = np.zeros((outputs, channels // how.groups, *how.kernel), object)
    for tap, place in how.taps():
        met = wide[place].reshape(rows, channels)
        for inputs, outs in zip(_groups(channels, how), _groups(outputs, how), strict=True):
            part = last.reshape(rows, outputs)[:, outs].T @ met[:, inputs]
            at: Any = (outs, slice(None), *tap)
            y[at] = part
    return y


def max_pool(x: Array, how: Geometry) -> Array:
    """The winner of each window, by size; among equals the first."""
    sizes = numbers(x)
    won = windows.winners(sizes, windows.largest(sizes, how), how)
    return windows.pick(x, won, how)


def avg_pool(x: Array, how: Geometry, divisor: Any) -> Array:
    y: Array = boxed(windows.total(x, how)) / np.asarray(divisor, float)
    return y


def avg_spread(x: Array, how: Geometry, divisor: Any) -> Array:
    return windows.spread_evenly(x / np.asarray(divisor, float), how)
