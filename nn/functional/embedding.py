"""Rows of a table, looked up by index."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...tensor import Tensor, edits
from ...tensor.errors import ShapeError
from ...tensor.node import Array
from ...tensor.reading import checked, prepared, read
from ...tensor.record import apply
from ..rows import lookup as rows
from .checks import tensor_operands


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """``weight[input]``: a row for each index.

    Args:
        input: indices, any shape (...).
        weight: (num_embeddings, embedding_dim).
        padding_idx: a row that gets no gradient; negative counts from the end.
        max_norm: rows that are looked up and longer are first shortened to this, in place.
        norm_type: the p of that length.
        scale_grad_by_freq: divide a row's gradient by how often it is looked up here.
        sparse: accepted for PyTorch's sake; gradients are dense.

    Returns:
        (..., embedding_dim).

    Raises:
        IndexError: an index is not a row.

    >>> import gradling
    >>> embedding(gradling.tensor([1, 1, 0]), gradling.tensor([[1.0, 2.0], [3.0, 4.0]])).tolist()
    [[3.0, 4.0], [3.0, 4.0], [1.0, 2.0]]
    """
    tensor_operands("embedding", input=input, weight=weight)
    index, table = input._data, weight._data
    if table.ndim != 2:
        raise ShapeError(f"embedding: weight must be (rows, dim), got shape {weight.shape}")
    checked(_check_index, index, len(table))
    if max_norm is not None:
        read("max_norm")
        _shorten(table, index, max_norm, norm_type)
    share = None
    if padding_idx is not None or scale_grad_by_freq:
        share = prepared(_share, index, len(table), padding_idx, scale_grad_by_freq, table.dtype)
    return apply(rows.embedding, (weight,), (index, share, table.shape))


def _check_index(index: Array, count: int) -> None:
    if index.dtype.kind not in "iu":
        raise TypeError(
            f"embedding: expected whole numbers as indices, got {index.dtype}; .long()?"
        )
    # one comparison for both ends: seen without sign, negative numbers are huge
    wrong = index.astype(np.int64, copy=False).astype(np.uint64) >= np.uint64(count)
    if wrong.any():
        first = tuple(int(i[0]) for i in np.nonzero(np.atleast_1d(wrong)))
        at = list(first) if index.ndim else ""
        raise IndexError(
            f"embedding: index{at} is {np.atleast_1d(index)[first]}, and the table has {count} "
            f"rows, 0 to {count - 1}; {int(wrong.sum())} of {index.size} indices are out of range"
        )


def _shorten(table: Array, index: Array, most: float, p: float) -> None:
    """Bring the rows that are looked up to a length of ``most`` at most."""
    used = np.unique(index)
    length = np.linalg.norm(table[used], ord=p, axis=1)
    long = length > most
    if long.any():
        edits.note(table)
        table[used[long]] *= (most / (length[long] + 1e-7)).astype(table.dtype)[:, None]


def _share(
    index: Array, count: int, padding_idx: int | None, by_frequency: bool, dtype: Any
) -> Array:
    """What of each looked-up row's gradient counts, (..., 1)."""
    share = np.ones((*index.shape, 1), dtype)
    if by_frequency:
        times = np.bincount(index.reshape(-1), minlength=count)
        share = (1 / times[index])[..., None].astype(dtype)
    if padding_idx is not None:
        if not -count <= padding_idx < count:
            raise ValueError(
                f"embedding: padding_idx {padding_idx} is not a row of the table, 0 to {count - 1}"
            )
        share = np.asarray(share * (index != padding_idx % count)[..., None].astype(dtype))
    return share
