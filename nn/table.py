"""How a summary prints: modules as a tree, numbers in columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .summary import Row, Summary

_HEAD = ("Module", "Output shape", "Parameters", "Multiply-adds", "Output memory")


def render(summary: Summary) -> str:
    """The table as text."""
    rows = summary.rows
    lines: list[tuple[str, ...]] = [_HEAD]
    lines += [
        (branch + _named(row), *_cells(row))
        for row, branch in zip(rows, _branches(rows), strict=True)
    ]
    widths = [max(len(line[k]) for line in lines) for k in range(len(_HEAD))]
    rule = "─" * (sum(widths) + 2 * (len(widths) - 1))
    out = [rule, _line(lines[0], widths), rule]
    out += [_line(line, widths) for line in lines[1:]]
    return "\n".join([*out, rule, *_totals(summary)])


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    left = [cell.ljust(width) for cell, width in zip(cells[:2], widths[:2], strict=True)]
    right = [cell.rjust(width) for cell, width in zip(cells[2:], widths[2:], strict=True)]
    return "  ".join(left + right).rstrip()


def _named(row: Row) -> str:
    name = f"{row.name}: {row.kind}" if row.name else row.kind
    return name + (f" ×{row.calls}" if row.calls > 1 else "")


def _cells(row: Row) -> tuple[str, ...]:
    shape = "✗ failed" if row.failed else _shape(row.output)
    count = "-" if not row.parameters else f"{row.parameters:,}"
    return (
        shape,
        f"({count})" if row.shared else count,
        f"{row.multiply_adds:,}" if row.multiply_adds else "-",
        size(row.memory) if row.memory else "-",
    )


def _shape(output: Any) -> str:
    if output is None:
        return "-"
    if isinstance(output, list):
        return ", ".join(map(_shape, output))
    return str(output)


def _branches(rows: list[Row]) -> list[str]:
    """What is drawn before each name, so that the column reads as a tree."""
    branches = []
    for place, row in enumerate(rows):
        lead = ""
        for level in range(1, row.depth + 1):
            goes_on = _goes_on(rows, place, level)
            if level == row.depth:
                lead += "├─ " if goes_on else "└─ "
            else:
                lead += "│  " if goes_on else "   "
        branches.append(lead)
    return branches


def _goes_on(rows: list[Row], place: int, level: int) -> bool:
    """Whether a later row hangs from the same branch at ``level``."""
    for row in rows[place + 1 :]:
        if row.depth <= level:
            return row.depth == level
    return False


def _totals(summary: Summary) -> list[str]:
    frozen = summary.parameters - summary.trainable
    parameters = f"{summary.parameters:,} parameters ({size(summary.parameter_bytes)})"
    if frozen:
        parameters += f", {frozen:,} of them frozen"
    if summary.buffer_bytes:
        parameters += f"; buffers {size(summary.buffer_bytes)}"
    lines = [parameters]
    if any(row.shared for row in summary.rows):
        lines.append("in parentheses: parameters that are shared, counted above")
    if summary.error is not None:
        message = "\n  ".join(str(summary.error).splitlines())
        lines.append(f"stopped by {type(summary.error).__name__}: {message}")
    elif summary.input is not None:
        lines.append(
            f"input {_shape(summary.input)}: {summary.multiply_adds:,} multiply-adds; "
            f"{size(summary.saved_bytes)} kept for backward"
        )
    return lines


def size(count: int) -> str:
    """Bytes in the unit that reads best."""
    number = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000 or unit == "GB":
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return ""
