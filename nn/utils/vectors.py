"""All parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ...tensor import Tensor, edits
from ...tensor.errors import ShapeError
from ...tensor.joining import cat


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All entries of all parameters, one after the other, differentiably.

    >>> import gradling
    >>> parameters_to_vector([gradling.ones(2, 2), gradling.zeros(1)]).tolist()
    [1.0, 1.0, 1.0, 1.0, 0.0]
    """
    return cat([p.reshape(-1) for p in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Write the entries of ``vec`` into the parameters, in the order of ``parameters_to_vector``.

    Raises:
        ShapeError: there are more or fewer entries; nothing has been written then.

    >>> import gradling
    >>> x = gradling.zeros(2, 1)
    >>> vector_to_parameters(gradling.tensor([1.0, 2.0]), [x])
    >>> x.tolist()
    [[1.0], [2.0]]
    """
    found = list(parameters)
    if not isinstance(vec, Tensor):
        raise TypeError(f"vector_to_parameters: expected a tensor, got {type(vec).__name__}")
    room = sum(p.numel() for p in found)
    if vec.shape != (room,):
        raise ShapeError(
            f"vector_to_parameters: the {len(found)} parameters have {room} entries, the vector's "
            f"shape is {vec.shape}"
        )
    parts = np.split(vec._data, np.cumsum([p.numel() for p in found])[:-1]) if found else []
    for p, part in zip(found, parts, strict=True):
        edits.note(p._data)
        p._data[...] = part.reshape(p.shape)
