"""What an op was called, and called with, in the words of the one who called it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .words import number, shape_text

_CONVOLUTIONS = ("conv", "conv_bias")  # by name: their symbols would be taken for products
_MARKS = ("²", "1/", "⁻¹", "⁺")  # read as nothing without an operand beside them
_TRANSPOSED = "conv_input"
_POOLS = ("max_pool", "avg_pool")


def op_text(op: Any, entry: Any) -> str:
    """The op as the user wrote it."""
    if op.name in _CONVOLUTIONS:
        return f"conv{len(_geometry(op, entry).size)}d"
    if op.name == _TRANSPOSED:
        return f"conv_transpose{len(_geometry(op, entry).size)}d"
    if op.name in _POOLS:
        return f"{op.name}{len(_geometry(op, entry).size)}d"
    return str(op.name if op.symbol in _MARKS else op.symbol or op.name)


def _geometry(op: Any, entry: Any) -> Any:
    return entry.params[op.params.index("how")]


def _window(op: Any, entry: Any) -> tuple[str, ...]:
    """Stride and the like of a convolution or pooling, where they are not what they usually are."""
    how = _geometry(op, entry)
    usual = how.kernel if op.name in _POOLS else (1,) * len(how.size)
    return tuple(_window_parts(how, usual, op.name in _POOLS))


def _window_parts(how: Any, usual_stride: Sequence[int], pool: bool) -> Iterator[str]:
    if pool:
        yield f"kernel={_sides(how.kernel)}"
    if tuple(how.stride) != tuple(usual_stride):
        yield f"stride={_sides(how.stride)}"
    if any(side for pair in how.padding for side in pair):
        pads = [low if low == high else (low, high) for low, high in how.padding]
        yield f"padding={_sides(pads)}"
    if any(each != 1 for each in how.dilation):
        yield f"dilation={_sides(how.dilation)}"
    if how.groups != 1:
        yield f"groups={how.groups}"


def _sides(sizes: Sequence[Any]) -> str:
    """One number where all axes have the same."""
    return _setting(sizes[0] if len(set(sizes)) == 1 else tuple(sizes))


def operand_names(op: Any, n: int) -> tuple[str, ...]:
    """The names of the ``n`` operands that an op was called with.

    >>> from gradling.engine import TABLE
    >>> operand_names(TABLE["weighted_sum"], 5)
    ('b', 'w0', 'x0', 'w1', 'x1')
    """
    args = op.args
    if op.name == "weighted_sum":
        return ("b", *(f"{kind}{place}" for place in range(n // 2) for kind in "wx"))
    if len(args) == n and not (n and args[-1][0] == "*"):
        return tuple(args)
    return tuple(str(place) for place in range(n))


def settings(op: Any, entry: Any) -> tuple[str, ...]:
    """The parameters that say something: not None, not False, not what they are by default.

    Nor the shape of an operand, which some rules keep for their own use.
    """
    if not op.params:
        return ()
    if "how" in op.params:
        return _window(op, entry)
    bookkeeping = [tuple(one.shape) for one in entry.inputs if hasattr(one, "shape")]
    defaults = dict(zip(op.params, getattr(op, "defaults", ()), strict=False))
    shown = []
    for name, value in zip(op.params, entry.params, strict=False):
        usual = name in defaults and _setting(defaults[name]) == _setting(value)
        kept = isinstance(value, tuple) and name in ("shape", "before") and value in bookkeeping
        if value is not None and value is not False and not usual and not kept:
            shown.append(f"{name}={_setting(value)}")
    return tuple(shown)


def _setting(value: Any) -> str:
    """A text without addresses, so that equal calls read equal."""
    if isinstance(value, bool | str) or value is None or value is Ellipsis:
        return str(value)
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, slice):
        ends = ["" if end is None else _setting(end) for end in (value.start, value.stop)]
        return ":".join([*ends, *([] if value.step is None else [_setting(value.step)])])
    if hasattr(value, "_fields"):  # what belongs together, named by what comes first
        return _setting(value[0])
    if isinstance(value, tuple | list):
        return f"({', '.join(map(_setting, value))}{',' if len(value) == 1 else ''})"
    if hasattr(value, "shape"):
        return f"array{shape_text(value.shape)}"
    return getattr(value, "name", None) or type(value).__name__
