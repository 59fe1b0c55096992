"""The laws every differentiable function obeys, one small function each.

``LAWS`` holds those that are checked on a drawn `Case`, ``law(subject, case)``; ``ROW_LAWS`` those
that a row of the op table is checked on once, ``law(subject)``. A broken law raises `LawBroken`
with a program that shows it; a law that does not apply to a subject returns at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...engine import TABLE, Op
from ...tensor import Tensor
from .gradient import complex_gradient, composition, form, gradient, linear, second
from .graph import accumulates, aliased, broadcasting, constants, layouts, paths, unaliased
from .numbers import unrolled
from .scalar import edges, pinned, scalar
from .subject import Case, LawBroken, Subject, run
from .value import unchanged, value

LAWS: dict[str, Callable[[Subject, Case], None]] = {
    law.__name__: law
    for law in (
        value, gradient, complex_gradient, form, linear, unchanged, unaliased, layouts,
        broadcasting, constants, aliased, paths, accumulates, scalar, composition, second,
        unrolled,
    )
}  # fmt: skip
ROW_LAWS: dict[str, Callable[[Subject], None]] = {"pinned": pinned, "edges": edges}


def subject_of(op: Op | str, reference: Callable[..., Any] | None = None) -> Subject:
    """A row of the table as a subject: ``subject_of("tanh")``."""
    row = TABLE[op] if isinstance(op, str) else op
    call = row.on[Tensor]
    rules = (
        (True,)
        if row.joint is not None and row.variadic
        else tuple(row.joint is not None or rule is not None for rule in row.vjp)
    )
    return Subject(
        name=f"op {row.name!r}",
        call=call,
        spelled=f"gradling.engine.TABLE[{row.name!r}]",
        op=row,
        reference=reference,
        elementwise=float in row.on,
        differentiable=rules if row.differentiable else (False,) * len(row.vjp),
    )


__all__ = [
    "LAWS",
    "ROW_LAWS",
    "Case",
    "LawBroken",
    "Subject",
    "accumulates",
    "aliased",
    "broadcasting",
    "complex_gradient",
    "composition",
    "constants",
    "edges",
    "form",
    "gradient",
    "layouts",
    "linear",
    "paths",
    "pinned",
    "run",
    "scalar",
    "second",
    "subject_of",
    "unaliased",
    "unchanged",
    "unrolled",
    "value",
]
