"""``python -m gradling.testing``: the tables, and the exercises.

    python -m gradling.testing subgradients     the stated derivative at every kink and tie
    python -m gradling.testing ops              every row of the table, and why its rule is so
    python -m gradling.testing coverage         what is tested of every op
    python -m gradling.testing teeth [op ...]   wrong rules, and the laws that convict them
    python -m gradling.testing exercise N       a planted bug to find; --answer gives it away

``--markdown`` prints a table for a page of the docs; ``pages docs`` writes the pages that are made
of these tables.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from .. import nn as _nn  # its rows belong to the tables
from .pages import write
from .planted_bugs import exercise
from .tables import Table, coverage, ops, subgradients, teeth

del _nn


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m gradling.testing", description="What is tested of gradling's ops, and how."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, about in (
        ("ops", "every row of the table, and why its rule is so"),
        ("subgradients", "the stated derivative at every kink and tie"),
        ("coverage", "what is tested of every op"),
        ("teeth", "wrong rules, and the laws that convict them"),
    ):
        command = commands.add_parser(name, help=about)
        command.add_argument("--markdown", action="store_true", help="print it for a page of docs")
        if name == "teeth":
            command.add_argument("ops", nargs="*", help="rows of the table (default: all)")
    bug = commands.add_parser("exercise", help="a planted bug to find")
    bug.add_argument("number", type=int)
    bug.add_argument("--check", action="store_true", help="show what the checker says of it")
    bug.add_argument("--answer", action="store_true", help="give the mistake away")
    pages = commands.add_parser("pages", help="write the pages of the docs that are tables")
    pages.add_argument("folder", type=Path)
    given = parser.parse_args(arguments)
    if given.command == "pages":
        print(*write(given.folder), sep="\n")
        return 0
    if given.command == "exercise":
        found = exercise(given.number)
        print(found)
        if given.check:
            print(f"\n{found.check()}")
        if given.answer:
            print(f"\n{found.answer()}")
        return 0
    table: Table
    if given.command == "teeth":
        table = teeth(*given.ops)
    else:
        made = {"ops": ops, "subgradients": subgradients, "coverage": coverage}
        table = made[given.command]()
    print(table.markdown() if given.markdown else table)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
