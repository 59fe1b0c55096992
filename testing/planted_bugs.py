"""Planted bugs to find: a wrong derivative rule, and the checker to find it with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..engine import Op
from .check import check_gradients
from .domains import sample
from .report import Report
from .rules import fit, kernel
from .sources import Change, changes, rule_source
from .tables import whole_table

Rule = Callable[..., Any]


@dataclass(frozen=True)
class Exercise:
    """A rule of the op table with one mistake in it.

    Print it to read the rule. ``check()`` shows what the checker says of it; ``try_rule(rule)``
    what it says of yours; ``answer()`` gives the mistake away.
    """

    number: int
    op: Op
    operand: int
    planted: Change = field(repr=False)

    def __str__(self) -> str:
        name = self.op.args[self.operand]
        return (
            f"Exercise {self.number}. This rule should give the gradient of {self.op.name} by its"
            f" operand {name!r}:\n\n    {self.planted.source}\n\n"
            "g is the upstream gradient, y the result. One thing in it is wrong.\n"
            "See what the checker says with .check(), then .try_rule(lambda ...: ...) your own."
        )

    def inputs(self) -> list[np.ndarray[Any, Any]]:
        """Operands to check at: three numbers each, away from kinks."""
        rng = np.random.default_rng(self.number)
        return [sample(domain, (3,), rng) for domain in self.op.domain]

    def check(self) -> Report:
        """The report on the planted rule."""
        return self.try_rule(self.planted.rule)

    def try_rule(self, rule: Rule) -> Report:
        """The report on a rule ``rule(g, y, *operands, *parameters)``."""
        op, operands = self.op, self.inputs()

        def fn(x: Any) -> Any:
            return kernel(op, self._with(operands, x), op.defaults)[0]

        def grad_fn(g: Any, x: Any) -> Any:
            full = self._with(operands, x)
            y, params = kernel(op, full, op.defaults)
            return fit(np.asarray(rule(g, y, *full, *params)), x)

        name = op.args[self.operand]
        return check_gradients(
            fn, operands[self.operand], grad_fn=grad_fn, names=(name,), cotangent=True
        )

    def _with(self, operands: list[Any], x: Any) -> list[Any]:
        return [x if k == self.operand else other for k, other in enumerate(operands)]

    def answer(self) -> str:
        """The right rule, the kind of mistake, and why the rule is what it is."""
        right = rule_source(self.op.vjp[self.operand] or (lambda: None))
        return f"{self.planted.kind}: it should be\n\n    {right}\n\n{self.op.why}"


def exercise(number: int) -> Exercise:
    """The planted bug with this number, counted from 1.

    >>> bug = exercise(1)
    >>> print(bug.check().verdict)
    wrong
    """
    every = exercises()
    if not 1 <= number <= len(every):
        raise ValueError(f"exercise: there are {len(every)}, numbered from 1; got {number}")
    op, operand, change = every[number - 1]
    return Exercise(number, op, operand, change)


def exercises() -> list[tuple[Op, int, Change]]:
    """All planted bugs: changes to the source of a rule that the checker convicts, op by op."""
    if not _FOUND:
        for op in whole_table():
            if float not in op.on or op.joint is not None:
                continue
            for operand, rule in enumerate(op.vjp):
                if rule is None:
                    continue
                for change in changes(rule):
                    if _bites(op, operand, change):
                        _FOUND.append((op, operand, change))
        # One of each op first, so that neighbours are not variations of one rule.
        rank: dict[str, int] = {}
        keyed = []
        for item in _FOUND:
            rank[item[0].name] = turn = rank.get(item[0].name, 0) + 1
            keyed.append((turn, item))
        _FOUND[:] = [item for _, item in sorted(keyed, key=lambda pair: pair[0])]
    return list(_FOUND)


_FOUND: list[tuple[Op, int, Change]] = []


def _bites(op: Op, operand: int, change: Change) -> bool:
    """Is the change wrong, and wrong in a way that can be measured?"""
    trial = Exercise(1, op, operand, change)
    try:
        return trial.check().verdict == "wrong"
    except Exception:
        return False
