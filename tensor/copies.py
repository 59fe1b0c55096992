"""Copying and pickling tensors: nothing is lost silently."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from . import edits
from .record import apply
from .rows.shape import alias

if TYPE_CHECKING:
    from .node import Array
    from .tensor import Tensor


def shallow(self: Tensor) -> Tensor:
    """``copy.copy(x)``: another handle on the same memory, at the same place in the graph."""
    if not self.is_leaf:
        return apply(alias, (self,))
    twin: Tensor = type(self).__new__(type(self))
    edits.share(self._data)
    _fill(twin, self)
    return twin


def deep(self: Tensor, memo: dict[int, Any]) -> Tensor:
    """``copy.deepcopy(x)``: memory of its own, with the gradient, label and hooks of the original.

    Raises:
        RuntimeError: for the result of an op, whose history a copy could not take along.
    """
    if id(self) in memo:
        return memo[id(self)]  # type: ignore[no-any-return]
    _refuse_results(self, "copy.deepcopy")
    twin: Tensor = type(self).__new__(type(self))
    memo[id(self)] = twin
    _fill(twin, self, np.array(self._data, order="K"))
    if self._node is not None and twin._node is not None:
        held = self._node.grad
        if held is not None:
            twin._node.grad = type_of_tensor()(np.array(getattr(held, "_data", held), order="K"))
        hooks = self._node.noted("hooks")
        if hooks:
            twin._node.note("hooks", dict(hooks))
    return twin


def reduce(self: Tensor, protocol: Any) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """For pickle: numbers, gradient, label, and whatever a subclass adds.

    Raises:
        RuntimeError: for the result of an op.
    """
    _refuse_results(self, "pickle")
    node = self._node
    held = None if node is None else node.grad
    if node is not None and node.noted("hooks"):
        warnings.warn(
            "pickle: the hooks of a tensor are not pickled; register them again after loading",
            stacklevel=3,
        )
    gradient = None if held is None else np.asarray(getattr(held, "_data", held))
    state = (node is not None, gradient, self.label, _added(self))
    return _rebuild, (type(self), np.asarray(self._data), *state)


def _rebuild(
    kind: type[Tensor],
    data: Array,
    requires_grad: bool,
    gradient: Array | None,
    label: str | None,
    added: dict[str, Any],
) -> Tensor:
    made: Tensor = kind.__new__(kind)
    _start(made, _of_one_dtype(data))
    made.requires_grad_(requires_grad)
    if made._node is not None:
        made._node.grad = None if gradient is None else _of_one_dtype(gradient)
    if label is not None:
        made.label = label
    for name, value in added.items():
        setattr(made, name, value)
    return made


def _of_one_dtype(array: Array) -> Array:
    """The array with NumPy's own dtype object: pickle makes another, equal but not the same."""
    return array.view(np.dtype(array.dtype.type))


def _fill(twin: Tensor, source: Tensor, data: Array | None = None) -> None:
    """With ``data`` a leaf of its own; without, the same node."""
    _start(twin, source._data if data is None else data)
    if source._base == "inference":
        twin._base = "inference"
    if data is None:
        twin._node = source._node
    elif source._node is not None:
        twin.requires_grad_()
    if source.label is not None:
        twin.label = source.label
    for name, value in _added(source).items():
        setattr(twin, name, value if data is None else copy.deepcopy(value))


def _start(made: Tensor, data: Array) -> None:
    made._data, made._node, made._base, made._views = data, None, None, None


def _added(tensor: Tensor) -> dict[str, Any]:
    """The attributes that a subclass gives its tensors."""
    found = dict(getattr(tensor, "__dict__", {}))
    for kind in type(tensor).__mro__:
        if kind is type_of_tensor():
            break
        for name in kind.__dict__.get("__slots__", ()):
            if hasattr(tensor, name):
                found[name] = getattr(tensor, name)
    return found


def _refuse_results(tensor: Tensor, name: str) -> None:
    if not tensor.is_leaf:
        raise RuntimeError(
            f"{name}: this tensor of shape {tensor.shape} is the result of an op; its "
            "history cannot be copied with it. Use x.detach() (the numbers alone), or copy the "
            "leaves it was made of"
        )


def type_of_tensor() -> type[Tensor]:
    from .tensor import Tensor

    return Tensor
