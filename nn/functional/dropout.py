"""Leaving out entries at random while training."""

from __future__ import annotations

import warnings
from math import sqrt
from typing import Any

import numpy as np

from ...tensor import Tensor
from ...tensor.errors import ShapeError
from ...tensor.generators import drawing
from ...tensor.inplace import assign
from ...tensor.node import Array
from ...tensor.reading import prepared
from ...tensor.record import apply
from ..rows import lookup as rows
from ..rows.activations import SELU_ALPHA, SELU_SCALE


def check_probability(name: str, p: Any) -> None:
    if isinstance(p, bool) or not isinstance(p, (int, float)) or not 0 <= p <= 1:
        raise ValueError(f"{name}: p is the share that is dropped, from 0 to 1, got {p!r}")


def _dropped(
    name: str, input: Tensor, p: float, training: bool, shape: Any, inplace: bool, generator: Any
) -> Tensor:
    """The input times a mask of ``shape`` in which the share p is 0 and the rest 1/(1 - p)."""
    check_probability(name, p)
    if input._data.dtype.kind != "f":
        raise TypeError(f"{name}: expected a floating tensor, got {input.dtype}; use .float()")
    if not training or p == 0:
        return input
    mask = prepared(_mask, name, shape, p, input.dtype, generator)
    y = apply(rows.dropout, (input,), (mask,))
    return assign(input, y, f"{name}_") if inplace else y


def _mask(name: str, shape: Any, p: float, dtype: Any, generator: Any) -> Array:
    if p == 1:
        return np.zeros(shape, dtype)
    kept = drawing(name, generator).random(shape, dtype=np.float32) >= p
    mask: Array = np.multiply(kept, dtype.type(1 / (1 - p)))
    return mask


def dropout(
    input: Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: Any = None,
) -> Tensor:
    """Each entry set to 0 with probability p, the others divided by 1 - p, while training.

    >>> import gradling
    >>> y = dropout(gradling.ones(1000), 0.5, generator=gradling.Generator(0))
    >>> sorted(set(y.tolist()))
    [0.0, 2.0]
    """
    return _dropped("dropout", input, p, training, input.shape, inplace, generator)


def dropout1d(
    input: Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: Any = None,
) -> Tensor:
    """As ``dropout`` for whole channels of sequences (N, C, L) or (C, L)."""
    if input.ndim not in (2, 3):
        raise ShapeError(f"dropout1d: expected (N, C, L) or (C, L), got {input.shape}")
    shape = (*input.shape[:-1], 1)
    return _dropped("dropout1d", input, p, training, shape, inplace, generator)


def dropout2d(
    input: Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: Any = None,
) -> Tensor:
    """As ``dropout`` for whole channels of images (N, C, H, W).

    Three axes are taken as (N, C, L), as PyTorch does.
    """
    if input.ndim not in (3, 4):
        raise ShapeError(f"dropout2d: expected (N, C, H, W), got {input.shape}")
    if input.ndim == 3:
        warnings.warn(
            f"dropout2d: the input {input.shape} is taken as (N, C, L); for one image (C, H, W) "
            "pass input.unsqueeze(0), for sequences use dropout1d",
            stacklevel=2,
        )
    shape = (*input.shape[:2], *(1,) * (input.ndim - 2))
    return _dropped("dropout2d", input, p, training, shape, inplace, generator)


def dropout3d(
    input: Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: Any = None,
) -> Tensor:
    """As ``dropout`` for whole channels of volumes (N, C, D, H, W) or (C, D, H, W)."""
    if input.ndim not in (4, 5):
        raise ShapeError(f"dropout3d: expected (N, C, D, H, W) or (C, D, H, W), got {input.shape}")
    shape = (*input.shape[:-3], 1, 1, 1)
    return _dropped("dropout3d", input, p, training, shape, inplace, generator)


def alpha_dropout(
    input: Tensor,
    p: float = 0.5,
    training: bool = False,
    inplace: bool = False,
    *,
    generator: Any = None,
) -> Tensor:
    """Dropout for selu: dropped entries take its lowest value, and mean 0 and variance 1 stay.

    Klambauer et al., "Self-normalizing neural networks" (2017).
    """
    check_probability("alpha_dropout", p)
    if not training or p == 0:
        return input
    if p == 1:
        y = input * 0.0
    else:
        low = -SELU_ALPHA * SELU_SCALE
        scale = 1 / sqrt((1 - p) * (1 + p * low * low))
        kept = drawing("alpha_dropout", generator).random(input.shape, dtype=np.float32) >= p
        shift = scale * (np.where(kept, 0.0, low) - p * low)
        y = input * Tensor((kept * scale).astype(input.dtype)) + Tensor(shift.astype(input.dtype))
    return assign(input, y, "alpha_dropout_") if inplace else y
