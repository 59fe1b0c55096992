"""The bytes of a file of tensors: ``.safetensors``, which PyTorch programs read and write too, and
``.npz``, which NumPy does.

``saving.py`` imports this file when something is saved or loaded: ``import gradling`` does not
wait for json and zipfile.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import numpy as np

from .node import Array
from .saving import RESERVED  # holds the JSON; a file without it is a plain dict of tensors


def write_safetensors(arrays: dict[str, Array], plan: str | None) -> bytes:
    from safetensors.numpy import save as to_bytes

    whole = {
        name: np.ascontiguousarray(array).reshape(array.shape) for name, array in arrays.items()
    }
    return to_bytes(whole, metadata=None if plan is None else {RESERVED: plan})


def read_safetensors(content: bytes) -> tuple[dict[str, Array], str | None]:
    from safetensors import deserialize

    entries: Any = deserialize(content)  # type: ignore[no-untyped-call]
    arrays = {name: _from_bytes(name, entry) for name, entry in entries}
    length = int.from_bytes(content[:8], "little")
    metadata = json.loads(content[8 : 8 + length]).get("__metadata__") or {}
    return arrays, metadata.get(RESERVED)


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


def write_npz(arrays: dict[str, Array], plan: str | None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            _add(archive, name, array)
        if plan is not None:
            _add(archive, RESERVED, np.array(plan))
    return buffer.getvalue()


def _add(archive: zipfile.ZipFile, name: str, array: Array) -> None:
    entry = io.BytesIO()
    np.lib.format.write_array(entry, np.asanyarray(array), allow_pickle=False)
    # a ZipInfo of its own has no clock: equal states, equal bytes
    archive.writestr(zipfile.ZipInfo(f"{name}.npy"), entry.getvalue())


def read_npz(content: bytes) -> tuple[dict[str, Array], str | None]:
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise ValueError("this is a single array, not an archive")
        arrays = {name: archive[name] for name in archive.files}
    plan = arrays.pop(RESERVED, None)
    for name, array in arrays.items():
        if array.dtype.kind not in "fiub":
            raise ValueError(f"entry {name!r} holds {array.dtype}, not numbers")
    return arrays, None if plan is None else str(plan)


FORMATS = {
    ".safetensors": (write_safetensors, read_safetensors),
    ".npz": (write_npz, read_npz),
}
