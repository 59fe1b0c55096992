"""A user's function written down as code, for programs that run by themselves."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

from .problem import function_class, function_name
from .sources import rule_source

_PACKAGE = __name__.partition(".")[0]


def quoted(fn: Callable[..., Any], name: str | None = None) -> tuple[tuple[str, ...], str]:
    """(lines that define a function, the expression that calls it).

    A function of the library is imported; any other is copied from its source, together with the
    modules and numbers it mentions. What cannot be copied is left to the reader, in a comment.

    >>> quoted(lambda x: x * 2)
    (('fn = lambda x: x * 2',), 'fn')
    """
    target = function_class(fn) or inspect.unwrap(fn)
    called = getattr(target, "__qualname__", "")
    ending = ".apply" if target is not inspect.unwrap(fn) or isinstance(fn, type) else ""
    module = getattr(target, "__module__", None) or ""
    if module.partition(".")[0] == _PACKAGE and called.isidentifier():
        return (f"from {module} import {called}",), called + ending
    source = _source(target)
    if source is None:
        said = name or function_name(fn)
        spelled = said if said.replace(".", "").isidentifier() else "fn"
        return (f"# {spelled}: {said}, as it was given to check_op",), spelled
    if called.endswith("<lambda>"):
        spelled = name if name is not None and name.isidentifier() else "fn"
        source = f"{spelled} = {source}"
    else:
        spelled = called.rpartition(".")[2]
    mentioned = list(_mentioned(source, spelled, _scope(target)))
    return (*mentioned, *source.splitlines()), spelled + ending


def _source(target: Any) -> str | None:
    if getattr(target, "__name__", "") == "<lambda>":
        return rule_source(target)
    try:
        source = textwrap.dedent(inspect.getsource(target)).rstrip()
        ast.parse(source)
    except (OSError, TypeError, SyntaxError):
        return None
    return source if inspect.isfunction(target) or inspect.isclass(target) else None


def _scope(target: Any) -> Mapping[str, Any]:
    """What the names inside a function or class mean."""
    parts = vars(target).values() if isinstance(target, type) else (target,)
    found: dict[str, Any] = {}
    for part in parts:
        function = inspect.unwrap(getattr(part, "__func__", part))
        if inspect.isfunction(function):
            closed = inspect.getclosurevars(function)
            found |= {**function.__globals__, **closed.nonlocals}
    return found


def _mentioned(source: str, own: str, scope: Mapping[str, Any]) -> Iterator[str]:
    """A line for each name in the source that is defined outside of it."""
    names = [node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)]
    for name in dict.fromkeys(names):
        if name not in scope or name in (own, _PACKAGE):
            continue
        value = scope[name]
        home = getattr(value, "__module__", None) or "__main__"
        if isinstance(value, ModuleType):
            path = value.__name__
            yield f"import {path}" if path == name else f"import {path} as {name}"
        elif isinstance(value, (bool, int, float, str, type(None))):
            yield f"{name} = {value!r}"
        elif home.partition(".")[0] == _PACKAGE and name == getattr(value, "__qualname__", ""):
            yield f"from {home} import {name}"
        else:
            yield f"# {name} is that of {home}"
