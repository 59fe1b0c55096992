"""Free functions: those of the families, which are the methods too, with a word for arguments that
are no tensors."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import FunctionType
from typing import Any

from .arguments import said
from .tensor import Tensor

# These say so themselves, or take what is no tensor: what makes tensors.
_SAY_SO = {"record", "creation", "dtypes", "generators", "sequences", "saving"}


def explained(namespace: dict[str, Any]) -> None:
    """Replace the functions of tensors in a module's namespace by forms that explain themselves."""
    made: dict[Callable[..., Any], Callable[..., Any]] = {}
    for name, function in list(namespace.items()):
        if isinstance(function, FunctionType) and not name.startswith("_"):
            package, _, family = function.__globals__["__name__"].rpartition(".")
            if package == __package__ and family not in _SAY_SO:
                if function not in made:  # one for all names of a function
                    made[function] = _explained(function, namespace["__name__"], name)
                namespace[name] = made[function]


def _explained(function: Callable[..., Any], module: str, name: str) -> Callable[..., Any]:
    @functools.wraps(function)
    def free(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except AttributeError as error:
            message = _no_tensor(function, args, kwargs, error)
            if message is None:
                raise
            raise TypeError(message) from None

    free.__module__, free.__qualname__ = module, name  # where pickle finds it
    return free


def _no_tensor(
    function: Callable[..., Any], args: Any, kwargs: Any, error: AttributeError
) -> str | None:
    """Which argument was asked for something that only tensors have."""
    odd = error.obj
    if isinstance(odd, Tensor) or not hasattr(Tensor, error.name or ""):
        return None
    for name, given in inspect.signature(function).bind(*args, **kwargs).arguments.items():
        several = given if isinstance(given, (tuple, list)) else ()
        if len(several) == 1 and isinstance(several[0], (tuple, list)):
            several = several[0]  # as tensors may be given too: in one list
        if given is odd or any(x is odd for x in several):
            one = "" if given is odd else "each of "
            return (
                f"{function.__name__}: expected {one}{name} to be a tensor, got {said(odd)}; "
                "wrap it: gradling.tensor(...)"
            )
    return None
