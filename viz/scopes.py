"""Foldings along modules: which are closed to one box, which stay open, which repeat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import partial

from .parts import MODULE, Part, instances, is_op, merge, union, users

Choice = str | Iterable[str] | Callable[[str], object] | None
Scope = tuple[str, ...]
LONGEST = 24  # boxes one behind the other: more would be a strip too wide to read
REPEATS = 3  # modules alike from which on the first stands for all


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user wants open and closed, see ``draw``."""

    expand: Choice = None
    collapse: Choice = None
    depth: int | None = None

    def opener(self) -> Callable[[Scope], bool]:
        """Whether a module has to stay open: it or one inside is to be expanded."""
        chosen = chooser("expand", self.expand or ())
        return lambda scope: chosen(".".join(scope))

    def closer(self) -> Callable[[Scope], bool]:
        """Whether a module has to be closed, whatever the budget."""
        chosen = (
            (lambda path: False) if self.collapse is None else chooser("collapse", self.collapse)
        )
        deepest = self.depth
        return lambda scope: deepest is not None and len(scope) > deepest or chosen(".".join(scope))


def chooser(name: str, choice: Choice) -> Callable[[str], bool]:
    """Patterns of paths as a function; ``a.b.*`` is all inside ``a.b``, and ``a.b`` itself.

    Raises:
        TypeError: for what is no pattern, no list of patterns and no function.
    """
    if callable(choice):
        return lambda path: bool(choice(path))
    several = isinstance(choice, Iterable) and not isinstance(choice, str)
    patterns: list[str] = list(choice) if several else [choice]  # type: ignore[arg-type,list-item]
    if not all(isinstance(pattern, str) for pattern in patterns):
        raise TypeError(
            f"{name} takes a pattern such as 'encoder.0.*', several, or a function of the path"
        )
    every = [*patterns, *(pattern[:-2] for pattern in patterns if pattern.endswith(".*"))]
    return lambda path: any(fnmatchcase(path, pattern) for pattern in every)


def pinned(parts: list[Part], wishes: Wishes) -> tuple[list[Part], Callable[[Scope], bool]]:
    """Parts right inside expanded modules made solid, and what says whether a module is open.

    A module around an open one is open too, or nobody would see inside.
    """
    wanted = wishes.opener()
    if wishes.expand is None:
        return parts, wanted
    known: dict[Scope, bool] = {}
    for scope in {part.scope for part in parts}:
        for depth in range(len(scope), 0, -1):
            inner = any(known.get(scope[:deeper], False) for deeper in range(depth, len(scope) + 1))
            known[scope[:depth]] = known.get(scope[:depth], False) or inner or wanted(scope[:depth])
    pins = [
        replace(part, solid=True) if part.scope and is_op(part) and wanted(part.scope) else part
        for part in parts
    ]
    return pins, lambda scope: known.get(scope, False)


def closed(parts: list[Part], wishes: Wishes, opened: Callable[[Scope], bool]) -> list[Part]:
    """Close the modules that the user wants closed, where nothing inside is to be open."""
    if wishes.collapse is None and wishes.depth is None:
        return parts
    shut = wishes.closer()

    def key(scope: Scope) -> int:
        for depth in range(1, len(scope) + 1):
            if shut(scope[:depth]) and not opened(scope[:depth]):
                return depth
        return 0

    return _closed(parts, [key(part.scope) for part in parts])


def by_scope(parts: list[Part], budget: int, opened: Callable[[Scope], bool]) -> list[Part]:
    """Close modules from the innermost outwards until the budget holds, and no row is too long."""
    deepest = max((len(part.scope) for part in parts), default=0)
    for level in range(deepest, 0, -1):
        depths = []
        for part in parts:
            inside = range(level, len(part.scope) + 1)
            depths.append(next((at for at in inside if not opened(part.scope[:at])), 0))
        merged = _closed(parts, depths)
        if level == 1 or len(merged) <= budget and max(depths_of(merged)) <= LONGEST:
            return merged
    return parts


def _closed(parts: list[Part], depths: list[int]) -> list[Part]:
    """Close for each part the module so deep along its path; 0: none."""
    group: list[Hashable] = [
        part.scope[:depth] if depth and is_op(part) and not part.solid else index
        for index, (part, depth) in enumerate(zip(parts, depths, strict=True))
    ]
    calls = instances(group, parts)
    _adopt_parameters(parts, calls)
    return merge(parts, calls, partial(_module, paths=_paths(parts, depths)))


def _paths(parts: list[Part], depths: list[int]) -> dict[tuple[int, ...], Scope]:
    return {
        part.members: part.scope[:depth]
        for part, depth in zip(parts, depths, strict=True)
        if depth and is_op(part)
    }


def _adopt_parameters(parts: list[Part], group: list[Hashable]) -> None:
    """A parameter that one module alone uses is part of it; so is a leaf without a name, and a
    constant where the module is more than one op."""
    ops = Counter(group)
    for index, used_by in enumerate(users(parts)):
        homes = {group[at] for at in used_by}
        part = parts[index]
        own = part.role == "parameter" or not part.label and not is_op(part)
        if not own or part.solid or len(homes) != 1 or not isinstance(home := homes.pop(), tuple):
            continue
        if part.role != "constant" or ops[home] > 1:
            group[index] = home


def _module(team: list[Part], paths: dict[tuple[int, ...], Scope]) -> Part:
    path = next(paths[part.members] for part in team if is_op(part))
    kind = tuple((part.role, part.kind) for part in team)
    return union(team, "group", ".".join(path), kind, scope=path[:-1], unit=MODULE)


def depths_of(parts: list[Part]) -> list[int]:
    """How many ops lie before each part, on the longest way."""
    depth: list[int] = []
    for part in parts:
        depth.append(max((depth[at] + is_op(parts[at]) for at in part.inputs), default=0))
    return depth


# Repeats ------------------------------------------------------------------------------------------


def repeats(parts: list[Part], opened: Callable[[Scope], bool]) -> list[Part]:
    """Modules alike, with weights of their own, side by side or in a row: the first, +N more."""
    deepest = max((len(part.scope) for part in parts), default=0)
    for depth in range(1, deepest + 1):
        parts = _without_repeats(parts, depth, opened)
    return parts


def _without_repeats(parts: list[Part], depth: int, opened: Callable[[Scope], bool]) -> list[Part]:
    inside: dict[Scope, list[int]] = {}
    for index, part in enumerate(parts):
        if is_op(part) and len(part.scope) >= depth:
            inside.setdefault(part.scope[:depth], []).append(index)
    alike: dict[Hashable, list[Scope]] = {}
    for scope, indices in inside.items():
        free = not opened(scope) and not any(parts[at].solid for at in indices)
        if free and scope[-1].isdecimal():
            content = tuple([_form(parts, at, depth) for at in indices])
            alike.setdefault((scope[:-1], content), []).append(scope)
    group: list[Hashable] = list(range(len(parts)))
    first: dict[Scope, tuple[Scope, int]] = {}
    for scopes in alike.values():
        if len(scopes) >= REPEATS:
            for scope in scopes[1:]:
                for at in inside[scope]:
                    group[at] = scopes[1]
            first[scopes[1]] = (scopes[0], len(scopes) - 1)
    if not first:
        return parts
    calls = instances(group, parts)
    if len({key for key in calls if isinstance(key, tuple)}) > len(first):
        return parts  # they take turns with others: closing them together would hide the order
    _adopt_parameters(parts, calls)
    return merge(parts, calls, partial(_more, first=first, depth=depth))


def _form(parts: list[Part], at: int, depth: int) -> Hashable:
    """What makes an op of one module the same as one of another: all but the numbers, and which
    operands are constants: those of the first module often are."""
    part = parts[at]
    kind = part.kind[:2] if part.role == "op" and isinstance(part.kind, tuple) else part.kind
    weights = tuple(
        [parts[source].kind for source in part.inputs if parts[source].role == "parameter"]
    )
    return kind, part.scope[depth:], weights


def _more(team: list[Part], first: dict[Scope, tuple[Scope, int]], depth: int) -> Part:
    scopes = [part.scope[:depth] for part in team if is_op(part)]
    example, count = first[scopes[0]]
    title = ".".join(scopes[0])
    if scopes[-1] != scopes[0]:
        title += f" … {'.'.join(scopes[-1])}"
    unit = f"+{count} more like {'.'.join(example)}"
    kind = ("more", tuple(part.kind for part in team))
    each = sum(part.each for part in team)
    merged = union(team, "group", title, kind, unit, scope=scopes[0][:-1])
    return replace(merged, each=max(each, len(merged.members)))
