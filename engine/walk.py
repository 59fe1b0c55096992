"""Backward over a graph of Values: iterative, so that depth is limited by memory alone."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from operator import attrgetter
from typing import Any, overload

from .modes import enable_grad
from .value import Value

_age = attrgetter("seq")
# Marks and inner gradients live on the nodes, so one walk at a time: threads that share leaves stay exact.
_walking = threading.Lock()


def backward(root: Value, gradient: float = 1.0) -> None:
    """Add ``gradient`` times d root / d leaf to every leaf; inner nodes get a fresh gradient."""
    gradient = float(gradient)
    if not math.isfinite(gradient):
        raise ValueError(
            f"backward: expected a finite gradient to start from, got {gradient}; "
            "every gradient would become nan or inf"
        )
    with _walking:
        if not root.edges:
            root._grad = root.grad + gradient
            return
        root._grad = gradient
        for node in _inner_nodes(root):
            g, edges = node._grad, node.edges
            if len(edges) == 4:  # most ops have two operands or one: spelt out, for speed
                a, slope_a, b, slope_b = edges
                a._grad += g * slope_a
                b._grad += g * slope_b
            elif len(edges) == 2:
                a, slope_a = edges
                a._grad += g * slope_a
            else:
                for a, slope_a in zip(edges[::2], edges[1::2], strict=True):
                    a._grad += g * slope_a


def _inner_nodes(root: Value) -> list[Value]:
    """All but the leaves, results before operands, with gradients ready to be added to.

    Inner gradients start at 0; leaves keep theirs, since they accumulate.
    """
    token = object()
    root.mark = token
    inner = [root]
    push = inner.append
    for node in inner:
        edges = node.edges
        child = edges[0]
        if child.mark is not token:
            child.mark = token
            if child.op is not None:
                child._grad = 0.0
                push(child)
            elif child._grad is None:
                child._grad = 0.0
        if len(edges) == 2:
            continue
        for child in edges[2::2]:
            if child.mark is not token:
                child.mark = token
                if child.op is not None:
                    child._grad = 0.0
                    push(child)
                elif child._grad is None:
                    child._grad = 0.0
    inner.sort(key=_age, reverse=True)
    return inner


def history(*roots: Value) -> list[Value]:
    """Every Value that ``roots`` were computed from, and themselves, operands before results."""
    found = list(dict.fromkeys(roots))
    seen = set(found)
    for node in found:
        for child in node.edges[::2]:
            if child not in seen:
                seen.add(child)
                found.append(child)
    found.sort(key=_age)
    return found


@overload
def grad(y: Value, xs: Value, *, create_graph: bool = False, gradient: float = 1.0) -> Value: ...
@overload
def grad(
    y: Value, xs: Sequence[Value], *, create_graph: bool = False, gradient: float = 1.0
) -> list[Value]: ...
def grad(
    y: Value, xs: Value | Sequence[Value], *, create_graph: bool = False, gradient: float = 1.0
) -> Value | list[Value]:
    """The gradient of ``y`` by each of ``xs``, leaving every ``.grad`` alone.

    With ``create_graph`` the results are part of the graph, so they can be differentiated again, to any
    order. What ``y`` does not depend on has gradient 0.

    >>> x = Value(2.0)
    >>> first = grad(x**3, x, create_graph=True)
    >>> first.data, grad(first, x).data
    (12.0, 12.0)
    """
    targets = [xs] if isinstance(xs, Value) else list(xs)
    for name, node in [("y", y), *((f"xs[{i}]", x) for i, x in enumerate(targets))]:
        if not isinstance(node, Value):
            raise TypeError(f"grad: expected {name} to be a Value, got {type(node).__name__}")
    nodes = history(y)
    leading = set(targets)  # nodes on a path to some target: no rule runs for any other
    for node in nodes:
        if not leading.isdisjoint(node.edges[::2]):
            leading.add(node)
    adjoint: dict[Value, Value] = {y: Value(gradient)}
    step = _differentiable_step if create_graph else _plain_step
    for node in reversed(nodes):
        if node in adjoint and node.edges and node in leading:
            step(node, adjoint, leading)
    found = [adjoint.get(x, Value(0.0)) for x in targets]
    return found[0] if isinstance(xs, Value) else found


def _plain_step(node: Value, adjoint: dict[Value, Value], leading: set[Value]) -> None:
    g = adjoint[node].data
    for child, partial in zip(node.edges[::2], node.edges[1::2], strict=True):
        if child in leading:
            before = adjoint[child].data if child in adjoint else 0.0
            adjoint[child] = Value(before + g * partial)


def _differentiable_step(node: Value, adjoint: dict[Value, Value], leading: set[Value]) -> None:
    assert node.op is not None
    g, args = adjoint[node], node.args
    with enable_grad():
        for child, rule in zip(args, node.op.vjp, strict=True):
            if isinstance(child, Value) and child in leading and rule is not None:
                part: Any = rule(g, node, *args, *node.params)
                adjoint[child] = adjoint[child] + part if child in adjoint else part
