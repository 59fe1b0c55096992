"""Laws about the graph: aliases, memory, layouts, constants, accumulation."""

from __future__ import annotations

from itertools import product

import numpy as np

from ...tensor import Tensor, autograd
from ..memory import LAYOUTS, irregular, lay_out
from .subject import (
    Array,
    Case,
    Subject,
    Trial,
    broken,
    in_layout,
    near,
    operand_names,
    run,
    same_value,
)


def unaliased(subject: Subject, case: Case) -> None:
    """No gradient shares memory with another, with an operand, or with the upstream gradient."""
    trial = Trial(subject, case, subject.follows(case))
    out = trial.forward()
    g = irregular(np.asarray(out._data))
    found = trial.backward(g)
    names = operand_names(subject, len(case.operands))
    held = {f"{n}.grad": x for n, x in zip(names, found, strict=True) if x is not None}
    others: dict[str, Array] = dict(zip(names, case.operands, strict=True))
    others["the upstream gradient"] = g
    for mine, array in held.items():
        for name, other in (held | others).items():
            if name != mine and np.shares_memory(array, other):
                said = f"{mine} shares memory with {name}"
                raise broken("unaliased", subject, case, said, ["out.backward(g)"])
        if not array.flags.writeable:
            raise broken("unaliased", subject, case, f"{mine} is read-only", ["out.backward(g)"])


def layouts(subject: Subject, case: Case) -> None:
    """Operands and upstream gradient in any memory layout give the same value and gradients."""
    value, _ = run(subject, case, follow=[False] * len(case.operands))
    for layout in LAYOUTS[1:]:
        other = in_layout(case, layout)
        plain = Case(
            tuple(np.ascontiguousarray(x).reshape(x.shape) for x in other.operands), case.params
        )
        g = lay_out(irregular(value), layout)
        expected, wanted = run(subject, plain, np.array(g))
        found, gradients = run(subject, other, g)
        if not same_value(subject, plain, found, expected):
            said = f"operands laid out {layout!r} give another value"
            raise broken("layouts", subject, other, said, ["print(out)"])
        # Sums run in another order: rounding is relative to their terms, not to what is left.
        terms = sum(float(np.abs(x).sum()) for x in (g, *wanted) if x is not None)
        for k, (a, b) in enumerate(zip(gradients, wanted, strict=True)):
            if (a is None) != (b is None) or not (a is None or b is None or near(a, b, 64, terms)):
                name = operand_names(subject, len(case.operands))[k]
                said = f"laid out {layout!r}, {name} has another gradient"
                raise broken("layouts", subject, other, said, [f"print({name}.grad)"])


def constants(subject: Subject, case: Case) -> None:
    """Whichever operands are constants, the others get the same gradients, and constants none."""
    follow = subject.follows(case)
    every = [k for k, keep in enumerate(follow) if keep]
    value, full = run(subject, case)
    for chosen in product((False, True), repeat=len(every)):
        wanted = dict(zip(every, chosen, strict=True))
        flags = [wanted.get(k, False) for k in range(len(follow))]
        again, found = run(subject, case, irregular(value), flags)
        names = operand_names(subject, len(case.operands))
        for k, (a, b) in enumerate(zip(found, full, strict=True)):
            if a is None:
                right = not flags[k] or b is None
            else:
                right = flags[k] and b is not None and near(a, b)
            if not right:
                constant = [n for n, flag in zip(names, flags, strict=True) if not flag]
                said = f"with {constant} constant, the gradient of {names[k]} is {a}, not {b}"
                raise broken("constants", subject, case, said)
        if not near(again, value):
            raise broken("constants", subject, case, "constants change the value")


def accumulates(subject: Subject, case: Case) -> None:
    """A second backward adds the same gradients once more, to the leaves only."""
    if not any(subject.follows(case)):
        return
    trial = Trial(subject, case, subject.follows(case))
    out = trial.forward()
    g = irregular(np.asarray(out._data))
    once = [None if x is None else x.copy() for x in trial.backward(g)]
    twice = trial.backward(g)
    for k, (a, b) in enumerate(zip(once, twice, strict=True)):
        if a is not None and (b is None or not near(b, 2 * a, 64)):
            name = operand_names(subject, len(case.operands))[k]
            said = f"after two backward() calls {name}.grad is not twice the first"
            tail = ["out.backward(g)", "out.backward(g)", f"print({name}.grad)"]
            raise broken("accumulates", subject, case, said, tail)


def aliased(subject: Subject, case: Case) -> None:
    """f(x, x) gives x the sum of what f(a, b) gives a and b at the same point."""
    follow = subject.follows(case)
    if len(case.operands) < 2 or not all(follow[:2]):
        return
    if case.operands[0].shape != case.operands[1].shape:
        return
    twin = case.operands[0].copy()
    same = Case((case.operands[0], twin, *case.operands[2:]), case.params)
    try:
        value, (first, other, *_) = run(subject, same)
    except ValueError:  # a product of matrices that are not square
        return
    x = Tensor(case.operands[0]).requires_grad_()
    rest = [Tensor(a) for a in case.operands[2:]]
    out = subject.apply([x, x, *rest], case.params)
    out.backward(Tensor(irregular(value)))
    if first is None or other is None:
        return
    total = first + other
    scale = float(np.max(np.abs(first), initial=0.0) + np.max(np.abs(other), initial=0.0))
    if not near(np.asarray(x.grad._data), total, 64, scale):
        said = f"f(x, x) gives x {x.grad.tolist()}, f(a, b) gives a + b {total.tolist()}"
        raise broken("aliased", subject, same, said)


def paths(subject: Subject, case: Case) -> None:
    """Where an operand is an inner node that another path also leads to, both are added up, and
    what shares the gradient's memory on the way is left alone."""
    follow = subject.follows(case)
    if not follow or not follow[0]:
        return
    x, rest = case.operands[0], case.operands[1:]
    first = Tensor(np.asarray(x / 2)).requires_grad_()
    other = Tensor(np.full_like(x, 0.25)).requires_grad_()
    inner, beside = first * 2, other * 4 - 1
    direct = inner * 0.5  # older than the sum, so it is added to a gradient that is already there
    operand = inner + beside
    out = subject.apply([operand, *(Tensor(a) for a in rest)], case.params)
    g = irregular(np.asarray(out._data))
    through = run(subject, case, g, [k == 0 for k in range(len(follow))])[1][0]
    h = irregular(x, seed=1)
    autograd.backward([out, direct], [Tensor(g), Tensor(h)])
    if through is None:
        return
    expected = {
        "the operand": (first, 2 * (through + h / 2)),
        "what was added to it": (other, 4 * through),
    }
    scale = float(np.sum(np.abs(g)) + 4 * np.max(np.abs(through), initial=0.0) + 2)
    for name, (leaf, wanted) in expected.items():
        found = None if leaf.grad is None else np.asarray(leaf.grad._data)
        if found is None or not near(found, wanted, 256, scale):
            said = f"with a second path beside it, {name} gets {found}, expected {wanted}"
            raise broken("paths", subject, case, said)


def broadcasting(subject: Subject, case: Case) -> None:
    """Gradients of broadcast operands are the summed gradients of explicitly tiled ones."""
    if not subject.elementwise or len(case.operands) < 2:
        return
    value, found = run(subject, case)
    tiled = Case(tuple(np.broadcast_to(x, value.shape).copy() for x in case.operands), case.params)
    expected, wanted = run(subject, tiled, irregular(value))
    names = operand_names(subject, len(case.operands))
    if not same_value(subject, case, value, expected):
        raise broken("broadcasting", subject, case, "tiling the operands changes the value")
    for name, x, a, b in zip(names, case.operands, found, wanted, strict=True):
        if a is None or b is None:
            continue
        total = _summed(b, x.shape)
        scale = float(np.sum(np.abs(b)))
        if a.shape != total.shape or not near(a, total, 64, scale):
            said = f"{name}.grad is {a.tolist()}, of tiled operands {total.tolist()}"
            raise broken("broadcasting", subject, case, said)


def _summed(g: Array, shape: tuple[int, ...]) -> Array:
    lead = g.ndim - len(shape)
    g = g.sum(axis=tuple(range(lead)))
    axes = tuple(k for k, n in enumerate(shape) if n == 1 and g.shape[k] != 1)
    return np.asarray(g.sum(axis=axes, keepdims=True))
