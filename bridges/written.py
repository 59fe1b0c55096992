"""A listing as two Python functions, forward and backward: kernels and rules, one after another.

What the engine finds out at each step is settled here once: which kernel, which rule, what is kept
for it, where broadcasting has to be undone. The lines are written while the listing is run again on
the arrays that it was made from, and the numbers have to come out as they were.
"""

from __future__ import annotations

import keyword
import linecache
import math
import re
import weakref
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import count
from typing import Any

import numpy as np

from ..engine import Op
from ..nn.kernels.geometry import Geometry
from ..tensor.node import Array, Node
from ..tensor.quiet import Quiet
from ..tensor.rows.shape import _sum_to
from ..tensor.spelt import SPELT
from ..tensor.trees import leaves
from ..tensor.whole import Whole
from .listing import CaptureError, Listing, Ref, Step
from .watched import equal

# names that the written lines use themselves
_RESERVED = re.compile(r"gradients|kept|part|asarray|sum_to|_|(g|part)_\d+|.*_kept").fullmatch
LARGE = 1 << 16  # bytes from which on an array is let go as soon as it has been used
_fresh = count(1).__next__


class Program:
    """A run as functions of its inputs.

    ``forward(*inputs)`` gives the list of results, and what backward needs; ``backward(gradients,
    kept, *inputs)`` the gradients of the inputs that are ``followed``, None where there is none.
    """

    def __init__(
        self,
        listing: Listing,
        inputs: dict[Ref, str],
        results: Sequence[Ref],
        tracked: Collection[int],
        followed: dict[Node, Ref],
    ) -> None:
        self.steps = _leading(listing.steps, results)
        self.constants: dict[str, Any] = {}  # what the functions use that has no literal
        self.names: dict[Ref, str] = {}
        for ref, name in inputs.items():
            self._name(ref, name)
        for ref in listing.filled:
            self._name(ref, f"filled_{ref}")
        for step in self.steps:
            self._name(step.out, step.name, step.out)
        for ref in listing.filled:
            self.constants[self.names[ref]] = listing.arrays[ref]
        self._locals = set(self.names.values()).difference(self.constants)
        with Quiet():
            there = _Forward(self, listing, results)
            seeded = {ref: place for place, ref in enumerate(results) if place in tracked}
            back = _Backward(self, listing, there, inputs, seeded, followed)
        given = [self.names[ref] for ref in inputs]
        # what was drawn at random is needed as it was, also by a backward that is in the graph
        drawn = [self.names[s.out] for s in self.steps if s.prepared]
        self.kept = kept = [n for n in dict.fromkeys([*back.kept, *drawn]) if n not in given]
        lines = [*there.written(given, kept), "", "", *back.written(given, kept), ""]
        self.source = "\n".join(lines)
        known = {name: listing.arrays[ref] for ref, name in self.names.items()}
        known.update({f"{self.names[ref]}_kept": x for ref, x in there.extra.items()})
        self.trial = tuple([known[name] for name in kept])  # what the recorded run would have kept
        self.forward, self.backward = self._compiled()

    def _name(self, ref: Ref, *words: Any) -> None:
        name = "_".join(re.sub(r"\W", "_", str(word)) for word in words)
        if not name.isidentifier() or keyword.iskeyword(name) or _RESERVED(name):
            name = f"x_{name}"
        while name in self.names.values():
            name += "_"
        self.names[ref] = name

    def constant(self, name: str, value: Any) -> str:
        """A name under which the functions know a value."""
        while name in self._locals or self.constants.setdefault(name, value) is not value:
            name += "_"
        return name

    def said(self, x: Any) -> str:
        """An operand or a parameter in code."""
        if isinstance(x, Ref):
            return self.names[x]
        if type(x) is tuple:
            return f"({''.join(f'{self.said(part)}, ' for part in x)})"
        return repr(x) if _has_literal(x) else self.constant(f"constant_{len(self.constants)}", x)

    def forget(self) -> None:
        """Let go of the run that this was written from: its arrays, and its graph."""
        self.steps = [step._replace(node=None) for step in self.steps]
        self.trial = ()

    def equals(self, other: Program) -> bool:
        """Whether the other one does the same with its inputs."""
        mine, others = self.constants, other.constants
        return self.source == other.source and all(_alike(mine[k], others[k]) for k in mine)

    def _compiled(self) -> tuple[Callable[..., Any], Callable[..., Any]]:
        file = f"<captured {_fresh()}>"
        lines = self.source.splitlines(keepends=True)
        linecache.cache[file] = (len(self.source), None, lines, file)  # for tracebacks
        weakref.finalize(self, linecache.cache.pop, file, None)
        space = {**self.constants, "asarray": np.asarray, "sum_to": _sum_to}
        exec(compile(self.source, file, "exec"), space)
        return space["forward"], space["backward"]


def _leading(steps: Sequence[Step], results: Sequence[Ref]) -> list[Step]:
    """The steps that a result depends on."""
    wanted = set(results)
    found = []
    for step in reversed(steps):
        if step.out in wanted or step.always or step.prepared:  # it may draw random numbers
            found.append(step)
            wanted.update(step.uses())
    return found[::-1]


class _Forward:
    """The lines of forward, and the numbers that they give."""

    def __init__(self, program: Program, listing: Listing, results: Sequence[Ref]) -> None:
        self.program, self.listing, self.results = program, listing, results
        self.extra: dict[Ref, Any] = {}  # what kernels gave for backward besides their result
        self.lines = [(step, list(self._step(step))) for step in program.steps]

    def _step(self, step: Step) -> Iterator[str]:
        say, out = self.program.said, self.program.names[step.out]
        given = ", ".join(map(say, (*step.operands, *step.params)))
        if step.op is None:  # not to be run again: it may draw random numbers
            yield f"{out} = {self.program.constant(step.name, step.run)}({given})"
            return
        values, params = self.listing.values(step.operands), self.listing.values(step.params)
        kernel = _kernel(step.op, values)
        found = kernel(*values, *params)
        left = out
        if found.__class__ is tuple:
            found, self.extra[step.out] = found
            left = f"{out}, {out}_kept"
        run = self.program.constant(step.op.name, kernel)
        yield f"{left} = {run}({given})"
        if found.__class__ is not Array:
            yield f"{out} = asarray({out})"
        if not _alike(np.asarray(found), self.listing.arrays[step.out]):
            raise CaptureError(
                f"capture: {step.op.name} gave other numbers when it was run again, so it goes by "
                "more than its operands; do this part outside of the captured function"
            )

    def written(self, inputs: Sequence[str], kept: Sequence[str]) -> Iterator[str]:
        """The function; large arrays that are not ``kept`` are dropped after their last use."""
        last = {x: step for step, _ in self.lines for x in step.uses()}
        names = self.program.names
        stay = {*inputs, *kept, *(names[r] for r in self.results), *self.program.constants}
        yield f"def forward({', '.join(inputs)}):"
        for step, lines in self.lines:
            yield from (f"    {line}" for line in lines)
            for x in dict.fromkeys([*step.uses(), step.out]):
                large = getattr(self.listing.arrays[x], "nbytes", 0) >= LARGE
                if large and last.get(x, step) is step and names[x] not in stay:
                    yield f"    del {names[x]}"
        results = ", ".join(names[r] for r in self.results)
        yield f"    return [{results}], ({''.join(f'{name}, ' for name in kept)})"


class _Backward:
    """The lines of backward, found by running the rules once."""

    def __init__(
        self,
        program: Program,
        listing: Listing,
        there: _Forward,
        inputs: Iterable[Ref],
        seeded: dict[Ref, int],
        followed: dict[Node, Ref],
    ) -> None:
        self.program, self.listing, self.there = program, listing, there
        self.inputs, self.followed = list(inputs), followed
        self.kept: dict[str, None] = {}  # names of forward that are read
        self.lines: list[str] = []
        self.gradients: dict[Node, tuple[str, Array]] = {}
        self.leading = self._leading_nodes()
        nodes = {step.out: step.node for step in program.steps}
        for ref, place in seeded.items():
            node = nodes.get(ref)
            if node is not None and node in self.leading:
                self._arrive(node, f"gradients[{place}]", irregular(listing.arrays[ref]))
        for step in reversed(program.steps):
            if step.node in self.gradients:
                self._step(step, step.node)
        self.answers = {
            ref: self.gradients[node] for node, ref in followed.items() if node in self.gradients
        }

    def _leading_nodes(self) -> set[Node]:
        """The nodes with a way to an input that is followed."""
        leading = set(self.followed)
        for step in self.program.steps:
            if step.node is not None and not leading.isdisjoint(step.node.inputs):
                leading.add(step.node)
        return leading

    def _arrive(self, node: Node, said: str, part: Array) -> None:
        """Add a part to the gradient of a node."""
        known = self.gradients.get(node)
        if known is None:
            name = f"g_{len(self.gradients)}"
            self.lines.append(f"{name} = {said}")
            self.gradients[node] = name, part
        else:
            name, before = known
            self.lines.append(f"{name} = asarray({name} + {said})")
            self.gradients[node] = name, np.asarray(before + part)

    def _step(self, step: Step, node: Node) -> None:
        assert step.op is not None
        upstream, g = self.gradients[node]
        needed = tuple([before in self.leading for before in node.inputs])
        said, values = self._arguments(step, node)
        if step.op.joint is None:
            parts = self._part_by_part(step.op, needed, upstream, g, said, values)
        else:
            parts = self._together(step.op, needed, upstream, g, said, values)
        for before, (name, part) in zip(node.inputs, parts, strict=False):
            if before in self.leading and part is not None:
                assert before is not None
                self._arrive(before, *self._fitted(name, part, before, g))
        if g.nbytes >= LARGE and node not in self.followed:
            self.lines.append(f"del {upstream}")

    def _arguments(self, step: Step, node: Node) -> tuple[list[str], list[Any]]:
        """(y, *operands, *params) of a rule, in code and as they are; None for what none reads."""
        op, listing = step.op, self.listing
        assert op is not None
        reads = op.kept[tuple([before is not None for before in node.inputs])]
        said, values = [], []
        for x, read in zip((step.out, *step.operands), reads, strict=True):
            array = isinstance(x, Ref)
            said.append(self._kept(self.program.said(x)) if read or not array else "None")
            values.append((listing.arrays[x] if read else None) if array else x)
        for x in step.params:
            for part in leaves(x):
                if isinstance(part, Ref):
                    self._kept(self.program.names[part])
        said += map(self.program.said, step.params)
        values += listing.values(step.params)
        if step.out in self.there.extra:
            said.append(self._kept(f"{self.program.names[step.out]}_kept"))
            values.append(self.there.extra[step.out])
        return said, values

    def _kept(self, name: str) -> str:
        if name.isidentifier() and name not in self.program.constants:
            self.kept[name] = None
        return name

    def _part_by_part(
        self, op: Op, needed: tuple[bool, ...], upstream: str, g: Array, said: list[str],
        values: list[Any],
    ) -> Iterator[tuple[str, Any]]:  # fmt: skip
        for place, (rule, want) in enumerate(zip(op.vjp, needed, strict=True)):
            if rule is None or not want:
                yield "", None
                continue
            rule = SPELT.get(rule, rule) if len(op.vjp) == 1 else rule
            suffix = f"_{op.args[place]}" if len(op.vjp) > 1 else ""
            run = self.program.constant(f"{op.name}_back{suffix}", rule)
            part = rule(g, *values)
            if part is not None:
                self.lines.append(f"part = {run}({', '.join((upstream, *said))})")
            yield "part", part

    def _together(
        self, op: Op, needed: tuple[bool, ...], upstream: str, g: Array, said: list[str],
        values: list[Any],
    ) -> Iterator[tuple[str, Any]]:  # fmt: skip
        assert op.joint is not None
        run = self.program.constant(f"{op.name}_back", op.joint)
        if op.variadic:
            many = len(needed)
            together = "".join(f"{x}, " for x in said[1 : 1 + many])
            said = [said[0], f"({together})", *said[1 + many :]]
            values = [values[0], tuple(values[1 : 1 + many]), *values[1 + many :]]
        parts = list(op.joint(needed, g, *values))
        names = [f"part_{place}" if part is not None else "_" for place, part in enumerate(parts)]
        call = f"{run}({', '.join((repr(needed), upstream, *said))})"
        self.lines.append(f"{', '.join(names)}{',' * (len(names) == 1)} = {call}")
        yield from zip(names, parts, strict=True)

    def _fitted(self, name: str, part: Any, before: Node, g: Array) -> tuple[str, Array]:
        """A part in the shape and dtype of its operand, in memory of its own for an input."""
        if part.__class__ is not Array:
            name, part = f"asarray({name})", np.asarray(part)
        if part.shape != before.shape:
            name = f"asarray(sum_to({name}, {before.shape}))"
            part = np.asarray(_sum_to(part, before.shape))
        if part.dtype is not before.dtype:
            dtype = self.program.constant(str(before.dtype), before.dtype)
            name, part = f"{name}.astype({dtype})", part.astype(before.dtype)
        elif part is g and before in self.followed:  # or two inputs could get the same array
            name, part = f"{name}.copy()", part.copy()
        return name, part

    def written(self, inputs: Sequence[str], kept: Sequence[str]) -> Iterator[str]:
        yield f"def backward({', '.join(['gradients', 'kept', *inputs])}):"
        if kept:
            yield f"    {''.join(f'{name}, ' for name in kept)}= kept"
        yield from (f"    {line}" for line in self.lines)
        found = [self.answers[ref][0] if ref in self.answers else "None" for ref in self.inputs]
        yield f"    return [{', '.join(found)}]"


def irregular(array: Array) -> Array:
    """A gradient to try the rules with: no two entries alike, some of either sign."""
    numbers = np.cos(np.arange(array.size) * 1.7 + 0.3)
    return np.asarray(numbers.reshape(array.shape), array.dtype)


def _kernel(op: Op, operands: Sequence[Any]) -> Callable[..., Any]:
    """The kernel that ``tensor/record.py`` chooses for these arrays and numbers."""
    kernel: Callable[..., Any] | None = op.on.get(Array)
    arrays = [x for x in operands if isinstance(x, np.ndarray)]
    if kernel is None or any(x.dtype == np.float16 for x in arrays):
        what = "float16" if kernel else "a Function of your own"
        raise CaptureError(f"capture: {op.name} on {what} is not captured; keep it outside")
    if float in op.on and any(x.dtype.kind != "f" for x in arrays):
        return op.on.get(Whole, kernel)
    return kernel


def _has_literal(x: Any) -> bool:
    if isinstance(x, tuple):
        return type(x) is tuple and all(map(_has_literal, x))
    if type(x) is float:
        return math.isfinite(x)
    return (
        x is None
        or x is Ellipsis
        or type(x) in (bool, int, str, slice)
        and (type(x) is not slice or all(map(_has_literal, (x.start, x.stop, x.step))))
    )


def _alike(x: Any, y: Any) -> bool:
    """Whether two values are the same to compute with."""
    if isinstance(x, np.ndarray) and isinstance(y, np.ndarray):
        floats = x.dtype.kind == "f"
        return x.dtype == y.dtype and np.array_equal(x, y, equal_nan=floats)
    if type(x) is tuple and type(y) is tuple and len(x) == len(y):
        return all(map(_alike, x, y))
    return equal(x, y) or type(x) is type(y) is Geometry and bool(x == y)
