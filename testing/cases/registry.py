"""Which operands and parameters an op of the table is tested with.

An elementwise row says it all in its ``domain``. A structural row needs a case: a function,
decorated with ``@case("name")``, that returns a strategy of `Case` (operand arrays, then parameters
exactly as the row's kernel takes them). ``reference`` computes the value another way, from arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis.strategies import SearchStrategy

from ...engine import TABLE, Op
from ...tensor.kernels import ARRAYS
from ..laws import Case, Subject, subject_of
from .elementwise import elementwise_cases, reference_of

Maker = Callable[[], SearchStrategy[Case]]

CASES: dict[str, Maker] = {}
REFERENCES: dict[str, Callable[..., Any]] = {}


def case(*names: str, reference: Callable[..., Any] | None = None) -> Callable[[Maker], Maker]:
    """Register a strategy of cases for rows of the table, and a reference for their value."""

    def register(maker: Maker) -> Maker:
        for name in names:
            if name in CASES:
                raise ValueError(f"op {name!r} already has a case")
            CASES[name] = maker
            if reference is not None:
                REFERENCES[name] = reference
        return maker

    return register


def is_elementwise(op: Op) -> bool:
    return float in op.on or op.name in ARRAYS


def cases_of(op: Op | str) -> SearchStrategy[Case]:
    """The strategy of cases for a row; a LookupError naming the file to edit when it has none."""
    row = TABLE[op] if isinstance(op, str) else op
    if row.name in CASES:
        return CASES[row.name]()
    if is_elementwise(row):
        return elementwise_cases(row)
    raise LookupError(
        f"op {row.name!r} has no case, so its rule is untested: add one to testing/cases/"
        ' with @case("' + row.name + '")'
    )


def subject(op: Op | str) -> Subject:
    """The subject of a row, with its reference value where there is one."""
    row = TABLE[op] if isinstance(op, str) else op
    reference = REFERENCES.get(row.name)
    if reference is None and is_elementwise(row):
        reference = reference_of(row)
    return subject_of(row, reference)


def without_case() -> list[str]:
    """Rows of the table that cannot be tested, since nothing says with what."""
    return [name for name, op in TABLE.items() if name not in CASES and not is_elementwise(op)]
