"""Functions of Tensors and of Values as problems: their gradient is what backward gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import engine
from ..engine import Value, enable_grad, no_grad
from ..tensor import Tensor, autograd
from .blame import blame, of_tensors, of_values
from .problem import (
    Array,
    Problem,
    as_array,
    function_class,
    function_name,
    is_float,
    operand_names,
    source_line,
)


def problem_for(
    fn: Callable[..., Any], inputs: Sequence[Any], order: int, names: Sequence[str] | None
) -> Problem:
    """The problem that fits the inputs: Values for Values and floats, else Tensors."""
    if not inputs:
        raise TypeError("check_gradients needs inputs: check_gradients(fn, x, ...)")
    rule = function_class(fn)
    fn = fn if rule is None else rule.apply
    inputs = [np.asarray(x) if isinstance(x, np.generic) else x for x in inputs]
    if _has_value(inputs) or _only_numbers(inputs):
        return ValueProblem(fn, inputs, names, order)
    problem = TensorProblem(fn, inputs, names)
    return problem if order == 1 else SecondOrder(problem)


def _has_value(x: Any) -> bool:
    if isinstance(x, (tuple, list)):
        return any(_has_value(part) for part in x)
    return isinstance(x, Value)


def _only_numbers(inputs: Sequence[Any]) -> bool:
    """Python floats, and perhaps ints beside them, which are constants (``x ** n``)."""
    return any(map(_only_floats, inputs)) and all(
        _only_floats(x) or isinstance(x, int) for x in inputs
    )


class TensorProblem:
    """A function of Tensors, by its inputs that require a gradient, else by all floating ones."""

    def __init__(
        self,
        fn: Callable[..., Any],
        inputs: Sequence[Any],
        names: Sequence[str] | None = None,
        shown: Callable[..., Any] | None = None,
    ) -> None:
        self.fn = fn
        self._shown = shown or fn  # where fn is only a wrapper of what the reader wrote
        self._inputs = [Tensor(x) if isinstance(x, np.ndarray) else x for x in inputs]
        tensors = [k for k, x in enumerate(self._inputs) if isinstance(x, Tensor)]
        asked = [k for k in tensors if self._inputs[k].requires_grad]
        self._checked = asked or [k for k in tensors if is_float(_array(self._inputs[k]))]
        if not self._checked:
            kinds = ", ".join(str(getattr(x, "dtype", type(x).__name__)) for x in self._inputs)
            raise TypeError(
                f"check_gradients needs at least one floating tensor, got {kinds};"
                " pass e.g. gradling.tensor([1.0, 2.0]), or 2.0 to a function of Values"
            )
        every = operand_names(fn, len(self._inputs), names)
        self.names = tuple(every[k] for k in self._checked)
        self.operands = tuple(_array(self._inputs[k]) for k in self._checked)
        self.name = function_name(self._shown)

    def call(
        self, arrays: Sequence[Array], requires_grad: bool
    ) -> tuple[list[Tensor], list[Tensor]]:
        """(the operands as fresh leaves, the floating outputs)."""
        leaves = [Tensor(array) for array in arrays]
        if requires_grad:
            leaves = [x.requires_grad_() for x in leaves]
        full = [x.detach() if isinstance(x, Tensor) else x for x in self._inputs]
        for k, leaf in zip(self._checked, leaves, strict=True):
            full[k] = leaf
        return leaves, floating(self.fn(*full), self.name)

    def forward(self, arrays: Sequence[Array]) -> list[Array]:
        with no_grad():
            return [_array(y).copy() for y in self.call(arrays, False)[1]]

    def pullback(self, arrays: Sequence[Array], cotangents: Sequence[Array]) -> list[Array | None]:
        with enable_grad():
            leaves, ys = self.call(arrays, True)
        pairs = [(y, g) for y, g in zip(ys, cotangents, strict=True) if y.requires_grad]
        if pairs:
            autograd.backward([y for y, _ in pairs], [Tensor(g) for _, g in pairs])
        return [None if x.grad is None else _array(x.grad) for x in leaves]

    def culprits(self) -> tuple[str, ...]:
        with enable_grad():
            ys = self.call([x.astype(np.float64) for x in self.operands], True)[1]
        return blame(of_tensors(ys), self._shown)


class SecondOrder:
    """The gradient of a function of Tensors, itself as a function of operands and cotangents."""

    def __init__(self, problem: TensorProblem, grad_outputs: Sequence[Array] | None = None) -> None:
        self.first = problem
        rng = np.random.default_rng(0)
        shapes = [y.shape for y in problem.forward([x.copy() for x in problem.operands])]
        given = np.result_type(*problem.operands)
        upstream = grad_outputs or [
            np.asarray(rng.uniform(0.5, 1.5, shape), dtype=given) for shape in shapes
        ]
        self.operands = (*problem.operands, *upstream)
        labels = [f"upstream {k}" if len(shapes) > 1 else "upstream" for k in range(len(shapes))]
        self.names = (*problem.names, *labels)
        self.name = problem.name

    def _gradients(
        self, arrays: Sequence[Array], create_graph: bool
    ) -> tuple[list[Tensor], list[Tensor]]:
        count = len(self.first.operands)
        with enable_grad():
            leaves, ys = self.first.call(arrays[:count], True)
            gs = [Tensor(g) for g in arrays[count:]]
            if create_graph:
                gs = [g.requires_grad_() for g in gs]
            pairs = [(y, g) for y, g in zip(ys, gs, strict=True) if y.requires_grad]
            found: Sequence[Tensor | None] = [None] * count
            if pairs:
                found = autograd.grad(
                    [y for y, _ in pairs], leaves, [g for _, g in pairs],
                    create_graph=create_graph, allow_unused=True,
                )  # fmt: skip
        filled = [
            Tensor(np.zeros_like(_array(x))) if dx is None else dx
            for x, dx in zip(leaves, found, strict=True)
        ]
        return [*leaves, *gs], filled

    def forward(self, arrays: Sequence[Array]) -> list[Array]:
        return [_array(dx).copy() for dx in self._gradients(arrays, False)[1]]

    def pullback(self, arrays: Sequence[Array], cotangents: Sequence[Array]) -> list[Array | None]:
        leaves, dxs = self._gradients(arrays, True)
        pairs = [(dx, g) for dx, g in zip(dxs, cotangents, strict=True) if dx.requires_grad]
        if not pairs:
            return [np.zeros_like(_array(x)) for x in leaves]
        found = autograd.grad(
            [dx for dx, _ in pairs], leaves, [Tensor(g) for _, g in pairs], allow_unused=True
        )
        # The second derivative of a linear function does not arrive, and is zero: no note on it.
        return [
            np.zeros_like(_array(x)) if d is None else _array(d)
            for x, d in zip(leaves, found, strict=True)
        ]

    def culprits(self) -> tuple[str, ...]:
        return (f"fn {source_line(self.first.fn)}, differentiated with create_graph",)


class ValueProblem:
    """A function of Values (or of nested lists of them), each list one operand."""

    def __init__(
        self,
        fn: Callable[..., Any],
        inputs: Sequence[Any],
        names: Sequence[str] | None = None,
        order: int = 1,
    ) -> None:
        self.fn = fn
        self.order = order
        self._inputs = list(inputs)
        self._checked = [k for k, x in enumerate(inputs) if _has_value(x) or _only_floats(x)]
        every = operand_names(fn, len(self._inputs), names)
        self.names = tuple(every[k] for k in self._checked)
        self.operands = tuple(as_array(_numbers(self._inputs[k])) for k in self._checked)
        self.name = function_name(fn)

    def _call(self, arrays: Sequence[Array]) -> tuple[list[list[Value]], list[Value]]:
        full, leaves = list(self._inputs), []
        for k, array in zip(self._checked, arrays, strict=True):
            mine = [Value(float(x)) for x in array.reshape(-1)]
            leaves.append(mine)
            full[k] = _nest(mine, array.shape)
        result = self.fn(*full)
        parts = list(result) if isinstance(result, (tuple, list)) else [result]
        strange = [y for y in parts if not isinstance(y, (Value, float, int))]
        if strange or not parts:
            kind = type(strange[0] if strange else result).__name__
            raise TypeError(f"{self.name} returned {kind}, not a Value: no gradient to check")
        return leaves, [y if isinstance(y, Value) else Value(y) for y in parts]

    def _differentiated(
        self, arrays: Sequence[Array], create_graph: bool
    ) -> tuple[list[list[Value]], list[Value]]:
        """With order=2 the outputs are the first derivatives of a random mix of the outputs."""
        leaves, ys = self._call(arrays)
        if self.order == 1:
            return leaves, ys
        weights = np.random.default_rng(0).uniform(0.5, 1.5, len(ys))
        mixed = ys[0] * float(weights[0])
        for y, weight in zip(ys[1:], weights[1:], strict=True):
            mixed = mixed + y * float(weight)
        flat = [x for mine in leaves for x in mine]
        return leaves, engine.grad(mixed, flat, create_graph=create_graph)

    def forward(self, arrays: Sequence[Array]) -> list[Array]:
        ys = self._differentiated(arrays, False)[1]
        return [np.asarray([y.data for y in ys])]

    def pullback(self, arrays: Sequence[Array], cotangents: Sequence[Array]) -> list[Array | None]:
        leaves, ys = self._differentiated(arrays, True)
        for y, g in zip(ys, cotangents[0], strict=True):
            y.backward(float(g))
        return [
            np.array([x.grad for x in mine], dtype=array.dtype).reshape(array.shape)
            for mine, array in zip(leaves, arrays, strict=True)
        ]

    def culprits(self) -> tuple[str, ...]:
        return blame(of_values(self._call(self.operands)[1]), self.fn)


def floating(result: Any, name: str) -> list[Tensor]:
    """The floating Tensors among the outputs of a function."""
    parts = list(result) if isinstance(result, (tuple, list)) else [result]
    tensors = [y for y in parts if isinstance(y, Tensor)]
    if not tensors:
        raise TypeError(
            f"{name} returned {type(result).__name__}, not a Tensor: no gradient to check;"
            " keep the computation in tensors (no .item(), no .numpy())"
        )
    return [y for y in tensors if is_float(_array(y))]


def _array(x: Tensor) -> Array:
    return np.asarray(x._data)


def _only_floats(x: Any) -> bool:
    if isinstance(x, (tuple, list)):
        return len(x) > 0 and all(_only_floats(part) for part in x)
    return isinstance(x, float)


def _numbers(x: Any) -> Any:
    if isinstance(x, (tuple, list)):
        return [_numbers(part) for part in x]
    return x.data if isinstance(x, Value) else float(x)


def _nest(flat: list[Value], shape: tuple[int, ...]) -> Any:
    if not shape:
        return flat[0]
    if len(shape) == 1:
        return flat
    step = int(np.prod(shape[1:]))
    return [_nest(flat[k * step : (k + 1) * step], shape[1:]) for k in range(shape[0])]
