"""``draw(y)``: the computation that made ``y``, as a picture."""

from __future__ import annotations

import gc
import html
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from ..tensor.files import write_whole
from . import render
from .as_json import to_json
from .boxes import Folded
from .dot import to_dot
from .explore import to_html, tree, tree_of
from .fold import BUDGET, fold
from .mermaid import to_mermaid
from .opened import can_open
from .page import escaped
from .read import Moment, Reading, read
from .scale import Measure, scaled
from .scopes import Choice, Wishes
from .spec import Graph
from .svg import finished
from .text import to_text
from .words import describe, many, tally, tip

ACROSS = 10  # boxes one behind the other that a page is wide enough for


def draw(
    *outputs: Any,
    params: Any = None,
    budget: int | None = BUDGET,
    expand: Choice = None,
    collapse: Choice = None,
    depth: int | None = None,
    constants: bool = True,
    opened: bool | None = None,
    color: str | Measure | None = None,
    title: str = "",
    direction: str | None = None,
    legend: bool = True,
    apart: bool | None = None,
) -> Drawing:
    """The graph of everything that ``outputs`` were computed from.

    The picture is of this moment: numbers that change later do not change it.

    Args:
        outputs: Values, Tensors, or one list of them.
        params: a module, or a mapping of names to Values or Tensors, shown as parameters.
        budget: the most boxes to show; a larger graph is folded and says so. ``None``: no limit.
        expand: modules to leave open: a pattern of paths (``"encoder.0.*"`` is all that is inside,
            ``"encoder.0"`` that module alone), several patterns, or a function of the path. Their
            boxes come on top of the budget.
        collapse: modules to close to one box even where the budget has room; chosen likewise.
        depth: how many levels of modules may be open: 0 shows the outermost as boxes.
        constants: whether constant numbers get boxes, or stand in the op that uses them.
        opened: whether a weighted sum of Values, as a neuron is one, is drawn as its products and
            partial sums, or as one op; ``None`` opens them where all has room within the budget.
        color: what to colour by, with a scale in the legend: ``"grad"`` or ``"value"`` (largest
            magnitude), ``"dtype"``, ``"time"`` (under ``tracing``), ``"memory"``, or a function
            that gives a number, a word or None for a ``Node``.
        title: a line for the caption.
        direction: ``"LR"`` from left to right or ``"TB"`` from top to bottom; ``None`` chooses
            the latter where more than a few boxes stand one behind the other.
        legend: whether the picture explains its boxes.
        apart: whether ops are drawn beside the values they made; ``None`` decides by size.

    Raises:
        TypeError: an output is no Value and no Tensor.
        ValueError: no output, a budget below 4, or an unknown direction.

    >>> from gradling.engine import Value
    >>> x = Value(3.0, label="x")
    >>> y = x * x
    >>> y.backward()
    >>> print(draw(y))
    *          data 9  grad 1
    ├─ x leaf  data 3  grad 6
    └─ x leaf  data 3  grad 6
    1 op
    """
    if len(outputs) == 1 and isinstance(outputs[0], list | tuple):
        outputs = tuple(outputs[0])
    if not outputs:
        raise ValueError("draw() needs something to draw: a Value, a Tensor, or several")
    if direction not in ("LR", "TB", None):
        raise ValueError(f"direction: expected 'LR' or 'TB', got {direction!r}")
    if depth is not None and depth < 0:
        raise ValueError(f"depth: expected levels of modules, 0 or more, got {depth}")
    with _uncollected():
        reading = _read(outputs, params, opened, budget)
        wishes = Wishes(expand, collapse, depth)
        folded = fold(reading.graph, budget, constants, wishes)
        moment = reading.moment(folded)
        graph = moment.fill(folded)
        if color is not None:
            scale, mark = scaled(graph.nodes, color)
            moment.mark = lambda node, members: mark(node)
            graph = replace(moment.fill(folded), scale=scale)
    if direction is None:
        direction = "LR" if longest(graph) <= ACROSS else "TB"
    return Drawing(graph, title, direction, legend, apart, (moment, folded))


def _read(
    outputs: tuple[Any, ...], params: Any, opened: bool | None, budget: int | None
) -> Reading:
    """The graph with its fused ops opened, or not, or opened if it stays within the budget."""

    def fits(reading: Reading) -> bool:
        return budget is None or len(reading.graph.nodes) <= budget

    reading = read(outputs, params, opened=bool(opened))
    if opened is None and fits(reading) and any(map(can_open, reading.sources)):
        inside = read(outputs, params, opened=True)
        return inside if fits(inside) else reading
    return reading


def longest(graph: Graph) -> int:
    """How many boxes stand one behind the other."""
    depth = {node.id: 1 for node in graph.nodes}
    for edge in graph.edges:  # sorted by where they end
        depth[edge.target] = max(depth[edge.target], depth[edge.source] + 1)
    return max(depth.values(), default=0)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the garbage collector from walking, over and over, what is being built.

    A large graph becomes a million small objects, none of them in a cycle: this halves the time.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


@dataclass(frozen=True)
class Drawing:
    """A picture of a graph: shows itself in notebooks, prints as text, saves by suffix."""

    graph: Graph
    title: str = ""
    direction: str = "LR"
    legend: bool = True
    apart: bool | None = None
    whole: tuple[Moment, Folded] | None = field(default=None, repr=False, compare=False)

    @cached_property
    def dot(self) -> str:
        """The picture in Graphviz's language."""
        return self._dot(self.graph)

    def _dot(self, graph: Graph) -> str:
        return to_dot(
            graph,
            title=self.title,
            direction=self.direction,
            legend=self.legend,
            apart=self.apart,
        )

    @cached_property
    def _laid(self) -> tuple[Graph, bytes]:
        """What could be laid out in time, and its raw svg: coarser and coarser until it can."""
        graph, wanted = self.graph, len(self.graph.nodes)
        while True:
            try:
                return graph, render.render(self._dot(graph), "svg")
            except render.TooSlow:
                if len(graph.nodes) <= BUDGET // 2:
                    raise
                budget = min(BUDGET, len(graph.nodes) // 2)
                remark = f"coarser than asked for: {tally(wanted)} boxes took too long to lay out"
                graph = fold(replace(graph, remark=remark), budget).graph

    @cached_property
    def _svg(self) -> str:
        graph, raw = self._laid
        description = describe(graph)
        tips = {node.id: tip(node) for node in graph.nodes}
        return finished(raw.decode(), self.title or description.split(":")[0], description, tips)

    def svg(self) -> str:
        """The picture as SVG.

        Raises:
            RenderError: there is no Graphviz program to lay it out; the message says what to do.
        """
        return self._svg

    def png(self) -> bytes:
        """The picture as PNG.

        Raises:
            RenderError: as ``svg``; ``TooLarge`` where a bitmap cannot hold it.
        """
        return render.render(self._dot(self._laid[0]), "png")

    def mermaid(self) -> str:
        """The picture as a Mermaid flowchart."""
        return to_mermaid(self.graph, title=self.title, direction=self.direction)

    def text(self) -> str:
        """The picture as a tree of text."""
        return to_text(self.graph, title=self.title)

    def html(self) -> str:
        """The picture as a page of its own, which needs no network: move, zoom, search, open and
        close modules, see values and source lines. Without scripts it shows the svg.
        """
        try:
            static = self.svg()
        except render.RenderError:
            static = f"<pre>{escaped(self.text())}</pre>"
        with _uncollected():
            boxes = tree(*self.whole) if self.whole else tree_of(self.graph)
        return to_html(self.graph, boxes, static, title=self.title, direction=self.direction)

    def json(self) -> str:
        """The graph as JSON."""
        return to_json(self.graph)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture in the format that the suffix names, whole or not at all.

        Returns:
            The file that was written: a png too large to open becomes an svg, with a warning.

        Raises:
            ValueError: the suffix is unknown.
            FileNotFoundError: the folder does not exist.
            RenderError: the format cannot be written here; the DOT file that was written instead
                and the remedy are named.
        """
        path = Path(path)
        form = path.suffix.lower().lstrip(".")
        if form in _WRITERS:
            return write_whole(path, _WRITERS[form](self))
        if form not in _FORMS:
            known = ", ".join(f".{suffix}" for suffix in (*_FORMS, *_WRITERS))
            raise ValueError(f"cannot save {path.name!r}: expected a suffix of {known}")
        try:
            return write_whole(path, self._rendered(form))
        except render.TooLarge as error:
            instead = write_whole(path.with_suffix(".svg"), self.svg())
            warnings.warn(f"{error}; wrote {instead} instead", stacklevel=2)
            return instead
        except render.RenderError as error:
            instead = write_whole(path.with_suffix(".dot"), self.dot)
            raise render.RenderError(
                f"{error}. The graph itself was written to {instead}"
            ) from None

    def _rendered(self, form: str) -> str | bytes:
        if form == "svg":
            return self.svg()
        try:
            return render.render(self._dot(self._laid[0]), form)
        except render.TooSlow as error:
            raise render.RenderError(str(error)) from None

    # Showing itself -------------------------------------------------------------------------------

    def __str__(self) -> str:
        return self.text().rstrip("\n")

    def __repr__(self) -> str:
        graph = self.graph
        return f"<Drawing of {many(graph.ops, 'op')} in {many(len(graph.nodes), 'box')}>"

    def _repr_svg_(self) -> str | None:
        try:
            return self.svg()
        except render.RenderError:
            return None

    def _repr_html_(self) -> str:
        try:
            svg = self.svg()
        except render.RenderError as error:
            return f"<pre>{html.escape(str(self))}\n\n{html.escape(str(error))}</pre>"
        width = render.size(svg)[0] * 4 / 3
        style = f"width:100%;max-width:{width:.0f}px;min-width:{width * 0.6:.0f}px;height:auto"
        scalable = svg.replace("<svg ", f'<svg style="{style}" ', 1)
        return f'<div style="width:100%;max-height:640px;overflow:auto">{scalable}</div>'

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        bundle = {"text/plain": str(self), "text/html": self._repr_html_()}
        if svg := self._repr_svg_():
            bundle["image/svg+xml"] = svg
        return bundle


_WRITERS: dict[str, Callable[[Drawing], str]] = {
    "dot": lambda drawing: drawing.dot,
    "gv": lambda drawing: drawing.dot,
    "mmd": Drawing.mermaid,
    "mermaid": Drawing.mermaid,
    "md": lambda drawing: f"```mermaid\n{drawing.mermaid()}```\n",
    "txt": Drawing.text,
    "json": Drawing.json,
    "html": Drawing.html,
}
_FORMS = ("svg", "png", "pdf", "jpg", "jpeg", "ps", "eps", "gif", "webp")
