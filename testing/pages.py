"""Pages of the docs that the code writes itself: the op table, and the tables of what is tested.

``python -m gradling.testing pages docs`` writes them; a test holds them to what the code says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from .tables import Table, coverage, ops, subgradients, teeth

_WRITTEN = (
    "<!-- Written by `python -m gradling.testing pages docs`: edit the code, not this page. -->"
)


def ops_page() -> str:
    """Every op with its operands, domain and reason, then the stated derivative at each kink."""
    table = ops()
    return _page(
        "The table of ops",
        f"""
Everything that has a derivative here is one of {len(table)} rows of `gradling.engine.TABLE`. A row
holds an op's kernels, the domain of its operands, and one rule per operand (or one joint rule for
all): `rule(g, y, *operands, *params)` with the upstream gradient `g` and the result `y`. The same
rule runs on numbers, arrays, Values and Tensors. A *fused* row computes in one sweep what its
composition of simpler ops says, which second derivatives go through.
""",
        table,
        "At kinks and ties",
        """
Where a function has no single slope, a row states the one that is used. *Slopes* are those measured
to the left and to the right, - where a side has none (a jump, the edge of the domain).
""",
        subgradients(),
    )


def tested_page(names: Sequence[str] = ()) -> str:
    """What is tested of every op, and what becomes of wrong rules. Tries every mutant: minutes."""
    kills = teeth(*names)
    mutants, convicted, equivalent, survived = (
        sum(getattr(row, column) for row in kills)
        for column in ("mutants", "convicted", "equivalent", "survived")
    )
    return _page(
        "What is tested of every op",
        """
*by*: the operands it is differentiated by. *first*, *second*: its derivatives were measured at
drawn examples. *laws*: how many of the laws of [testing](testing.md) apply to it.
""",
        coverage(),
        "Wrong rules, and the laws that convict them",
        f"""
From every rule wrong ones are made: {mutants} mutants. The laws convict {convicted} of them,
{equivalent} compute the right gradient after all (zero times 1.001), and {survived} survive. *by*
counts the law that was the first to be broken; a crash is a rule that raised.
""",
        kills,
    )


PAGES: dict[str, Callable[[], str]] = {"ops.md": ops_page, "tested.md": tested_page}


def write(folder: Path) -> list[Path]:
    """Write all pages into a folder; returns their paths."""
    written = []
    for name, page in PAGES.items():
        path = folder / name
        path.write_text(page(), encoding="utf-8")
        written.append(path)
    return written


def _page(title: str, *parts: str | Table) -> str:
    blocks = [f"# {title}", _WRITTEN]
    for place, part in enumerate(parts):
        heading = isinstance(part, str) and "\n" not in part and place > 0
        text = part.markdown() if isinstance(part, Table) else part.strip()
        blocks.append(f"## {text}" if heading else text)
    return "\n\n".join(blocks) + "\n"
