"""What a check works on: a function of float64 arrays and the gradient that is claimed for it.

Every kind of function (arrays, Tensors, Values, modules) is brought to this one form, so that
the numerics know nothing of gradling.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

Array = np.ndarray[Any, Any]

_COTANGENT_NAMES = ("g", "gy", "grad", "grad_output", "grad_out", "cotangent", "upstream", "dy")


class Problem(Protocol):
    """A function with a claimed gradient.

    ``operands`` are the arrays to differentiate by, in the dtype and memory layout the user gave.
    ``forward`` takes as many arrays (any float dtype) and returns the floating outputs;
    ``pullback`` also takes one array per output and returns one gradient per operand, None where
    the gradient did not arrive.
    """

    @property
    def name(self) -> str: ...
    @property
    def names(self) -> tuple[str, ...]: ...
    @property
    def operands(self) -> tuple[Array, ...]: ...
    def forward(self, arrays: Sequence[Array]) -> list[Array]: ...
    def pullback(
        self, arrays: Sequence[Array], cotangents: Sequence[Array]
    ) -> list[Array | None]: ...
    def culprits(self) -> tuple[str, ...]: ...


def is_float(value: Array) -> bool:
    return bool(np.issubdtype(value.dtype, np.floating))


class ArrayProblem:
    """A function of arrays with a gradient written by hand."""

    def __init__(
        self,
        fn: Callable[..., Any],
        inputs: Sequence[Any],
        grad_fn: Callable[..., Any],
        names: Sequence[str] | None = None,
        cotangent: bool | None = None,
    ) -> None:
        self._fn = fn
        self._grad_fn = grad_fn
        self._inputs = [as_array(value) for value in inputs]
        self._checked = [k for k, value in enumerate(self._inputs) if is_float(value)]
        if not self._checked:
            kinds = ", ".join(str(value.dtype) for value in self._inputs) or "nothing"
            raise TypeError(
                f"check_gradients needs at least one floating operand, got {kinds};"
                " pass floats, e.g. np.array([1.0, 2.0])"
            )
        every = operand_names(fn, len(self._inputs), names)
        self._names = tuple(every[k] for k in self._checked)
        if cotangent is None:
            cotangent = _takes_cotangent(grad_fn, len(self._inputs))
        self._with_g = cotangent

    @property
    def name(self) -> str:
        return function_name(self._fn)

    @property
    def names(self) -> tuple[str, ...]:
        return self._names

    @property
    def operands(self) -> tuple[Array, ...]:
        return tuple(self._inputs[k] for k in self._checked)

    def _fill(self, arrays: Sequence[Array]) -> list[Array]:
        full = [value.copy() for value in self._inputs]
        for k, array in zip(self._checked, arrays, strict=True):
            full[k] = array
        return full

    def forward(self, arrays: Sequence[Array]) -> list[Array]:
        return [y for y in outputs(self._fn(*self._fill(arrays))) if not _is_integer(y)]

    def pullback(self, arrays: Sequence[Array], cotangents: Sequence[Array]) -> list[Array | None]:
        full = self._fill(arrays)
        if self._with_g:
            g = cotangents[0] if len(cotangents) == 1 else tuple(cotangents)
            claimed = self._sorted(self._grad_fn(g, *full))
            return [None if c is None else np.asarray(c) for c in claimed]
        if len(cotangents) != 1:
            raise TypeError(
                f"{self.name} has {len(cotangents)} outputs, so its gradient must take their"
                " upstream gradients: write grad_fn(g, *inputs) with g a tuple"
            )
        claimed = self._sorted(self._grad_fn(*full))
        return [
            None if c is None else _contract(np.asarray(c), cotangents[0], x.shape)
            for c, x in zip(claimed, arrays, strict=True)
        ]

    def _sorted(self, claimed: Any) -> list[Any]:
        """One gradient per checked operand, from whatever grad_fn returned."""
        if not isinstance(claimed, (tuple, list)):
            claimed = (claimed,)
        if len(claimed) == len(self._inputs):
            return [claimed[k] for k in self._checked]
        if len(claimed) == len(self._checked):
            return list(claimed)
        raise TypeError(
            f"grad_fn returned {len(claimed)} gradients for {len(self._inputs)} operands;"
            " return one for each, None where there is no derivative"
        )

    def culprits(self) -> tuple[str, ...]:
        return (f"grad_fn {source_line(self._grad_fn)}",)


def _contract(claim: Array, g: Array, shape: tuple[int, ...]) -> Array:
    """g @ Jacobian, where ``claim`` is a gradient, a Jacobian or an elementwise derivative."""
    if claim.shape == g.shape + shape:
        return np.asarray(np.tensordot(g, claim, axes=g.ndim))
    if g.size == 1:
        return np.asarray(g.reshape(()) * claim)
    if claim.shape == g.shape == shape:
        return g * claim
    return claim


def as_array(value: Any) -> Array:
    """The value as an array, its dtype and memory layout untouched."""
    array = np.asarray(value)
    if np.issubdtype(array.dtype, np.complexfloating):
        raise TypeError(
            f"check_gradients works on real operands, got {array.dtype};"
            " check the real and imaginary parts as two operands"
        )
    return array


def outputs(result: Any) -> list[Array]:
    """The outputs of a function as a list of arrays."""
    if isinstance(result, (tuple, list)):
        return [np.asarray(part) for part in result]
    return [np.asarray(result)]


def _is_integer(y: Array) -> bool:
    return bool(np.issubdtype(y.dtype, np.integer)) or y.dtype == np.bool_


def _takes_cotangent(grad_fn: Callable[..., Any], count: int) -> bool:
    try:
        signature = inspect.signature(grad_fn)
    except (TypeError, ValueError):
        return False
    first = next(iter(signature.parameters), "").lower()
    with_g, without = _binds(signature, count + 1), _binds(signature, count)
    if with_g and without:
        return first in _COTANGENT_NAMES
    return with_g


def _binds(signature: inspect.Signature, count: int) -> bool:
    try:
        signature.bind(*range(count))
    except TypeError:
        return False
    return True


def operand_names(
    fn: Callable[..., Any], count: int, names: Sequence[str] | None = None
) -> tuple[str, ...]:
    """Names for ``count`` operands: those given, or the function's own parameter names."""
    if names is not None:
        if len(names) != count:
            raise ValueError(f"{len(names)} names for {count} operands: {list(names)}")
        return tuple(names)
    plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    own = [p.name for p in parameters(fn) if p.kind in plain]
    return tuple(own[k] if k < len(own) else f"operand {k}" for k in range(count))


def parameters(fn: Callable[..., Any]) -> list[inspect.Parameter]:
    """What a function is called with; of an ``autograd.Function`` or a module what its forward is.

    Empty where nobody knows.
    """
    rule = function_class(fn)
    target = fn if rule is None else rule.forward
    if rule is None and not inspect.isroutine(fn):
        target = getattr(fn, "forward", fn)
    try:
        found = list(inspect.signature(target).parameters.values())
    except (TypeError, ValueError):
        return []
    # With a setup_context of its own, forward is not handed a ctx.
    handed = rule is not None and found and found[0].name == "ctx"
    return found[1:] if handed else found


def function_class(fn: Any) -> Any:
    """The ``autograd.Function`` that this is, or is the ``apply`` of; None for all else."""
    owner = getattr(fn, "__self__", None) if getattr(fn, "__name__", "") == "apply" else fn
    is_one = isinstance(owner, type) and all(
        hasattr(owner, part) for part in ("apply", "forward", "backward")
    )
    return owner if is_one else None


def function_name(fn: Callable[..., Any]) -> str:
    rule = function_class(fn)
    if rule is not None:
        return f"{rule.__name__}.apply"
    name = getattr(fn, "__qualname__", None) or getattr(fn, "__name__", None)
    name = (name or type(fn).__name__).removeprefix("<locals>.").rpartition("<locals>.")[2]
    return source_line(fn).replace("<lambda>", "lambda") if name == "<lambda>" else name


def source_line(fn: Callable[..., Any]) -> str:
    """``name (file:line)`` of a Python function; its name alone when it has no source."""
    rule = function_class(fn)
    if rule is not None:
        fn = rule.backward
    inner = inspect.unwrap(fn)
    code = getattr(inner, "__code__", None)
    name = getattr(inner, "__name__", type(fn).__name__)
    if name == "backward":  # of which of many?
        name = inner.__qualname__.rpartition("<locals>.")[2]
    return name if code is None else f"{name} ({code.co_filename}:{code.co_firstlineno})"
