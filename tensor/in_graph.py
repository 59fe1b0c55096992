"""What a tensor knows of its place in the graph: the part of ``Tensor`` that is about gradients."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from ..engine.modes import mode
from . import autograd, copies, cuts, edits, views
from .node import Array, Node, leaf
from .reading import read

if TYPE_CHECKING:
    from .tensor import Tensor


class InGraph:
    """What ``Tensor`` inherits to take part in a graph."""

    __slots__ = ("_data", "_node", "_base", "_views", "_label", "__weakref__")

    _data: Array
    _node: Node | None  # the place in the graph: None exactly when no gradient is wanted
    _base: Any  # of a view: (the tensor it views, op, params); "inference" for what joins no graph
    _views: list[Any] | None  # weak references to its views
    _label: str | None  # only of a tensor outside the graph: inside, its node has it

    @property
    def requires_grad(self) -> bool:
        return self._node is not None

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        self.requires_grad_(wanted)

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        """Start (or stop) being a leaf that collects a gradient.

        Raises:
            RuntimeError: for whole numbers, which have no gradient; for an inner node of a graph,
                to stop; for a tensor made under ``inference_mode``.
        """
        read("requires_grad_()")
        if requires_grad and self._node is None:
            if self._data.dtype.kind != "f":
                raise RuntimeError(
                    "requires_grad_: only floating tensors can have gradients, this one is "
                    f"{self._data.dtype}; convert it with .float()"
                )
            if views.root(self)._base == "inference":  # type: ignore[arg-type]
                raise RuntimeError(
                    "requires_grad_: this tensor was made under inference_mode() and can join no "
                    "graph; use x.clone() outside of it"
                )
            label = self.label
            self._node = leaf(self._data)
            if label is not None:
                self.label = label
        elif not requires_grad and self._node is not None:
            if self._node.op is not None:
                raise RuntimeError(
                    "requires_grad_(False): this tensor is the result of an op, so it has a "
                    "gradient as long as its operands do; use x.detach()"
                )
            self._label = self.label
            self._node = None
        return self

    @property
    def is_leaf(self) -> bool:
        read("is_leaf")
        return self._node is None or self._node.op is None

    @property
    def grad_fn(self) -> Node | None:
        """The node that made it, None for leaves."""
        return None if self.is_leaf else self._node

    @property
    def label(self) -> str | None:
        """A name, for pictures and messages."""
        read("label")
        if self._node is not None:
            return self._node.label
        try:
            return self._label
        except AttributeError:  # the slot is filled only when somebody gives a label
            return None

    @label.setter
    def label(self, name: str | None) -> None:
        if name is not None and not isinstance(name, str):
            raise TypeError(f"label: expected a str or None, got {type(name).__name__} {name!r}")
        if self._node is None:
            self._label = name
        else:
            self._node.note("label", name)

    @property
    def grad(self) -> Tensor | None:
        """The gradient collected by ``backward()``; None before, and for what wants none."""
        read("grad")
        node = self._node
        if node is None:
            return None
        found = node.grad
        if found is None:
            if node.op is not None and not node.noted("retain"):
                warnings.warn(
                    "the gradient of a tensor that is not a leaf is not kept: call .retain_grad() "
                    "on it before backward()",
                    stacklevel=2,
                )
            return None
        if found.__class__ is Array:
            found = node.grad = _tensor(found)
        return found  # type: ignore[no-any-return]

    @grad.setter
    def grad(self, gradient: Tensor | None) -> None:
        read("an assignment to grad")
        autograd.set_grad(self, gradient)  # type: ignore[arg-type]

    @grad.deleter
    def grad(self) -> None:
        read("an assignment to grad")
        autograd.set_grad(self, None)  # type: ignore[arg-type]

    @property
    def data(self) -> Tensor:
        """The same memory outside the graph: edits through it are seen here, by no gradient."""
        return self.detach()

    @data.setter
    def data(self, new: Any) -> None:
        """Hold other memory from now on; what was computed before keeps the old numbers."""
        read("an assignment to data")
        array = new._data if hasattr(new, "_data") else np.asarray(new)
        if self._node is not None and array.dtype is not self._data.dtype:
            raise TypeError(
                f"data: expected {self._data.dtype}, got {array.dtype}; convert it first"
            )
        if array is self._data:
            return
        edits.share(array)
        if not hasattr(new, "_data"):
            edits.expose(array)
        views.unlink(self)  # type: ignore[arg-type]
        node = self._node
        if node is not None and node.op is None:
            if array.shape == self._data.shape:
                node.saved = (array,)
            else:  # earlier graphs still lead to the old leaf, whose gradients have its shape
                self._node = leaf(array)
                self._node.extra = node.extra
        self._data = array

    def detach(self) -> Tensor:
        """The same memory, outside the graph."""
        edits.share(self._data)
        if mode().watch is None:
            return _tensor(self._data)
        apart = self._data.view()  # an array of its own, for the note not to be about this one
        cuts.detached(self, apart, "detach")
        return _tensor(apart)

    def detach_(self) -> Any:
        """Leave the graph: from here on no gradient goes to what this tensor was made of."""
        if isinstance(self._base, tuple):
            raise RuntimeError("detach_: a view cannot leave the graph alone; use x.detach()")
        self._label = self.label
        self._node = None
        return self

    backward = autograd.backward_from
    retain_grad = autograd.retain_grad
    register_hook = autograd.register_hook
    __copy__ = copies.shallow
    __deepcopy__ = copies.deep
    __reduce_ex__ = copies.reduce


def _tensor(array: Array) -> Tensor:
    from .tensor import Tensor

    return Tensor(array)
