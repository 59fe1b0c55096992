"""Saving and loading: tensors and plain values, in two formats that hold no code.

``.safetensors`` is read and written by PyTorch programs too; ``.npz`` by NumPy. What is not a
tensor (numbers, text, lists, dicts) goes along as JSON. Nothing is ever unpickled.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .files import write_whole
from .node import Array
from .tensor import Tensor

_PLAN = "__gradling__"  # the JSON beside the tensors; without it a file is a plain dict of tensors


def save(state: Any, path: str | os.PathLike[str]) -> None:
    """Write ``state`` to ``path`` as its suffix says, ``.safetensors`` or ``.npz``, whole or not at
    all.

    Args:
        state: tensors, arrays, numbers, text, None, and lists, tuples and dicts of them.

    Raises:
        TypeError: something else is in it, named with its place. ValueError: another suffix.

    >>> import gradling, tempfile, os
    >>> path = os.path.join(tempfile.mkdtemp(), "state.safetensors")
    >>> save({"w": gradling.ones(2), "epoch": 3}, path)
    >>> load(path)
    {'w': tensor([1., 1.]), 'epoch': 3}
    """
    write, _ = _format(path)
    arrays: dict[str, Array] = {}
    plan = _taken_apart(state, "", arrays)
    flat = isinstance(state, dict) and all(
        isinstance(k, str) and isinstance(v, (Tensor, np.ndarray)) for k, v in state.items()
    )
    write_whole(path, write(arrays, None if flat else json.dumps(plan)))


def load(path: str | os.PathLike[str]) -> Any:
    """What ``save`` wrote, or the tensors of any ``.safetensors`` or ``.npz`` file as a dict.

    Raises:
        ValueError: the file is truncated, damaged, or wants to be unpickled. FileNotFoundError.
    """
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
            "truncated or "
            "damaged, or no file of this kind; save it again"
        ) from error


def _format(path: str | os.PathLike[str]) -> tuple[Callable[..., bytes], Callable[..., Any]]:
    suffix = Path(path).suffix
    if suffix not in _FORMATS:
        raise ValueError(
            f"expected a path ending in {' or '.join(_FORMATS)}, got {os.fspath(path)!r}"
        )
    return _FORMATS[suffix]


# Structure ---------------------------------------------------------------------------------------
# Plain JSON values stand for themselves; lists and dicts are marked, so that tuples, number keys
# and tensors come back as what they were.


def _taken_apart(value: Any, name: str, arrays: dict[str, Array]) -> Any:
    if isinstance(value, (Tensor, np.ndarray)):
        while name in arrays or name == _PLAN:  # "a.b" may also be the b of a dict a
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
        "arrays, numbers, "
        "text, None, and lists, tuples and dicts of them: nothing that would have to be unpickled"
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


# Formats -----------------------------------------------------------------------------------------


def _write_safetensors(arrays: dict[str, Array], plan: str | None) -> bytes:
    from safetensors.numpy import save as to_bytes

    whole = {
        name: np.ascontiguousarray(array).reshape(array.shape) for name, array in arrays.items()
    }
    return to_bytes(whole, metadata=None if plan is None else {_PLAN: plan})


def _read_safetensors(content: bytes) -> tuple[dict[str, Array], str | None]:
    from safetensors import deserialize

    entries: Any = deserialize(content)  # type: ignore[no-untyped-call]
    arrays = {name: _from_bytes(name, entry) for name, entry in entries}
    length = int.from_bytes(content[:8], "little")
    metadata = json.loads(content[8 : 8 + length]).get("__metadata__") or {}
    return arrays, metadata.get(_PLAN)


_DTYPES = {
    "BOOL": "?", "U8": "u1", "I8": "i1", "I16": "<i2", "I32": "<i4", "I64": "<i8",
    "F16": "<f2", "F32": "<f4", "F64": "<f8",
}  # fmt: skip


def _from_bytes(name: str, entry: Any) -> Array:
    kind, shape, raw = entry["dtype"], entry["shape"], entry["data"]
    if kind == "BF16":  # the upper half of a float32
        wide = np.frombuffer(raw, "<u2").astype("<u4") << 16
        return wide.view("<f4").reshape(shape)
    if kind not in _DTYPES:
        raise ValueError(f"tensor {name!r} has dtype {kind}, which has no counterpart here")
    return np.frombuffer(raw, _DTYPES[kind]).reshape(shape).copy()


def _write_npz(arrays: dict[str, Array], plan: str | None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            _add(archive, name, array)
        if plan is not None:
            _add(archive, _PLAN, np.array(plan))
    return buffer.getvalue()


def _add(archive: zipfile.ZipFile, name: str, array: Array) -> None:
    entry = io.BytesIO()
    np.lib.format.write_array(entry, np.asanyarray(array), allow_pickle=False)
    archive.writestr(
        zipfile.ZipInfo(f"{name}.npy"), entry.getvalue()
    )  # no clock: equal states, equal bytes


def _read_npz(content: bytes) -> tuple[dict[str, Array], str | None]:
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise ValueError("this is a single array, not an archive")
        arrays = {name: archive[name] for name in archive.files}
    plan = arrays.pop(_PLAN, None)
    for name, array in arrays.items():
        if array.dtype.kind not in "fiub":
            raise ValueError(f"entry {name!r} holds {array.dtype}, not numbers")
    return arrays, None if plan is None else str(plan)


_FORMATS = {
    ".safetensors": (_write_safetensors, _read_safetensors),
    ".npz": (_write_npz, _read_npz),
}
