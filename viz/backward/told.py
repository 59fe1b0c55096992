"""Events in words: what a step says on a page, in a terminal, under a frame."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ...engine import Value
from ..calls import operand_names
from ..read import summarized
from ..words import ABSENT, many, number, shape_text, summary_text
from .events import Event
from .formulas import formula
from .places import is_value, line_of

Names = Callable[[Any], str]


def shown(content: Any) -> str:
    """A number, or an array in a few figures; what is absent is so, never 0.

    >>> shown(0.5), shown(None)
    ('0.5', '–')
    """
    if content is None:
        return ABSENT
    if isinstance(content, (int, float)):
        return number(content)
    if hasattr(content, "parts"):
        return many(len(content.parts), "array")  # the gradient of a node with several results
    summary = summarized(content)
    assert summary is not None
    return summary_text(summary)


def made(place: Any, name: Names) -> str:
    """How a place was computed; "" for a leaf."""
    if is_value(place):
        return formula(place, name)
    if place.op is None:
        return ""
    operands = [name(node) if node is not None else "·" for node in place.inputs]
    return f"{place.op.name}({', '.join(operands)})"


def content(place: Any, name: Names) -> Any:
    """The number or array of a place; None where the graph did not keep it."""
    return place.data if is_value(place) else getattr(name, "contents", {}).get(id(place))


def kept(places: Iterable[Any]) -> dict[int, Any]:
    """The arrays of nodes, as far as these, or the ops that used them, kept them."""
    found: dict[int, Any] = {}
    for place in places:
        saved = place.saved or (None,)
        if saved[0] is not None:
            found[id(place)] = saved[0]
        for child, array in zip(place.inputs, saved[1:], strict=False):
            if child is not None and getattr(array, "shape", None) == child.shape:
                found.setdefault(id(child), array)
    return found


def operand(place: Any, port: int) -> str:
    """Which operand that is: by the op's name for it, where it has one that says something."""
    if len(place.inputs) == 1:
        return ""
    args = operand_names(place.op, len(place.args if is_value(place) else place.inputs))
    name = args[port] if port < len(args) else ""
    return f"operand {name if len(name) > 1 and not name.isdecimal() else port + 1}"


def kind(place: Any) -> str:
    """The shape of a tensor, nothing for a number."""
    return "" if is_value(place) else shape_text(place.shape)


def headline(event: Event, name: Names) -> str:
    """The step in a line.

    >>> from gradling.engine import Value
    >>> from gradling.viz.backward.events import events
    >>> x = Value(3.0, label="x")
    >>> for event in events(x * x):
    ...     print(headline(event, lambda v: v.label or "y"))
    y = x * x = 9
    y.grad starts at 1
    y → x: 1 · 3 = 3; x.grad – → 3 (1 of 2)
    y → x: 1 · 3 = 3; x.grad 3 → 6 (2 of 2)
    """
    place = name(event.place)
    if event.phase == "forward":
        data = content(event.place, name)
        result = f" = {shown(data)}" if data is not None else f"  {kind(event.place)}"
        return f"{place} = {made(event.place, name)}{result}"
    if event.phase == "seed":
        return f"{place}.grad starts at {shown(event.after)}"
    to = name(event.to)
    change = f"{to}.grad {shown(event.before)} → {shown(event.after)}"
    return f"{place} → {to}: {product(event)}; {change} ({event.nth} of {event.of})"


def product(event: Event) -> str:
    """What is sent, as the chain rule makes it."""
    if isinstance(event.place, Value):
        return f"{shown(event.given)} · {shown(event.slope)} = {shown(event.part)}"
    return f"sends {shown(event.part)}"


@dataclass(frozen=True)
class Slope:
    """A local derivative: by which operand, whose place is ``to``, how much."""

    operand: str
    to: Any
    text: str


def slopes(place: Any, known: dict[int, Any]) -> Iterator[Slope]:
    """The local derivatives of a place; ``known`` has those of tensors by port."""
    if is_value(place):
        ports = iter(zip(place.inputs, place.partials, strict=True))
        for port, arg in enumerate(place.args):
            if isinstance(arg, Value):
                child, slope = next(ports)
                yield Slope(operand(place, port), child, shown(slope))
        return
    for port, child in enumerate(place.inputs):
        if child is not None:
            text = "by its rule" if known.get(port) is None else shown(known[port])
            yield Slope(operand(place, port), child, text)


def details(event: Event, name: Names) -> Iterator[str]:
    """A step of backward in full, a line each."""
    place = event.place
    line = line_of(place)
    yield f"{name(place)} = {made(place, name)}{f'   made at {line}' if line else ''}"
    for slope in slopes(place, {event.port: event.slope}):
        here = " ←" if slope.to is event.to else ""
        yield f"  ∂{name(place)}/∂{name(slope.to)} = {slope.text}{here}"
    if event.given is not None and not isinstance(place, Value):
        yield f"  {name(place)}.grad = {shown(event.given)}"
    yield f"  {product(event)}"
    was = "was absent, becomes" if event.before is None else f"{shown(event.before)} becomes"
    yield f"  {name(event.to)}.grad {was} {shown(event.after)}  ({event.nth} of {event.of})"
