"""``zoom(y[i, j])``: one entry of a tensor computation as the graph of numbers that it is."""

from __future__ import annotations

from typing import Any

from ...bridges import Unrolled, unroll
from ...engine import Value, history
from ...engine.sites import remember, site
from ..draw import Drawing, draw
from ..words import many, number
from .explain import Explanation, entry_of
from .places import called, is_tensor, names_of
from .stepping import Steps, steps

LIMIT = 20_000


def zoom(target: Any, *inputs: Any, at: Any = None, params: Any = None, limit: int = LIMIT) -> Zoom:
    """Open one number of a tensor computation: the graph of Values that makes it.

    The same ops on the same numbers, one by one, so that the result can be drawn, stepped through
    and explained like any other graph of Values; source lines that were watched under ``tracing()``
    are carried over.

    Args:
        target: a tensor in a graph, usually one entry of it (``y[1, 0]``); or a function, which is
            called with ``inputs``.
        at: which entry, where ``target`` has several.
        params: a module, or a mapping of names to tensors, for the names of their entries.
        limit: how many Values to make at most.

    Raises:
        TypeError: ``target`` is neither.
        IndexError: there is no such entry;
        ValueError: there are several and none was chosen, or there would be more than ``limit``
            Values; and as ``gradling.unroll``.

    >>> import gradling
    >>> x = gradling.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    >>> w = gradling.tensor([[0.5], [-0.25]], requires_grad=True)
    >>> w.label = "w"
    >>> y = (x @ w).tanh()
    >>> part = zoom(y[1, 0])
    >>> part
    <Zoom: 4 ops make 0.4621>
    >>> print(part.explain(w, (0, 0)))
    d v7 / d w[0, 0] = 2.359, the sum over 1 path
    1 of 1 path carries 100 %
    <BLANKLINE>
      1.  2.359   100 %  = 0.7864 · 1 · 3
            0.7864  v7 = tanh(v6)
            1       v6 = v2 + v5
            3       v2 = v0 * w[0, 0]
    """
    if not is_tensor(target) and not callable(target):
        raise TypeError(
            f"zoom: expected a tensor or a function of tensors, got {type(target).__name__}"
        )
    if is_tensor(target) and at is None and target._data.size != 1:
        raise ValueError(  # before any work
            f"zoom: this tensor has {target._data.size} entries; choose one of shape "
            f"{tuple(target.shape)}: y[i, j], or at=(i, j)"
        )
    opened = unroll(target, *inputs, limit=limit)
    result = opened.out
    if not hasattr(result, "shape"):
        raise TypeError("zoom: expected a function with one tensor as its result")
    root = entry_of("zoom", result, at)
    if not isinstance(root, Value):
        raise ValueError("zoom: this entry is a constant: nothing with a gradient led to it")
    return Zoom(root, opened, names_of(params))


class Zoom:
    """One number of a tensor computation, opened.

    ``value`` is the Value that it is, ``zoom[t]`` the array of Values that stand for a tensor of
    the computation.
    """

    def __init__(self, value: Value, opened: Unrolled, names: dict[int, str]) -> None:
        self.value = value
        self._opened = opened
        nodes = opened._of
        self._made_by = _makers(value, nodes)
        self._names: dict[str, Value] = {}
        for node, array in nodes.items():
            name = node.label or names.get(id(node), "")
            if name and node.op is None:
                for place, entry in _entries(array):
                    if isinstance(entry, Value):
                        self._names[f"{name}{place}"] = entry
        for made, node in self._made_by.items():
            known = site(node)
            if known is not None:
                remember(made, known.line)

    def __getitem__(self, tensor: Any) -> Any:
        return self._opened[tensor]

    def op_of(self, value: Value) -> str:
        """Which op of the tensor computation a Value is a part of; "" for an entry of a leaf."""
        node = self._made_by.get(value)
        return "" if node is None or node.op is None else called(node)

    def steps(self, *, gradient: float = 1.0) -> Steps:
        """The graph of this number, step by step."""
        return steps(self.value, params=self._names, gradient=gradient)

    def explain(
        self, w: Any, index: Any = None, *, share: float = 0.95, most: int = 10
    ) -> Explanation:
        """The gradient of this number by one entry of ``w``, as a sum over paths.

        Args:
            w: a tensor of the computation, or one of the Values.
            index: which entry of a tensor.
            share, most: as for ``viz.explain``.

        Raises:
            KeyError: ``w`` is no part of the computation.
        """
        if is_tensor(w):
            w = entry_of("explain", self[w], index)
        return Explanation.of(self.value, w, share, most, names_of(self._names))

    def draw(self, **options: Any) -> Drawing:
        """The graph of this number, as ``viz.draw`` shows it."""
        return draw(self.value, **{"params": self._names, **options})

    def _repr_svg_(self) -> str | None:
        return self.draw()._repr_svg_()

    def __repr__(self) -> str:
        ops = sum(value.op is not None for value in history(self.value))
        return f"<Zoom: {many(ops, 'op')} make {number(self.value.data)}>"


def _makers(root: Value, nodes: Any) -> dict[Value, Any]:
    """Which node each Value is a part of: an entry of it, or something on the way to one."""
    owner: dict[Value, Any] = {}
    for node, array in nodes.items():  # operands first: an entry that is handed on stays theirs
        for _, entry in _entries(array):
            if isinstance(entry, Value):
                owner.setdefault(entry, node)
    for value in reversed(history(root)):
        for child in value.inputs:
            if child not in owner and value in owner:
                owner[child] = owner[value]
    return owner


def _entries(array: Any) -> Any:
    """("[i, j]", entry) for each."""
    import numpy as np

    for place in np.ndindex(array.shape):
        yield (f"[{', '.join(map(str, place))}]" if place else ""), array[place]
