"""Saving and loading: tensors and plain values, in two formats that hold no code.

``.safetensors`` is read and written by PyTorch programs too; ``.npz`` by NumPy. What is not a
tensor (numbers, text, lists, dicts) goes along as JSON. Nothing is ever unpickled.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from . import reading
from .files import write_whole
from .node import Array
from .tensor import Tensor

RESERVED = "__gradling__"  # the name under which a file holds its structure


def save(state: Any, path: str | os.PathLike[str]) -> None:
    """Write ``state`` to ``path`` as its suffix says, ``.safetensors`` or ``.npz``, whole or not at
    all.

    Args:
        state: tensors, arrays, numbers, text, None, and lists, tuples and dicts of them.

    Raises:
        TypeError: something else is in it, named with its place.
        ValueError: another suffix.

    >>> import gradling, tempfile, os
    >>> path = os.path.join(tempfile.mkdtemp(), "state.safetensors")
    >>> save({"w": gradling.ones(2), "epoch": 3}, path)
    >>> load(path)
    {'w': tensor([1., 1.]), 'epoch': 3}
    """
    import json

    write, _ = _format(path)
    arrays: dict[str, Array] = {}
    plan = _taken_apart(state, "", arrays)
    # a dict of nothing but tensors, which all have their keys as names, needs no plan
    tensors = isinstance(state, dict) and all(
        isinstance(value, (Tensor, np.ndarray)) for value in state.values()
    )
    flat = tensors and list(arrays) == list(state)
    write_whole(path, write(arrays, None if flat else json.dumps(plan)))


def load(path: str | os.PathLike[str]) -> Any:
    """What ``save`` wrote, or the tensors of any ``.safetensors`` or ``.npz`` file as a dict.

    Raises:
        ValueError: the file is truncated, damaged, or wants to be unpickled. FileNotFoundError.
    """
    reading.read("load()")
    import json

    _, read = _format(path)
    content = Path(path).read_bytes()
    try:
        arrays, plan = read(content)
        if plan is None:
            return {name: Tensor(array) for name, array in arrays.items()}
        return _put_together(json.loads(plan), arrays)
    except Exception as error:
        raise ValueError(
            f"load: {os.fspath(path)!r} ({len(content)} bytes) cannot be read: {error}. It is "
            "truncated or damaged, or no file of this kind; save it again"
        ) from error


def _format(path: str | os.PathLike[str]) -> tuple[Callable[..., bytes], Callable[..., Any]]:
    from .formats import FORMATS

    suffix = Path(path).suffix
    if suffix not in FORMATS:
        raise ValueError(
            f"expected a path ending in {' or '.join(FORMATS)}, got {os.fspath(path)!r}"
        )
    return FORMATS[suffix]


# Structure ---------------------------------------------------------------------------------------
# Plain JSON values stand for themselves; lists and dicts are marked, so that tuples, number keys
# and tensors come back as what they were.


def _taken_apart(value: Any, name: str, arrays: dict[str, Array]) -> Any:
    if isinstance(value, (Tensor, np.ndarray)):
        name = name.replace("\0", "�")  # at which a name in an archive would end
        while name in arrays or name == RESERVED:  # "a.b" may also be the b of a dict a
            name += "'"
        arrays[name] = value._data if isinstance(value, Tensor) else value
        return {"tensor": name} if isinstance(value, Tensor) else {"array": name}
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float)):
        return value.item() if isinstance(value, np.generic) else value
    if isinstance(value, (list, tuple)):
        entries = [_taken_apart(v, _joined(name, i), arrays) for i, v in enumerate(value)]
        return {"list" if isinstance(value, list) else "tuple": entries}
    if isinstance(value, dict):
        return {
            "dict": [
                [_key(k, name), _taken_apart(v, _joined(name, k), arrays)] for k, v in value.items()
            ]
        }
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(
        f"save: cannot save a {type(value).__name__} (at {name or 'the top'}); only tensors, "
        "arrays, numbers, text, None, and lists, tuples and dicts of them: nothing that would "
        "have to be unpickled"
    )


def _joined(name: str, part: Any) -> str:
    return f"{name}.{part}" if name else str(part)


def _key(key: Any, name: str) -> Any:
    if isinstance(key, (str, int)):
        return key
    raise TypeError(
        f"save: a dict (at {name or 'the top'}) has the key {key!r}; use text or whole numbers"
    )


def _put_together(plan: Any, arrays: dict[str, Array]) -> Any:
    if not isinstance(plan, dict):
        return plan
    ((kind, content),) = plan.items()
    if kind == "tensor":
        return Tensor(arrays[content])
    if kind == "array":
        return arrays[content]
    if kind == "dict":
        return {key: _put_together(value, arrays) for key, value in content}
    entries = [_put_together(entry, arrays) for entry in content]
    return {"list": entries, "tuple": tuple(entries)}[kind]
