"""Make a graph small enough to read: a budget of boxes, met by ever stronger foldings.

First constants move into the ops that use them. Then modules close, the innermost first; runs of
one op (a sum written as many ``+``) and chains become one box; parts that are built alike become
one box that says how many. What resists all of it is cut into bands along the depth. Each folding
is near linear in the size of the graph and keeps it free of cycles.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import replace
from functools import partial

from .boxes import MOST_PORTS, Folded, rebuilt
from .parts import Fixed, Part, instances, is_op, merge, singles, union, users
from .scopes import Wishes, by_scope, closed, depths_of, pinned, repeats
from .spec import Graph
from .words import summary_text, tally

Folding = Callable[[list[Part]], list[Part]]
BUDGET = 60
NOTHING = Wishes()
EXACT, SIMILAR, LOOSE = range(3)  # alike: with constants, whatever the constants, by the op alone
BANDS = 12  # a strip of more boxes without names tells nobody more


def fold(
    graph: Graph,
    budget: int | None = BUDGET,
    constants: bool = True,
    wishes: Wishes = NOTHING,
    keep: Collection[int] = (),
) -> Folded:
    """A graph of at most ``budget`` boxes, and what each of them stands for.

    Args:
        budget: the most boxes to show; ``None`` shows everything.
        constants: whether constants have boxes where the budget allows it.
        keep: positions of nodes that are not folded, as results are not.
        wishes: modules to leave open, whose boxes the budget does not count, and to close.

    Raises:
        ValueError: for a budget below 4: leaves, parameters, ops and results.
    """
    if budget is not None and budget < 4:
        raise ValueError(
            f"budget is the number of boxes to show: expected at least 4, got {budget}"
        )
    hidden: set[int] = set()
    fixed: Fixed = {}
    if not constants or budget is not None and len(graph.nodes) > budget:
        hidden, fixed = loose_constants(graph)
    parts = singles(graph, hidden, fixed)
    if budget is not None and sum(part.solid for part in parts) > budget // 2:
        parts = [replace(part, solid=False) for part in parts]  # so many results fold like the rest
    if keep:
        parts = [replace(part, solid=part.solid or part.members[0] in keep) for part in parts]
    results = sum(part.solid for part in parts)
    parts, opened = pinned(parts, wishes)
    parts = closed(parts, wishes, opened)
    if budget is not None:
        budget += sum(part.solid for part in parts) - results
        if len(parts) > budget:
            parts = _folded(parts, budget, opened)
    return rebuilt(graph, parts, fixed)


def _folded(
    parts: list[Part], budget: int, opened: Callable[[tuple[str, ...]], bool]
) -> list[Part]:
    parts = by_scope(repeats(parts, opened), budget, opened)
    exactly, similarly, loosely = (partial(alike, like=like) for like in (EXACT, SIMILAR, LOOSE))
    single_file = partial(chains, budget=budget)
    stages: list[list[Folding]] = [
        [exactly],
        [similarly, runs],
        [single_file, similarly, runs],
        [loosely, runs, partial(single_file, across=True)],
    ]
    for stage in stages:
        before = 2 * len(parts)
        while budget < len(parts) < 0.75 * before:  # else rounds are not worth their time
            before = len(parts)
            for folding in stage:
                if len(parts) > budget:
                    parts = folding(parts)
    return parts if len(parts) <= budget else bands(parts, budget)


def loose_constants(graph: Graph) -> tuple[set[int], Fixed]:
    """Constant numbers, which need no box, and what each op that uses some has to say of them."""
    place = {node.id: position for position, node in enumerate(graph.nodes)}
    hidden = {
        position
        for position, node in enumerate(graph.nodes)
        if node.role == "constant" and not node.result and (node.shape is None or node.value)
    }
    fixed: dict[int, list[tuple[int, str]]] = {}
    for edge in graph.edges:
        if place[edge.source] in hidden:
            value = graph.nodes[place[edge.source]].value
            text = "const" if value is None else summary_text(value)
            fixed.setdefault(place[edge.target], []).append((edge.port, text))
    return hidden, {position: tuple(sorted(texts)) for position, texts in fixed.items()}


# Foldings: parts -> fewer parts -------------------------------------------------------------------


def runs(parts: list[Part]) -> list[Part]:
    """Close ops of one kind that feed only each other: a sum of many terms."""
    return merge(parts, _rows(parts, lambda part, user, inputs: part.title == user.title), _run)


def chains(parts: list[Part], budget: int, across: bool = False) -> list[Part]:
    """Close ops in single file, leaves aside: the longest, and no more than the budget asks for.

    ``across``: also from one module to the next.
    """
    head = _rows(parts, lambda part, user, inputs: inputs == 1, across)
    lengths = Counter(head)
    left, shortest = len(parts), len(parts) + 1
    for length, rows in sorted(Counter(lengths.values()).items(), reverse=True):
        if left > budget:
            left, shortest = left - rows * (length - 1), length
    group = [at if lengths[at] >= shortest else index for index, at in enumerate(head)]
    return merge(parts, group, _chain)


def _rows(
    parts: list[Part], joins: Callable[[Part, Part, int], bool], across: bool = False
) -> list[int]:
    """For each part the end of its row: parts join their only user, where ``joins`` says so.

    No other path links the two, so contracting a row makes no cycle.
    """
    used_by = users(parts)
    head = list(range(len(parts)))
    for index in range(len(parts) - 1, -1, -1):
        part = parts[index]
        if len(used_by[index]) != 1 or part.solid or not is_op(part):
            continue
        user = parts[used_by[index][0]]
        inputs = sum(is_op(parts[at]) for at in set(user.inputs))
        near = across or user.scope == part.scope
        if near and not user.solid and joins(part, user, inputs):
            head[index] = head[used_by[index][0]]
    return head


def _run(team: list[Part]) -> Part:
    steps = sum(part.steps for part in team)
    kind = ("run", team[0].kind, steps)
    row = union(team, "group", team[0].title, kind, f"{tally(steps)} in a row")
    return replace(row, steps=steps)


def _chain(team: list[Part]) -> Part:
    titles = [part.title for part in team]
    period = _period(titles)
    rounds = len(titles) // period
    shown = titles[:period] if period <= 4 else [*titles[:2], "…", titles[period - 1]]
    title, unit = " → ".join(shown), ""
    if rounds > 1:
        rest = " and a part" if len(titles) % period else ""
        title, unit = f"({title})", f"{tally(rounds)} times in a row{rest}"
    return union(team, "group", title, ("chain", tuple(part.kind for part in team)), unit)


def _period(items: Sequence[str]) -> int:
    """The least p with ``items[i] == items[i + p]`` (Knuth, Morris and Pratt's borders)."""
    border = [0] * len(items)
    for index in range(1, len(items)):
        length = border[index - 1]
        while length and items[index] != items[length]:
            length = border[length - 1]
        border[index] = length + (items[index] == items[length])
    return len(items) - border[-1]


def alike(parts: list[Part], like: int) -> list[Part]:
    """Join parts of one kind, made from alike parts: one unit of many."""
    return merge(parts, _classes(parts, like), _many_alike)


def _classes(parts: list[Part], like: int) -> list[Hashable]:
    """A class per part; equal classes lie equally deep, so contracting them makes no cycle."""
    numbers: dict[Hashable, int] = {}
    classes: list[int] = []
    scopes: dict[tuple[str, ...], str] = {}
    for index, part in enumerate(parts):
        below: tuple[int, ...] = tuple([classes[at] for at in part.inputs])
        key: Hashable
        if part.solid:
            key = index
        elif like == LOOSE:
            key = (part.role, part.title, tuple(sorted(set(below))))
        else:
            if part.scope not in scopes:
                scopes[part.scope] = re.sub(r"\d+", "#", ".".join(part.scope))
            fixed = part.fixed if like == EXACT else ()
            where = scopes[part.scope]
            key = (part.role, part.kind, part.title, part.unit, part.label, fixed, where, below)
        classes.append(numbers.setdefault(key, len(numbers)))
    return _by_use(parts, classes, like)


def _by_use(parts: list[Part], classes: list[int], like: int) -> list[Hashable]:
    """The classes, with leaves told apart by what they are used for."""
    purposes: list[Hashable] = list(classes)
    for index, used_by in enumerate(users(parts)):
        if not parts[index].inputs:
            places = ((classes[at], _place(parts[at], index, like)) for at in used_by)
            purposes[index] = (classes[index], frozenset(places))
    return purposes


def _place(user: Part, source: int, like: int) -> int:
    """Which operand it is, where that tells it apart: the weights of a large sum are alike."""
    anywhere = like == LOOSE or user.role == "group" or len(user.inputs) > MOST_PORTS
    return -1 if anywhere else user.inputs.index(source)


def _many_alike(team: list[Part]) -> Part:
    first = team[0]
    role = first.role if not is_op(first) else "group"
    same = all((part.each, part.unit) == (first.each, first.unit) for part in team)
    kind = first.kind if all(part.kind == first.kind for part in team) else ("any", first.title)
    merged = union(team, role, first.title, kind, scope=first.scope)
    return replace(merged, each=first.each if same else 1, unit=first.unit if same else "")


def bands(parts: list[Part], budget: int) -> list[Part]:
    """Cut the graph into slices of equal depth, whatever is in them."""
    depth = depths_of(parts)
    kinds = {part.role for part in parts if not is_op(part)}
    count, deepest = min(BANDS, budget // 2, budget - len(kinds)), max(depth)
    for solid in (True, False):
        parts = parts if solid else [replace(part, solid=False) for part in parts]
        group: list[Hashable] = []
        for index, part in enumerate(parts):
            band = depth[index] * count // (deepest + 1)
            slot = ("band", band) if is_op(part) else ("leaves", part.role)
            group.append(index if part.solid else slot)
        group = instances(group, parts)
        if len(set(group)) <= budget:
            break
    return merge(parts, group, _band)


def _band(team: list[Part]) -> Part:
    first = team[0]
    if not is_op(first):
        return union(team, first.role, first.title, first.role)
    return union(team, "group", "…", "band", unit="a slice of the depth")
