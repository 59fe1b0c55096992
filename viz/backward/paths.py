"""The paths from a result down to one of its operands: counted, summed, and listed largest first.

A gradient is a sum over paths, each the product of the slopes along it. There may be more paths
than atoms: counting and summing go node by node (what leads to a node, leads on in as many ways),
and listing goes best-first under an exact bound, so that the k largest cost k walks down.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from math import isnan, log2
from typing import Any

from ...engine import Value, history

_UNIT = 1 << 40  # of the whole numbers that stand for logarithms: sums of these are exact
_ZERO = -(1 << 64)  # a factor 0: below any product without one
_ENDLESS = 1 << 64  # an infinite factor, and above it NaN: nobody should miss these


@dataclass(frozen=True, eq=False)
class Path:
    """One way down: ``places`` from the result to the operand, and the slope of each step.

    ``ports`` says which operand each step takes: ``x * x`` has two paths to ``x``.
    """

    places: tuple[Value, ...]
    ports: tuple[int, ...]
    slopes: tuple[float, ...]
    product: float


@dataclass(frozen=True, slots=True)
class Totals:
    """Over all paths: how many, how many without a factor 0, their sum, and that of their sizes."""

    count: int
    nonzero: int
    gradient: float
    mass: float


class Descent:
    """All paths from ``root`` to ``target``, none of them walked yet."""

    def __init__(self, root: Value, target: Value) -> None:
        self.root, self.target = root, target
        self.totals: dict[Value, Totals] = {target: Totals(1, 1, 1.0, 1.0)}
        self._bound: dict[Value, int] = {target: 0}
        for node in history(root):
            if node not in self.totals and any(child in self.totals for child in node.inputs):
                self._meet(node)

    def _meet(self, node: Value) -> None:
        count = nonzero = 0
        gradient = mass = 0.0
        bounds = []
        for _, child, slope in self.steps(node):
            below = self.totals[child]
            count += below.count
            nonzero += below.nonzero if slope else 0
            gradient += slope * below.gradient
            mass += abs(slope) * below.mass
            bounds.append(_weight(slope) + self._bound[child])
        self.totals[node] = Totals(count, nonzero, gradient, mass)
        self._bound[node] = max(bounds)

    def steps(self, node: Value) -> Iterator[tuple[int, Value, float]]:
        """(port, operand, slope) of those operands that lead to the target."""
        pairs = zip(node.inputs, node.partials, strict=True)
        for port, (child, slope) in enumerate(pairs):
            if child in self.totals:
                yield port, child, slope

    @property
    def total(self) -> Totals:
        return self.totals.get(self.root, Totals(0, 0, 0.0, 0.0))

    def largest_first(self) -> Iterator[Path]:
        """Every path, those of the largest product (in size) first; those with a factor 0 last.

        Equal products (to about one part in 10^12 a step) come in an order of their own.
        """
        if self.root not in self.totals:
            return
        # Entries: how far below the best this must stay, age (the youngest first: a walk that is
        # as good as any goes on to its end), what it came to, where it is, how it got there.
        heap: list[tuple[int, int, int, Value, Any]] = [
            (-self._bound[self.root], 0, 0, self.root, None)
        ]
        age = 0
        while heap:
            _, _, so_far, node, link = heapq.heappop(heap)
            if node is self.target:
                yield self._path(link)
                continue
            for port, child, slope in self.steps(node):
                age -= 1
                came = so_far + _weight(slope)
                bound = came + self._bound[child]
                heapq.heappush(heap, (-bound, age, came, child, (link, node, port, slope)))

    def _path(self, link: Any) -> Path:
        places, ports, slopes = [self.target], [], []
        while link is not None:
            link, node, port, slope = link
            places.append(node)
            ports.append(port)
            slopes.append(slope)
        product = 1.0
        for slope in reversed(slopes):
            product *= slope
        return Path(tuple(places[::-1]), tuple(ports[::-1]), tuple(slopes[::-1]), product)


def _weight(slope: float) -> int:
    """The logarithm of a factor's size as a whole number, so that sums do not depend on order."""
    size = abs(slope)
    if size == 0.0:
        return _ZERO
    if isnan(size):
        return 2 * _ENDLESS
    return round(log2(size) * _UNIT) if size < float("inf") else _ENDLESS
