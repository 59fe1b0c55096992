"""Graphviz's SVG made fit for pages: described, scalable, dark where the page is dark, free of ids.

Ids would clash between two pictures on one page; comments and doctype say nothing. Colours stay
plain attributes, so that every viewer shows them; a style sheet exchanges them for their dark
counterparts where the reader prefers dark, background included.
"""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree import ElementTree

from .style import DARK
from .widths import width
from .words import visible

_SVG = "http://www.w3.org/2000/svg"
# Boxes are as wide as Helvetica needs; other fonts are fitted to its widths (widths.py).
_FONTS = "Helvetica, Arial, 'Liberation Sans', Arimo, 'DejaVu Sans Condensed', sans-serif"


def finished(raw: str, title: str, description: str, tips: Mapping[str, str]) -> str:
    """The SVG that ``dot`` wrote, finished; equal input gives equal bytes.

    ``tips`` says of each node what to show when the pointer rests on it.
    """
    ElementTree.register_namespace("", _SVG)
    root = ElementTree.fromstring(raw)
    root.set("class", "gradling")
    root.set("role", "img")
    for element in root.iter():
        element.attrib.pop("id", None)
        if element.get("font-family"):
            element.set("font-family", _FONTS)
        if element.text and element.tag == f"{{{_SVG}}}text":
            element.text = element.text.rstrip(" \xa0")
            _held_to_its_width(element, element.text)
    for group in list(root.iter(f"{{{_SVG}}}g")):
        _titled(group, tips)
    head = [_made("title", visible(title, 200)), _made("desc", description)]
    for place, element in enumerate([*head, _made("style", media())]):
        root.insert(place, element)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _held_to_its_width(element: ElementTree.Element, text: str) -> None:
    """Let no other font make a text wider than the box that was made for it."""
    size = float(element.get("font-size", "14"))
    length = width(text, size, bold=element.get("font-weight") == "bold")
    if length:
        element.set("textLength", f"{length:g}")
        element.set("lengthAdjust", "spacingAndGlyphs")


def _titled(group: ElementTree.Element, tips: Mapping[str, str]) -> None:
    """Put the tip where browsers and screen readers look for it, in place of Graphviz's name."""
    title = group.find(f"{{{_SVG}}}title")
    if title is None:
        return
    key = (title.text or "").removesuffix("o")  # an op beside its value
    if key in tips:
        group.set("data-node", key)
        title.text = tips[key]
    else:
        group.remove(title)


def _made(tag: str, text: str) -> ElementTree.Element:
    element = ElementTree.Element(f"{{{_SVG}}}{tag}")
    element.text = text
    return element


def media(further: Mapping[str, str] | None = None) -> str:
    """The style sheet that exchanges colours where the reader prefers dark."""
    swaps = "".join(
        f'.gradling [{paint}="{light}"]{{{paint}:{dark}}}'
        for light, dark in {**DARK, **(further or {})}.items()
        for paint in ("fill", "stroke")
    )
    return f"@media (prefers-color-scheme:dark){{{swaps}}}"
