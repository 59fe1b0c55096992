"""Colours and marks: told apart without colour vision, readable on light and on dark pages.

Hues are those of Okabe and Ito's palette ("Color Universal Design", 2008), as a pale fill and a
full outline. A role never rests on its hue alone: each has its own outline and its own word.
"""

from __future__ import annotations

from dataclasses import dataclass

from .spec import Node

PAGE = "#ffffff"
INK = "#1c2128"
FAINT = "#5c6670"  # captions, constants, edges: 5.9:1 on the page
FRAME = "#f4f6f8"
SLOPE = "#9a3412"  # gradients


@dataclass(frozen=True, slots=True)
class Look:
    """How one kind of box is drawn: ``word`` explains it, ``outline`` is for Graphviz."""

    word: str
    fill: str
    line: str
    outline: str


LOOKS = {
    "leaf": Look("leaf", "#d9eaf7", "#0072b2", 'shape=box, style="filled"'),
    "parameter": Look(
        "parameter", "#fdeacb", "#a86400", 'shape=box, style="filled", peripheries=2'
    ),
    "constant": Look("constant", PAGE, FAINT, "shape=plaintext"),
    "op": Look("op", "#e8ebee", "#57606a", 'shape=ellipse, style="filled"'),
    "value": Look("value", "#fafbfc", "#8a949e", 'shape=box, style="filled,rounded"'),
    "result": Look("result", "#d5efe3", "#007a55", 'shape=box, style="filled,rounded,bold"'),
    "failed": Look(
        "failed", "#fbe3e0", "#b3261e", 'shape=octagon, style="filled,bold", penwidth=2.5'
    ),
    "group": Look(
        "several, folded", "#f3e3f0", "#9b4f8a", 'shape=box, style="filled,dashed", penwidth=1.6'
    ),
}

# What each colour becomes on a dark page, for the formats that can ask.
DARK = {
    PAGE: "#14181d",
    INK: "#e8edf2",
    FAINT: "#a3adb8",
    FRAME: "#1b2027",
    SLOPE: "#f4a582",
    "#d9eaf7": "#12324a",
    "#0072b2": "#56b4e9",
    "#fdeacb": "#46310f",
    "#a86400": "#e69f00",
    "#e8ebee": "#2d343c",
    "#57606a": "#a3adb8",
    "#fafbfc": "#1d232a",
    "#8a949e": "#7d8894",
    "#d5efe3": "#0f3b2d",
    "#007a55": "#2fc08f",
    "#f3e3f0": "#412139",
    "#9b4f8a": "#d58cc4",
    "#fbe3e0": "#4a1a17",
    "#b3261e": "#ff8a80",
}


def role(node: Node) -> str:
    """The look of a node's box: a key of ``LOOKS``."""
    if node.failed:
        return "failed"
    if node.result:
        return "result"
    return "value" if node.role == "op" else node.role
