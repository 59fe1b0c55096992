"""Wrong ways to walk the graph: what mutants of single rules cannot show.

Undoing broadcasting, adding up paths, fitting dtypes and keeping memory apart are done once, in
``tensor/backward.py``; here each of them is broken in turn, and a law must notice.
"""

from __future__ import annotations

import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..tensor import backward

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class WalkMutant:
    """One broken line: in the named function of ``tensor/backward.py``, ``old`` becomes ``new``."""

    kind: str
    function: str
    old: str
    new: str


WALK_MUTANTS = (
    WalkMutant("= for += where paths meet", "run", "if before is None:", "if True:"),
    WalkMutant(
        "a path dropped", "run", "zip(node.inputs, parts)", "zip(node.inputs[:1], parts[:1])"
    ),
    WalkMutant(
        "= for += at a leaf", "accumulate", "g if before is None else _added(before, g)", "g"
    ),
    WalkMutant(
        "broadcast not undone", "_fit_array", "_sum_to(part, child.shape)",
        "part.reshape(-1)[: int(np.prod(child.shape))].reshape(child.shape)",
    ),
    WalkMutant(
        "summed over the wrong axis", "_fit_array", "_sum_to(part, child.shape)",
        "_sum_to(part.swapaxes(0, -1) if part.ndim > 1 and part.shape[0] == part.shape[-1]"
        " else part, child.shape)",
    ),
    WalkMutant("dtype not restored", "_fit_array", "part = part.astype(child.dtype)", "pass"),
    WalkMutant("memory shared", "_fit_array", "part = part.copy()", "pass"),
    WalkMutant(
        "added in place", "run", "both = before + part", "both = np.add(before, part, out=before)"
    ),
)  # fmt: skip


def edited(function: Callable[..., Any], old: str, new: str) -> Callable[..., Any]:
    """The function compiled again with a piece of its source replaced."""
    source = textwrap.dedent(inspect.getsource(function))
    if old not in source:
        raise ValueError(
            f"{function.__name__} no longer contains {old!r}: bring WALK_MUTANTS up to date"
        )
    scope = dict(function.__globals__)
    code = "from __future__ import annotations\n" + source.replace(old, new)
    exec(compile(code, "<mutant>", "exec"), scope)
    made: Callable[..., Any] = scope[function.__name__]
    return made


@contextmanager
def planted_in_walk(mutant: WalkMutant) -> Iterator[None]:
    """gradling with a broken walk, put right again afterwards."""
    original = getattr(backward, mutant.function)
    broken = edited(original, mutant.old, mutant.new)
    package = backward.__name__.rpartition(".")[0]
    holders = [
        module
        for name, module in list(sys.modules.items())
        if name.startswith(package) and getattr(module, mutant.function, None) is original
    ]
    for module in holders:
        setattr(module, mutant.function, broken)
    try:
        # A function compiled again looks its neighbours up in a copy of the module's names.
        yield
    finally:
        for module in holders:
            setattr(module, mutant.function, original)


def convict_walk(
    mutant: WalkMutant, rows: tuple[str, ...] = ("add", "mul", "matmul", "reshape")
) -> str:
    """The law (and row) that notices a broken walk, "" when none does."""
    from .cases import cases_of, subject
    from .laws import LAWS
    from .search import first_broken

    with planted_in_walk(mutant):
        for row in rows:
            found = first_broken(subject(row), cases_of(row), LAWS, 100)
            if found is not None:
                return f"{found.law} ({row})"
    return ""
