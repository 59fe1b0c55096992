"""What laws speak about: a function of tensors, a case to apply it to, and how it breaks a law."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...engine import Op, enable_grad
from ...tensor import Tensor, autograd
from ..memory import irregular, lay_out
from ..program import array_code, call_code

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Case:
    """Operand arrays for one call, and the parameters that are not differentiated."""

    operands: tuple[Array, ...]
    params: tuple[Any, ...] = ()

    def __repr__(self) -> str:
        parts = [array_code(x) for x in self.operands] + [repr(p) for p in self.params]
        return f"Case({', '.join(parts)})"


@dataclass(frozen=True)
class Subject:
    """A function of tensors that laws are checked on.

    ``spelled`` is how a program calls it once the lines of ``setup`` have defined it; ``reference``
    computes its value another way.
    """

    name: str
    call: Callable[..., Any]
    spelled: str
    op: Op | None = None
    reference: Callable[..., Any] | None = None
    elementwise: bool = False
    differentiable: tuple[bool, ...] | None = None  # per operand; None: all
    twice: bool = True  # second derivatives exist
    setup: tuple[str, ...] = ()

    def follows(self, case: Case) -> list[bool]:
        """Which operands are followed: floating, and with a derivative by their rule."""
        flags = self.differentiable
        if flags is None:
            flags = (True,) * len(case.operands)
        elif len(flags) != len(case.operands):  # variadic: one flag for all
            flags = (flags[0],) * len(case.operands)
        return [
            flag and np.issubdtype(x.dtype, np.floating)
            for flag, x in zip(flags, case.operands, strict=True)
        ]

    def apply(self, arrays: Sequence[Any], params: Sequence[Any]) -> Any:
        """The output tensor (the first, when there are several)."""
        out = self.call(*arrays, *params)
        return out[0] if isinstance(out, (tuple, list)) else out


class LawBroken(AssertionError):
    """A law that does not hold, with the smallest program found that shows it."""


@dataclass
class Trial:
    """A subject run once on a case: leaves, output, upstream gradient, gradients."""

    subject: Subject
    case: Case
    follow: Sequence[bool]
    leaves: list[Tensor] = field(default_factory=list)
    out: Any = None
    g: Array | None = None

    def forward(self) -> Tensor:
        self.leaves = []
        for x, follow in zip(self.case.operands, self.follow, strict=True):
            leaf = Tensor(x)
            self.leaves.append(leaf.requires_grad_() if follow else leaf)
        with enable_grad():
            out: Tensor = self.subject.apply(self.leaves, self.case.params)
        self.out = out
        return out

    def backward(self, g: Array) -> list[Array | None]:
        """Gradients by ``backward()``, one per operand, None where none is stored."""
        self.g = g
        if self.out.requires_grad:
            self.out.backward(Tensor(g))
        return [None if x.grad is None else np.asarray(x.grad._data) for x in self.leaves]


def run(
    subject: Subject, case: Case, g: Array | None = None, follow: Sequence[bool] | None = None
) -> tuple[Array, list[Array | None]]:
    """(value, gradients) of the subject on a case; ``g`` defaults to an irregular one."""
    trial = Trial(subject, case, subject.follows(case) if follow is None else follow)
    out = trial.forward()
    value = np.array(out._data)
    return value, trial.backward(irregular(value) if g is None else g)


def broken(
    law: str, subject: Subject, case: Case, said: str, tail: Sequence[str] = ()
) -> LawBroken:
    """The error for a broken law: what was expected, and a program that shows it."""
    names = operand_names(subject, len(case.operands))
    follow = subject.follows(case)
    lines = ["import gradling, gradling.testing", *subject.setup]
    lines += [
        f"{name} = {array_code(x, keep)}"
        for name, x, keep in zip(names, case.operands, follow, strict=True)
    ]
    lines.append(f"out = {call_code(subject.spelled, names, case.params)}")
    text = "\n".join(f"    {line}" for line in [*lines, *tail])
    return LawBroken(f"{subject.name} breaks the law {law!r}: {said}\n\n{text}\n")


def operand_names(subject: Subject, count: int) -> list[str]:
    if subject.op is not None and not subject.op.variadic:
        return list(subject.op.args)
    return [chr(ord("a") + k) for k in range(count)] if count > 1 else ["x"]


def differentiate(
    outputs: Tensor, inputs: Sequence[Tensor], g: Tensor, create_graph: bool = False
) -> list[Tensor | None]:
    """``autograd.grad`` that gives None where nothing arrives."""
    found = autograd.grad(outputs, list(inputs), g, create_graph=create_graph, allow_unused=True)
    return list(found)


def in_layout(case: Case, layout: str) -> Case:
    """The case with every operand in another memory layout."""
    return Case(tuple(lay_out(x, layout) for x in case.operands), case.params)


def same_value(subject: Subject, case: Case, a: Array, b: Array, ulps: float = 64.0) -> bool:
    """Two values of the subject, equal up to rounding.

    Where a sum cancels, rounding is relative to its terms, not to what is left: to what each
    operand contributes, its entries times their slopes.
    """
    if near(a, b, ulps):
        return True
    if a.shape != b.shape:
        return False
    follow = subject.follows(case)
    if not any(follow):
        return False
    _, slopes = run(subject, case, np.ones_like(b), follow)
    terms = [np.abs(x * g) for x, g in zip(case.operands, slopes, strict=True) if g is not None]
    with np.errstate(all="ignore"):
        scale = float(sum(np.sum(part[np.isfinite(part)]) for part in terms))
    return near(a, b, ulps, scale)


def near(a: Array, b: Array, ulps: float = 64.0, scale: float | None = None) -> bool:
    """Equal up to rounding, relative to the largest entry; NaN equals NaN."""
    if a.shape != b.shape:
        return False
    if not a.size:
        return True
    x, y = a.astype(np.float64), b.astype(np.float64)
    kinds = [k.dtype for k in (a, b) if np.issubdtype(k.dtype, np.floating)]
    eps = max((float(np.finfo(kind).eps) for kind in kinds), default=0.0)
    finite = np.isfinite(x) & np.isfinite(y)
    if not np.array_equal(x[~finite], y[~finite], equal_nan=True):
        return False
    size = max(float(np.max(np.abs(y[finite]), initial=0.0)), scale or 0.0)
    return bool(np.all(np.abs(x[finite] - y[finite]) <= ulps * eps * size))
