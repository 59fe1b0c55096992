"""What a gradient check found: a verdict with its evidence, printed as a page."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum


class Verdict(StrEnum):
    """The five words a check can answer with; only ``correct`` counts as true."""

    CORRECT = "correct"
    NOISY = "noisy"
    KINK = "kink"
    WRONG = "wrong"
    NOT_FINITE = "not finite"

    @property
    def severity(self) -> int:
        """Position from harmless to grave: the gravest finding names the whole report."""
        return list(Verdict).index(self)


MEANING = {
    Verdict.CORRECT: "the gradient agrees with the slopes measured on the function",
    Verdict.NOISY: "the slopes cannot be measured well enough to judge the gradient",
    Verdict.KINK: "the function has no single slope at this point",
    Verdict.WRONG: "the gradient differs from the slopes measured on the function",
    Verdict.NOT_FINITE: "a value, a slope or a gradient is infinite or not a number",
}


class GradientError(AssertionError):
    """A report that is not correct, raised; its text is the report's page."""


# One class per verdict: a property test shrinks within one class, so a wrong gradient
# never turns into a mere kink while hypothesis looks for a smaller example.
class WrongGradient(GradientError):
    """The gradient differs from the measured slope."""


class NoisyGradient(GradientError):
    """The slope cannot be measured well enough."""


class KinkInGradient(GradientError):
    """The point has no single slope."""


class GradientNotFinite(GradientError):
    """An infinity or a NaN took part."""


_ERRORS: dict[Verdict, Callable[[str], GradientError]] = {
    Verdict.WRONG: WrongGradient,
    Verdict.NOISY: NoisyGradient,
    Verdict.KINK: KinkInGradient,
    Verdict.NOT_FINITE: GradientNotFinite,
}


@dataclass(frozen=True)
class Rung:
    """One step size of the error ladder.

    ``error`` is |measured - claimed| and ``remainder`` is |f(x+h) - f(x) - h * claimed|,
    which falls by 4 when h is halved if the claim is right, and by 2 if it is not.
    """

    step: float
    measured: float
    error: float
    remainder: float


@dataclass(frozen=True)
class Finding:
    """One measured slope against one claimed slope.

    ``index`` is the place in the operand (None for a direction through many entries),
    ``output`` the place in the output that was read (None for a random mix of outputs).
    """

    verdict: Verdict
    operand: int
    index: tuple[int, ...] | None
    output: tuple[int, ...] | None
    claimed: float
    measured: float
    uncertainty: float
    reason: str
    ladder: tuple[Rung, ...] = ()
    slopes: tuple[float, float] | None = None  # left and right of a kink

    @property
    def ratio(self) -> float:
        """claimed / measured: 1 when right, 2 for a doubled gradient, -1 for a lost sign."""
        if self.measured == 0:
            return math.nan if self.claimed == 0 else math.copysign(math.inf, self.claimed)
        return self.claimed / self.measured

    @property
    def error(self) -> float:
        """|claimed - measured| relative to the larger of the two."""
        size = max(abs(self.claimed), abs(self.measured))
        return abs(self.claimed - self.measured) / size if size else 0.0

    @property
    def order(self) -> float | None:
        """Observed order of the Taylor remainder: 2 when right, 1 when wrong, None if it is 0."""
        return remainder_order(self.ladder)

    def where(self, names: tuple[str, ...]) -> str:
        """The place in words: ``x[0, 2] -> output[1]``."""
        return place(names[self.operand], self.index, self.output)


def place(name: str, index: tuple[int, ...] | None, output: tuple[int, ...] | None) -> str:
    """``x[0, 2] -> output[1]``, with the parts that are known."""
    left = f"a direction in {name}" if index is None else name + subscript(index)
    return left if output is None else f"{left} -> output{subscript(output)}"


def subscript(index: tuple[int, ...]) -> str:
    """``[0, 2]``, or nothing for the one entry of a 0-d array."""
    return f"[{', '.join(map(str, index))}]" if index else ""


def remainder_order(ladder: tuple[Rung, ...]) -> float | None:
    """Slope of log remainder against log step, at the smallest steps where it is above noise."""
    clear = [rung for rung in ladder if rung.remainder > 0]
    orders = [
        math.log(big.remainder / small.remainder) / math.log(big.step / small.step)
        for big, small in zip(clear, clear[1:], strict=False)
    ]
    last = sorted(orders[-3:])
    return last[len(last) // 2] if last else None


@dataclass(frozen=True)
class OperandReport:
    """The line of one operand: what was compared and how far apart it was at worst."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    verdict: Verdict
    compared: int
    error: float


@dataclass(frozen=True)
class Report:
    """What `check_gradients` returns. True as a condition only when the verdict is *correct*.

    ``worst`` is the finding the verdict rests on (None when everything agreed), ``findings``
    all places that needed a closer look, ``operands`` one line for each operand, ``notes``
    whatever a reader should know besides.
    """

    verdict: Verdict
    function: str
    method: str
    operands: tuple[OperandReport, ...] = ()
    findings: tuple[Finding, ...] = ()
    worst: Finding | None = None
    order: int = 1
    evaluations: int = 0
    notes: tuple[str, ...] = ()
    remainder: float | None = None
    culprits: tuple[str, ...] = field(default=())

    def __bool__(self) -> bool:
        correct = self.verdict is Verdict.CORRECT
        if not correct:
            for watcher in _WATCHERS:
                watcher[:] = [self]  # the last one: a search asks thousands of times
        return correct

    def __str__(self) -> str:
        return page(self)

    def __repr__(self) -> str:
        where = ""
        if self.worst is not None:
            names = tuple(o.name for o in self.operands)
            where = f", {self.worst.where(names)}: {_versus(self.worst)}"
        return f"<Report {self.verdict}: {self.function}{where}>"

    def assert_correct(self) -> Report:
        """Return the report when correct; otherwise raise it as a `GradientError`."""
        if self:
            return self
        raise _ERRORS[self.verdict](str(self))


_WATCHERS: list[list[Report]] = []


@contextmanager
def watched(doubted: list[Report]) -> Iterator[None]:
    """Collect the reports that are asked for their truth meanwhile and are not correct."""
    _WATCHERS.append(doubted)
    try:
        yield
    finally:
        _WATCHERS.pop()


def _versus(finding: Finding) -> str:
    if math.isnan(finding.claimed) and math.isnan(finding.measured):
        return finding.reason
    return f"claimed {finding.claimed:.9g}, measured {finding.measured:.9g}"


def page(report: Report) -> str:
    """The report as text: verdict, evidence, ladder, operands, notes."""
    kind = "gradient" if report.order == 1 else "second derivative"
    lines = [f"{kind} of {report.function}: {str(report.verdict).upper()}"]
    lines.append(f"  {MEANING[report.verdict]}")
    if report.worst is not None:
        lines += [""] + _evidence(report.worst, tuple(o.name for o in report.operands))
    if report.culprits:
        lines += ["", "  where the rule is written:"] + [f"    {line}" for line in report.culprits]
    if report.operands:
        lines += [""] + _operand_table(report.operands)
    lines += ["", f"  measured by {report.method}, {report.evaluations} evaluations"]
    if report.remainder is not None:
        lines.append(f"  Taylor remainder of order {report.remainder:.2f} (right: 2, wrong: 1)")
    lines += [f"  note: {note}" for note in report.notes]
    return "\n".join(lines)


def _evidence(finding: Finding, names: tuple[str, ...]) -> list[str]:
    lines = [f"  at {finding.where(names)}: {finding.reason}"]
    if math.isnan(finding.claimed) and math.isnan(finding.measured):
        return lines
    lines.append(f"    claimed   {finding.claimed: .12g}")
    lines.append(f"    measured  {finding.measured: .12g}  (+- {finding.uncertainty:.1e})")
    if finding.slopes is not None:
        left, right = finding.slopes
        lines.append(f"    slope to the left {left:.9g}, to the right {right:.9g}")
    elif math.isfinite(finding.ratio):
        lines.append(f"    ratio     {finding.ratio: .9g}   relative error {finding.error:.1e}")
    if finding.ladder:
        lines.append(f"    {'step':>10} {'measured':>20} {'|error|':>10} {'remainder':>10}")
        for rung in finding.ladder:
            lines.append(
                f"    {rung.step:10.1e} {rung.measured:20.12g} {rung.error:10.1e}"
                f" {rung.remainder:10.1e}"
            )
        if finding.order is not None:
            lines.append(f"    remainder order {finding.order:.2f} (2 when right, 1 when wrong)")
    return lines


def _operand_table(operands: tuple[OperandReport, ...]) -> list[str]:
    head = ("operand", "shape", "dtype", "verdict", "compared", "largest error")
    rows = [head] + [
        (o.name, str(o.shape), o.dtype, str(o.verdict), str(o.compared), f"{o.error:.1e}")
        for o in operands
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    padded = [[c.ljust(w) for c, w in zip(row, widths, strict=True)] for row in rows]
    return ["  " + "  ".join(row).rstrip() for row in padded]
