"""HTML pages: whatever a label says stays text, and both themes name the same colours."""

from __future__ import annotations

import html
import json
import re
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from gradling.viz.page import embedded, escaped, page, palette, variables

NASTY = st.text(max_size=40) | st.sampled_from(
    [
        "</script><script>alert(1)</script>",
        "<!--",
        "]]>",
        "\"'`{}&lt;",
        "\x00\x1b[31m",
        "👩‍🔬\u202e",
    ]
)


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, [name for name, _ in attrs]))


def tags(text):
    parser = Tags()
    parser.feed(text)
    parser.close()
    return parser.tags


@given(NASTY, NASTY)
def test_no_text_becomes_markup(words, label):
    def made(text, data):
        body = f'<p title="{escaped(text)}">{escaped(text)}</p>'
        return page(text, body, description=text, script="", data={"label": data})

    assert tags(made(words, label)) == tags(made("plain", "plain")) or not words


@given(st.dictionaries(NASTY, NASTY | st.floats(allow_nan=False, allow_infinity=False)))
def test_embedded_data_comes_back_whole(data):
    text = embedded(data)
    assert json.loads(text) == data
    assert not set("<>&") & set(text) and text.isascii()


@given(NASTY)
def test_escaped_text_has_no_control_characters(words):
    text = html.unescape(escaped(words))
    assert all(ch.isprintable() or ch in "\u200c\u200d" for ch in text)


def test_both_themes_name_every_colour():
    light, dark = palette().split("@media")
    for name in variables():
        assert f"--{name}:" in light and f"--{name}:" in dark


def test_a_page_asks_for_nothing_outside_itself():
    text = page("t", "<p>b</p>", script="1;", data={})
    assert re.findall(r"https?:|//[a-z]", text) == []
    assert "default-src 'none'" in text
