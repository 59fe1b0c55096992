"""Modules made of modules, and lists and dicts of parameters.

Each keeps its entries as attributes called by their place or key, so a container is nothing special
to ``named_parameters()`` and ``state_dict()``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from operator import index as as_index
from typing import Any, Generic, Self, TypeVar, cast, overload

from ..tensor import Tensor
from . import state
from .module import Module
from .parameter import Parameter

Entry = TypeVar("Entry")


class _List(Module, Generic[Entry]):
    """A list of entries of one kind, called "0", "1", …, or by names of their own."""

    __slots__ = ()
    _kind: type[Any] = Module

    def _named(self) -> list[tuple[str, Entry]]:
        return [(k, v) for k, v in vars(self).items() if isinstance(v, self._kind)]

    def _set(self, entries: Iterable[tuple[str, Any]]) -> Self:
        """Hold these, numbering anew those that are called by a number."""
        wanted = [(name, self._checked(entry)) for name, entry in entries]
        for name, _ in self._named():
            del vars(self)[name]
        for place, (name, entry) in enumerate(wanted):
            setattr(self, str(place) if name.isdigit() else name, entry)
        return self

    def _checked(self, entry: Any) -> Entry:
        if not isinstance(entry, self._kind):
            raise TypeError(
                f"{type(self).__name__}: expected a {self._kind.__name__}, got "
                f"{type(entry).__name__} {entry!r:.60}"
                + ("; call it: " + entry.__name__ + "(...)" if isinstance(entry, type) else "")
            )
        return cast(Entry, entry)

    def _place(self, index: Any, room: int) -> int:
        place: int = as_index(index)
        if not -room <= place < room:
            raise IndexError(
                f"{type(self).__name__}: index {place} is out of range for {room} entries"
            )
        return place % room

    @overload
    def __getitem__(self, index: int) -> Entry: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Entry | Self:
        named = self._named()
        if isinstance(index, slice):
            return self._empty()._set(named[index])
        return named[self._place(index, len(named))][1]

    def _empty(self) -> Self:
        made = type(self).__new__(type(self))
        Module.__init__(made)
        return made

    def __setitem__(self, index: int, entry: Entry) -> None:
        named = self._named()
        setattr(self, named[self._place(index, len(named))][0], self._checked(entry))

    def __delitem__(self, index: int | slice) -> None:
        named = self._named()
        del named[index if isinstance(index, slice) else self._place(index, len(named))]
        self._set(named)

    def __len__(self) -> int:
        return len(self._named())

    def __iter__(self) -> Iterator[Entry]:
        return iter([entry for _, entry in self._named()])

    def append(self, entry: Entry) -> Self:
        """Add an entry at the end."""
        return self.extend((entry,))

    def extend(self, entries: Iterable[Entry]) -> Self:
        """Add entries at the end."""
        return self._set([*self._named(), *(("0", entry) for entry in entries)])

    def insert(self, index: int, entry: Entry) -> Self:
        """Add an entry before place ``index``."""
        named: list[tuple[str, Any]] = list(self._named())
        place = as_index(index)
        if not -len(named) <= place <= len(named):
            raise IndexError(f"insert: index {place} is out of range for {len(named)} entries")
        named.insert(place, ("0", entry))
        return self._set(named)

    def pop(self, index: int = -1) -> Entry:
        """Take an entry out."""
        entry = self[index]
        del self[index]
        return entry

    def __add__(self, other: Iterable[Entry]) -> Self:
        return self._empty()._set([*self._named(), *(("0", entry) for entry in other)])

    def __iadd__(self, other: Iterable[Entry]) -> Self:
        return self.extend(other)


class Sequential(_List[Module]):
    """Modules one after the other, each fed what the one before gave.

    Args:
        *args: the modules in order, or one dict (an ``OrderedDict``) of names to modules.

    Backward: the chain rule, from the last module to the first.

    >>> import gradling
    >>> from gradling import nn
    >>> net = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 1))
    >>> net(gradling.zeros(5, 2)).shape
    (5, 1)
    >>> net[:2]
    Sequential(
      (0): Linear(in_features=2, out_features=16, bias=True)
      (1): ReLU()
    )
    """

    __slots__ = ()

    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], Mapping):
            for name, module in args[0].items():
                self.register_module(name, self._checked(module))
        else:
            self._set((str(place), module) for place, module in enumerate(args))

    def forward(self, input: Any) -> Any:
        for module in [m for m in vars(self).values() if isinstance(m, Module)]:
            input = module(input)
        return input


class ModuleList(_List[Module]):
    """A list of modules, whose parameters are found.

    A plain list as attribute does as well; this one can be nested, and a model by itself.

    >>> from gradling import nn
    >>> ModuleList(nn.Linear(2, 2) for _ in range(3))
    ModuleList(
      (0-2): 3 x Linear(in_features=2, out_features=2, bias=True)
    )
    """

    __slots__ = ()

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__()
        self._set((str(place), module) for place, module in enumerate(modules or ()))

    def __repr__(self) -> str:
        """Equal neighbours are told once: ``(0-3): 4 x Linear(...)``."""
        runs: list[list[Any]] = []  # first place, last place, text
        for place, text in enumerate(map(repr, self)):
            if runs and runs[-1][2] == text:
                runs[-1][1] = place
            else:
                runs.append([place, place, text])
        lines = [
            f"({first}): {state.indented(text)}"
            if first == last
            else f"({first}-{last}): {last - first + 1} x {state.indented(text)}"
            for first, last, text in runs
        ]
        return state.framed(type(self).__name__, [], lines)


class ParameterList(_List[Parameter]):
    """A list of parameters; tensors that are added become parameters.

    >>> import gradling
    >>> [name for name, _ in ParameterList([gradling.ones(2)]).named_parameters()]
    ['0']
    """

    __slots__ = ()
    _kind = Parameter

    def __init__(self, values: Iterable[Any] = ()) -> None:
        super().__init__()
        self._set((str(place), value) for place, value in enumerate(values))

    def _checked(self, entry: Any) -> Parameter:
        return entry if isinstance(entry, Parameter) else Parameter(entry)

    def __repr__(self) -> str:
        lines = [f"({place}): {_about(p)}" for place, p in enumerate(self)]
        return state.framed(type(self).__name__, [], lines)


class _Dict(Module, Generic[Entry]):
    """A dict of entries of one kind under names."""

    __slots__ = ()
    _kind: type[Any] = Module

    def __init__(self, entries: Any = ()) -> None:
        super().__init__()
        self.update(entries)

    def _checked(self, entry: Any) -> Entry:
        if not isinstance(entry, self._kind):
            raise TypeError(
                f"{type(self).__name__}: expected a {self._kind.__name__}, got "
                f"{type(entry).__name__}"
            )
        return cast(Entry, entry)

    def items(self) -> list[tuple[str, Entry]]:
        return [(k, v) for k, v in vars(self).items() if isinstance(v, self._kind)]

    def keys(self) -> list[str]:
        return [name for name, _ in self.items()]

    def values(self) -> list[Entry]:
        return [entry for _, entry in self.items()]

    def __getitem__(self, key: str) -> Entry:
        found = vars(self).get(key)
        if not isinstance(found, self._kind):
            raise KeyError(
                f"{key!r}; there are {', '.join(map(repr, self.keys())) or 'no entries'}"
            )
        return cast(Entry, found)

    def __setitem__(self, key: str, entry: Any) -> None:
        self._check_name(type(self).__name__, key)
        setattr(self, key, self._checked(entry))

    def __delitem__(self, key: str) -> None:
        self[key]
        del vars(self)[key]

    def __contains__(self, key: object) -> bool:
        return key in self.keys()

    def __len__(self) -> int:
        return len(self.items())

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def get(self, key: str, default: Any = None) -> Any:
        return dict(self.items()).get(key, default)

    def pop(self, key: str) -> Entry:
        """Take an entry out."""
        entry = self[key]
        del self[key]
        return entry

    def clear(self) -> None:
        for key in self.keys():
            del self[key]

    def update(self, entries: Any) -> None:
        """Add entries from a dict or pairs."""
        for key, entry in entries.items() if hasattr(entries, "items") else entries:
            self[key] = entry


class ModuleDict(_Dict[Module]):
    """A dict of modules, whose parameters are found.

    >>> from gradling import nn
    >>> heads = ModuleDict({"mean": nn.Linear(8, 1), "scale": nn.Linear(8, 1)})
    >>> list(heads.state_dict())
    ['mean.weight', 'mean.bias', 'scale.weight', 'scale.bias']
    """

    __slots__ = ()


class ParameterDict(_Dict[Parameter]):
    """A dict of parameters; tensors that are added become parameters.

    >>> import gradling
    >>> [name for name, _ in ParameterDict({"gain": gradling.ones(2)}).named_parameters()]
    ['gain']
    """

    __slots__ = ()
    _kind = Parameter

    def _checked(self, entry: Any) -> Parameter:
        return entry if isinstance(entry, Parameter) else Parameter(entry)

    def __repr__(self) -> str:
        lines = [f"({name}): {_about(p)}" for name, p in self.items()]
        return state.framed(type(self).__name__, [], lines)


def _about(parameter: Tensor) -> str:
    size = "x".join(map(str, parameter.shape)) or "1"
    return f"Parameter containing: [{parameter.dtype} of size {size}]"
