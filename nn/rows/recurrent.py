"""Whole sweeps over a sequence as single nodes.

Step by step, an LSTM of 28 steps is about 500 nodes: measured (32 -> 64, batch 32, float32, forward
and backward), 22 ms against 2 ms as one node. The steps, as compositions, serve second derivatives.

A graph's node has one result, so the LSTM's outputs and its last cell state come in one array,
(T + 1, N, H), of which both are slices.
"""

from __future__ import annotations

from typing import Any

from ...engine.op import REAL, Op
from ...tensor import Tensor
from ...tensor.joining import stack
from ...tensor.node import Array
from ...tensor.rows.structural import structural
from ..kernels import recurrent as kernels

Parts = tuple[Any, ...]


def _gates(x: Tensor, h: Tensor, *weights: Tensor) -> tuple[Tensor, Tensor]:
    w_ih, w_hh, b_ih, b_hh = weights
    return x @ w_ih.mT + b_ih, h @ w_hh.mT + b_hh


def _cut(x: Tensor, count: int) -> list[Tensor]:
    size = x.shape[-1] // count
    return [x[:, k * size : (k + 1) * size] for k in range(count)]


def _rnn_parts(
    needed: tuple[bool, ...], g: Any, y: Any, x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any,
    b_hh: Any, kind: str, back: bool,
) -> Parts:  # fmt: skip
    d, of_h = kernels.rnn_back(g, y, w_hh, kind, back)
    wanted = (needed[0], *needed[2:])
    of_x, *others = kernels.closing(wanted, d, d, x, h, y, w_ih, back)
    return (of_x, of_h, *others)


def _rnn_composed(
    x: Tensor, h: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor, kind: str,
    back: bool,
) -> Tensor:  # fmt: skip
    places = kernels.steps(len(x), back)
    outputs = []
    for t in places:
        from_x, from_h = _gates(x[t], h, w_ih, w_hh, b_ih, b_hh)
        h = (from_x + from_h).tanh() if kind == "tanh" else (from_x + from_h).relu()
        outputs.append(h)
    return stack(outputs[::-1] if back else outputs)


rnn_sweep: Op = structural(
    "rnn_sweep", "x h w_ih w_hh b_ih b_hh", kernels.rnn, params={"kind": "tanh", "back": False},
    vjp=(None,) * 6, domain=(REAL,) * 6, joint=_rnn_parts, composition=_rnn_composed,
    why="h_t = f(x_t Wᵀ + h_{t-1} Uᵀ + b): h_t's gradient is its own plus what h_{t+1} sends back "
    "through U; one pass from the last step to the first adds them up.",
)  # fmt: skip


def _lstm_parts(
    needed: tuple[bool, ...], g: Any, y: Any, x: Any, h: Any, c: Any, w_ih: Any, w_hh: Any,
    b_ih: Any, b_hh: Any, back: bool, kept: tuple[Array, Array, Array],
) -> Parts:  # fmt: skip
    y = y[:-1]
    d, of_h, of_c = kernels.lstm_back(g, y, w_hh, *kept, back)
    wanted = (needed[0], *needed[3:])
    of_x, *others = kernels.closing(wanted, d, d, x, h, y, w_ih, back)
    return (of_x, of_h, of_c, *others)


def _lstm_composed(
    x: Tensor, h: Tensor, c: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor,
    back: bool,
) -> Tensor:  # fmt: skip
    outputs = []
    for t in kernels.steps(len(x), back):
        from_x, from_h = _gates(x[t], h, w_ih, w_hh, b_ih, b_hh)
        i, f, update, o = _cut(from_x + from_h, 4)
        c = f.sigmoid() * c + i.sigmoid() * update.tanh()
        h = o.sigmoid() * c.tanh()
        outputs.append(h)
    return stack([*(outputs[::-1] if back else outputs), c])


lstm_sweep: Op = structural(
    "lstm_sweep", "x h c w_ih w_hh b_ih b_hh", kernels.lstm, params={"back": False},
    vjp=(None,) * 7, domain=(REAL,) * 7, joint=_lstm_parts, composition=_lstm_composed,
    why="c_t = f c_{t-1} + i g carries a gradient back through products with f alone, which is why "
    "it lasts; the gates get theirs from what they multiply.",
)  # fmt: skip


def _gru_parts(
    needed: tuple[bool, ...], g: Any, y: Any, x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any,
    b_hh: Any, back: bool, kept: tuple[Array, Array],
) -> Parts:  # fmt: skip
    d, d_hidden, of_h = kernels.gru_back(g, h, y, w_hh, *kept, back)
    wanted = (needed[0], *needed[2:])
    of_x, of_w_ih, of_w_hh, of_b_ih, of_b_hh = kernels.closing(
        wanted, d, d_hidden, x, h, y, w_ih, back
    )
    in_order = [None if p is None else kernels.rotated(p, h.shape[1]) for p in (of_w_hh, of_b_hh)]
    return of_x, of_h, of_w_ih, in_order[0], of_b_ih, in_order[1]


def _gru_composed(
    x: Tensor, h: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor, back: bool
) -> Tensor:
    outputs = []
    for t in kernels.steps(len(x), back):
        from_x, from_h = _gates(x[t], h, w_ih, w_hh, b_ih, b_hh)
        (r, z, new), (hr, hz, heard) = _cut(from_x, 3), _cut(from_h, 3)
        r, z = (r + hr).sigmoid(), (z + hz).sigmoid()
        new = (new + r * heard).tanh()
        h = new + z * (h - new)
        outputs.append(h)
    return stack(outputs[::-1] if back else outputs)


gru_sweep: Op = structural(
    "gru_sweep", "x h w_ih w_hh b_ih b_hh", kernels.gru, params={"back": False},
    vjp=(None,) * 6, domain=(REAL,) * 6, joint=_gru_parts, composition=_gru_composed,
    why="h_t = n + z (h_{t-1} - n): the share z of a gradient goes straight back to h_{t-1}, the "
    "rest through n and the gates.",
)  # fmt: skip
