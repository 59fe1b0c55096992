"""One number or one per spatial axis: kernel sizes, strides, paddings."""

from __future__ import annotations

from typing import Any

from ...tensor.arguments import said, whole

Sizes = tuple[int, ...]

AXES = {1: "length", 2: "height, width", 3: "depth, height, width"}  # by their count, for messages


def each(name: str, what: str, value: Any, dims: int, least: int = 1) -> Sizes:
    """``value`` as ``dims`` whole numbers of at least ``least``: one stands for all of them.

    Raises:
        TypeError: for what is not whole numbers.
        ValueError: for another count, or smaller ones.
    """
    if value.__class__ is int:
        sizes = (value,) * dims
    else:
        given = value if isinstance(value, (tuple, list)) else (value,)
        sizes = tuple([whole(name, f"each {what}", n) for n in given])
        if len(sizes) == 1:
            sizes *= dims
    if len(sizes) != dims:
        raise ValueError(
            f"{name}: expected {what} to be one number or {dims}, one per spatial axis, got "
            f"{said(value)}"
        )
    for n in sizes:
        if n < least:
            raise ValueError(f"{name}: {what} must be {least} or more, got {said(value)}")
    return sizes
