"""Under ``viz.tracing()``: what left the graph, where and how.

The array of a result stands for it where it has no node (see ``engine/cuts.py``). No node that it
was computed from may hold that array: the note, which keeps them alive, would then keep itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ..engine import Op
from ..engine.cuts import CUTS, Cut, outside
from ..engine.modes import Mode
from ..engine.sites import user_line
from .node import Array, Node

if TYPE_CHECKING:
    from .in_graph import InGraph
    from .tensor import Tensor


def noted(
    op: Op, nodes: tuple[Node | None, ...], arrays: tuple[Any, ...], out: Tensor, now: Mode
) -> None:
    """Keep what a result was made of that its node, if it has one, does not know of."""
    made = out._node
    if made is not None:
        lost = {at: cut for at, cut in enumerate(map(_lost, nodes, arrays)) if cut is not None}
        if lost:
            made.note("cuts", lost)
        return
    sources = [
        source
        for node, array in zip(nodes, arrays, strict=True)
        if (source := node if node is not None else _lost(node, array)) is not None
    ]
    if sources:
        how = outside(now)
        if not how and any(node is not None for node in nodes):
            how = "dtype" if out.dtype.kind != "f" else "no derivative"
        CUTS.put(out._data, Cut(how, op.name, user_line(), tuple(sources)))


def _lost(node: Node | None, array: Any) -> Cut | None:
    return CUTS.get(array) if node is None else None


def detached(x: InGraph, out: Array, how: str) -> None:
    """``out`` holds the numbers of ``x`` outside the graph."""
    if x._node is not None:
        CUTS.put(out, Cut(how, how, user_line(), (x._node,)))
    else:
        carried(x._data, out)


def copied(data: Any, out: Array) -> None:
    """``out`` is a new tensor made of ``data``: a tensor, or lists with tensors in them."""
    sources = []
    for x in _tensors(data):
        source = x._node if x._node is not None else CUTS.get(x._data)
        if source is not None:
            sources.append(source)
    if isinstance(data, np.ndarray):
        carried(data, out)
    elif sources:
        CUTS.put(out, Cut("copy", "tensor", user_line(), tuple(sources)))


def _tensors(data: Any) -> Iterator[Any]:
    if hasattr(data, "_node"):
        yield data
    elif isinstance(data, (list, tuple)):
        for entry in data:
            yield from _tensors(entry)


def carried(before: Array, after: Array) -> None:
    """What is known of the numbers in one array holds for those in another."""
    known = CUTS.get(before)
    if known is not None and after is not before:
        CUTS.put(after, known)
