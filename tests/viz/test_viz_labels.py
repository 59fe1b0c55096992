"""Any text may be a label: what is written can be parsed, and reads as it was meant."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gradling.engine import Value
from gradling.viz import Drawing, draw
from gradling.viz.mermaid import to_mermaid
from gradling.viz.spec import Cluster, Edge, Graph, Node
from gradling.viz.words import visible

NASTY = [
    'quote " and \\ and \\"',
    "<b>bold</b> & &amp; &lt; &#38; &amp;lt;",
    "\\N \\G \\E \\T \\H \\L \\n \\l \\r \\",
    "{record | <port> field}",
    "two\nlines\tand\r\x00\x1b[31m\x7f",
    "]]> --> <!-- <![CDATA[ ",
    "emoji 🙂👩‍👩‍👧 漢字 é ∇ א",
    "\ud800 \u202e \ufffe \u2028",
    "`x` **b** [a](b) #35; #quot; %% ; end",
    "  two  spaces  ",
    "",
    "a" * 500,
]
texts = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="<>&\"'\\{}|`#;[]()%\n\r\t\0Nn =-", max_size=30),
    st.characters().map(str),
    st.sampled_from(NASTY),
)


def pictured(labels):
    """A graph with every label as a leaf's, and all of them elsewhere too."""
    first = labels[0] if labels else ""
    nodes = [
        Node(f"n{at:03}", "leaf", label=label, cluster="c0") for at, label in enumerate(labels)
    ]
    last = Node(
        "n999",
        "op",
        op=first or "op",
        operands=tuple(labels),
        settings=(first,),
        notes=(first,),
        count=1,
        result=True,
    )
    edges = [Edge(node.id, last.id, port) for port, node in enumerate(nodes)]
    return Graph((*nodes, last), tuple(edges), (Cluster("c0", first, first),), 1)


def plain(text):
    """As text is shown: runs of spaces and no-break spaces are one space."""
    return " ".join(text.replace("\xa0", " ").split())


@settings(max_examples=25)
@given(st.lists(texts, min_size=1, max_size=8), st.booleans())
@example(NASTY, True)
@example(NASTY, False)
def test_labels_survive_dot_and_svg(labels, apart):
    drawing = Drawing(pictured(labels), title=labels[0], apart=apart)
    root = ElementTree.fromstring(drawing.svg())
    shown = {plain(element.text or "") for element in root.iter() if element.tag.endswith("}text")}
    for label in labels:
        assert plain(visible(label, 28)) in shown | {""}
    nodes = [g for g in root.iter() if g.get("class", "").startswith("node")]
    assert len(nodes) == len(labels) + 1 + apart
    tips = [g.find("{http://www.w3.org/2000/svg}title").text for g in nodes]
    assert {visible(label) or "leaf" for label in labels} <= set(tips)


@given(st.lists(texts, min_size=1, max_size=8))
@example(NASTY)
def test_labels_survive_mermaid(labels):
    lines = to_mermaid(pictured(labels), title=labels[0]).splitlines()
    node = re.compile(r'  n\d+(\[|\(\[)"([^"`<>{}|\[\]\\;&]|<br/>|#\d+;)*"(\]|\]\)):::\w+')
    found = [re.fullmatch(node, line) for line in sorted(lines) if ":::" in line]
    assert len(found) == len(labels) + 1 and all(found)
    for label, match in zip(labels, found, strict=False):
        words = re.sub(r"#(\d+);", lambda code: chr(int(code[1])), match[0].split('"')[1])
        shown = words.split("<br/>")[0].replace("\u200b", "")
        assert plain(shown) == plain(f"{visible(label, 28)} leaf")
    allowed = re.compile(
        r"flowchart LR|  acc(Title|Descr): .*|  subgraph c0\[\".*\"\]|  end|  n\d+ -->.* n999"
        r"|  classDef .*|  caption\[\".*\"\]|  style caption .*"
    )
    assert all(allowed.fullmatch(line) for line in lines if ":::" not in line)


@given(st.lists(texts, min_size=1, max_size=8))
@example(NASTY)
def test_labels_survive_json_and_text(labels):
    values = [Value(float(at), label=label) for at, label in enumerate(labels)]
    drawing = draw(sum(values, Value(0.0)))
    page = json.loads(drawing.json())
    assert {node["label"] for node in page["nodes"]} == {"", *labels}
    text = str(drawing)
    for label in labels:
        assert visible(label, 28) in text
    assert all(ch == "\n" or ch.isprintable() or ch in "\u200c\u200d" for ch in text)


@given(texts)
def test_visible_text_is_one_encodable_line(text):
    shown = visible(text, 30)
    assert len(shown) <= 30
    assert len(shown.splitlines()) <= 1
    assert shown.encode().decode() == shown
    ElementTree.fromstring(f"<x>{re.sub('[&<>]', '', shown)}</x>")


@settings(max_examples=10)
@given(st.lists(texts, min_size=1, max_size=4))
@example(NASTY)
def test_notebook_html_is_well_formed(labels):
    values = [Value(1.0, label=label) for label in labels]
    page = draw(sum(values, Value(0.0)))._repr_html_()
    div = ElementTree.fromstring(page)
    assert div.tag == "div"
    assert not re.search(r"""(?:href|src|url\()\s*=?\s*["']?(?:https?:)?//""", page)
    assert "<script" not in page
