"""Laws about what a function returns."""

from __future__ import annotations

import numpy as np

from ..memory import irregular
from .subject import Case, Subject, Trial, broken, run, same_value


def value(subject: Subject, case: Case) -> None:
    """The value is what the reference computes, in shape and up to rounding."""
    if subject.reference is None:
        return
    found, _ = run(subject, case, follow=[False] * len(case.operands))
    with np.errstate(all="ignore"):
        expected = np.asarray(subject.reference(*case.operands, *case.params))
    if found.shape != expected.shape:
        raise broken(
            "value", subject, case, f"expected shape {expected.shape}, got {found.shape}",
            [f"assert out.shape == {expected.shape}, out.shape"],
        )  # fmt: skip
    if not same_value(subject, case, found, expected, 256):
        raise broken(
            "value", subject, case, f"expected {expected.tolist()}, got {found.tolist()}",
            [f"print(out, 'expected', {expected.tolist()})"],
        )  # fmt: skip


def unchanged(subject: Subject, case: Case) -> None:
    """Neither forward nor backward writes to an operand or to the upstream gradient."""
    before = [x.copy() for x in case.operands]
    trial = Trial(subject, case, subject.follows(case))
    out = trial.forward()
    g = irregular(np.asarray(out._data))
    g_before = g.copy()
    value_before = np.array(out._data)
    trial.backward(g)
    changed = [
        f"operand {k}"
        for k, (x, old) in enumerate(zip(case.operands, before, strict=True))
        if not np.array_equal(x, old, equal_nan=True)
    ]
    if not np.array_equal(g, g_before):
        changed.append("the upstream gradient")
    if not np.array_equal(np.asarray(out._data), value_before, equal_nan=True):
        changed.append("the output")
    if changed:
        raise broken(
            "unchanged", subject, case, f"{', '.join(changed)} changed",
            [f"print('before', {[x.tolist() for x in before]})"]
        )  # fmt: skip
