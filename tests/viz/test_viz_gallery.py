"""The pictures that the documentation keeps are those that the library draws."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
NAMES = ("graph-lenet5", "graph-resnet18", "graph-gpt", "graph-lstm")


@pytest.fixture(scope="module")
def drawings():
    spec = importlib.util.spec_from_file_location("make_graphs", IMAGES / "make_graphs.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["make_graphs"] = module
    spec.loader.exec_module(module)
    yield module.drawings()
    del sys.modules["make_graphs"]


def words(svg):
    """The texts of a picture without the numbers, whose last digits are the processor's."""
    texts = (
        one.text or "" for one in ElementTree.fromstring(svg).iter() if one.tag.endswith("text")
    )
    return [kept for text in texts if (kept := re.sub(r"[-\d.e\s]+|all|nan|to", "", text))]


@pytest.mark.parametrize("name", NAMES)
def test_the_kept_picture_is_what_is_drawn(drawings, name):
    kept = (IMAGES / f"{name}.svg").read_text(encoding="utf-8")
    mine, its = words(drawings[name].svg()), words(kept)
    assert sorted(set(mine)) == sorted(set(its)), "run docs/images/make_graphs.py"


@pytest.mark.parametrize("name", NAMES)
def test_no_two_boxes_of_it_overlap(drawings, name):
    root = ElementTree.fromstring(drawings[name].svg())
    boxes = []
    for group in root.iter():
        if group.get("class", "").split()[:1] == ["node"]:
            points = [
                tuple(map(float, pair.split(",")))
                for shape in group
                if shape.get("points")
                for pair in shape.get("points").split()
            ]
            if points:
                xs, ys = [x for x, _ in points], [y for _, y in points]
                boxes.append((min(xs), max(xs), min(ys), max(ys)))
    clashes = [
        (a, b)
        for at, a in enumerate(boxes)
        for b in boxes[at + 1 :]
        if a[0] < b[1] and b[0] < a[1] and a[2] < b[3] and b[2] < a[3]
    ]
    assert boxes and clashes == []
    assert len(drawings[name].graph.nodes) <= 60
