"""What a picture holds, as plain data: boxes, arrows, named frames.

Readers make a ``Graph`` out of a live computation, ``fold`` makes it small, writers turn it into
text. Nothing here knows how a graph was computed or how it will be drawn, and every part can be
compared, hashed and printed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["leaf", "parameter", "constant", "op", "group"]


@dataclass(frozen=True, slots=True)
class Summary:
    """A number or an array in a few figures.

    Args:
        shape: the array's shape, ``()`` for a number.
        items: every element in row-major order where there are few, else empty.
        low, high, mean: over the finite elements; ``nan`` where there are none.
        size: how many elements were counted.
        nans, infs: how many of them are not finite.
    """

    shape: tuple[int, ...]
    items: tuple[float, ...]
    low: float
    high: float
    mean: float
    size: int
    nans: int = 0
    infs: int = 0


@dataclass(frozen=True, slots=True)
class Node:
    """One box: an op with the value it made, a leaf, a constant, or a group standing for many.

    Args:
        id: ``n`` and the position in topological order, so equal graphs have equal ids.
        role: what kind of thing it is.
        op: the op's symbol as the user knows it; a group's title.
        label: the user's name for the value.
        operands: names of the op's operands in order, the ports that edges arrive at.
        settings: what else the op was called with, as ``name=value``.
        constants: ``(operand, text)`` for constant operands that have no box of their own.
        shape, dtype: of a tensor; ``None`` and ``""`` for a single number.
        value, grad: ``None`` where not kept, respectively not computed.
        scope: path of the module it was made in, ``""`` outside; ``module`` is its class.
        result: whether it is one of the drawn outputs.
        count: how many ops it stands for.
        notes: what a group has to say about its members, a line each.
        cluster: id of the innermost frame around it, ``""`` for none.
        site: ``file:line`` that made it and ``seconds``, the time it took, under ``tracing``.
        memory: bytes of the array, 0 where another array lends its own; ``None`` for a number.
        failed: the op that raised; it has no result.
        step: which step of the graph's scale it falls into, -1 for none; ``measure`` says why.
    """

    id: str
    role: Role
    op: str = ""
    label: str = ""
    operands: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    constants: tuple[tuple[int, str], ...] = ()
    shape: tuple[int, ...] | None = None
    dtype: str = ""
    value: Summary | None = None
    grad: Summary | None = None
    scope: str = ""
    module: str = ""
    result: bool = False
    count: int = 0
    notes: tuple[str, ...] = ()
    cluster: str = ""
    site: str = ""
    seconds: float | None = None
    memory: int | None = None
    failed: bool = False
    step: int = -1
    measure: str = ""


@dataclass(frozen=True, slots=True)
class Edge:
    """An operand: from the node that made it to the node that used it.

    ``port`` is the operand's position, or -1 where an end is a group; ``count`` run as one.
    """

    source: str
    target: str
    port: int
    count: int = 1


@dataclass(frozen=True, slots=True)
class Cluster:
    """A frame around the nodes of a module: its path as ``label``, and its class.

    ``parent`` is the frame around it or ``""``.
    """

    id: str
    label: str
    module: str = ""
    parent: str = ""


@dataclass(frozen=True, slots=True)
class Scale:
    """What nodes are coloured by: a ``name``, and for each step its words and its colour."""

    name: str
    steps: tuple[str, ...]
    colors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes in topological order, the edges between them, and frames, outer ones first.

    ``ops`` counts the ops of the whole computation, whatever is shown of it; ``remark`` is what
    else the picture has to say of itself.
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    clusters: tuple[Cluster, ...] = ()
    ops: int = 0
    remark: str = ""
    scale: Scale | None = None

    @property
    def shown(self) -> int:
        """How many boxes stand for the ``ops``."""
        return sum(node.count > 0 for node in self.nodes)
