"""Jacobians and Hessians in the spelling of ``torch.autograd.functional``: results, not
functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import transforms, trees
from .tensor import Tensor

Function = Callable[..., Any]


def jacobian(func: Function, inputs: Any, create_graph: bool = False) -> Any:
    """All derivatives of ``func(*inputs)``: a tensor of the result's shape, then the input's.

    For several inputs a tuple of them, for several results a tuple of those.

    >>> import gradling
    >>> jacobian(lambda x: x * x, gradling.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    args, argnums = _arguments(inputs)
    return _kept(transforms.jacobian(func, argnums)(*args), create_graph)


def hessian(func: Function, inputs: Any, create_graph: bool = False) -> Any:
    """All second derivatives of ``func(*inputs)``, one number; for several inputs a tuple of
    rows."""
    args, argnums = _arguments(inputs)
    return _kept(transforms.hessian(func, argnums)(*args), create_graph)


def vjp(func: Function, inputs: Any, v: Any = None, create_graph: bool = False) -> Any:
    """The result of ``func``, and ``v`` times its Jacobian; ``v`` may be left out for one
    number."""
    args, _ = _arguments(inputs)
    y, back = transforms.vjp(func, *args)
    if v is None:
        if not isinstance(y, Tensor) or y.numel() != 1:
            raise RuntimeError("vjp: v may only be left out if the function returns one number")
        v = y.detach() * 0 + 1
    return _kept((y, _as_given(back(v), inputs)), create_graph)


def jvp(func: Function, inputs: Any, v: Any, create_graph: bool = False) -> Any:
    """The result of ``func``, and its Jacobian times ``v``."""
    args, _ = _arguments(inputs)
    return _kept(transforms.jvp(func, args, _arguments(v)[0]), create_graph)


def hvp(func: Function, inputs: Any, v: Any, create_graph: bool = False) -> Any:
    """The result of ``func``, one number, and its matrix of second derivatives times ``v``."""
    args, _ = _arguments(inputs)
    y, product = transforms.hvp(func, args, _arguments(v)[0])
    return _kept((y, _as_given(product, inputs)), create_graph)


vhp = hvp  # the matrix is symmetric


def _arguments(inputs: Any) -> tuple[tuple[Any, ...], Any]:
    if isinstance(inputs, (tuple, list)):
        return tuple(inputs), tuple(range(len(inputs)))
    return (inputs,), 0


def _as_given(parts: tuple[Any, ...], inputs: Any) -> Any:
    return parts if isinstance(inputs, (tuple, list)) else parts[0]


def _kept(answer: Any, create_graph: bool) -> Any:
    """In the graph only where that was asked for."""
    if create_graph:
        return answer
    return trees.mapped(lambda x: x.detach() if hasattr(x, "detach") else x, answer)
