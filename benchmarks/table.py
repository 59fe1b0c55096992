"""Results as lines of text."""

from __future__ import annotations

from typing import Any

MARKS = {True: "met", False: "missed", None: ""}


def amount(value: float, unit: str) -> str:
    """A number with a unit that suits it: 71.2 us, 1.5 MB."""
    if unit == "bytes":
        return f"{value / 1e6:.1f} MB"
    for factor, name in ((1.0, "s"), (1e3, "ms"), (1e6, "us")):
        if value * factor >= 1:
            return f"{value * factor:.3g} {name}"
    return f"{value * 1e9:.3g} ns"


def rows(result: dict[str, Any]) -> list[tuple[str, ...]]:
    """A row of cells for each peer, as in ``HEAD``."""
    found: list[tuple[str, ...]] = []
    entrants, unit, us = result["entrants"], result["unit"], result["us"]
    ours = amount(entrants[us]["median"], unit) if us in entrants else ""
    for name, ratio in result["ratios"].items():
        found.append((
            result["title"], name, ours, amount(entrants[name]["median"], unit),
            f"{ratio['median']:.3g}", f"{ratio['low']:.3g} to {ratio['high']:.3g}",
            str(result["rounds"]),
            "" if ratio["target"] is None else f"{ratio['target']:g}", MARKS[ratio["met"]],
        ))  # fmt: skip
    for name, reason in result["skipped"].items():
        found.append((result["title"], name, "", "", "", "", "", "", f"left out: {reason}"))
    return found


HEAD = ("case", "against", "ours", "theirs", "ratio", "middle half", "rounds", "at most", "")


def text(results: list[dict[str, Any]]) -> str:
    """An aligned table."""
    lines = [HEAD, *(row for result in results for row in rows(result))]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
