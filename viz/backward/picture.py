"""Small graphs of numbers with marks on them: boxes that keep their size, arrows with slopes.

``draw`` shows any graph at a readable size; here every place has its own box, in the same spot
whatever is marked, so that pictures can follow each other.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from ...tensor.files import write_whole
from .. import render
from ..labels import text
from ..style import FAINT, INK, LOOKS, PAGE, SLOPE
from ..svg import finished

MOST = 150  # boxes that a picture can hold and still be read


@dataclass(frozen=True, slots=True)
class Box:
    """A place: ``lines`` below its ``title``, ``role`` a key of ``LOOKS``.

    ``mark`` is ``"hot"``, ``"faint"`` or ``""``; ``made`` the source line, for its tip.
    """

    key: str
    role: str
    title: str
    lines: tuple[str, ...] = ()
    mark: str = ""
    made: str = ""


@dataclass(frozen=True, slots=True)
class Arrow:
    """From operand to result, with a few words beside it."""

    key: str
    source: str
    target: str
    words: str = ""
    mark: str = ""
    width: float = 1.0

    def marked(self) -> Arrow:
        return replace(self, mark="hot", width=2.5)


@dataclass(frozen=True)
class Picture:
    """Boxes and arrows, drawn by Graphviz; shows itself in notebooks, saves by suffix."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    title: str
    description: str
    room: int = 0  # width that a box has at least, for lines that change
    caption: str = ""

    @cached_property
    def dot(self) -> str:
        """The picture in Graphviz's language."""
        return "\n".join(["digraph gradling {", *self._lines(), "}", ""])

    def _lines(self) -> Iterator[str]:
        font = 'fontname="Helvetica"'
        yield f'  graph [rankdir=LR, bgcolor="{PAGE}", {font}, nodesep=0.25, ranksep=0.45,'
        yield f'    pad=0.15, labelloc=b, labeljust=l, fontsize=13, fontcolor="{INK}"'
        yield f"    label=<{text(self.caption)}>];" if self.caption else "    ];"
        yield f'  node [{font}, fontsize=11, fontcolor="{INK}", margin="0.08,0.04", height=0.2];'
        yield f'  edge [{font}, fontsize=9, color="{FAINT}", fontcolor="{FAINT}", arrowsize=0.6];'
        for box in self.boxes:
            yield f"  {box.key} [{_look(box)}, class={box.key}, label=<{_label(box, self.room)}>];"
        for arrow in self.arrows:
            yield f"  {arrow.source} -> {arrow.target} [class={arrow.key}, {_stroke(arrow)}];"

    @cached_property
    def _svg(self) -> str:
        raw = render.render(self.dot, "svg").decode()
        tips = {
            box.key: f"{box.title}: {', '.join(box.lines)}" + f" · {box.made}" * bool(box.made)
            for box in self.boxes
        }
        return finished(raw, self.title, self.description, tips)

    def svg(self) -> str:
        """The picture as SVG.

        Raises:
            RenderError: there is no Graphviz program to lay it out; the message says what to do.
        """
        return self._svg

    def png(self) -> bytes:
        """The picture as PNG; raises as ``svg``."""
        return render.render(self.dot, "png")

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write ``.svg``, ``.png``, ``.pdf`` or ``.dot``, whole or not at all.

        Raises:
            ValueError: another suffix.
            RenderError: as ``svg``.
        """
        form = Path(path).suffix.lower().lstrip(".")
        if form not in ("svg", "png", "pdf", "dot"):
            raise ValueError(
                f"cannot save {Path(path).name!r}: expected a suffix of .svg, .png, .pdf, .dot"
            )
        if form in ("svg", "dot"):
            return write_whole(path, self.svg() if form == "svg" else self.dot)
        return write_whole(path, render.render(self.dot, form))

    def _repr_svg_(self) -> str | None:
        try:
            return self.svg()
        except render.RenderError:
            return None

    def __repr__(self) -> str:
        return f"<Picture: {self.title}>"


def _look(box: Box) -> str:
    look = LOOKS[box.role]
    line, fill, wide = look.line, look.fill, ""
    if box.mark == "hot":
        line, wide = SLOPE, ", penwidth=2.5"
    elif box.mark == "faint":
        line, fill = FAINT, PAGE
    return f'{look.outline}, fillcolor="{fill}", color="{line}"{wide}'


def _label(box: Box, room: int) -> str:
    ink = FAINT if box.mark == "faint" else INK
    width = f' WIDTH="{room}"' if room else ""
    rows = [f'<TR><TD{width}><FONT COLOR="{ink}"><B>{text(box.title)}</B></FONT></TD></TR>']
    for line in box.lines:
        color = SLOPE if line.startswith("grad") and box.mark != "faint" else ink
        size = f'<FONT POINT-SIZE="10" COLOR="{color}">{text(line)}</FONT>'
        rows.append(f"<TR><TD>{size}</TD></TR>")
    return (
        f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1">{"".join(rows)}</TABLE>'
    )


def _stroke(arrow: Arrow) -> str:
    color = SLOPE if arrow.mark == "hot" else FAINT
    table = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1" BGCOLOR="{PAGE}">'
    label = f"{table}<TR><TD>{text(arrow.words)}</TD></TR></TABLE>"  # readable across its line
    words = [f"label=<{label}>"] if arrow.words else []
    style = ["style=dotted"] if arrow.mark == "faint" else []
    width = f"{max(arrow.width, 0.5):.2f}".rstrip("0").rstrip(".")
    return ", ".join([f'color="{color}", fontcolor="{color}", penwidth={width}', *words, *style])


def too_many(count: int, what: str) -> str:
    """What is said in place of a picture that nobody could read."""
    return f"{what} has {count} numbers; a picture of more than {MOST} cannot be read"


def keys(places: Sequence[Any]) -> dict[int, str]:
    """``n0``, ``n1``, … by position."""
    return {id(place): f"n{at}" for at, place in enumerate(places)}
