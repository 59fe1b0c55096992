"""`check_gradients`: is this gradient right? A verdict with evidence, for any function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .court import Court, first_of
from .ladder import FloatArray, Judgement
from .probes import (
    Evaluator,
    Slopes,
    claimed,
    complex_slopes,
    make_probes,
    make_rows,
    measure,
    suspicious,
    working_eps,
)
from .problem import Array, ArrayProblem, Problem
from .report import Finding, OperandReport, Report, Rung, Verdict, remainder_order
from .report import place as place_of

RTOL = 1e-6
_COMPLEX_RTOL = 1e-10


def check_gradients(
    fn: Callable[..., Any],
    *inputs: Any,
    grad_fn: Callable[..., Any] | None = None,
    order: int = 1,
    rtol: float = RTOL,
    complex_step: bool = False,
    seed: int = 0,
    names: Sequence[str] | None = None,
    cotangent: bool | None = None,
) -> Report:
    """Compare the gradient of ``fn`` at ``inputs`` with slopes measured on ``fn`` itself.

    Without ``grad_fn`` the function is one of Tensors (inputs: Tensors or arrays) or of Values
    (inputs: Values or Python floats), and its gradient is what ``backward()`` gives. With
    ``grad_fn`` any pair of functions on arrays can be checked, wherever it comes from:

    * ``grad_fn(g, *inputs)`` returns the gradient of ``(g * fn(*inputs)).sum()``, one array for
      each operand, or
    * ``grad_fn(*inputs)`` returns the gradient of a scalar function, the Jacobian (output shape +
      input shape), or the derivative of an elementwise function.

    Which one is read off the number of parameters; ``cotangent=True`` or ``False`` says it.

    The slopes are measured in float64 whatever the dtype of the inputs; a gradient in a lower
    precision is then held against the float64 one. Small operands are compared entry by entry
    and output by output, large ones along random directions that cover every entry.

    ``order=2`` checks the derivative of the gradient instead. ``rtol`` is relative to the absolute
    terms of each slope: there is no absolute tolerance a tiny gradient could hide under.
    ``complex_step=True`` measures to 1e-10 functions of arrays that are analytic.

    Returns a `Report`: true when correct, and a page of evidence when printed.

    >>> import numpy as np
    >>> report = check_gradients(np.tanh, np.array([0.3, -1.2]), grad_fn=lambda x: 1 - np.tanh(x))
    >>> print(report.verdict)
    wrong
    >>> bool(check_gradients(np.sin, np.array([0.3, -1.2]), grad_fn=np.cos))
    True

    Raises TypeError when no input is floating, ValueError for an order other than 1 or 2.
    """
    if order not in (1, 2):
        raise ValueError(f"order must be 1 or 2, got {order!r}")
    if grad_fn is not None:
        if order == 2:
            raise ValueError(
                "order=2 needs a gradient that can itself be differentiated: pass a function of"
                " Tensors without grad_fn, or check grad_fn as a function with its own gradient"
            )
        problem: Problem = ArrayProblem(fn, inputs, grad_fn, names, cotangent)
    else:
        from .adapt import problem_for

        problem = problem_for(fn, inputs, order, names)
    return check_problem(problem, order=order, rtol=rtol, complex_step=complex_step, seed=seed)


def check_problem(
    problem: Problem,
    *,
    order: int = 1,
    rtol: float = RTOL,
    complex_step: bool = False,
    seed: int = 0,
) -> Report:
    """The check behind `check_gradients`, for a `Problem` of any kind."""
    return _Check(problem, order, rtol, complex_step, seed).run()


class _Check:
    """One run: the point, what was claimed there, and what is found out about it."""

    def __init__(
        self, problem: Problem, order: int, rtol: float, complex_step: bool, seed: int
    ) -> None:
        self.problem, self.order, self.rtol, self.complex_step = problem, order, rtol, complex_step
        self.rng = np.random.default_rng(seed)
        # order="C": fresh contiguous float64 copies; the given layout is compared separately.
        self.operands = [np.array(x, dtype=np.float64, order="C") for x in problem.operands]
        self.evaluate = Evaluator(problem.forward, self.operands)
        self.court = Court(self.evaluate, rtol)
        self.notes: list[str] = []
        self.method = "central differences"
        self.remainder: float | None = None
        self.unsteady: FloatArray = np.zeros(0)  # how far each output moves from call to call

    def run(self) -> Report:
        early = self._forward()
        if early is not None:
            return early
        size = sum(x.size for x in self.operands)
        court = self.court
        court.rows, court.single = make_rows(court.centre.size, size, self.rng)
        court.probes = make_probes(self.operands, self.rng)
        gradients = [self._gradient(row) for row in court.rows]
        for row in gradients:
            if self._malformed(row):
                return self._report()
        court.gradients = [
            [_dense(g, x.shape) for g, x in zip(row, self.operands, strict=True)]
            for row in gradients
        ]
        missing = [n for n, g in zip(self.problem.names, gradients[0], strict=True) if g is None]
        self.notes += [f"no gradient arrived at {n}: taken as a claim of zero" for n in missing]
        if court.probes and court.centre.size:
            self._compare()
        else:
            self.notes.append("no entry to compare: only the shapes of the gradients were checked")
        if not court.findings:
            self._as_given()
        return self._report()

    # -- what is claimed ---------------------------------------------------------------------

    def _forward(self) -> Report | None:
        """Evaluate at the point; a report right away when that is not finite."""
        for k, x in enumerate(self.operands):
            if not np.all(np.isfinite(x)):
                index = first_of(~np.isfinite(x))
                reason = "this input is not finite, so it has no neighbourhood to measure in"
                self.court.add(Verdict.NOT_FINITE, k, index, None, np.nan, float(x[index]), reason)
                return self._report()
        with np.errstate(all="ignore"):
            first = self.problem.forward([x.copy() for x in self.operands])
        self.court.shapes = [y.shape for y in first]
        if not first:
            raise TypeError(
                f"{self.problem.name} has no floating output, so there is nothing to differentiate"
            )
        self.court.centre = self.evaluate.real()
        with np.errstate(all="ignore"):
            again = np.stack([self.evaluate.real() for _ in range(3)])
            apart = np.where(again == self.court.centre, 0.0, np.abs(again - self.court.centre))
        self.unsteady = np.nan_to_num(apart.max(axis=0))
        if np.any(self.unsteady):
            self.notes.append(
                "two calls with the same inputs gave different values: fn draws random numbers"
                " or keeps state (seed it inside fn)"
            )
        if not np.all(np.isfinite(self.court.centre)):
            flat = int(np.flatnonzero(~np.isfinite(self.court.centre))[0])
            reason = "the function's own value is not finite here"
            value = float(self.court.centre[flat])
            self.court.add(
                Verdict.NOT_FINITE, 0, None, self.court.place_of_output(flat), np.nan, value, reason
            )
            return self._report()
        return None

    def _gradient(self, row: FloatArray) -> list[Array | None]:
        parts, start = [], 0
        for shape in self.court.shapes:
            size = int(np.prod(shape))
            parts.append(row[start : start + size].reshape(shape).copy())
            start += size
        with np.errstate(all="ignore"):
            return self.problem.pullback([x.copy() for x in self.operands], parts)

    def _malformed(self, row: Sequence[Array | None]) -> bool:
        """Wrong shapes end the check; entries that are not finite are judged like others."""
        for k, (g, x) in enumerate(zip(row, self.operands, strict=True)):
            if g is not None and g.shape != x.shape:
                reason = f"the gradient has shape {g.shape}, its operand {x.shape}"
                self.court.add(Verdict.WRONG, k, None, None, np.nan, np.nan, reason)
                return True
        return False

    # -- what is measured --------------------------------------------------------------------

    def _compare(self) -> None:
        court = self.court
        court.eps = working_eps(self.evaluate, self.rng, court.centre)
        if court.eps > 1e-15:
            self.notes.append(f"fn computes to {court.eps:.0e} only, even on float64 inputs")
        claim, terms = claimed(court.gradients, court.probes)
        slopes = measure(self.evaluate, court.probes, court.rows, court.centre, court.eps)
        doubtful = suspicious(claim, terms, slopes, self.rtol)
        if self.complex_step:
            self._complex(claim, terms, slopes, doubtful)
        scale = np.maximum(terms, slopes.terms)
        with np.errstate(all="ignore"):
            severity = np.where(scale > 0, np.abs(claim - slopes.value) / scale, 0.0)
        court.errors = np.where(doubtful, 0.0, np.nan_to_num(severity))
        severity = np.where(np.isfinite(severity), severity, np.inf)
        places = np.argwhere(doubtful)
        ranked = places[np.argsort(-severity[places[:, 0], places[:, 1]], kind="stable")]
        for r, c in ranked:
            if court.enough(int(c)):
                continue
            court.try_claim(int(r), int(c), float(claim[r, c]), float(terms[r, c]))
        self._taylor()

    def _complex(
        self,
        claim: FloatArray,
        terms: FloatArray,
        slopes: Slopes,
        doubtful: np.ndarray[Any, np.dtype[np.bool_]],
    ) -> None:
        """Compare with complex-step slopes wherever these agree with the differences."""
        try:
            exact = complex_slopes(self.evaluate, self.court.probes, self.court.rows)
        except TypeError as error:
            self.notes.append(f"no complex step: fn refuses complex arrays ({error})")
            return
        scale = np.maximum(terms, slopes.terms)
        trusted = np.abs(exact - slopes.value) <= 1e-5 * scale + 4 * slopes.noise
        if not np.all(trusted):
            self.notes.append(
                "the complex step contradicts the differences: fn is not analytic (abs, norm,"
                " a comparison of complex numbers...), so differences were used there"
            )
        self.method = "the complex step, cross-checked by central differences"
        off = np.abs(claim - exact) > _COMPLEX_RTOL * scale
        for r, c in np.argwhere(trusted & off & ~doubtful)[:4]:
            bar = 1e-14 * float(scale[r, c])
            found = Judgement(Verdict.WRONG, float(exact[r, c]), bar, "off in the complex step")
            self.court.record(int(r), int(c), float(claim[r, c]), found)

    def _taylor(self) -> None:
        """Order of the remainder along one random direction through all operands at once."""
        court = self.court
        if court.findings or court.eps > 1e-15:
            return
        ways = [
            self.rng.uniform(0.5, 1.5, x.shape) * self.rng.choice([-1.0, 1.0], x.shape)
            for x in self.operands
        ]
        row, grad = court.rows[-1], court.gradients[-1]
        slope = sum(float(np.sum(g * w)) for g, w in zip(grad, ways, strict=True))
        floor = 100 * court.eps * float(np.abs(row) @ np.abs(court.centre))
        rungs = []
        for k in range(4, 12):
            h = 2.0**-k
            moved = [x + h * w for x, w in zip(self.operands, ways, strict=True)]
            value = Evaluator(self.problem.forward, moved).real()
            self.evaluate.count += 1
            with np.errstate(all="ignore"):
                rest = abs(float(row @ (value - court.centre)) - h * slope)
            rungs.append(Rung(h, slope, 0.0, rest if rest > floor else 0.0))
        found = remainder_order(tuple(rungs))
        if found is not None and found > 1.8:
            self.remainder = found
        elif found is not None:
            self.notes.append("no clear Taylor order: fn bends at steps below 5e-4 here")

    # -- the gradient at the given dtype and layout ------------------------------------------

    def _as_given(self) -> None:
        """Hold the gradient of the inputs as given (dtype, strides) against the float64 one."""
        from .precision import compare_as_given

        for finding in compare_as_given(self.problem, self.operands, self.court.shapes, self.rng):
            self.court.findings.append(finding)

    # -- the report --------------------------------------------------------------------------

    def _steadied(self, finding: Finding) -> Finding:
        """A finding of a function that differs from call to call, where that may be all it shows.

        At step h the calls alone move a slope by (how far they are apart) / h: what is wrong by
        more than ten times that at the largest step is wrong.
        """
        apart = float(self.unsteady.sum())
        if finding.verdict is Verdict.NOT_FINITE or not finding.ladder or not apart:
            return finding
        first = finding.ladder[0]
        if finding.verdict is Verdict.WRONG and first.error * first.step > 10 * apart:
            return finding
        reason = "fn gives another value at each call, and the slopes show no more than that"
        return replace(finding, verdict=Verdict.NOISY, reason=reason, slopes=None)

    def _report(self) -> Report:
        court = self.court
        court.findings[:] = [self._steadied(f) for f in court.findings]
        worst = max(court.findings, key=lambda f: f.verdict.severity, default=None)
        verdict = Verdict.CORRECT if worst is None else worst.verdict
        if self.evaluate.altered:
            self.notes.append("fn changed its input arrays (the check worked on copies)")
        if court.nearest is not None:
            distance, operand, index = court.nearest
            place = place_of(self.problem.names[operand], index, None)
            self.notes.append(
                f"{place} is within {distance:.0e} of a kink; the slope on its own side was taken"
            )
        return Report(
            verdict=verdict,
            function=self.problem.name,
            method=self.method,
            operands=tuple(self._operand(k) for k in range(len(self.operands))),
            findings=tuple(court.findings),
            worst=worst,
            order=self.order,
            evaluations=self.evaluate.count,
            notes=tuple(dict.fromkeys(self.notes)),
            remainder=self.remainder,
            culprits=self._culprits(verdict),
        )

    def _culprits(self, verdict: Verdict) -> tuple[str, ...]:
        if verdict is Verdict.WRONG:
            return self.problem.culprits()
        if verdict is Verdict.NOT_FINITE:  # of rules that are all right, none is to be named
            return tuple(line for line in self.problem.culprits() if not line.startswith("fn "))
        return ()

    def _operand(self, k: int) -> OperandReport:
        court = self.court
        given = self.problem.operands[k]
        mine = [f for f in court.findings if f.operand == k]
        verdict = max((f.verdict for f in mine), key=lambda v: v.severity, default=Verdict.CORRECT)
        largest, compared = max((f.error for f in mine), default=0.0), 0
        errors = court.errors
        if errors is not None:
            columns = [c for c, probe in enumerate(court.probes) if probe.operand == k]
            compared = len(columns) * len(court.rows)
            largest = max([largest, *errors[:, columns].max(axis=0, initial=0.0)])
        return OperandReport(
            self.problem.names[k], given.shape, str(given.dtype), verdict, compared, float(largest)
        )


def _dense(g: Array | None, shape: tuple[int, ...]) -> FloatArray:
    return np.zeros(shape) if g is None else np.asarray(g, dtype=np.float64)
