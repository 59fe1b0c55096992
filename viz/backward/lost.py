"""Where a gradient lost its way: gaps that were noted, memory that is shared, common ancestors."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from ...engine.cuts import CUTS, Cut
from ...engine.walk import history
from .places import below, is_value, leads


def of_leaf(place: Any) -> Cut | None:
    """What is known of a leaf's numbers, which came from elsewhere."""
    if is_value(place):
        return CUTS.get(place)
    return CUTS.get(place.saved[0]) if place.op is None and place.saved else None


def first(cut: Cut | None) -> Cut | None:
    """The cut that left the graph, below those that were outside already."""
    while cut is not None and not cut.how:
        cut = next((source for source in cut.sources if isinstance(source, Cut)), None)
    return cut


def path(root: Any, target: Any) -> list[Cut]:
    """The gaps on a path from ``root`` to ``target`` that has the fewest; none if there is none."""
    todo: deque[tuple[Any, Any]] = deque([(root, None)])
    before: dict[int, Any] = {}
    keep = []  # so that no id is used twice
    while todo:
        place, upper = todo.popleft()
        if id(place) in before:
            continue
        before[id(place)] = upper
        keep.append(place)
        if place is target:
            return list(_gaps(place, before))
        for lower, gap in _further(place):
            if gap:
                todo.append((lower, place))
            else:
                todo.appendleft((lower, place))
    return []


def _further(place: Any) -> Iterator[tuple[Any, bool]]:
    """What a place or a cut was made of, and whether no gradient goes there."""
    if isinstance(place, Cut):
        for source in place.sources:
            yield source, True
        return
    for _, lower in leads(place):
        yield lower, False
    cuts = () if is_value(place) else (place.noted("cuts") or {}).values()
    for cut in cuts:
        yield cut, True
    cut = of_leaf(place)
    if cut is not None:
        yield cut, True


def _gaps(place: Any, before: dict[int, Any]) -> Iterator[Cut]:
    """From the loss down."""
    chain = []
    while place is not None:
        if isinstance(place, Cut):
            chain.append(place)
        place = before[id(place)]
    yield from reversed(chain)


def share_memory(a: Any, b: Any) -> bool:
    import numpy as np

    return np.may_share_memory(a, b) and bool(a.size and b.size)


def sharer(array: Any, places: Iterable[Any]) -> Any:
    """A leaf among ``places`` whose memory this array looks at."""
    for place in places:
        leaf = not is_value(place) and place.op is None and place.saved
        if leaf and share_memory(place.saved[0], array):
            return place
    return None


def constant_user(array: Any, places: Iterable[Any]) -> Any:
    """An op that was handed this array's memory as something without gradient."""
    for place in places:
        if is_value(place) or place.op is None:
            continue
        for node, saved in zip(place.inputs, (place.saved or ())[1:], strict=False):
            if node is None and hasattr(saved, "shape") and share_memory(saved, array):
                return place
    return None


def nearest_shared(place: Any, root: Any) -> Any:
    """The latest result or leaf that both were made of; None if they share nothing."""
    if is_value(place) is not is_value(root):
        return None
    mine = {id(p) for p in below(place)}
    shared = [p for p in below(root) if id(p) in mine]
    if not shared:
        return None
    if not is_value(root):
        return max(shared, key=lambda p: p.seq)
    order = {id(p): at for at, p in enumerate(history(root))}
    return max(shared, key=lambda p: order[id(p)])
