"""What a case is: work that several entrants do, and what our time may be of each one's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

Step = Callable[[], Any]
US = "gradling"


class Skip(Exception):
    """Why an entrant cannot take part."""


@dataclass(frozen=True)
class Case:
    """One line of the table.

    Args:
        name: what ``--case`` takes.
        title: what a reader is told.
        entrants: name -> a function that sets up and gives the step to be timed. An ImportError or
            ``Skip`` leaves the entrant out, with its reason. A step that measured by itself returns
            the number, or (number, facts to be told with it).
        targets: name -> the largest ratio of our number to that entrant's.
        unit: "s" (steps are timed), or "bytes" (the peak of a fresh process is taken).
        rounds: how often each entrant has its turn.
        block: seconds a turn should last at least.
    """

    name: str
    title: str
    entrants: Mapping[str, Callable[[], Step]]
    targets: Mapping[str, float] = field(default_factory=dict)
    unit: str = "s"
    rounds: int = 15
    block: float = 0.05
    us: str = US


FILES = (
    "scalar", "mlp", "digits", "cnn", "resnet", "transformer", "lstm", "loader", "stepping",
    "importing", "growth", "memory",
)  # fmt: skip


def all_cases() -> dict[str, Case]:
    """Every case by name, in the order of the table."""
    found: dict[str, Case] = {}
    for file in FILES:
        for case in import_module(f"{__package__}.cases.{file}").CASES:
            found[case.name] = case
    return found
