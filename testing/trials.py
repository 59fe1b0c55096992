"""`check_op`: give one function the whole set of laws, and print what breaks as a program."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from ..engine import Op
from ..engine.op import REAL, Domain
from ..tensor import Tensor
from .laws import LAWS, Case, LawBroken, Subject
from .laws.edges import finite_edges
from .problem import function_class, function_name, parameters
from .quoting import quoted
from .search import first_broken
from .strategies import arrays, broadcastable_shapes

HELD, BROKEN, SKIPPED = "holds", "BROKEN", "-"


@dataclass(frozen=True)
class LawResult:
    """One law on one function: whether it holds, what it says, and the error when it does not."""

    law: str
    outcome: str
    says: str
    error: LawBroken | None = None


@dataclass(frozen=True)
class OpReport:
    """What `check_op` returns: true when no law is broken, a page when printed."""

    function: str
    results: tuple[LawResult, ...]
    examples: int

    def __bool__(self) -> bool:
        return not self.broken

    @property
    def broken(self) -> tuple[LawResult, ...]:
        return tuple(result for result in self.results if result.outcome == BROKEN)

    def __str__(self) -> str:
        count = len(self.broken)
        verdict = f"{count} law{'s are' if count > 1 else ' is'} broken"
        verdict = "every law holds" if self else verdict
        lines = [f"{self.function}: {verdict} ({self.examples} examples a law)"]
        width = max(len(result.law) for result in self.results)
        for result in self.results:
            lines.append(f"  {result.law.ljust(width)}  {result.outcome:6}  {result.says}")
        for result in self.broken:
            lines += ["", str(result.error).rstrip()]
        return "\n".join(lines)

    def __repr__(self) -> str:
        broken = ", ".join(result.law for result in self.broken) or "nothing"
        return f"<OpReport of {self.function}: {broken} broken>"

    def assert_correct(self) -> OpReport:
        """Return the report, or raise `LawBroken` with its page."""
        if self:
            return self
        raise LawBroken(str(self))


def check_op(
    fn: Any,
    *operands: Any,
    reference: Callable[..., Any] | None = None,
    inputs: SearchStrategy[Any] | None = None,
    elementwise: bool | None = None,
    twice: bool = True,
    examples: int = 30,
    laws: Sequence[str] | None = None,
    name: str | None = None,
) -> OpReport:
    """Check a function of tensors, or an ``autograd.Function``, against every law.

    ``operands`` say what each argument is drawn from: a `Domain` (``REAL``, ``POSITIVE``, or one
    that avoids kinks: ``REAL.without(0.0)``), or a strategy of arrays or tensors. Without any, each
    of the function's parameters is a real number. Operands given by domains have shapes that
    broadcast together; ``inputs`` is for others: one strategy of whole argument tuples.

    ``reference(*arrays)`` computes the value another way. ``twice=False`` leaves out second
    derivatives, for a rule that says ``once_differentiable``. ``laws`` names the ones to check.

    >>> import gradling
    >>> report = check_op(lambda x: x * x, reference=np.square, examples=5)
    >>> bool(report)
    True
    >>> class Wrong(gradling.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         (x,) = ctx.saved_tensors
    ...         return g * x
    >>> [result.law for result in check_op(Wrong, examples=5).broken]
    ['gradient']
    """
    rule = function_class(fn)
    call = fn if rule is None else rule.apply
    shown = name or _shown(fn)
    setup, spelled = ((), shown) if isinstance(fn, Op) else quoted(fn, shown)
    drawn = operands or (REAL,) * _arity(fn, inputs)
    strategy = _cases(drawn) if inputs is None else inputs.map(_as_case)
    if elementwise is None:
        elementwise = inputs is None and _keeps_shape(call, drawn)
    subject = Subject(
        shown, call, spelled, reference=reference, elementwise=elementwise, twice=twice,
        setup=setup,
    )  # fmt: skip
    chosen = list(laws) if laws is not None else [*LAWS, "finite_edges"]
    unknown = [law for law in chosen if law not in LAWS and law != "finite_edges"]
    if unknown:
        raise ValueError(f"no law is called {unknown[0]!r}; there are {', '.join(LAWS)}")
    count = len(drawn) if inputs is None else None
    results = [_result(subject, strategy, law, examples, count) for law in chosen]
    return OpReport(shown, tuple(results), examples)


def _result(
    subject: Subject, strategy: SearchStrategy[Case], law: str, examples: int, count: int | None
) -> LawResult:
    says = _first_sentence(LAWS.get(law, finite_edges))
    if not applies(law, subject, count):
        return LawResult(law, SKIPPED, says)
    broken: BaseException | None = None
    if law == "finite_edges":
        try:
            finite_edges(subject, count or 1)
        except LawBroken as error:
            broken = error
    else:
        found = first_broken(subject, strategy, {law: LAWS[law]}, examples, shrink=True)
        broken = None if found is None else found.error
    if broken is None:
        return LawResult(law, HELD, says)
    return LawResult(law, BROKEN, says, broken if isinstance(broken, LawBroken) else None)


def _first_sentence(law: Callable[..., None]) -> str:
    text = " ".join((law.__doc__ or "").split())
    return text.partition(".")[0].partition(":")[0]


def applies(law: str, subject: Subject, count: int | None) -> bool:
    """Has this law anything to say about a subject of ``count`` operands (None: unknown)?"""
    if law == "value":
        return subject.reference is not None
    if law == "second":
        return subject.twice
    if law in ("complex_gradient", "scalar", "composition"):
        return subject.op is not None
    if law == "broadcasting":
        return subject.elementwise and count != 1
    if law == "aliased":
        return count != 1
    if law == "finite_edges":
        return subject.elementwise
    return True


def _arity(fn: Any, inputs: Any) -> int:
    if inputs is not None:
        return 0
    plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    needed = [p for p in parameters(fn) if p.kind in plain and p.default is p.empty]
    return max(1, len(needed))


def _shown(fn: Any) -> str:
    if isinstance(fn, Op):
        return f"gradling.engine.TABLE[{fn.name!r}]"
    return function_name(fn)


@st.composite
def _cases(draw: Any, operands: Sequence[Any]) -> Case:
    shapes = draw(broadcastable_shapes(len(operands)))
    found = []
    for shape, operand in zip(shapes, operands, strict=True):
        if isinstance(operand, Domain):
            found.append(draw(arrays(shape, operand)))
        elif isinstance(operand, SearchStrategy):
            found.append(_as_array(draw(operand)))
        else:
            found.append(_as_array(operand))
    return Case(tuple(found))


def _as_case(arguments: Any) -> Case:
    given = arguments if isinstance(arguments, (tuple, list)) else (arguments,)
    count = sum(isinstance(x, (Tensor, np.ndarray)) for x in given)
    return Case(tuple(_as_array(x) for x in given[:count]), tuple(given[count:]))


def _as_array(x: Any) -> np.ndarray[Any, Any]:
    return np.array(x._data) if isinstance(x, Tensor) else np.asarray(x)


def _keeps_shape(call: Callable[..., Any], operands: Sequence[Any]) -> bool:
    """Is the output as large as its broadcast operands?"""
    if not all(isinstance(operand, Domain) for operand in operands):
        return False
    from .domains import sample

    rng = np.random.default_rng(0)
    shapes = [(2, 3), (3,), (2, 1)]
    try:
        inputs = [Tensor(sample(operand, shapes[k % 3], rng)) for k, operand in enumerate(operands)]
        out = call(*inputs)
    except Exception:
        return False
    expected = np.broadcast_shapes(*(x.shape for x in inputs))
    return isinstance(out, Tensor) and out.shape == expected
