"""``gradcheck`` and ``gradgradcheck`` as PyTorch spells them, on top of `check_gradients`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..tensor import Tensor
from .adapt import SecondOrder, TensorProblem
from .check import check_problem
from .problem import Problem
from .report import Report


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float | None = None,
    atol: float | None = None,
    rtol: float = 1e-6,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Check the gradient of ``func`` by its inputs, as ``torch.autograd.gradcheck`` does.

    Args:
        func: a function of tensors, returning a tensor or several.
        inputs: a tensor or a tuple; at least one must require a gradient.
        rtol: relative to the absolute terms of each slope.
        raise_exception: raise a `GradientError` whose text is the report, instead of False.

    ``eps``, ``atol`` and the other switches are accepted so that PyTorch programs run: step sizes
    are chosen per entry, there is no absolute tolerance, and all slopes are measured in float64.

    >>> import gradling
    >>> x = gradling.tensor([0.5, 2.0], dtype=gradling.float64, requires_grad=True)
    >>> gradcheck(lambda x: x * x, (x,))
    True
    """
    problem = TensorProblem(func, _tracked("gradcheck", inputs))
    return _answer(check_problem(problem, rtol=rtol), raise_exception)


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float | None = None,
    atol: float | None = None,
    rtol: float = 1e-6,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """Check the gradient of the gradient of ``func``, as ``torch.autograd.gradgradcheck``.

    >>> import gradling
    >>> x = gradling.tensor([0.5, 2.0], dtype=gradling.float64, requires_grad=True)
    >>> gradgradcheck(lambda x: x ** 3, (x,))
    True
    """
    first = TensorProblem(func, _tracked("gradgradcheck", inputs))
    problem: Problem = SecondOrder(first, grad_outputs=_arrays(grad_outputs))
    return _answer(check_problem(problem, order=2, rtol=rtol), raise_exception)


def _answer(report: Report, raise_exception: bool) -> bool:
    if raise_exception:
        report.assert_correct()
    return bool(report)


def _tracked(name: str, inputs: Any) -> Sequence[Any]:
    given = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    if not any(isinstance(x, Tensor) and x.requires_grad for x in given):
        raise ValueError(
            f"{name}: expected at least one input that requires a gradient;"
            " pass e.g. gradling.tensor([1.0], dtype=gradling.float64, requires_grad=True)"
        )
    return given


def _arrays(tensors: Any) -> list[Any] | None:
    if tensors is None:
        return None
    given = tuple(tensors) if isinstance(tensors, (tuple, list)) else (tensors,)
    return [np.asarray(x._data if isinstance(x, Tensor) else x) for x in given]
