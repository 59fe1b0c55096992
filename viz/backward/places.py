"""Places in a graph, whether of Values or of tensors: what they are called, what they are made of.

A *place* is a Value, or the graph node of a tensor.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from ...engine.sites import site
from ..read import _names as names_of
from ..words import number, shape_text, visible


def is_value(x: Any) -> bool:
    return hasattr(x, "edges")


def is_tensor(x: Any) -> bool:
    return hasattr(x, "_node")


def place_of(x: Any) -> Any:
    """Where a Value or Tensor is in its graph; None for a tensor that is in none."""
    return x._node if is_tensor(x) else x


def expected(function: str, argument: str, x: Any) -> None:
    """Refuse what is neither.

    Raises:
        TypeError: says what a plain number probably went through.
    """
    if is_value(x) or is_tensor(x):
        return
    hint = ""
    if isinstance(x, (int, float)) or type(x).__module__ == "numpy":
        hint = "; .item(), float() and .numpy() leave the graph: hand over what they were called on"
    raise TypeError(
        f"{function}: expected {argument} to be a Value or a Tensor, got {type(x).__name__}{hint}"
    )


def line_of(place: Any) -> str:
    """``file:line`` that made it, "" where nobody watched."""
    found = site(place)
    if found is not None:
        return found.line
    return getattr(place, "noted", lambda key: "")("site") or ""


def short(line: str) -> str:
    """The same without the folders."""
    return os.path.basename(line)


def called(place: Any, names: Mapping[int, str] | None = None) -> str:
    """Its name where it has one, else what it is: ``w``, ``mul (3, 2)``, ``× = 6``."""
    name = place.label or (names or {}).get(id(place), "")
    if name:
        return visible(name)
    what = place.op.name if place.op is not None else "leaf"
    if is_value(place):
        return f"{what} = {number(place.data)}"
    return f"{what} {shape_text(place.shape)}"


def leads(place: Any) -> Iterator[tuple[int, Any]]:
    """(position of the operand, place) for what backward goes on to."""
    if is_value(place):
        yield from enumerate(place.edges[::2])
        return
    op = place.op
    if op is None:
        return
    for at, node in enumerate(place.inputs):
        if node is not None and (op.joint is not None or op.vjp[at] is not None):
            yield at, node


def below(root: Any) -> list[Any]:
    """Every place that a gradient of ``root`` reaches, ``root`` first, in no other order."""
    found = [root]
    seen = {id(root)}
    for place in found:
        for _, lower in leads(place):
            if id(lower) not in seen:
                seen.add(id(lower))
                found.append(lower)
    return found


__all__ = [
    "below",
    "called",
    "expected",
    "is_tensor",
    "is_value",
    "leads",
    "line_of",
    "names_of",
    "place_of",
    "short",
]
