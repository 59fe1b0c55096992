"""What an op *means*: its operands, its derivative rules, and where both are defined.

One table serves numbers and arrays. A row never says how to compute: kernels are attached per kind
of operand (``op.on[float]``, ``op.on[ndarray]``, …), and a rule is written with operators and other
ops only, so the same line differentiates floats, arrays, ``Value`` graphs and ``Tensor`` graphs.
"""

from __future__ import annotations

import dis
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import copysign, inf
from types import CodeType
from typing import Any

Rule = Callable[..., Any]


@dataclass(frozen=True)
class Domain:
    """The open interval in which an operand is drawn for tests, less the points where the op
    breaks."""

    name: str
    low: float = -inf
    high: float = inf
    avoid: tuple[float, ...] = ()

    def without(self, *points: float) -> Domain:
        """The same interval, keeping clear of ``points`` (kinks, poles)."""
        return Domain(self.name, self.low, self.high, (*self.avoid, *points))


REAL = Domain("real")
NONZERO = Domain("nonzero", avoid=(0.0,))
POSITIVE = Domain("positive", low=0.0)
ABOVE_MINUS_ONE = Domain("above -1", low=-1.0)
ABOVE_ONE = Domain("above 1", low=1.0)
UNIT = Domain("between -1 and 1", low=-1.0, high=1.0)
WHOLE = Domain("whole number")  # stepwise ops: drawn away from the steps
TRUTH = Domain("truth value")


@dataclass(frozen=True)
class Pin:
    """The stated derivative at a kink or tie: at operands ``at``, gradients ``grad`` for g = 1."""

    at: tuple[Any, ...]
    grad: tuple[Any, ...]
    note: str


class Op:
    """A row of the table.

    ``vjp`` holds one rule per operand, ``rule(g, y, *operands, *params)``: upstream gradient,
    output, then what the op was called with. ``None`` marks an operand without derivative. A
    *joint* rule ``joint(needed, g, y, *operands, *params)`` gives all operand gradients at once
    where they share work.
    """

    __slots__ = (
        "name", "args", "vjp", "domain", "why", "params", "defaults", "symbol", "result",
        "pinned", "analytic", "view", "joint", "composition", "differentiable", "kept", "on",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        args: str,
        *,
        vjp: tuple[Rule | None, ...],
        domain: tuple[Domain, ...],
        why: str,
        params: Mapping[str, Any] | None = None,
        symbol: str = "",
        result: str = "same",
        pinned: tuple[Pin, ...] = (),
        analytic: bool = False,
        view: bool = False,
        joint: Rule | None = None,
        composition: Callable[..., Any] | None = None,
    ) -> None:
        self.name = name
        self.args = tuple(args.split())
        self.params = tuple(params or ())
        self.defaults = tuple((params or {}).values())
        self.vjp = vjp
        self.domain = domain
        self.why = why
        self.symbol = symbol or name
        self.result = result  # dtype of the result: "same", "float" or "bool"
        self.pinned = pinned
        # the kernel takes complex numbers, so the complex step is an oracle
        self.analytic = analytic
        self.view = view  # the result shares memory with its operand
        self.joint = joint
        self.composition = composition
        self.differentiable = joint is not None or any(rule is not None for rule in vjp)
        self.kept = Kept(self)
        self.on: dict[type, Callable[..., Any]] = {}
        operands = self.args if self.args[-1:] != ("*xs",) else ("xs",)
        if not (len(vjp) == len(domain) == len(operands)):
            raise TypeError(
                f"op {name!r} has {len(operands)} operands, {len(vjp)} rules and {len(domain)} "
                "domains; give one of each per operand"
            )

    @property
    def variadic(self) -> bool:
        """Takes any number of operands, which its joint rule gets as one tuple ``xs``."""
        return self.args == ("*xs",)

    def arity(self, given: int) -> int:
        """How many of ``given`` arguments are operands; the others are parameters."""
        return given - len(self.params) if self.variadic else len(self.args)

    def __call__(self, *args: Any) -> Any:
        """Apply to operands of any kind, the most capable kind deciding (Tensor over Value over
        array)."""
        best = 0
        kind: type = float
        for arg in args:
            found = KINDS.get(type(arg))
            if found is not None and found[0] > best:
                best, kind = found
        if kind is Ieee:
            return Ieee(self.on[float](*args))
        return self.on[kind](*args)

    def __repr__(self) -> str:
        return f"Op({self.name}: {', '.join(self.args)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _row_named, (self.name,)  # rows are singletons: a copy is the row itself

    def __deepcopy__(self, memo: object) -> Op:
        return self


class Kept(dict[tuple[bool, ...], tuple[bool, ...]]):
    """Which of (y, *operands) backward will read, by which operands want a gradient: the rest need
    not be kept alive, and may be edited.

    Found when it is first asked for: reading the bytecode of all rules would be felt at import.
    """

    def __init__(self, op: Op) -> None:
        self.op = op
        self.by_joint: tuple[bool, ...] | None = None

    def __missing__(self, needed: tuple[bool, ...]) -> tuple[bool, ...]:
        op = self.op
        if op.joint is None:
            wanted = zip(op.vjp, needed, strict=True)
            rules = [rule for rule, want in wanted if want and rule is not None]
            self[needed] = found = _reads(rules, len(op.vjp) + 1)
            return found
        if self.by_joint is None:
            self.by_joint = _reads([op.joint], len(op.vjp) + 1)
        y, *operands = self.by_joint
        if op.variadic:  # not remembered: there is no end of how many operands there are
            return (y, *operands * len(needed))
        self[needed] = self.by_joint
        return self.by_joint

    @cached_property
    def result(self) -> bool:
        """Whether y is kept: of a fused op it does not depend on who wants a gradient."""
        return self[(True,) * len(self.op.vjp)][0]


TABLE: dict[str, Op] = {}
# operand type -> (precedence, the kind whose kernel serves it)
KINDS: dict[type, tuple[int, type]] = {}


def row(name: str, args: str, **columns: Any) -> Op:
    """Add a row to the table (see ``Op`` for the columns)."""
    if name in TABLE:
        raise ValueError(f"the table already has a row named {name!r}")
    TABLE[name] = op = Op(name, args, **columns)
    return op


def attach(kind: type, kernels: Mapping[str, Callable[..., Any]]) -> None:
    """Say how operands of ``kind`` compute each named op."""
    for name, kernel in kernels.items():
        TABLE[name].on[kind] = kernel


def _row_named(name: str) -> Op:
    return TABLE[name]


def _reads(rules: Iterable[Rule], operands: int) -> tuple[bool, ...]:
    """Which of (y, *operands) any rule reads: the rest need not be kept alive for backward."""
    read = [False] * operands
    for rule in rules:
        code: CodeType = rule.__code__
        if code.co_flags & 0x04:  # *args: assume the worst
            return (True,) * operands
        names = code.co_varnames[: code.co_argcount]
        first = names.index("y")
        used = _loaded(code)
        for place in range(min(operands, len(names) - first)):
            read[place] |= names[first + place] in used
    return tuple(read)


def _loaded(code: CodeType) -> set[str]:
    names: set[str] = set(code.co_cellvars)
    for step in dis.get_instructions(code):
        if "LOAD" in step.opname:
            values = step.argval if isinstance(step.argval, tuple) else (step.argval,)
            names.update(value for value in values if isinstance(value, str))
    return names


class Ieee(float):
    """A float that divides as IEEE 754 says, where Python's raises; rules fall back on it at
    poles."""

    __slots__ = ()

    def __truediv__(self, other: float) -> Ieee:
        return Ieee(divide(float(self), float(other)))

    def __rtruediv__(self, other: float) -> Ieee:
        return Ieee(divide(float(other), float(self)))

    def __add__(self, other: float) -> Ieee:
        return Ieee(float(self) + float(other))

    def __sub__(self, other: float) -> Ieee:
        return Ieee(float(self) - float(other))

    def __rsub__(self, other: float) -> Ieee:
        return Ieee(float(other) - float(self))

    def __mul__(self, other: float) -> Ieee:
        return Ieee(float(self) * float(other))

    def __neg__(self) -> Ieee:
        return Ieee(-float(self))

    __radd__ = __add__
    __rmul__ = __mul__


KINDS[Ieee] = (1, Ieee)


def divide(a: float, b: float) -> float:
    """a / b, with the IEEE answer where Python raises."""
    try:
        return a / b
    except ZeroDivisionError:
        if a == 0 or a != a:
            return float("nan")
        return copysign(inf, a) * copysign(1.0, b)
