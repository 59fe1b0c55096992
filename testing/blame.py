"""Which op of a graph has the wrong rule: each op's rule is checked by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import engine
from ..engine import Op, Value
from ..tensor import Tensor
from ..tensor.backward import history
from ..tensor.node import Node
from .problem import Array, source_line
from .report import Verdict
from .rules import RuleProblem


@dataclass(frozen=True)
class Step:
    """An op as it was called somewhere in a graph; ``operands`` is None where they are unknown."""

    op: Op
    operands: list[Array] | None
    params: tuple[Any, ...]
    scope: str
    kind: tuple[Any, ...]  # the same for calls that are not worth checking twice


def blame(steps: Sequence[Step], fn: Callable[..., Any] | None = None) -> tuple[str, ...]:
    """One line per guilty op of a graph, with the line its rule stands on.

    The rule of an ``autograd.Function`` cannot be called by itself: where no other op is guilty, it
    is named. Where there is none either, all rules are right, and ``fn`` itself loses a path.
    """
    from .check import check_problem

    lines: list[str] = []
    suspects: list[str] = []
    seen: set[tuple[Any, ...]] = set()
    for place, step in enumerate(steps):
        if (step.op, step.kind) in seen:
            continue
        seen.add((step.op, step.kind))
        at = f"node {place + 1} of {len(steps)}{f' in {step.scope}' if step.scope else ''}"
        if np.ndarray not in step.op.on:
            if step.op.joint is not None:
                suspects.append(f"op {step.op.name!r}, {at}: {source_line(step.op.joint)}")
            continue
        if step.operands is None:
            continue
        try:
            report = check_problem(RuleProblem(step.op, step.operands, step.params))
        except (TypeError, ValueError, IndexError):  # an operand not kept, and not guessed well
            continue
        if report.verdict in (Verdict.WRONG, Verdict.NOT_FINITE):
            guilty = next((o.name for o in report.operands if o.verdict is not Verdict.CORRECT), "")
            lines.append(f"op {step.op.name!r}, {at}, operand {guilty!r}{_rule(step.op, guilty)}")
    if not lines and not suspects and fn is not None:
        said = "the rule of every op in it is right, so a path is cut (detach, item, data, numpy?)"
        lines.append(f"fn {source_line(fn)}: {said}")
    return tuple(dict.fromkeys(lines or suspects))[:8]


def _rule(op: Op, operand: str) -> str:
    rules = [op.joint] if op.joint is not None else list(op.vjp)
    at = op.args.index(operand) if operand in op.args and op.joint is None else 0
    rule = rules[at] if at < len(rules) else None
    return "" if rule is None else f": {source_line(rule)}"


def of_tensors(outputs: Sequence[Tensor]) -> list[Step]:
    """The ops behind some tensors, in the order they were called in."""
    nodes = history([y._node for y in outputs if y._node is not None])
    return [
        Step(
            node.op,
            _operands(node),
            node.params,
            node.scope,
            (node.shape, tuple(child is not None for child in node.inputs)),
        )
        for node in reversed(nodes)
        if node.op is not None
    ]


def of_values(outputs: Sequence[Value]) -> list[Step]:
    """The ops behind some Values. Each is looked at: a rule may be wrong at some numbers only."""
    out = []
    for y in engine.history(*outputs):
        if y.op is not None:
            numbers = [x.data if isinstance(x, Value) else float(x) for x in y.args]
            operands = [np.asarray(x) for x in numbers]
            out.append(Step(y.op, operands, y.params, "", (*numbers, *y.params)))
    return out


def _operands(node: Node) -> list[Array] | None:
    """What the op was called with. An operand no rule reads was not kept: any numbers will do."""
    if node.saved is None:
        return None
    rng = np.random.default_rng(0)
    out: list[Array] = []
    for array, child in zip(node.saved[1:], node.inputs, strict=False):
        if array is None:
            if child is None:
                return None
            array = rng.uniform(0.5, 1.5, child.shape)
        out.append(np.asarray(array))
    return out
