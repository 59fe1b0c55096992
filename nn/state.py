"""A module's numbers in and out: converting them, loading them, and how a module prints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from ..tensor import Tensor, edits
from ..tensor.dtypes import DType
from ..tensor.node import Array, leaf
from . import tree

if TYPE_CHECKING:
    from .module import Module

Found = TypeVar("Found")


class IncompatibleKeys(NamedTuple):
    """What ``load_state_dict(strict=False)`` passed over."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return (
            f"IncompatibleKeys(missing_keys={self.missing_keys}, "
            f"unexpected_keys={self.unexpected_keys})"
        )


def convert(tensor: Tensor, dtype: DType) -> None:
    """Let a leaf hold its numbers, and its gradient, in another dtype, staying the same tensor."""
    if tensor._data.dtype is not dtype:
        become(tensor, tensor._data.astype(dtype))


def become(tensor: Tensor, array: Array) -> None:
    """Let a leaf hold ``array``, whatever its dtype, as the same tensor."""
    node = tensor._node
    edits.note(tensor._data)
    tensor._data = array
    if node is not None:
        tensor._node = fresh = leaf(array)
        fresh.extra = node.extra
        if node.grad is not None:
            held = node.grad if node.grad.__class__ is Array else node.grad._data
            fresh.grad = held.astype(array.dtype)


def load(module: Module, given: Mapping[str, Any], strict: bool, assign: bool) -> IncompatibleKeys:
    """See ``Module.load_state_dict``: find every problem first, then copy."""
    if not isinstance(given, Mapping):
        raise TypeError(f"load_state_dict: expected a dict of tensors, got {type(given).__name__}")
    own = {name: t for name, t, kept in tree.tensors(module, twice=True) if kept}
    # A tied tensor has several names; files that hold each tensor once know one of them.
    reached = {id(t) for name, t in own.items() if name in given}
    keys = IncompatibleKeys(
        [name for name, t in own.items() if id(t) not in reached],
        [name for name in given if name not in own],
    )
    problems = _key_problems(keys, own) if strict else []
    arrays: dict[str, Array] = {}
    for name, tensor in own.items():
        if name in given:
            arrays[name] = array = _as_array(given[name])
            problem = _misfit(name, array, tensor)
            if problem:
                problems.append(problem)
    problems = problems or _torn_apart(own, arrays)
    if problems:
        raise RuntimeError(
            f"load_state_dict: nothing was loaded into {type(module).__name__}:\n  "
            + "\n  ".join(problems)
        )
    taken: set[int] = set()
    for name, array in arrays.items():
        tensor = own[name]
        if not assign:
            edits.note(tensor._data)
            tensor._data[...] = array
        elif id(tensor) not in taken:  # a tied tensor has several names and stays one tensor
            taken.add(id(tensor))
            become(tensor, array)
    return keys


def _key_problems(keys: IncompatibleKeys, own: Mapping[str, Tensor]) -> list[str]:
    problems = []
    if keys.missing_keys:
        problems.append(f"missing: {', '.join(keys.missing_keys)}")
    if keys.unexpected_keys:
        problems.append(f"unexpected: {', '.join(keys.unexpected_keys)}")
    if not keys.missing_keys or not keys.unexpected_keys:
        return problems
    head = keys.unexpected_keys[0].partition(".")[0] + "."
    if all(k.startswith(head) and k[len(head) :] in own for k in keys.unexpected_keys):
        problems.append(
            f"hint: without their first part {head!r} the unexpected keys are this module's; "
            f"pass {{k.removeprefix({head!r}): v for k, v in state.items()}}"
        )
        return problems
    for key in keys.unexpected_keys:
        near = get_close_matches(key, keys.missing_keys, n=1)
        if near:
            problems.append(f"hint: {key} looks like {near[0]}")
    return problems


def _as_array(given: Any) -> Any:
    """The numbers of a tensor of ours, an array, or anything that NumPy can read."""
    if isinstance(given, Tensor):
        return given._data
    try:
        return np.asarray(given)
    except (RuntimeError, TypeError, ValueError):
        detached = given.detach() if hasattr(given, "detach") else None
        return None if detached is None else np.asarray(detached)


def _misfit(name: str, array: Any, tensor: Tensor) -> str | None:
    if array is None or array.dtype.kind not in "fiub":
        return f"not numbers: {name}"
    if array.shape == tensor.shape:
        return None
    hint = ""
    if array.ndim == 2 and array.shape[::-1] == tensor.shape:
        hint = " (its transpose would fit: some libraries store weights the other way round)"
    return f"wrong shape: {name} is {tuple(tensor.shape)} here and {tuple(array.shape)} there{hint}"


def _torn_apart(own: Mapping[str, Tensor], arrays: Mapping[str, Array]) -> list[str]:
    """Tensors with several names here that are to become several things."""
    first: dict[int, str] = {}
    problems = []
    for name, array in arrays.items():
        other = first.setdefault(id(own[name]), name)
        twin = arrays[other]
        if array is not twin and not np.array_equal(array, twin, equal_nan=array.dtype.kind == "f"):
            problems.append(
                f"tied: {other} and {name} are one tensor here and two different ones there; leave "
                "one of them out, or make a model that does not tie them"
            )
    return problems


def at_path(
    module: Module, target: str, kind: type[Found], named: Iterable[tuple[str, Any]]
) -> Found:
    """What is called ``target`` below ``module``."""
    known = dict(named)
    found = known.get(target)
    if isinstance(found, kind):
        return found
    near = get_close_matches(target, known, n=1)
    raise AttributeError(
        f"{type(module).__name__} has no {kind.__name__.lower()} at {target!r}"
        + (f"; did you mean {near[0]!r}?" if near else "")
    )


def shown(module: Module) -> str:
    """A module and what is in it, as PyTorch prints it."""
    extra = module.extra_repr()
    about = extra.split("\n") if extra else []
    children = [f"({name}): {indented(repr(child))}" for name, child in module.named_children()]
    return framed(type(module).__name__, about, children)


def framed(name: str, about: list[str], children: list[str]) -> str:
    if not children and len(about) <= 1:
        return f"{name}({''.join(about)})"
    return f"{name}(\n  " + "\n  ".join(about + children) + "\n)"


def indented(text: str) -> str:
    """``text`` with every line but the first two spaces further in."""
    return text.replace("\n", "\n  ")
