"""The page of a graph: what it holds, and what it does in a real browser."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gradling
from gradling import nn
from gradling.engine import Value
from gradling.viz import draw, tracing
from gradling.viz.explore import MOST, tree
from gradling.viz.fold import fold
from gradling.viz.read import read

CHROME = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
in_browser = pytest.mark.skipif(not CHROME, reason="no Chromium is installed to run pages in")


def model():
    net = nn.Sequential(*[nn.Sequential(nn.Linear(4, 4), nn.Tanh()) for _ in range(30)])
    with tracing():
        y = net(gradling.ones(2, 4)).sum()
    y.backward()
    return y, net


def page(**options):
    y, net = model()
    return draw(y, params=net, title="thirty layers", **options).html()


def data(text):
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    return json.loads(found[1])


@st.composite
def values(draw):
    """Graphs of numbers, with labels that could be markup."""
    labels = st.text(max_size=8) | st.sampled_from(
        ["</script>", "<b>", "'\"", "{}", "\x00", "👩‍🔬"]
    )
    nodes = [Value(1.0, label=draw(labels)) for _ in range(3)]
    for _ in range(draw(st.integers(1, 40))):
        a, b = draw(st.sampled_from(nodes)), draw(st.sampled_from(nodes))
        nodes.append(a * b if draw(st.booleans()) else (a + b).tanh())
    return nodes[-1]


@given(values(), st.integers(4, 20))
def test_every_op_is_in_the_tree_once_and_every_edge_between_ends(y, budget):
    reading = read([y])
    folded = fold(reading.graph, budget, constants=False)
    made = tree(reading.moment(folded), folded)
    ends = [item for item in made.items if item.node is not None and not item.opens]
    shown = [at for item in ends for at in item.members]
    assert len(shown) == len(set(shown))
    assert sum(item.node.count for item in ends) == reading.graph.ops
    assert all(item.parent < place for place, item in enumerate(made.items))
    assert all(not made.items[end].opens for edge in made.edges for end in edge[:2])


@given(values())
def test_labels_stay_texts(y):
    text = draw(y).html()
    tags = set(re.findall(r"<(/?[a-z]+)", text.split('id="data">')[0].split("<main>")[0]))
    assert "b" not in tags
    assert text.count("</script>") == 2
    assert data(text)["items"]


def test_equal_graphs_give_equal_pages():
    def made():
        x = Value(2.0, label="x")
        y = (x * x + 3).tanh()
        y.backward()
        return draw(y).html()

    assert made() == made()


def test_a_large_graph_opens_as_far_as_is_useful():
    total = Value(0.0)
    for at in range(6000):
        total = total + (Value(at / 6000) * 2.0).tanh()
    items = data(draw(total).html())["items"]
    assert 100 < len(items) <= MOST


def test_without_a_program_the_page_shows_text_where_no_script_runs(monkeypatch):
    from gradling.viz import render

    monkeypatch.setattr(render, "program", lambda: None)
    text = draw(Value(1.0, label="a") * 2).html()
    assert "<pre>* 2" in text or "<pre>*" in text


def test_where_scripts_are_stripped_the_picture_stays():
    text = re.sub(r"<script.*?</script>", "", page(), flags=re.S)
    static = text[text.index('<div id="static">') :]
    assert "<svg" in static and "60 ops" in text.replace("61", "60")


PRELUDE = """<script>
window.report = {errors: []};
window.addEventListener('error', e => report.errors.push(String(e.message)));
document.addEventListener('securitypolicyviolation', e => report.errors.push(e.blockedURI));
console.error = console.warn = (...words) => report.errors.push(words.join(' '));
</script>"""
AFTER = """<script>
try { (() => { %s })(); } catch (error) { report.errors.push(String(error)); }
report.fetched = performance.getEntriesByType('resource').map(entry => entry.name);
const told = document.createElement('pre');
told.id = 'report';
told.textContent = JSON.stringify(report);
document.body.replaceChildren(told);
</script>"""


def run(text, actions, tmp_path):
    """What ``actions`` reported in the page, run by a headless Chromium."""
    path = tmp_path / "page.html"
    text = text.replace("<head>", "<head>" + PRELUDE, 1)
    path.write_text(text.replace("</body>", AFTER % actions + "</body>"), encoding="utf-8")
    done = subprocess.run(
        [
            CHROME, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1200,800",
            f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=2000",
            "--disable-background-networking", "--no-first-run", "--dump-dom", path.as_uri(),
        ],
        capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    found = re.search(r'<pre id="report">(.*?)</pre>', done.stdout.decode(), re.S)
    assert found, done.stderr.decode()[-2000:]
    return json.loads(html.unescape(found[1]))


ACTIONS = """
const boxes = () => document.querySelectorAll('#stage .box').length;
report.static = getComputedStyle(document.getElementById('static')).display;
report.before = boxes();
const search = document.getElementById('search');
search.value = '17.1';
search.dispatchEvent(new Event('input'));
report.found = document.getElementById('found').textContent;
const hit = document.querySelector('#stage .hit');
report.hit = hit.getAttribute('aria-label');
report.opened = boxes();
hit.dispatchEvent(new PointerEvent('pointerover', {bubbles: true}));
report.tip = document.getElementById('tip').hidden ? '' : document.getElementById('tip').innerText;
const middle = hit.getBoundingClientRect();
report.seen = middle.left > 0 && middle.right < innerWidth && middle.top > 0;
search.value = 'no such thing';
search.dispatchEvent(new Event('input'));
report.none = document.getElementById('found').textContent;
document.getElementById('close').click();
report.closed = boxes();
const group = document.querySelector('#stage .box[aria-expanded]');
group.dispatchEvent(new MouseEvent('click', {bubbles: true}));
report.reopened = boxes();
document.querySelector('#stage .handle').dispatchEvent(
  new KeyboardEvent('keydown', {key: 'Enter', bubbles: true}));
report.again = boxes();
const before = document.querySelector('#stage svg').getAttribute('viewBox');
document.getElementById('stage').dispatchEvent(new WheelEvent('wheel', {deltaY: -200}));
report.zoomed = before !== document.querySelector('#stage svg').getAttribute('viewBox');
document.getElementById('open').click();
report.all = boxes();
const rects = [...document.querySelectorAll('#stage .box > rect')].map(r => r.getBBox());
report.overlaps = rects.filter((a, i) => rects.some((b, j) => i < j && a.x < b.x + b.width
  && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height)).length;
report.cut = [...document.querySelectorAll('#stage .box')].filter(g => {
  const r = g.querySelector('rect').getBBox();
  return [...g.querySelectorAll('text')].some(t => {
    const b = t.getBBox();
    return b.x < r.x || b.x + b.width > r.x + r.width + 1 || b.y + b.height > r.y + r.height;
  });
}).length;
"""


@in_browser
def test_in_a_browser_it_finds_tells_opens_and_closes(tmp_path):
    report = run(page(budget=8), ACTIONS, tmp_path)
    assert report["errors"] == [] and report["fetched"] == []
    assert report["static"] == "none"
    assert report["found"].startswith("1 of ")
    assert report["hit"].startswith("tanh") or "17.1" in report["hit"]
    assert report["opened"] > report["before"]
    assert report["seen"]
    for word in ("value", "gradient", "test_viz_explore.py:", "ms"):
        assert word in report["tip"]
    assert report["none"] == "nothing found"
    assert report["closed"] < report["reopened"] > report["again"]
    assert report["zoomed"]
    assert report["all"] > 90
    assert report["overlaps"] == report["cut"] == 0
