"""A ``Graph`` in the DOT language of Graphviz.

Small graphs show every op as a node of its own beside the value it made; larger ones write the op
into the box of its value. Labels are HTML-like tables: Graphviz's ``record`` shapes have escapes
of their own and crash on some graphs.
"""

from __future__ import annotations

from collections.abc import Iterator

from .labels import below, box, op_table, text
from .spec import Graph, Node, Scale
from .style import FAINT, FRAME, INK, LOOKS, PAGE, role
from .words import call_text, frame_text, ported_ops, within

APART = 24  # boxes; up to so many, each op is drawn beside the value it made
_FONT = 'fontname="Helvetica"'


def to_dot(
    graph: Graph,
    *,
    title: str = "",
    direction: str = "LR",
    legend: bool = True,
    apart: bool | None = None,
) -> str:
    """Write ``graph`` for ``dot``.

    Args:
        title: a line below the picture.
        direction: ``"LR"`` from left to right, ``"TB"`` from top to bottom.
        legend: whether to explain the boxes below the picture.
        apart: whether ops are nodes of their own; ``None`` decides by size.
    """
    if apart is None:
        apart = graph.shown == graph.ops and len(graph.nodes) <= APART
    ported = ported_ops(graph)
    lines = [
        "digraph gradling {",
        f'  graph [rankdir={direction}, bgcolor="{PAGE}", {_FONT}, fontsize=10, nodesep=0.2,',
        f'    ranksep=0.35, pad=0.15, fontcolor="{FAINT}",',
        f"    labelloc=b, labeljust=l, label=<{below(graph, title, legend, apart)}>];",
        f'  node [{_FONT}, fontsize=11, fontcolor="{INK}", margin="0.08,0.04", height=0.2,',
        "    width=0.2];",
        f'  edge [{_FONT}, fontsize=8, color="{FAINT}", fontcolor="{FAINT}", arrowsize=0.6];',
        *_framed(graph, apart, dict.fromkeys(ported, direction)),
        *_edges(graph, apart, ported, direction),
        "}",
    ]
    return "\n".join([*lines, ""])


def _framed(graph: Graph, apart: bool, ports: dict[str, str]) -> Iterator[str]:
    """Nodes inside the frames they belong to; frames nest."""
    inside: dict[str, list[Node]] = {"": []}
    children: dict[str, list[str]] = {"": []}
    labels = {cluster.id: frame_text(cluster) for cluster in graph.clusters}
    paths = {"": "", **{cluster.id: cluster.label for cluster in graph.clusters}}
    for cluster in graph.clusters:
        inside[cluster.id], children[cluster.id] = [], []
        children[cluster.parent].append(cluster.id)
    for node in graph.nodes:
        inside[node.cluster].append(node)
    todo: list[tuple[str, int]] = [("", 1)]
    while todo:
        frame, depth = todo.pop()
        pad = "  " * depth
        if depth < 0:
            yield "  " * -depth + "}"
            continue
        if frame:
            yield f"{pad[2:]}subgraph cluster_{frame} {{"
            yield (
                f"{pad}graph [label=<{text(labels[frame])}>, labelloc=t, margin=8,"
                f' style="rounded,dashed,filled", fillcolor="{FRAME}", color="#8a949e"];'
            )
            todo.append(("", 1 - depth))
        for node in inside[frame]:
            label = within(node, paths[frame])
            for line in _node(label, apart, ports.get(node.id, ""), graph.scale):
                yield pad + line
        todo += [(child, depth + 1) for child in reversed(children[frame])]


def _node(node: Node, apart: bool, ports: str, scale: Scale | None) -> Iterator[str]:
    look = LOOKS[role(node)]
    bubble = apart and node.role == "op"
    if bubble:
        op = LOOKS["op"]
        word = call_text(node)
        outline = 'shape=box, style="filled,rounded"' if ports else op.outline
        if not ports and len(word) < 3:
            outline = outline.replace("ellipse", "circle")
        yield (
            f'{node.id}o [{outline}, class=op, fillcolor="{op.fill}", color="{op.line}",'
            f" label=<{op_table(node, ports)}>];"
        )
        yield f"{node.id}o -> {node.id} [arrowhead=none];"
    yield (
        f'{node.id} [{look.outline}, class={role(node)}, fillcolor="{look.fill}",'
        f' color="{look.line}", label=<{box(node, not bubble, ports, scale)}>];'
    )


def _edges(graph: Graph, apart: bool, ported: set[str], direction: str) -> Iterator[str]:
    """Arrows, longer between frames: next to each other these need not be stacked."""
    frames = {node.id: node.cluster for node in graph.nodes}
    side = "w" if direction == "LR" else "n"
    for edge in graph.edges:
        target = edge.target
        if edge.target in ported and edge.port >= 0:
            target = f"{edge.target}{'o' * apart}:i{edge.port}:{side}"
        elif apart and edge.port >= 0:
            target = f"{edge.target}o"
        between = frames[edge.target] and frames[edge.source] != frames[edge.target]
        yield f"  {edge.source} -> {target}{' [minlen=2]' * bool(between)};"
