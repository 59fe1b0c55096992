"""Adam's step alone, on 100 parameters of 16 x 16."""

from __future__ import annotations

from typing import Any

from ..case import Case, Step
from . import normal, twins


def build(lib: Any) -> Step:
    params = []
    for i in range(100):
        p = lib.tensor(normal(16, 16, seed=i), requires_grad=True)
        p.grad = lib.tensor(normal(16, 16, seed=i + 100))
        params.append(p)
    return lib.optim.Adam(params, lr=1e-3).step  # type: ignore[no-any-return]


CASES = (
    Case("stepping", "optimizer step, 100 small parameters, Adam", twins(build), {"torch": 0.3},
         rounds=20),
)  # fmt: skip
