"""The insides of boxes as Graphviz's HTML-like labels, and the escapes that keep text a text."""

from __future__ import annotations

import unicodedata
from math import ceil

from .scale import ink
from .spec import Graph, Node, Scale
from .style import FAINT, INK, LOOKS, SLOPE, role
from .words import (
    ABSENT,
    call_text,
    caption,
    constant_text,
    grad_lines,
    summary_lines,
    type_text,
    visible,
)

_TABLE = '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1">'
_ENTITIES = {ord(ch): f"&#{ord(ch)};" for ch in "&<>\"'"} | {ord("\\"): "&#92;&#92;"}


def text(words: str) -> str:
    """As the content of an HTML-like label.

    Graphviz replaces ``\\N``, ``\\G`` and more even there, unless the backslash is doubled;
    and it drops empty texts and runs of spaces.

    >>> text("a < b & c")
    'a &#60; b &#38; c'
    """
    wide = sum(unicodedata.east_asian_width(ch) in "WF" or ch == "…" for ch in words)
    padding = "&#160;" * ceil(0.3 * wide)  # graphviz-pure takes them for narrower than they are
    return (words.translate(_ENTITIES).replace("  ", " &#160;") or " ") + padding


def box(node: Node, with_op: bool, ports: str, scale: Scale | None = None) -> str:
    """What a box says: name, op, type, numbers; ``ports`` as for ``op_table``."""
    if node.role == "constant" and not node.result:
        return _small(text(constant_text(node)), FAINT, 9)
    rows = [_wide(" ".join(_head(node, with_op)))]
    rows += [_wide(_small(text(visible(note, 60)), FAINT)) for note in node.notes]
    if type_text(node):
        rows.append(_wide(_small(text(type_text(node)), FAINT, 9)))
    known = node.value is not None or node.grad is not None
    if node.value is not None:
        word = "data" if node.shape is None else "value"
        rows.append(_pair(word, summary_lines(node.value), INK))
    if node.role != "constant" and (known or node.shape is not None):
        rows.append(_pair("grad", grad_lines(node.grad), SLOPE))
    if scale is not None and node.step >= 0:
        color = scale.colors[node.step]
        strip = _small(text(node.measure), ink(color), 9)
        rows.append(f'<TR><TD COLSPAN="2" BGCOLOR="{color}">{strip}</TD></TR>')
    content = f"{_TABLE}{''.join(rows)}</TABLE>"
    return _with_ports(node, content, ports) if ports and with_op else content


def op_table(node: Node, ports: str) -> str:
    """What the node of an op says; with ``ports`` ("LR" or "TB") also its operands' names."""
    word = f"<B>{text(call_text(node))}</B>"
    return _with_ports(node, word, ports) if ports else word


def _with_ports(node: Node, content: str, side: str) -> str:
    """Named ports where the edges arrive, first operand first: left of the content, or above it."""
    fixed = {place for place, _ in node.constants}
    cells = [
        f'<TD PORT="i{place}" ALIGN="LEFT">{_small(text(visible(name, 12)), FAINT)}</TD>'
        for place, name in enumerate(node.operands)
        if place not in fixed
    ]
    if side == "TB":
        row = _TABLE.replace('SPACING="0"', 'SPACING="4"') + f"<TR>{''.join(cells)}</TR></TABLE>"
        return f"{_TABLE}<TR><TD>{row}</TD></TR><TR><TD>{content}</TD></TR></TABLE>"
    ports = f"{_TABLE}{''.join(f'<TR>{cell}</TR>' for cell in cells)}</TABLE>"
    return f'{_TABLE}<TR><TD>{ports}</TD><TD CELLPADDING="3">{content}</TD></TR></TABLE>'


def _head(node: Node, with_op: bool) -> list[str]:
    label = visible(node.label, 28)
    head = [f"<B>{text(label)}</B>"] if label else []
    if with_op and node.op:
        head.append(f"<B>{'= ' * bool(label)}{text(call_text(node))}</B>")
    kind = "failed" if node.failed else "result" if node.result else node.role
    if kind in ("leaf", "parameter", "constant", "result"):
        head.append(_small(kind, FAINT))
    return head


def _wide(content: str) -> str:
    return f'<TR><TD COLSPAN="2">{content}</TD></TR>' if content else ""


def _pair(word: str, values: list[str], color: str) -> str:
    """A word and what it is, further lines small below."""
    first = f'<FONT COLOR="{color}">{text(values[0])}</FONT>'
    more = [_small(text(value), color) for value in values[1:]]
    cells = [
        f'<TR><TD ALIGN="LEFT">{_small(f"{word} " if at == 0 else "", FAINT, 9)}</TD>'
        f'<TD ALIGN="RIGHT">{line}</TD></TR>'
        for at, line in enumerate([first, *more])
    ]
    return "".join(cells)


def _small(content: str, color: str, size: int = 8) -> str:
    if not content:
        return ""
    return f'<FONT POINT-SIZE="{size}" COLOR="{color}">{content}</FONT>'


def below(graph: Graph, title: str, legend: bool, apart: bool) -> str:
    """Title, size and legend, in rows of a few so that small pictures stay narrow."""
    head = " · ".join(part for part in (visible(title, 80), caption(graph)) if part)
    rows = [f'<TR><TD ALIGN="LEFT" COLSPAN="8">{text(head)}</TD></TR>']
    used = {role(node) for node in graph.nodes}
    if apart and graph.ops:
        used.add("op")
    shown = [key for key in LOOKS if key in used and key != "constant"] if legend else []
    for start in range(0, len(shown), 4):
        rows.append(f"<TR>{''.join(_swatch(key) for key in shown[start : start + 4])}</TR>")
    if graph.scale is not None:
        rows += _scale_rows(graph.scale)
    if legend and any(node.grad is None and node.role != "constant" for node in graph.nodes):
        absent = text(f"grad {ABSENT} : none computed, or none kept")
        rows.append(f'<TR><TD ALIGN="LEFT" COLSPAN="8">{_small(absent, FAINT, 9)}</TD></TR>')
    return (
        f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="3" CELLPADDING="1">{"".join(rows)}</TABLE>'
    )


def _scale_rows(scale: Scale) -> list[str]:
    """What the coloured strips mean, each step in its colour."""
    name = f'<TD ALIGN="LEFT" COLSPAN="8">{_small(text(visible(scale.name, 60)), FAINT, 9)}</TD>'
    cells = [
        f'<TD COLSPAN="2" BGCOLOR="{color}">{_small(text(words), ink(color), 9)}</TD>'
        for words, color in zip(scale.steps, scale.colors, strict=True)
    ]
    rows = [f"<TR>{''.join(cells[at : at + 4])}</TR>" for at in range(0, len(cells), 4)]
    return [f"<TR>{name}</TR>" if scale.name else "", *rows]


def _swatch(key: str) -> str:
    look = LOOKS[key]
    style = ' STYLE="ROUNDED"' if "rounded" in look.outline or key == "op" else ""
    border = 2 if key in ("parameter", "result") else 1
    return (
        f'<TD BORDER="{border}" WIDTH="16" BGCOLOR="{look.fill}" COLOR="{look.line}"{style}> </TD>'
        f'<TD ALIGN="LEFT">{_small(look.word, FAINT, 9)}</TD>'
    )
