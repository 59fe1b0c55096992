"""The gradient at the dtype and memory layout the user gave, against the float64 one.

The slopes are measured on contiguous float64 copies. What this leaves unseen (a rule that is
right in float64 only, or on contiguous arrays only) is compared here, with a tolerance that comes
from the dtype and from how much the gradient itself moves when its inputs are rounded.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .ladder import FloatArray
from .problem import Array, Problem
from .report import Finding, Verdict


def compare_as_given(
    problem: Problem,
    operands: Sequence[FloatArray],
    shapes: Sequence[tuple[int, ...]],
    rng: np.random.Generator,
) -> list[Finding]:
    """Findings (none when all is well) for the gradient of the operands as they were given."""
    given = problem.operands
    eps = max(float(np.finfo(x.dtype).eps) for x in given)
    if eps < 1e-15 and all(x.flags.c_contiguous and x.flags.writeable for x in given):
        return []
    # Small multiples of 1/8: exact in every dtype, so the cotangent adds no rounding of its own.
    gs = [rng.integers(4, 12, shape) / 8 * rng.choice([-1.0, 1.0], shape) for shape in shapes]
    low = np.result_type(*given)
    with np.errstate(all="ignore"):
        mine = problem.pullback(given, [np.asarray(g, dtype=low) for g in gs])
        exact = problem.pullback([x.copy() for x in operands], [g.copy() for g in gs])
        near = [np.asarray(x * (1 + 2 * eps * rng.uniform(-1, 1, x.shape))) for x in operands]
        moved = problem.pullback(near, [g.copy() for g in gs])
    findings = []
    for k, parts in enumerate(zip(mine, exact, moved, strict=True)):
        found = _compare(k, given[k], eps, *parts)
        if found is not None:
            findings.append(found)
    return findings


def _compare(
    k: int, x: Array, eps: float, mine: Array | None, exact: Array | None, moved: Array | None
) -> Finding | None:
    """One operand's gradient in the given form, against float64."""
    if mine is None or exact is None or moved is None:
        if (mine is None) == (exact is None):
            return None
        reason = "a gradient arrives in one dtype only"
        return _finding(Verdict.WRONG, k, None, np.nan, np.nan, reason)
    if mine.shape != x.shape:
        reason = f"in the given layout the gradient has shape {mine.shape}, its operand {x.shape}"
        return _finding(Verdict.WRONG, k, None, np.nan, np.nan, reason)
    if not x.size:
        return None
    values = mine.astype(np.float64)
    if not np.all(np.isfinite(values)):
        index = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
        reason = f"in {x.dtype} the gradient is not finite, in float64 it is"
        return _finding(
            Verdict.NOT_FINITE, k, index, float(values[index]), float(exact[index]), reason
        )
    apart = np.abs(values - exact)
    index = tuple(int(i) for i in np.unravel_index(int(np.argmax(apart)), apart.shape))
    size = float(np.max(np.abs(exact)))
    tiny = float(np.finfo(x.dtype).tiny)
    condition = 4 * float(np.max(np.abs(moved - exact)))
    if apart[index] <= 64 * eps * size + condition + tiny:
        return None
    form = f"as {x.dtype} with strides {x.strides}"
    if eps < 1e-15 or apart[index] > 0.05 * size + 10 * condition:
        verdict = Verdict.WRONG
        reason = f"{form} the gradient is another one than on a contiguous float64 copy"
    else:
        verdict = Verdict.NOISY
        reason = f"the rule is right in float64, but {form} it loses precision"
    return _finding(verdict, k, index, float(values[index]), float(exact[index]), reason)


def _finding(
    verdict: Verdict,
    operand: int,
    index: tuple[int, ...] | None,
    claim: float,
    measured: float,
    reason: str,
) -> Finding:
    return Finding(verdict, operand, index, None, claim, measured, 0.0, reason)
