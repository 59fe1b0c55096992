"""Recurrent sweeps: all steps of one layer in one direction, forward and back.

What does not depend on the step before (the products with the input, all weight gradients) is one
large matrix product for the whole sequence; only the product with the hidden state and the gates
remain in the loop over time. Everything that backward can know without the gradient, it prepares
for all steps at once.

Sequences are (T, N, features); with ``back`` they are read from the end, each output at its place.
"""

from __future__ import annotations

import numpy as np

from ...tensor.node import Array


def steps(count: int, back: bool) -> range:
    """The places of a sequence in the order they are read."""
    return range(count - 1, -1, -1) if back else range(count)


def projected(x: Array, w: Array, b: Array) -> Array:
    """x wᵀ + b for every step: (T, N, gates * H)."""
    y: Array = x.reshape(-1, x.shape[2]) @ w.T
    y += b
    return y.reshape(*x.shape[:2], len(w))


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
        rows.T @ x.reshape(-1, x.shape[2]) if needed[1] else None,
        hidden.T @ before.reshape(-1, before.shape[2]) if needed[2] else None,
        ones.dot(rows) if needed[3] else None,
        ones.dot(hidden) if needed[4] else None,
    )


# Plain: h = f(x wᵀ + h wᵀ + b) ------------------------------------------------------------------


def rnn(
    x: Array, h: Array, w_ih: Array, w_hh: Array, b_ih: Array, b_hh: Array, kind: str, back: bool
) -> Array:
    """(T, N, H)."""
    y = projected(x, w_ih, b_ih + b_hh)
    product, turned = np.empty_like(h), w_hh.T
    for t in steps(len(x), back):
        step = y[t]
        np.matmul(h, turned, out=product)
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


def _inside(w: Array, size: int) -> Array:
    return np.concatenate((w[3 * size :], w[:size], w[size : 2 * size], w[2 * size : 3 * size]))


def _outside(w: Array, size: int) -> Array:
    return np.concatenate((w[size : 2 * size], w[2 * size : 3 * size], w[3 * size :], w[:size]))


def lstm(
    x: Array, h: Array, c: Array, w_ih: Array, w_hh: Array, b_ih: Array, b_hh: Array, back: bool
) -> tuple[Array, tuple[Array, Array]]:
    """(T + 1, N, H): the outputs, then the last cell; and what backward needs: gates and cells."""
    count, size = len(x), h.shape[1]
    # σ(z) = (1 + tanh(z / 2)) / 2: with half the weights, one tanh serves all four gates
    half = np.ones((4 * size, 1), x.dtype)
    half[: 3 * size] = 0.5
    bias = (_inside(b_ih + b_hh, size)[:, None] * half)[:, 0]
    gates = projected(x, _inside(w_ih, size) * half, bias)
    turned = np.ascontiguousarray((_inside(w_hh, size) * half).T)
    y = np.empty((count + 1, *h.shape), x.dtype)
    cells = np.empty((count, *h.shape), x.dtype)
    product, part = np.empty((h.shape[0], 4 * size), x.dtype), np.empty_like(h)
    for t in steps(count, back):
        gate = gates[t]
        np.matmul(h, turned, out=product)
        gate += product
        np.tanh(gate, out=gate)
        sigmoids = gate[:, : 3 * size]
        sigmoids *= 0.5
        sigmoids += 0.5
        now = cells[t]
        np.multiply(gate[:, 2 * size : 3 * size], c, out=now)
        np.multiply(gate[:, size : 2 * size], gate[:, 3 * size :], out=part)
        now += part
        c, h = now, y[t]
        np.tanh(c, out=h)
        h *= gate[:, :size]
    y[count] = c
    return y, (gates, cells)


def lstm_back(
    g: Array, c: Array, w_hh: Array, gates: Array, cells: Array, back: bool
) -> tuple[Array, Array, Array]:
    """Gradients of every step's sums (T, N, 4 H) and of the first h and c."""
    count, batch, size = cells.shape
    o, i, f, update = (gates[..., k * size : (k + 1) * size] for k in range(4))
    squashed = np.tanh(cells)
    to_cell = o * (1 - squashed * squashed)
    d = np.empty_like(gates)
    # slopes of the gates, times what each gate multiplies
    sigmoids = gates[..., : 3 * size]
    np.subtract(1, sigmoids, out=d[..., : 3 * size])
    d[..., : 3 * size] *= sigmoids
    d[..., :size] *= squashed
    d[..., size : 2 * size] *= update
    d[..., 2 * size : 3 * size] *= earlier(c, cells, back)
    np.multiply(update, update, out=d[..., 3 * size :])
    np.subtract(1, d[..., 3 * size :], out=d[..., 3 * size :])
    d[..., 3 * size :] *= i
    weights = _inside(w_hh, size)
    of_c = g[count].astype(g.dtype)
    from_later, of_h = np.zeros_like(of_c), np.empty_like(of_c)
    for t in steps(count, not back):
        np.add(g[t], from_later, out=of_h)
        part = to_cell[t]
        part *= of_h
        of_c += part
        d[t, :, :size] *= of_h
        through_cell = d[t, :, size:].reshape(batch, 3, size)
        through_cell *= of_c[:, None]
        np.matmul(d[t], weights, out=from_later)
        of_c *= f[t]
    d = d.reshape(count, batch, 4, size)[:, :, [1, 2, 3, 0]].reshape(gates.shape)
    return d, from_later, of_c


# GRU: gates r, z; n = tanh(x + r h); h = n + z (h - n) --------------------------------------------


def gru(
    x: Array, h: Array, w_ih: Array, w_hh: Array, b_ih: Array, b_hh: Array, back: bool
) -> tuple[Array, tuple[Array, Array]]:
    """(T, N, H); and what backward needs: gates r, z, n, and what r is multiplied with."""
    count, size = len(x), h.shape[1]
    half = np.ones((3 * size, 1), x.dtype)
    half[: 2 * size] = 0.5
    gates = projected(x, w_ih * half, b_ih * half[:, 0])
    turned, bias = np.ascontiguousarray((w_hh * half).T), b_hh * half[:, 0]
    y, heard = np.empty((count, *h.shape), x.dtype), np.empty((count, *h.shape), x.dtype)
    product, part = np.empty((h.shape[0], 3 * size), x.dtype), np.empty_like(h)
    for t in steps(count, back):
        np.matmul(h, turned, out=product)
        product += bias
        sigmoids, new = gates[t, :, : 2 * size], gates[t, :, 2 * size :]
        sigmoids += product[:, : 2 * size]
        np.tanh(sigmoids, out=sigmoids)
        sigmoids *= 0.5
        sigmoids += 0.5
        heard[t] = product[:, 2 * size :]
        np.multiply(sigmoids[:, :size], heard[t], out=part)
        new += part
        np.tanh(new, out=new)
        step = y[t]
        np.subtract(h, new, out=step)
        step *= sigmoids[:, size:]
        step += new
        h = step
    return y, (gates, heard)


def gru_back(
    g: Array, h: Array, y: Array, w_hh: Array, gates: Array, heard: Array, back: bool
) -> tuple[Array, Array, Array]:
    """Gradients of what came from the input and from the hidden state (T, N, 3 H), and of h."""
    count, batch, size = y.shape
    r, z, new = (gates[..., k * size : (k + 1) * size] for k in range(3))
    sigmoids = gates[..., : 2 * size]
    d, d_hidden = np.empty_like(gates), np.empty_like(gates)
    np.subtract(1, sigmoids, out=d[..., : 2 * size])
    d[..., : 2 * size] *= sigmoids
    d[..., :size] *= heard
    d[..., size : 2 * size] *= earlier(h, y, back) - new
    np.multiply(new, new, out=d[..., 2 * size :])
    np.subtract(1, d[..., 2 * size :], out=d[..., 2 * size :])
    d[..., 2 * size :] *= 1 - z
    from_later, of_h = np.zeros_like(g[0]), np.empty_like(g[0])
    for t in steps(count, not back):
        np.add(g[t], from_later, out=of_h)
        both = d[t, :, size:].reshape(batch, 2, size)
        both *= of_h[:, None]
        d[t, :, :size] *= d[t, :, 2 * size :]
        d_hidden[t] = d[t]
        d_hidden[t, :, 2 * size :] *= r[t]
        np.matmul(d_hidden[t], w_hh, out=from_later)
        of_h *= z[t]
        from_later += of_h
    return d, d_hidden, from_later
