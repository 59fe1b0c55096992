"""Who changed which memory when: so that backward never uses an array that was edited after it was saved.

Edits through our API are noted by the memory's owner. Memory that NumPy code outside can write to
(``from_numpy``, ``numpy()``) is fingerprinted when a node saves it, since nobody tells us of such writes.
"""

from __future__ import annotations

import sys
import weakref
import zlib
from typing import Any

from .node import Array, Node, tick

_PACKAGE = __name__.rpartition(".")[0].rpartition(".")[0]
_WHOLE = 1 << 20  # bytes up to which a fingerprint covers every byte; larger arrays are sampled


class Edit:
    __slots__ = ("owner", "seq", "site")

    def __init__(self, owner: weakref.ref[Array], seq: int, site: str) -> None:
        self.owner, self.seq, self.site = owner, seq, site


_edits: dict[int, Edit] = {}
_exposed: dict[int, weakref.ref[Array]] = {}
latest = 0  # seq of the last edit anywhere: nodes younger than it need no look-up


def owner(array: Array) -> Array:
    """The array whose memory this is a view of."""
    while isinstance(array.base, type(array)):
        array = array.base
    return array


def user_line() -> str:
    """``file:line`` of the nearest caller outside the package."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(_PACKAGE):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def note(array: Array, site: str = "") -> None:
    """Record that ``array``'s memory is about to change."""
    global latest
    memory = owner(array)
    key = id(memory)
    seq = tick()
    known = _edits.get(key)
    if known is not None:
        known.seq, known.site = seq, site or user_line()
    else:
        gone = weakref.ref(memory, lambda _, key=key: _edits.pop(key, None))  # type: ignore[misc]
        _edits[key] = Edit(gone, seq, site or user_line())
    latest = seq


def expose(array: Array) -> None:
    """Record that code outside may write to ``array``'s memory."""
    memory = owner(array)
    key = id(memory)
    if key not in _exposed:
        _exposed[key] = weakref.ref(memory, lambda _: _exposed.pop(key, None))


def seal(node: Node) -> None:
    """Fingerprint what ``node`` saved of exposed memory."""
    if not _exposed or node.saved is None:
        return
    seals = [
        (place, fingerprint(array))
        for place, array in enumerate(node.saved)
        if isinstance(array, Array) and id(owner(array)) in _exposed
    ]
    if seals:
        node.note("seals", seals)


def fingerprint(array: Array) -> int:
    if array.nbytes > _WHOLE:
        flat = array.reshape(-1) if array.flags.c_contiguous else array.flat[:: array.size // 4096 or 1]
        array = flat[:: max(1, flat.size // 4096)]
    return zlib.crc32(array.tobytes())


def check(node: Node) -> None:
    """Raise if an array that ``node`` saved has changed since.

    Raises:
        RuntimeError: names the op, the operand, and where it was edited.
    """
    if latest > node.seq and node.saved is not None:
        for place, array in enumerate(node.saved):
            if isinstance(array, Array):
                edit = _edits.get(id(owner(array)))
                if edit is not None and edit.seq > node.seq:
                    _refuse(node, place, f"by the in-place edit at {edit.site}")
    seals: list[tuple[int, int]] = node.noted("seals") or []
    for place, mark in seals:
        if node.saved is not None and fingerprint(node.saved[place]) != mark:
            _refuse(node, place, "by NumPy code outside, through memory it shares with the tensor")


def _refuse(node: Node, place: int, how: str) -> None:
    assert node.op is not None
    what = "its result" if place == 0 else f"its operand {node.op.args[min(place, len(node.op.args)) - 1]!r}"
    where: Any = node.noted("site")
    at = f" (made at {where})" if where else ""
    raise RuntimeError(
        f"backward: {node.name}{at} saved {what}, which was changed afterwards {how}. "
        "Its gradient would be wrong: edit a copy (x.clone()), or edit after backward()."
    )
