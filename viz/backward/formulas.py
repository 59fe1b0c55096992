"""Values by name, and the formulas that made them: as text and as LaTeX."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from ...engine import Value
from ..words import number, visible

_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/", "floor_divide": "//", "remainder": "%"}
_LATEX = {
    "add": "{} + {}",
    "sub": "{} - {}",
    "mul": "{} \\cdot {}",
    "div": "\\frac{{{}}}{{{}}}",
    "pow": "{}^{{{}}}",
    "neg": "-{}",
    "exp": "e^{{{}}}",
    "sqrt": "\\sqrt{{{}}}",
    "abs": "\\left|{}\\right|",
    "square": "{}^2",
}
_MOST = 4  # products of a weighted sum that are written out; the middle of more is left out
_FUNCTIONS = {"tanh", "sin", "cos", "tan", "sinh", "cosh", "log", "exp"}
_ESCAPES = {
    "\\": "\\textbackslash{}", "{": "\\{", "}": "\\}", "$": "\\$", "&": "\\&", "#": "\\#",
    "%": "\\%", "_": "\\_", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}",
}  # fmt: skip


class Naming:
    """A name of its own for every place: its label where no other has it, else ``v3``.

    Numbers follow the order of the places, so equal graphs have equal names.
    """

    def __init__(self, places: Iterable[Any], given: dict[int, str] | None = None) -> None:
        self._places = list(places)  # held, so that ids stay theirs
        self.contents: dict[int, Any] = {}  # arrays of nodes that do not keep them
        labels = [visible(p.label or (given or {}).get(id(p), ""), 28) for p in self._places]
        uses: dict[str, int] = {}
        for label in labels:
            uses[label] = uses.get(label, 0) + 1
        self._names = {}
        for at, (place, label) in enumerate(zip(self._places, labels, strict=True)):
            own = bool(label) and uses[label] == 1 and not re.fullmatch(r"v\d+", label)
            self._names[id(place)] = label if own else f"{label} v{at}".strip()

    def __call__(self, place: Any) -> str:
        return self._names[id(place)]

    def latex(self, place: Any) -> str:
        return latex_name(self(place))


def latex_name(name: str) -> str:
    r"""
    >>> [latex_name(name) for name in ("w", "w12", "loss", "a_b")]
    ['w', 'w_{12}', '\\text{loss}', '\\text{a\\_b}']
    """
    if match := re.fullmatch(r"([A-Za-z])(\d*)", name):
        return match[1] + (f"_{{{match[2]}}}" if match[2] else "")
    return f"\\text{{{''.join(_ESCAPES.get(ch, ch) for ch in name)}}}"


def formula(value: Value, name: Callable[[Any], str]) -> str:
    """How a Value was made, as one would write it: ``a * b``, ``tanh(v3)``; "" for a leaf."""
    if value.op is None:
        return ""
    operands = [name(a) if isinstance(a, Value) else number(a) for a in value.args]
    op = value.op.name
    if op in _INFIX and len(operands) == 2:
        return f"{operands[0]} {_INFIX[op]} {operands[1]}"
    if op == "weighted_sum":
        return " + ".join(_terms(operands, "{} * {}", "…"))
    if op == "pow":
        return "**".join(operands)
    if op == "neg":
        return f"-{operands[0]}"
    return f"{op}({', '.join([*operands, *map(str, value.params)])})"


def _terms(operands: list[str], product: str, gap: str) -> list[str]:
    """Bias and products of a weighted sum; a bias of 0 goes without saying."""
    bias, *factors = operands
    terms = [product.format(w, x) for w, x in zip(factors[::2], factors[1::2], strict=True)]
    if len(terms) > _MOST:
        terms = [*terms[: _MOST - 1], gap, terms[-1]]
    return terms if bias == "0" and terms else [bias, *terms]


def latex_formula(value: Value, name: Callable[[Any], str]) -> str:
    """The same in LaTeX."""
    assert value.op is not None
    operands = [name(a) if isinstance(a, Value) else latex_number(a) for a in value.args]
    op = value.op.name
    if op == "weighted_sum":
        return " + ".join(_terms(operands, "{} \\cdot {}", "\\cdots"))
    if op in _LATEX and not value.params:
        return _LATEX[op].format(*operands)
    word = f"\\{op}" if op in _FUNCTIONS else f"\\operatorname{{{op.replace('_', chr(92) + '_')}}}"
    inside = ", ".join([*operands, *(f"\\text{{{p}}}" for p in value.params)])
    return f"{word}\\left({inside}\\right)"


def latex_number(x: float, digits: int = 4) -> str:
    r"""
    >>> latex_number(1.5e-9), latex_number(-2.0)
    ('1.5 \\cdot 10^{-9}', '-2')
    """
    text = number(x, digits)
    if text in ("nan", "inf", "-inf"):
        return {"nan": "\\text{nan}", "inf": "\\infty", "-inf": "-\\infty"}[text]
    mantissa, _, exponent = text.partition("e")
    return f"{mantissa} \\cdot 10^{{{int(exponent)}}}" if exponent else mantissa
