"""``unroll``: the scalar graph of a small tensor computation.

The graph of nodes is run once more, from its leaves up, on arrays of Values. Its structure and
parameters say all but one thing: constants that no derivative reads are not kept by nodes. Under
``unroll(fn, …)`` they are noted while ``fn`` runs; in a finished graph they are worked out from the
results that are known.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from math import prod
from typing import Any

import numpy as np

from ..engine import TABLE, Op, Value
from ..engine.tape import Tape
from ..tensor import Tensor
from ..tensor.backward import history
from ..tensor.node import Node
from ..tensor.trees import leaves as tree_leaves
from ..tensor.trees import mapped
from .entries import Array, boxed, numbers
from .forms import NOT_UNROLLED, scalar_form

LIMIT = 20_000
FACTORED = {"inv", "solve", "det", "cofactor", "logabsdet", "cholesky", "qr", "pinv"}
Constants = dict[Node, tuple[Any, ...]]


class Unrolled:
    """A tensor computation as single numbers.

    ``out`` holds the Values of the result, in an array of the same shape (or a tuple, list or dict
    of them, as the function returned); ``inputs`` those of each input in turn. Unpacks as
    ``out, inputs``. ``unrolled[t]`` is the array that stands for any tensor ``t`` of the
    computation: a leaf, a parameter, or something in between.
    """

    __slots__ = ("out", "inputs", "_of")

    def __init__(self, out: Any, inputs: tuple[Any, ...], of: dict[Node, Array]) -> None:
        self.out, self.inputs = out, inputs
        self._of = of

    def __iter__(self) -> Iterator[Any]:
        return iter((self.out, self.inputs))

    def __getitem__(self, tensor: Tensor) -> Array:
        node = getattr(tensor, "_node", None)
        if node is None or node not in self._of:
            raise KeyError(
                "unroll: this tensor is no part of what was unrolled, or was a constant in it "
                "(requires_grad=False)"
            )
        return self._of[node]

    def __repr__(self) -> str:
        shapes = [x.shape for x in self.inputs if isinstance(x, np.ndarray)]
        found = [x.shape for x in tree_leaves(self.out) if isinstance(x, np.ndarray)]
        return f"Unrolled(out={found}, inputs={shapes})"


def unroll(target: Any, *inputs: Any, limit: int = LIMIT) -> Unrolled:
    """The scalar graph of a tensor, or of a function of tensors: the same numbers, one by one.

    Args:
        target: a Tensor whose graph is to be unrolled, or a function (a module, too) that is run
            on ``inputs``.
        inputs: what the function is called with: its floating tensors and arrays become Values; the
            rest is passed on as it is.
        limit: how many Values to make at most.

    Comparisons, index-valued steps and random draws are as in the run: the graph is that of the
    entries that were chosen and of the numbers that were drawn. Sizes are Python floats, so that a
    float32 computation comes out more exact than it was.

    Raises:
        ValueError: there would be more than ``limit`` Values.
        NotImplementedError: an op has no finite formula in single numbers (``eigh``, ``svd``, a
            ``Function`` of the user's own).
        RuntimeError: a finished graph does not hold a constant that is needed, or a leaf has been
            edited since.

    >>> import gradling
    >>> x = gradling.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    >>> w = gradling.tensor([[0.5], [-0.25]], requires_grad=True)
    >>> y = (x @ w).tanh()
    >>> graph = gradling.unroll(y)
    >>> graph.out[1, 0].backward()
    >>> graph.out.shape, round(graph[w][0, 0].grad, 4)
    ((2, 1), 2.3593)

    The same from a function:

    >>> out, (a, b) = gradling.unroll(lambda a, b: (a @ b).tanh(), x, w)
    >>> out[1, 0].backward()
    >>> round(b[0, 0].grad, 4)
    2.3593
    """
    if isinstance(target, Tensor):
        if inputs:
            raise TypeError("unroll: a tensor takes no inputs; they go with a function")
        return _of_tensor(target, limit)
    if not callable(target):
        raise TypeError(
            f"unroll: expected a Tensor or a function of tensors, got {type(target).__name__}"
        )
    return _of_function(target, inputs, limit)


def _of_tensor(tensor: Tensor, limit: int) -> Unrolled:
    if tensor._node is None:
        raise ValueError(
            "unroll: this tensor has no graph; let a leaf of it have requires_grad=True before "
            "computing it, or unroll the function: gradling.unroll(fn, *inputs)"
        )
    replay = Replay({}, limit)
    replay.known(tensor._node, tensor._data)
    out = replay.values_of(tensor._node)
    _compare(numbers(out), tensor._data)
    ins = tuple(array for node, array in replay.values.items() if node.op is None)
    return Unrolled(out, ins, replay.values)


def _compare(found: Array, wanted: Array) -> None:
    """What was worked out again must be what was there."""
    scale = float(np.max(np.abs(wanted[np.isfinite(wanted)]), initial=1.0))
    rough = float(np.finfo(wanted.dtype).eps) ** 0.5 * scale
    if not np.allclose(found, wanted, rtol=0, atol=rough, equal_nan=True):
        raise RuntimeError(
            "unroll: running the graph again does not give the tensor's values, so a leaf or a "
            "constant of it was edited since (by an optimizer's step, perhaps); unroll before that "
            "edit, or the function itself: gradling.unroll(fn, *inputs)"
        )


def _of_function(fn: Callable[..., Any], inputs: tuple[Any, ...], limit: int) -> Unrolled:
    given = [_leaf(x) for x in inputs]
    noted: Constants = {}
    with noting(noted):
        result = fn(*given)
    replay = Replay(noted, limit)
    for name, x in zip(_names(fn, len(given)), given, strict=True):
        if isinstance(x, Tensor) and x._node is not None:
            replay.start(x._node, name)

    def values(x: Any) -> Any:
        if not isinstance(x, Tensor):
            return x
        return replay.values_of(x._node) if x._node is not None else x._data.copy()

    out = mapped(values, result)
    ins = tuple(
        replay.values[x._node] if isinstance(x, Tensor) and x._node is not None else x
        for x in given
    )
    return Unrolled(out, ins, replay.values)


def _leaf(x: Any) -> Any:
    """A floating tensor or array as a leaf of its own; anything else as it is."""
    if isinstance(x, np.ndarray):
        x = Tensor(x)
    if isinstance(x, Tensor) and x.dtype.kind == "f":
        made = Tensor(x._data.copy()).requires_grad_()
        made.label = x.label
        return made
    return x


def _names(fn: Callable[..., Any], count: int) -> list[str]:
    """What the function calls its arguments."""
    try:
        described = inspect.signature(getattr(fn, "forward", fn)).parameters.values()
    except (TypeError, ValueError):
        return [f"x{k}" for k in range(count)]
    names = [p.name for p in described if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return [names[k] if k < len(names) else f"x{k}" for k in range(count)]


class noting(Tape):
    """While it is in force, the constants of every new node are noted, as they are then."""

    def __init__(self, notes: Constants) -> None:
        self.notes = notes

    def result(
        self, op: Op, operands: tuple[Any, ...], params: tuple[Any, ...], out: Tensor
    ) -> None:
        node = out._node
        if node is not None:
            self.notes[node] = tuple(
                np.array(x) if before is None else None
                for before, x in zip(node.inputs, operands, strict=True)
            )


class Replay:
    """A graph of nodes run on arrays of Values, operands before results."""

    def __init__(self, noted: Constants, limit: int, spent: int = 0) -> None:
        self.noted = noted
        self.limit, self.spent = limit, spent
        self.values: dict[Node, Array] = {}
        self.sizes: dict[Node, Array] = {}  # results that are known without running anything

    def start(self, leaf: Node, name: str | None = None) -> None:
        """Values for a leaf, with its name and their places as labels."""
        if leaf in self.values:
            return
        assert leaf.saved is not None
        array: Array = leaf.saved[0]
        self.spend(array.size, f"a leaf of shape {array.shape}")
        name = leaf.label or name
        made = np.empty(array.shape, object)
        for at in np.ndindex(array.shape):
            place = f"[{', '.join(map(str, at))}]" if at else ""
            made[at] = Value(array[at], label=name and f"{name}{place}")
        self.values[leaf] = made

    def values_of(self, root: Node) -> Array:
        """The Values of ``root``, and on the way those of all it was made from."""
        if root.op is None:
            self.start(root)
        order = [node for node in reversed(history([root])) if node not in self.values]
        for node in order:
            self._learn(node)
        for node in order:
            for operand in node.inputs:
                if operand is not None and operand.op is None:
                    self.start(operand)
            self.values[node] = self._run(node)
        return self.values[root]

    def known(self, node: Node, array: Any) -> None:
        if array is not None:
            self.sizes.setdefault(node, array)

    def _learn(self, node: Node) -> None:
        """Note what results this node kept."""
        y, *operands = node.saved or ()
        self.known(node, y)
        for operand, array in zip(node.inputs, operands):  # noqa: B905  (Functions save more)
            if operand is not None:
                self.known(operand, array)

    def _run(self, node: Node) -> Array:
        op = node.op
        assert op is not None
        if op.name in NOT_UNROLLED:
            raise NotImplementedError(
                f"unroll: {op.name} has no finite formula in single numbers: "
                f"{NOT_UNROLLED[op.name]}; unroll what comes before it, or after it"
            )
        function = scalar_form(op)
        if function is None and op.composition is None:
            if TABLE.get(op.name) is op:
                raise NotImplementedError(
                    f"unroll: the row {op.name!r} has no scalar form: add one to bridges/forms.py, "
                    "or give the row a composition"
                )
            raise NotImplementedError(
                f"unroll: {op.name} is no row of the table, so nothing says how single numbers "
                "compute it (a Function's forward is its own affair); write that step with "
                "gradling's ops"
            )
        operands = [
            self._constant(node, place) if before is None else self.values[before]
            for place, before in enumerate(node.inputs)
        ]
        params = node.params[: len(op.params)]  # what a kernel saved for its rule is no parameter
        if function is None:
            return self._compose(op, operands, params)
        self.spend(_cost(op, operands, node.shape, params), f"{op.name} of {_shapes(operands)}")
        return boxed(function(*operands, *params)).reshape(node.shape)

    def _compose(self, op: Op, operands: list[Any], params: tuple[Any, ...]) -> Array:
        """A fused row: its composition makes a graph of simpler rows, which is run in turn."""
        assert op.composition is not None
        noted: Constants = {}
        given = [Tensor(numbers(x)) if x.dtype == object else Tensor(x) for x in operands]
        inside = Replay(noted, self.limit, self.spent)
        with noting(noted):
            for x, values in zip(given, operands, strict=True):
                if values.dtype == object:
                    x.requires_grad_()
                    assert x._node is not None
                    inside.values[x._node] = values
            y = op.composition(*given, *params)
        found = inside.values_of(y._node) if y._node is not None else boxed(y._data)
        self.spent = inside.spent
        return found

    def _constant(self, node: Node, place: int) -> Array:
        """An operand that has no gradient, as it was."""
        if node in self.noted:
            array = self.noted[node][place]
        else:
            array = node.saved[place + 1] if node.saved else None
            if array is None:
                array = self._solved(node, place)
        array = np.asarray(array)
        return array.astype(object) if array.dtype.kind == "f" else array

    def _solved(self, node: Node, place: int) -> Any:
        """A constant that was not kept, from the result where that is known."""
        assert node.op is not None
        y, name, params = self.sizes.get(node), node.op.name, node.params
        others = [self.values[n] for n in node.inputs if n is not None]
        if y is not None:
            if name == "add":
                return y - numbers(others[0])
            if name == "sub":
                return y + numbers(others[0]) if place == 0 else numbers(others[0]) - y
            if name == "where":
                return y  # where it is not chosen it does not matter
            if name == "stack":
                return np.take(y, place, axis=params[0])
            if name == "cat":
                dim, sizes = params
                start = sum(sizes[:place])
                return y[(slice(None),) * dim + (slice(start, start + sizes[place]),)]
            if name == "setitem":
                return y if place == 0 else y[params[0]]
        name = node.op.args[place % len(node.op.args)]
        raise RuntimeError(
            f"unroll: the graph does not hold the constant {name!r} of {node.op.name}, since no "
            "derivative reads it; unroll the function instead, which notes it: "
            "gradling.unroll(fn, *inputs)"
        )

    def spend(self, count: int, what: str) -> None:
        self.spent += count
        if self.spent > self.limit:
            raise ValueError(
                f"unroll: more than {self.limit:,} Values ({what} takes the count to about "
                f"{self.spent:,}); unroll less (one example, a slice x[:1], one layer), or raise "
                f"the limit: unroll(…, limit={2 * self.spent:_})"
            )


def _shapes(operands: list[Any]) -> str:
    return ", ".join(str(np.shape(x)) for x in operands)


def _cost(op: Op, operands: list[Array], shape: tuple[int, ...], params: tuple[Any, ...]) -> int:
    """About how many Values an op makes."""
    if op.view or op.name in ("cast", "clone", "cat", "stack"):
        return 0
    if float in op.on:
        return prod(shape)
    first, last = operands[0], operands[-1]
    if op.name in ("matmul", "matvec", "dot"):
        return 2 * prod(shape) * int(first.shape[-1])
    if op.name == "einsum":
        sizes = dict(zip(params[0] + params[1], first.shape + last.shape, strict=True))
        return 2 * prod(int(n) for n in sizes.values())
    if op.name in ("conv", "conv_bias"):
        return 2 * prod(shape) * int(prod(operands[1].shape[1:]))
    if op.name == "conv_input":
        taps: int = prod(last.shape[1:])
        return 2 * int(first.size) * taps
    if op.name == "conv_weight":
        return 2 * int(first.size) * int(prod(shape[1:]))
    size = max(int(x.size) for x in operands)
    if op.name in FACTORED:
        return 2 * size * max(first.shape[-2:], default=1)
    return 3 * size
