"""The array operations that a program is made of, forward and backward.

Each computes many nodes of one level at once. Operands are read from a bank, results written to
their places in it; backward adds to the places of the operands in a bank of gradients.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine import Op
from .places import Bank, Places

Operand = Places | float


def fitted(x: Operand, bank: Bank, batched: bool) -> Any:
    """An operand so that it broadcasts against results that are batched, or are not."""
    if not isinstance(x, Places):
        return x
    found = x.read(bank)
    return found[..., None] if batched and not x.batched else found


def _back(x: Places, part: Any, shape: tuple[int, ...], grads: Bank, batched: bool) -> None:
    """Add a gradient shaped like the result to an operand: shared ones answer for all samples."""
    if np.shape(part) != shape:
        part = np.broadcast_to(part, shape)
    x.add(grads, part.sum(-1) if batched and not x.batched else part)


class OpStep:
    """One row of the table on several nodes."""

    def __init__(
        self,
        op: Op,
        operands: list[Operand],
        params: tuple[Any, ...],
        out: Places,
        wants: list[bool],
    ) -> None:
        self.kernel = op.on[np.ndarray]
        self.operands, self.params, self.out = operands, params, out
        # a weighted sum, which has a joint rule, gets here only where no gradient passes
        rules = op.vjp if op.joint is None else (None,) * len(operands)
        self.rules = [
            (x, rule)
            for x, rule, want in zip(operands, rules, wants, strict=True)
            if want and rule is not None and isinstance(x, Places)
        ]

    def forward(self, bank: Bank) -> None:
        batched = self.out.batched
        operands = [fitted(x, bank, batched) for x in self.operands]
        self.out.write(bank, self.kernel(*operands, *self.params))

    def backward(self, bank: Bank, grads: Bank) -> None:
        batched = self.out.batched
        g, y = self.out.read(grads), self.out.read(bank)
        operands = [fitted(x, bank, batched) for x in self.operands]
        for x, rule in self.rules:
            _back(x, rule(g, y, *operands, *self.params), g.shape, grads, batched)


class SumStep:
    """Sums of equally many terms: places (M, K) added up along K."""

    def __init__(self, terms: Places, out: Places) -> None:
        self.terms, self.out = terms, out

    def forward(self, bank: Bank) -> None:
        self.out.write(bank, self.terms.read(bank).sum(1))

    def backward(self, bank: Bank, grads: Bank) -> None:
        g = self.out.read(grads)[:, None]
        self.terms.add(grads, np.broadcast_to(g, (*self.terms.shape, *g.shape[2:])))


class DotStep:
    """Σ a b along K, a and b in places (M, K) each; a is shared if one of them is."""

    def __init__(self, a: Places, b: Places, out: Places, wants: tuple[bool, bool]) -> None:
        self.a, self.b, self.out, self.wants = a, b, out, wants

    def forward(self, bank: Bank) -> None:
        a, b = self.a.read(bank), self.b.read(bank)
        y = (a * b).sum(1) if b.ndim == a.ndim else np.matmul(a[:, None, :], b)[:, 0]
        self.out.write(bank, y)

    def backward(self, bank: Bank, grads: Bank) -> None:
        a, b = self.a.read(bank), self.b.read(bank)
        g = self.out.read(grads)
        alike = b.ndim == a.ndim
        if self.wants[0]:
            self.a.add(grads, g[:, None] * b if alike else np.matmul(b, g[..., None])[..., 0])
        if self.wants[1]:
            self.b.add(grads, g[:, None] * (a if alike else a[..., None]))


class ProductStep:
    """All dots of the rows of a (m, K) with the rows of b (n, K): a product of matrices."""

    def __init__(self, a: Places, b: Places, out: Places, wants: tuple[bool, bool]) -> None:
        self.a, self.b, self.out, self.wants = a, b, out, wants  # out: (n, m)

    def forward(self, bank: Bank) -> None:
        a, b = self.a.read(bank), self.b.read(bank)
        self.out.write(bank, np.matmul(a, b) if b.ndim == 3 else np.matmul(b, a.T))

    def backward(self, bank: Bank, grads: Bank) -> None:
        a, b = self.a.read(bank), self.b.read(bank)
        g = self.out.read(grads)
        if b.ndim == 3:  # (n, m, samples), b (n, K, samples)
            if self.wants[0]:
                of_a = np.matmul(g, b.swapaxes(1, 2))
                self.a.add(grads, of_a[0] if len(of_a) == 1 else of_a.sum(0))
            if self.wants[1]:
                self.b.add(grads, np.matmul(a.T, g))
        else:
            if self.wants[0]:
                self.a.add(grads, np.matmul(g.T, b))
            if self.wants[1]:
                self.b.add(grads, np.matmul(g, a))
