"""A row of the op table as a problem: its array kernel against its own rules, without any graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..engine.op import Op
from .problem import Array, is_float, source_line


def kernel(op: Op, arrays: Sequence[Any], params: Sequence[Any]) -> tuple[Any, tuple[Any, ...]]:
    """The op's result on arrays, and its parameters with what the kernel saved for the rule."""
    params = tuple(params)[: len(op.params)]
    y = op.on[np.ndarray](*arrays, *params)
    if isinstance(y, tuple):
        return y[0], (*params, *y[1:])
    return y, params


def gradients(
    op: Op, arrays: Sequence[Any], params: Sequence[Any], g: Array, needed: Sequence[bool]
) -> list[Array | None]:
    """What the op's rules give for the upstream gradient ``g``, fitted to the operands."""
    y, kept = kernel(op, arrays, params)
    operands = [np.asarray(a) for a in arrays]
    if op.joint is not None:
        given: tuple[Any, ...] = (tuple(operands),) if op.variadic else tuple(operands)
        parts = list(op.joint(tuple(needed), g, y, *given, *kept))
    else:
        parts = [
            rule(g, y, *operands, *kept) if want and rule is not None else None
            for rule, want in zip(op.vjp, needed, strict=True)
        ]
    return [
        None if part is None or not want else fit(np.asarray(part), x)
        for part, x, want in zip(parts, operands, needed, strict=True)
    ]


def fit(part: Array, operand: Array) -> Array:
    """Undo broadcasting: sum over the axes that the operand was repeated along."""
    lead = part.ndim - operand.ndim
    if lead < 0:
        return part
    stretched = [lead + k for k, n in enumerate(operand.shape) if n == 1 != part.shape[lead + k]]
    summed = part.sum(axis=(*range(lead), *stretched))
    return np.asarray(summed, dtype=operand.dtype).reshape(operand.shape)


class RuleProblem:
    """One op at given operand arrays: the derivative its rules state, as a claim to check."""

    def __init__(self, op: Op, arrays: Sequence[Any], params: Sequence[Any] = ()) -> None:
        self.op = op
        self.params = tuple(params)
        self._full = [np.asarray(a) for a in arrays]
        rules = op.vjp if op.joint is None else (True,) * len(self._full)
        self._checked = [
            k for k, a in enumerate(self._full) if is_float(a) and rules[k if len(rules) > 1 else 0]
        ]
        names = [f"{op.args[0][1:]}[{k}]" for k in range(len(arrays))] if op.variadic else op.args
        self._names = tuple(names[k] for k in self._checked)

    @property
    def name(self) -> str:
        return f"op {self.op.name!r}"

    @property
    def names(self) -> tuple[str, ...]:
        return self._names

    @property
    def operands(self) -> tuple[Array, ...]:
        return tuple(self._full[k] for k in self._checked)

    def _fill(self, arrays: Sequence[Array]) -> list[Array]:
        full = list(self._full)
        for k, array in zip(self._checked, arrays, strict=True):
            full[k] = array
        return full

    def forward(self, arrays: Sequence[Array]) -> list[Array]:
        return [np.asarray(kernel(self.op, self._fill(arrays), self.params)[0])]

    def pullback(self, arrays: Sequence[Array], cotangents: Sequence[Array]) -> list[Array | None]:
        needed = [k in self._checked for k in range(len(self._full))]
        found = gradients(self.op, self._fill(arrays), self.params, cotangents[0], needed)
        return [found[k] for k in self._checked]

    def culprits(self) -> tuple[str, ...]:
        rules = [self.op.joint] if self.op.joint is not None else list(self.op.vjp)
        lines = [source_line(rule) for rule in rules if rule is not None]
        return tuple(dict.fromkeys(f"op {self.op.name!r}: {line}" for line in lines))
