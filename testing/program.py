"""Tensors and calls written as code that runs: what failing examples are printed as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..tensor import Tensor
from .memory import LAYOUTS, lay_out


def tensor_code(x: Tensor) -> str:
    """An expression that makes this tensor again, to the last digit and in its memory layout.

    >>> import gradling
    >>> print(tensor_code(gradling.tensor([0.1, 2.0], requires_grad=True)))
    gradling.tensor([0.1, 2.0], dtype=gradling.float32, requires_grad=True)
    """
    return array_code(np.asarray(x._data), x.requires_grad)


def array_code(array: np.ndarray[Any, Any], requires_grad: bool = False) -> str:
    """The same for an array, as the tensor that holds it."""
    kind = f"dtype=gradling.{array.dtype.name}".replace("gradling.bool", "bool")
    tracked = ", requires_grad=True" if requires_grad and array.dtype.kind == "f" else ""
    if not array.size:
        return f"gradling.zeros({array.shape}, {kind}{tracked})"
    layout = _layout(array)
    if layout == "contiguous":
        return f"gradling.tensor({_data(array)}, {kind}{tracked})"
    kept = "" if tracked else ", requires_grad=False"
    name = array.dtype.name
    return f"gradling.testing.laid_out({_data(array)}, {layout!r}, {name!r}{kept})"


def _layout(array: np.ndarray[Any, Any]) -> str:
    for layout in LAYOUTS:
        if array.strides == lay_out(array, layout).strides:
            return layout
    return "contiguous"


def _data(array: np.ndarray[Any, Any]) -> str:
    """Nested lists, each number with as many digits as its dtype needs."""
    if array.ndim == 0:
        text = str(array[()])  # NumPy scalars print the shortest digits that give them back
        return text if text[-1].isdigit() or text in ("True", "False") else f"float({text!r})"
    return f"[{', '.join(_data(part) for part in np.asarray(array))}]"


def call_code(
    name: str,
    names: Sequence[str],
    params: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
) -> str:
    """``name(x, y, params..., key=value)``."""
    parts = [*names, *map(repr, params), *(f"{k}={v!r}" for k, v in (kwargs or {}).items())]
    return f"{name}({', '.join(parts)})"


def program(
    name: str,
    operands: Mapping[str, np.ndarray[Any, Any]],
    params: Sequence[Any] = (),
    tail: Sequence[str] = (),
    constant: Sequence[str] = (),
) -> str:
    """A whole program: imports, operands, the call, and ``tail``."""
    lines = ["import gradling, gradling.testing"]
    for each, array in operands.items():
        lines.append(f"{each} = {array_code(array, each not in constant)}")
    lines.append(f"out = {call_code(name, list(operands), params)}")
    return "\n".join([*lines, *tail])
