"""The law that ties arrays to numbers: unrolled, an op is what the scalar engine says it is."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...bridges import unroll
from ..memory import irregular
from .subject import Case, Subject, broken, near, operand_names, run

# Ops whose scalar form is another algorithm, with more rounding than a few ulps of the result.
OTHER_ALGORITHM = {"inv", "solve", "cofactor", "cholesky", "qr", "pinv", "logabsdet", "det"}
# Not unrolled, and why: `unroll` says the same to its user.
NO_FINITE_FORMULA = {
    "eigh": "eigenvectors are the limit of an iteration",
    "svd": "singular vectors are the limit of an iteration",
}


def unrolled(subject: Subject, case: Case) -> None:
    """Each entry of the result, as a graph of Values, has the same value and the same gradients."""
    op = subject.op
    if op is None or op.name in NO_FINITE_FORMULA or not any(subject.follows(case)):
        return
    value, found = run(subject, case)
    if value.dtype.kind != "f":
        return
    follow = subject.follows(case)

    def function(*followed: Any) -> Any:
        from ...tensor import Tensor

        given = iter(followed)
        operands = [
            next(given) if keep else Tensor(x)
            for x, keep in zip(case.operands, follow, strict=True)
        ]
        return subject.apply(operands, case.params)

    graph = unroll(function, *[x for x, keep in zip(case.operands, follow, strict=True) if keep])
    numbers = np.array([float(v) for v in graph.out.reshape(-1)]).reshape(graph.out.shape)
    g = irregular(value)
    ulps = 2.0**20 if op.name in OTHER_ALGORITHM else 4096.0  # 1e-12
    if not near(numbers, value, ulps, 1.0):
        raise broken("unrolled", subject, case, f"unrolled, its value is {numbers.tolist()}")
    for y, weight in zip(graph.out.reshape(-1), g.reshape(-1), strict=True):
        if not isinstance(y, float):
            y.backward(float(weight))
    names = operand_names(subject, len(case.operands))
    gradients = iter(graph.inputs)
    terms = 1.0 + float(np.sum(np.abs(g)))
    for name, keep, wanted in zip(names, follow, found, strict=True):
        if not keep:
            continue
        leaves = next(gradients)
        mine = np.array([v.grad for v in leaves.reshape(-1)]).reshape(leaves.shape)
        if wanted is not None and not near(mine, wanted, ulps, terms):
            said = f"unrolled, the gradient of {name} is {mine.tolist()}, not {wanted.tolist()}"
            raise broken("unrolled", subject, case, said, ["out.backward(g)"])
