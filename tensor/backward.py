"""Backward over a graph of nodes: one walk, on arrays or, to differentiate again, on tensors."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from ..engine.modes import enable_grad, mode
from . import edits
from .node import Array, Bundle, Node
from .quiet import Quiet
from .rows.indexing import getitem
from .rows.shape import _sum_to, alias, cast, sum_to
from .spelt import SPELT

if TYPE_CHECKING:
    from .tensor import Tensor

_age = attrgetter("seq")
_adding = threading.Lock()  # two threads may train nets that share leaves
Gradients = dict[Node, Any]


def history(roots: Iterable[Node], stop: frozenset[Node] = frozenset()) -> list[Node]:
    """``roots`` and all results that they were made from: results before operands, no leaves.

    It does not go past ``stop``.
    """
    found = [node for node in dict.fromkeys(roots) if node.op is not None]
    seen = set(found)
    add, push = seen.add, found.append
    for node in found:
        if node not in stop:
            for child in node.inputs:
                if child is not None and child.op is not None and child not in seen:
                    add(child)
                    push(child)
    found.sort(key=_age, reverse=True)
    return found


def run(
    seeds: Gradients,
    targets: Sequence[Node] | None = None,
    *,
    create_graph: bool = False,
    stop: bool = False,
    free: bool = False,
) -> Gradients:
    """Send gradients from ``seeds`` down the graph.

    Without ``targets`` they are added to the leaves' ``grad``. With targets nothing is stored: the
    gradients of the targets are returned, and only nodes on a path to one are visited (none beyond
    a target with ``stop``). ``free`` drops what nodes saved, as soon as it has been used.
    """
    wanted = frozenset(targets or ())
    order = history(seeds, wanted if stop else frozenset())
    leading = None if targets is None else _leading(order, wanted)
    gradients = dict(seeds)
    found: Gradients = {}
    parts_of = _differentiable_parts if create_graph else _plain_parts
    now = mode()
    if now.tape is not None:
        now.tape.read("backward()")
    anomaly = now.anomaly
    ours: set[Node] = set()  # nodes whose gradient is an array made here: it may grow in place
    pop, get = gradients.pop, gradients.get
    with enable_grad() if create_graph else Quiet():
        for node in order:
            g = pop(node, None)
            if g is None:
                continue
            if node.extra is not None:
                g = _observe(node, g)
            if leading is not None:
                if node in wanted:
                    found[node] = g
                    if stop:
                        continue
                if node not in leading:
                    continue
            if edits.latest > node.seq or node.extra is not None:
                edits.check(node)
            picked = node.op is getitem and not create_graph
            if picked and node.inputs[0] in ours and not anomaly and not free:
                # layer after layer of one tensor: without an array of zeros for each
                gradients[node.inputs[0]][node.params[0]] += g
                continue
            parts = parts_of(node, g, leading)
            if anomaly:
                _look_for_nan(node, g, parts)
            for child, part in zip(node.inputs, parts):  # noqa: B905  (a variadic rule may be lazy)
                if child is None or part is None:
                    continue
                if create_graph:
                    part = fit(part, child)
                elif (  # not to be used as it is: asked here, as most parts are
                    part.__class__ is not Array
                    or part.shape != child.shape
                    or part.dtype is not child.dtype
                    or child.op is None
                    and (part is g or part.base is not None)
                ):
                    part = _fit_array(part, child, g)
                before = get(child)
                if before is None:
                    gradients[child] = part
                    if picked:
                        ours.add(child)
                elif child in ours:
                    np.add(before, part, out=before)
                else:
                    both = before + part
                    if isinstance(both, np.generic):
                        both = np.asarray(both)  # NumPy's sum of two 0-d arrays is a number
                    gradients[child] = both
                    if both.__class__ is Array:
                        ours.add(child)
            if free:
                assert node.op is not None
                node.saved, node.params = None, node.params[: len(node.op.params)]
        # Leaves come last: should anything fail on the way, no gradient has been touched.
        for node, g in gradients.items():
            if node.extra is not None:
                gradients[node] = _observe(node, g)
        if targets is None:
            accumulate(gradients)
        else:
            found.update((node, g) for node, g in gradients.items() if node in wanted)
    return found


def _leading(order: list[Node], wanted: frozenset[Node]) -> set[Node]:
    """The nodes on a path to some wanted node: no rule runs for any other."""
    leading = set(wanted)
    for node in reversed(order):
        if not leading.isdisjoint(node.inputs):
            leading.add(node)
    return leading


def _saved(node: Node) -> tuple[Any, ...]:
    if node.saved is None:
        first: Any = node.noted("freed")
        raise RuntimeError(
            f"backward: what {node.name} saved was freed by the first backward() at {first}; "
            "call that one without retain_graph=False (the graph is then kept until nothing refers "
            "to it)"
        )
    return node.saved


def _needed(node: Node, leading: set[Node] | None) -> tuple[bool, ...]:
    return tuple([n is not None and (leading is None or n in leading) for n in node.inputs])


def _plain_parts(node: Node, g: Array, leading: set[Node] | None) -> Sequence[Any]:
    op, saved = node.op, node.saved or _saved(node)
    assert op is not None
    if op.joint is None:
        if len(op.vjp) == 1 and leading is None:  # most ops: no operand, no node
            rule: Any = op.vjp[0]
            return (SPELT.get(rule, rule)(g, *saved, *node.params),)
        return [
            rule(g, *saved, *node.params)
            if child is not None and rule is not None and (leading is None or child in leading)
            else None
            for rule, child in zip(op.vjp, node.inputs)  # noqa: B905  (equal by construction)
        ]
    needed = _needed(node, leading)
    if op.variadic:
        return op.joint(needed, g, saved[0], saved[1:], *node.params)  # type: ignore[no-any-return]
    return op.joint(needed, g, *saved, *node.params)  # type: ignore[no-any-return]


def _differentiable_parts(node: Node, g: Tensor, leading: set[Node] | None) -> Sequence[Any]:
    from .tensor import Tensor

    op, saved, needed = node.op, _saved(node), _needed(node, leading)
    assert op is not None
    operands = [
        Tensor(a, n) if isinstance(a, np.ndarray) else a
        for a, n in zip(saved[1:], node.inputs, strict=True)
    ]
    if op.composition is not None:
        return _through_composition(node, g, operands, needed)
    y = saved[0] if saved[0] is None else Tensor(saved[0], node)
    if op.joint is None:
        return [
            rule(g, y, *operands, *node.params) if want and rule is not None else None
            for rule, want in zip(op.vjp, needed, strict=True)
        ]
    if op.variadic:
        return op.joint(needed, g, y, tuple(operands), *node.params)  # type: ignore[no-any-return]
    return op.joint(needed, g, y, *operands, *node.params)  # type: ignore[no-any-return]


def _through_composition(
    node: Node, g: Tensor, operands: list[Any], needed: tuple[bool, ...]
) -> Sequence[Any]:
    """Differentiate a fused op's composition; operands under aliases, so that f(x, x) has two."""
    op = node.op
    assert op is not None and op.composition is not None
    named = [alias(x) if want else x for x, want in zip(operands, needed, strict=True)]
    y = op.composition(*named, *node.params[: len(op.params)])
    targets = [x._node for x, want in zip(named, needed, strict=True) if want]
    parts = run({y._node: g}, targets, create_graph=True, stop=True)
    return [parts.get(x._node) if want else None for x, want in zip(named, needed, strict=True)]


def fit(part: Any, child: Node) -> Any:
    """The one place that undoes broadcasting and dtype promotion, on tensors."""
    if part.__class__ is Bundle:
        return part
    if tuple(part.shape) != child.shape:
        part = sum_to(part, child.shape)
    if part.dtype is not child.dtype:
        part = cast(part, child.dtype, part.dtype)
    return part


def _fit_array(part: Any, child: Node, g: Any) -> Any:
    """The same on arrays; what a leaf will keep is its own memory."""
    if part.__class__ is not Array:
        if part.__class__ is Bundle:
            return part
        part = np.asarray(part)
    if part.shape != child.shape:
        part = np.asarray(_sum_to(part, child.shape))  # a sum over everything is no array
    if part.dtype is not child.dtype:
        part = part.astype(child.dtype)
    elif child.op is None and (part is g or part.base is not None):
        part = part.copy()
    return part


def accumulate(gradients: Gradients) -> None:
    """Add gradients to what leaves have collected."""
    with _adding:
        for leaf, g in gradients.items():
            before = leaf.grad
            leaf.grad = g if before is None else _added(before, g)


def _added(before: Any, g: Any) -> Any:
    """``before + g``, in place where it can be: whoever holds the gradient sees it grow."""
    if before.__class__ is Array and g.__class__ is Array:
        return np.add(before, g, out=before)
    if g.__class__ is Array and before._node is None and before._data.flags.writeable:
        edits.note(before._data, "a backward() that added to this .grad")
        np.add(before._data, g, out=before._data)
        return before
    from .tensor import Tensor

    terms = [x if isinstance(x, Tensor) else Tensor(x) for x in (before, g)]
    return terms[0] + terms[1]


def _observe(node: Node, g: Any) -> Any:
    """Run the hooks of a node, then keep its gradient where ``retain_grad()`` asked for it."""
    from .tensor import Tensor

    hooks: dict[int, Callable[[Tensor], Tensor | None]] = node.noted("hooks") or {}
    for hook in list(hooks.values()):
        answer = hook(g if isinstance(g, Tensor) else Tensor(_read_only(g)))
        if answer is not None:
            if not isinstance(answer, Tensor):
                raise TypeError(
                    "register_hook: a hook must return None, or a tensor to replace the gradient, "
                    f"got {type(answer).__name__}"
                )
            if answer.shape != node.shape or answer.dtype is not node.dtype:
                raise RuntimeError(
                    f"register_hook: the gradient that replaces the old one must be {node.dtype} "
                    f"{node.shape} like its tensor, got {answer.dtype} {answer.shape}"
                )
            g = answer if isinstance(g, Tensor) else answer._data
            if node.op is None and g.__class__ is Array:
                g = g.copy()  # a leaf keeps it, and whoever made it may too
    if node.noted("retain") and node.op is not None:
        node.grad = g if isinstance(g, Tensor) else g.copy()
    return g


def _read_only(g: Array) -> Array:
    """Other nodes may be about to get the same array."""
    view = g.view()
    view.flags.writeable = False
    return view


def _look_for_nan(node: Node, g: Any, parts: Sequence[Any]) -> None:
    """Under ``detect_anomaly``: stop at the rule that made a NaN."""
    assert node.op is not None
    names = node.op.args * len(parts)  # variadic: one name for all
    for name, part in zip(names, parts):  # noqa: B905
        array = getattr(part, "_data", part)
        if part is not None and part.__class__ is not Bundle and np.isnan(array).any():
            upstream = g.__class__ is not Bundle and np.isnan(getattr(g, "_data", g)).any()
            how = "was handed, and passed on," if upstream else "made"
            site: Any = (
                node.noted("site") or "a line that was not recorded: run forward under it too"
            )
            raise RuntimeError(
                f"detect_anomaly: backward of {node.name} {how} {int(np.isnan(array).sum())} NaN "
                f"for its operand {name!r} of shape {np.shape(array)}; its forward ran at {site}"
            )
