"""Finding what a module is made of: its attributes, and what plain lists and dicts among them hold.

There is no registry to keep in step: ``vars(module)`` is the truth, read when asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..tensor import Tensor
from .parameter import Buffer, Parameter

if TYPE_CHECKING:
    from .module import Module

_ATOMS = frozenset({bool, int, float, str, bytes, type(None)})
_module_class: type[Module]  # set by module.py, which imports this file


def bind(module_class: type[Module]) -> None:
    global _module_class
    _module_class = module_class


def members(module: Module) -> Iterator[tuple[str, Any]]:
    """Every parameter, buffer and child module that is an attribute, with its name.

    One in a list or dict is called ``attribute.place``.
    """
    for name, value in vars(module).items():
        kind = value.__class__
        if kind in _ATOMS:
            continue
        if isinstance(value, (Parameter, _module_class, Buffer)):
            yield name, value
        elif kind is Tensor:
            if name in module._buffers:
                yield name, value
        elif isinstance(value, (list, tuple, dict)):
            yield from _inside(name, value, ())


def _inside(name: str, held: Any, above: tuple[int, ...]) -> Iterator[tuple[str, Any]]:
    entries = held.items() if isinstance(held, dict) else enumerate(held)
    values = held.values() if isinstance(held, dict) else held
    # a history of a million losses is passed over at the speed of C
    if _ATOMS.issuperset(map(type, values)) or id(held) in above:
        return
    for key, value in list(entries):
        if isinstance(value, (Parameter, _module_class, Buffer)):
            yield f"{name}.{key}", value
        elif isinstance(value, (list, tuple, dict)):
            yield from _inside(f"{name}.{key}", value, (*above, id(held)))


def is_persistent(module: Module, name: str, tensor: Tensor) -> bool:
    """Whether a buffer is part of the state."""
    if name in module._buffers:
        return module._buffers[name]
    return getattr(tensor, "persistent", True)


def walk(module: Module, prefix: str = "", twice: bool = False) -> Iterator[tuple[str, Module]]:
    """The module and every one below it, parents first; one that is shared only the first time,
    unless ``twice``."""
    seen: set[int] = set()
    pending: list[tuple[str, Module, tuple[int, ...]]] = [(prefix, module, ())]
    while pending:
        name, found, above = pending.pop()
        key = id(found)
        if key in above or (key in seen and not twice):
            continue
        seen.add(key)
        yield name, found
        below = [
            (f"{name}.{child}" if name else child, value, (*above, key))
            for child, value in members(found)
            if isinstance(value, _module_class)
        ]
        pending += reversed(below)


def parameters(module: Module) -> list[Parameter]:
    """Every parameter of the module and below it, once, in the order of ``tensors``.

    Without names it takes a fifth of the time, and training loops ask for it at every step.
    """
    found: dict[int, Parameter] = {}
    seen: set[int] = set()
    pending = [module]
    while pending:
        owner = pending.pop()
        if id(owner) in seen:
            continue
        seen.add(id(owner))
        below: list[Module] = []
        for value in vars(owner).values():
            kind = value.__class__
            if kind in _ATOMS:
                continue
            if isinstance(value, Parameter):
                found.setdefault(id(value), value)
            elif isinstance(value, _module_class):
                below.append(value)
            elif isinstance(value, (list, tuple, dict)):
                for _, inner in _inside("", value, ()):
                    if isinstance(inner, Parameter):
                        found.setdefault(id(inner), inner)
                    elif isinstance(inner, _module_class):
                        below.append(inner)
        pending += reversed(below)
    return list(found.values())


def tensors(
    module: Module, prefix: str = "", twice: bool = False, recurse: bool = True
) -> Iterator[tuple[str, Tensor, bool]]:
    """(name, tensor, is it in the state) for every parameter and buffer of the module and below it.

    Parameters come before buffers in each module, as in PyTorch's state.
    """
    for path, owner in walk(module, prefix, twice) if recurse else [(prefix, module)]:
        lead = f"{path}." if path else ""
        own = [(name, t) for name, t in members(owner) if isinstance(t, Tensor)]
        for name, tensor in own:
            if isinstance(tensor, Parameter):
                yield lead + name, tensor, True
        for name, tensor in own:
            if not isinstance(tensor, Parameter):
                yield lead + name, tensor, is_persistent(owner, name, tensor)
