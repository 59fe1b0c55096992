"""The index page of the tour: one HTML file that needs no network, for light and dark screens."""

from __future__ import annotations

from html import escape
from pathlib import Path
from urllib.parse import quote

from .guide import Chapter, Guide, Picture

STYLE = """
:root { color-scheme: light dark;
  --ink: #1c2128; --paper: #ffffff; --soft: #f4f6f8; --line: #d0d4da; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8edf2; --paper: #14181d; --soft: #1b2027; --line: #3a4048; }
}
body { margin: 0 auto; padding: 2rem 1rem 4rem; max-width: 60rem; background: var(--paper);
  color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; }
pre { background: var(--soft); padding: 0.8rem 1rem; overflow-x: auto; border-radius: 6px; }
figure { margin: 1.5rem 0; }
figure a { display: block; border: 1px solid var(--line); border-radius: 6px; padding: 0.8rem;
  text-align: center; }
/* Bitmaps have dark ink on every screen; graphs know light and dark themselves. */
figure a:has(img[src$=".png"]) { background: #ffffff; }
img { max-width: 100%; height: auto; }
figcaption { margin-top: 0.4rem; font-size: 0.92rem; opacity: 0.85; }
""".strip()


def write_page(guide: Guide) -> Path:
    """Write `index.html` beside the pictures, and return its path."""
    body = "\n".join(_chapter(i, c) for i, c in enumerate(guide.chapters, 1))
    command = f"python -m gradling --seed {guide.seed}" + (" --quick" if guide.quick else "")
    page = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>A tour of gradling</title>
<style>
{STYLE}
</style>
</head>
<body>
<h1>A tour of gradling</h1>
<p>Written by <code>{command}</code>.</p>
{body}
</body>
</html>
"""
    path = guide.out / "index.html"
    path.write_text(page, encoding="utf-8")
    return path


def _chapter(number: int, chapter: Chapter) -> str:
    parts = [f"<h2>{number}. {escape(chapter.title)}</h2>"]
    if chapter.code:
        parts.append(f"<pre><code>{escape(chapter.code)}</code></pre>")
    parts += [f"<p>{escape(text)}</p>" for text in chapter.said]
    parts += [_picture(picture) for picture in chapter.pictures]
    return "\n".join(parts)


def _picture(picture: Picture) -> str:
    source, caption = quote(picture.file), escape(picture.caption)
    return (
        f'<figure><a href="{source}"><img src="{source}" alt="{caption}"></a>'
        f"<figcaption>{caption} <small>(a click shows it large)</small></figcaption></figure>"
    )
