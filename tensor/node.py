"""The graph of tensors. A ``Tensor`` is a handle on an array; its place in the graph is a ``Node``.

Handles may come and go, and an in-place edit gives a handle another node; the graph only ever grows
from operands to results, so it has no cycles and is freed by reference count.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from ..engine import Op

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]
else:
    Array = np.ndarray  # the class itself: kernels are looked up by it
tick = count(1).__next__  # one clock for nodes and edits: operands are older than results


class Node:
    """One result in a graph, or a leaf.

    ``saved`` is ``(y, *operand arrays)``, ``None`` where no rule reads it; a leaf saves its own
    array.
    """

    __slots__ = (
        "op", "inputs", "saved", "params", "shape", "dtype", "grad", "scope", "seq", "extra",
        "__weakref__",
    )  # fmt: skip

    def __init__(
        self,
        op: Op | None,
        inputs: tuple[Node | None, ...],
        saved: tuple[Any, ...] | None,
        params: tuple[Any, ...],
        array: Array,
        scope: str = "",
    ) -> None:
        self.op = op
        self.inputs = inputs
        self.saved = saved
        self.params = params
        self.shape = array.shape
        self.dtype = array.dtype
        self.grad: Any = None  # an array, or a Tensor once somebody asked for one
        self.scope = scope
        self.seq = tick()
        # label, hooks, source line, fingerprints: rare things
        self.extra: dict[str, Any] | None = None

    def note(self, key: str, value: Any) -> None:
        if self.extra is None:
            self.extra = {}
        self.extra[key] = value

    def noted(self, key: str) -> Any:
        return None if self.extra is None else self.extra.get(key)

    @property
    def label(self) -> str | None:
        return self.noted("label")  # type: ignore[no-any-return]

    @property
    def name(self) -> str:
        return "leaf" if self.op is None else self.op.name

    def __repr__(self) -> str:
        return f"<{self.name}: {self.dtype} {self.shape}>"


def leaf(array: Array) -> Node:
    return Node(None, (), (array,), (), array)


class Bundle:
    """The gradient of a node with several results: one for each result that got any."""

    __slots__ = ("parts",)

    def __init__(self, parts: dict[int, Any]) -> None:
        self.parts = parts

    def __add__(self, other: Bundle) -> Bundle:
        parts = dict(self.parts)
        for place, g in other.parts.items():
            if place in parts:
                g = parts[place] + g
                g = np.asarray(g) if isinstance(g, np.generic) else g  # of two 0-d arrays
            parts[place] = g
        return Bundle(parts)
