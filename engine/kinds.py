"""Values beyond single operations: the rows of the table applied to them, and arrays of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .modes import mode
from .op import KINDS, TABLE, Op
from .value import Value, apply


def over_array(op: Op, value: Value, array: Any, reflected: bool) -> Any:
    """``array * value``: NumPy's own loop over the entries, giving an array of Values."""
    import numpy as np

    def entry(x: Any) -> Value:
        x = x if isinstance(x, Value) else float(x)
        return apply(op, (x, value) if reflected else (value, x))

    return np.frompyfunc(entry, 1, 1)(array)


def _on_values(op: Op) -> Callable[..., Any]:
    """The row as a function of Values, so that rules differentiate again under ``create_graph``."""

    def call(*arguments: Any) -> Any:
        arity = op.arity(len(arguments))
        operands, params = arguments[:arity], arguments[arity:]
        if op.result == "bool":
            outcome = op.on[float](*(a.data if isinstance(a, Value) else a for a in operands))
            tape = mode().tape
            if tape is not None:
                tape.compared(op.name, *(operands * 2)[:2], outcome)
            return outcome
        operands = tuple(a if isinstance(a, Value) else float(a) for a in operands)
        return apply(op, operands, params)

    return call


def _where(condition: Any, a: Any, b: Any) -> Any:
    """Keeps a truth value as the condition: only the branches are operands of the graph."""
    chosen = a if condition else b
    return chosen if isinstance(chosen, Value) else Value(float(chosen))


KINDS[Value] = (3, Value)
for _op in TABLE.values():
    if float in _op.on:
        _op.on[Value] = _on_values(_op)
TABLE["where"].on[Value] = _where
