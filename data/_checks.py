"""Checks of arguments that several data sets share."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import SupportsIndex

import numpy as np
import numpy.typing as npt


def count(name: str, value: SupportsIndex, *, least: int = 1) -> int:
    """Check that `value` is an integer of at least `least`, and return it as an int."""
    if isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(
            f"{name} must be an integer, got {value!r} ({type(value).__name__})"
        ) from None
    if number < least:
        raise ValueError(f"{name} must be at least {least}, got {number}")
    return number


def finite(name: str, value: float, *, least: float = -math.inf) -> float:
    """Check that `value` is a finite number of at least `least`, and return it as a float."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a number, got {value!r}") from None
    if not math.isfinite(number) or number < least:
        bound = "" if least == -math.inf else f" of at least {least:g}"
        raise ValueError(f"{name} must be a finite number{bound}, got {number}")
    return number


def numbers(name: str, values: Sequence[float]) -> npt.NDArray[np.float64]:
    """Check that `values` is a list of at least one finite number, and return it as an array."""
    array = np.asarray(values, np.float64)
    if array.ndim != 1 or not array.size or not np.isfinite(array).all():
        raise ValueError(f"{name} must be a list of at least one finite number, got {values!r}")
    return array
