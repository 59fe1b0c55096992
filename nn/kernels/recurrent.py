"""Recurrent sweeps: all steps of one layer in one direction, forward and back.

What does not depend on the step before (the products with the input, all weight gradients) is one
large matrix product for the whole sequence; only the product with the hidden state and the gates
remain in the loop over time. Everything that backward can know without the gradient, it prepares
for all steps at once.

Sequences are (T, N, features); with ``back`` they are read from the end, each output at its place.
The gates are (T, gates, N, H): each one lies together in memory, where an operation takes a third
of the time that it takes on columns of (T, N, gates * H). The gradients of what is inside the gates
are such columns again: the products of backward want them so.
"""

from __future__ import annotations

import numpy as np

from ...tensor.node import Array


def steps(count: int, back: bool) -> range:
    """The places of a sequence in the order they are read."""
    return range(count - 1, -1, -1) if back else range(count)


def projected(x: Array, w: Array, b: Array, gates: int) -> Array:
    """x wᵀ + b for every gate and step: (gates, T, N, H)."""
    count, batch, features = x.shape
    # a column of ones takes the bias through the product: a pass over the result less
    rows = np.empty((count, batch, features + 1), x.dtype)
    rows[:, :, :features], rows[:, :, features] = x, 1
    y = rows.reshape(-1, features + 1) @ turned(np.concatenate((w, b[:, None]), 1), gates)
    return y.reshape(gates, count, batch, len(w) // gates)


def by_gate(rows: Array, gates: int) -> Array:
    """(T, N, gates * H) seen as (T, gates, N, H)."""
    count, batch, width = rows.shape
    return rows.reshape(count, batch, gates, width // gates).swapaxes(1, 2)


def turned(w: Array, gates: int) -> Array:
    """Each gate's weights as a state is multiplied by them: (gates, features, H)."""
    return np.ascontiguousarray(w.reshape(gates, len(w) // gates, -1).swapaxes(1, 2))


def rotated(w: Array, rows: int) -> Array:
    """The rows of ``w`` from one on, then those before it."""
    return np.concatenate((w[rows:], w[:rows]))


def halves(gates: int, sigmoids: int, like: Array) -> Array:
    """Factors for the rows of weights: σ(z) = (1 + tanh(z / 2)) / 2, so that with half the weights
    of the first gates one tanh serves all."""
    factors = np.ones((gates, len(like) // gates), like.dtype)
    factors[:sigmoids] = 0.5
    return factors.reshape(-1, 1)


def earlier(h: Array, y: Array, back: bool) -> Array:
    """The state before each step, from the first one and the outputs."""
    before = np.empty((len(y), *h.shape), h.dtype)
    if back:
        before[-1], before[:-1] = h, y[1:]
    else:
        before[0], before[1:] = h, y[:-1]
    return before


def closing(
    needed: tuple[bool, ...], d: Array, d_hidden: Array, x: Array, before: Array,
    w_ih: Array,
) -> tuple[Array | None, ...]:  # fmt: skip
    """Gradients of x, w_ih, w_hh, b_ih, b_hh from those of the gates, (T, N, gates * H).

    ``d`` is for what came from the input, ``d_hidden`` for what came from the hidden state.
    """
    rows, hidden = d.reshape(-1, d.shape[2]), d_hidden.reshape(-1, d.shape[2])
    # a product with ones adds rows up several times as fast as a sum over the first axis
    ones = np.ones(len(rows), rows.dtype)
    return (
        (rows @ w_ih).reshape(x.shape) if needed[0] else None,
        rows.T @ x.reshape(len(rows), x.shape[2]) if needed[1] else None,
        hidden.T @ before.reshape(len(rows), before.shape[2]) if needed[2] else None,
        ones.dot(rows) if needed[3] else None,
        ones.dot(hidden) if needed[4] else None,
    )


# Plain: h = f(x wᵀ + h wᵀ + b) ------------------------------------------------------------------


def rnn(
    x: Array, h: Array, w_ih: Array, w_hh: Array, b_ih: Array, b_hh: Array, kind: str, back: bool
) -> Array:
    """(T, N, H)."""
    y: Array = projected(x, w_ih, b_ih + b_hh, 1)[0]
    product, weights = np.empty_like(h), turned(w_hh, 1)[0]
    for t in steps(len(x), back):
        step = y[t]
        np.matmul(h, weights, out=product)
        step += product
        if kind == "tanh":
            np.tanh(step, out=step)
        else:
            np.maximum(step, 0, out=step)
        h = step
    return y


def rnn_back(g: Array, y: Array, w_hh: Array, kind: str, back: bool) -> tuple[Array, Array]:
    """Gradients of every step's sum (T, N, H), and of the first state."""
    d = 1 - y * y if kind == "tanh" else (y > 0).astype(y.dtype)
    from_later, total = np.zeros_like(g[0]), np.empty_like(g[0])
    for t in steps(len(g), not back):
        np.add(g[t], from_later, out=total)
        d[t] *= total
        np.matmul(d[t], w_hh, out=from_later)
    return d, from_later


# LSTM: gates i, f, g, o; c = f c + i g; h = o tanh(c) ---------------------------------------------
# Inside, the gates stand in the order o, i, f, g: the three sigmoids lie together, and so do the
# three that the cell's gradient reaches.


def lstm(
    x: Array, h: Array, c: Array, w_ih: Array, w_hh: Array, b_ih: Array, b_hh: Array, back: bool
) -> tuple[Array, tuple[Array, Array]]:
    """(T + 1, N, H): the outputs, then the last cell; and what backward needs: gates and cells."""
    count, size = len(x), h.shape[1]

    half, first = halves(4, 3, w_hh), 3 * size
    bias = rotated(b_ih + b_hh, first) * half[:, 0]
    from_x = projected(x, rotated(w_ih, first) * half, bias, 4)
    weights = turned(rotated(w_hh, first) * half, 4)
    gates = np.empty((count, 4, *h.shape), x.dtype)
    y = np.empty((count + 1, *h.shape), x.dtype)
    cells = np.empty((count, *h.shape), x.dtype)
    product, part = np.empty((4, *h.shape), x.dtype), np.empty_like(h)
    for t in steps(count, back):
        gate, now = gates[t], cells[t]
        np.matmul(h, weights, out=product)
        np.add(from_x[:, t], product, out=gate)
        np.tanh(gate, out=gate)
        sigmoids = gate[:3]
        sigmoids *= 0.5
        sigmoids += 0.5
        np.multiply(gate[2], c, out=now)
        np.multiply(gate[1], gate[3], out=part)
        now += part
        c, h = now, y[t]
        np.tanh(c, out=h)
        h *= gate[0]
    y[count] = c
    return y, (gates, cells)


def lstm_back(
    g: Array, c: Array, y: Array, w_hh: Array, gates: Array, cells: Array, back: bool
) -> tuple[Array, Array, Array]:
    """Gradients of every step's sums (T, N, 4 H) and of the first h and c."""
    o, i, f, update = gates.swapaxes(0, 1)
    # slopes of the gates, times what each multiplies: σ' = σ (1 - σ), and o tanh c is the output
    slopes = np.empty_like(gates)
    np.subtract(1, gates[:, :3], out=slopes[:, :3])
    of_o, of_i, of_f, of_update = slopes.swapaxes(0, 1)
    of_o *= y
    np.multiply(i, update, out=of_update)
    of_i *= of_update
    of_f *= f
    of_f *= earlier(c, cells, back)
    of_update *= update
    np.subtract(i, of_update, out=of_update)
    to_cell = np.tanh(cells)
    to_cell *= y
    np.subtract(o, to_cell, out=to_cell)
    d = np.empty((*y.shape[:2], 4 * y.shape[2]), y.dtype)
    d_o, d_others, of_others = by_gate(d, 4)[:, 3], by_gate(d, 4)[:, :3], slopes[:, 1:]
    of_c = g[len(y)].copy()
    from_later, of_h = np.zeros_like(of_c), np.empty_like(of_c)
    for t in steps(len(y), not back):
        part = to_cell[t]
        np.add(g[t], from_later, out=of_h)
        part *= of_h
        of_c += part
        np.multiply(of_o[t], of_h, out=d_o[t])
        np.multiply(of_others[t], of_c, out=d_others[t])
        np.matmul(d[t], w_hh, out=from_later)
        of_c *= f[t]
    return d, from_later, of_c


# GRU: gates r, z; n = tanh(x + r h); h = n + z (h - n) --------------------------------------------


def gru(
    x: Array, h: Array, w_ih: Array, w_hh: Array, b_ih: Array, b_hh: Array, back: bool
) -> tuple[Array, tuple[Array, Array]]:
    """(T, N, H); and what backward needs: gates r, z, n, and what r is multiplied with."""
    count, size = len(x), h.shape[1]
    half = halves(3, 2, w_hh)
    bias = b_ih.copy()
    bias[: 2 * size] += b_hh[: 2 * size]
    from_x = projected(x, w_ih * half, bias * half[:, 0], 3)
    gates = np.empty((count, 3, *h.shape), x.dtype)
    weights, bias = turned(w_hh * half, 3), np.broadcast_to(b_hh[2 * size :], h.shape).copy()
    y, heard = np.empty((count, *h.shape), x.dtype), np.empty((count, *h.shape), x.dtype)
    product, part = np.empty((3, *h.shape), x.dtype), np.empty_like(h)
    for t in steps(count, back):
        sigmoids, new, step = gates[t, :2], gates[t, 2], y[t]
        np.matmul(h, weights, out=product)
        np.add(from_x[:2, t], product[:2], out=sigmoids)
        np.tanh(sigmoids, out=sigmoids)
        sigmoids *= 0.5
        sigmoids += 0.5
        np.add(product[2], bias, out=heard[t])
        np.multiply(sigmoids[0], heard[t], out=part)
        np.add(from_x[2, t], part, out=new)
        np.tanh(new, out=new)
        np.subtract(h, new, out=step)
        step *= sigmoids[1]
        step += new
        h = step
    return y, (gates, heard)


def gru_back(
    g: Array, h: Array, y: Array, w_hh: Array, gates: Array, heard: Array, back: bool
) -> tuple[Array, Array, Array]:
    """Gradients of what came from the input, of what came from the hidden state, (T, N, 3 H), and
    of h. The second ones' columns are those of n, r, z: see where they are made."""
    count, batch, size = y.shape
    r, z, new = gates.swapaxes(0, 1)
    slopes = np.empty_like(gates)
    np.subtract(1, gates[:, :2], out=slopes[:, :2])
    of_r, of_z, of_new = slopes.swapaxes(0, 1)
    np.multiply(new, new, out=of_new)
    np.subtract(1, of_new, out=of_new)
    of_new *= of_z
    of_r *= r
    of_r *= heard
    of_r *= of_new
    of_z *= z
    of_z *= earlier(h, y, back) - new
    # columns n, r, z of what came from the hidden state, then n of what came from the input: the
    # first three are the one, the last three the other
    both = np.empty((count, batch, 4 * size), g.dtype)
    d, d_hidden = both[:, :, size:], both[:, :, : 3 * size]
    d_inside, d_by_gate = by_gate(both, 4)[:, 0], by_gate(both, 4)[:, 1:]
    weights = rotated(w_hh, 2 * size)
    from_later, of_h = np.zeros_like(g[0]), np.empty_like(g[0])
    for t in steps(count, not back):
        np.add(g[t], from_later, out=of_h)
        step = d_by_gate[t]
        np.multiply(slopes[t], of_h, out=step)
        np.multiply(step[2], r[t], out=d_inside[t])
        np.matmul(d_hidden[t], weights, out=from_later)
        of_h *= z[t]
        from_later += of_h
    return d, d_hidden, from_later
