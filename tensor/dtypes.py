"""dtypes, and what becomes of mixed ones: PyTorch's names and rules on NumPy's dtype objects."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np

DType = np.dtype[Any]

bool_: DType = np.dtype(np.bool_)
uint8: DType = np.dtype(np.uint8)
int8: DType = np.dtype(np.int8)
int16: DType = np.dtype(np.int16)
int32: DType = np.dtype(np.int32)
int64: DType = np.dtype(np.int64)
float16: DType = np.dtype(np.float16)
float32: DType = np.dtype(np.float32)
float64: DType = np.dtype(np.float64)
short, int_, long, half, float_, double = int16, int32, int64, float16, float32, float64

NAMES = {
    "bool": bool_, "uint8": uint8, "int8": int8, "int16": int16, "int32": int32, "int64": int64,
    "float16": float16, "float32": float32, "float64": float64,
    "short": short, "int": int_, "long": long, "half": half, "float": float_, "double": double,
}  # fmt: skip
SUPPORTED = frozenset(NAMES.values())

_default = float32


def get_default_dtype() -> DType:
    """The dtype that Python floats become: float32 unless ``set_default_dtype`` said otherwise."""
    return _default


def set_default_dtype(dtype: Any) -> None:
    """Let Python floats become ``dtype`` (float16, float32 or float64) from now on."""
    global _default
    wanted = as_dtype(dtype)
    if wanted.kind != "f":
        raise TypeError(f"set_default_dtype: expected a floating dtype, got {wanted}")
    _default = wanted
    result_dtype.cache_clear()


def as_dtype(dtype: Any) -> DType:
    """A NumPy dtype from any spelling: ``gradling.float32``, ``np.float32``, ``"float32"``,
    ``float``.

    Python's own ``float`` is the default float dtype, ``int`` is int64 and ``bool`` is bool.
    """
    if dtype.__class__ is type and dtype in (float, int, bool):
        return {float: _default, int: int64, bool: bool_}[dtype]
    if isinstance(dtype, str):
        found = NAMES.get(dtype.removeprefix("gradling.").removeprefix("torch."))
    else:
        try:
            found = np.dtype(dtype)
        except TypeError:
            found = NAMES.get(str(dtype).removeprefix("torch."))
    if found is not None:
        found = found.newbyteorder("=")
    if found is None or found not in SUPPORTED:
        raise TypeError(
            f"expected a dtype, got {dtype!r}; there are "
            f"{', '.join(sorted(d.name for d in SUPPORTED))}"
        )
    return np.dtype(found.type)  # NumPy's one object for it: dtypes are compared with `is`


def rank(dtype: DType) -> int:
    """bool below whole numbers below floats: a higher kind decides the kind of the result."""
    return {"b": 0, "i": 1, "u": 1, "f": 2}[dtype.kind]


def promote_types(a: DType, b: DType) -> DType:
    """The smallest dtype that both fit in; a float absorbs any whole number without growing."""
    if a is b:
        return a
    if rank(a) != rank(b):
        return a if rank(a) > rank(b) else b
    return np.promote_types(a, b)


Weak = type  # a Python number takes part by kind only: bool, int or float


@cache
def result_dtype(
    shaped: tuple[DType, ...], single: tuple[DType, ...], weak: tuple[Weak, ...]
) -> DType:
    """The dtype of a result: tensors with dimensions decide, 0-d ones and Python numbers only by
    kind."""
    scalar = {bool: bool_, int: int64, float: _default}
    result: DType | None = None
    for group in (shaped, single, tuple(scalar[kind] for kind in weak)):
        if group:
            found = group[0]
            for dtype in group[1:]:
                found = promote_types(found, dtype)
            if result is None:
                result = found
            elif rank(found) > rank(result):
                result = promote_types(result, found)
    assert result is not None
    return result


def common_dtype(operands: Iterable[Any]) -> DType:
    """The result dtype of arrays and Python numbers."""
    shaped: list[DType] = []
    single: list[DType] = []
    weak: list[Weak] = []
    for x in operands:
        if isinstance(x, np.ndarray):
            (shaped if x.ndim else single).append(x.dtype)
        else:
            weak.append(bool if x.__class__ is bool else int if isinstance(x, int) else float)
    return result_dtype(tuple(shaped), tuple(single), tuple(weak))


def result_type(*operands: Any) -> DType:
    """The dtype that an op of these tensors and numbers would have.

    >>> import gradling
    >>> gradling.result_type(gradling.tensor([1, 2]), 1.5)
    dtype('float32')
    """
    return common_dtype([getattr(x, "_data", x) for x in operands])
