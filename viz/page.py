"""One-file HTML pages: nothing is fetched, nothing leaves them, light or dark as the reader is.

A page is readable before its script runs, and stays so where scripts are stripped: the script
only adds to what is there. All text goes through ``escaped``, all data through ``embedded``.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from typing import Any

from .style import DARK, FAINT, FRAME, INK, LOOKS, PAGE, SLOPE
from .words import visible

# Whatever a label says, the page loads nothing, posts nothing and runs nothing but its own script.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'"
)
_BASE = """
*{box-sizing:border-box}
html,body{margin:0;background:var(--page);color:var(--ink)}
body{font:14px/1.45 Helvetica,Arial,'Liberation Sans',Arimo,sans-serif}
button,input,select{font:inherit;color:inherit;background:var(--frame);
border:1px solid var(--faint);border-radius:4px;padding:2px 8px}
button{cursor:pointer}
:focus-visible{outline:2px solid var(--leaf-line);outline-offset:1px}
.faint{color:var(--faint)}
"""


def escaped(words: object, limit: int = 10_000) -> str:
    """As text or attribute of an HTML page: control characters become visible, markup text.

    >>> escaped('a < "b"')
    'a &lt; &quot;b&quot;'
    """
    return html.escape(visible(words, limit))


def embedded(data: Any) -> str:
    """As JSON inside a ``<script>``: no text in it can end the script or begin another.

    >>> embedded({"label": "</script>"})
    '{"label":"\\\\u003c/script\\\\u003e"}'
    """
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for mark in "<>&":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return text


def variables() -> dict[str, str]:
    """The light colours by the names that style sheets use: ``--ink``, ``--leaf-fill``, …"""
    names = {"page": PAGE, "ink": INK, "faint": FAINT, "frame": FRAME, "slope": SLOPE}
    for key, look in LOOKS.items():
        names |= {f"{key}-fill": look.fill, f"{key}-line": look.line}
    return names


def palette() -> str:
    """The variables as a style sheet, for light and for dark pages."""
    light = "".join(f"--{name}:{color};" for name, color in variables().items())
    dark = "".join(f"--{name}:{DARK[color]};" for name, color in variables().items())
    return (
        f":root{{color-scheme:light dark;{light}}}\n"
        f"@media (prefers-color-scheme:dark){{:root{{{dark}}}}}"
    )


def page(
    title: str,
    body: str,
    *,
    description: str = "",
    style: str = "",
    script: str = "",
    data: Mapping[str, Any] | None = None,
) -> str:
    """A whole page.

    Args:
        title: as text. body: as HTML, made with ``escaped``; it says what it can without script.
        style: further rules; the colours are variables, see ``variables``.
        script: runs at the end of the body; finds ``data`` as the constant ``DATA``.
    """
    head = [
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<link rel="icon" href="data:,">',  # or browsers ask the server for one
        f"<title>{escaped(title)}</title>",
        *([f'<meta name="description" content="{escaped(description)}">'] if description else []),
        f"<style>\n{palette()}{_BASE}{style}</style>",
    ]
    parts = [body]
    if data is not None:
        parts.append(f'<script type="application/json" id="data">{embedded(data)}</script>')
    if script:
        given = 'const DATA=JSON.parse(document.getElementById("data").textContent);\n'
        parts.append(
            f"<script>\n'use strict';\n{given if data is not None else ''}{script}</script>"
        )
    return "\n".join(
        ["<!doctype html>", '<html lang="en">', "<head>", *head, "</head>", "<body>", *parts]
        + ["</body>", "</html>", ""]
    )
