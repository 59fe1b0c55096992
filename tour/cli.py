"""The command line of the tour."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from . import check, digits, expression, moons_tensors, moons_values
from .guide import Guide
from .page import write_page

CHAPTERS = [expression.run, moons_values.run, moons_tensors.run, digits.run, check.run]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the tour; return 0 when every step did what it should, 1 otherwise, 2 for bad input."""
    arguments = _parser().parse_args(argv)
    try:
        arguments.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        print(
            f"cannot make the folder {arguments.out}: {error}. Name another: --out", file=sys.stderr
        )
        return 2
    guide = Guide(arguments.out, arguments.seed, arguments.quick)
    try:
        for chapter in CHAPTERS:
            chapter(guide)
    except KeyboardInterrupt:
        guide.say("\nstopped; what was drawn so far stays.")
        return 130
    page = write_page(guide)
    guide.farewell(page)
    return 1 if guide.failures else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m gradling",
        description="A tour of gradling: one number, a net of numbers, the same net on tensors, "
        "handwritten digits, and a proof of the gradients. Writes its pictures and an index page "
        "into a folder.",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("gradling-tour"),
        metavar="FOLDER",
        help="where the pictures go (default: gradling-tour)",
    )
    parser.add_argument(
        "--seed", type=_seed, default=0, metavar="N", help="for all that is random (default: 0)"
    )
    parser.add_argument(
        "--quick", action="store_true", help="the same stations with little training, in seconds"
    )
    return parser


def _seed(text: str) -> int:
    try:
        seed = int(text)
    except ValueError:
        seed = -1
    if seed < 0:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 0, got {text!r}")
    return seed
