"""Tuples, lists and dicts of things, nested: taken apart and put together again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any


def leaves(tree: Any) -> Iterator[Any]:
    """What a tree holds, from left to right; anything that is no tuple, list or dict is a leaf.

    >>> list(leaves({"a": 1, "b": [2, (3, None)]}))
    [1, 2, 3, None]
    """
    if isinstance(tree, (tuple, list)):
        for branch in tree:
            yield from leaves(branch)
    elif isinstance(tree, dict):
        for branch in tree.values():
            yield from leaves(branch)
    else:
        yield tree


def mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    """A tree of the same form with ``function`` of every leaf.

    >>> mapped(str, {"a": 1, "b": [2, (3, None)]})
    {'a': '1', 'b': ['2', ('3', 'None')]}
    """
    if isinstance(tree, dict):
        return type(tree)((key, mapped(function, branch)) for key, branch in tree.items())
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*[mapped(function, branch) for branch in tree])
    if isinstance(tree, (tuple, list)):
        return type(tree)(mapped(function, branch) for branch in tree)
    return function(tree)


def filled(tree: Any, new: Iterator[Any]) -> Any:
    """A tree of the same form, its leaves taken from ``new`` one after another."""
    return mapped(lambda _: next(new), tree)


def form(tree: Any) -> Any:
    """The form of a tree, without its leaves: equal for trees that match."""
    return mapped(lambda _: None, tree)
