"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(path: str | os.PathLike[str], content: str | bytes) -> Path:
    """Write beside ``path`` and move into place, so that no reader ever sees half a file.

    Raises:
        FileNotFoundError: the folder does not exist.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"cannot write {path.name}: there is no folder {str(path.parent)!r}; create it first"
        )
    data = content.encode() if isinstance(content, str) else content
    passing = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        passing.write_bytes(data)
        os.replace(passing, path)
    finally:
        passing.unlink(missing_ok=True)
    return path
