"""Backward through n nodes: time a node, and bytes a node, as n grows a thousandfold."""

from __future__ import annotations

import gc
from time import perf_counter
from typing import Any

from ..case import Case, Step
from ..worker import STATUS, resident

SIZES = (1_000, 10_000, 100_000, 1_000_000)
LINEAR = 2.0  # a node may cost twice as much once the graph fits no cache any more


def values(n: int) -> Any:
    from gradling import Value

    x = Value(1.0)
    y = x
    for _ in range(n // 2):
        y = y * 1.0 + x
    return y


def tensors(n: int) -> Any:
    import gradling

    x = gradling.tensor([1.0, 1.0], requires_grad=True)
    y = x
    for _ in range(n // 2):
        y = y * 1.0 + x
    return y.sum()


def growing(chain: Any, n: int) -> Step:
    """Seconds a node of backward, and bytes a node of the graph."""

    def step() -> tuple[float, dict[str, float]]:
        chain(1_000).backward()
        gc.collect()
        before = resident("VmRSS") if STATUS.exists() else 0
        root = chain(n)
        after = resident("VmRSS") if STATUS.exists() else 0
        start = perf_counter()
        root.backward()
        seconds = (perf_counter() - start) / n
        # small graphs fit into memory that the process had already
        return seconds, {"bytes a node": (after - before) / n} if n >= 100_000 else {}

    return step


def case(name: str, chain: Any) -> Case:
    entrants = {f"n = {n:,}": lambda n=n: growing(chain, n) for n in SIZES}
    *smaller, largest = entrants
    return Case(
        f"growth-{name}", f"backward through 1,000,000 {name}s, time a node", entrants,
        dict.fromkeys(smaller, LINEAR), rounds=3, block=0.0, us=largest,
    )  # fmt: skip


CASES = (case("Value", values), case("Tensor", tensors))
