"""Tensors that belong to a module: learnt ones and remembered ones."""

from __future__ import annotations

from typing import Any

from ..engine.op import KINDS
from ..tensor import Tensor
from ..tensor.creation import as_tensor


class Parameter(Tensor):
    """A tensor that a module learns: found by ``parameters()`` wherever it is an attribute.

    Args:
        data: a tensor, whose memory is shared, or numbers.
        requires_grad: collect gradients.

    >>> import gradling
    >>> Parameter(gradling.ones(2))
    Parameter containing:
    tensor([1., 1.], requires_grad=True)
    """

    __slots__ = ()

    def __init__(self, data: Any = (), requires_grad: bool = True) -> None:
        super().__init__(as_tensor(data)._data)
        if requires_grad:
            self.requires_grad_()

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"


class Buffer(Tensor):
    """A tensor that a module remembers without learning it (a running mean, a fixed table).

    Args:
        data: a tensor, whose memory is shared, or numbers.
        persistent: be part of ``state_dict()``.

    >>> from gradling import nn
    >>> class Counter(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.seen = Buffer(0)
    >>> Counter().state_dict()
    {'seen': tensor(0)}
    """

    __slots__ = ("persistent",)

    def __init__(self, data: Any = (), *, persistent: bool = True) -> None:
        super().__init__(as_tensor(data)._data)
        self.persistent = persistent


KINDS[Parameter] = KINDS[Buffer] = KINDS[Tensor]
