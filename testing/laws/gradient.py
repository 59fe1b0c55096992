"""Laws about gradients: right, linear in the upstream gradient, once and twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..adapt import SecondOrder, TensorProblem
from ..check import check_problem
from ..memory import irregular
from ..report import Report, Verdict
from ..rules import RuleProblem
from .subject import Array, Case, Subject, broken, near, operand_names, run, same_value


def gradient(subject: Subject, case: Case) -> None:
    """<g, J u> = <J^T g, u>: the gradient agrees with slopes measured on the function."""
    if not _has_gradient(subject, case):
        return
    report = check_problem(_problem(subject, case))
    _judge("gradient", subject, case, report)


def complex_gradient(subject: Subject, case: Case) -> None:
    """The rule agrees to 1e-10 with the complex step of an analytic kernel."""
    op = subject.op
    if op is None or not op.analytic or not _has_gradient(subject, case):
        return
    problem = RuleProblem(op, case.operands, case.params)
    _judge("complex_gradient", subject, case, check_problem(problem, complex_step=True))


def second(subject: Subject, case: Case) -> None:
    """The derivative of the gradient, by operands and upstream gradient, agrees with slopes."""
    if not subject.twice or not _has_gradient(subject, case):
        return
    report = check_problem(SecondOrder(_problem(subject, case)), order=2)
    _judge("second", subject, case, report)


def linear(subject: Subject, case: Case) -> None:
    """The gradient is linear in the upstream gradient: zero for zero, times -2, and additive.

    Times -2 is exact in floating point, so it must hold to the last bit, however small a gradient
    is. Sums round as the largest terms do, which a softmax cancels to nearly nothing.
    """
    if not _has_gradient(subject, case):
        return
    value, first = run(subject, case)
    g, h = irregular(value), irregular(value, seed=1)
    _, other = run(subject, case, h)
    _, mixed = run(subject, case, 2 * g - h)
    _, zero = run(subject, case, 0 * g)
    _, turned = run(subject, case, -2 * g)
    for k, (a, b, c, z, t) in enumerate(zip(first, other, mixed, zero, turned, strict=True)):
        if a is None or b is None or c is None or z is None or t is None:
            continue
        name = operand_names(subject, len(case.operands))[k]
        if not _minus_twice(t, a):
            tail = _tail(name, "times -2 exactly, for an upstream gradient times -2")
            said = f"an upstream gradient times -2 does not give {name} its gradient times -2"
            raise broken("linear", subject, case, said, tail)
        scale = float(np.max(np.abs(a), initial=0.0) + np.max(np.abs(b), initial=0.0))
        scale += float(np.sum(np.abs(g)) + np.sum(np.abs(h)))
        if not near(c, 2 * a - b, 256, scale):
            tail = _tail(name, "2 * g - h is not twice that of g less that of h")
            raise broken("linear", subject, case, f"the gradient of {name} is not additive", tail)
        if np.any(z):
            tail = [f"out.backward(gradling.zeros({value.shape}))", f"print({name}.grad)"]
            said = f"a zero upstream gradient gives {name} a gradient"
            raise broken("linear", subject, case, said, tail)


def _minus_twice(t: Array, a: Array) -> bool:
    """Is ``t`` the double of ``-a``, but for what falls below the smallest normal number?"""
    x, y = t.astype(np.float64), -2 * a.astype(np.float64)
    tiny = 64 * float(np.finfo(a.dtype).tiny)
    with np.errstate(invalid="ignore"):  # inf - inf
        return bool(np.all((x == y) | (np.abs(x - y) <= tiny) | (np.isnan(x) & np.isnan(y))))


def form(subject: Subject, case: Case) -> None:
    """Each gradient has exactly its operand's shape and dtype, in every floating dtype, and for
    elementwise functions also where the operands' dtypes are mixed."""
    kinds: list[tuple[type, type]] = [(k, k) for k in (np.float64, np.float32, np.float16)]
    if subject.elementwise and len(case.operands) > 1:
        kinds += [(np.float32, np.float64), (np.float64, np.float16)]
    names = operand_names(subject, len(case.operands))
    for kind in kinds:
        operands = [
            x.astype(kind[k % 2]) if np.issubdtype(x.dtype, np.floating) else x
            for k, x in enumerate(case.operands)
        ]
        cast = Case(tuple(operands), case.params)
        _, found = run(subject, cast)
        for name, g, x in zip(names, found, operands, strict=True):
            if g is not None and (g.shape != x.shape or g.dtype != x.dtype):
                said = f"{name} is {x.shape} {x.dtype}, its gradient {g.shape} {g.dtype}"
                tail = _tail(name, "its gradient should have the same shape and dtype")
                raise broken("form", subject, cast, said, tail)


def composition(subject: Subject, case: Case) -> None:
    """A fused op equals the composition its row names, in value and gradient."""
    op = subject.op
    if op is None or op.composition is None:
        return
    simple: Callable[..., Any] = op.composition
    other = Subject(subject.name, simple, subject.spelled, differentiable=subject.differentiable)
    (value, found), (expected, wanted) = run(subject, case), run(other, case)
    if not same_value(subject, case, value, expected, 1024):
        raise broken("composition", subject, case, "its value is not that of its composition")
    # A saturated net leaves slopes of 1e-5 out of terms of order 1: rounding is that of the terms.
    terms = 1 + float(np.sum(np.abs(irregular(value))))
    for k, (a, b) in enumerate(zip(found, wanted, strict=True)):
        if a is not None and b is not None and not near(a, b, 4096, terms):
            name = operand_names(subject, len(case.operands))[k]
            said = f"the gradient of {name} is {a.tolist()}, its composition gives {b.tolist()}"
            raise broken("composition", subject, case, said)


def _has_gradient(subject: Subject, case: Case) -> bool:
    return any(subject.follows(case))


def _problem(subject: Subject, case: Case) -> TensorProblem:
    from ...tensor import Tensor

    inputs = [
        Tensor(np.asarray(x)).requires_grad_() if follow else Tensor(np.asarray(x))
        for x, follow in zip(case.operands, subject.follows(case), strict=True)
    ]
    problem = TensorProblem(
        lambda *xs: subject.apply(xs, case.params),
        inputs,
        operand_names(subject, len(case.operands)),
        shown=subject.call if subject.op is None else None,
    )
    problem.name = subject.name
    return problem


def _judge(law: str, subject: Subject, case: Case, report: Report) -> None:
    if report.verdict is Verdict.CORRECT:
        return
    if report.order == 2 and report.verdict is Verdict.KINK:
        return  # the gradient bends here (softsign at 0), so there is no second derivative to state
    names = operand_names(subject, len(case.operands))
    checked = ", ".join(names)
    call = f"{subject.spelled}({', '.join([*names, *map(repr, case.params)])})"
    order = ", order=2" if report.order == 2 else ""
    tail = [f"print(gradling.testing.check_gradients(lambda {checked}: {call}, {checked}{order}))"]
    raise broken(law, subject, case, f"{report.verdict}\n\n{report}", tail)


def _tail(name: str, said: str) -> list[str]:
    return [
        "out.backward(gradling.testing.upstream(out))",
        f"print({name}, {name}.grad)  # {said}",
    ]


__all__ = ["complex_gradient", "composition", "form", "gradient", "linear", "second"]
