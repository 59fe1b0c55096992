"""Recurrent sweeps: all steps of one layer in one direction, forward and back.

What does not depend on the step before (the products with the input, all weight gradients) is one
large matrix product for the whole sequence; only the product with the hidden state and the gates
remain in the loop over time. Everything that backward can know without the gradient, it prepares
for all steps at once.

Sequences are (T, N, features); with ``back`` they are read from the end, each output at its place.
The gates are (T, gates, N, H): each one lies together in memory, where an operation takes a third
of the time that it takes on columns of (T, N, gates * H). The gradients of what is inside the gates
are such columns again: the products of backward want them so.

In the loops NumPy's functions go by their bare names, and take where to write as last argument:
that is a fifth of the time of a call on 32 x 64 entries (0.42 us, not 0.55). A factor is an array
of no axes: to convert a number takes 0.35 us at each step.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy import add, matmul, maximum, multiply, subtract, tanh

from ...tensor.node import Array
from .scratch import ones


def steps(count: int, back: bool) -> range:
    """The places of a sequence in the order they are read."""
    return range(count - 1, -1, -1) if back else range(count)


def read(back: bool, *sequences: Array) -> Iterator[tuple[Any, ...]]:
    """The steps of several sequences side by side, in the order they are read."""
    return zip(*[s[::-1] if back else s for s in sequences], strict=True)


def by_gate(rows: Array, gates: int) -> Array:
    """(T, N, gates * H) seen as (T, gates, N, H)."""
    count, batch, width = rows.shape
    return rows.reshape(count, batch, gates, width // gates).swapaxes(1, 2)


def with_ones(x: Array, room: int = 0) -> Array:
    """``x`` and a column of ones, for biases, after ``room`` columns for something else."""
    count, batch, features = x.shape
    rows = np.empty((count, batch, room + features + 1), x.dtype)
    rows[:, :, room:-1], rows[:, :, -1] = x, 1
    return rows


def factors(
    w_ih: Array, w_hh: Array, b: Array, order: tuple[int, ...], sigmoids: int
) -> tuple[Array, Array]:
    """What the input, with its ones, and the state are multiplied with: (gates, features, H).

    The gates stand in ``order``, sigmoids first. These get half the weights: as σ(z) is
    (1 + tanh(z / 2)) / 2, one tanh then serves all gates.
    """
    size = w_hh.shape[1]
    rows = np.concatenate((w_hh, w_ih, b[:, None]), 1)
    gates = rows.reshape(len(order), size, -1).swapaxes(1, 2)
    inside = np.empty(gates.shape, rows.dtype)
    for place, gate in enumerate(order):
        inside[place] = gates[gate]
    inside[:sigmoids] *= 0.5
    return inside[:, size:], inside[:, :size]


def projected(x: Array, weights: Array) -> Array:
    """The input's share of the gates: (T, gates, N, H), gate by gate in memory."""
    rows = with_ones(x)
    y = rows.reshape(-1, rows.shape[2]) @ weights
    return y.reshape(len(weights), *x.shape[:2], weights.shape[2]).swapaxes(0, 1)


def earlier(h: Array, y: Array, back: bool, out: Array) -> None:
    """The state before each step, from the first one and the outputs."""
    if back:
        out[-1], out[:-1] = h, y[1:]
    else:
        out[0], out[1:] = h, y[:-1]


def closing(
    needed: tuple[bool, ...], d: Array, d_hidden: Array, x: Array, h: Array, y: Array,
    w_ih: Array, back: bool,
) -> tuple[Array | None, ...]:  # fmt: skip
    """Gradients of x, w_ih, w_hh, b_ih, b_hh from those of the gates, (T, N, gates * H).

    ``d`` is for what came from the input, ``d_hidden`` for what came from the hidden state.
    """
    size, rows, hidden = h.shape[1], d.reshape(-1, d.shape[2]), d_hidden.reshape(-1, d.shape[2])
    of_x = (rows @ w_ih).reshape(x.shape) if needed[0] else None
    if not any(needed[1:]):
        return of_x, None, None, None, None
    # the state, the input and ones side by side: one product for what else takes four
    sides = with_ones(x, size)
    earlier(h, y, back, sides[:, :, :size])
    sides = sides.reshape(len(rows), sides.shape[2])
    if d is d_hidden:
        parts = rows.T @ sides
        found = parts[:, size:-1], parts[:, :size], parts[:, -1], parts[:, -1]
    else:
        parts, of_b = rows.T @ sides[:, size:], ones(len(rows), rows.dtype).dot(hidden)
        found = parts[:, :-1], hidden.T @ sides[:, :size], parts[:, -1], of_b
    return of_x, *[part if want else None for part, want in zip(found, needed[1:], strict=True)]


# Plain: h = f(x wᵀ + h wᵀ + b) ------------------------------------------------------------------


def rnn(
    x: Array, h: Array, w_ih: Array, w_hh: Array, b_ih: Array, b_hh: Array, kind: str, back: bool
) -> Array:
    """(T, N, H)."""
    of_input, of_state = factors(w_ih, w_hh, b_ih + b_hh, (0,), 0)
    y: Array = projected(x, of_input)[:, 0]
    product, weights = np.empty(h.shape, x.dtype), of_state[0]
    for (step,) in read(back, y):
        h.dot(weights, product)
        step += product
        if kind == "tanh":
            tanh(step, step)
        else:
            maximum(step, 0, out=step)
        h = step
    return y


def rnn_back(g: Array, y: Array, w_hh: Array, kind: str, back: bool) -> tuple[Array, Array]:
    """Gradients of every step's sum (T, N, H), and of the first state."""
    d = 1 - y * y if kind == "tanh" else (y > 0).astype(y.dtype)
    from_later, total = np.zeros(y.shape[1:], y.dtype), np.empty_like(y[0])
    for of_step, of_y in read(not back, d, g):
        add(of_y, from_later, total)
        of_step *= total
        of_step.dot(w_hh, from_later)
    return d, from_later


# LSTM: gates i, f, g, o; c = f c + i g; h = o tanh(c) ---------------------------------------------
# Inside, the gates stand in the order o, i, f, g: the three sigmoids lie together, and so do the
# three that the cell's gradient reaches.


def lstm(
    x: Array, h: Array, c: Array, w_ih: Array, w_hh: Array, b_ih: Array, b_hh: Array, back: bool
) -> tuple[Array, tuple[Array, Array, Array]]:
    """(T + 1, N, H): the outputs, then the last cell. And what backward needs: the gates, what each
    step kept of its cell, f c, and tanh of the new cell."""
    of_input, of_state = factors(w_ih, w_hh, b_ih + b_hh, (3, 0, 1, 2), 3)
    from_x = projected(x, of_input)
    y = np.empty((len(x) + 1, *h.shape), x.dtype)
    gates = np.empty((len(x), 4, *h.shape), x.dtype)
    kept, squashed = np.empty((2, len(x), *h.shape), x.dtype)
    (cell, new), half = np.empty((2, *h.shape), x.dtype), np.array(0.5, x.dtype)
    for gate, from_input, old, cell_tanh, now in read(back, gates, from_x, kept, squashed, y[:-1]):
        matmul(h, of_state, gate)
        gate += from_input
        tanh(gate, gate)
        sigmoids = gate[:3]
        sigmoids *= half
        sigmoids += half
        multiply(gate[2], c, old)
        multiply(gate[1], gate[3], new)
        c = add(old, new, cell)
        tanh(c, cell_tanh)
        h = multiply(gate[0], cell_tanh, now)
    y[-1] = c
    return y, (gates, kept, squashed)


def lstm_back(
    g: Array, y: Array, w_hh: Array, gates: Array, kept: Array, squashed: Array, back: bool
) -> tuple[Array, Array, Array]:
    """Gradients of every step's sums (T, N, 4 H) and of the first h and c."""
    o, i, f, update = gates.swapaxes(0, 1)
    # slopes of the gates, times what each multiplies: o tanh c is the output, f c was kept
    slopes = np.empty_like(gates)
    subtract(1, gates[:, :3], slopes[:, :3])  # σ' = σ (1 - σ)
    of_o, of_i, of_f, of_update = slopes.swapaxes(0, 1)
    of_o *= y
    of_f *= kept
    multiply(i, update, of_update)
    of_i *= of_update
    of_update *= update
    subtract(i, of_update, of_update)  # i tanh' = i (1 - tanh²)
    to_cell = y * squashed
    subtract(o, to_cell, to_cell)  # o tanh' again
    d = np.empty((*y.shape[:2], 4 * y.shape[2]), y.dtype)
    of_c = g[-1].copy()
    from_later, of_h = np.zeros_like(of_c), np.empty_like(of_c)
    each = read(not back, slopes, to_cell, f, d, by_gate(d, 4), g[:-1])
    for slope, part, forget, step, by, of_y in each:
        add(of_y, from_later, of_h)
        part *= of_h
        of_c += part
        multiply(slope[0], of_h, by[3])
        multiply(slope[1:], of_c, by[:3])
        step.dot(w_hh, from_later)
        of_c *= forget
    return d, from_later, of_c


# GRU: gates r, z; n = tanh(x + r h); h = n + z (h - n) --------------------------------------------


def gru(
    x: Array, h: Array, w_ih: Array, w_hh: Array, b_ih: Array, b_hh: Array, back: bool
) -> tuple[Array, tuple[Array, Array]]:
    """(T, N, H); and what backward needs: gates r, z, n, and what r is multiplied with."""
    size = h.shape[1]
    bias = b_ih.copy()
    bias[: 2 * size] += b_hh[: 2 * size]
    of_input, of_state = factors(w_ih, w_hh, bias, (0, 1, 2), 2)
    from_x = projected(x, of_input)
    gates = np.empty((len(x), 3, *h.shape), x.dtype)
    y, heard = np.empty((2, len(x), *h.shape), x.dtype)
    product, part, half = np.empty_like(gates[0]), np.empty_like(y[0]), np.array(0.5, x.dtype)
    bias = np.broadcast_to(b_hh[2 * size :], h.shape).copy()
    for gate, from_input, inner, now in read(back, gates, from_x, heard, y):
        matmul(h, of_state, product)
        sigmoids, new = gate[:2], gate[2]
        add(from_input[:2], product[:2], sigmoids)
        tanh(sigmoids, sigmoids)
        sigmoids *= half
        sigmoids += half
        add(product[2], bias, inner)
        multiply(gate[0], inner, part)
        add(from_input[2], part, new)
        tanh(new, new)
        subtract(h, new, now)
        now *= gate[1]
        now += new
        h = now
    return y, (gates, heard)


def gru_back(
    g: Array, h: Array, y: Array, w_hh: Array, gates: Array, heard: Array, back: bool
) -> tuple[Array, Array, Array]:
    """Gradients of what came from the input, of what came from the hidden state, (T, N, 3 H), and
    of h. The second ones' columns are those of n, r, z: see where they are made."""
    count, batch, size = y.shape
    r, z, new = gates.swapaxes(0, 1)
    slopes, before = np.empty_like(gates), np.empty_like(y)
    subtract(1, gates[:, :2], slopes[:, :2])
    of_r, of_z, of_new = slopes.swapaxes(0, 1)
    multiply(new, new, of_new)
    subtract(1, of_new, of_new)
    of_new *= of_z
    of_r *= r
    of_r *= heard
    of_r *= of_new
    earlier(h, y, back, before)
    before -= new
    of_z *= z
    of_z *= before
    # columns n, r, z of what came from the hidden state, then n of what came from the input: the
    # first three are the one, the last three the other
    both = np.empty((count, batch, 4 * size), g.dtype)
    d, d_hidden, outside = both[:, :, size:], both[:, :, : 3 * size], by_gate(both, 4)
    weights = rotated(w_hh, 2 * size)
    from_later, of_h = np.zeros((batch, size), y.dtype), np.empty_like(y[0])
    for slope, reset, keep, step, by, of_y in read(not back, slopes, r, z, d_hidden, outside, g):
        add(of_y, from_later, of_h)
        multiply(slope, of_h, by[1:])
        multiply(by[3], reset, by[0])
        step.dot(weights, from_later)
        of_h *= keep
        from_later += of_h
    return d, d_hidden, from_later


def rotated(w: Array, rows: int) -> Array:
    """The rows of ``w`` from one on, then those before it."""
    return np.concatenate((w[rows:], w[:rows]))
