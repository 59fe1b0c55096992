"""Adding a structural row together with its array kernel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...engine.op import KINDS, Op, row
from ..node import Array

KIND_OF_TENSOR = 4  # precedence: a Tensor among the operands decides


def structural(name: str, args: str, kernel: Callable[..., Any], **columns: Any) -> Op:
    """A row whose kernel takes ``(*arrays, *params)``; rules may call the op on arrays and
    tensors."""
    op = row(name, args, **columns)
    op.on[Array] = kernel
    return op


def serve_tensors(tensor_class: type, table: dict[str, Op]) -> None:
    """Let every row apply to tensors too, so that rules differentiate again under
    ``create_graph``."""
    from ..record import apply, elementwise

    def on_tensors(op: Op) -> Callable[..., Any]:
        run = elementwise if float in op.on else apply

        def call(*arguments: Any) -> Any:
            operands = op.arity(len(arguments))
            return run(op, arguments[:operands], arguments[operands:])

        return call

    KINDS[tensor_class] = (KIND_OF_TENSOR, tensor_class)
    for op in table.values():
        op.on.setdefault(tensor_class, on_tensors(op))
