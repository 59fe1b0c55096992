"""Fetch a file once: with progress, going on where it stopped, checked before it gets its name."""

from __future__ import annotations

import hashlib
import os
import sys
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any

__all__ = ["download"]

_CHUNK = 1 << 16


def download(url: str, path: str | Path, *, md5: str | None = None, timeout: float = 30.0) -> Path:
    """Download `url` to `path`, unless a file with the right checksum is there already.

    The bytes go to `<path>.part` first; when they are complete and their checksum is right, the
    file is renamed in one step, so that `path` never holds half a file. A `.part` left by a broken
    connection is gone on with; one whose checksum is wrong is deleted.

    Args:
        md5: the checksum in hexadecimal, published with the file. It guards against damage, not
            against malice.
        timeout: seconds to wait for the server.

    Raises:
        OSError: no connection, or it broke; calling again goes on from there.
        ValueError: the bytes are not those that were promised.
    """
    path = Path(path)
    if path.exists() and (md5 is None or checksum(path) == md5):
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        _receive(url, part, timeout)
    except (OSError, HTTPException) as error:
        raise OSError(
            f"could not download {url}: {error}. "
            f"Try again later (what has come is kept), or put the file at {path} by hand"
        ) from error
    if md5 is not None and (found := checksum(part)) != md5:
        part.unlink()
        raise ValueError(
            f"{url} gave a file with MD5 {found} where {md5} was expected; it was deleted. Try "
            f"again, or put the right file at {path} by hand"
        )
    os.replace(part, path)
    return path


def checksum(path: str | Path) -> str:
    """Return the MD5 of a file in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _receive(url: str, part: Path, timeout: float) -> None:
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response = urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        if error.code != 416 or not have:
            raise
        error.close()
        # Nothing lies beyond what we have: either it is all there, or it never was of this file.
        part.unlink()
        return _receive(url, part, timeout)
    with response:
        resumed = response.status == 206
        length = response.headers.get("Content-Length")
        have = have if resumed else 0
        total = None if length is None else have + int(length)
        with open(part, "ab" if resumed else "wb") as out:
            _copy(response, out, have, total, part.stem)
    size = part.stat().st_size
    if total is not None and size < total:
        raise OSError(f"the connection broke after {size:,} of {total:,} bytes")


def _copy(response: IO[bytes], out: IO[bytes], have: int, total: int | None, name: str) -> None:
    from tqdm import tqdm

    if not sys.stderr.isatty():
        size = "" if total is None else f", {total / 1e6:.1f} MB"
        print(f"downloading {name}{size}", file=sys.stderr)
    # disable=None: no bar where nobody would see it move
    bar: Any = tqdm(
        total=total, initial=have, unit="B", unit_scale=True, desc=name, disable=None, leave=False
    )
    with bar:
        while piece := response.read(_CHUNK):
            out.write(piece)
            bar.update(len(piece))
