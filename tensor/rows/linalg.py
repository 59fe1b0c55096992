"""Products of matrices and what comes with them."""

from __future__ import annotations

import numpy as np

from ...engine.op import REAL, Op
from .structural import structural

matmul: Op = structural(
    "matmul", "a b", np.matmul, symbol="@",
    vjp=(lambda g, y, a, b: matmul(g, b.mT), lambda g, y, a, b: matmul(a.mT, g)),
    domain=(REAL, REAL),
    why="Y = A B: dA = G Bᵀ and dB = Aᵀ G, the only products of these shapes. Leading axes "
    "broadcast.",
)  # fmt: skip
