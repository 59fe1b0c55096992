"""Measure slopes of a function along chosen entries or directions, and find the suspicious ones.

A *probe* moves one operand, along a single entry (small operands: every entry has its own) or
along a random direction through a group of entries (large operands: the groups cover all). A *row*
reads the outputs, through a random cotangent or one output at a time. Claims and slopes are then
two matrices, rows x probes, compared entry by entry.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .ladder import FloatArray
from .problem import Array

Mask = np.ndarray[Any, np.dtype[np.bool_]]
Forward = Callable[[Sequence[Array]], list[Array]]

DENSE = 256  # operands up to this many entries in total are probed entry by entry
JACOBIAN = 64  # outputs up to this many are also read one at a time
GROUPS = 32


@dataclass(frozen=True)
class Probe:
    """A direction in one operand: weights on some of its flat entries."""

    operand: int
    entries: np.ndarray[Any, np.dtype[np.intp]]
    weights: FloatArray
    smallest: float  # the smallest |x| > 0 among the entries, in units of the weights
    largest: float  # the largest |x|, likewise

    @property
    def single(self) -> bool:
        return len(self.entries) == 1

    def split(self) -> tuple[Probe, Probe]:
        half = len(self.entries) // 2
        return self._part(slice(None, half)), self._part(slice(half, None))

    def _part(self, part: slice) -> Probe:
        weights = self.weights[part]
        # A single entry is probed upwards, so that its evidence reads as a plain derivative.
        weights = np.abs(weights) if len(weights) == 1 else weights
        return Probe(self.operand, self.entries[part], weights, self.smallest, self.largest)


def entry_scale(x: FloatArray) -> FloatArray:
    """max(1, |x|) rounded up to a power of two, so that x + h has no rounding of its own."""
    scale: FloatArray = 2.0 ** np.ceil(np.log2(np.maximum(1.0, np.abs(x))))
    return scale


def make_probes(operands: Sequence[FloatArray], rng: np.random.Generator) -> list[Probe]:
    """Probes for every entry, or for groups that cover every entry plus some single ones."""
    dense = sum(x.size for x in operands) <= DENSE
    share = max(4, min(GROUPS, DENSE // max(1, len(operands))))  # a model has many operands
    probes = []
    for k, x in enumerate(operands):
        flat = x.reshape(-1)
        scale = entry_scale(flat)
        order = rng.permutation(flat.size)
        if dense:
            groups = [np.array([i]) for i in range(flat.size)]
        else:
            groups = [g for g in np.array_split(order, share) if len(g)]
            groups += [np.array([i]) for i in rng.choice(flat.size, min(share, flat.size), False)]
        for entries in groups:
            spread = rng.uniform(0.5, 1.5, len(entries)) * rng.choice([-1.0, 1.0], len(entries))
            weights = scale[entries] * (1.0 if len(entries) == 1 else spread)
            size = np.abs(flat[entries] / weights)
            smallest = float(size.min(where=size > 0, initial=1.0))
            probes.append(Probe(k, entries, weights, smallest, float(size.max())))
    return probes


def make_rows(outputs: int, inputs: int, rng: np.random.Generator) -> tuple[FloatArray, int]:
    """Cotangents as rows: first the single outputs (when few), then random ones; and how many
    of the first kind there are."""
    single = outputs if outputs <= JACOBIAN and outputs * inputs <= 64 * JACOBIAN else 0
    signs = rng.choice([-1.0, 1.0], (2, outputs))
    mixed = signs * rng.uniform(0.5, 1.5, (2, outputs))
    # Not 1: a rule that squares or ignores its upstream gradient agrees for a cotangent of ones.
    each = np.diag(rng.uniform(0.5, 2.0, single)) if single else np.empty((0, outputs))
    return np.concatenate([each, mixed]), single


class Evaluator:
    """Evaluates the function at displaced points, on fresh copies, and counts the evaluations."""

    def __init__(self, forward: Forward, operands: Sequence[FloatArray]) -> None:
        self._forward = forward
        self.operands = tuple(np.asarray(x) for x in operands)  # arithmetic on 0-d gives scalars
        self.count = 0
        self.altered = False
        self.reduced = 0.0  # eps of the least precise output

    def at(self, probe: Probe | None = None, step: complex = 0.0) -> Array:
        """All outputs as one vector, with the probe's entries moved by step * weight."""
        arrays: list[Array] = [x.copy() for x in self.operands]
        if probe is not None:
            moved = arrays[probe.operand].astype(np.result_type(np.float64, type(step)))
            moved.reshape(-1)[probe.entries] += step * probe.weights
            arrays[probe.operand] = moved
        before = [x.copy() for x in arrays]
        self.count += 1
        with np.errstate(all="ignore"):
            found = self._forward(arrays)
        self.altered |= any(not same_bits(a, b) for a, b in zip(arrays, before, strict=True))
        for y in found:
            if np.issubdtype(y.dtype, np.floating):
                self.reduced = max(self.reduced, float(np.finfo(y.dtype).eps))
        parts = [y.reshape(-1) for y in found]
        return np.concatenate(parts) if parts else np.empty(0)

    def real(self, probe: Probe | None = None, step: float = 0.0) -> FloatArray:
        out: FloatArray = self.at(probe, step).astype(np.float64)
        return out

    @cached_property
    def inner(self) -> float:
        """The rounding error of an output in float64, judged by what float32 does to the function.

        Where large numbers cancel inside (the gradient of ``layer_norm(x).sum()``), an output is
        nothing but rounding, and neither its size nor that of the operands tells. 0 for a function
        that takes no float32. The largest of all outputs and of points close by, as by luck the
        error of one may be 0.
        """
        rng = np.random.default_rng(0)
        worst = 0.0
        for _ in range(16):
            near = [
                x + entry_scale(x) * rng.uniform(-1, 1, x.shape) * 2.0**-20 for x in self.operands
            ]
            single = [x.astype(np.float32) for x in near]
            with np.errstate(all="ignore"):
                try:
                    rough = self._forward([x.copy() for x in single])
                except Exception:  # whatever a function of float64 alone may raise
                    return 0.0
                fine = self._forward([x.astype(np.float64) for x in single])
                self.count += 2
                for a, b in zip(rough, fine, strict=True):
                    apart = np.abs(a - b)
                    worst = max(worst, float(np.max(apart, where=np.isfinite(apart), initial=0.0)))
        return worst * float(np.finfo(np.float64).eps / np.finfo(np.float32).eps)


def same_bits(a: Array, b: Array) -> bool:
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


@dataclass(frozen=True)
class Slopes:
    """Measured slopes (rows x probes) with the size of their terms, their noise, and the gap
    between the slope to the right and the slope to the left."""

    value: FloatArray
    terms: FloatArray
    noise: FloatArray
    gap: FloatArray


def measure(
    run: Evaluator, probes: Sequence[Probe], rows: FloatArray, centre: FloatArray, eps: float
) -> Slopes:
    """Central differences at one step, cbrt(eps) rounded to a power of two."""
    step = 2.0 ** round(np.log2(np.cbrt(eps)))
    columns: list[tuple[FloatArray, ...]] = []
    size = np.abs(rows)
    for probe in probes:
        plus, minus = run.real(probe, step), run.real(probe, -step)
        with np.errstate(all="ignore"):
            slope = (plus - minus) / (2 * step)
            # An output that this probe does not reach adds no noise.
            reached = (plus != centre) | (minus != centre)
            far = np.where(reached, np.maximum(np.abs(plus), np.abs(minus)), 0.0)
            gap = rows @ ((plus - 2 * centre + minus) / step)
            noise = 4 * eps * (size @ far) / step
            columns.append((rows @ slope, size @ np.abs(slope), noise, gap))
    stacked = [np.stack(part, axis=1) for part in zip(*columns, strict=True)]
    return Slopes(*stacked)


def complex_slopes(run: Evaluator, probes: Sequence[Probe], rows: FloatArray) -> FloatArray:
    """Im f(x + ih) / h with h = 2**-100: no subtraction, so exact where f is analytic."""
    step = 2.0**-100
    columns = [rows @ (np.imag(run.at(probe, 1j * step)) / step) for probe in probes]
    return np.stack(columns, axis=1)


def claimed(
    gradients: Sequence[Sequence[FloatArray]], probes: Sequence[Probe]
) -> tuple[FloatArray, FloatArray]:
    """<gradient, direction> for each row and probe, and the sum of its absolute terms."""
    value = np.empty((len(gradients), len(probes)))
    terms = np.empty_like(value)
    for r, row in enumerate(gradients):
        flat = [g.reshape(-1) for g in row]
        for c, probe in enumerate(probes):
            product = flat[probe.operand][probe.entries] * probe.weights
            value[r, c], terms[r, c] = product.sum(), np.abs(product).sum()
    return value, terms


def suspicious(claim: FloatArray, terms: FloatArray, slopes: Slopes, rtol: float) -> Mask:
    """Where claim and slope differ, the slope is not resolved, or the function bends too much."""
    scale = np.maximum(terms, slopes.terms)
    with np.errstate(all="ignore"):
        largest = np.maximum(scale.max(axis=0, keepdims=True), scale.max(axis=1, keepdims=True))
        apart = np.abs(claim - slopes.value)
        agree = (claim == slopes.value) | (apart <= rtol * scale + 2 * slopes.noise)
        # An entry a billion times smaller than its neighbours is rounding left over by the rule.
        resolved = (slopes.noise <= 1e-4 * scale) | (scale <= 1e-9 * largest) | (scale == 0)
        straight = np.abs(slopes.gap) <= 1e-3 * scale + 8 * slopes.noise
        finite = np.isfinite(claim) & np.isfinite(slopes.value)
        doubtful: Mask = ~(agree & resolved & straight & finite)
        return doubtful


def working_eps(run: Evaluator, rng: np.random.Generator, centre: FloatArray) -> float:
    """The precision the function really computes in: its output dtype, or float32 in disguise.

    A function that casts down inside gives float64 outputs that all fit into a float32; generic
    float64 numbers do so with probability 2**-29 each.
    """
    eps = max(run.reduced, float(np.finfo(np.float64).eps))
    single = float(np.finfo(np.float32).eps)
    if eps >= single or not centre.size:
        return eps
    jittered = [x + entry_scale(x) * rng.uniform(-1, 1, x.shape) * 2.0**-20 for x in run.operands]
    y = Evaluator(run._forward, jittered).real()
    run.count += 1
    y = y[np.isfinite(y)]
    mantissa = np.frexp(y)[0] * 2.0**21
    generic = (mantissa != np.rint(mantissa)) & (y != np.rint(y))  # not a count, not a floor
    with np.errstate(all="ignore"):
        fits = np.all(y == y.astype(np.float32))
    return single if fits and 2 * np.count_nonzero(generic) >= max(1, y.size) else eps
