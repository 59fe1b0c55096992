"""Windows reduced to one number: the largest entry, or the mean."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.op import REAL, Op
from ...tensor.node import Array
from ...tensor.rows.structural import structural
from ..kernels import windows
from ..kernels.geometry import Geometry


def _data(x: Any) -> Array:
    found: Array = getattr(x, "_data", x)
    return found


def _max_pool_rule(g: Any, y: Any, x: Any, how: Geometry) -> Any:
    if g.__class__ is Array:
        return windows.spread_to_largest(g, y, x, how)
    return window_spread(g, windows.winners(_data(x), _data(y), how), how)


# Who won is found again at backward, from x and y: no forward pays for it, and nothing is stored.
max_pool: Op = structural(
    "max_pool", "x", windows.largest, params={"how": None}, symbol="max",
    vjp=(_max_pool_rule,), domain=(REAL,),
    why="Only the largest entry of a window moves its output; among equals the first one counts.",
)  # fmt: skip
window_pick: Op = structural(
    "window_pick", "x", windows.pick, params={"won": None, "how": None},
    vjp=(lambda g, y, x, won, how: window_spread(g, won, how),), domain=(REAL,),
    why="One chosen entry of each window: it gets the gradient of every window that chose it.",
)  # fmt: skip
window_spread: Op = structural(
    "window_spread", "x", windows.spread, params={"won": None, "how": None},
    vjp=(lambda g, y, x, won, how: window_pick(g, won, how),), domain=(REAL,),
    why="Each number goes to one chosen place, so it answers for that place.",
)  # fmt: skip


def _mean(x: Array, how: Geometry, divisor: Any) -> Array:
    y = windows.total(x, how)
    np.divide(y, divisor, out=y, casting="unsafe")
    return y


def _share(x: Array, how: Geometry, divisor: Any) -> Array:
    part = np.divide(x, divisor, dtype=x.dtype, casting="unsafe")
    return windows.spread_evenly(part, how)


avg_pool: Op = structural(
    "avg_pool", "x", _mean, params={"how": None, "divisor": 1}, symbol="mean",
    vjp=(lambda g, y, x, how, divisor: avg_spread(g, how, divisor),), domain=(REAL,),
    why="Each entry of a window has the same share, 1 / divisor, in its mean.",
)  # fmt: skip
avg_spread: Op = structural(
    "avg_spread", "x", _share, params={"how": None, "divisor": 1},
    vjp=(lambda g, y, x, how, divisor: avg_pool(g, how, divisor),), domain=(REAL,),
    why="Each number is given in equal parts to a window: the adjoint of the mean.",
)  # fmt: skip
