"""Normalizing arrays: entries less their mean, over their spread, and back.

With x̂ = (x - mean) / s, s = √(var + eps), and gradient ĝ of x̂, each of the n entries that share a
mean moves all of them; written out, what remains is ĝ without its mean and without its part along
x̂:

    dx = (ĝ - mean(ĝ) - x̂ mean(ĝ x̂)) / s

Sums over many entries are products with a vector of ones: matrix libraries add faster than NumPy.
"""

from __future__ import annotations

from math import prod

import numpy as np

from ...tensor.node import Array
from .halves import pieces, share
from .scratch import ones, scratch

LANE = 512  # entries per row that make NumPy's inner loops worth starting
PIECE = 1 << 19  # bytes of the input at a time: read four times, from memory only the first time


class Channels:
    """An array (N, C, *size) as rows in which channels stand in a fixed pattern.

    With the batch last in memory, as convolutions leave it, a row is a channel. With channels last,
    and for vectors (N, C), a row is several times all channels. Otherwise rows are (image,
    channel).
    """

    def __init__(self, x: Array) -> None:
        self.shape, channels = x.shape, x.shape[1]
        self.count = x.size // max(channels, 1)
        self.order, self.repeat = "images", 1
        if x.strides[0] <= min(x.strides[1:]) and x.shape[0] > 1:
            self.order = "channels"
        elif x.ndim == 2 or x.strides[1] <= min(x.strides[2:]):
            self.order = "patterns"
            while channels * self.repeat * 2 <= LANE and self.count % (self.repeat * 2) == 0:
                self.repeat *= 2

    def rows(self, x: Array) -> Array:
        if self.order == "channels":
            return x.transpose(*range(1, x.ndim), 0).reshape(self.shape[1], self.count)
        if self.order == "patterns":
            width = self.repeat * self.shape[1]
            return x.transpose(0, *range(2, x.ndim), 1).reshape(x.size // width, width)
        return x.reshape(*self.shape[:2], prod(self.shape[2:]))

    def blocks(self, rows: Array) -> list[slice]:
        """Slices of the channels whose rows stay in the nearest cache; all where rows are mixed."""
        if self.order != "channels":
            return [slice(None)]
        return pieces(len(rows), self.count * rows.itemsize, PIECE)

    def like(self, rows: Array) -> Array:
        """Rows as an array of the original shape."""
        n, c, *size = self.shape
        if self.order == "channels":
            return rows.reshape(c, *size, n).transpose(len(size) + 1, *range(len(size) + 1))
        if self.order == "patterns":
            return rows.reshape(n, *size, c).transpose(0, len(size) + 1, *range(1, len(size) + 1))
        return rows.reshape(self.shape)

    def spread(self, numbers: Array) -> Array:
        """One number per channel, in the pattern of the rows."""
        return np.tile(numbers, self.repeat) if self.order == "patterns" else numbers[:, None]

    def total(self, rows: Array) -> Array:
        """The sum per channel."""
        if self.order == "channels":
            sums: Array = rows @ ones(rows.shape[1], rows.dtype)
        elif self.order == "patterns":
            sums = ones(len(rows), rows.dtype) @ rows
            sums = sums.reshape(self.repeat, -1).sum(0) if self.repeat > 1 else sums
        else:
            sums = rows.sum((0, 2))
        return sums

    def total_of_products(self, a: Array, b: Array) -> Array:
        """The sum of a b per channel."""
        if self.order == "patterns":
            return self.total(np.multiply(a, b, out=scratch("products", a.shape, a.dtype)))
        sums: Array = np.vecdot(a, b)
        return sums if self.order == "channels" else sums.sum(0)


def by_channel(
    x: Array, w: Array, b: Array, eps: float
) -> tuple[Array, tuple[Array, Array, Array]]:
    """Batch norm: y, and (mean, variance, 1 / s) per channel."""
    form = Channels(x)
    rows, n = form.rows(x), max(form.count, 1)
    y = np.empty_like(rows)
    mean, variance, inverse = (np.empty(x.shape[1], x.dtype) for _ in range(3))

    def normalize(some: slice) -> None:
        part, out = rows[some], y[some]
        mean[some] = form.total(part) / n
        np.subtract(part, form.spread(mean[some]), out=out)
        variance[some] = form.total_of_products(out, out) / n
        inverse[some] = 1 / np.sqrt(variance[some] + x.dtype.type(eps))
        out *= form.spread(w[some] * inverse[some])
        out += form.spread(b[some])

    share(normalize, form.blocks(rows))
    return form.like(y), (mean, variance, inverse)


def by_channel_back(
    needed: tuple[bool, ...], g: Array, x: Array, w: Array, mean: Array, inverse: Array
) -> tuple[Array | None, Array, Array]:
    """The gradients of x, w and b from y's."""
    form = Channels(x)
    g, rows, n = form.rows(g), form.rows(x), max(form.count, 1)
    dx = np.empty_like(rows)
    of_w, of_b = np.empty_like(mean), np.empty_like(mean)

    def back(some: slice) -> None:
        grad, out = g[some], dx[some]
        np.subtract(rows[some], form.spread(mean[some]), out=out)
        of_b[some] = form.total(grad)
        of_w[some] = form.total_of_products(grad, out) * inverse[some]
        if not needed[0]:
            return
        # dx = w/s (g - mean(g) - x̂ mean(g x̂)), gathered per channel: g times a number, plus ...
        scale = w[some] * inverse[some]
        out *= form.spread(-scale * inverse[some] * of_w[some] / n)
        out += form.spread(-scale * of_b[some] / n)
        term = scratch("products", grad.shape, grad.dtype)
        out += np.multiply(grad, form.spread(scale), out=term)

    share(back, form.blocks(rows))
    return (form.like(dx) if needed[0] else None), of_w, of_b


def affine(x: Array, scale: Array, shift: Array) -> Array:
    """x times one number per channel, plus another."""
    form = Channels(x)
    rows = form.rows(x)
    y = np.empty_like(rows)

    def draw(some: slice) -> None:
        np.multiply(rows[some], form.spread(scale[some]), out=y[some])
        y[some] += form.spread(shift[some])

    share(draw, form.blocks(rows))
    return form.like(y)


def affine_back(
    needed: tuple[bool, ...], g: Array, x: Array, scale: Array
) -> tuple[Array | None, Array | None, Array | None]:
    form = Channels(x)
    rows = form.rows(g)
    return (
        form.like(np.multiply(rows, form.spread(scale))) if needed[0] else None,
        form.total_of_products(rows, form.rows(x)) if needed[1] else None,
        form.total(rows) if needed[2] else None,
    )


def by_row(x: Array, eps: float, centred: bool = True) -> tuple[Array, Array]:
    """x̂ and 1 / s of every row of a matrix; unless ``centred``, its mean is taken to be 0."""
    n = max(x.shape[1], 1)
    normal = x
    if centred:
        mean = x.dot(ones(x.shape[1], x.dtype))[:, None]
        mean /= n
        normal = np.subtract(x, mean)
    inverse = np.vecdot(normal, normal)[:, None]
    inverse /= n
    inverse += x.dtype.type(eps)
    np.sqrt(inverse, out=inverse)
    np.divide(1, inverse, out=inverse)
    return np.multiply(normal, inverse, out=normal if centred else None), inverse


def by_row_back(g: Array, normal: Array, inverse: Array, centred: bool = True) -> Array:
    """dx from the gradient ``g`` of x̂, which is overwritten."""
    n = max(g.shape[1], 1)
    along = np.vecdot(g, normal)[:, None]
    along /= n
    total = g.dot(ones(g.shape[1], g.dtype))[:, None] if centred else None
    g -= np.multiply(normal, along, out=scratch("products", g.shape, g.dtype))
    if total is not None:
        total /= n
        g -= total
    g *= inverse
    return g


def scale_back(g: Array, normal: Array) -> Array:
    """The gradient of each column's scale."""
    products = np.multiply(g, normal, out=scratch("products", g.shape, normal.dtype))
    of_scale: Array = ones(len(g), normal.dtype).dot(products)
    return of_scale
