"""From live Values and Tensors to a ``Graph`` of plain data.

Reading happens in two strokes, so that a graph of 100,000 nodes costs seconds: first the bare
structure of everything, then, once ``fold`` has chosen what is shown, the numbers of that and
nothing else. The walk keeps its own stack (a chain may be a million nodes deep) and numbers nodes
in the order it finishes them, operands in their order: equal graphs get equal ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite, isnan, nan, prod
from typing import Any

from ..engine.sites import any_known, site
from .boxes import Folded
from .calls import op_text, operand_names, settings
from .opened import Opener
from .spec import Edge, Graph, Node, Role, Summary

FEW = 6  # arrays up to this size are shown in full
MOST = 10_000_000  # elements of arrays outside the picture that are looked at all the same


@dataclass(slots=True, eq=False)
class Constant:
    """An operand outside the graph: a number, an array, ``None`` where no rule made it be kept."""

    content: Any


@dataclass(slots=True)
class Moment:
    """A bare graph and the numbers of its nodes, position by position, as they were when read.

    A number is a float, a ``Summary`` of an array, or None.
    """

    graph: Graph
    values: list[Any]
    grads: list[Any]
    single: bool  # nodes are numbers: many together have a summary
    mark: Callable[[Node, Sequence[int]], Node] | None = None  # what colours filled nodes

    def fill(self, folded: Folded) -> Graph:
        """The folded graph with the values and gradients of what its boxes hand on."""
        nodes = [self._filled(node, folded.outputs[node.id]) for node in folded.graph.nodes]
        if self.mark is not None:
            nodes = [self.mark(node, folded.members[node.id]) for node in nodes]
        return replace(folded.graph, nodes=tuple(nodes))

    def _filled(self, node: Node, positions: Sequence[int]) -> Node:
        if len(positions) == 1:
            value, grad = self.values[positions[0]], self.grads[positions[0]]
            return replace(node, value=summarized(value), grad=summarized(grad))
        if not positions or not self.single:
            return node  # several arrays have no common summary
        values = [self.values[at] for at in positions]
        grads = [self.grads[at] for at in positions if self.grads[at] is not None]
        if any(isinstance(value, Summary) or value is None for value in values):
            return node
        return replace(node, value=_spread(values), grad=_spread(grads) if grads else None)


@dataclass(slots=True)
class Reading:
    """A bare graph and, position by position, the objects its numbers are taken from."""

    graph: Graph
    sources: list[Any]
    kept: dict[int, Any]

    def moment(self, folded: Folded) -> Moment:
        """The numbers of this moment: of all that ``folded`` shows, and of the rest that is cheap.

        A large array outside the picture costs more to sum up than its summary is worth.
        """
        shown = {at for positions in folded.outputs.values() for at in positions}
        left = MOST
        values: list[Any] = []
        grads: list[Any] = []
        for at, source in enumerate(self.sources):
            if isinstance(source, Constant) and isinstance(source.content, (int, float)):
                values.append(source.content)
                grads.append(None)
                continue
            if hasattr(source, "_grad"):
                values.append(source.data)
                grads.append(source._grad)
                continue
            value, grad = self._numbers(at)
            grad = getattr(grad, "_data", grad)  # a tensor once somebody asked for it
            size = getattr(value, "size", 0) + getattr(grad, "size", 0)
            left -= 0 if at in shown else size
            taken = at in shown or left >= 0
            values.append(summarized(value) if taken else None)
            grads.append(summarized(grad) if taken else None)
        single = all(hasattr(one, "_grad") or isinstance(one, Constant) for one in self.sources)
        return Moment(self.graph, values, grads, single)

    def _numbers(self, at: int) -> tuple[Any, Any]:
        source = self.sources[at]
        if isinstance(source, Constant):
            return source.content, None
        value = self.kept.get(at)
        if value is not None and tuple(getattr(value, "shape", ())) != tuple(source.shape):
            value = None  # kept in another form than it had
        return value, source.grad


def read(outputs: Sequence[Any], params: Any = None, opened: bool = False) -> Reading:
    """Read the graph that ends in ``outputs``.

    Args:
        outputs: Values and Tensors.
        params: a module, or a mapping of names to Values and Tensors: shown as parameters.
        opened: whether Values of a fused op are read as the simpler ops that it is made of.

    Raises:
        TypeError: for an output that is neither.
    """
    names = _names(params)
    shared: dict[int, Constant] = {}
    drawn = Opener(opened)
    roots = [drawn(_root(output, shared)) for output in outputs]
    found = list(_finished(roots, shared, drawn))
    at = {id(entry): position for position, (entry, _) in enumerate(found)}
    results = {at[id(root)] for root in roots}
    kept: dict[int, Any] = {}
    nodes, edges, ops = [], [], 0
    for position, (entry, operands) in enumerate(found):
        nodes.append(_node(entry, operands, f"n{position}", names, position in results))
        ops += nodes[-1].count
        saved = getattr(entry, "saved", None) or ()  # gone where backward freed the graph
        if saved and saved[0] is not None:
            kept[position] = saved[0]
        for port, operand in enumerate(operands):
            source = at[id(operand)]
            edges.append(Edge(f"n{source}", f"n{position}", port))
            if port + 1 < len(saved) and saved[port + 1] is not None:
                kept.setdefault(source, saved[port + 1])
    for root, output in zip(roots, outputs, strict=True):
        if hasattr(output, "_node"):
            kept[at[id(root)]] = output._data
    if any_known():
        nodes = [
            _sited(node, drawn.of(entry)) for node, (entry, _) in zip(nodes, found, strict=True)
        ]
    graph = Graph(tuple(nodes), tuple(edges), ops=ops)
    return Reading(graph, [entry for entry, _ in found], kept)


def _root(output: Any, shared: dict[int, Constant]) -> Any:
    if hasattr(output, "_node"):
        if output._node is not None:
            return output._node
        return shared.setdefault(id(output._data), Constant(output._data))
    if hasattr(output, "inputs") and hasattr(output, "data"):
        return output
    raise TypeError(
        f"draw() takes Values and Tensors, got {type(output).__name__}; "
        "draw the result of a computation, e.g. draw(loss)"
    )


def _finished(
    roots: Iterable[Any], shared: dict[int, Constant], drawn: Opener
) -> Iterator[tuple[Any, Sequence[Any]]]:
    """Every entry once with its operands, after all of them."""
    done: set[int] = set()
    for root in roots:
        stack = [] if id(root) in done else [(root, _operands(root, shared, drawn), 0)]
        while stack:
            entry, operands, upto = stack.pop()
            while upto < len(operands) and id(operands[upto]) in done:
                upto += 1
            if upto < len(operands):
                stack.append((entry, operands, upto + 1))
                operand = operands[upto]
                stack.append((operand, _operands(operand, shared, drawn), 0))
            else:
                done.add(id(entry))
                yield entry, operands


def _operands(entry: Any, shared: dict[int, Constant], drawn: Opener) -> Sequence[Any]:
    if isinstance(entry, Constant) or entry.op is None:
        return ()
    if hasattr(entry, "args"):
        return [Constant(x) if isinstance(x, (int, float)) else drawn(x) for x in entry.args]
    saved = entry.saved or ()
    operands: list[Any] = []
    for place, node in enumerate(entry.inputs):
        array = saved[place + 1] if place + 1 < len(saved) else None
        if node is not None:
            operands.append(node)
        elif array is None:
            operands.append(Constant(None))
        else:  # one box for an array however often it is used
            operands.append(shared.setdefault(id(array), Constant(array)))
    return operands


def _node(
    entry: Any, operands: Sequence[Any], key: str, names: Mapping[int, str], result: bool
) -> Node:
    if isinstance(entry, Constant):
        named = names.get(id(entry.content))
        array = hasattr(entry.content, "shape")
        return Node(
            key,
            "constant" if named is None else "parameter",
            label=named or "",
            shape=tuple(entry.content.shape) if array else None,
            dtype=str(entry.content.dtype) if array else "",
            value=None if array and entry.content.size > 1 else summarized(entry.content),
            result=result,
            memory=entry.content.nbytes if array else None,
        )
    op, named = entry.op, names.get(id(entry))
    role: Role = "op" if op is not None else "leaf" if named is None else "parameter"
    tensor = not hasattr(entry, "args")
    scope = getattr(entry, "scope", "")
    return Node(
        key,
        role,
        op="" if op is None else op_text(op, entry),
        label=entry.label or named or "",
        operands=() if op is None else operand_names(op, len(operands)),
        settings=() if op is None else settings(op, entry),
        shape=tuple(entry.shape) if tensor else None,
        dtype=str(entry.dtype) if tensor else "",
        scope=str(scope),
        module=getattr(scope, "kind", ""),
        result=result,
        count=int(op is not None),
        memory=_bytes(op, entry) if tensor else None,
    )


def _bytes(op: Any, entry: Any) -> int:
    if getattr(op, "view", False):
        return 0
    several = bool(entry.shape) and isinstance(entry.shape[0], tuple)  # a Function's results
    sizes = [prod(shape) for shape in (entry.shape if several else [entry.shape])]
    return int(sum(sizes) * entry.dtype.itemsize)


def _sited(node: Node, entry: Any) -> Node:
    known = None if isinstance(entry, Constant) else site(entry)
    return node if known is None else replace(node, site=known.line, seconds=known.seconds)


def _names(params: Any) -> dict[int, str]:
    """Identity in the graph -> name, for parameters."""
    if params is None:
        return {}
    if hasattr(params, "named_parameters"):
        params = dict(params.named_parameters())
    elif hasattr(params, "parameters"):
        params = {"": params.parameters()}
    if not isinstance(params, Mapping):
        raise TypeError(
            "params takes a module or a mapping of names to Values or Tensors, "
            f"got {type(params).__name__}"
        )
    names = {}
    for name, given in params.items():
        for one in given if isinstance(given, list | tuple) else [given]:
            held = (
                one if not hasattr(one, "_node") else one._data if one._node is None else one._node
            )
            names[id(held)] = str(name)
    return names


def summarized(content: Any) -> Summary | None:
    if content is None or isinstance(content, Summary):
        return content
    if isinstance(content, bool | int | float):
        return _spread([float(content)], shape=())
    import numpy as np

    array = np.asarray(getattr(content, "_data", content))
    if array.size <= FEW:
        return _spread([float(x) for x in array.ravel()], shape=array.shape)
    if array.dtype.kind not in "fc":
        low, high, mean = (float(x) for x in (array.min(), array.max(), array.mean()))
        return Summary(array.shape, (), low, high, mean, array.size)
    finite = np.isfinite(array)
    if finite.all():
        low, high = float(array.min()), float(array.max())
        mean = float(array.mean(dtype=np.float64))
        return Summary(array.shape, (), low, high, mean, array.size)
    nans, rest = int(np.isnan(array).sum()), array[finite].astype(np.float64)
    infs = array.size - nans - rest.size
    low, high, mean = (rest.min(), rest.max(), rest.mean()) if rest.size else (nan, nan, nan)
    return Summary(array.shape, (), float(low), float(high), float(mean), array.size, nans, infs)


def _spread(numbers: Sequence[float], shape: tuple[int, ...] | None = None) -> Summary:
    finite = [x for x in numbers if isfinite(x)]
    nans = sum(map(isnan, numbers))
    return Summary(
        shape=(len(numbers),) if shape is None else tuple(shape),
        items=() if shape is None else tuple(numbers),
        low=min(finite, default=nan),
        high=max(finite, default=nan),
        mean=sum(finite) / len(finite) if finite else nan,
        size=len(numbers),
        nans=nans,
        infs=len(numbers) - nans - len(finite),
    )
