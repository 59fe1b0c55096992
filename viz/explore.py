"""A graph as a page to walk about in: boxes open to what they stand for, and close again.

The boxes of a folded graph are the roots of a tree: each group is folded again by itself, down to
single ops where the graph is not too large for that. The page lays out whatever is open. A fold of
a fold is free of cycles as long as both are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .boxes import Folded, rebuilt
from .fold import fold
from .page import escaped, page
from .page_script import SCRIPT
from .page_style import STYLE
from .parts import Part, is_op, merge, singles, union
from .read import Moment
from .scale import ink
from .spec import Cluster, Edge, Graph, Node, Scale
from .style import LOOKS, role
from .words import (
    call_text,
    caption,
    constant_text,
    describe,
    frame_text,
    grad_lines,
    many,
    name,
    site_text,
    summary_lines,
    tally,
    type_text,
    visible,
    within,
)

MOST = 2_500  # boxes in all that can be opened to
WORK = 60_000  # nodes that are folded once more, all groups together
INSIDE = 40  # boxes that a group opens to
SLICES = 12  # where a group has no structure, it opens to so many slices


@dataclass(slots=True)
class Item:
    """A box or a frame of the page; ``parent`` is the place of what it is inside of, or -1."""

    node: Node | None
    cluster: Cluster | None
    parent: int
    frame: str = ""  # the path of the module it is drawn in
    members: tuple[int, ...] = ()
    opens: bool = False  # has something inside


@dataclass(slots=True)
class Tree:
    """Items, parents before children, and edges between those that have nothing inside."""

    items: list[Item] = field(default_factory=list)
    edges: list[tuple[int, int, str]] = field(default_factory=list)


def tree_of(graph: Graph) -> Tree:
    """A tree of what is shown, and nothing inside."""
    made = Tree()
    places = _plant(made, graph, -1)
    made.edges = [
        (places[edge.source], places[edge.target], _port(graph, edge.target, edge.port))
        for edge in graph.edges
    ]
    return made


def tree(moment: Moment, folded: Folded) -> Tree:
    """All there is to open, outermost groups first, while there are no more than ``MOST``."""
    made = Tree()
    _plant(made, moment.fill(folded), -1, folded.members)
    links = _Links(moment.graph)
    at, left = 0, WORK
    while at < len(made.items) < MOST:
        item = made.items[at]
        if item.node is not None and 1 < len(item.members) <= left:
            left -= len(item.members)
            inner = _inside(moment.graph, links, item.members)
            if len(made.items) + len(inner.graph.nodes) <= MOST:
                item.opens = True
                _plant(made, moment.fill(inner), at, inner.members)
        at += 1
    made.edges = _edges(moment.graph, made)
    return made


def _plant(
    made: Tree, graph: Graph, parent: int, members: dict[str, tuple[int, ...]] | None = None
) -> dict[str, int]:
    """Add a graph's frames and boxes below ``parent``; frames of one box alone are left out."""
    frames = {"": parent}
    paths = {"": ""}
    for cluster in graph.clusters:
        frames[cluster.id], paths[cluster.id] = len(made.items), cluster.label
        made.items.append(Item(None, cluster, frames[cluster.parent], opens=True))
    places = {}
    for node in graph.nodes:
        places[node.id] = len(made.items)
        held = (members or {}).get(node.id, ())
        made.items.append(Item(node, None, frames[node.cluster], paths[node.cluster], held))
    return places


class _Links:
    """The edges of a graph by where they end, and the users of its nodes."""

    def __init__(self, graph: Graph) -> None:
        self.arriving: dict[str, list[Edge]] = {node.id: [] for node in graph.nodes}
        self.users: dict[str, list[str]] = {node.id: [] for node in graph.nodes}
        for edge in graph.edges:
            self.arriving[edge.target].append(edge)
            self.users[edge.source].append(edge.target)


def _inside(graph: Graph, links: _Links, members: Sequence[int]) -> Folded:
    """What a group holds, folded by itself; positions are those of the whole graph."""
    nodes = tuple([graph.nodes[at] for at in members])
    kept = {node.id for node in nodes}
    edges = [edge for node in nodes for edge in links.arriving[node.id] if edge.source in kept]
    part = Graph(nodes, tuple(edges), ops=sum(node.count for node in nodes))
    done = fold(part, INSIDE)
    if len(done.graph.nodes) < 2:
        done = _sliced(part)
    handed = {
        place
        for place, node in enumerate(nodes)
        if node.result or any(user not in kept for user in links.users[node.id])
    }
    outputs = {
        key: sorted({*done.outputs[key], *handed.intersection(places)})
        for key, places in done.members.items()
    }
    return Folded(
        done.graph,
        {key: tuple([members[at] for at in places]) for key, places in done.members.items()},
        {key: tuple([members[at] for at in places]) for key, places in outputs.items()},
    )


def _sliced(graph: Graph) -> Folded:
    """Slices in topological order, which cannot make a cycle; all of it, if that is not much."""
    parts = singles(graph, (), {})
    if len(parts) > INSIDE:
        width = -(-len(parts) // SLICES)
        parts = merge(parts, [at // width for at in range(len(parts))], _slice)
    return rebuilt(graph, parts, {})


def _slice(team: list[Part]) -> Part:
    role = "group" if any(map(is_op, team)) else team[0].role
    titles = list(dict.fromkeys(part.title for part in team))
    title = " ".join(titles[:3]) + (" …" if len(titles) > 3 else "")
    merged = union(team, role, title, "slice", "" if len(titles) == 1 else "a slice of it")
    return replace(merged, each=1 if len(titles) == 1 else len(merged.members))


def _edges(graph: Graph, made: Tree) -> list[tuple[int, int, str]]:
    home: dict[str, int] = {}
    for place, item in enumerate(made.items):
        if not item.opens:
            home.update({graph.nodes[at].id: place for at in item.members})
    found: dict[tuple[int, int, str], None] = {}
    names = {node.id: node.operands for node in graph.nodes}
    for edge in graph.edges:
        source, target = home.get(edge.source), home.get(edge.target)
        if source is None or target is None or source == target:
            continue
        single = len(made.items[target].members) == 1
        operands = names[edge.target]
        port = operands[edge.port] if single and len(operands) > 1 else ""
        found[source, target, port] = None
    return list(found)


def _port(graph: Graph, target: str, port: int) -> str:
    operands = next(node.operands for node in graph.nodes if node.id == target)
    return operands[port] if port >= 0 and len(operands) > 1 else ""


# The page -----------------------------------------------------------------------------------------


def to_html(graph: Graph, boxes: Tree, static: str, *, title: str, direction: str) -> str:
    """The page; ``static`` is the HTML that is seen where no script runs."""
    head = visible(title, 80) or describe(graph).split(":")[0]
    used = {role(item.node) for item in boxes.items if item.node is not None} - {"constant"}
    swatches = "".join(
        f'<li><span class="swatch {key}"></span>{escaped(look.word)}</li>'
        for key, look in LOOKS.items()
        if key in used
    )
    if graph.scale is not None:
        swatches += f"<li>{escaped(graph.scale.name)}</li>" + "".join(
            f'<li class="step" style="background:{color};color:{ink(color)}">{escaped(words)}</li>'
            for words, color in zip(graph.scale.steps, graph.scale.colors, strict=True)
        )
    body = _BODY.format(
        title=escaped(head),
        caption=escaped(caption(graph)),
        static=static,
        legend=swatches,
        description=escaped(describe(graph)),
    )
    data = {
        "items": [_item(item, graph.scale) for item in boxes.items],
        "edges": [list(edge) for edge in boxes.edges],
        "across": direction == "LR",
        "ops": tally(graph.ops),
    }
    return page(head, body, description=describe(graph), style=STYLE, script=SCRIPT, data=data)


def _item(item: Item, scale: Scale | None) -> dict[str, Any]:
    if item.cluster is not None:
        words = frame_text(item.cluster)
        return {"in": item.parent, "frame": 1, "name": words, "path": item.cluster.label}
    assert item.node is not None
    node = within(item.node, item.frame)
    small = node.role == "constant" and not node.result
    said = {
        "in": item.parent,
        "as": role(node),
        "name": constant_text(node) if small else _name(node),
        "lines": [] if small else [*(visible(note, 60) for note in node.notes), type_text(node)],
        "value": [] if node.value is None or small else summary_lines(node.value),
        "grad": [] if node.role == "constant" or node.failed else grad_lines(node.grad),
        "ops": node.count,
        "about": _about(item.node),
    }
    if scale is not None and node.step >= 0:
        color = scale.colors[node.step]
        said["strip"] = [node.measure, color, ink(color)]
    if item.opens:
        said["opens"] = 1
    return {key: value for key, value in said.items() if value or key == "in"}


def _name(node: Node) -> str:
    words = [visible(node.label, 28), "=" if node.label and node.op else ""]
    words.append(call_text(node) if node.op else "")
    kind = "failed" if node.failed else "result" if node.result else node.role
    words.append("" if kind in ("op", "group") else kind)
    return " ".join(word for word in words if word)


def _about(node: Node) -> list[list[str]]:
    """What is said of a box that the pointer or the focus rests on: (word, text)."""
    rows = [
        ["name", name(node)],
        ["made by", call_text(node) if node.op else ""],
        ["type", type_text(node)],
        ["value", "; ".join(summary_lines(node.value)) if node.value else ""],
        ["gradient", "; ".join(grad_lines(node.grad)) if node.role != "constant" else ""],
        ["module", visible(f"{node.scope} {node.module}".strip(), 80)],
        ["stands for", many(node.count, "op") if node.count > 1 else ""],
        ["line", site_text(node.site)],
        ["time", f"{node.seconds * 1e3:.3g} ms" if node.seconds is not None else ""],
    ]
    return [row for row in rows if row[1]]


_BODY = """<header>
<h1>{title}</h1>
<p id="caption" aria-live="polite">{caption}</p>
<form id="tools" role="search" hidden>
<label>Search <input id="search" type="search" autocomplete="off" placeholder="name, op, module, \
line"></label>
<output id="found"></output>
<span class="group"><button type="button" id="in" aria-label="zoom in">+</button>
<button type="button" id="out" aria-label="zoom out">−</button>
<button type="button" id="fit">fit</button>
<button type="button" id="open">open all</button>
<button type="button" id="close">close all</button></span>
</form>
</header>
<main>
<p class="unseen">{description}</p>
<div id="static">{static}</div>
<div id="stage" hidden></div>
<div id="tip" role="tooltip" hidden></div>
</main>
<footer id="legend" hidden><ul>{legend}</ul>
<p class="faint">A dashed box opens with a click or Enter, a frame closes by its − ; drag to move, \
wheel to zoom, / to search.</p></footer>"""
