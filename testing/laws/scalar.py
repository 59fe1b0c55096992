"""Laws that hold a table row on Values equal to the same row on 0-d tensors, edges included."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np

from ...engine import Domain, Op, Value
from ...tensor import Tensor
from .subject import Case, LawBroken, Subject, broken

EDGES = (
    0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -2.0, 3.0, -2.5, math.inf, -math.inf, math.nan,
    1e308, -1e308, 1e-308, -1e-308, 5e-324, 1e16, 709.0, -746.0, 30.0,
)  # fmt: skip


def scalar(subject: Subject, case: Case) -> None:
    """A Value gives what a 0-d tensor gives, value and gradients, to 1e-12."""
    if subject.op is None or float not in subject.op.on:
        return
    shape = np.broadcast_shapes(*(x.shape for x in case.operands))
    spread = [np.broadcast_to(x, shape).reshape(-1) for x in case.operands]
    for numbers in list(zip(*spread, strict=True))[:4]:
        _agree("scalar", subject, [x.item() for x in numbers], case.params, 1e-12)


def edges(subject: Subject, params: Sequence[Any] = ()) -> None:
    """On zeros of both signs, infinities, NaN, huge and tiny numbers Value and tensor agree and
    neither raises."""
    op = subject.op
    if op is None or float not in op.on or _whole(subject):
        return
    count = 3 if op.variadic else len(op.args)
    grid = EDGES if count < 3 else EDGES[::2]
    for numbers in product(grid, repeat=count):
        _agree("edges", subject, numbers, params or op.defaults, 1e-9)


def pinned(subject: Subject) -> None:
    """At kinks and ties the gradient is the one its row states, on Values and tensors."""
    op = subject.op
    if op is None:
        return
    for pin in op.pinned:
        numbers = [float(x) for x in pin.at]
        for kind, found in (
            ("Value", _on_values(subject, numbers, op.defaults)[1]),
            ("Tensor", _on_tensors(subject, numbers, op.defaults)[1]),
        ):
            wanted = [float(x) for x in pin.grad]
            if not np.array_equal(found, wanted, equal_nan=True):
                case = Case(tuple(np.asarray(x) for x in numbers), op.defaults)
                said = f"at {pin.at} a {kind} has gradients {found}, the row states {wanted}"
                raise broken("pinned", subject, case, said, ["out.backward()"])


def _whole(subject: Subject) -> bool:
    """Does the op take whole numbers or truth values only?"""
    assert subject.op is not None
    return all(domain.name == "truth value" for domain in subject.op.domain)


def _agree(
    law: str, subject: Subject, numbers: Sequence[Any], params: Sequence[Any], rtol: float
) -> None:
    try:
        value, slopes = _on_values(subject, numbers, params)
        other, others = _on_tensors(subject, numbers, params)
    except LawBroken:
        raise
    except ArithmeticError as error:
        case = Case(tuple(np.asarray(x) for x in numbers), tuple(params))
        raise broken(law, subject, case, f"raises {error!r}") from error
    pairs = [(value, other), *zip(slopes, others, strict=True)]
    if all(_same(a, b, rtol) for a, b in pairs):
        return
    case = Case(tuple(np.asarray(x) for x in numbers), tuple(params))
    said = (
        f"at {tuple(numbers)} a Value gives {value!r} with gradients {slopes},"
        f" a 0-d tensor {other!r} with {others}"
    )
    raise broken(law, subject, case, said, ["out.backward()"])


def _same(a: float, b: float, rtol: float) -> bool:
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    if math.isinf(a) or math.isinf(b):
        return a == b
    # Below the smallest normal number rounding is absolute.
    return abs(a - b) <= rtol * max(abs(a), abs(b)) + 1e-300


def _domains(op: Op, count: int) -> Sequence[Domain]:
    return op.domain * count if op.variadic else op.domain


def _on_values(
    subject: Subject, numbers: Sequence[Any], params: Sequence[Any]
) -> tuple[float, list[float]]:
    op = subject.op
    assert op is not None
    values = [Value(x) for x in numbers]
    # The condition of where is a truth value, which a Value cannot be: it stays a plain number.
    given = [
        bool(x) if domain.name == "truth value" else v
        for x, v, domain in zip(numbers, values, _domains(op, len(values)), strict=True)
    ]
    out = op(*given, *params)
    if not isinstance(out, Value):
        return float(out), [0.0] * len(numbers)
    out.backward()
    return out.data, [v.grad for v in values]


def _on_tensors(
    subject: Subject, numbers: Sequence[Any], params: Sequence[Any]
) -> tuple[float, list[float]]:
    op = subject.op
    assert op is not None
    leaves = [Tensor(np.asarray(float(x))).requires_grad_() for x in numbers]
    given = [
        Tensor(np.asarray(bool(x))) if domain.name == "truth value" else leaf
        for x, leaf, domain in zip(numbers, leaves, _domains(op, len(leaves)), strict=True)
    ]
    out = op(*given, *params)
    if out.requires_grad:
        out.backward()
    grads = [0.0 if x.grad is None else x.grad.item() for x in leaves]
    return float(out.item()), grads


__all__ = ["EDGES", "edges", "pinned", "scalar"]
