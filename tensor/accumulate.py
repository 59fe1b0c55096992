"""Adding entries into an array where several may go to one place: ``np.add.at``, several times
faster.

Embeddings, scatter and the gradient of every index by a tensor end here, so it is worth four ways:
flat additions or sums over sorted runs for rows, counting with weights for single entries,
``np.add.at`` for the rest.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .node import Array

_SMALL = 4096  # up to so many numbers, preparing anything costs more than it saves; all measured
_NARROW = 16  # rows up to this wide are added column by column


def add_at(y: Array, index: Any, values: Array) -> None:
    """``y[index] += values``, with every one of several entries for one place counted.

    ``y`` must be contiguous, ``values`` as large as ``y[index]`` and ``index`` valid.
    """
    parts = index if isinstance(index, tuple) else (index,)
    arrays = [part for part in parts if isinstance(part, np.ndarray)]
    if all(part.dtype.kind == "b" for part in arrays):
        y[index] += values  # slices and masks pick nothing twice
    elif values.size <= _SMALL or values.dtype.kind != "f":
        np.add.at(y, index, values)
    elif len(arrays) == 1 and parts[0] is arrays[0] and _whole(parts[1:]):
        where = arrays[0]
        _add_rows(y, values.reshape(where.size, *values.shape[where.ndim :]), where.reshape(-1))
    elif y.size <= 16 * values.size:
        places = np.arange(y.size).reshape(y.shape)[index]
        sums = np.bincount(places.reshape(-1), values.reshape(-1), y.size)
        y += sums.astype(y.dtype).reshape(y.shape)
    else:
        np.add.at(y, index, values)


def _whole(parts: tuple[Any, ...]) -> bool:
    return all(part is Ellipsis or part == slice(None) for part in parts)


def _add_rows(y: Array, rows: Array, where: Array) -> None:
    """``y[where[i]] += rows[i]`` for every i."""
    n = y.shape[0]
    if where.min() < 0:
        where = where % n
    width = y[0].size
    if width <= _NARROW and n <= 4 * len(where):
        columns, sums = rows.reshape(-1, width), y.reshape(n, width)
        for k in range(width):
            sums[:, k] += np.bincount(where, columns[:, k], n).astype(y.dtype)
        return
    if len(where) < 8 * n:  # few meet: one by one, but in a flat loop, 2 to 10 times as fast
        places = where[:, None] * width + np.arange(width)
        np.add.at(y.reshape(-1), places.reshape(-1), rows.reshape(-1))
        return
    order = np.argsort(where, kind="stable")
    ordered = where[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    y[ordered[starts]] += np.add.reduceat(rows[order], starts, axis=0)


def last_writes(index: Any, shape: tuple[int, ...]) -> Array | None:
    """Which of the entries written by ``y[index] = values`` are still there afterwards.

    None where all are: slices and masks write nothing twice. Of several written to one place, the
    last one stays.
    """
    parts = index if isinstance(index, tuple) else (index,)
    if not any(isinstance(part, np.ndarray) and part.dtype.kind != "b" for part in parts):
        return None
    writer = np.empty(shape, np.int64)
    room = writer[index]
    ids = np.arange(room.size).reshape(room.shape)
    writer[index] = ids
    stayed = writer[index] == ids
    return None if stayed.all() else np.asarray(stayed)
