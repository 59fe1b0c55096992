"""Numbers, shapes and labels as the short texts that every format shows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from math import isfinite

from .spec import Cluster, Graph, Node, Summary

ABSENT = "–"  # a gradient that was not computed; never "0"
MANY = 4  # operands from which on an op says which of them its constants are
_SYMMETRIC = {"+", "*", "maximum", "minimum", "hypot"}
_JOINERS = "\u200c\u200d"  # zero-width, but part of emoji and of several scripts


def number(x: float, digits: int = 4) -> str:
    """A few significant digits; zeros at the end say that there is more behind them.

    >>> [number(x) for x in (3.0, 0.1 + 0.2, 0.99998, -123456.0, 1.5e-9, float("nan"))]
    ['3', '0.3', '1.000', '-123456', '1.5e-9', 'nan']
    """
    if not isfinite(x):
        return str(x)
    if abs(x) < 1e6 and x == int(x):
        return "-0" if str(x) == "-0.0" else str(int(x))
    short, _, exponent = f"{x:#.{digits}g}".partition("e")
    if abs(float(f"{x:.{digits}g}") - x) <= 1e-9 * abs(x):
        short = short.rstrip("0").rstrip(".")
    return f"{short.rstrip('.')}e{int(exponent)}" if exponent else short.rstrip(".")


def tally(n: int) -> str:
    """A count with its thousands apart.

    >>> tally(1842)
    '1 842'
    """
    return f"{n:,}".replace(",", " ")


def many(n: int, noun: str) -> str:
    """
    >>> many(1, "op"), many(2, "box")
    ('1 op', '2 boxes')
    """
    return f"{tally(n)} {noun}" + ("" if n == 1 else "es" if noun.endswith("x") else "s")


def visible(text: object, limit: int = 40) -> str:
    """A label on one line: the invisible becomes an escape, what is long loses its middle.

    Control characters, line ends, lone surrogates and marks that turn the writing direction are
    no part of XML or would garble a picture.

    >>> visible("two\\nlines")
    'two\\\\nlines'
    """
    seen = "".join(
        ch if ch.isprintable() or ch in _JOINERS else ch.encode("unicode_escape").decode()
        for ch in str(text)
    )
    if len(seen) > limit:
        tail = limit // 3
        seen = f"{seen[: limit - tail - 1]}…{seen[-tail:]}"
    return seen


def shape_text(shape: Sequence[int]) -> str:
    """As Python writes it: ``()``, ``(3,)``, ``(2, 3)``."""
    return f"({shape[0]},)" if len(shape) == 1 else f"({', '.join(map(str, shape))})"


def summary_text(summary: Summary) -> str:
    """The numbers where they are few, else their range and mean.

    >>> summary_text(Summary((2, 2), (1.0, 2.0, 3.0, 4.0), 1.0, 4.0, 2.5, 4))
    '[[1, 2], [3, 4]]'
    >>> summary_text(Summary((100,), (), -1.0, 2.0, 0.5, 100, nans=1))
    '-1 to 2, mean 0.5, 1 nan'
    """
    return ", ".join(summary_lines(summary))


def summary_lines(summary: Summary) -> list[str]:
    """The same, the most important first."""
    if summary.size == 0:
        return ["empty"]
    if summary.items:
        return [_nested(summary.items, summary.shape)]
    lines = []
    if summary.low == summary.high:
        lines = [f"all {number(summary.low, 3)}"]
    elif summary.size > summary.nans + summary.infs:
        lines = [
            f"{number(summary.low, 3)} to {number(summary.high, 3)}",
            f"mean {number(summary.mean, 3)}",
        ]
    counts = ((summary.nans, "nan"), (summary.infs, "inf"))
    return lines + [f"{tally(n)} {word}" for n, word in counts if n]


def grad_lines(grad: Summary | None) -> list[str]:
    return [ABSENT] if grad is None else summary_lines(grad)


def grad_text(grad: Summary | None) -> str:
    return ", ".join(grad_lines(grad))


def type_text(node: Node) -> str:
    """Shape and dtype of a tensor, nothing for a number."""
    if node.shape is None:
        return node.dtype
    return f"{shape_text(node.shape)} {node.dtype}".strip()


def call_text(node: Node) -> str:
    """The op with the constants that have no box, and its settings.

    >>> call_text(Node("n1", "op", op="×", operands=("a", "b"), constants=((1, "2"),)))
    '× 2'
    >>> call_text(Node("n1", "op", op="sum", operands=("x",), settings=("dim=1",)))
    'sum dim=1'
    >>> names, fixed = ("b", "w0", "x0", "w1", "x1"), ((2, "0.5"), (4, "-1"))
    >>> call_text(Node("n1", "op", op="Σ w·x", operands=names, constants=fixed))
    'Σ w·x(x0=0.5, x1=-1)'
    """
    text = visible(node.op)
    if node.constants:
        fixed = {place: visible(value, 16) for place, value in node.constants}
        given = [fixed.get(place, "·") for place in range(len(node.operands))]
        if len(given) > MANY:
            named = [f"{node.operands[place]}={value}" for place, value in fixed.items()]
            named = named if len(named) <= MANY else [*named[: MANY - 1], "…"]
            text = f"{text}({', '.join(named)})"
        elif len(given) == 2 and not text.isidentifier():
            text = f"{text} {given[1]}" if 0 not in fixed else f"{given[0]} {text} {given[1]}"
        else:
            text = f"{text}({', '.join(given)})"
    return " ".join([text, *(visible(setting) for setting in node.settings)])


def frame_text(cluster: Cluster) -> str:
    """A module by its path and class."""
    return visible(" ".join(part for part in (cluster.label, cluster.module) if part), 60)


def constant_text(node: Node) -> str:
    """A number as it is, an array by its type; "constant" where no rule kept it."""
    if node.shape is None:
        return "constant" if node.value is None else summary_text(node.value)
    return " ".join(part for part in (visible(node.label, 28), "constant", type_text(node)) if part)


def ported_ops(graph: Graph) -> set[str]:
    """Ops with operands that cannot be told apart by looking: their edges arrive at named ports."""
    several: dict[str, int] = {}
    for edge in graph.edges:
        if edge.port >= 0:
            several[edge.target] = several.get(edge.target, 0) + 1
    return {
        node.id
        for node in graph.nodes
        if node.role == "op" and several.get(node.id, 0) > 1 and node.op not in _SYMMETRIC
    }


def within(node: Node, frame: str) -> Node:
    """The node as it is labelled inside a frame that names its module already."""
    if frame and node.label.startswith(frame + "."):
        return replace(node, label=node.label[len(frame) + 1 :])
    return node


def caption(graph: Graph) -> str:
    """What the picture says about its own size.

    >>> caption(Graph((), (), ops=1842))
    '1 842 ops shown as 0'
    """
    text = many(graph.ops, "op")
    whole = graph.shown == graph.ops and all(node.role != "group" for node in graph.nodes)
    text = text if whole else f"{text} shown as {tally(graph.shown)}"
    return f"{text}; {graph.remark}" if graph.remark else text


def describe(graph: Graph) -> str:
    """One sentence for those who cannot see the picture."""
    results = [name(node) for node in graph.nodes if node.result]
    leaves = [name(node) for node in graph.nodes if node.role in ("leaf", "parameter")]
    parts = [f"Computation graph of {_listed(results)}: {caption(graph)}"]
    if leaves:
        parts.append(f"from {_listed(leaves)}")
    return ", ".join(parts) + "."


def tip(node: Node) -> str:
    """What is said of a node that the pointer rests on."""
    parts = [name(node), call_text(node), type_text(node), f"{node.scope} {node.module}".strip()]
    return " · ".join(dict.fromkeys(part for part in parts if part))


def site_text(site: str) -> str:
    """A source line by its file's name alone: whose disk it is on says nothing.

    >>> site_text("/home/me/net.py:12")
    'net.py:12'
    """
    return visible(re.split(r"[/\\]", site)[-1], 60)


def name(node: Node) -> str:
    return visible(node.label or node.op or node.role)


def _listed(names: Sequence[str], limit: int = 8) -> str:
    if len(names) > limit:
        return f"{', '.join(names[:limit])} and {len(names) - limit} more"
    return ", ".join(names) or "nothing"


def _nested(items: Sequence[float], shape: Sequence[int]) -> str:
    if not shape:
        return number(items[0])
    step = len(items) // shape[0]
    rows = (items[i : i + step] for i in range(0, len(items), step))
    return f"[{', '.join(_nested(row, shape[1:]) for row in rows)}]"
