"""Backward over a graph of Values: iterative, so that depth is limited by memory alone."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, overload

from . import anomaly
from .modes import enable_grad, mode, no_grad
from .value import Value

# Counts and gradients live on the nodes, so one walk at a time: threads may share leaves.
_walking = threading.Lock()


def backward(root: Value, gradient: float = 1.0) -> None:
    """Add ``gradient`` times d root / d leaf to every leaf; inner nodes get a fresh gradient."""
    gradient = _seed("backward", gradient)
    with _walking:
        if root.op is None:
            root._grad = root.grad + gradient
            return
        found = _reach(root)
        root._grad = gradient
        try:
            order = _descend(root)
        except BaseException:  # interrupted: leave no counts behind
            for node in found:
                node.pending = 0
            raise
    if mode().anomaly:
        anomaly.check_gradients(order)


def accumulate(leaves: Sequence[Value], gradients: Sequence[float]) -> None:
    """Add to the leaves' gradients what was worked out elsewhere."""
    with _walking:
        for leaf, g in zip(leaves, gradients, strict=True):
            before = leaf._grad
            leaf._grad = g if before is None else before + g


def _seed(name: str, gradient: Any) -> float:
    try:
        seed = float(gradient)
    except (TypeError, ValueError):
        raise TypeError(
            f"{name}: expected a number to start from, got {type(gradient).__name__}"
        ) from None
    if not math.isfinite(seed):
        raise ValueError(
            f"{name}: expected a finite gradient to start from, got {seed}; "
            "every gradient would become nan or inf"
        )
    return seed


# Both passes below say the same for the first operand, for a second one, and for any number of
# further ones: most ops have no more than two, and a loop, or a call, per edge would double their
# time.


def _reach(root: Value) -> list[Value]:
    """All but the leaves below ``root``; each learns how many results will send it a gradient.

    Inner gradients start at 0; leaves keep theirs, since they accumulate.
    """
    found = [root]
    push = found.append
    for node in found:
        edges = node.edges
        if len(edges) == 4:
            child, _, other, _ = edges
            if other.pending:
                other.pending += 1
            elif other.op is not None:
                other.pending, other._grad = 1, 0.0
                push(other)
            elif other._grad is None:
                other._grad = 0.0
        elif len(edges) == 2:
            child, _ = edges
        else:
            child = edges[0]
            for other in edges[2::2]:
                if other.pending:
                    other.pending += 1
                elif other.op is not None:
                    other.pending, other._grad = 1, 0.0
                    push(other)
                elif other._grad is None:
                    other._grad = 0.0
        if child.pending:
            child.pending += 1
        elif child.op is not None:
            child.pending, child._grad = 1, 0.0
            push(child)
        elif child._grad is None:
            child._grad = 0.0
    return found


def _descend(root: Value) -> list[Value]:
    """Multiply along edges, add where paths meet; a node sends on once it got all it was owed."""
    order = [root]
    push = order.append
    for node in order:
        g, edges = node._grad, node.edges
        if len(edges) == 4:
            child, slope, other, other_slope = edges
            other._grad += g * other_slope
            owed = other.pending
            if owed == 1:
                other.pending = 0
                push(other)
            elif owed:
                other.pending = owed - 1
        elif len(edges) == 2:
            child, slope = edges
        else:
            child, slope = edges[:2]
            for other, other_slope in zip(edges[2::2], edges[3::2], strict=True):
                other._grad += g * other_slope
                owed = other.pending
                if owed == 1:
                    other.pending = 0
                    push(other)
                elif owed:
                    other.pending = owed - 1
        child._grad += g * slope
        owed = child.pending
        if owed == 1:
            child.pending = 0
            push(child)
        elif owed:
            child.pending = owed - 1
    return order


def history(*roots: Value) -> list[Value]:
    """Every Value that ``roots`` were computed from, and themselves, operands before results.

    The order follows from the graph alone: left operands first.
    """
    found: dict[Value, None] = {}
    path = list(reversed(roots))
    while path:
        node = path[-1]
        depth = len(path)
        for child in node.edges[-2::-2]:  # from the right, so that the left one is on top
            if child not in found:
                path.append(child)
        if len(path) == depth:  # all operands are there
            found[path.pop()] = None
    return list(found)


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

    With ``create_graph`` the results are part of the graph, so they can be differentiated again, to
    any order. What ``y`` does not depend on has gradient 0.

    >>> x = Value(2.0)
    >>> first = grad(x**3, x, create_graph=True)
    >>> first.data, grad(first, x).data
    (12.0, 12.0)
    """
    targets = list(xs) if isinstance(xs, Iterable) else [xs]
    for name, node in [("y", y), *((f"xs[{i}]", x) for i, x in enumerate(targets))]:
        if not isinstance(node, Value):
            raise TypeError(f"grad: expected {name} to be a Value, got {type(node).__name__}")
    nodes = history(y)
    leading = set(targets)  # nodes on a path to some target: no rule runs for any other
    for node in nodes:
        if not leading.isdisjoint(node.inputs):
            leading.add(node)
    adjoint: dict[Value, Value] = {y: Value(_seed("grad", gradient))}
    parts = _differentiable_parts if create_graph else _plain_parts
    with enable_grad() if create_graph else no_grad():
        for node in reversed(nodes):
            if node in adjoint and node.op is not None and node in leading:
                for child, part in parts(node, adjoint[node]):
                    if child in leading:
                        adjoint[child] = adjoint[child] + part if child in adjoint else part
    found = [adjoint.get(x, Value(0.0)) for x in targets]
    return found[0] if isinstance(xs, Value) else found


def _plain_parts(node: Value, g: Value) -> Iterator[tuple[Value, Value]]:
    for child, partial in zip(node.inputs, node.partials, strict=True):
        yield child, Value(g.data * partial)


def _differentiable_parts(node: Value, g: Value) -> Iterator[tuple[Value, Value]]:
    """The rules once more, now on Values, so that the parts have a history of their own."""
    op, args, params = node.op, node.args, node.params
    assert op is not None
    if op.joint is not None:
        needed = tuple([isinstance(child, Value) for child in args])
        parts = op.joint(needed, g, node, args, *params)
        yield from ((child, part) for child, part in zip(args, parts, strict=True)
                    if isinstance(child, Value))  # fmt: skip
        return
    for child, rule in zip(args, op.vjp, strict=True):
        if isinstance(child, Value) and rule is not None:
            yield child, rule(g, node, *args, *params)
