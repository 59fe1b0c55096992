"""Who changed which memory when: so that backward never uses an array that was edited since.

Edits through our API are noted by the memory's owner. Memory that NumPy code outside can write to
(``from_numpy``, ``numpy()``) is fingerprinted when a node saves it, since nobody tells us of such
writes.
"""

from __future__ import annotations

import weakref
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..engine.sites import user_line
from .node import Array, Node, tick

_SMALL = 1 << 14  # bytes up to which a fingerprint covers every byte by itself
_BLOCK = 512  # words of 8 bytes that are summed up into one above that


class Edit:
    """The last edit of a piece of memory."""

    __slots__ = ("owner", "seq", "site")

    def __init__(self, owner: weakref.ref[Any], seq: int, site: str) -> None:
        self.owner, self.seq, self.site = owner, seq, site


_edits: dict[int, Edit] = {}  # by the id of the memory's owner, as the next two
_exposed: dict[int, weakref.ref[Any]] = {}  # code outside may write to it
_shared: dict[int, weakref.ref[Any]] = {}  # handles outside the graph look at it
latest = 0  # seq of the last edit anywhere: nodes younger than it need no look-up


def owner(array: Array) -> Array:
    """The array whose memory this is a view of."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


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
        _edits[key] = Edit(_forgotten_with(memory, _edits), seq, site or user_line())
    latest = seq


def expose(array: Array) -> None:
    """Record that code outside may write to ``array``'s memory."""
    memory = owner(array)
    if id(memory) not in _exposed:
        _exposed[id(memory)] = _forgotten_with(memory, _exposed)


def share(array: Array) -> None:
    """Record that a tensor outside the graph, or NumPy, looks at ``array``'s memory."""
    memory = owner(array)
    if id(memory) not in _shared:
        _shared[id(memory)] = _forgotten_with(memory, _shared)


def is_shared(array: Array) -> bool:
    key = id(owner(array))
    return key in _shared or key in _exposed


def _forgotten_with(memory: Array, registry: dict[int, Any]) -> weakref.ref[Any]:
    key = id(memory)
    return weakref.ref(memory, lambda _: registry.pop(key, None))


def edited_since(array: Array, seq: int) -> Edit | None:
    """The edit of ``array``'s memory that came after ``seq``."""
    edit = _edits.get(id(owner(array)))
    return edit if edit is not None and edit.seq > seq else None


def seal(node: Node) -> None:
    """Fingerprint what ``node`` saved of exposed memory."""
    seals = [
        (place, fingerprint(array)) for place, array in _kept(node) if id(owner(array)) in _exposed
    ]
    if seals:
        node.note("seals", dict(seals))


def fingerprint(array: Array) -> int:
    """A number that changes with the entries; an edit that it misses must move 8-byte words about
    within one block of 4 KB, or leave all their sums as they were."""
    if not array.flags.c_contiguous:
        array = array.T if array.flags.f_contiguous else np.ascontiguousarray(array)
    raw = array.reshape(-1).view(np.uint8)
    if raw.size <= _SMALL:
        return zlib.crc32(raw.data)
    whole = raw.size - raw.size % (8 * _BLOCK)
    sums = np.add.reduce(raw[:whole].view(np.uint64).reshape(-1, _BLOCK), axis=1)
    return zlib.crc32(raw[whole:].data, zlib.crc32(sums.data))


def _kept(node: Node) -> Iterator[tuple[int, Array]]:
    """What a node saved, by place: 0 is its result, then its operands, then the rest."""
    held: tuple[Any, ...] = (*(node.saved or ()), *(node.noted("also saved") or ()))
    for place, array in enumerate(held):
        if isinstance(array, np.ndarray):
            yield place, array


def check(node: Node) -> None:
    """Raise if an array that ``node`` saved has changed since.

    Raises:
        RuntimeError: names the op, the operand, and where it was edited.
    """
    seals: dict[int, int] = node.noted("seals") or {}
    if latest < node.seq and not seals:
        return
    for place, array in _kept(node):
        edit = edited_since(array, node.seq)
        if edit is not None:
            _refuse(node, place, f"by the in-place edit at {edit.site}")
        if place in seals and fingerprint(array) != seals[place]:
            how = "by NumPy code outside, through memory it shares with the tensor"
            _refuse(node, place, how)


def _refuse(node: Node, place: int, how: str) -> None:
    assert node.op is not None
    args = node.op.args
    if place == 0:
        what = "its result"
    elif node.op.variadic or place > len(args):
        what = f"an array (#{place})"
    else:
        what = f"its operand {args[place - 1]!r}"
    where = node.noted("site")
    at = f" (made at {where})" if where else ""
    raise RuntimeError(
        f"backward: {node.name}{at} saved {what}, which was changed afterwards {how}. "
        "Its gradient would be wrong: edit a copy (x.clone()), or edit after backward()."
    )
