"""Wrong rules, made from the right ones, to show that the laws have teeth.

A mutant is a row with one rule replaced: scaled by 1.001, negated, shifted, called with its
operands swapped, or with one small change to its source (a path dropped, a factor lost, a transpose
left out). `convict` runs the laws on it and says which one is broken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..engine import TABLE, Op
from ..engine.op import Kept
from .sources import changes

Rule = Callable[..., Any]


@dataclass(frozen=True)
class Mutant:
    """A row of the table with one wrong rule. ``source`` is its text where it was changed there."""

    op: str
    operand: int
    kind: str
    rule: Rule
    source: str = ""

    def __repr__(self) -> str:
        row = TABLE[self.op]
        name = row.args[min(self.operand, len(row.args) - 1)]
        return f"<mutant of {self.op} by {name}: {self.kind}{' ' * bool(self.source)}{self.source}>"


def mutants(op: Op | str) -> list[Mutant]:
    """All mutants of a row, one rule changed in each.

    >>> sorted({mutant.kind for mutant in mutants("tanh")})
    ['a factor lost', 'a path dropped', 'additive', 'scaled', 'sign', 'sign of a term']
    """
    row = TABLE[op] if isinstance(op, str) else op
    rules: list[Rule | None] = list(row.vjp)
    if row.joint is not None:
        return _of_joint(row)
    found = []
    for k, rule in enumerate(rules):
        if rule is None:
            continue
        for kind, change in _CHANGES.items():
            found.append(Mutant(row.name, k, kind, change(rule)))
        if sum(other is not None for other in rules) > 1:
            found.append(Mutant(row.name, k, "swapped operands", _swapped(rule, k)))
        found += [Mutant(row.name, k, c.kind, c.rule, c.source) for c in changes(rule)]
    return found


def _of_joint(row: Op) -> list[Mutant]:
    """A joint rule gives all gradients at once: change one of them."""
    joint = row.joint
    assert joint is not None
    count = 3 if row.variadic else len(row.args)  # of any number the first, which differ most
    found = [
        Mutant(row.name, k, kind, _on_part(joint, k, change))
        for k in range(count)
        for kind, change in _CHANGES.items()
    ]
    if float in row.on:  # other joint rules are array code, where a small change is often none
        found += [Mutant(row.name, 0, c.kind, c.rule, c.source) for c in changes(joint)]
    return found


def _shifted(g: Any) -> Any:
    """A gradient with 1e-3 added, whatever holds it."""
    return g + 1e-3


_CHANGES: dict[str, Callable[[Rule], Rule]] = {
    "scaled": lambda rule: lambda *args: rule(*args) * 1.001,
    "sign": lambda rule: lambda *args: -rule(*args),
    "additive": lambda rule: lambda *args: _shifted(rule(*args)),
}


def _swapped(rule: Rule, operand: int) -> Rule:
    other = 0 if operand else 1

    def swapped(g: Any, y: Any, *args: Any) -> Any:
        mixed = list(args)
        mixed[operand], mixed[other] = mixed[other], mixed[operand]
        return rule(g, y, *mixed)

    return swapped


def _on_part(joint: Rule, operand: int, change: Callable[[Rule], Rule]) -> Rule:
    alter = change(lambda part: part)

    def changed(needed: Sequence[bool], *args: Any) -> list[Any]:
        parts = list(joint(needed, *args))
        if operand < len(parts) and parts[operand] is not None:
            parts[operand] = alter(parts[operand])
        return parts

    return changed


@contextmanager
def planted(mutant: Mutant) -> Iterator[Op]:
    """The table with the mutant in its row's place, put right again afterwards."""
    row = TABLE[mutant.op]
    vjp, joint, kept = row.vjp, row.joint, row.kept
    row.kept = Kept(row)  # a changed rule may read what no rule read before
    if joint is not None:
        row.joint = mutant.rule
    else:
        rules = list(vjp)
        rules[mutant.operand] = mutant.rule
        row.vjp = tuple(rules)
    try:
        yield row
    finally:
        row.vjp, row.joint, row.kept = vjp, joint, kept


@dataclass(frozen=True)
class Conviction:
    """What became of a mutant: the law it broke, or why it broke none.

    ``law`` is the name of the broken law, "crash" when the changed rule raises, "" when nothing was
    noticed; ``equivalent`` says that it computes what the right rule computes wherever tried.
    """

    mutant: Mutant
    law: str
    equivalent: bool = False

    @property
    def killed(self) -> bool:
        return bool(self.law)


def convict(mutant: Mutant, examples: int = 40) -> Conviction:
    """Run the laws on a planted mutant until one is broken."""
    from .cases import cases_of, subject
    from .laws import LAWS, ROW_LAWS
    from .search import first_broken

    with planted(mutant) as row:
        drawn = {name: LAWS[name] for name in ("gradient", "linear", "form", "layouts", "second")}
        about = subject(row)
        found = first_broken(about, cases_of(row), drawn, examples)
        if found is not None:
            return Conviction(mutant, found.law)
        for name, law in ROW_LAWS.items():
            try:
                law(about)
            except Exception as error:
                return Conviction(mutant, name if isinstance(error, AssertionError) else "crash")
    return Conviction(mutant, "", equivalent=_same(mutant, examples))


def _same(mutant: Mutant, examples: int) -> bool:
    """Does the mutant compute the right gradient after all, wherever tried?"""
    from .cases import cases_of
    from .rules import gradients, kernel
    from .search import draw

    row = TABLE[mutant.op]
    for case in draw(cases_of(row), examples):
        y, _ = kernel(row, case.operands, case.params)
        g = np.random.default_rng(0).uniform(0.5, 1.5, np.shape(y))
        needed = [x.dtype.kind == "f" for x in case.operands]
        right = gradients(row, case.operands, case.params, g, needed)
        with planted(mutant):
            wrong = gradients(row, case.operands, case.params, g, needed)
        for a, b in zip(right, wrong, strict=True):
            if a is None or b is None:
                if a is not b:
                    return False
            elif a.shape != b.shape or not np.allclose(a, b, 1e-9, 1e-12, equal_nan=True):
                return False
    return True
