"""One run of a program on Values, written down: what was computed, and what was decided by it.

Two runs are compared before one is believed: what the graph does not show (a number drawn at
random, or read from a Value by ``.data``) is then seen to differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from ..engine import TABLE, Op, Value
from ..engine.tape import Tape
from ..tensor.trees import leaves as tree_leaves

LIMIT = 2_000_000  # Values in one program


class LiftError(TypeError):
    """A program that cannot be lifted, and what to change."""


class Guard(NamedTuple):
    """A comparison that the program went by: another outcome is another program."""

    op: Op
    a: Value | float
    b: Value | float
    outcome: bool


class Recording(Tape):
    """A program run once. ``inputs`` are the Values it was given, ``out`` what it returned."""

    def __init__(self, fn: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        self.guards: list[Guard] = []
        self.cuts: dict[Value, tuple[Op | None, tuple[Any, ...]]] = {}
        self.inputs = [x for x in tree_leaves(arguments) if isinstance(x, Value)]
        with self:
            self.out = fn(*arguments)
        self.results = [_result(x) for x in tree_leaves(self.out)]
        tested = [x for guard in self.guards for x in (guard.a, guard.b)]
        self.order = self._history([x for x in self.results + tested if isinstance(x, Value)])

    def compared(self, name: str, a: Any, b: Any, outcome: bool) -> None:
        self.guards.append(Guard(TABLE[name], a, b, bool(outcome)))

    def taken(self, value: Any, how: str) -> None:
        raise LiftError(
            f"lift: {how} takes a number out of the graph, and what Python does with it cannot be "
            "run again for other numbers; keep it a Value (its methods and operators, comparisons "
            "included, are recorded), or do it outside of the lifted function"
        )

    def cut(self, made: Any, op: Any, operands: tuple[Any, ...]) -> None:
        self.cuts[made] = op, operands

    def made_by(self, value: Value) -> tuple[Op | None, tuple[Any, ...]]:
        """(op, all it was called with) of a result, whether it has a history or was cut off."""
        if value in self.cuts:
            return self.cuts[value]
        return value.op, (*value.args, *value.params)

    def operands(self, value: Value) -> Iterator[Value]:
        return (x for x in self.made_by(value)[1] if isinstance(x, Value))

    def _history(self, roots: list[Value]) -> list[Value]:
        """``roots`` and all they were computed from, operands before results."""
        found: dict[Value, None] = {}
        path = list(reversed(roots))
        while path:
            node = path[-1]
            if node in found:
                path.pop()
                continue
            before = [x for x in self.operands(node) if x not in found]
            if before:
                path += reversed(before)
            else:
                found[path.pop()] = None
        if len(found) > LIMIT:
            raise LiftError(
                f"lift: this program has {len(found):,} Values, more than {LIMIT:,}; lift the part "
                "that is done for each example, and give it all examples at once"
            )
        return list(found)

    def outcomes(self) -> list[bool]:
        return [guard.outcome for guard in self.guards]

    def leaves(self) -> list[Value]:
        given = set(self.inputs)
        return [v for v in self.order if self.made_by(v)[0] is None
                and v not in self.cuts and v not in given]  # fmt: skip


def _result(x: Any) -> Value | float:
    if isinstance(x, Value):
        return x
    if isinstance(x, (int, float)):
        return float(x)
    raise LiftError(
        "lift: the function must return Values (one, a list of them, or a tuple of several "
        f"results), got {type(x).__name__}"
    )


def parameters_of(first: Recording, again: Recording) -> list[Value]:
    """The leaves that were there before the program ran: both runs met the same objects.

    Raises:
        LiftError: the runs differ in something that the graph does not explain.
    """
    if len(first.order) != len(again.order):
        raise LiftError(_DIFFER.format("its graph has another size"))
    given, kept = set(first.inputs), []
    for a, b in zip(first.order, again.order, strict=True):
        (op, operands), (other, others) = first.made_by(a), again.made_by(b)
        if op is not other:
            raise LiftError(_DIFFER.format(f"{_name(op)} in one is {_name(other)} in the other"))
        for x, y in zip(operands, others, strict=True):
            if not isinstance(x, Value) and not _same(x, y):
                raise LiftError(_DIFFER.format(f"a constant of {_name(op)} is {x} and then {y}"))
        if op is None and a not in first.cuts and a not in given:
            if a is b:
                kept.append(a)
            elif not _same(a.data, b.data):
                raise LiftError(_DIFFER.format(f"a new Value is {a.data} and then {b.data}"))
    return kept


_DIFFER = (
    "lift: two runs of the function differ in what the graph does not show: {}. A number drawn at "
    "random or read by .data is a constant to what is recorded; make it an input of the lifted "
    "function, or keep it a Value"
)


def _same(x: Any, y: Any) -> bool:
    return bool(x == y or (x != x and y != y))


def _name(op: Op | None) -> str:
    return "a leaf" if op is None else op.name
