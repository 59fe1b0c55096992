"""From folded parts back to a ``Graph``: boxes with words, bundled edges, frames for modules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from math import prod

from .parts import Part, is_op, users
from .spec import Cluster, Edge, Graph, Node
from .words import many, tally

Members = dict[str, tuple[int, ...]]
Scope = tuple[str, ...]


def rebuilt(graph: Graph, parts: Sequence[Part]) -> tuple[Graph, Members]:
    """The graph that ``parts`` of ``graph`` make, and the positions each box stands for."""
    boxes = [_box(graph, part) for part in parts]
    scopes = _homes(parts)
    modules = {tuple(node.scope.split(".")): node.module for node in graph.nodes if node.module}
    frames = _frames(scopes, modules)
    nodes = [
        replace(box, cluster=frames[_framed(scope, frames)].id)
        for box, scope in zip(boxes, scopes, strict=True)
    ]
    edges = _edges(graph, parts, nodes)
    clusters = tuple(frame for frame in frames.values() if frame.id)
    members = {node.id: tuple(part.members) for node, part in zip(nodes, parts, strict=True)}
    return Graph(tuple(nodes), edges, clusters, graph.ops), members


def _box(graph: Graph, part: Part) -> Node:
    members = [graph.nodes[at] for at in part.members]
    first = members[0]
    if len(members) == 1:
        return first
    count = sum(node.count for node in members)
    units = len(members) // part.each
    same_shape = all(node.shape == first.shape for node in members)
    single = part.each == 1 and part.role == "group"
    return Node(
        first.id,
        part.role,
        op=part.title if is_op(part) else "",
        label=_labels(members, part.each),
        settings=first.settings if single and _agree(members, "settings") else (),
        operands=first.operands if single and _agree(members, "constants") else (),
        constants=first.constants if single and _agree(members, "constants") else (),
        shape=first.shape if same_shape else None,
        dtype=first.dtype if _agree(members, "dtype") else "",
        scope=".".join(part.scope),
        result=any(node.result for node in members),
        count=count,
        notes=_notes(members, units, part),
    )


def _agree(members: Sequence[Node], attribute: str) -> bool:
    return len({getattr(node, attribute) for node in members}) == 1


def _labels(members: Sequence[Node], each: int) -> str:
    if each == len(members):  # one unit: what it hands on
        return members[-1].label
    labels = [node.label for node in members if node.label]
    if each > 1 or not labels:
        return ""
    return labels[0] if labels[0] == labels[-1] else f"{labels[0]} … {labels[-1]}"


def _notes(members: Sequence[Node], units: int, part: Part) -> tuple[str, ...]:
    ops = Counter(node.op for node in members if node.count)
    weights = sum(prod(node.shape or ()) for node in members if node.role in ("leaf", "parameter"))
    times = [f"{tally(units)} alike"] if units > 1 else []
    if part.unit:
        times.append(f"each {part.unit}" if units > 1 else part.unit)
    notes = [", ".join(times)] if times else []
    if is_op(part) and len(ops) > 1:
        ranked = sorted(ops.items(), key=lambda item: (-item[1], item[0]))
        shown = ", ".join(f"{op} {tally(count)}" for op, count in ranked[:4])
        notes.append(f"{many(ops.total(), 'op')}: {shown}{', …' if len(ops) > 4 else ''}")
    if is_op(part) and any(node.role != "op" for node in members):
        notes.append(many(weights, "parameter"))
    return tuple(notes)


def _edges(graph: Graph, parts: Sequence[Part], nodes: Sequence[Node]) -> tuple[Edge, ...]:
    """Edges as they were between single nodes; elsewhere all between two boxes as one."""
    home = {at: index for index, part in enumerate(parts) for at in part.members}
    place = {node.id: position for position, node in enumerate(graph.nodes)}
    kept: dict[tuple[int, int, int], int] = {}
    for edge in graph.edges:
        source, target = home.get(place[edge.source]), home[place[edge.target]]
        if source is None or source == target:
            continue
        bundled = len(parts[source].members) > 1 or len(parts[target].members) > 1
        key = (target, -1 if bundled else edge.port, source)
        kept[key] = kept.get(key, 0) + 1
    order = sorted(kept, key=lambda key: (key[0], key[1]))  # stable: groups keep first use
    return tuple(
        Edge(nodes[source].id, nodes[target].id, port, kept[target, port, source])
        for target, port, source in order
    )


# Frames -------------------------------------------------------------------------------------------


def _homes(parts: Sequence[Part]) -> list[Scope]:
    """The module each box is drawn in; a parameter lives where it is used."""
    scopes = [part.scope for part in parts]
    for index, used_by in enumerate(users(parts)):
        part = parts[index]
        if part.role == "parameter" and not part.scope and used_by:
            scopes[index] = _shared([scopes[at] for at in used_by])
    return scopes


def _shared(scopes: Sequence[Scope]) -> Scope:
    shared = scopes[0]
    for scope in scopes[1:]:
        while shared != scope[: len(shared)]:
            shared = shared[:-1]
    return shared


def _frames(scopes: Sequence[Scope], modules: dict[Scope, str]) -> dict[Scope, Cluster]:
    """Frames, outer first, for modules that hold two boxes or more and not just one module."""
    inside: dict[Scope, int] = {}
    direct: Counter[Scope] = Counter(scopes)
    for scope in scopes:
        for depth in range(1, len(scope) + 1):
            inside[scope[:depth]] = inside.get(scope[:depth], 0) + 1
    children = Counter(scope[:-1] for scope in inside)
    frames: dict[Scope, Cluster] = {(): Cluster("", "")}
    for scope in sorted(inside, key=len):
        if inside[scope] > 1 and (direct[scope] or children[scope] > 1):
            parent = frames[_framed(scope[:-1], frames)].id
            path, module = ".".join(scope), modules.get(scope, "")
            frames[scope] = Cluster(f"c{len(frames) - 1}", path, module, parent)
    return frames


def _framed(scope: Scope, frames: dict[Scope, Cluster]) -> Scope:
    while scope not in frames:
        scope = scope[:-1]
    return scope
