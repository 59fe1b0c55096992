"""What was cut off from the graph: how, where, and from what; kept under ``viz.tracing()``.

A result that was computed from the graph without joining it (detached, made under ``no_grad``,
rounded to whole numbers) looks like any other number. A ``Cut`` beside it says what it was made of,
for as long as the result lives.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .sites import Beside, user_line

if TYPE_CHECKING:
    from .modes import Mode
    from .op import Op
    from .value import Value


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A result outside the graph, computed from something in it.

    Args:
        how: ``"detach"``, ``"no_grad"``, ``"inference_mode"``, ``"dtype"`` (whole numbers or truth
            values), ``"no derivative"``, ``"numpy"`` or ``"copy"``; ``""`` where the operands were
            outside already.
        op: the name of the op.
        line: ``file:line`` that made it.
        sources: what it was computed from: Values, nodes of tensors, other cuts.
    """

    how: str
    op: str
    line: str
    sources: tuple[Any, ...]


CUTS: Beside[Cut] = Beside()  # of Values, and of arrays of tensors, outside any graph


def outside(now: Mode) -> str:
    """Why nothing joins a graph under this mode."""
    if now.grad:
        return ""
    return "inference_mode" if now.inference else "no_grad"


def noted(op: Op, y: Value, operands: tuple[Any, ...], now: Mode) -> None:
    """Keep what ``y`` was made of, where it is not in a graph and so does not know."""
    if y.op is None:
        sources = tuple([a for a in operands if hasattr(a, "edges")])
        if sources:
            CUTS.put(y, Cut(outside(now), op.name, user_line(), sources))
