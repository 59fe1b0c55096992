"""Which op of a graph has the wrong rule: each node's rule is checked by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..tensor import Tensor
from ..tensor.backward import history
from ..tensor.node import Node
from .problem import Array, source_line
from .report import Verdict
from .rules import RuleProblem


def blame(outputs: Sequence[Tensor]) -> tuple[str, ...]:
    """One line per guilty op of the graph behind ``outputs``, with the line its rule stands on."""
    from .check import check_problem

    roots = [y._node for y in outputs if y._node is not None]
    nodes = [node for node in history(roots) if node.op is not None]
    lines: list[str] = []
    seen: set[tuple[Any, ...]] = set()
    for place, node in enumerate(reversed(nodes)):
        op = node.op
        kind = (op, node.shape, tuple(child is not None for child in node.inputs))
        if op is None or kind in seen:
            continue
        seen.add(kind)
        operands = _operands(node)
        if operands is None:
            continue
        try:
            report = check_problem(RuleProblem(op, operands, node.params))
        except (
            TypeError,
            ValueError,
            IndexError,
        ):  # an operand that was not kept and not guessed well
            continue
        if report.verdict in (Verdict.WRONG, Verdict.NOT_FINITE):
            rules = [op.joint] if op.joint is not None else list(op.vjp)
            guilty = next((o.name for o in report.operands if o.verdict is not Verdict.CORRECT), "")
            at = op.args.index(guilty) if guilty in op.args and op.joint is None else 0
            rule = rules[at] if at < len(rules) else None
            line = "" if rule is None else f": {source_line(rule)}"
            scope = f" in {node.scope}" if node.scope else ""
            lines.append(
                f"op {op.name!r}, node {place + 1} of {len(nodes)}{scope}, operand {guilty!r}{line}"
            )
    return tuple(dict.fromkeys(lines))[:8]


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
