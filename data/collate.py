"""From a list of items to a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..tensor.tensor import Tensor

__all__ = ["default_collate", "default_convert"]


def default_collate(batch: Sequence[Any]) -> Any:
    """Join the items of a list into one batch, as PyTorch's function of that name does.

    Tensors, NumPy arrays and PyTorch's tensors of shape `(…)` become one Tensor `(len(batch), …)`;
    Python ints become int64, floats float64, bools bool; texts stay as they are; tuples and lists
    are joined place by place, mappings key by key.

    >>> x, y = default_collate([(np.zeros(3), 1), (np.ones(3), 0)])
    >>> x.shape, y.tolist()
    ((2, 3), [1, 0])
    """
    if not len(batch):
        raise ValueError("default_collate got an empty list: a batch needs at least one item")
    first = batch[0]
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Tensor) and any(getattr(item, "requires_grad", False) for item in batch):
        _same_shapes([item.shape for item in batch])
        from ..tensor.joining import stack

        return stack(list(batch))
    if _is_array(first):
        arrays = [_array(item) for item in batch]
        _same_shapes([a.shape for a in arrays])
        return Tensor(np.stack(arrays))
    if isinstance(first, (bool, int, float, complex)):
        joined = np.array(batch)
        if joined.dtype.kind not in "biufc":
            raise TypeError(
                "the items of a batch must be of one kind; got "
                f"{', '.join(sorted({type(item).__name__ for item in batch}))} together. Pass "
                "collate_fn= to join them in another way"
            )
        return Tensor(joined)
    if isinstance(first, Mapping):
        return {key: default_collate([item[key] for item in batch]) for key in first}
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return type(first)(*_columns(batch))
    if isinstance(first, Sequence):
        return _columns(batch)
    raise TypeError(
        "default_collate takes items that are tensors, arrays, numbers, texts, or tuples, lists "
        f"and mappings of these; got {type(first).__name__}. Pass collate_fn= to join other items"
    )


def default_convert(item: Any) -> Any:
    """Turn the arrays in one item into Tensors, without a batch dimension.

    >>> default_convert({"x": np.zeros(3)})["x"].shape
    (3,)
    """
    return _map(item, lambda x: x if isinstance(x, Tensor) else Tensor(np.array(_array(x))))


def numpy_items(item: Any) -> Any:
    """Turn the Tensors in one item into NumPy arrays."""
    return _map(item, _array)


def _map(item: Any, change: Any) -> Any:
    if isinstance(item, (str, bytes)):
        return item
    if _is_array(item):
        return change(item)
    if isinstance(item, Mapping):
        return {key: _map(value, change) for key, value in item.items()}
    if isinstance(item, tuple) and hasattr(item, "_fields"):
        return type(item)(*(_map(part, change) for part in item))
    if isinstance(item, (tuple, list)):
        return type(item)(_map(part, change) for part in item)
    return item


def _is_array(item: Any) -> bool:
    return isinstance(item, (Tensor, np.ndarray, np.generic)) or (
        # PyTorch's tensors, known by what they can do: PyTorch itself is not imported here
        hasattr(item, "__array__") and hasattr(item, "detach")
    )


def _array(item: Any) -> np.ndarray[Any, Any]:
    return np.asarray(item.detach() if hasattr(item, "detach") else item)


def _columns(batch: Sequence[Any]) -> list[Any]:
    sizes = {len(item) for item in batch}
    if len(sizes) > 1:
        raise ValueError(
            f"the items of a batch must have equally many parts, got {sorted(sizes)}; "
            "pass collate_fn= to join them in another way"
        )
    return [default_collate(column) for column in zip(*batch, strict=True)]


def _same_shapes(shapes: list[tuple[int, ...]]) -> None:
    for i, shape in enumerate(shapes):
        if tuple(shape) != tuple(shapes[0]):
            raise ValueError(
                f"the items of a batch must have one shape: item 0 has {tuple(shapes[0])}, item "
                f"{i} has {tuple(shape)}. Pad or crop them, or pass collate_fn="
            )
