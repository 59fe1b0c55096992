"""From folded parts back to a ``Graph``: boxes with words, bundled edges, frames for modules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import TypeVar

from .parts import MODULE, Fixed, Part, is_op, users
from .spec import Cluster, Edge, Graph, Node
from .words import many, tally

Scope = tuple[str, ...]
T = TypeVar("T", int, float)
MOST_PORTS = 6  # an op of more operands than this gets one edge from a group, not one per operand


@dataclass(frozen=True, slots=True)
class Folded:
    """A small graph, and for each box by id the positions in the large one that it stands for.

    ``outputs`` are those that others use, or that are results: what a box hands on.
    """

    graph: Graph
    members: dict[str, tuple[int, ...]]
    outputs: dict[str, tuple[int, ...]]


class _Whole:
    """The large graph, looked up by position."""

    def __init__(self, graph: Graph, parts: Sequence[Part], fixed: Fixed) -> None:
        place = {node.id: position for position, node in enumerate(graph.nodes)}
        self.nodes = graph.nodes
        self.fixed = fixed
        self.home = {at: index for index, part in enumerate(parts) for at in part.members}
        self.links = [(place[edge.source], place[edge.target], edge.port) for edge in graph.edges]
        self.uses = Counter(source for source, _, _ in self.links)
        self.modules = {
            tuple(node.scope.split(".")): node.module for node in graph.nodes if node.module
        }

    def constants(self, at: int) -> tuple[tuple[int, str], ...]:
        return self.fixed.get(at, self.nodes[at].constants)

    def outputs(self, parts: Sequence[Part]) -> list[list[int]]:
        used = {at for at, node in enumerate(self.nodes) if node.result}
        for source, target, _ in self.links:
            if source in self.home and self.home[source] != self.home[target]:
                used.add(source)
        return [[at for at in part.members if at in used] for part in parts]


def rebuilt(graph: Graph, parts: Sequence[Part], fixed: Fixed) -> Folded:
    """The graph that ``parts`` of ``graph`` make, with ``fixed`` constants written into ops."""
    whole = _Whole(graph, parts, fixed)
    outputs = whole.outputs(parts)
    scopes = _homes(parts)
    frames = _frames(scopes, whole.modules)
    nodes = []
    for part, out, scope in zip(parts, outputs, scopes, strict=True):
        box = _box(whole, part, out)
        nodes.append(replace(box, cluster=frames[_framed(scope, frames)].id))
    return Folded(
        Graph(
            tuple(nodes),
            _edges(whole, parts, nodes),
            tuple(frame for frame in frames.values() if frame.id),
            graph.ops,
            graph.remark,
            graph.scale,
        ),
        {node.id: tuple(part.members) for node, part in zip(nodes, parts, strict=True)},
        {node.id: tuple(out) for node, out in zip(nodes, outputs, strict=True)},
    )


def _box(whole: _Whole, part: Part, outputs: Sequence[int]) -> Node:
    members = [whole.nodes[at] for at in part.members]
    first = members[0]
    constants = whole.constants(part.members[0])
    if len(members) == 1:
        return first if constants == first.constants else replace(first, constants=constants)
    handed = [whole.nodes[at] for at in outputs]
    single = part.each == 1 and part.role == "group"
    same_constants = all(whole.constants(at) == constants for at in part.members)
    same_call = single and same_constants and _agree(members, "settings")
    return Node(
        first.id,
        part.role,
        op=_title(whole, part) if is_op(part) else "",
        label=_labels(members, part.each),
        settings=first.settings if same_call else (),
        operands=first.operands if same_call else (),
        constants=constants if same_call else (),
        shape=handed[0].shape if handed and _agree(handed, "shape") else None,
        dtype=handed[0].dtype if handed and _agree(handed, "dtype") else "",
        scope=".".join(part.scope),
        result=any(node.result for node in members),
        count=sum(node.count for node in members),
        notes=tuple(_notes(whole, part)),
        site=_site(members),
        seconds=_total([node.seconds for node in members]),
        memory=_total([node.memory for node in members]),
    )


def _title(whole: _Whole, part: Part) -> str:
    """What it stands for; ``(×N)`` where the same weights are used N times."""
    times = _times(whole, part) if part.unit == MODULE else 1
    return f"{part.title} (×{tally(times)})" if times > 1 else part.title


def _times(whole: _Whole, part: Part) -> int:
    weights = (at for at in part.members if whole.nodes[at].role == "parameter")
    return min((whole.uses[at] for at in weights), default=1)


def _site(members: Sequence[Node]) -> str:
    """The line that made all of them, where it is one."""
    sites = {node.site for node in members if node.count}
    return sites.pop() if len(sites) == 1 else ""


def _total(amounts: Sequence[T | None]) -> T | None:
    known = [each for each in amounts if each is not None]
    return sum(known[1:], known[0]) if known else None


def _agree(members: Sequence[Node], attribute: str) -> bool:
    return len({getattr(node, attribute) for node in members}) == 1


def _labels(members: Sequence[Node], each: int) -> str:
    if each == len(members):  # one unit: what it hands on
        return members[-1].label
    labels = [node.label for node in members if node.label]
    if each > 1 or not labels:
        return ""
    return labels[0] if labels[0] == labels[-1] else f"{labels[0]} … {labels[-1]}"


def _notes(whole: _Whole, part: Part) -> Iterator[str]:
    """How many of what a group stands for, and what it is made of."""
    units = len(part.members) // part.each
    unit = part.unit
    if unit == MODULE:
        unit = whole.modules.get(tuple(part.title.split(".")), MODULE)
    if units > 1:
        yield f"{tally(units)} alike" + (f", each {unit}" if unit else "")
    elif unit:
        yield unit
    if not is_op(part):
        return
    members = [(at, whole.nodes[at]) for at in part.members]
    ops = Counter(node.op for _, node in members if node.count)
    if len(ops) > 1:
        ranked = sorted(ops.items(), key=lambda item: (-item[1], item[0]))
        shown = ", ".join(f"{op} {tally(count)}" for op, count in ranked[:4])
        yield f"{many(ops.total(), 'op')}: {shown}{', …' if len(ops) > 4 else ''}"
    weights = [(at, node) for at, node in members if node.role in ("parameter", "leaf")]
    if weights:
        yield many(sum(prod(node.shape or ()) for _, node in weights), "parameter")
        if (times := max(whole.uses[at] for at, _ in weights)) > 1:
            yield f"used {tally(times)} times"


def _edges(whole: _Whole, parts: Sequence[Part], nodes: Sequence[Node]) -> tuple[Edge, ...]:
    """Edges as they were into single nodes; into groups, all between two boxes as one."""
    kept: dict[tuple[int, int, int], int] = {}
    for start, end, port in whole.links:
        source, target = whole.home.get(start), whole.home[end]
        if source is None or source == target:
            continue
        grouped = len(parts[source].members) > 1 and len(nodes[target].operands) > MOST_PORTS
        bundled = grouped or len(parts[target].members) > 1
        key = (target, -1 if bundled else port, source)
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
