"""CIFAR-10 in its binary distribution: plain bytes, no pickles."""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .download import download
from .files import data_home, find, missing
from .images import ImageDataset

__all__ = ["CIFAR10"]

_RECORD = 1 + 3 * 32 * 32  # a label, then 1,024 red, green and blue pixels each


class CIFAR10(ImageDataset):
    """60,000 colour photographs, 32 x 32, in ten classes (Krizhevsky, 2009).

    Read from `cifar-10-binary.tar.gz` in place, or from the `.bin` files unpacked from it.

    Args:
        root: the folder that holds them or shall hold them, themselves or in `CIFAR10/`, with
            or without `cifar-10-batches-bin/` between; if left out, `$GRADLING_DATA`, else the
            user's cache.
        train: the 50,000 to train on, or the 10,000 to test with.
        download: fetch the archive, 170 MB, if it is not there.
        transform, target_transform: see `ImageDataset`.

    Raises:
        FileNotFoundError: no files and no `download=True`; the message says what to put where.
        ValueError: a file is corrupt or cut short.
    """

    classes = "airplane automobile bird cat deer dog frog horse ship truck".split()
    mirror = "https://www.cs.toronto.edu/~kriz/"
    archive, archive_md5 = "cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530"
    folder = "cifar-10-batches-bin"

    def __init__(
        self,
        root: str | Path | None = None,
        train: bool = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        download: bool = False,
    ) -> None:
        self.train = train
        names = [f"data_batch_{i}.bin" for i in range(1, 6)] if train else ["test_batch.bin"]
        images, labels = zip(*self._read(names, root, download), strict=True)
        super().__init__(
            np.concatenate(images), np.concatenate(labels), transform, target_transform
        )

    def _read(self, names: list[str], root: Any, fetch: bool) -> list[Any]:
        places = [find("CIFAR10", [f"{self.folder}/{name}", name], root) for name in names]
        if all(places):
            return [read_batch(place, place.read_bytes()) for place in places if place]
        path = find("CIFAR10", [self.archive], root)
        url = self.mirror + self.archive
        if path is None and fetch:
            path = download(url, data_home(root) / "CIFAR10" / self.archive, md5=self.archive_md5)
        if path is None:
            raise missing("CIFAR10", [self.archive], root, [url])
        return list(self._unpack(path, names))

    def _unpack(self, path: Path, names: list[str]) -> Any:
        try:
            with tarfile.open(path) as packed:
                for name in names:
                    member = packed.extractfile(f"{self.folder}/{name}")
                    if member is None:
                        raise KeyError(name)
                    yield read_batch(f"{path}/{name}", member.read())
        except (tarfile.TarError, EOFError, OSError, zlib.error, KeyError) as error:
            raise ValueError(
                f"{path} is corrupt, cut short or another archive: {error}. Get it again"
            ) from None


def read_batch(
    path: str | Path, data: bytes
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Return the images `(n, 3, 32, 32)` and labels `(n,)` of one binary file.

    >>> images, labels = read_batch("two.bin", (bytes([7]) + bytes(3072)) * 2)
    >>> images.shape, labels.tolist()
    ((2, 3, 32, 32), [7, 7])
    """
    if not data or len(data) % _RECORD:
        raise ValueError(
            f"{path} is corrupt or cut short: it must hold whole records of {_RECORD} bytes, "
            f"it has {len(data):,} bytes. Get it again"
        )
    records = np.frombuffer(data, np.uint8).reshape(-1, _RECORD)
    labels = records[:, 0].astype(np.int64)
    if labels.max() > 9:
        raise ValueError(f"{path} is corrupt: label {labels.max()} where 0 to 9 are possible")
    return records[:, 1:].reshape(-1, 3, 32, 32), labels
