"""Judge one claimed slope of one function of a single number, from a ladder of step sizes.

A difference quotient at a single step cannot tell a wrong gradient from a bad step. Over a
ladder of steps h = 1/4, 1/16, ... the possible causes of a disagreement look different:

* right slope: the error falls like h**2 until rounding noise, growing like 1/h, takes over;
* wrong slope: the error stays at one value while h shrinks;
* kink at the point: the left and the right slope keep a constant gap;
* kink nearby: the gap is constant for large h and gone, exactly, below the kink's distance;
* jump: f(x+h) - f(x-h) itself stays constant;
* noise: the quotients scatter like 1/h over the whole ladder.

The step with the smallest *error bar* is chosen, never the one that agrees best with the claim.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .report import Rung, Verdict

FloatArray = np.ndarray[Any, np.dtype[np.float64]]

_LEVELS = 24
_MOST_LEVELS = 64


def ladder_steps(smallest: float = 1.0) -> FloatArray:
    """Steps 2**-2, 2**-4, ...: 24 of them, more when an entry as small as ``smallest`` needs it.

    >>> ladder_steps()[:3]
    array([0.25    , 0.0625  , 0.015625])
    """
    levels = _LEVELS
    if 0 < smallest < 2.0**-30:
        levels = min(_MOST_LEVELS, math.ceil(-math.log2(smallest) / 2) + 18)
    return np.power(0.25, np.arange(1, levels + 1), dtype=np.float64)


@dataclass(frozen=True)
class Samples:
    """f(x + h), f(x - h) for each step h (largest first), f(x), and the rounding error of one f.

    ``position`` is |x| in the units of h: x + h is rounded to so many parts in 2**53.
    ``blind`` is a slope too small to move, at any step, the outputs that were seen not to move.
    ``floor`` is what rounding makes of numbers as large as those that the function works on: an
    output in which they cancel (the sum of a layer norm) moves by no less. ``inner`` is the same as
    measured on what the function does inside: what moves by no more than that does not move.
    """

    steps: FloatArray
    plus: FloatArray
    minus: FloatArray
    centre: float
    rounding: float
    position: float = 1.0
    blind: float = 0.0
    floor: float = 0.0
    inner: float = 0.0


@dataclass(frozen=True)
class Judgement:
    """A verdict on one claim, in the units of the samples.

    ``kink`` is the smallest step at which a kink was still seen, 0.0 where there was none.
    """

    verdict: Verdict
    measured: float
    uncertainty: float
    reason: str
    rungs: tuple[Rung, ...] = ()
    slopes: tuple[float, float] | None = None
    kink: float = 0.0


def judge(
    samples: Samples, claim: float, scale: float, rtol: float, natural: float = 0.0
) -> Judgement:
    """Decide whether ``claim`` is the slope of the sampled function at 0.

    ``scale`` is the size that ``rtol`` is relative to (the sum of absolute terms of the inner
    product that the claim came from); ``natural`` the size of the function's values, against which
    a slope that is nothing but rounding may be called zero.
    """
    if not math.isfinite(samples.centre):
        reason = "the function's value is not finite"
        return Judgement(Verdict.NOT_FINITE, math.nan, math.inf, reason)
    curve = _Curve.of(samples)
    if curve is None:
        reason = "the function is not finite around this point"
        return Judgement(Verdict.NOT_FINITE, math.nan, math.inf, reason)
    if not math.isfinite(claim):
        slope, bar = curve.best(0)
        reason = "the gradient is not finite, though the function is finite around this point"
        return Judgement(Verdict.NOT_FINITE, slope, bar, reason)
    bottom = only_rounding(samples, claim)
    if bottom is not None:
        return Judgement(Verdict.CORRECT, 0.0, bottom, "claim and slope are both below rounding")
    broken, gap = curve.break_point()
    slope, bar = curve.best(broken)
    rungs = curve.rungs(claim)
    if broken and bar > 0.02 * gap:
        return _at_a_kink(curve, claim, broken, rungs)
    if broken == 0 and curve.one_sided and not bar < 1e-3 * max(abs(slope), natural, 1e-300):
        reason = "the edge of the domain, where the one-sided slope does not settle"
        return Judgement(Verdict.KINK, slope, bar, reason, rungs)
    hidden = samples.blind + rtol * max(scale, abs(slope))
    found = _compare(curve, claim, slope, bar, max(scale, abs(slope)), hidden, natural, rungs)
    return replace(found, kink=float(curve.steps[broken - 1])) if broken else found


def only_rounding(samples: Samples, claim: float) -> float | None:
    """The slope below which all is rounding, where claim and samples show no more than that.

    What is below the rounding inside the function is as good as 0, if not at once far away. Of the
    rounding of its inputs and outputs less is known, so it has to look like it as well: a slope
    however small, or a kink, moves the function by less at a smaller step; rounding does not, or it
    is gone altogether.
    """
    moved = np.maximum(np.abs(samples.plus), np.abs(samples.minus))  # as the centre is taken off
    near = float(samples.steps[2])
    if np.all(moved[2:] <= samples.inner) and abs(claim) * near <= samples.inner:
        return samples.inner / near
    first = float(samples.steps[0])
    if samples.centre or not np.all(moved <= samples.floor) or abs(claim) * first > samples.floor:
        return None
    last = float(moved[-8:].max())
    return samples.floor / first if last == 0 or last >= 0.01 * float(moved.max()) else None


def _compare(
    curve: _Curve,
    claim: float,
    slope: float,
    bar: float,
    scale: float,
    hidden: float,
    natural: float,
    rungs: tuple[Rung, ...],
) -> Judgement:
    def answer(verdict: Verdict, reason: str) -> Judgement:
        return Judgement(verdict, slope, bar, reason, rungs)

    apart = abs(claim - slope)
    if apart > hidden + 10 * bar:
        if slope == 0 and claim != 0 and curve.follows(claim):
            reason = "a staircase: the claim holds over large steps, small steps see flat treads"
            return answer(Verdict.NOISY, reason)
        return answer(Verdict.WRONG, "the error does not shrink with the step")
    # A mutant wrong by 1 part in 1000 must not hide inside the error bar.
    if 10 * bar <= 1e-3 * scale:
        return answer(Verdict.CORRECT, "the smallest error bar holds the claim")
    if scale + 10 * bar <= 1e-6 * max(natural, curve.around) or scale == bar == 0:
        return answer(Verdict.CORRECT, "claim and slope are both below rounding")
    return answer(Verdict.NOISY, "the measured slopes scatter more than the claim could be wrong")


def _at_a_kink(curve: _Curve, claim: float, broken: int, rungs: tuple[Rung, ...]) -> Judgement:
    left, right = curve.sides(broken - 1)
    low, high = min(left, right), max(left, right)
    middle, gap = (left + right) / 2, high - low
    nearest = curve.steps[broken - 1]
    if curve.jumps(broken - 1):
        reason = f"the function jumps within {nearest:.1e} (in units of the entry's scale)"
        return Judgement(Verdict.KINK, middle, gap, reason, rungs)
    if curve.settled(broken - 1) and not low - 0.02 * gap <= claim <= high + 0.02 * gap:
        reason = "a kink, and the claim lies outside the slopes to its left and right"
        return Judgement(Verdict.WRONG, middle, gap / 2, reason, rungs, (left, right))
    reason = f"a kink within {nearest:.1e} (in units of the entry's scale)"
    return Judgement(Verdict.KINK, middle, gap / 2, reason, rungs, (left, right))


@dataclass(frozen=True)
class _Curve:
    """The finite rungs of the ladder, with the quotients and the noise read off them."""

    steps: FloatArray
    slope: FloatArray  # the best quotient of each rung: central, or extrapolated one-sided
    right: FloatArray
    left: FloatArray
    rounding: FloatArray  # error of one evaluation of f on each rung: of f itself, and of x + h
    noise: FloatArray  # the same, as the scatter at the smallest steps shows it, if that is more
    one_sided: bool

    @staticmethod
    def of(samples: Samples) -> _Curve | None:
        plus, minus = np.isfinite(samples.plus), np.isfinite(samples.minus)
        both = plus & minus
        if np.count_nonzero(both) >= 5:
            return _Curve._build(samples, both, one_sided=False)
        side = plus if np.count_nonzero(plus) >= np.count_nonzero(minus) else minus
        if np.count_nonzero(side) < 6:
            return None
        return _Curve._build(samples, side, one_sided=True)

    @staticmethod
    def _build(samples: Samples, keep: np.ndarray[Any, Any], one_sided: bool) -> _Curve:
        h, p, m = samples.steps[keep], samples.plus[keep], samples.minus[keep]
        with np.errstate(all="ignore"):
            right, left = (p - samples.centre) / h, (samples.centre - m) / h
            slope = (p - m) / (2 * h)
        if one_sided:
            side = right if np.all(np.isfinite(right)) else left
            # Richardson: one-sided quotients err like h; (4 s(h/4) - s(h)) / 3 cancels that term.
            slope, h = (4 * side[1:] - side[:-1]) / 3, h[1:]
            right = left = side[1:]
        tail = slice(max(0, len(h) - 7), None)
        scatter = np.sort(np.abs(np.diff(slope[tail])) * h[tail][1:])
        noise = max(samples.rounding, 2 * float(scatter[-2]), _quantum(p, m, samples.centre))
        # x + h is rounded too, by an ulp of x: seen through the slope at x + h, not that at x.
        # Where the slope at x is 0 this is all there is, and it does not shrink with h.
        ulp = 2.0**-52 * samples.position
        rounding = samples.rounding + ulp * np.maximum(np.abs(right), np.abs(left))
        return _Curve(h, slope, right, left, rounding, np.maximum(noise, rounding), one_sided)

    @property
    def around(self) -> float:
        """The largest slope over the large steps: what counts as a slope in this neighbourhood."""
        sides = np.maximum(
            np.abs(self.right), np.abs(self.left)
        )  # at a minimum these differ from 0
        return float(np.max(sides[:5]))

    def best(self, start: int) -> tuple[float, float]:
        """The slope with the smallest error bar among the rungs from ``start`` on.

        A rung's bar is its noise, plus whatever a *smaller* step contradicts beyond noise: this
        catches a step that is too large for the function (truncation, aliasing, a kink inside).
        """
        if start >= len(self.steps):
            return float(self.slope[-1]), math.inf
        slope, noise = self.slope[start:], (self.noise / self.steps)[start:]
        apart = np.abs(slope[:, None] - slope[None, :]) - 3 * (noise[:, None] + noise[None, :])
        smaller = np.triu(np.maximum(apart, 0.0), 1)  # column: a smaller step than the row's
        bars = 4 * noise + smaller.max(axis=1)
        at = int(np.argmin(bars))
        return float(slope[at]), float(bars[at])

    def break_point(self) -> tuple[int, float]:
        """(Index of the first rung below a kink or jump, the gap there); (0, 0.0) when smooth."""
        gap = self.right - self.left
        size = np.maximum(np.abs(self.right), np.abs(self.left))
        clear = (np.abs(gap) > 40 * self.noise / self.steps) & (np.abs(gap) > 1e-6 * size)
        last = _last_of_run(gap, clear, 0.6, 5.0)
        jump = self.slope * self.steps
        last = max(last, _last_of_run(jump, np.abs(jump) > 100 * self.rounding, 0.9, 1.1))
        if last < 0 or self.one_sided:
            return 0, 0.0
        return last + 1, float(max(abs(gap[last]), abs(self.slope[last])))

    def sides(self, at: int) -> tuple[float, float]:
        return float(self.left[at]), float(self.right[at])

    def jumps(self, at: int) -> bool:
        """Does f(x+h) - f(x-h), or its second difference, stay constant down to this rung?"""
        start = max(0, at - 3)
        for quotient in (self.slope, self.right - self.left):
            values = (quotient * self.steps)[start : at + 1]
            if values[-1] != 0 and np.all(np.abs(values / values[-1] - 1) < 0.1):
                return True
        return False

    def settled(self, at: int) -> bool:
        """Have both one-sided slopes stopped moving at this rung (a kink, not a cusp)?"""
        start = max(0, at - 2)
        gap = abs(self.right[at] - self.left[at])
        moved = np.ptp(self.right[start : at + 1]) + np.ptp(self.left[start : at + 1])
        return bool(moved < 0.02 * gap)

    def follows(self, claim: float) -> bool:
        """Do two neighbouring large steps agree with the claim to 5 %?"""
        near = np.abs(self.slope - claim) < 0.05 * abs(claim)
        return bool(np.any(near[:-1] & near[1:]))

    def rungs(self, claim: float) -> tuple[Rung, ...]:
        """Every second rung, for a reader."""
        out = []
        rows = zip(self.steps, self.slope, self.right, self.noise, strict=True)
        for h, slope, right, noise in rows:
            remainder = abs(float(right) - claim) * float(h)
            above = remainder if remainder > 4 * float(noise) else 0.0
            out.append(Rung(float(h), float(slope), abs(float(slope) - claim), above))
        return tuple(out[:16:2])


def _quantum(plus: FloatArray, minus: FloatArray, centre: float) -> float:
    """The smallest change seen, where it looks like a rounding step inside the function.

    A saturated function does not move at all for small steps, so their scatter shows no noise; what
    it moves by at first is one rounding error of something larger inside.
    """
    moved = np.concatenate([np.abs(plus - centre), np.abs(minus - centre)])
    moved = np.where(np.isfinite(moved), moved, 0.0)
    flat = not np.any(moved[[-1, -2, -3]]) and not np.any(moved[: len(plus)][-3:])
    smallest = float(np.min(moved, where=moved > 0, initial=1.0))
    return smallest if flat and smallest <= 64 * 2.0**-52 else 0.0


def _last_of_run(
    values: FloatArray, clear: np.ndarray[Any, Any], low: float, high: float, run: int = 3
) -> int:
    """Last index of the last run of >= ``run`` ratios values[k+1]/values[k] within (low, high)."""
    with np.errstate(all="ignore"):
        ratio = values[1:] / values[:-1]
    steady = clear[1:] & clear[:-1] & (ratio > low) & (ratio < high)
    last, length = -1, 0
    for k, ok in enumerate(steady):
        length = length + 1 if ok else 0
        if length >= run:
            last = k + 1
    return last
