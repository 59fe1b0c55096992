"""Where the files of a data set are looked for, and what to say when they are not there."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

__all__ = ["data_home", "find", "missing"]

VARIABLE = "GRADLING_DATA"


def data_home(root: str | Path | None = None) -> Path:
    """Return the folder for data sets: `root`, else `$GRADLING_DATA`, else the user's cache.

    >>> data_home("somewhere").name
    'somewhere'
    """
    if root is not None:
        return Path(root).expanduser()
    if os.environ.get(VARIABLE):
        return Path(os.environ[VARIABLE]).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "gradling"


def folders(name: str, root: str | Path | None) -> Iterator[Path]:
    """List where the files of data set `name` may lie.

    `<home>/<name>` and `<home>/<name>/raw`, the layout of torchvision; and `root` itself, if it was
    given. Never the bare home: MNIST, FashionMNIST and KMNIST give their files the same names.
    """
    home = data_home(root)
    yield home / name / "raw"
    yield home / name
    if root is not None:
        yield home


def find(name: str, files: Sequence[str], root: str | Path | None) -> Path | None:
    """Return the first path that exists, trying every folder for every spelling of a file."""
    for folder in folders(name, root):
        for file in files:
            if (folder / file).is_file():
                return folder / file
    return None


def missing(
    name: str, files: Sequence[str], root: str | Path | None, urls: Sequence[str]
) -> FileNotFoundError:
    """Return the error that tells which files to put where."""
    places = "\n".join(f"  {folder}" for folder in folders(name, root))
    return FileNotFoundError(
        f"{name} is not here. Pass download=True, or get\n"
        + "\n".join(f"  {url}" for url in urls)
        + f"\nand put {', '.join(files)} into one of\n{places}\n"
        + f"Pass root= or set {VARIABLE} to use another folder."
    )
