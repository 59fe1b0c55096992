"""Steps as an animation: one picture each, boxes and arrows staying where they are."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from .. import render
from ..words import ABSENT
from . import told
from .events import Event
from .formulas import Naming
from .picture import MOST, Box, Picture, keys
from .steps_page import arrows, box_lines, role, room

DPI = 96
FRAMES = 200  # an animation of more steps is a film that nobody watches


def animated(
    events: Sequence[Event], places: Sequence[Any], name: Naming, root: Any, seconds: float
) -> bytes:
    """The frames as a GIF."""
    if not seconds > 0:
        raise ValueError(f"gif: expected seconds > 0, got {seconds}")
    if len(events) > FRAMES or len(places) > MOST:
        raise ValueError(
            f"gif: {len(events)} steps on {len(places)} boxes are too many to watch (at most "
            f"{FRAMES} and {MOST}); animate an inner result, or save a page (.html)"
        )
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError('a GIF needs Pillow: pip install "gradling[plot]"') from error
    images = [
        Image.open(io.BytesIO(render.render(frame.dot, "png", dpi=DPI))).convert("RGB")
        for frame in pictures(events, places, name, root)
    ]
    size = (max(image.width for image in images), max(image.height for image in images))
    pages = []
    for image in images:
        canvas = Image.new("RGB", size, "white")
        canvas.paste(image, (0, 0))
        pages.append(canvas.quantize())
    stay = [round(1000 * seconds)] * (len(pages) - 1) + [round(4000 * seconds)]
    buffer = io.BytesIO()
    pages[0].save(
        buffer, format="GIF", save_all=True, append_images=pages[1:], duration=stay, loop=0
    )
    return buffer.getvalue()


def pictures(
    events: Sequence[Event], places: Sequence[Any], name: Naming, root: Any
) -> list[Picture]:
    """The graph after each step."""
    key, width = keys(places), room(events)
    lines = arrows(places, key)
    forward = any(event.phase == "forward" for event in events)
    known = {id(place) for place in places if place.op is None or not forward}
    grads: dict[int, str] = {}
    found = []
    for event in events:
        if event.phase == "forward":
            known.add(id(event.place))
        else:
            grads[id(event.to)] = told.shown(event.after)
        boxes = []
        for place in places:
            data = told.shown(told.content(place, name) if id(place) in known else None)
            text = box_lines(place, name, data, grads.get(id(place), ABSENT))
            hot = place is event.place or place is event.to
            mark = "hot" if hot else "" if id(place) in known else "faint"
            boxes.append(Box(key[id(place)], role(place, root), name(place), text, mark))
        marked = [
            arrow.marked() if end == (id(event.place), event.port) else arrow
            for end, arrow in lines.items()
        ]
        caption = told.headline(event, name)
        found.append(Picture(tuple(boxes), tuple(marked), caption, caption, width, caption))
    return found
