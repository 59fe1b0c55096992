"""``detect_anomaly`` on numbers: stop at the first NaN, and say which line of the user made it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from . import cuts
from .modes import Mode
from .sites import remember, site, user_line

if TYPE_CHECKING:
    from .op import Op
    from .value import Value


def watched(op: Op, y: Value, operands: tuple[Any, ...], now: Mode) -> None:
    """Under ``detect_anomaly`` or ``tracing``: remember where a result came from, or stop at it."""
    if now.watch is not None:
        now.watch.note(y)
        cuts.noted(op, y, operands, now)
    if now.anomaly:
        check_result(op, y, tuple([a.data if hasattr(a, "edges") else a for a in operands]))


def check_result(op: Op, y: Value, call: tuple[Any, ...]) -> None:
    """Stop at the op that made a NaN, or remember where a sound result came from."""
    line = user_line()
    if site(y) is None:
        remember(y, line)
    if math.isnan(y.data):
        handed = any(isinstance(a, float) and math.isnan(a) for a in call)
        how = "was handed, and passed on, a NaN:" if handed else "made NaN of"
        raise RuntimeError(
            f"detect_anomaly: forward {op.name} at {line} {how} {', '.join(map(repr, call))}"
        )


def check_gradients(order: Iterable[Value]) -> None:
    """Stop at the first result whose rule turned a sound gradient into a NaN."""
    for node in order:
        for child, partial in zip(node.inputs, node.partials, strict=True):
            if math.isnan(node.grad * partial) and not math.isnan(node.grad):
                assert node.op is not None
                known = site(node)
                line = "a line that was not recorded: run forward under it too"
                line = line if known is None else known.line
                raise RuntimeError(
                    f"detect_anomaly: backward of {node.op.name} made NaN of gradient "
                    f"{node.grad!r} and slope {partial!r} at {child.data!r}; forward ran at {line}"
                )
