"""Tables that the code prints of itself: the stated subgradients, and what is tested of each op."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..engine import TABLE, Op, Pin
from .ladder import ladder_steps
from .rules import kernel


@dataclass(frozen=True)
class Subgradient:
    """The stated derivative of an op by one operand at a kink or tie.

    ``left`` and ``right`` are the one-sided slopes measured there, None where a side has none (a
    jump, or the edge of the domain). ``inside``: the stated value lies between them; None where
    there is nothing to compare with.
    """

    op: str
    at: tuple[float, ...]
    operand: str
    stated: float
    left: float | None
    right: float | None
    note: str

    @property
    def inside(self) -> bool | None:
        if self.left is None or self.right is None or np.isnan(self.stated):
            return None
        low, high = sorted((self.left, self.right))
        slack = 1e-6 * max(1.0, abs(low), abs(high))
        return low - slack <= self.stated <= high + slack


class Table(list[Any]):
    """Rows that print as an aligned table."""

    def __init__(self, head: Sequence[str], rows: Sequence[Sequence[Any]], items: Sequence[Any]):
        super().__init__(items)
        self._cells = [list(map(str, row)) for row in (head, *rows)]

    def __str__(self) -> str:
        widths = [max(map(len, column)) for column in zip(*self._cells, strict=True)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in self._cells
        ]
        return "\n".join(lines)

    def markdown(self) -> str:
        """The table for a page of the docs."""
        head, *rows = self._cells
        lines = [head, ["---"] * len(head), *rows]
        cells = [[cell.replace("|", "\\|") for cell in line] for line in lines]
        return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def whole_table() -> list[Op]:
    """Every row, also of those packages that nothing has imported yet."""
    from . import cases  # noqa: F401  (imports them all)

    return list(TABLE.values())


def ops() -> Table:
    """Every row of the table: operands and parameters, kind, domain, and the reason for its rule.

    >>> [row] = [op for op in ops() if op.name == "tanh"]
    >>> row.why
    '1 - tanh², from y alone: no exponential to overflow.'
    """
    table = whole_table()
    rows = [
        (
            op.name,
            ", ".join((*op.args, *(f"*{name}*" for name in op.params))),
            _kind(op),
            _domains(op),
            op.why if op.differentiable or "derivative" in op.why else f"{op.why} No derivative.",
        )
        for op in table
    ]
    head = ("op", "operands, *parameters*", "kind", "domain", "why")
    return Table(head, rows, table)


def _kind(op: Op) -> str:
    from .cases import is_elementwise

    return "elementwise" if is_elementwise(op) else "fused" if op.composition else "structural"


def _domains(op: Op) -> str:
    """The domain of each operand; once where all have the same."""
    names = [domain.name for domain in op.domain]
    return names[0] if len(set(names)) == 1 else ", ".join(names)


def subgradients() -> Table:
    """The stated derivative of every op at its kinks and ties, beside the slopes measured there.

    >>> [row] = [s for s in subgradients() if s.op == "relu"]
    >>> row.stated, row.left, row.right, row.inside
    (0.0, 0.0, 1.0, True)
    """
    items = [item for op in whole_table() for pin in op.pinned for item in _of_pin(op, pin)]
    rows = [
        (
            s.op,
            ", ".join(f"{x:g}" for x in s.at),
            s.operand,
            f"{s.stated:g}",
            "-" if s.left is None or s.right is None else f"[{s.left:.3g}, {s.right:.3g}]",
            {True: "yes", False: "NO", None: "-"}[s.inside],
            s.note,
        )
        for s in items
    ]
    head = ("op", "at", "by", "stated", "slopes left, right", "between", "why")
    return Table(head, rows, items)


def _of_pin(op: Op, pin: Pin) -> Iterator[Subgradient]:
    for k, stated in enumerate(pin.grad):
        left, right = one_sided(op, pin.at, k)
        at = tuple(float(x) for x in pin.at)
        yield Subgradient(op.name, at, op.args[k], float(stated), left, right, pin.note)


def one_sided(op: Op, at: Sequence[float], operand: int) -> tuple[float | None, float | None]:
    """(left, right) slope of an op by one operand, None where a side does not settle."""
    steps = ladder_steps()[4:14]

    def slopes(sign: float) -> float | None:
        with np.errstate(all="ignore"):
            here = float(kernel(op, [np.asarray(float(x)) for x in at], op.defaults)[0])
            found = []
            for h in steps:
                moved = [float(x) + sign * float(h) * (k == operand) for k, x in enumerate(at)]
                y = float(kernel(op, [np.asarray(x) for x in moved], op.defaults)[0])
                found.append(sign * (y - here) / float(h))
        # One-sided quotients err like h: extrapolate, and see whether the last ones agree.
        better = [(4 * b - a) / 3 for a, b in zip(found, found[1:], strict=False)]
        spread = max(better[-4:]) - min(better[-4:])
        return better[-3] if spread <= 1e-5 * max(1.0, abs(better[-3])) else None

    def rounded(x: float | None) -> float | None:
        return None if x is None else round(x, 6) + 0.0

    return rounded(slopes(-1.0)), rounded(slopes(1.0))


@dataclass(frozen=True)
class Coverage:
    """What is tested of one op: by which operands it is differentiated, what its case is, which
    laws apply, and whether first and second derivatives were found right at a sample point."""

    op: str
    kind: str
    operands: str
    first: str
    second: str
    dtypes: str
    laws: int


def coverage(measure: bool = True, examples: int = 3) -> Table:
    """Every op of the table: kind, operands with a derivative, first and second derivative checked
    at drawn examples, floating dtypes that give a gradient of their own dtype, number of laws.

    Needs hypothesis. With ``measure=False`` nothing is run, and the columns say what is declared.
    """
    items = [_covered(op, measure, examples) for op in whole_table()]
    head = ("op", "kind", "by", "first", "second", "dtypes", "laws")
    rows = [(c.op, c.kind, c.operands, c.first, c.second, c.dtypes, c.laws) for c in items]
    return Table(head, rows, items)


def _covered(op: Op, measure: bool, examples: int) -> Coverage:
    from .cases import is_elementwise, subject, without_case
    from .laws import LAWS, ROW_LAWS
    from .trials import applies

    about = subject(op)
    flags = about.differentiable or (True,) * len(op.args)
    by = ", ".join(n for n, flag in zip(op.args, flags, strict=False) if flag) or "-"
    kind = _kind(op)
    count = None if op.variadic else len(op.args)
    laws = sum(applies(law, about, count) for law in LAWS) + len(ROW_LAWS) * is_elementwise(op)
    if not any(flags):
        return Coverage(op.name, kind, by, "-", "-", "-", laws)
    if op.name in without_case():
        return Coverage(op.name, kind, by, "NO CASE", "NO CASE", "-", 0)
    if not measure:
        return Coverage(op.name, kind, by, "declared", "declared", "declared", laws)
    first, second, dtypes = _measured(op, examples)
    return Coverage(op.name, kind, by, first, second, dtypes, laws)


def _measured(op: Op, examples: int) -> tuple[str, str, str]:
    from .cases import cases_of, subject
    from .laws import LAWS
    from .search import first_broken

    def outcome(law: str) -> str:
        found = first_broken(subject(op), cases_of(op), {law: LAWS[law]}, examples)
        return "checked" if found is None else "BROKEN"

    held = outcome("form") == "checked"
    return outcome("gradient"), outcome("second"), "f64 f32 f16" if held else "BROKEN"


@dataclass(frozen=True)
class Teeth:
    """What became of the mutants of one op: how many, how many were convicted, by which laws, and
    how many compute the right gradient after all (a zero rule times 1.001)."""

    op: str
    mutants: int
    convicted: int
    equivalent: int
    survived: int
    laws: str


def teeth(*names: str, examples: int = 40) -> Table:
    """The table of kills: every mutant of every op (or of the named ones) on trial.

    >>> print(teeth("exp", examples=5))
    op   mutants  convicted  equivalent  survived  by
    exp  5        5          0           0         gradient 5
    """
    from .cases import without_case
    from .rule_mutants import convict, mutants

    skipped = without_case()
    items = []
    for name in names or tuple(op.name for op in whole_table() if op.differentiable):
        if name in skipped:
            continue
        found = [convict(mutant, examples) for mutant in mutants(name)]
        laws = Counter(c.law for c in found if c.killed)
        equal = sum(c.equivalent for c in found)
        by = ", ".join(f"{law} {count}" for law, count in laws.most_common())
        survived = len(found) - laws.total() - equal
        items.append(Teeth(name, len(found), laws.total(), equal, survived, by))
    rows = [(t.op, t.mutants, t.convicted, t.equivalent, t.survived, t.laws) for t in items]
    return Table(("op", "mutants", "convicted", "equivalent", "survived", "by"), rows, items)


__all__ = [
    "Coverage",
    "Subgradient",
    "Table",
    "Teeth",
    "coverage",
    "one_sided",
    "ops",
    "subgradients",
    "teeth",
]
