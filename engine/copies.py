"""Copying and pickling whole graphs without recursion, however deep they are."""

from __future__ import annotations

from typing import Any

from .op import TABLE
from .value import Value

Reference = tuple[str, int]  # ("node", place in the flat list), told apart from a constant operand


def reduce(value: Value) -> tuple[Any, ...]:
    """A leaf as itself; a result as its whole history in one flat list, whose leaves stay shared."""
    if not value.edges:
        return _leaf, (value.data, value._grad, value.label)
    from .walk import history

    nodes = history(value)
    place = {node: index for index, node in enumerate(nodes)}
    return _rebuild, ([node if not node.edges else _flat(node, place) for node in nodes],)


def _flat(node: Value, place: dict[Value, int]) -> tuple[Any, ...]:
    assert node.op is not None
    children = [place[child] for child in node.inputs]
    call = None
    if node._call is not None:
        call = [("node", place[a]) if isinstance(a, Value) else a for a in node._call]
    return node.data, node._grad, node.label, node.op.name, children, node.partials, call


def _leaf(data: float, gradient: float | None, label: str | None) -> Value:
    made = Value(data, label=label)
    made._grad = gradient
    return made


def _rebuild(flat: list[Any]) -> Value:
    nodes: list[Value] = []
    for entry in flat:
        nodes.append(entry if isinstance(entry, Value) else _inner(entry, nodes))
    return nodes[-1]


def _inner(entry: tuple[Any, ...], nodes: list[Value]) -> Value:
    data, gradient, label, name, children, partials, call = entry
    edges = [part for pair in zip((nodes[c] for c in children), partials, strict=True) for part in pair]
    if call is not None:
        call = tuple(nodes[a[1]] if isinstance(a, tuple) and a[:1] == ("node",) else a for a in call)
    made = Value(data, tuple(edges), TABLE[name], call, label)
    made._grad = gradient
    return made


def deep_copy(value: Value, memo: dict[int, Any]) -> Value:
    """Copy operands before results, so that each finds its operands in the memo."""
    from .walk import history

    for node in history(value):
        if id(node) in memo:
            continue
        edges = tuple(memo[id(e)] if isinstance(e, Value) else e for e in node.edges)
        call = node._call and tuple(memo[id(a)] if isinstance(a, Value) else a for a in node._call)
        made = Value(node.data, edges, node.op, call, node.label)
        made._grad = node._grad
        memo[id(node)] = made
    return memo[id(value)]  # type: ignore[no-any-return]
