"""What the formats show: arguments in order, absence as absence, roles in words, equal bytes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

from gradling.engine import Value
from gradling.viz import draw
from gradling.viz.spec import Edge, Graph, Node
from gradling.viz.style import DARK, LOOKS, PAGE


def expression(backward=True):
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    y = (a * a - b / 2.0).tanh()
    y.label = "y"
    if backward:
        y.backward()
    return y


def test_dot_draws_two_edges_for_a_square_and_ports_for_a_difference():
    dot = draw(expression()).dot
    assert dot.count("n0 -> n1o;") == 2
    assert "n1 -> n5o:i0:w;" in dot
    assert "n4 -> n5o:i1:w;" in dot


def test_joined_boxes_have_the_same_ports():
    dot = draw(expression(), apart=False).dot
    assert dot.count("n0 -> n1;") == 2
    assert "n1 -> n5:i0:w;" in dot
    assert "n5o" not in dot


def test_from_top_to_bottom_edges_arrive_from_above():
    assert "n5o:i0:n;" in draw(expression(), direction="TB").dot


def test_an_absent_gradient_is_a_dash_in_every_format():
    before, after = draw(expression(backward=False)), draw(expression())
    assert before.text().count("grad –") == 7  # a is read twice
    assert "grad –" not in after.text()
    assert "none computed" in before.dot and "none computed" not in after.dot
    assert "grad –" in before.mermaid() and "grad –" not in after.mermaid()
    grads = [node["grad"] for node in json.loads(before.json())["nodes"]]
    assert grads == [None] * len(grads)


def test_roles_are_words_and_outlines_too():
    drawing = draw(expression(), params={"b": Value(0.0)})
    dot = drawing.dot
    for word in ("leaf", "result", "value", "op"):
        assert word in dot
    assert len({look.outline for look in LOOKS.values()}) == len(LOOKS)
    shapes = re.findall(r"n\d+([\[(>/]+)\"", drawing.mermaid())
    assert set(shapes) == {"[", "(", "([", ">"}


def test_every_colour_has_a_dark_counterpart():
    used = {PAGE} | {color for look in LOOKS.values() for color in (look.fill, look.line)}
    used |= set(re.findall(r"#[0-9a-f]{6}", draw(expression()).dot))
    assert used <= set(DARK)


@pytest.mark.parametrize(("ground", "colors"), [(0, LOOKS), (1, LOOKS)])
def test_text_is_readable_on_its_ground(ground, colors):
    ink, faint, slope = "#1c2128", "#5c6670", "#9a3412"
    for look in colors.values():
        for text, least in ((ink, 7.0), (faint, 4.5), (slope, 4.5)):
            pair = (text, look.fill) if ground == 0 else (DARK[text], DARK[look.fill])
            assert contrast(*pair) >= least, (look.word, text)


def contrast(one, other):
    """The contrast ratio of WCAG 2.1."""

    def luminance(color):
        parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_text_writes_shared_branches_once():
    x = Value(2.0, label="x")
    shared = x.exp()
    text = draw(shared * shared + shared).text()
    assert text.count("exp [n1]") == 3
    assert text.count("shown above") == 2


def test_text_continues_deep_branches_below():
    y = Value(1.0, label="x")
    for at in range(50):
        y = y.tanh()
        y.label = f"y{at}"
    text = draw(y).text()
    assert max(len(line) for line in text.splitlines()) < 140
    assert text.count("continued below") == 2
    assert text.count("= tanh") == 52  # each once, and twice where a branch is cut


def test_json_is_the_spec():
    drawing = draw(expression())
    page = json.loads(drawing.json())
    assert page["caption"] == "4 ops"
    assert [node["id"] for node in page["nodes"]] == [node.id for node in drawing.graph.nodes]
    assert page["edges"][0] == {"source": "n0", "target": "n1", "port": 0, "count": 1}


def test_json_has_words_for_what_is_not_finite():
    page = json.loads(draw(Value(float("inf")) - Value(float("nan"))).json())
    assert [node["value"]["items"] for node in page["nodes"]] == [["inf"], ["nan"], ["nan"]]


def test_svg_is_described_and_free_of_ids():
    svg = draw(expression(), title="my title").svg()
    assert "<title>my title</title>" in svg
    assert "<desc>Computation graph of y: 4 ops, from a, b.</desc>" in svg
    assert ' role="img"' in svg and " id=" not in svg
    assert "prefers-color-scheme:dark" in svg


def test_a_drawing_without_legend_says_only_its_size():
    plain = draw(expression(), legend=False).dot
    assert "4 ops" in plain and "BGCOLOR" not in plain


PROGRAM = """
from gradling.engine import Value
from gradling.viz import draw
xs = [Value(i / 7, label=f"x{i}") for i in range(5)]
y = sum((x * x).tanh() for x in xs) * sum(xs)
y.backward()
d = draw(y)
print(d.dot, d.svg(), d.mermaid(), d.text(), d.json(), d.png().hex(), d.html())
"""


def test_equal_graphs_give_equal_bytes_in_every_process():
    runs = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            capture_output=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "PATH": ""},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1


def test_writers_and_spec_import_nothing_but_the_standard_library():
    modules = "spec words style dot labels svg mermaid text as_json fold parts boxes scopes scale"
    modules += " calls page page_style page_script explore compare network failure"
    program = (
        "import sys, importlib\n"
        f"for name in {modules.split()!r}: importlib.import_module('gradling.viz.' + name)\n"
        "print([m for m in ('graphviz', 'matplotlib', 'hypothesis') if m in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    assert run.stdout.strip() == "[]"


def test_bundled_edges_are_drawn_once():
    nodes = (
        Node("n0", "leaf", notes=("9 alike",)),
        Node("n9", "group", op="tanh", notes=("9 alike",), count=9, result=True),
    )
    graph = Graph(nodes, (Edge("n0", "n9", -1, 9),), ops=9)
    from gradling.viz.dot import to_dot

    assert to_dot(graph).count("n0 -> n9;") == 1
