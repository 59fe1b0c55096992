"""``diff(a, b)``: two graphs as one picture of what was added, removed and changed.

Nodes are the same where they are the same op of the same nodes. What is left over is matched in
order by op, name and module: that changed. Matches of the second kind keep the order of both
graphs, so that the two together have no cycle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from heapq import heapify, heappop, heappush
from typing import Any

from .draw import Drawing, draw, longest
from .fold import BUDGET, fold
from .read import Moment, summarized
from .spec import Edge, Graph, Node, Scale, Summary
from .words import ABSENT, number, tally

SAME, CHANGED, ADDED, REMOVED = range(4)
WORDS = ("the same", "changed", "added", "removed")
COLORS = ("#999999", "#e69f00", "#009e73", "#cc79a7")
KEPT = 20  # so many nodes that came, went or changed in kind are never folded


def diff(
    a: Any, b: Any, *, params: Any = None, budget: int | None = BUDGET, title: str = ""
) -> Drawing:
    """What is different in ``b``, compared with ``a``: two graphs, or one before and after.

    Args:
        a, b: drawings, which remember the numbers of their moment; or Values and Tensors.
        params: names of parameters where Values or Tensors are given, as for ``draw``.
        budget: the most boxes to show. Nodes that came or went are not folded while they are few.
        title: a line for the caption.

    Returns:
        A drawing whose boxes say "added", "removed" or what changed in them, by colour and in
        words, and whose caption counts them.

    >>> from gradling.engine import Value
    >>> x = Value(3.0, label="x")
    >>> before = draw(x * x + 1)
    >>> x.data = 4.0
    >>> print(diff(before, draw((x * x).tanh() + 1)))  # doctest: +ELLIPSIS
    +...changed: value 10 → 2
    ...
    3 ops; 1 added, 3 changed, 1 the same
    """
    old, new = _moment(a, params), _moment(b, params)
    ours = _matched(old.graph, new.graph)
    merged, states = _merged(old, new, ours)
    counts: Counter[int] = Counter(state for state, _ in states)
    said = [f"{tally(counts[s])} {WORDS[s]}" for s in (ADDED, REMOVED, CHANGED, SAME) if counts[s]]
    structural = [at for at, (state, _) in enumerate(states) if state in (ADDED, REMOVED)]
    kept = structural if len(structural) <= KEPT else []
    scale = Scale("compared with before", WORDS[1:], COLORS[1:])
    remark = ", ".join(said) if counts.keys() - {SAME} else "no difference"
    merged.graph = replace(merged.graph, remark=remark, scale=scale)
    merged.mark = lambda node, members: _mark(node, [states[at] for at in members])
    folded = fold(merged.graph, budget, keep=kept)
    graph = merged.fill(folded)
    direction = "LR" if longest(graph) <= 10 else "TB"
    return Drawing(graph, title, direction, whole=(merged, folded))


def _moment(given: Any, params: Any) -> Moment:
    drawing = given if isinstance(given, Drawing) else draw(given, params=params)
    if drawing.whole is None:
        raise ValueError("diff: expected drawings made by draw(), or Values and Tensors")
    return drawing.whole[0]


# Matching -----------------------------------------------------------------------------------------


def _matched(old: Graph, new: Graph) -> dict[int, int]:
    """Positions in ``new`` to those in ``old``."""
    one, other = _forms(old), _forms(new)
    places: dict[Hashable, list[int]] = {}
    for at, form in enumerate(one):
        places.setdefault(form, []).append(at)
    pairs: dict[int, int] = {}
    for at, form in enumerate(other):
        if places.get(form):
            pairs[at] = places[form].pop(0)
    taken = set(pairs.values())
    left = [at for at in range(len(one)) if at not in taken]
    right = [at for at in range(len(other)) if at not in pairs]
    names = [_name(old.nodes[at]) for at in left], [_name(new.nodes[at]) for at in right]
    ids: dict[Hashable, int] = {}
    coded = [[ids.setdefault(name, len(ids)) for name in side] for side in names]
    matcher = SequenceMatcher(None, coded[0], coded[1], autojunk=False)
    for start, begin, size in matcher.get_matching_blocks():
        pairs.update({right[begin + k]: left[start + k] for k in range(size)})
    return pairs


def _name(node: Node) -> Hashable:
    return node.role, node.op, node.label, node.scope


def _forms(graph: Graph) -> list[int]:
    """Equal numbers for nodes that are made alike from alike nodes, whatever their numbers."""
    operands: dict[str, list[str]] = {node.id: [] for node in graph.nodes}
    for edge in graph.edges:
        operands[edge.target].append(edge.source)
    forms: dict[str, int] = {}
    found = []
    for node in graph.nodes:
        below = tuple([forms[one] for one in operands[node.id]])
        form = hash((_name(node), node.settings, node.shape, node.dtype, below))
        forms[node.id] = form
        found.append(form)
    return found


# Merging ------------------------------------------------------------------------------------------

State = tuple[int, str]


def _merged(old: Moment, new: Moment, ours: dict[int, int]) -> tuple[Moment, list[State]]:
    """One graph of both, in an order in which operands come first, and a state for each node."""
    theirs = {at: place for place, at in ours.items()}
    entries = [*((new, at) for at in range(len(new.graph.nodes)))]
    entries += [(old, at) for at in range(len(old.graph.nodes)) if at not in theirs]
    index = {(id(moment), at): place for place, (moment, at) in enumerate(entries)}
    index |= {(id(old), at): index[id(new), place] for at, place in theirs.items()}
    links: dict[tuple[int, int, int], None] = {}
    for moment in (new, old):
        home = {node.id: index[id(moment), at] for at, node in enumerate(moment.graph.nodes)}
        for edge in moment.graph.edges:
            fresh = home[edge.target] >= len(new.graph.nodes) or moment is new
            port = edge.port if fresh else -1  # an operand that it had, beside those it has
            links[home[edge.source], home[edge.target], port] = None
    known = {(source, target) for source, target, port in links if port >= 0}
    links = {k: None for k in links if k[2] >= 0 or k[:2] not in known}
    order = _topological(len(entries), links)
    number_of = {place: at for at, place in enumerate(order)}
    nodes: list[Node] = []
    states: list[State] = []
    values: list[Any] = []
    grads: list[Any] = []
    for place in order:
        moment, at = entries[place]
        node = replace(moment.graph.nodes[at], id=f"n{len(nodes)}")
        before = ours.get(at) if moment is new else None
        states.append(_state(old, new, at, before, moment is old))
        nodes.append(replace(node, result=node.result and moment is new))
        values.append(moment.values[at])
        grads.append(moment.grads[at])
    edges = sorted((number_of[t], p, number_of[s]) for s, t, p in links)
    graph = Graph(
        tuple(nodes),
        tuple(Edge(f"n{source}", f"n{target}", port) for target, port, source in edges),
        ops=sum(node.count for node in nodes),
    )
    return Moment(graph, values, grads, old.single and new.single), states


def _topological(size: int, links: dict[tuple[int, int, int], None]) -> list[int]:
    """Operands first; among those that are ready, in the order given."""
    users: list[list[int]] = [[] for _ in range(size)]
    waiting = [0] * size
    for source, target, _ in links:
        users[source].append(target)
        waiting[target] += 1
    ready = [at for at in range(size) if not waiting[at]]
    heapify(ready)
    order = []
    while ready:
        at = heappop(ready)
        order.append(at)
        for user in users[at]:
            waiting[user] -= 1
            if not waiting[user]:
                heappush(ready, user)
    if len(order) != size:
        raise AssertionError("the two graphs together have a cycle")
    return order


def _state(old: Moment, new: Moment, at: int, before: int | None, gone: bool) -> State:
    if gone:
        return REMOVED, ""
    if before is None:
        return ADDED, ""
    said = []
    was, now = old.graph.nodes[before], new.graph.nodes[at]
    for word, one, other in (
        ("shape", was.shape, now.shape),
        ("dtype", was.dtype, now.dtype),
        ("call", " ".join(was.settings), " ".join(now.settings)),
    ):
        if one != other:
            said.append(f"{word} {one or ABSENT} → {other or ABSENT}")
    for word, one, other in (
        ("value", old.values[before], new.values[at]),
        ("grad", old.grads[before], new.grads[at]),
    ):
        if text := _moved(summarized(one), summarized(other)):
            said.append(f"{word} {text}")
    return (CHANGED, "; ".join(said)) if said else (SAME, "")


def _moved(one: Summary | None, other: Summary | None) -> str:
    """From what to what a number went; of an array its mean, or its ends where that stayed."""
    if repr(one) == repr(other):
        return ""
    if one is None or other is None:
        return f"{_figure(one)} → {_figure(other)}"
    if len(one.items) == len(other.items) == 1:
        return f"{number(one.items[0])} → {number(other.items[0])}"
    if number(one.mean) != number(other.mean):
        return f"mean {number(one.mean)} → {number(other.mean)}"
    ends = [f"{number(each.low)} to {number(each.high)}" for each in (one, other)]
    return " → ".join(ends) if ends[0] != ends[1] else "a little"


def _figure(summary: Summary | None) -> str:
    if summary is None:
        return ABSENT
    return number(summary.items[0] if len(summary.items) == 1 else summary.mean)


def _mark(node: Node, states: Sequence[State]) -> Node:
    counts = Counter(state for state, _ in states)
    if not counts.keys() - {SAME}:
        return node
    if len(states) == 1:
        state, said = states[0]
        text = f"{WORDS[state]}: {said}" if said else WORDS[state]
    else:
        state = next(state for state in (CHANGED, ADDED, REMOVED) if counts[state])
        text = ", ".join(f"{tally(counts[s])} {WORDS[s]}" for s in range(4) if counts[s])
    return replace(node, step=state - 1, measure=text)
