"""Functions that turn a function into its derivatives, as in ``torch.func``.

They leave every ``.grad`` alone, nest to any depth, take derivatives inside ``no_grad()`` too, and
accept tuples, lists and dicts of arguments. Each differentiated argument goes into the function
under a fresh name, so derivatives of different levels are never mixed up. What comes in as a float
comes out as a float, what comes in as a ``Value`` as a ``Value``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..engine import Value
from . import trees
from .arguments import said
from .calls import Call
from .tensor import Tensor

Argnums = int | tuple[int, ...]
Function = Callable[..., Any]


def grad(func: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """The function that gives the gradient of ``func``, which returns one number.

    Args:
        func: a function of tensors, Values or floats, and of anything else.
        argnums: by which argument (an int), or by which (a tuple: a tuple of gradients comes back).
        has_aux: ``func`` returns ``(number, anything)``, and so does the result: ``(gradient,
            anything)``.

    >>> slope = grad(lambda x: x**3)
    >>> slope(2.0), grad(slope)(2.0), grad(grad(slope))(2.0)
    (12.0, 12.0, 6.0)
    """
    both = value_and_grad(func, argnums, has_aux)

    @functools.wraps(func)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, found = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return gradient


def value_and_grad(func: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """The function that gives ``(value, gradient)`` of ``func``; ``((value, aux), gradient)`` with
    ``has_aux``.

    >>> value_and_grad(lambda x, y: x * y, argnums=(0, 1))(2.0, 5.0)
    (tensor(10., dtype=float64), (5.0, 2.0))
    """

    @functools.wraps(func)
    def both(*args: Any, **kwargs: Any) -> Any:
        call = Call("grad", func, args, kwargs, argnums, has_aux)
        (y,) = call.outputs if len(call.outputs) == 1 else (call.y,)
        if not isinstance(y, (Tensor, Value)) or (isinstance(y, Tensor) and y._data.size != 1):
            what = f"shape {y.shape}" if isinstance(y, Tensor) else type(y).__name__
            raise RuntimeError(
                f"grad: the function must return one number, got {what}; reduce it (.sum(), "
                ".mean()), or use jacobian"
            )
        found = call.pull([None])
        value = call.released(call.y)
        return (value, call.released(call.aux)) if has_aux else value, call.like_arguments(found)

    return both


def grad_and_value(func: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """As ``value_and_grad`` the other way round: ``(gradient, value)``."""
    both = value_and_grad(func, argnums, has_aux)

    @functools.wraps(func)
    def other(*args: Any, **kwargs: Any) -> Any:
        value, gradient = both(*args, **kwargs)
        return gradient, value

    return other


def vjp(func: Function, *primals: Any, has_aux: bool = False) -> Any:
    """The result of ``func(*primals)``, and a function that takes a cotangent of it (of the same
    form) to a tuple of cotangents, one per argument: products with the transposed Jacobian.

    With ``has_aux`` a third thing comes back: what ``func`` returned beside its result.

    >>> import gradling
    >>> x = gradling.tensor([1.0, 2.0])
    >>> y, back = vjp(lambda x: x * x, x)
    >>> back(gradling.tensor([1.0, 10.0]))
    (tensor([ 2., 40.]),)
    """
    call = Call("vjp", func, primals, {}, tuple(range(len(primals))), has_aux)

    def back(cotangents: Any) -> tuple[Any, ...]:
        if trees.form(cotangents) != trees.form(call.y):
            raise ValueError(
                f"vjp: expected cotangents of the form of the result, {trees.form(call.y)}, got "
                f"{trees.form(cotangents)}"
            )
        return call.like_arguments(call.pull(list(trees.leaves(cotangents))))  # type: ignore[no-any-return]

    y = call.released(call.y)
    return (y, back, call.released(call.aux)) if has_aux else (y, back)


def _several(name: str, given: Any, example: str) -> tuple[Any, ...]:
    if not isinstance(given, (tuple, list)):
        raise TypeError(
            f"{name}: expected a tuple, one entry per argument, got {said(given)}; a single one "
            f"is ({example})"
        )
    return tuple(given)


def jvp(func: Function, primals: Any, tangents: Any, has_aux: bool = False) -> Any:
    """The result of ``func(*primals)``, and how it moves when they move along ``tangents``: the
    product with the Jacobian.

    Found by transposing twice: ``vjp`` is linear in its cotangent, so its own ``vjp`` goes forward.

    >>> import gradling
    >>> x = gradling.tensor([1.0, 2.0])
    >>> jvp(lambda x: x * x, (x,), (gradling.tensor([1.0, 10.0]),))
    (tensor([1., 4.]), tensor([ 2., 40.]))
    """
    primals, tangents = _several("jvp", primals, "x,"), _several("jvp", tangents, "v,")
    if trees.form(primals) != trees.form(tangents):
        raise ValueError(
            f"jvp: expected one tangent per argument, of its form, {trees.form(primals)}, got "
            f"{trees.form(tangents)}"
        )
    call = Call("jvp", func, primals, {}, tuple(range(len(primals))), has_aux)
    moved = call.push(list(trees.leaves(tangents)))
    answer = (call.released(call.y), trees.filled(call.y, iter(moved)))
    return (*answer, call.released(call.aux)) if has_aux else answer


def jacobian(func: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """The function that gives all derivatives: for a result of shape S and an argument of shape T a
    tensor of shape (*S, *T); for trees of results, that tree of trees of arguments.

    One backward per entry of the result.

    >>> import gradling
    >>> jacobian(lambda x: x * x)(gradling.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """

    @functools.wraps(func)
    def derivatives(*args: Any, **kwargs: Any) -> Any:
        call = Call("jacobian", func, args, kwargs, argnums, has_aux)
        parts = [call.like_arguments(call.rows(place)) for place in range(len(call.outputs))]
        found = trees.filled(call.y, iter(parts))
        return (found, call.released(call.aux)) if has_aux else found

    return derivatives


jacrev = jacfwd = jacobian  # torch.func has two ways to the same numbers


def hessian(func: Function, argnums: Argnums = 0) -> Function:
    """The function that gives all second derivatives: the Jacobian of the Jacobian.

    >>> import gradling
    >>> hessian(lambda x: (x**3).sum())(gradling.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacobian(jacobian(func, argnums), argnums)


def hvp(func: Function, primals: Any, tangents: Any) -> Any:
    """The result of ``func(*primals)``, one number, and the product of its matrix of second
    derivatives with ``tangents``, without forming that matrix: a gradient of a gradient.

    >>> import gradling
    >>> x, v = gradling.tensor([1.0, 2.0]), gradling.tensor([1.0, 10.0])
    >>> hvp(lambda x: (x**3).sum(), (x,), (v,))
    (tensor(9.), (tensor([  6., 120.]),))
    """
    primals, tangents = _several("hvp", primals, "x,"), _several("hvp", tangents, "v,")
    every = tuple(range(len(primals)))

    def with_itself(*args: Any) -> tuple[Any, Any]:
        y = func(*args)
        return y, y

    _, back, value = vjp(grad(with_itself, every, has_aux=True), *primals, has_aux=True)
    return value, back(tangents)
