"""Suspicious entries on trial: claims judged by ladders, groups narrowed to their entries."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .ladder import FloatArray, Judgement, Samples, judge, ladder_steps
from .probes import Evaluator, Probe, claimed
from .problem import Array
from .report import Finding, Rung, Verdict

_MOST_HALVES = 128  # ladders spent on finding the entries behind a group
_MOST_JUDGED = 64  # probes that get a ladder once the verdict cannot be correct
_LARGE = 10_000  # outputs: more than this, and only one ladder is kept


class Court:
    """What is known of one check, and the findings made of it.

    Rows read the outputs (the first ``single`` of them one output each), probes move the operands,
    ``gradients`` holds what is claimed: one array per row and operand.
    """

    def __init__(self, evaluate: Evaluator, rtol: float) -> None:
        self.evaluate, self.rtol = evaluate, rtol
        self.shapes: list[tuple[int, ...]] = []  # of the outputs
        self.centre: FloatArray = np.empty(0)  # all outputs at the point, as one vector
        self.eps = 0.0  # the precision the function computes in
        self.rows: FloatArray = np.empty((0, 0))
        self.single = 0
        self.probes: list[Probe] = []
        self.gradients: list[list[FloatArray]] = []
        self.errors: FloatArray | None = None  # rows x probes: how far apart what agreed was
        self.findings: list[Finding] = []
        self.nearest: tuple[float, int, tuple[int, ...]] | None = None  # kink: distance, place
        self._ladders: dict[int, tuple[FloatArray, FloatArray, FloatArray]] = {}
        self._judged: set[int] = set()

    def enough(self, column: int) -> bool:
        """Has the operand of this probe been convicted, or all patience been spent?"""
        operand = self.probes[column].operand
        wrong = [f for f in self.findings if f.operand == operand and f.verdict is Verdict.WRONG]
        if len(wrong) >= 3:
            return True
        spent = column not in self._judged and len(self._judged) >= _MOST_JUDGED
        return bool(self.findings) and spent

    def try_claim(self, r: int, c: int, claim: float, scale: float) -> None:
        """Judge one claim; what is not correct becomes a finding."""
        found = self._verdict(r, c, claim, scale)
        if found.verdict is Verdict.CORRECT:
            assert self.errors is not None
            self._remember_kink(c, found)
            self.errors[r, c] = abs(claim - found.measured) / (scale or 1.0)
        elif self.probes[c].single or not self._narrow(r, c, claim, found):
            self.record(r, c, claim, found)

    def _remember_kink(self, c: int, found: Judgement) -> None:
        """Keep the nearest kink that an entry was acquitted in spite of."""
        probe = self.probes[c]
        if not found.kink or not probe.single:
            return
        distance = found.kink * float(probe.weights[0])
        if self.nearest is None or distance < self.nearest[0]:
            index = place_in(int(probe.entries[0]), self.evaluate.operands[probe.operand].shape)
            self.nearest = (distance, probe.operand, index)

    def _verdict(self, r: int, c: int, claim: float, scale: float) -> Judgement:
        """Judge one claim by the ladder of its probe."""
        steps, plus, minus = self._samples(c)
        row = self.rows[r]
        read = row != 0  # 0 * inf of an output that this row does not read would be NaN
        reached = read & np.any((plus != self.centre) | (minus != self.centre), axis=0)
        natural = float(np.abs(row[reached]) @ np.abs(self.centre[reached]))
        up, down = plus - self.centre, minus - self.centre
        samples = Samples(
            steps, up[:, reached] @ row[reached], down[:, reached] @ row[reached], 0.0,
            2 * self.eps * natural, self.probes[c].largest,
            16 * self.eps * float(np.abs(row[~reached]) @ np.abs(self.centre[~reached])),
            64 * 2.0**-52 * self._largest() * float(np.abs(row).max(initial=0.0)),
        )  # fmt: skip
        # What rounding may hide is measured on all outputs read: 0 claimed as 1e-17 is no error.
        natural = float(np.abs(row) @ np.abs(self.centre))
        scale = scale if np.isfinite(scale) else 0.0
        found = judge(samples, claim, scale, self.rtol, natural)
        if found.verdict is Verdict.CORRECT:
            return found
        inner = self.evaluate.inner * float(np.abs(row).sum())
        rounding = max(samples.rounding, 4 * inner)
        patient = replace(samples, rounding=rounding, inner=1024 * inner)
        again = judge(patient, claim, scale, self.rtol, natural)
        return again if again.verdict is Verdict.CORRECT else found

    def _largest(self) -> float:
        """The largest number seen, among operands and outputs."""
        sizes = [np.abs(x).max(initial=0.0) for x in (self.centre, *self.evaluate.operands)]
        return float(max(sizes))

    def _samples(self, column: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        if column not in self._ladders:
            if self.centre.size > _LARGE:
                self._ladders.clear()
            probe = self.probes[column]
            steps = ladder_steps(probe.smallest)
            plus = np.stack([self.evaluate.real(probe, float(h)) for h in steps])
            minus = np.stack([self.evaluate.real(probe, -float(h)) for h in steps])
            self._ladders[column] = (steps, plus, minus)
            self._judged.add(column)
        return self._ladders[column]

    def _narrow(self, r: int, c: int, claim: float, found: Judgement) -> bool:
        """Halve a group until the single entries are left that its verdict comes from.

        A direction through many entries may cross a kink or a pole that no entry is near to, so
        a kink or noise that is gone in the halves is no finding. True when that settles it.
        """
        wrong = found.verdict is Verdict.WRONG
        stack = list(self.probes[c].split())
        settled, before = not wrong, len(self.findings)
        for _ in range(_MOST_HALVES):
            if not stack or len(self.findings) > before + 3:
                break
            probe = stack.pop()
            self.probes.append(probe)
            assert self.errors is not None
            self.errors = np.pad(self.errors, ((0, 0), (0, 1)))
            column = len(self.probes) - 1
            value, terms = claimed([self.gradients[r]], [probe])
            part = self._verdict(r, column, float(value[0, 0]), float(terms[0, 0]))
            if part.verdict is Verdict.CORRECT:
                continue
            if probe.single:
                self.record(r, column, float(value[0, 0]), part)
            else:
                stack += probe.split()
        return len(self.findings) > before or (settled and not stack)

    def record(self, r: int, c: int, claim: float, found: Judgement) -> None:
        """Keep a judgement, in the units of the derivative instead of those of the probe."""
        probe = self.probes[c]
        unit, index, output = 1.0, None, None
        if probe.single:
            unit = float(probe.weights[0])
            index = place_in(int(probe.entries[0]), self.evaluate.operands[probe.operand].shape)
        if r < self.single:
            unit *= float(self.rows[r, r])
            output = self.place_of_output(r)
        step = float(probe.weights[0]) if probe.single else 1.0
        size = abs(unit)
        rungs = tuple(
            Rung(g.step * step, g.measured / unit, g.error / size, g.remainder / size * step)
            for g in found.rungs
        )
        slopes = None if found.slopes is None else (found.slopes[0] / unit, found.slopes[1] / unit)
        self.add(
            found.verdict, probe.operand, index, output, claim / unit, found.measured / unit,
            found.reason, found.uncertainty / abs(unit), rungs, slopes,
        )  # fmt: skip

    def place_of_output(self, flat: int) -> tuple[int, ...]:
        """Where the flat output number ``flat`` is; led by the number of its output, if several."""
        for number, shape in enumerate(self.shapes):
            size = int(np.prod(shape))
            if flat < size:
                at = place_in(flat, shape)
                return at if len(self.shapes) == 1 else (number, *at)
            flat -= size
        raise IndexError(flat)

    def add(
        self,
        verdict: Verdict,
        operand: int,
        index: tuple[int, ...] | None,
        output: tuple[int, ...] | None,
        claim: float,
        measured: float,
        reason: str,
        bar: float = 0.0,
        rungs: tuple[Rung, ...] = (),
        slopes: tuple[float, float] | None = None,
    ) -> None:
        self.findings.append(
            Finding(verdict, operand, index, output, claim, measured, bar, reason, rungs, slopes)
        )


def place_in(flat: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(flat, shape)) if shape else ()


def first_of(mask: Array) -> tuple[int, ...]:
    return tuple(int(i) for i in np.argwhere(mask)[0])
