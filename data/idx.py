"""The IDX format: one array a file, as the MNIST family is distributed.

Two zero bytes, a byte for the type, a byte for the number of dimensions, each dimension as a
big-endian 32-bit integer, then the numbers, big-endian, last dimension fastest
(http://yann.lecun.com/exdb/mnist/, "The IDX file format").
"""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

__all__ = ["read_idx"]

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_CHUNK = 1 << 20


def read_idx(path: str | Path, file: IO[bytes] | None = None) -> npt.NDArray[Any]:
    """Read one array from an IDX file, gzipped or not, whatever its name ends in.

    Args:
        path: the file; only a name for messages where `file` is given.
        file: an open binary file to read in its place.

    Raises:
        ValueError: the file is not IDX, is cut short, has bytes too many, or does not unpack; the
            message gives the path and both lengths.

    >>> import io
    >>> read_idx("three.idx", io.BytesIO(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9])))
    array([7, 8, 9], dtype=uint8)
    """
    if file is None:
        with open(path, "rb") as opened:
            return read_idx(path, opened)
    packed = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    try:
        return _parse(path, gzip.GzipFile(fileobj=file) if packed else file)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path} is corrupt or cut short: {error}. Get it again") from None


def _parse(path: str | Path, file: Any) -> npt.NDArray[Any]:
    head = file.read(4)
    if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in _TYPES or not head[3]:
        raise ValueError(
            f"{path} is not an IDX file: it must begin with 00 00, a type and a number of "
            f"dimensions; it begins with {head.hex(' ') or 'nothing'}"
        )
    dtype, ndim = np.dtype(_TYPES[head[2]]), head[3]
    sizes = file.read(4 * ndim)
    if len(sizes) < 4 * ndim:
        raise ValueError(f"{path} is cut short within its header. Get it again")
    shape = tuple(np.frombuffer(sizes, ">u4").tolist())
    expected = math.prod(shape) * dtype.itemsize
    data = bytearray()
    # In pieces: a corrupt header may promise more than any memory holds.
    while len(data) <= expected and (piece := file.read(min(_CHUNK, expected + 1 - len(data)))):
        data += piece
    if len(data) != expected:
        there = "more" if len(data) > expected else f"{len(data):,}"
        raise ValueError(
            f"{path} is corrupt or cut short: its header promises {expected:,} bytes for shape "
            f"{shape}, {there} are there. Get it again"
        )
    array = np.frombuffer(bytes(data), dtype).reshape(shape)
    return array.astype(dtype.newbyteorder("="))
