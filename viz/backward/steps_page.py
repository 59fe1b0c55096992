"""The steps as one offline page: slider, keys, breakpoints; a listing where scripts are off."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

from .. import render
from ..page import escaped, page
from ..words import ABSENT, many
from . import told
from .events import Event
from .formulas import Naming
from .picture import MOST, Arrow, Box, Picture, keys
from .places import is_value, line_of
from .steps_script import SCRIPT, STYLE

ROOM = 84  # points that a box has for its numbers
LINE = 34  # characters of a line in a box


def page_of(events: Sequence[Event], places: Sequence[Any], name: Naming) -> str:
    """The whole page; equal graphs give equal bytes."""
    key = keys(places)
    edge = {end: arrow.key for end, arrow in arrows(places, key).items()}
    root = places[-1]
    title = f"Backward of {name(root)}, step by step"
    count = sum(event.phase == "backward" for event in events)
    said = f"{many(len(events), 'step')}: forward, then {many(count, 'contribution')} to gradients."
    body = "\n".join(
        [
            f"<main><header><h1>{escaped(title)}</h1>",
            f'<p class="faint">{escaped(said)} <span id="plain">Without scripts, all steps are '
            "listed below, and gradients are those at the end.</span></p></header>",
            _CONTROLS,
            '<section id="now" aria-live="polite"></section>',
            f'<section id="picture" tabindex="0" aria-label="graph">{_svg(events, places, name)}'
            "</section>",
            f'<div id="both"><section><h2>Gradients</h2>{_table(events, places, name)}</section>',
            f"<section><h2>Steps</h2>{_list(events, name)}</section></div></main>",
        ]
    )
    data = {
        "items": [_item(place, key, name) for place in places],
        "steps": [_step(event, key, edge, name) for event in events],
    }
    return page(title, body, description=said, style=STYLE, script=SCRIPT, data=data)


def framed(content: str) -> str:
    """The page inside a notebook cell: its own document, that can reach nothing outside."""
    return (
        f'<iframe srcdoc="{html.escape(content)}" sandbox="allow-scripts" title="backward, step by '
        'step" style="width:100%;height:640px;border:1px solid #8884"></iframe>'
    )


_CONTROLS = """<section id="controls" hidden>
<button id="first" title="first step (Home)">|◀</button>
<button id="back" title="one step back (←)">◀</button>
<input id="slider" type="range" min="1" value="1" aria-label="step">
<button id="next" title="one step on (→)">▶</button>
<button id="last" title="last step (End)">▶|</button>
<button id="play" title="play and pause (space)">play</button>
<output id="count"></output>
<span class="until">stop when <select id="who" aria-label="whose gradient"></select>
gets its <select id="nth" aria-label="which contribution"></select>
<button id="go" title="go on to there (c)">go on</button></span>
<p class="faint keys">Keys: ← → one step, Page Up/Down one op, Home End, space plays, c goes on to
the stop</p>
</section>"""


def box_lines(place: Any, name: Naming, data: str, grad: str) -> tuple[str, ...]:
    """What a box says: how it was made, its numbers; lines of one length whatever these are."""
    made = told.made(place, name)
    kind = told.kind(place)
    return (
        *([_short(made)] if made else []),
        *([kind] if kind else []),
        _short(f"data {data}"),
        _short(f"grad {grad}"),
    )


def _short(text: str) -> str:
    return text if len(text) <= LINE else f"{text[: LINE - 1]}…"


def room(events: Sequence[Event]) -> int:
    """Width for the longest gradient that will be shown."""
    longest = max((len(told.shown(e.after)) for e in events if e.to is not None), default=0)
    return max(ROOM, 6 * min(longest + 6, LINE))


def arrows(places: Sequence[Any], key: dict[int, str]) -> dict[tuple[int, int], Arrow]:
    """An arrow for each operand, by (id of the result, port)."""
    found: dict[tuple[int, int], Arrow] = {}
    for place in places:
        for port, child in enumerate(place.inputs):
            if child is not None:
                words = told.shown(place.partials[port]) if is_value(place) else ""
                ends = (key[id(child)], key[id(place)])
                found[id(place), port] = Arrow(f"e{len(found)}", *ends, words)
    return found


def role(place: Any, root: Any) -> str:
    return "result" if place is root else "leaf" if place.op is None else "value"


def _svg(events: Sequence[Event], places: Sequence[Any], name: Naming) -> str:
    """The graph with its final numbers, which the script exchanges; or why there is none."""
    if len(places) > MOST:
        return (
            f'<p class="faint">{len(places)} boxes are too many for a picture: follow the steps in '
            "the list, or look at an inner result.</p>"
        )
    key, root, final = keys(places), places[-1], _final(events)
    boxes = tuple(
        Box(
            key[id(place)],
            role(place, root),
            name(place),
            box_lines(place, name, _data(place, name), final.get(id(place), ABSENT)),
        )
        for place in places
    )
    lines = tuple(arrows(places, key).values())
    said = "The graph, operands left of results."
    picture = Picture(boxes, lines, f"graph of {name(root)}", said, room(events))
    try:
        return picture.svg()
    except render.RenderError as error:
        return f'<p class="faint">No picture: {escaped(error)}</p>'


def _final(events: Sequence[Event]) -> dict[int, str]:
    return {id(event.to): told.shown(event.after) for event in events if event.to is not None}


def _data(place: Any, name: Naming) -> str:
    return told.shown(told.content(place, name))


def _table(events: Sequence[Event], places: Sequence[Any], name: Naming) -> str:
    final, key = _final(events), keys(places)
    rows = []
    for place in reversed(places):
        cells = [
            f'<th scope="row">{escaped(name(place))}</th>',
            f"<td>{escaped(told.made(place, name))}</td>",
            f'<td class="data">{escaped(_data(place, name))}</td>',
            f'<td class="grad">{escaped(final.get(id(place), ABSENT))}</td>',
            '<td class="got"></td>',
        ]
        rows.append(f'<tr data-node="{key[id(place)]}">{"".join(cells)}</tr>')
    head = "".join(
        f'<th scope="col">{word}</th>' for word in ("name", "made as", "data", "gradient", "got")
    )
    return f'<table id="grads"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def _list(events: Sequence[Event], name: Naming) -> str:
    rows = "".join(
        f'<li class="{event.phase}">{escaped(told.headline(event, name))}</li>' for event in events
    )
    return f'<ol id="steps">{rows}</ol>'


def _item(place: Any, key: dict[int, str], name: Naming) -> dict[str, Any]:
    return {
        "key": key[id(place)],
        "name": name(place),
        "made": told.made(place, name),
        "kind": told.kind(place),
        "line": line_of(place),
        "data": _data(place, name),
        "leaf": place.op is None,
        "why": "" if place.op is None else place.op.why,
    }


def _step(
    event: Event, key: dict[int, str], edge: dict[tuple[int, int], str], name: Naming
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "phase": event.phase,
        "node": key[id(event.place)],
        "text": told.headline(event, name),
    }
    if event.to is None:
        return row
    row |= {
        "to": key[id(event.to)],
        "part": told.shown(event.part),
        "before": told.shown(event.before),
        "after": told.shown(event.after),
        "nth": event.nth,
        "of": event.of,
    }
    if event.phase == "backward":
        known = {event.port: event.slope}
        local = told.slopes(event.place, known)
        row |= {
            "edge": edge[id(event.place), event.port],
            "chain": is_value(event.place),
            "given": told.shown(event.given),
            "product": told.product(event),
            "slopes": [[s.operand, key[id(s.to)], s.text] for s in local],
        }
    return row
