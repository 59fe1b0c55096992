"""Colour by a quantity: what is measured of a node, and the steps of the scale it falls into.

Numbers go from yellow to dark violet in steps of viridis (van der Walt and Smith, 2015), whose
lightness falls all the way, so they read without colour vision and in print; kinds get the hues of
Okabe and Ito. The strip that is coloured also says the number, and never changes with the page.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from math import isfinite, log10
from typing import Any

from .spec import Node, Scale, Summary
from .words import number, visible

Measure = Callable[[Node], float | str | None]
NUMBERS = ("#fde725", "#7ad151", "#22a884", "#2a788e", "#414487", "#440154")
KINDS = ("#56b4e9", "#e69f00", "#009e73", "#f0e442", "#cc79a7", "#d55e00", "#999999")
_BLACK, _WHITE = "#000000", "#ffffff"
_WIDE = 50.0  # positive numbers further apart than this are told apart by their logarithms


def _largest(summary: Summary | None) -> float | None:
    if summary is None or summary.size == 0:
        return None
    return max(abs(summary.low), abs(summary.high))


def _bytes(memory: float) -> str:
    for unit in ("B", "KB", "MB"):
        if memory < 1000:
            return f"{number(memory, 3)} {unit}"
        memory /= 1000
    return f"{number(memory, 3)} GB"


MEASURES: dict[str, tuple[str, Measure, Callable[[float], str]]] = {
    "grad": ("largest |grad|", lambda node: _largest(node.grad), lambda x: number(x, 3)),
    "value": ("largest |value|", lambda node: _largest(node.value), lambda x: number(x, 3)),
    "dtype": ("dtype", lambda node: node.dtype or "number", str),
    "time": ("time", lambda node: node.seconds, lambda x: f"{number(x * 1e3, 3)} ms"),
    "memory": ("memory", lambda node: node.memory, _bytes),
}


def measure(color: str | Measure) -> tuple[str, Measure, Callable[[float], str]]:
    """Name, function and text of what to colour by.

    Raises:
        ValueError: the name is unknown.
    """
    if callable(color):
        name = getattr(color, "__name__", type(color).__name__)
        return ("" if name == "<lambda>" else name), color, lambda x: number(x, 3)
    if color not in MEASURES:
        known = ", ".join(map(repr, MEASURES))
        raise ValueError(
            f"color: expected one of {known}, or a function of the node, got {color!r}"
        )
    return MEASURES[color]


def scaled(nodes: Iterable[Node], color: str | Measure) -> tuple[Scale, Callable[[Node], Node]]:
    """The scale that the nodes span, and what marks a node with its step.

    Raises:
        ValueError: nothing is known of any node.
        TypeError: the function gives neither numbers nor texts.
    """
    name, of, text = measure(color)
    found = [taken for node in nodes if (taken := _taken(of, node)) is not None]
    if not found:
        hint = "; compute under viz.tracing() to know times" if color == "time" else ""
        hint = "; call backward() first" if color == "grad" else hint
        raise ValueError(f"color={color!r}: nothing is known of any node{hint}")
    kinds = isinstance(found[0], str)
    if any(isinstance(one, str) != kinds for one in found):
        raise TypeError("color: the function gave numbers for some nodes and texts for others")
    if kinds:
        return _by_kind(name, [str(one) for one in found], of)
    return _by_number(name, [float(one) for one in found], of, text)


def _taken(of: Measure, node: Node) -> float | str | None:
    given: Any = of(node)
    if isinstance(given, str):
        return given
    try:
        return None if given is None or not isfinite(given) else float(given)
    except TypeError:
        raise TypeError(
            f"color: the function gives numbers, texts or None, got {type(given).__name__}"
        ) from None


def _by_kind(name: str, found: list[str], of: Measure) -> tuple[Scale, Callable[[Node], Node]]:
    kinds = sorted(set(found))
    shown = kinds if len(kinds) <= len(KINDS) else [*kinds[: len(KINDS) - 1], "others"]
    step = {kind: min(at, len(shown) - 1) for at, kind in enumerate(kinds)}

    def mark(node: Node) -> Node:
        kind = _taken(of, node)
        if not isinstance(kind, str):
            return node
        return replace(node, step=step.get(kind, len(shown) - 1), measure=visible(kind, 24))

    return Scale(name, tuple(visible(kind, 24) for kind in shown), KINDS[: len(shown)]), mark


def _by_number(
    name: str, found: Sequence[float], of: Measure, text: Callable[[float], str]
) -> tuple[Scale, Callable[[Node], Node]]:
    edges = _edges(found)
    ends = [min(found), *edges, max(found)]
    words = [f"{text(low)} to {text(high)}" for low, high in zip(ends, ends[1:], strict=False)]
    colors = NUMBERS if edges else NUMBERS[2:3]
    steps = tuple(words) if edges else (text(found[0]),)

    def mark(node: Node) -> Node:
        x = _taken(of, node)
        if x is None or isinstance(x, str):
            return node
        return replace(node, step=bisect_right(edges, x), measure=f"{name} {text(x)}".strip())

    return Scale(name, steps, colors), mark


def _edges(found: Sequence[float]) -> list[float]:
    """Where one step ends and the next begins: equal differences, or ratios where far apart."""
    positive = [x for x in found if x > 0]
    low, high, steps = min(found), max(found), len(NUMBERS)
    if low == high:
        return []
    if low >= 0 and positive and max(positive) > _WIDE * min(positive):
        start, end = log10(min(positive)), log10(max(positive))
        return [10 ** (start + (end - start) * at / steps) for at in range(1, steps)]
    return [low + (high - low) * at / steps for at in range(1, steps)]


def ink(color: str) -> str:
    """Black or white, whichever reads better on ``color``."""
    red, green, blue = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    light = 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2
    return _BLACK if light > 0.18 else _WHITE
