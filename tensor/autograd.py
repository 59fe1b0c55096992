"""Asking for gradients: ``backward``, ``grad``, and what a tensor in a graph can be told."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..engine.modes import (
    detect_anomaly,
    enable_grad,
    inference_mode,
    no_grad,
    set_detect_anomaly,
    set_grad_enabled,
)
from ..engine.sites import user_line
from . import function
from .backward import accumulate, history, run
from .function import Function
from .node import Array, Node
from .reading import read

if TYPE_CHECKING:
    from .tensor import Tensor

Tensors = Any  # a Tensor or a sequence of them


def _as_tuple(tensors: Tensors) -> tuple[Any, ...]:
    return tuple(tensors) if isinstance(tensors, (tuple, list)) else (tensors,)


def _seed(name: str, root: Tensor, gradient: Any, create_graph: bool) -> Any:
    """The gradient that backward starts from, checked."""
    if root._node is None:
        raise RuntimeError(
            f"{name}: this tensor of shape {root.shape} is in no graph: nothing it was computed "
            "from had requires_grad=True, or it was made under no_grad() or detached; "
            "gradling.viz.why_no_grad(w, loss) looks for the line"
        )
    if gradient is None:
        if root._data.size != 1:
            raise RuntimeError(
                f"{name}: a gradient is only implied for one number, this tensor has shape "
                f"{root.shape}; reduce it (.sum(), .mean()) or pass {name}(gradient) of that shape"
            )
        array = np.empty(root._data.shape, root._data.dtype)
        array.fill(1)  # np.ones takes three times as long
        return _tensor(array) if create_graph else array
    array = gradient._data if hasattr(gradient, "_data") else np.asarray(gradient)
    if array.shape != root._data.shape:
        raise RuntimeError(f"{name}: expected a gradient of shape {root.shape}, got {array.shape}")
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name}: expected a gradient of numbers, got dtype {array.dtype}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: expected a finite gradient to start from, got nan or inf in it")
    if create_graph:
        given = gradient if hasattr(gradient, "_data") else _tensor(array)
        return given.to(root.dtype)
    return array.astype(root._data.dtype)  # a copy: what is stored as .grad shares no memory


def _tensor(array: Array) -> Tensor:
    from .tensor import Tensor

    return Tensor(array)


def _seeds(name: str, roots: Tensors, gradients: Any, create_graph: bool) -> dict[Node, Any]:
    outputs = _as_tuple(roots)
    starts = (None,) * len(outputs) if gradients is None else _as_tuple(gradients)
    if len(starts) != len(outputs):
        raise ValueError(
            f"{name}: expected {len(outputs)} gradients, one per tensor, got {len(starts)}"
        )
    seeds: dict[Node, Any] = {}
    for root, start in zip(outputs, starts, strict=True):
        if not hasattr(root, "_node"):
            raise TypeError(f"{name}: expected a tensor, got {type(root).__name__}")
        g = _seed(name, root, start, create_graph)
        if root._node in seeds:
            total = seeds[root._node] + g
            # the sum of two 0-d arrays is no array
            g = np.asarray(total) if isinstance(total, np.generic) else total
        seeds[root._node] = g
    return seeds


def backward_from(
    self: Tensor,
    gradient: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensors | None = None,
) -> None:
    """Add the gradient of this number to the ``grad`` of every leaf it was computed from.

    Args:
        gradient: for more than one number: the gradient to start from, of this tensor's shape.
        retain_graph: the graph is kept until nothing refers to it; ``False`` frees at once what it
            saved, and a second backward then fails.
        create_graph: make the gradients part of the graph, to differentiate them again.
        inputs: only add to these tensors.

    A second call adds exactly once more.

    >>> import gradling
    >>> x = gradling.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """
    if gradient is None and retain_graph is None and not create_graph and inputs is None:
        seed = _seed("backward", self, None, False)  # the usual call, without a look at options
        assert self._node is not None
        run({self._node: seed})
    else:
        backward((self,), (gradient,), retain_graph, create_graph, inputs)


def backward(
    tensors: Tensors,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensors | None = None,
) -> None:
    """``backward()`` of several tensors at once."""
    seeds = _seeds("backward", tensors, grad_tensors, create_graph)
    free = retain_graph is False and not create_graph
    if inputs is not None:
        wanted = [_tracked("backward", x, i) for i, x in enumerate(_as_tuple(inputs))]
        found = run(seeds, wanted, create_graph=create_graph)
        accumulate({n: g.copy() if g.__class__ is Array else g for n, g in found.items()})
        return
    if free:
        line = user_line()
        for node in history(seeds):
            node.note("freed", line)
    run(seeds, create_graph=create_graph, free=free)


def _tracked(name: str, x: Any, place: int) -> Node:
    node = getattr(x, "_node", None)
    if node is None:
        what = (
            f"a tensor of shape {x.shape} without requires_grad"
            if hasattr(x, "_data")
            else type(x).__name__
        )
        raise RuntimeError(
            f"{name}: input {place} is {what}; call .requires_grad_() before it is used"
        )
    return node  # type: ignore[no-any-return]


def grad(
    outputs: Tensors,
    inputs: Tensors,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    materialize_grads: bool = False,
) -> Any:
    """The gradients of ``outputs`` (summed) by each of ``inputs``, leaving every ``.grad`` alone.

    Values are served too, by ``gradling.engine.grad``.

    Raises:
        RuntimeError: an input that the outputs do not depend on, unless ``allow_unused`` (None is
            given for it) or ``materialize_grads`` (zeros).

    >>> import gradling
    >>> x = gradling.tensor(3.0, requires_grad=True)
    >>> (slope,) = gradling.autograd.grad(x**3, [x], create_graph=True)
    >>> gradling.autograd.grad(slope, [x])
    (tensor(18.),)
    """
    from ..engine import Value
    from ..engine import grad as grad_of_values

    if isinstance(outputs, Value):
        start = 1.0 if grad_outputs is None else grad_outputs
        return grad_of_values(outputs, inputs, create_graph=create_graph, gradient=start)
    seeds = _seeds("grad", outputs, grad_outputs, create_graph)
    targets = [_tracked("grad", x, i) for i, x in enumerate(_as_tuple(inputs))]
    found = run(
        seeds, targets, create_graph=create_graph, free=retain_graph is False and not create_graph
    )
    answers: list[Any] = []
    held = {id(seed) for seed in seeds.values()}
    for place, (x, node) in enumerate(zip(_as_tuple(inputs), targets, strict=True)):
        g = found.get(node)
        if g is None and materialize_grads:
            g = np.zeros(x.shape, x.dtype)
        elif g is None and not allow_unused:
            raise RuntimeError(
                f"grad: the outputs do not depend on input {place} (shape {x.shape}); check the "
                "wiring, or pass allow_unused=True for None, materialize_grads=True for zeros"
            )
        answers.append(_tensor(_own(g, held)) if g.__class__ is Array else g)
    return tuple(answers)


def _own(g: Array, held: set[int]) -> Array:
    """A gradient in memory of its own: rules may hand on views, or the array they were given."""
    if g.base is not None or id(g) in held:
        g = g.copy()
    held.add(id(g))
    return g


def set_grad(self: Tensor, gradient: Tensor | None) -> None:
    if self._node is None:
        if gradient is not None:
            raise RuntimeError(
                "grad: this tensor does not require grad; call .requires_grad_() first"
            )
        return
    if gradient is not None:
        if not hasattr(gradient, "_data"):
            raise TypeError(f"grad: expected a tensor or None, got {type(gradient).__name__}")
        if gradient.shape != self.shape or gradient.dtype is not self.dtype:
            raise RuntimeError(
                f"grad: expected a {self.dtype} tensor of shape {self.shape}, got {gradient.dtype} "
                f"{gradient.shape}"
            )
    self._node.grad = gradient


def retain_grad(self: Tensor) -> None:
    """Keep the gradient of this inner tensor at backward, to be read as ``.grad``."""
    read("retain_grad()")
    if self._node is None:
        raise RuntimeError("retain_grad: this tensor is in no graph, so it will have no gradient")
    if self._node.op is not None:
        self._node.note("retain", True)


class HookHandle:
    """What ``register_hook`` gives: ``remove()`` takes the hook away."""

    def __init__(self, hooks: dict[int, Any]) -> None:
        self._hooks = hooks
        self._key = max(hooks, default=-1) + 1

    def remove(self) -> None:
        self._hooks.pop(self._key, None)

    def __enter__(self) -> HookHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


def register_hook(self: Tensor, hook: Callable[[Tensor], Tensor | None]) -> HookHandle:
    """Call ``hook(gradient)`` when this tensor's gradient is known; what it returns replaces it.

    The handle that comes back takes the hook away again: ``handle.remove()``.
    """
    read("register_hook()")
    if self._node is None:
        raise RuntimeError("register_hook: this tensor is in no graph, so it will have no gradient")
    hooks: dict[int, Any] = self._node.noted("hooks") or {}
    self._node.note("hooks", hooks)
    handle = HookHandle(hooks)
    hooks[handle._key] = hook
    return handle


def __getattr__(name: str) -> Any:
    """``functional`` is built on tensors, which are built on this file."""
    if name == "functional":
        from . import functional

        return functional
    raise AttributeError(f"gradling.autograd has no {name!r}")


__all__ = [
    "Function",
    "HookHandle",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "function",
    "grad",
    "inference_mode",
    "no_grad",
    "set_detect_anomaly",
    "set_grad_enabled",
]
