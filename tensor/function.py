"""``Function``: a rule of the user's own, with PyTorch's spelling.

Each class is one op of the graph. Several results hang on one node, whose gradient is a ``Bundle``;
each result is picked from it by an op of its own.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from ..engine import Op
from ..engine.modes import enable_grad, mode, no_grad
from ..engine.op import REAL
from . import edits
from .context import Context, Saved
from .node import Array, Bundle, Node


class Function:
    """An operation that brings its own derivative. Subclass it, and call ``apply``.

    ``forward(ctx, *args)`` computes (nothing in it is recorded) and keeps what backward will need:
    ``ctx.save_for_backward(...)`` for tensors, any attribute of ``ctx`` for the rest.
    ``backward(ctx, *grads)`` gets the gradient of each result and gives one for each argument of
    forward: None for what is no tensor. Written in tensor operations it can be differentiated
    again. Instead of the first there may be ``forward(*args)`` and
    ``setup_context(ctx, inputs, output)``.

    >>> import gradling
    >>> class Cube(gradling.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x * x
    ...
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         (x,) = ctx.saved_tensors
    ...         return g * 3 * x * x
    >>> x = gradling.tensor([1.0, 2.0], requires_grad=True)
    >>> Cube.apply(x).sum().backward()
    >>> x.grad
    tensor([ 3., 12.])
    """

    _op: Op

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._op = _op_of(cls)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        name = type(self).__name__
        raise RuntimeError(
            f"{name}: a Function has no instances; call {name}.apply(...), with forward and "
            "backward as static methods that keep what they need on ctx"
        )

    @staticmethod
    def forward(*args: Any) -> Any:
        raise NotImplementedError("a Function needs a static method forward(ctx, ...)")

    @staticmethod
    def setup_context(ctx: Context, inputs: tuple[Any, ...], output: Any) -> None:
        raise NotImplementedError

    @staticmethod
    def backward(ctx: Context, *grads: Any) -> Any:
        raise NotImplementedError("a Function needs a static method backward(ctx, *grads)")

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Run ``forward`` on tensors and anything else, joining its results to the graph.

        Raises:
            TypeError: forward returned NumPy arrays.
            RuntimeError: forward edits an argument in place.
        """
        from .tensor import Tensor

        # Handles of their own on memory that is read-only: an edit in forward is refused at once.
        given = [Tensor(_locked(a._data), a._node) if isinstance(a, Tensor) else a for a in args]
        operands = [a for a in given if isinstance(a, Tensor)]
        ctx = Context(given)
        with no_grad():
            if cls.setup_context is Function.setup_context:
                result = cls.forward(ctx, *given)
            else:
                result = cls.forward(*given)
                cls.setup_context(ctx, tuple(given), result)
        several = isinstance(result, (tuple, list))
        outputs = list(result) if several else [result]
        memory = {id(edits.owner(x._data)) for x in operands}
        arrays = [_own_array(cls, out, memory) for out in outputs]
        tracked = [
            a is not None and a.dtype.kind == "f" and not any(out is c for c in ctx._constant)
            for a, out in zip(arrays, outputs, strict=True)
        ]
        node = None
        if mode().grad and any(ctx.needs_input_grad) and any(tracked):
            ctx._saved = Saved(several, outputs, arrays)
            node = ctx._saved.join(cls._op, ctx, operands, mode().scope)
            if edits._exposed:
                edits.seal(node)
        made: list[Any] = []
        for place, (out, array, wanted) in enumerate(zip(outputs, arrays, tracked, strict=True)):
            if array is None:
                made.append(out)
            elif ctx._saved is None or not wanted:
                made.append(Tensor(array))
            else:
                made.append(Tensor(array, ctx._saved.place(place, array, node)))
        ctx._asked = ctx._constant = ()
        return tuple(made) if several else made[0]


def _locked(array: Array) -> Array:
    view = array.view()
    view.flags.writeable = False
    return view


def _own_array(cls: type[Function], out: Any, memory: set[int]) -> Array | None:
    """The array of a result, in memory that is no operand's; None for what is no tensor."""
    if isinstance(out, (np.ndarray, np.generic)):
        raise TypeError(
            f"{cls.__name__}.forward: returned a NumPy array of shape {out.shape}; return "
            "gradling.tensor(...) or gradling.from_numpy(...) of it"
        )
    if not hasattr(out, "_data"):
        return None
    array: Array = out._data
    return np.array(array) if id(edits.owner(array)) in memory else array


def _op_of(cls: type[Function]) -> Op:
    def joint(needed: Any, g: Any, y: Any, xs: Any, ctx: Context) -> list[Any]:
        return _gradients(cls, needed, g, ctx)

    joint.__wrapped__ = cls.backward  # type: ignore[attr-defined]  # where the rule is written
    why = inspect.getdoc(cls) if cls.__doc__ else None
    return Op(
        cls.__name__,
        "*xs",
        vjp=(None,),
        domain=(REAL,),
        why=(why or "A rule of the user's own.").partition("\n")[0],
        joint=joint,
    )


def _gradients(cls: type[Function], needed: tuple[bool, ...], g: Any, ctx: Context) -> list[Any]:
    """Call the user's backward, on tensors in the graph where it is to be differentiated again."""
    from .tensor import Tensor

    saved = ctx._saved
    assert saved is not None
    parts = g.parts if isinstance(g, Bundle) else {0: g}
    again = any(isinstance(part, Tensor) for part in parts.values())
    grads: list[Any] = []
    for place, spec in enumerate(saved.specs):
        part = parts.get(place)
        if part is None and spec is not None and ctx._materialize:
            part = np.zeros(*spec)
        grads.append(Tensor(_locked(part)) if isinstance(part, np.ndarray) else part)
    wants = iter(needed)
    ctx.needs_input_grad = tuple([is_tensor and next(wants) for is_tensor in ctx._is_tensor])
    try:
        with enable_grad() if again else no_grad():
            result = cls.backward(ctx, *grads)
    except Exception as error:
        error.add_note(f"in {cls.__name__}.backward")
        raise
    answers = list(result) if isinstance(result, (tuple, list)) else [result]
    found = _checked(cls, ctx, answers, needed)
    if again:
        _must_lead_on(cls, found, grads)
        return found
    # a view, so that a leaf copies it: it may be the very array that backward was given
    return [None if part is None else part._data.view() for part in found]


def _checked(
    cls: type[Function], ctx: Context, answers: list[Any], needed: tuple[bool, ...]
) -> list[Any]:
    """One gradient per operand, or an error that says what is wrong with them."""
    count = len(ctx._is_tensor)
    if len(answers) < count or any(extra is not None for extra in answers[count:]):
        raise RuntimeError(
            f"{cls.__name__}.backward: expected {count} gradient{'s' * (count != 1)}, one for each "
            f"argument of forward (None for what is no tensor), got {len(answers)}"
        )
    assert ctx._saved is not None and ctx._saved.node is not None
    node = ctx._saved.node()
    assert node is not None
    operands = iter(zip(node.inputs, needed, strict=True))
    found = []
    for place, (answer, is_tensor) in enumerate(zip(answers, ctx._is_tensor, strict=False)):
        if not is_tensor:
            if answer is not None:
                raise RuntimeError(
                    f"{_said(cls, place)} is no tensor and has no gradient: return None for it"
                )
            continue
        operand, wanted = next(operands)
        if wanted and operand is not None:
            _fits(cls, place, answer, operand)
        found.append(answer if wanted else None)
    return found


def _fits(cls: type[Function], place: int, answer: Any, operand: Node) -> None:
    if answer is None:
        raise RuntimeError(
            f"{_said(cls, place)} needs a gradient, and got None: where it has no influence return "
            "gradling.zeros_like of it"
        )
    if not hasattr(answer, "_data"):
        raise TypeError(
            f"{_said(cls, place)} needs a tensor as its gradient, got {type(answer).__name__}; "
            "wrap it: gradling.tensor(...)"
        )
    if answer.dtype.kind != "f":
        raise TypeError(
            f"{_said(cls, place)} is {operand.dtype}, but its gradient came as {answer.dtype}: "
            "give a floating one"
        )
    try:
        fits = np.broadcast_shapes(operand.shape, answer.shape) == answer.shape
    except ValueError:
        fits = False
    if not fits:
        raise RuntimeError(
            f"{_said(cls, place)} has shape {operand.shape}, but its gradient came with shape "
            f"{answer.shape}: give one of that shape (or one that it was broadcast to)"
        )


def _said(cls: type[Function], place: int) -> str:
    separate = cls.setup_context is not Function.setup_context
    names = list(inspect.signature(cls.forward).parameters)[0 if separate else 1 :]
    name = f" ({names[place]})" if place < len(names) else ""
    return f"{cls.__name__}.backward: argument {place}{name}"


def _must_lead_on(cls: type[Function], found: list[Any], grads: list[Any]) -> None:
    """A gradient that is not 0 depends on the gradient it was made of; if it is not in the graph
    although that one is, backward left the graph, and second derivatives would be wrong."""
    if not any(g is not None and g.requires_grad for g in grads):
        return
    for part in found:
        if part is not None and part._node is None and part._data.any():
            raise RuntimeError(
                f"{cls.__name__}.backward: computed outside the graph, so it cannot be "
                "differentiated again; write it in tensor operations (no .numpy(), .data, "
                ".detach()), or mark it @once_differentiable"
            )


def _refuse(needed: Any, g: Any, y: Any, xs: Any, name: str) -> Any:
    raise RuntimeError(
        f"{name}.backward is marked @once_differentiable: its gradient cannot be differentiated "
        "again. Write it in tensor operations and drop the mark"
    )


_once = Op(
    "once_differentiable", "*xs", vjp=(None,), domain=(REAL,), joint=_refuse,
    why="The end of the road: what was computed here has no rule.",
)  # fmt: skip


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator of a ``backward`` that is not written in tensor operations: it runs outside the
    graph, and differentiating its result is refused."""

    @functools.wraps(backward)
    def once(ctx: Context, *grads: Any) -> Any:
        with no_grad():
            result = backward(ctx, *grads)
        if not mode().grad:
            return result
        before = [x for x in (*grads, *ctx.saved_tensors) if x is not None]
        nodes = tuple([x._node for x in before if x._node is not None])
        if not nodes:
            return result
        name = (
            backward.__qualname__.rpartition(".backward")[0].rpartition(".")[2] or "this Function"
        )
        answers = result if isinstance(result, (tuple, list)) else (result,)
        return tuple([_ended(part, nodes, name) for part in answers])

    return once


def _ended(part: Any, nodes: tuple[Node, ...], name: str) -> Any:
    if not hasattr(part, "_data"):
        return part
    saved = (None,) * (len(nodes) + 1)
    return type(part)(part._data, Node(_once, nodes, saved, (name,), part._data))
