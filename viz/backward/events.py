"""One forward pass and the backward pass after it, as a list of events: nothing is changed.

The order is the engine's own. Numbers are those it would compute, in the order it adds them, from a
state in which no gradient is there yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ...engine import Value, history
from .places import is_value

Phase = Literal["forward", "seed", "backward"]


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """What happens in one step.

    Args:
        phase: ``"forward"``: ``place`` was computed. ``"seed"``: the gradient of the result is set.
            ``"backward"``: ``place`` sends ``part`` to its operand ``port``, which is ``to``.
        place: a Value or the node of a tensor.
        to: who gets a gradient; None in forward.
        port: which operand that is, -1 where it is none.
        given: the gradient that ``place`` got, all of it.
        slope: the local derivative; None where it is no array of numbers (matrix products, say).
        part: what is added.
        before: the gradient of ``to`` so far, None while it is absent; ``after``: with ``part``.
        nth, of: this is the nth contribution to ``to``, of so many.
    """

    phase: Phase
    place: Any
    to: Any = None
    port: int = -1
    given: Any = None
    slope: Any = None
    part: Any = None
    before: Any = None
    after: Any = None
    nth: int = 0
    of: int = 0


def events(root: Any, gradient: float = 1.0) -> list[Event]:
    """Forward, seed, backward: everything that leads to the gradients of ``root``."""
    walk = _values(root, gradient) if is_value(root) else _tensors(root, gradient)
    found = [*_forward(root), *walk]
    owed: dict[int, int] = {}
    for event in found:
        if event.to is not None:
            owed[id(event.to)] = owed.get(id(event.to), 0) + 1
    for event in found:
        if event.to is not None:
            object.__setattr__(event, "of", owed[id(event.to)])
    return found


def places(root: Any) -> list[Any]:
    """Everything in the graph, operands before results."""
    if is_value(root):
        return history(root)
    from ...tensor.backward import history as nodes_above

    found = nodes_above([root])[::-1] or [root]
    seen = {id(node) for node in found}
    leaves = []
    for node in found:
        for child in node.inputs:
            if child is not None and child.op is None and id(child) not in seen:
                seen.add(id(child))
                leaves.append(child)
    return leaves + found


def _forward(root: Any) -> Iterator[Event]:
    for place in places(root):
        if place.op is not None:
            yield Event("forward", place)


def _values(root: Value, gradient: float) -> Iterator[Event]:
    """As ``engine.walk``: a node sends on once it got all it is owed, its first operand last."""
    pending: dict[Value, int] = {root: 0}
    reached = [root]
    for node in reached:
        for child in node.inputs:
            if child not in pending:
                pending[child] = 0
                reached.append(child)
            pending[child] += 1
    got: dict[Value, tuple[float, int]] = {root: (gradient, 1)}
    yield Event("seed", root, root, part=gradient, after=gradient, nth=1)
    order = [root]
    for node in order:
        g = got[node][0]
        inputs, partials = node.inputs, node.partials
        for port in _engine_order(len(inputs)):
            child, slope = inputs[port], partials[port]
            known, nth = got.get(child, (None, 0))
            after = (0.0 if known is None else known) + g * slope
            got[child] = (after, nth + 1)
            yield Event("backward", node, child, port, g, slope, g * slope, known, after, nth + 1)
            pending[child] -= 1
            if pending[child] == 0 and child.op is not None:
                order.append(child)


def _engine_order(operands: int) -> Sequence[int]:
    return (*range(1, operands), 0) if operands else ()


def _tensors(root: Any, gradient: float) -> Iterator[Event]:
    """As ``tensor.backward``, on arrays that nobody else sees."""
    import numpy as np

    from ...tensor import edits
    from ...tensor.backward import _fit_array, _plain_parts
    from ...tensor.backward import history as nodes_above
    from ...tensor.quiet import Quiet

    seed = np.full(root.shape, gradient, root.dtype)
    gradients: dict[int, Any] = {id(root): seed}
    counts = {id(root): 1}
    yield Event("seed", root, root, part=seed, after=seed, nth=1)
    for node in nodes_above([root]):
        g = gradients.get(id(node))
        if g is None:
            continue
        edits.check(node)
        with Quiet():
            parts = list(zip(node.inputs, _plain_parts(node, g, None), strict=False))
        for port, (child, part) in enumerate(parts):
            if child is None or part is None:
                continue
            part = _fit_array(part, child, g)
            known = gradients.get(id(child))
            after = part if known is None else known + part
            after = np.asarray(after) if isinstance(after, np.generic) else after
            nth = counts[id(child)] = counts.get(id(child), 0) + 1
            gradients[id(child)] = after
            yield Event(
                "backward", node, child, port, g, slope_of(node, port), part, known, after, nth
            )


def slope_of(node: Any, port: int) -> Any:
    """The local derivative of an op that works entry by entry, as an array; None for others."""
    import numpy as np

    from ...engine import TABLE
    from ...tensor.quiet import Quiet

    op = TABLE.get(node.op.name)
    if op is None or op is not node.op or float not in op.on or op.joint is not None:
        return None
    rule = op.vjp[port]
    if rule is None or node.saved is None:
        return None
    with Quiet():
        return np.asarray(rule(np.ones(node.shape, node.dtype), *node.saved, *node.params))
