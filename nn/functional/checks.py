"""What functions ask of their operands, and suggestions for shapes that do not fit.

Every suggestion is tried before it is made.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from ...tensor import Tensor
from ...tensor.dtypes import promote_types
from ...tensor.errors import ShapeError

Shape = tuple[int, ...]
REDUCTIONS = ("mean", "sum", "none")
_PACKAGE = __name__.partition(".")[0]
told: set[str] = set()  # the warnings that were given

_CHANGES: list[tuple[str, Callable[[Tensor], Tensor]]] = [
    ("unsqueeze(-1)", lambda x: x.unsqueeze(-1)),
    ("squeeze(-1)", lambda x: x.squeeze(-1)),
    ("squeeze(1)", lambda x: x.squeeze(1)),
    ("flatten(1)", lambda x: x.flatten(1)),
    ("flatten(2)", lambda x: x.flatten(2)),
    ("flatten()", lambda x: x.flatten()),
    ("mT", lambda x: x.mT),
    ("movedim(-1, 1)", lambda x: x.movedim(-1, 1)),
    ("transpose(1, -1)", lambda x: x.transpose(1, -1)),
    ("unsqueeze(1)", lambda x: x.unsqueeze(1)),
    ("unsqueeze(0)", lambda x: x.unsqueeze(0)),
    ("squeeze()", lambda x: x.squeeze()),
]


def reshapes_that(x: Tensor, fits: Callable[[Shape], bool], name: str = "x") -> str:
    """``; `x.flatten(1)` would make it (32, 784)`` for the first change that fits, or nothing."""
    for call, change in _CHANGES:
        try:
            shape = change(x.detach()).shape
        except (ValueError, IndexError):
            continue
        if shape != x.shape and fits(shape):
            return f"; `{name}.{call}` would make it {shape}"
    return ""


def tensor_operands(name: str, **operands: Any) -> None:
    """Everything that should be a tensor is one."""
    for operand, x in operands.items():
        if not isinstance(x, Tensor):
            raise TypeError(
                f"{name}: expected {operand} to be a tensor, got {type(x).__name__}; wrap it: "
                "gradling.tensor(...)"
            )


def pair(
    name: str, input: Any, target: Any, broadcast: bool | None = None
) -> tuple[Tensor, Tensor]:
    """Prediction and target of one shape and one floating dtype.

    ``broadcast`` is None for losses that have no such argument.

    Raises:
        ShapeError: shapes differ, and ``broadcast`` was not asked for: a mean over all pairs of
            entries is hardly ever meant.
    """
    try:
        a, b = input._data, target._data
    except AttributeError:
        tensor_operands(name, input=input, target=target)
    if a.shape == b.shape and a.dtype is b.dtype and a.dtype.kind == "f":
        return input, target  # the usual case, without delay
    if input.shape != target.shape and not broadcast:
        raise ShapeError(_different(name, input, target, broadcast is not None))
    dtype = promote_types(input.dtype, target.dtype)
    if dtype.kind != "f":
        raise TypeError(
            f"{name}: expected floating tensors, got {input.dtype} and {target.dtype}; convert "
            "with .float()"
        )
    return input.to(dtype), target.to(dtype)


def _different(name: str, input: Tensor, target: Tensor, may_broadcast: bool) -> str:
    said = f"{name}: input {input.shape} and target {target.shape} must have the same shape"
    try:
        result = np.broadcast_shapes(input.shape, target.shape)
        said += f" (they would broadcast to {result})"
        aside = "; broadcast=True allows that" if may_broadcast else ""
    except ValueError:
        aside = ""
    hint = reshapes_that(target, lambda shape: shape == input.shape, "target")
    if not hint:
        hint = reshapes_that(input, lambda shape: shape == target.shape, "input")
    return said + hint + aside


def check_reduction(name: str, reduction: str, *more: str) -> None:
    """One of the known reductions."""
    if reduction not in REDUCTIONS and reduction not in more:
        known = ", ".join(map(repr, (*REDUCTIONS, *more)))
        raise ValueError(f"{name}: reduction must be one of {known}, got {reduction!r}")


def warn_once(key: str, message: str) -> None:
    """Warn, the first time only, at the line outside of the package that led here."""
    if key in told:
        return
    told.add(key)
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(_PACKAGE):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, stacklevel=level)


def maker(x: Tensor) -> str:
    """The name of the op that gave the entries of ``x``, seen through changes of shape; "" outside
    of a graph."""
    node = x._node
    while node is not None and node.op is not None:
        if not node.op.view:
            return node.op.name
        node = node.inputs[0]
    return ""


def weighted(name: str, loss: Tensor, weight: Tensor | None, reduction: str, norm: bool) -> Tensor:
    """Losses times their weights, reduced; with ``norm`` the mean divides by the sum of weights."""
    if weight is not None:
        if weight.shape != loss.shape:
            raise ShapeError(
                f"{name}: weight {weight.shape} must have the input's shape {loss.shape}"
            )
        loss = loss * weight
        if norm and reduction == "mean":
            return loss.sum() / weight.sum()
    if reduction == "mean":
        return loss.mean()
    return loss.sum() if reduction == "sum" else loss
