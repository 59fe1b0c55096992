"""`check_module`: the gradient of a model by each of its named parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numpy as np

from .. import engine
from ..engine import Value, enable_grad, no_grad
from ..tensor import Tensor, autograd
from ..tensor.node import leaf
from .adapt import floating
from .blame import blame, of_tensors, of_values
from .check import RTOL, check_problem
from .problem import Array, Problem, is_float
from .report import Report


def check_module(
    model: Any,
    *inputs: Any,
    loss: Callable[[Any], Any] | None = None,
    rtol: float = RTOL,
    seed: int = 0,
) -> Report:
    """Check the gradient of ``model(*inputs)`` by every named parameter, and by the inputs that
    require a gradient: a row of the report for each.

    ``model`` is anything that can be called and has ``named_parameters()`` (name, Tensor or Value).
    Floating inputs are taken in float64, as the parameters are while it is measured; afterwards
    parameters, buffers and random state are as before. ``loss`` maps the model's output to what is
    differentiated; without it the output itself is, along a random direction. Random layers
    (dropout) draw the same numbers in every evaluation.

    >>> import gradling
    >>> class Line:
    ...     def __init__(self):
    ...         self.w = gradling.tensor([2.0, -1.0], requires_grad=True)
    ...     def named_parameters(self):
    ...         return [("w", self.w)]
    ...     def __call__(self, x):
    ...         return (x * self.w).sum()
    >>> report = check_module(Line(), gradling.tensor([1.0, 3.0]))
    >>> print(report.verdict, report.operands[0].name)
    correct w
    """
    named = [(name, p) for name, p in model.named_parameters()]
    if not named:
        raise ValueError(
            f"check_module: {type(model).__name__} has no parameters; a layer kept in a plain list"
            " or set before super().__init__() is not registered"
        )
    values = [isinstance(p, Value) for _, p in named]
    if all(values):
        problem: Problem = _ValueModule(model, named, inputs, loss)
    else:
        problem = _TensorModule(model, named, inputs, loss)
    return check_problem(problem, rtol=rtol, seed=seed)


class _TensorModule:
    """A model as a function of its parameters."""

    def __init__(
        self,
        model: Any,
        named: Sequence[tuple[str, Tensor]],
        inputs: Sequence[Any],
        loss: Callable[[Any], Any] | None,
    ) -> None:
        self.model, self.loss = model, loss
        self._frozen = [p for _, p in named if not p.requires_grad]
        named = [(name, p) for name, p in named if p.requires_grad]
        self._inputs = [Tensor(x) if isinstance(x, np.ndarray) else x for x in inputs]
        followed = [
            k for k, x in enumerate(self._inputs) if isinstance(x, Tensor) and x.requires_grad
        ]
        self._followed = followed
        self._parameters = [p for _, p in named]
        self.names = (*(name for name, _ in named), *(f"input {k}" for k in followed))
        self.operands = tuple(
            np.asarray(x._data) for x in (*self._parameters, *(self._inputs[k] for k in followed))
        )
        self.name = type(model).__name__

    def _call(self, arrays: Sequence[Array]) -> tuple[list[Tensor], list[Tensor]]:
        """(leaves, outputs), with the arrays in the place of the parameters."""
        wide = np.result_type(*arrays) if arrays else np.dtype(np.float64)
        full = [_widened(x, wide) for x in self._inputs]
        count = len(self._parameters)
        for k, array in zip(self._followed, arrays[count:], strict=True):
            full[k] = Tensor(array).requires_grad_()
        leaves = []
        for p, array in zip(self._parameters, arrays, strict=False):
            p._data, p._node = array, leaf(array)
            leaves.append(p)
        for p in self._frozen:
            p._data = p._data.astype(wide)
        leaves += [full[k] for k in self._followed]
        y = self.model(*full)
        return leaves, floating(y if self.loss is None else self.loss(y), self.name)

    def forward(self, arrays: Sequence[Array]) -> list[Array]:
        with _untouched(self.model, self._parameters + self._frozen), no_grad():
            return [np.array(y._data) for y in self._call(arrays)[1]]

    def pullback(self, arrays: Sequence[Array], cotangents: Sequence[Array]) -> list[Array | None]:
        with _untouched(self.model, self._parameters + self._frozen), enable_grad():
            leaves, ys = self._call(arrays)
            pairs = [(y, g) for y, g in zip(ys, cotangents, strict=True) if y.requires_grad]
            if not pairs:
                return [None] * len(leaves)
            found = autograd.grad(
                [y for y, _ in pairs], leaves, [Tensor(g) for _, g in pairs], allow_unused=True
            )
        return [None if g is None else np.asarray(g._data) for g in found]

    def culprits(self) -> tuple[str, ...]:
        with _untouched(self.model, self._parameters + self._frozen), enable_grad():
            ys = self._call([x.astype(np.float64) for x in self.operands])[1]
            return blame(of_tensors(ys), getattr(self.model, "forward", self.model))


def _widened(x: Any, dtype: Any) -> Any:
    """A floating tensor in the dtype of the parameters; anything else as it is."""
    if isinstance(x, Tensor):
        array = np.asarray(x._data)
        return Tensor(array.astype(dtype)) if is_float(array) else x
    return x


@contextmanager
def _untouched(model: Any, parameters: Sequence[Tensor]) -> Iterator[None]:
    """Put parameters, buffers and the random state back, whatever the model does meanwhile."""
    root: Any = import_module(__name__.partition(".testing")[0])
    kept = [(p, p._data, p._node) for p in parameters]
    buffers = [b for _, b in getattr(model, "named_buffers", tuple)() if isinstance(b, Tensor)]
    saved = [(b, b._data, b._data.copy(), b._node) for b in buffers]
    state = root.get_rng_state() if hasattr(root, "get_rng_state") else None
    if state is not None:
        root.manual_seed(0)
    try:
        yield
    finally:
        if state is not None:
            root.set_rng_state(state)
        for p, array, node in kept:
            p._data, p._node = array, node
        for b, array, copy, node in saved:
            array[...] = copy
            b._data, b._node = array, node


class _ValueModule:
    """A model of Values (Neuron, Layer, MLP) as a function of its parameters."""

    def __init__(
        self,
        model: Any,
        named: Sequence[tuple[str, Value]],
        inputs: Sequence[Any],
        loss: Callable[[Any], Any] | None,
    ) -> None:
        self.model, self.loss, self._inputs = model, loss, inputs
        self._parameters = [p for _, p in named]
        self.names = tuple(name for name, _ in named)
        self.operands = tuple(np.asarray(p.data) for p in self._parameters)
        self.name = type(model).__name__

    def _outputs(self, arrays: Sequence[Array]) -> list[Value]:
        for p, array in zip(self._parameters, arrays, strict=True):
            p.data = float(array)
        y = self.model(*self._inputs)
        y = y if self.loss is None else self.loss(y)
        return list(y) if isinstance(y, (tuple, list)) else [y]

    @contextmanager
    def _restored(self) -> Iterator[None]:
        kept = [p.data for p in self._parameters]
        try:
            yield
        finally:
            for p, data in zip(self._parameters, kept, strict=True):
                p.data = data

    def forward(self, arrays: Sequence[Array]) -> list[Array]:
        with self._restored():
            return [np.array([y.data for y in self._outputs(arrays)])]

    def pullback(self, arrays: Sequence[Array], cotangents: Sequence[Array]) -> list[Array | None]:
        total = np.zeros(len(self._parameters))
        with self._restored():
            for y, g in zip(self._outputs(arrays), cotangents[0], strict=True):
                found = engine.grad(y, self._parameters, gradient=float(g))
                total += [x.data for x in found]
        return [np.asarray(x) for x in total]

    def culprits(self) -> tuple[str, ...]:
        with self._restored():
            return blame(of_values(self._outputs(self.operands)), self.model)
