"""Texts of an SVG keep to the widths that boxes were made for, in whatever font they are read."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from gradling import Value, nn, tensor, viz
from gradling.viz.widths import width


def test_widths_are_those_of_the_font() -> None:
    assert width("Hamburgefonts", 1000) == 722 + 556 + 833 + 556 + 556 + 333 + 556 + 556 + 278 + (
        556 + 556 + 278 + 500
    )
    assert width("Hh", 10, bold=True) == pytest.approx(7.22 + 6.11)
    assert width("", 10) == 0
    assert width("größe", 10) is None


@pytest.mark.parametrize("label", ["loss", "<&>", "größe"])
def test_every_text_of_known_width_says_it(label: str) -> None:
    y = nn.Linear(3, 2)(tensor([[1.0, 2.0, 3.0]])).relu().sum() * Value(2.0, label=label).data
    y.label = label
    root = ElementTree.fromstring(viz.draw(y).svg())
    texts = [e for e in root.iter() if e.tag.endswith("}text") and e.text]
    assert texts
    for text in texts:
        wanted = width(
            text.text or "", float(text.attrib["font-size"]), bold=text.get("font-weight") == "bold"
        )
        if wanted is None:
            assert "textLength" not in text.attrib
        else:
            assert float(text.attrib["textLength"]) == pytest.approx(wanted, abs=0.01)
            assert text.attrib["lengthAdjust"] == "spacingAndGlyphs"
