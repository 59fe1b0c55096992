"""What a model is made of and what it costs: ``print(nn.summary(model, input))``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from ..engine.modes import enable_grad
from ..tensor import Tensor
from ..tensor.backward import history
from ..tensor.dtypes import get_default_dtype
from ..tensor.edits import owner
from ..tensor.node import Node
from . import table, tree
from .module import Module

# Multiplications (each with its addition) of an op, from its operands' shapes (result first).
_MULTIPLY_ADDS: dict[str, Any] = {
    "linear": lambda y, x, *_: prod(y) * x[-1],
    "linear_without_bias": lambda y, x, *_: prod(y) * x[-1],
    "matmul": lambda y, a, b: prod(y) * a[-1],
    "conv": lambda y, x, w: prod(y) * prod(w[1:]),
    "conv_bias": lambda y, x, w, b: prod(y) * prod(w[1:]),
    "conv_input": lambda y, z, w: prod(z) * prod(w[1:]),
    "scaled_dot_product_attention": lambda y, q, k, v, *_: prod(y[:-1]) * k[-2] * (q[-1] + v[-1]),
    "self_attention": lambda y, *_: 2 * prod(y) * y[-2],
    "rnn_sweep": lambda y, x, h, wi, wh, *_: prod(x[:-1]) * (prod(wi) + prod(wh)),
    "gru_sweep": lambda y, x, h, wi, wh, *_: prod(x[:-1]) * (prod(wi) + prod(wh)),
    "lstm_sweep": lambda y, x, h, c, wi, wh, *_: prod(x[:-1]) * (prod(wi) + prod(wh)),
}


@dataclass
class Row:
    """One module of the model."""

    path: str
    name: str
    kind: str
    depth: int
    parameters: int
    shared: bool = False  # all of its parameters stand in a row above already
    output: Any = None  # shape, or a nest of shapes; None if it was not called
    calls: int = 0
    multiply_adds: int = 0  # with those of the modules inside
    memory: int = 0  # bytes of its outputs
    failed: bool = False


@dataclass
class Summary:
    """The table, and its totals. Prints as text.

    ``error`` is what stopped the model, or None; the rows then end with the module that failed.
    """

    rows: list[Row] = field(default_factory=list)
    parameters: int = 0
    trainable: int = 0
    parameter_bytes: int = 0
    buffer_bytes: int = 0
    saved_bytes: int = 0  # what the graph of one forward keeps for backward, parameters apart
    input: Any = None
    error: Exception | None = None

    @property
    def multiply_adds(self) -> int:
        """Of one forward."""
        return self.rows[0].multiply_adds if self.rows else 0

    def __str__(self) -> str:
        return table.render(self)

    __repr__ = __str__


def summary(model: Module, input: Any = None, *, depth: int | None = None) -> Summary:
    """Run ``model`` once, in evaluation mode, and tell what each of its modules gave and cost.

    Args:
        model: any module. Its parameters, buffers, modes and gradients are as before afterwards.
        input: a tensor; a tuple of them for several arguments, a dict for keyword arguments; or a
            shape such as (32, 784), for zeros of that shape. None: parameters only.
        depth: how many levels of modules to show; None for all.

    Returns:
        A ``Summary``. Where the model fails, the table ends there, and tells the error.

    Multiply-adds are counted on the graph itself, so products in a module's own ``forward`` are
    included.

    >>> from gradling import nn
    >>> net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    >>> s = summary(net, (2, 4))
    >>> s.parameters, s.multiply_adds, [row.output for row in s.rows]
    (67, 112, [(2, 3), (2, 8), (2, 8), (2, 3)])
    """
    if not isinstance(model, Module):
        raise TypeError(f"summary: expected a Module, got {type(model).__name__}")
    made = Summary(input=None)
    _list_modules(model, made)
    if input is not None:
        args, kwargs = _arguments(model, input)
        made.input = _shapes((args, kwargs))
        _run(model, args, kwargs, made)
    if depth is not None:
        made.rows = [row for row in made.rows if row.depth <= depth]
    return made


def _list_modules(model: Module, made: Summary) -> None:
    counted: set[int] = set()
    depths: dict[str, int] = {}
    for path, module in model.named_modules():
        below = list(module.parameters())
        shared = bool(below) and all(id(p) in counted for p in below)
        above = _parent(path, depths)
        name = path[len(above) :].lstrip(".")
        depth = depths[path] = depths[above] + 1 if path else 0
        kind = type(module).__name__
        row = Row(path, name, kind, depth, sum(p.numel() for p in below), shared)
        counted.update(id(p) for p in module.parameters(recurse=False))
        made.rows.append(row)
    for p in model.parameters():
        made.parameters += p.numel()
        made.trainable += p.numel() if p.requires_grad else 0
        made.parameter_bytes += p._data.nbytes
    made.buffer_bytes = sum(b._data.nbytes for b in model.buffers())


def _parent(path: str, known: dict[str, int]) -> str:
    """The module that holds the one at ``path``; a plain list between them is none."""
    above = path.rpartition(".")[0]
    while above and above not in known:
        above = above.rpartition(".")[0]
    return above


def _arguments(model: Module, input: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if isinstance(input, dict):
        return (), {name: _tensor(x) for name, x in input.items()}
    if isinstance(input, (tuple, list)):
        if input and all(isinstance(n, int) for n in input):
            first = next((p.dtype for p in model.parameters()), get_default_dtype())
            return (Tensor(np.zeros(tuple(input), first)),), {}
        return tuple(_tensor(x) for x in input), {}
    return (_tensor(input),), {}


def _tensor(x: Any) -> Any:
    return Tensor(x) if isinstance(x, np.ndarray) else x


def _run(model: Module, args: tuple[Any, ...], kwargs: dict[str, Any], made: Summary) -> None:
    """Forward, noting what each module gives."""
    rows = {row.path: row for row in made.rows}
    order: list[Row] = []
    running: list[Row] = []
    handles = []

    def before(module: Module, _: Any, row: Row) -> None:
        row.calls += 1
        running.append(row)
        if row not in order:
            order.append(row)

    def after(module: Module, _: Any, y: Any, row: Row) -> None:
        running.pop()
        row.output = _shapes(y)
        row.memory = sum(x._data.nbytes for x in _tensors(y))

    for path, module in model.named_modules():
        row = rows[path]
        handles += [
            module.register_forward_pre_hook(lambda m, x, row=row: before(m, x, row), prepend=True),
            module.register_forward_hook(lambda m, x, y, row=row: after(m, x, y, row)),
        ]
    frozen = [p for p in model.parameters() if not p.requires_grad]
    try:
        for p in frozen:  # without gradients there would be no graph to count on
            p.requires_grad_()
        with model.evaluating(), enable_grad():
            y = model(*args, **kwargs)
        _count(model, y, rows, made)
    except Exception as error:
        made.error = error
        if running:
            running[-1].failed = True
        made.rows = order
    finally:
        for p in frozen:
            p.requires_grad_(False)
        for handle in handles:
            handle.remove()


def _count(model: Module, y: Any, rows: dict[str, Row], made: Summary) -> None:
    """Multiply-adds and memory of the graph behind the outputs, told to the modules they are of."""
    own = {id(owner(x._data)) for _, x, _ in tree.tensors(model)}
    kept: dict[int, int] = {}
    for node in history([x._node for x in _tensors(y) if x._node is not None]):
        if node.op is None:
            continue
        for array in node.saved or ():
            if isinstance(array, np.ndarray):
                memory = owner(array)
                kept[id(memory)] = 0 if id(memory) in own else memory.nbytes
        products = _products(node)
        if products:
            for path in _ancestors(str(node.scope)):
                if path in rows:
                    rows[path].multiply_adds += products
    made.saved_bytes = sum(kept.values())


def _products(node: Node) -> int:
    assert node.op is not None
    formula = _MULTIPLY_ADDS.get(node.op.name)
    if formula is None or node.saved is None:
        return 0
    # An operand is saved for the gradient of another one; if that wants none, it is itself in the
    # graph, whose nodes know their shapes.
    shapes = [
        np.shape(array) if array is not None or child is None else child.shape
        for array, child in zip(node.saved[1:], node.inputs, strict=True)
    ]
    return int(formula(node.shape, *shapes))


def _ancestors(path: str) -> Iterator[str]:
    yield ""
    parts = path.split(".") if path else []
    for count in range(1, len(parts) + 1):
        yield ".".join(parts[:count])


def _tensors(y: Any) -> Iterator[Tensor]:
    """Every tensor in a nest of tuples, lists and dicts."""
    if isinstance(y, Tensor):
        yield y
    elif isinstance(y, (tuple, list)):
        for entry in y:
            yield from _tensors(entry)
    elif isinstance(y, dict):
        yield from _tensors(list(y.values()))


def _shapes(y: Any) -> Any:
    """The nest with shapes in place of tensors; a nest of one is that one."""
    if isinstance(y, Tensor):
        return tuple(y.shape)
    found = [_shapes(x) for x in (y.values() if isinstance(y, dict) else y)] if _is_nest(y) else []
    found = [shape for shape in found if shape is not None]
    if not found:
        return () if isinstance(y, (int, float)) else None
    return found[0] if len(found) == 1 else found


def _is_nest(y: Any) -> bool:
    return isinstance(y, (tuple, list, dict))
