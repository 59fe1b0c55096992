"""``detect_anomaly`` on numbers: stop at the first NaN, and say which line of the user made it."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from .op import Op
    from .value import Value

_PACKAGE = __name__.partition(".")[0]
_lines: WeakKeyDictionary[Value, str] = (
    WeakKeyDictionary()
)  # where results were made, under the mode


def user_line() -> str:
    """``file:line`` of the nearest caller outside the package."""
    frame = sys._getframe(1)
    while frame.f_back is not None and _ours(frame.f_globals.get("__name__", "")):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def _ours(module: str) -> bool:
    return module == _PACKAGE or module.startswith(f"{_PACKAGE}.")


def check_result(op: Op, y: Value, call: tuple[Any, ...]) -> None:
    """Stop at the op that made a NaN, or remember where a sound result came from."""
    line = _lines[y] = user_line()
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
                line = _lines.get(node, "a line that was not recorded: run forward under it too")
                raise RuntimeError(
                    f"detect_anomaly: backward of {node.op.name} made NaN of gradient "
                    f"{node.grad!r} and slope {partial!r} at {child.data!r}; forward ran at {line}"
                )
