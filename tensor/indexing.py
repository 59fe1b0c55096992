"""``x[…]``: picking entries by position, slice, mask or index tensor, and writing to them.

Every form that NumPy takes, negative steps included. Two things are PyTorch's: an int next to
index tensors picks its layer first (so ``x[0, :, [1, 2]]`` keeps the order of axes), and uint8
tensors are masks.
"""

from __future__ import annotations

import operator
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from ..engine.modes import mode
from . import edits
from .arguments import fits, said
from .errors import ShapeError
from .inplace import _check, _rebind
from .node import Array
from .positions import axes_of, explain_index
from .quiet import Quiet
from .reading import read
from .record import apply, as_constant
from .rows import indexing as rows

if TYPE_CHECKING:
    from .tensor import Tensor

FULL = slice(None)


def parse(key: Any) -> tuple[tuple[Any, ...], bool]:
    """A key as NumPy wants it: a tuple of ints, slices, None, ... and arrays; and whether it has
    arrays."""
    if key.__class__ is int:
        return (key, Ellipsis), False
    parts = key if key.__class__ is tuple else (key,)
    found, advanced, dots = [], False, False
    for part in parts:
        kind = part.__class__
        if kind is slice:
            part = _plain_slice(part)
        elif part is Ellipsis:
            dots = True
        elif kind is not int and part is not None:
            part = _converted(part)
            advanced |= part.__class__ is not int
        found.append(part)
    if not dots and not advanced:
        found.append(Ellipsis)  # so that NumPy gives a 0-d view, not a number, for a single entry
    return tuple(found), advanced


def _plain_slice(part: slice) -> slice:
    try:
        ends = [e if e is None else operator.index(e) for e in (part.start, part.stop, part.step)]
    except TypeError:
        raise IndexError(f"index: expected whole numbers in a slice, got {part}") from None
    return slice(*ends)


def _converted(part: Any) -> Any:
    """An int for whatever stands for one; an array for a mask or an index tensor."""
    if hasattr(part, "_data"):
        part = part._data
    elif isinstance(part, (list, range)):
        part = _listed(part)
    if isinstance(part, np.ndarray):
        if part.dtype.kind not in "iub":
            raise IndexError(
                f"index: expected whole numbers or a mask, got a {part.dtype} tensor; use .long() "
                "or .bool()"
            )
        if part.ndim == 0 and part.dtype.kind != "b":
            read("an index of one entry")
            return int(part)
        if part.dtype.kind == "b" or part.dtype.char == "B":
            read("a mask as an index")
        if part.dtype.char == "B":
            warnings.warn(
                "index: a uint8 tensor is taken as a mask, as in PyTorch; say .bool(), or .long() "
                "for indices",
                stacklevel=4,
            )
            return part.astype(bool)
        return part
    if isinstance(part, (bool, np.bool_)):
        return np.asarray(part)
    try:
        return operator.index(part)
    except TypeError:
        raise IndexError(
            f"index: expected ints, slices, None, ..., masks or index tensors, got {said(part)}"
        ) from None


def _listed(part: Any) -> Array:
    """Nested lists of ints, bools and tensors as an index array."""

    def plain(entry: Any) -> Any:
        if isinstance(entry, (list, range)):
            return [plain(e) for e in entry]
        return entry._data if hasattr(entry, "_data") else entry

    try:
        array = np.asarray(plain(part))
    except ValueError:
        raise IndexError(f"index: expected rows of one length in {said(part)}") from None
    if array.dtype.kind not in "iub" and array.size:
        raise IndexError(
            f"index: expected whole numbers or truth values in a list, got {said(part)}"
        )
    return array if array.size else array.astype(np.int64)


def _without_empty_dots(parts: tuple[Any, ...], ndim: int) -> tuple[Any, ...]:
    """Without an ``...`` that stands for no axis: to NumPy it would still separate index arrays."""
    if sum(axes_of(part) for part in parts) < ndim:
        return parts
    return tuple([part for part in parts if part is not Ellipsis])


def _separated(parts: tuple[Any, ...]) -> bool:
    """Are there ints among index arrays, with something else between? NumPy then reorders the
    axes."""
    places = [i for i, p in enumerate(parts) if p.__class__ is int or isinstance(p, np.ndarray)]
    ints = any(p.__class__ is int for p in parts)
    return ints and places[-1] - places[0] >= len(places)


def _in_two_steps(parts: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The same as basic indexing followed by indexing with arrays, for ``_separated`` keys."""
    basic: list[Any] = []
    advanced: list[Any] = []
    for part in parts:
        if isinstance(part, np.ndarray):
            basic += [FULL] * (part.ndim if part.dtype.kind == "b" else 1)
            advanced.append(part)
        else:
            basic.append(part)
            if part.__class__ is not int:
                advanced.append(part if part is Ellipsis else FULL)
    if Ellipsis not in [part for part in basic if part is Ellipsis]:
        basic.append(Ellipsis)
    return tuple(basic), tuple(advanced)


def getitem(input: Tensor, key: Any) -> Tensor:
    """Every form of index that NumPy takes; slices share memory, masks and index tensors copy.

    Raises:
        IndexError: out of range, too many indices, a mask of another shape; says what would be
            allowed.

    >>> import gradling
    >>> x = gradling.arange(6).reshape(2, 3)
    >>> x[:, ::-1].tolist(), x[x > 3].tolist(), x[[1, 0], [0, 2]].tolist()
    ([[2, 1, 0], [5, 4, 3]], [4, 5], [3, 2])
    """
    asked, advanced = parse(key)
    parts, shape = asked, input._data.shape
    try:
        if not advanced:
            return apply(rows.getitem, (input,), (parts, shape))
        parts = _without_empty_dots(parts, len(shape))
        if _separated(parts):
            basic, parts = _in_two_steps(parts)
            input = apply(rows.getitem, (input,), (basic, shape))
        if input._node is not None and mode().grad:
            parts = _own(parts)
        return apply(rows.index, (input,), (parts, input._data.shape))
    except IndexError as error:
        raise explain_index("index", asked, shape, error) from None


def _own(parts: tuple[Any, ...]) -> tuple[Any, ...]:
    """Index arrays that nobody else can change before backward needs them."""
    return tuple([p.copy() if isinstance(p, np.ndarray) else p for p in parts])


def setitem(input: Tensor, key: Any, value: Any) -> None:
    """Write to the entries that ``key`` picks; recorded where a gradient has to know of it.

    ``value`` broadcasts to what is picked and takes the dtype of ``input``. Of several values for
    one entry the last one stays. To add them up instead: ``index_put_(..., accumulate=True)``.
    """
    asked, advanced = parse(key)
    parts, node = asked, getattr(value, "_node", None)
    tracked = input._node is not None or (node is not None and input._data.dtype.kind == "f")
    if advanced:
        parts = _without_empty_dots(parts, input._data.ndim)
    if tracked and mode().grad:
        _record_edit(input, parts, advanced, value)
        return
    patch = _patch(input, value)
    array = input._data
    if not array.flags.writeable:
        raise RuntimeError(
            "setitem: this tensor's memory is read-only (it was expanded, or comes from a "
            "read-only array); write to x.clone()"
        )
    try:
        if advanced and _separated(parts):
            basic, parts = _in_two_steps(parts)
            array = array[basic]
        with Quiet():
            array[parts] = patch
    except IndexError as error:
        raise explain_index("setitem", asked, input._data.shape, error) from None
    except ValueError as error:
        raise _misfit(array, parts, patch, error) from None
    edits.note(input._data)


def _patch(input: Tensor, value: Any) -> Any:
    if hasattr(value, "_data"):
        return _without_leading_ones(value._data)
    if isinstance(value, (list, tuple)):
        value = np.asarray(value)
    value = as_constant(rows.setitem, value)
    if isinstance(value, np.ndarray):
        return _without_leading_ones(value)
    return fits("setitem", value, input._data.dtype)


def _without_leading_ones(patch: Any) -> Any:
    """For masks NumPy takes values with one axis only; axes of size 1 in front change nothing."""
    while len(patch.shape) > 1 and patch.shape[0] == 1:
        patch = patch.reshape(patch.shape[1:])
    return patch


def _misfit(array: Array, parts: Any, patch: Any, error: ValueError) -> ValueError:
    try:
        room = array[parts].shape
    except ValueError:  # a slice step of 0
        return error
    shape = np.shape(patch)
    return ShapeError(
        f"setitem: a value of shape {shape} does not fit the {room} that was picked; each of its "
        "sizes must be 1 or the same, counted from the last"
    )


def _record_edit(input: Tensor, parts: Any, advanced: bool, value: Any) -> None:
    """The same in a graph: the tensor moves on to a new node."""
    _check(input, input, "setitem")
    made = type(input)
    viewed, op, params = _viewed(value)
    if viewed is input and op is rows.getitem and params[0] == parts:
        return  # x[i] += v: Python writes back the view that was edited in place already
    if hasattr(value, "_data"):
        patch = _without_leading_ones(value)
    else:
        patch = made(np.asarray(_patch(input, value)))
    target = input
    if advanced and _separated(parts):
        basic, parts = _in_two_steps(parts)
        target = getitem(input, basic)
    shape = target._data.shape
    try:
        room = np.broadcast_to(np.empty((), bool), shape)[parts].shape
    except IndexError as error:
        raise explain_index("setitem", parts, shape, error) from None
    if not _fits_in(patch._data.shape, room):
        raise _misfit(target._data, parts, patch._data, ValueError())
    if advanced:
        parts = _own(parts)
    _rebind(target, apply(rows.setitem, (target, patch), (parts,)), "setitem")


def _viewed(value: Any) -> tuple[Any, Any, Any]:
    """Which tensor ``value`` is a view of, by which op."""
    base = getattr(value, "_base", None)
    return base if isinstance(base, tuple) else (None, None, None)


def _fits_in(shape: tuple[int, ...], room: tuple[int, ...]) -> bool:
    lead = len(shape) - len(room)
    return all(n == 1 for n in shape[: max(lead, 0)]) and all(
        n in (1, m)
        for n, m in zip(shape[::-1], room[::-1])  # noqa: B905  (from the right)
    )
