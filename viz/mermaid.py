"""A ``Graph`` as a Mermaid flowchart, which Markdown pages on code hosts draw by themselves."""

from __future__ import annotations

from collections.abc import Iterator

from .spec import Graph, Node
from .style import INK, LOOKS, role
from .words import (
    call_text,
    caption,
    constant_text,
    describe,
    frame_text,
    grad_text,
    ported_ops,
    summary_text,
    type_text,
    visible,
    within,
)

_SHAPES = {
    "leaf": ("[", "]"),
    "parameter": ("[[", "]]"),
    "constant": (">", "]"),
    "value": ("(", ")"),
    "result": ("([", "])"),
    "failed": ("{{", "}}"),
    "group": ("[/", "/]"),
}


def to_mermaid(graph: Graph, *, title: str = "", direction: str = "LR") -> str:
    """Write ``graph`` for Mermaid; ``title`` goes before the caption."""
    head = " · ".join(part for part in (visible(title, 80), caption(graph)) if part)
    return "\n".join([*_lines(graph, head, direction), ""])


def _lines(graph: Graph, head: str, direction: str) -> Iterator[str]:
    yield f"flowchart {direction}"
    yield f"  accTitle: {_plain(head)}"
    yield f"  accDescr: {_plain(describe(graph))}"
    yield from _framed(graph)
    ported = ported_ops(graph)
    names = {node.id: node.operands for node in graph.nodes}
    for edge in graph.edges:
        operands = names[edge.target]
        mark = f'|"{_text(operands[edge.port])}"|' if edge.target in ported else ""
        yield f"  {edge.source} -->{mark} {edge.target}"
    for key in LOOKS:
        look = LOOKS[key]
        if any(role(node) == key for node in graph.nodes):
            width = ",stroke-width:3px" if key in ("result", "parameter") else ""
            yield f"  classDef {key} fill:{look.fill},stroke:{look.line},color:{INK}{width}"
    if graph.scale is not None:
        for node in graph.nodes:
            if node.step >= 0:
                yield f"  style {node.id} stroke:{graph.scale.colors[node.step]},stroke-width:5px"
    yield f'  caption["{_text(head)}"]'
    yield "  style caption fill:none,stroke:none"


def _framed(graph: Graph) -> Iterator[str]:
    """Nodes inside the subgraphs of their modules."""
    inside: dict[str, list[Node]] = {"": []}
    children: dict[str, list[str]] = {"": []}
    labels = {cluster.id: frame_text(cluster) for cluster in graph.clusters}
    paths = {"": "", **{cluster.id: cluster.label for cluster in graph.clusters}}
    for cluster in graph.clusters:
        inside[cluster.id], children[cluster.id] = [], []
        children[cluster.parent].append(cluster.id)
    for node in graph.nodes:
        inside[node.cluster].append(node)
    todo: list[tuple[str, bool]] = [("", False)]
    while todo:
        frame, closing = todo.pop()
        if closing:
            yield "  end"
            continue
        if frame:
            yield f'  subgraph {frame}["{_text(labels[frame])}"]'
            todo.append((frame, True))
        for node in inside[frame]:
            before, after = _SHAPES[role(node)]
            label = _label(within(node, paths[frame]))
            yield f'  {node.id}{before}"{label}"{after}:::{role(node)}'
        todo += [(child, False) for child in reversed(children[frame])]


def _label(node: Node) -> str:
    kind = "failed" if node.failed else "result" if node.result else node.role
    if kind == "constant":
        return _text(constant_text(node))
    op = call_text(node) if node.op else ""
    name = visible(node.label, 28)
    lines = [" = ".join(part for part in (name, op) if part)]
    lines[0] = f"{lines[0]} {kind}".strip() if kind not in ("op", "group") else lines[0]
    lines += [visible(note, 60) for note in node.notes]
    lines.append(type_text(node))
    if node.value is not None:
        lines.append(f"{'data' if node.shape is None else 'value'} {summary_text(node.value)}")
    if node.role != "constant" and not node.failed:
        lines.append(f"grad {grad_text(node.grad)}")
    lines.append(node.measure)
    return "<br/>".join(_text(line) for line in lines if line)


def _text(words: str) -> str:
    """Entity codes for what Mermaid or Markdown would take as markup."""
    plain = "".join(ch if ch.isalnum() or ch in " .,…–()" else f"#{ord(ch)};" for ch in words)
    return plain.replace("#92;n", "#92;#8203;n")  # Mermaid breaks lines at a backslash and an n


def _plain(words: str) -> str:
    """For the lines that take no quotes: no markup, no end of statement."""
    return "".join(" " if ch in '#;{}<>"`\n' else ch for ch in words)
