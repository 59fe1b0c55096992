"""The source of a rule, and small wrong changes to it."""

from __future__ import annotations

import ast
import copy
import inspect
import linecache
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType
from typing import Any

Rule = Callable[..., Any]


@dataclass(frozen=True)
class Change:
    """One small change to a rule: what kind, the changed source, and the rule it compiles to."""

    kind: str
    source: str
    rule: Rule


def rule_source(rule: Rule) -> str | None:
    """A rule's source as one expression or function; None when it cannot be found.

    >>> from gradling.engine import TABLE
    >>> rule_source(TABLE["tanh"].vjp[0])
    'lambda g, y, x: g * (1 - y * y)'
    """
    node = _node(rule)
    return None if node is None else ast.unparse(node)


def changes(rule: Rule) -> list[Change]:
    """Every small change we know to make to the source of a rule.

    >>> from gradling.engine import TABLE
    >>> [change.source for change in changes(TABLE["sin"].vjp[0])]
    ['lambda g, y, x: g', 'lambda g, y, x: cos(x)']
    """
    node = _node(rule)
    if node is None or rule.__closure__:
        return []
    found: dict[str, Change] = {}
    original = ast.unparse(node)
    for place, kind in _places(node):
        changed = copy.deepcopy(node)
        _apply(changed, place, kind)
        ast.fix_missing_locations(changed)
        source = ast.unparse(changed)
        if source != original and source not in found:
            found[source] = Change(kind.partition(":")[0], source, _compiled(changed, rule))
    return list(found.values())


@lru_cache(maxsize=64)
def _parsed(filename: str) -> ast.Module | None:
    lines = linecache.getlines(filename)
    try:
        return ast.parse("".join(lines)) if lines else None
    except SyntaxError:
        return None


def _node(rule: Rule) -> ast.Lambda | ast.FunctionDef | None:
    """The syntax tree of a function, found by its line and, for lambdas, by its byte code."""
    code: CodeType | None = getattr(inspect.unwrap(rule), "__code__", None)
    tree = None if code is None else _parsed(code.co_filename)
    if code is None or tree is None:
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            if node.name == code.co_name and node.lineno == code.co_firstlineno:
                return node
        elif isinstance(node, ast.Lambda) and node.lineno == code.co_firstlineno:
            made = compile(ast.Expression(node), code.co_filename, "eval")
            inner = [c for c in made.co_consts if isinstance(c, CodeType)]
            if inner and _alike(inner[0], code):
                return node
    return None


def _alike(a: CodeType, b: CodeType) -> bool:
    return (a.co_code, a.co_names, a.co_varnames) == (b.co_code, b.co_names, b.co_varnames) and [
        c for c in a.co_consts if not isinstance(c, CodeType)
    ] == [c for c in b.co_consts if not isinstance(c, CodeType)]


def _places(node: ast.AST) -> Iterator[tuple[int, str]]:
    """(position in the walk, kind of change) for every change that can be made."""
    for place, child in enumerate(ast.walk(node)):
        if isinstance(child, ast.BinOp):
            if isinstance(child.op, (ast.Add, ast.Sub)):
                yield place, "a path dropped:left"
                yield place, "a path dropped:right"
                yield place, "sign of a term"
            elif isinstance(child.op, ast.Mult):
                yield place, "a factor lost:left"
                yield place, "a factor lost:right"
            elif isinstance(child.op, ast.Div):
                yield place, "a factor lost:left"
        elif isinstance(child, ast.Attribute) and child.attr in ("mT", "T"):
            yield place, "missing transpose"
        elif isinstance(child, ast.Call) and isinstance(child.func, ast.Name):
            if child.func.id == "where" and len(child.args) == 3:
                yield place, "branches swapped"
            elif child.func.id == "matmul" and len(child.args) == 2:
                yield place, "factors swapped"
        elif isinstance(child, ast.UnaryOp) and isinstance(child.op, ast.USub):
            yield place, "sign lost"


def _apply(tree: ast.AST, place: int, kind: str) -> None:
    """Make the change in a tree, in place."""
    target = list(ast.walk(tree))[place]
    name, _, side = kind.partition(":")
    if name == "sign of a term" and isinstance(target, ast.BinOp):
        target.op = ast.Sub() if isinstance(target.op, ast.Add) else ast.Add()
    elif name == "branches swapped" and isinstance(target, ast.Call):
        target.args[1], target.args[2] = target.args[2], target.args[1]
    elif name == "factors swapped" and isinstance(target, ast.Call):
        target.args.reverse()
    elif isinstance(target, ast.BinOp):
        _replace(tree, target, target.left if side == "left" else target.right)
    elif isinstance(target, ast.Attribute):
        _replace(tree, target, target.value)
    elif isinstance(target, ast.UnaryOp):
        _replace(tree, target, target.operand)


def _replace(tree: ast.AST, old: ast.AST, new: ast.AST) -> None:
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, new)
            elif isinstance(value, list):
                setattr(parent, name, [new if item is old else item for item in value])


def _compiled(node: ast.Lambda | ast.FunctionDef, rule: Rule) -> Rule:
    scope = dict(rule.__globals__)
    if isinstance(node, ast.Lambda):
        made: Rule = eval(compile(ast.Expression(node), "<mutant>", "eval"), scope)
        return made
    node.decorator_list = []
    exec(compile(ast.Module([node], []), "<mutant>", "exec"), scope)
    found: Rule = scope[node.name]
    return found
