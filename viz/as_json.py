"""A ``Graph`` as JSON: the plain data itself, for other programs."""

from __future__ import annotations

import json
from dataclasses import asdict
from math import isfinite
from typing import Any

from .spec import Graph
from .words import caption, describe

VERSION = 1


def to_json(graph: Graph) -> str:
    """Write every field of every node, edge and frame.

    JSON has no word for numbers that are not finite: they become ``"nan"``, ``"inf"``, ``"-inf"``.
    """
    page = {
        "format": "gradling.graph",
        "version": VERSION,
        "caption": caption(graph),
        "description": describe(graph),
        **asdict(graph),
    }
    return json.dumps(_finite(page), ensure_ascii=True, indent=1, allow_nan=False) + "\n"


def _finite(item: Any) -> Any:
    if isinstance(item, float) and not isfinite(item):
        return str(item)
    if isinstance(item, dict):
        return {key: _finite(value) for key, value in item.items()}
    if isinstance(item, list | tuple):
        return [_finite(value) for value in item]
    return item
