"""Graphs whose nodes stand for several nodes of another graph, and the two things every fold does
to them: contract groups of nodes without making a cycle, and order what is left.

A ``Part`` list is always in topological order; ``inputs`` are indices into the same list.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from .spec import Graph, Node, Role

Fixed = dict[int, tuple[tuple[int, str], ...]]  # by position: (operand, constant) pairs
MODULE = "module"  # the unit of a closed module, until its class is known


@dataclass(slots=True)
class Part:
    """One box of a graph on its way to being small.

    ``title`` says what it stands for; ``kind``, ``label`` and ``fixed`` (its constants) what makes
    two parts alike. Its members are so many alike units of ``each`` nodes, described by ``unit``.
    ``solid`` parts (results) stay boxes of their own.
    """

    members: tuple[int, ...]
    inputs: tuple[int, ...]
    role: Role
    title: str
    kind: Hashable
    label: str = ""
    fixed: Hashable = ()
    scope: tuple[str, ...] = ()
    each: int = 1
    unit: str = ""
    steps: int = 1
    solid: bool = False

    def fed(self, inputs: tuple[int, ...]) -> Part:
        """The same with other inputs (``dataclasses.replace`` is several times slower)."""
        return Part(
            self.members, inputs, self.role, self.title, self.kind, self.label,
            self.fixed, self.scope, self.each, self.unit, self.steps, self.solid,
        )  # fmt: skip


def is_op(part: Part) -> bool:
    return part.role in ("op", "group")


def union(
    team: list[Part],
    role: Role,
    title: str,
    kind: Hashable,
    unit: str = "",
    scope: tuple[str, ...] | None = None,
) -> Part:
    """One part for a whole team; its inputs are for ``merge`` to say.

    A team of parts that each stand for n units becomes n units that run through all of the team.
    """
    members = tuple(sorted([member for part in team for member in part.members]))
    last = team[-1]
    scope = last.scope if scope is None else scope
    counts = {len(part.members) // part.each for part in team}
    each = sum(part.each for part in team) if len(counts) == 1 else len(members)
    fixed = tuple([part.fixed for part in team])
    return Part(members, (), role, title, kind, last.label, fixed, scope, each, unit)


Describe = Callable[[list[Part]], Part]


def singles(graph: Graph, hidden: Collection[int], fixed: Fixed) -> list[Part]:
    """Every node as its own part, without the ``hidden`` ones; ``fixed``: their constants."""
    place = {node.id: position for position, node in enumerate(graph.nodes)}
    inputs: list[list[int]] = [[] for _ in graph.nodes]
    for edge in graph.edges:
        inputs[place[edge.target]].append(place[edge.source])
    index: dict[int, int] = {}
    parts: list[Part] = []
    for position, node in enumerate(graph.nodes):
        if position not in hidden:
            index[position] = len(parts)
            sources = tuple(index[at] for at in inputs[position] if at not in hidden)
            constants = fixed.get(position, node.constants)
            parts.append(_single(node, position, sources, constants))
    return parts


def _single(
    node: Node, position: int, inputs: tuple[int, ...], constants: tuple[tuple[int, str], ...]
) -> Part:
    scope = tuple(node.scope.split(".")) if node.scope else ()
    kind: Hashable = (node.role, node.shape, node.dtype)
    if node.role == "op":
        kind = (node.op, node.settings, tuple([place for place, _ in constants]))
    title = node.op or node.role
    label = re.sub(r"\d+", "#", node.label) if node.label else ""
    return Part(
        (position,), inputs, node.role, title, kind, label, constants, scope, solid=node.result
    )


def users(parts: Sequence[Part]) -> list[list[int]]:
    """For every part the parts that take it as input, each once."""
    out: list[list[int]] = [[] for _ in parts]
    for index, part in enumerate(parts):
        for source in set(part.inputs):
            out[source].append(index)
    return out


def merge(parts: Sequence[Part], group: Sequence[Hashable], describe: Describe) -> list[Part]:
    """One part for all that share a ``group``; the caller sees to it that no cycle arises."""
    teams: dict[Hashable, list[int]] = {}
    for index, key in enumerate(group):
        teams.setdefault(key, []).append(index)
    if len(teams) == len(parts):
        return list(parts)
    team_of = [0] * len(parts)
    merged: list[Part] = []
    for number, team in enumerate(teams.values()):
        for index in team:
            team_of[index] = number
        part = parts[team[0]] if len(team) == 1 else describe([parts[index] for index in team])
        merged.append(part)
    sources: list[dict[int, None]] = [{} for _ in merged]
    for index, part in enumerate(parts):
        target = team_of[index]
        sources[target].update((team_of[at], None) for at in part.inputs)
    for number, source in enumerate(sources):
        source.pop(number, None)
    return _ordered(merged, sources)


def _ordered(parts: list[Part], sources: Sequence[dict[int, None]]) -> list[Part]:
    """Topological order, earliest member first among those that are ready (Kahn's algorithm)."""
    waiting = [len(source) for source in sources]
    out: list[list[int]] = [[] for _ in parts]
    for index, source in enumerate(sources):
        for at in source:
            out[at].append(index)
    ready = [(parts[i].members[0], i) for i, count in enumerate(waiting) if count == 0]
    ready.sort()
    place: dict[int, int] = {}
    ordered: list[Part] = []
    while ready:
        _, index = heappop(ready)
        place[index] = len(ordered)
        ordered.append(parts[index].fed(tuple([place[at] for at in sources[index]])))
        for target in out[index]:
            waiting[target] -= 1
            if waiting[target] == 0:
                heappush(ready, (parts[target].members[0], target))
    if len(ordered) != len(parts):
        raise AssertionError("folding made a cycle")
    return ordered


def tangled(group: Sequence[Hashable], parts: Sequence[Part]) -> set[Hashable]:
    """Groups on a cycle of the contracted graph, or between two: what peeling off ends leaves."""
    ahead: dict[Hashable, set[Hashable]] = {key: set() for key in group}
    behind: dict[Hashable, set[Hashable]] = {key: set() for key in group}
    for index, part in enumerate(parts):
        for source in part.inputs:
            if group[source] != group[index]:
                ahead[group[source]].add(group[index])
                behind[group[index]].add(group[source])
    left = set(ahead)
    for forth, back in ((ahead, behind), (behind, ahead)):
        loose = [key for key in left if not back[key] & left]
        degree = {key: len(back[key] & left) for key in left}
        while loose:
            key = loose.pop()
            left.discard(key)
            for follower in forth[key]:
                if follower in left:
                    degree[follower] -= 1
                    if degree[follower] == 0:
                        loose.append(follower)
    return left


def instances(group: Sequence[Hashable], parts: Sequence[Part]) -> list[Hashable]:
    """Split groups that a path leaves and comes back to: a module called twice is two boxes.

    Along every path the call number rises whenever it crosses from one tangled group to another, so
    contracted calls cannot form a cycle.
    """
    knot = tangled(group, parts)
    if not knot:
        return list(group)
    level = [0] * len(parts)
    for index, part in enumerate(parts):
        if group[index] in knot:
            level[index] = max(
                (
                    level[source] + (group[source] != group[index])
                    for source in part.inputs
                    if group[source] in knot
                ),
                default=0,
            )
    sizes = Counter(group)  # what is alone is one call, and keeps its name
    return [
        (key, level[index]) if key in knot and sizes[key] > 1 else key
        for index, key in enumerate(group)
    ]
