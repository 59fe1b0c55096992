"""Copying and pickling whole graphs without recursion, however deep they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .op import TABLE
from .value import Value
from .walk import history


def reduce(value: Value) -> tuple[Any, ...]:
    """A leaf as itself; a result as its whole history, in columns: one object per node is slow.

    Leaves stay shared with whatever is pickled along; results that are pickled one by one each
    bring their own history.
    """
    if value.op is None:
        return _leaf, (value.data, value._grad, value.label)
    nodes = history(value)
    leaves = [node for node in nodes if node.op is None]
    inner = [node for node in nodes if node.op is not None]
    place = {node: index for index, node in enumerate([*leaves, *inner])}
    columns = (
        [node.op.name for node in inner if node.op is not None],
        [node.data for node in inner],
        [node._grad for node in inner],
        [node.label for node in inner],
        [len(node.edges) // 2 for node in inner],
        # the operands that are Values are the inputs, in order: only the others need saying
        [None if (c := node._call) is None else _without_values(c) for node in inner],
        [place[child] for node in inner for child in node.edges[::2]],
        [partial for node in inner for partial in node.edges[1::2]],
    )
    return _rebuild, (leaves, columns)


def _without_values(call: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple([None if isinstance(a, Value) else a for a in call])


def _leaf(data: float, gradient: float | None, label: str | None) -> Value:
    made = Value(data, label=label)
    made._grad = gradient
    return made


def _rebuild(leaves: list[Value], columns: Sequence[list[Any]]) -> Value:
    nodes = list(leaves)
    *columns, children, slopes = columns
    child, slope = iter(children), iter(slopes)
    for name, number, gradient, label, count, call in zip(*columns, strict=True):
        operands = [nodes[next(child)] for _ in range(count)]
        edges = tuple([part for operand in operands for part in (operand, next(slope))])
        op = TABLE[name]
        if call is not None:
            given = iter(operands)
            arity = op.arity(len(call))
            call = (*[next(given) if a is None else a for a in call[:arity]], *call[arity:])
        made = Value(number, edges, op, call, label)
        made._grad = gradient
        nodes.append(made)
    return nodes[-1]


def deep_copy(value: Value, memo: dict[int, Any]) -> Value:
    """Copy operands before results, so that each finds its operands in the memo."""
    for node in history(value):
        if id(node) not in memo:
            edges = list(node.edges)
            edges[::2] = [memo[id(child)] for child in edges[::2]]
            call = node._call
            if call is not None:
                call = tuple([memo[id(a)] if isinstance(a, Value) else a for a in call])
            made = Value(node.data, tuple(edges), node.op, call, node.label)
            made._grad = node._grad
            memo[id(node)] = made
    return memo[id(value)]  # type: ignore[no-any-return]
