"""Values made by a fused op, opened: the simpler ops that its row says it is made of.

The composition runs once more, on copies of the operands, and backward runs through it from the
gradient that the result has. So an opened picture shows numbers that were worked out: to the bit
those of the same computation written in simpler ops. A new fused op of numbers needs nothing here.
"""

from __future__ import annotations

from typing import Any

from ..engine import Value, history
from ..engine.modes import MODE, Mode


def can_open(entry: Any) -> bool:
    """Whether it is a Value whose op is made of simpler ones."""
    return isinstance(entry, Value) and entry.op is not None and entry.op.composition is not None


class Opener:
    """What is drawn in the place of an entry of the graph; with ``wanted`` false the entry itself.

    ``of`` is the entry that a part of an opened one belongs to.
    """

    def __init__(self, wanted: bool) -> None:
        self.wanted = wanted
        self._inside: dict[int, Any] = {}  # by entry: its composition's result
        self._operand: dict[int, Any] = {}  # by copy: the operand that it is a copy of
        self._of: dict[int, Any] = {}
        self._held: list[Value] = []  # so that ids stay theirs

    def __call__(self, entry: Any) -> Any:
        while True:
            if id(entry) in self._operand:
                entry = self._operand[id(entry)]
            elif self.wanted and can_open(entry) and id(entry) not in self._of:
                if id(entry) not in self._inside:
                    self._inside[id(entry)] = self._open(entry)
                entry = self._inside[id(entry)]
            else:
                return entry

    def of(self, entry: Any) -> Any:
        return self._of.get(id(entry), entry)

    def _open(self, value: Value) -> Value:
        assert value.op is not None and value.op.composition is not None
        copies = [Value(x.data) if isinstance(x, Value) else x for x in value.args]
        token = MODE.set(Mode())  # whatever the user has switched on is not meant for this
        try:
            y: Value = value.op.composition(*copies, *value.params)
        finally:
            MODE.reset(token)
        parts = history(y)
        _send_down(parts, value._grad)
        for copy, operand in zip(copies, value.args, strict=True):
            self._operand[id(copy)] = operand
        self._of |= {id(part): value for part in parts if part.op is not None}
        self._held += parts
        y.label = value.label
        return y


def _send_down(parts: list[Value], gradient: float | None) -> None:
    """Backward from the last of ``parts``; unlike the engine's, also for nan."""
    parts[-1]._grad = gradient
    for part in reversed(parts if gradient is not None else []):
        for child, slope in zip(part.inputs, part.partials, strict=True):
            child._grad = child.grad + part.grad * slope
