"""Applying an op to tensors: run the kernel, and keep a node where something wants a gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..engine import Op
from ..engine.modes import Mode, mode
from ..engine.sites import remember, site, user_line
from . import cuts, edits
from .dtypes import common_dtype, float16, float32, get_default_dtype
from .errors import explain
from .node import Array, Node
from .quiet import IGNORE, silence
from .views import link
from .whole import Whole, check, constant

if TYPE_CHECKING:
    from .tensor import Tensor

_made: type[Tensor]  # set by tensor.py, which imports this file
_WANTED = (True,)
FAST = "fd"  # float32 and float64 need no more than the kernel; the others go through elementwise()


def bind(tensor_class: type[Tensor]) -> None:
    global _made
    _made = tensor_class


def record(
    op: Op, y: Any, nodes: tuple[Node | None, ...], arrays: tuple[Any, ...], params: tuple[Any, ...]
) -> Tensor:
    """Wrap a kernel's result, joining it to the graph if any operand is in it."""
    if y.__class__ is not Array:
        y = np.asarray(y)
    now = mode()
    if not now.grad:
        out = _made(y)
        if now.inference:
            out._base = "inference"
    else:
        for node in nodes:
            if node is not None:
                break
        else:
            node = None
        if node is None or y.dtype.kind != "f" or not op.differentiable:
            out = _made(y)
        else:
            if op.composition is not None:
                saved: tuple[Any, ...] = (y if op.kept.result else None, *arrays)
            else:
                keep = op.kept[tuple([n is not None for n in nodes])]
                held = zip((y, *arrays), keep)  # noqa: B905  (hot, equal by construction)
                # numbers are kept in any case: they cost nothing, and tell what was computed
                saved = tuple([a if kept or a.__class__ is not Array else None for a, kept in held])
            out = joined(op, y, nodes, saved, params, now.scope)
    if now.watched:
        _watched(op, y, nodes, arrays, params, out, now)
    return out


def joined(
    op: Op, y: Array, nodes: tuple[Node | None, ...], saved: Any, params: Any, scope: str
) -> Tensor:
    """A result in the graph."""
    made = Node(op, nodes, saved, params, y, scope)
    if edits._exposed:
        edits.seal(made)
    return _made(y, made)


def apply(op: Op, operands: tuple[Tensor, ...], params: tuple[Any, ...] = ()) -> Tensor:
    """Run a structural op: its kernel takes the arrays as they are."""
    try:
        arrays = tuple([x._data for x in operands])
    except AttributeError:
        return apply(op, tuple(as_operand(op, x) for x in operands), params)
    token = silence.set(IGNORE)
    try:
        y = op.on[Array](*arrays, *params)
    except (ValueError, TypeError, IndexError) as error:
        explain(op, arrays, error)
    finally:
        silence.reset(token)
    kept = params
    if y.__class__ is tuple:  # a kernel that saves something for its rule gives (y, residual)
        y, residual = y
        kept = (*params, residual)
    out = record(op, y, tuple([x._node for x in operands]), arrays, kept)
    if op.view:
        link(out, operands[0], op, params)
    return out


def elementwise(op: Op, operands: tuple[Any, ...], params: tuple[Any, ...] = ()) -> Tensor:
    """Run an elementwise op on tensors and numbers, after bringing them to their common dtype."""
    arrays = [x._data if isinstance(x, _made) else as_constant(op, x) for x in operands]
    dtype = common_dtype(arrays)
    check(op, arrays, dtype)
    kernel = op.on[Array]
    if dtype.kind != "f":
        if op.result == "float":
            dtype = get_default_dtype()
        else:
            kernel = op.on.get(Whole, kernel)
            arrays = [a if isinstance(a, np.ndarray) else constant(op, a, dtype) for a in arrays]
    if not any(isinstance(a, np.ndarray) for a in arrays):
        arrays[0] = np.asarray(arrays[0], dtype)
    for place, a in enumerate(arrays):
        if isinstance(a, np.ndarray) and a.dtype is not dtype:
            arrays[place] = a.astype(dtype)
            converted(a, arrays[place])
    token = silence.set(IGNORE)
    try:
        y = in_single(kernel, arrays, params) if dtype is float16 else kernel(*arrays, *params)
    except (ValueError, TypeError) as error:
        explain(op, arrays, error)
    finally:
        silence.reset(token)
    nodes = tuple([x._node if isinstance(x, _made) else None for x in operands])
    return record(op, y, nodes, tuple(arrays), params)


def in_single(kernel: Callable[..., Any], arrays: list[Any], params: tuple[Any, ...]) -> Any:
    """float16 is for storing: it is worked out in float32 and rounded once, as PyTorch does."""
    y = kernel(*[a.astype(float32) if isinstance(a, np.ndarray) else a for a in arrays], *params)
    return y.astype(float16) if y.dtype is float32 else y


def unary(op: Op) -> Callable[[Tensor], Tensor]:
    """The function and method of an op with one operand and no parameters."""
    kernel, kept, differentiable = op.on[Array], op.kept, op.differentiable
    fast_dtypes = "" if op.name.startswith("bitwise_") else FAST

    def function(input: Tensor) -> Tensor:
        try:
            x = input._data
        except AttributeError:
            return elementwise(op, (input,))
        if x.dtype.char not in fast_dtypes:
            return elementwise(op, (input,))
        token = silence.set(IGNORE)
        try:
            y = kernel(x)
        except (ValueError, TypeError) as error:
            explain(op, (x,), error)
        finally:
            silence.reset(token)
        node = input._node
        now = mode()
        if node is None or not now.plain or not differentiable or y.__class__ is not Array:
            return record(op, y, (node,), (x,), ())
        # as record() does it for any number of operands: a third of a small op's time less
        keeps_y, keeps_x = kept[_WANTED]
        saved = (y if keeps_y else None, x if keeps_x else None)
        return joined(op, y, (node,), saved, (), now.scope)

    return named(function, op, "input")


def binary(op: Op, reflected: bool = False, operator: bool = False) -> Callable[..., Tensor]:
    """The function and method of an op with two operands, tensors or numbers.

    As an ``operator`` it leaves operands that it does not know to them (NotImplemented).
    """
    kernel = op.on[Array]
    fast_dtypes = "" if op.name.startswith("bitwise_") else FAST

    def function(input: Any, other: Any) -> Tensor:
        if not isinstance(input, _made):
            return elementwise(op, (other, input) if reflected else (input, other))
        a = input._data
        b: Any
        if isinstance(other, _made):
            b = other._data
            fast = b.dtype is a.dtype
        elif other.__class__ is float or other.__class__ is int:
            b, fast = other, True
        elif operator and not is_constant(other):
            return NotImplemented  # type: ignore[no-any-return]
        else:
            return elementwise(op, (other, input) if reflected else (input, other))
        if not fast or a.dtype.char not in fast_dtypes:
            return elementwise(op, (other, input) if reflected else (input, other))
        node = other._node if b.__class__ is Array else None
        arrays, nodes = (
            ((b, a), (node, input._node)) if reflected else ((a, b), (input._node, node))
        )
        token = silence.set(IGNORE)
        try:
            y = kernel(*arrays)
        except (ValueError, TypeError) as error:
            explain(op, arrays, error)
        finally:
            silence.reset(token)
        return record(op, y, nodes, arrays, ())

    return named(function, op, "input, other")


def named(function: Callable[..., Any], op: Op, arguments: str) -> Callable[..., Any]:
    function.__name__ = function.__qualname__ = op.name
    function.__module__ = f"{__package__}.elementwise"  # where it is kept, and pickle looks
    function.__doc__ = f"``{op.name}({arguments})``, entry by entry. {op.why}"
    return function


def is_constant(x: Any) -> bool:
    return isinstance(x, (int, float, np.ndarray, np.generic))


def as_constant(op: Op, x: Any) -> Any:
    """A number or array that joins an op without being a tensor."""
    if isinstance(x, (bool, int, float)) and not isinstance(x, np.generic):
        return x
    if isinstance(x, np.generic) and x.dtype.kind in "fiub":
        return x.item()  # takes part by kind only: np.sqrt(2) must not make a float32 loss float64
    if isinstance(x, (np.ndarray, np.generic)):
        array = np.asarray(x)
        if array.dtype.kind in "fiub":
            if array.base is not None or array is x:
                edits.expose(array)  # it stays its owner's to write to
            return array
        raise TypeError(
            f"{op.name}: cannot use an array of dtype {array.dtype}; numbers are needed"
        )
    raise TypeError(
        f"{op.name}: expected a tensor or a number, got {type(x).__name__}; "
        "wrap it: gradling.tensor(...)"
    )


def as_operand(op: Op, x: Any) -> Tensor:
    if isinstance(x, _made):
        return x
    return _made(np.asarray(as_constant(op, x), getattr(x, "dtype", None)))


def _watched(
    op: Op,
    y: Array,
    nodes: tuple[Node | None, ...],
    arrays: tuple[Any, ...],
    params: tuple[Any, ...],
    out: Tensor,
    now: Mode,
) -> None:
    node = out._node
    if now.watch is not None:
        now.watch.note(node)
        if node is not None and (known := site(node)) is not None:
            node.note("site", known.line)  # for what backward has to say
        cuts.noted(op, nodes, arrays, out, now)
    if now.tape is not None:
        now.tape.result(op, arrays, params, out)
    if now.anomaly:
        _look_for_nan(op, y, arrays, node, now)


def converted(before: Any, after: Array) -> None:
    """Say that ``after`` is ``before`` in another dtype, or a number as an array."""
    now = mode()
    if now.watch is not None and isinstance(before, np.ndarray):
        cuts.carried(before, after)
    if now.tape is not None:
        now.tape.converted(before, after)


def _look_for_nan(op: Op, y: Array, arrays: tuple[Any, ...], node: Node | None, now: Mode) -> None:
    """Under ``detect_anomaly``: stop at the op that made a NaN out of operands without one."""
    line = user_line()
    if node is not None:
        node.note("site", line)
        if now.watch is None:
            remember(node, line)
    if y.dtype.kind == "f" and np.isnan(y).any():
        clean = not any(
            isinstance(a, np.ndarray) and a.dtype.kind == "f" and np.isnan(a).any() for a in arrays
        )
        how = "made" if clean else "was handed, and passed on,"
        where = f" in {now.scope}" if now.scope else ""
        raise RuntimeError(
            f"detect_anomaly: forward {op.name}{where} at {line} {how} {int(np.isnan(y).sum())} "
            f"NaN in a result of shape {y.shape}; operands: {'; '.join(summary(a) for a in arrays)}"
        )


def summary(a: Any) -> str:
    """An operand in a few words: shape and range."""
    if not isinstance(a, np.ndarray) or a.size == 0 or a.dtype.kind not in "fiu":
        return repr(a) if not isinstance(a, np.ndarray) else f"{a.shape} {a.dtype}"
    if np.isnan(a).all():
        return f"{a.shape} all NaN"
    return f"{a.shape} from {np.nanmin(a):.4g} to {np.nanmax(a):.4g}"
