"""A ``Graph`` as a tree of text for terminals: each result above what it was made of."""

from __future__ import annotations

from collections.abc import Iterator

from .spec import Graph, Node
from .words import call_text, caption, constant_text, grad_text, summary_text, type_text, visible

DEEPEST = 24  # levels before a branch goes on in a tree of its own


def to_text(graph: Graph, *, title: str = "") -> str:
    """Write ``graph`` as trees, operands in order.

    What is used twice is written out once and referred to by its id after that; branches deeper
    than a screen is wide continue in a tree of their own below.
    """
    head = " · ".join(part for part in (visible(title, 80), caption(graph)) if part)
    return "\n".join([*_aligned(list(_trees(graph))), head, ""])


def _trees(graph: Graph) -> Iterator[tuple[str, str]]:
    """Rows of (what, numbers)."""
    nodes = {node.id: node for node in graph.nodes}
    inputs: dict[str, list[str]] = {node.id: [] for node in graph.nodes}
    uses: dict[str, int] = {}
    for edge in graph.edges:
        inputs[edge.target].append(edge.source)
        uses[edge.source] = uses.get(edge.source, 0) + 1
    roots = [node.id for node in graph.nodes if node.result]
    seen: set[str] = set()
    trees = roots[::-1]
    while trees:
        root = trees.pop()
        if root in seen:
            continue
        later: list[str] = []
        stack = [(root, "", "", 0)]
        if seen:
            yield "", ""
        while stack:
            key, first, rest, depth = stack.pop()
            node, again = nodes[key], key in seen
            more = depth >= DEEPEST and bool(inputs[key]) and not again
            mark = f" [{key}]" if uses.get(key, 0) > 1 and inputs[key] or more else ""
            if again and inputs[key]:
                yield f"{first}{_what(node)}{mark}", "shown above"
                continue
            if more:
                later.append(key)
                yield f"{first}{_what(node)}{mark}", "continued below"
                continue
            seen.add(key)
            yield f"{first}{_what(node)}{mark}", _numbers(node)
            children = inputs[key]
            for place in range(len(children) - 1, -1, -1):
                last = place == len(children) - 1
                branch, trunk = ("└─ ", "   ") if last else ("├─ ", "│  ")
                stack.append((children[place], rest + branch, rest + trunk, depth + 1))
        trees += later[::-1]


def _what(node: Node) -> str:
    label, op = visible(node.label, 28), call_text(node) if node.op else ""
    kind = "" if node.role in ("op", "group") else node.role
    name = " = ".join(part for part in (label, op) if part)
    if node.role == "constant" and node.shape is None and not node.result:
        name, kind = constant_text(node), ""
    return " ".join(part for part in (name, kind, *(f"({note})" for note in node.notes)) if part)


def _numbers(node: Node) -> str:
    parts = [type_text(node)]
    if node.role == "constant" and node.shape is None:
        return ""
    if node.value is not None:
        parts.append(f"{'data' if node.shape is None else 'value'} {summary_text(node.value)}")
    if node.role != "constant" and not node.failed:
        parts.append(f"grad {grad_text(node.grad)}")
    parts.append(node.measure)
    return "  ".join(part for part in parts if part)


def _aligned(rows: list[tuple[str, str]]) -> Iterator[str]:
    width = min(48, max((len(what) for what, _ in rows), default=0))
    for what, numbers in rows:
        yield f"{what.ljust(width)}  {numbers}".rstrip()
