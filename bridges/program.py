"""A recording put in order: terms of sums together, and what can be done at once, at once.

A number is *shared* when it is the same for all samples (parameters, constants, and what is
computed from those alone), else *batched*. Nodes are numbered; operands come before results.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from ..engine import TABLE, Op, Value
from .recording import Recording

ADD, MUL, WEIGHTED_SUM = TABLE["add"], TABLE["mul"], TABLE["weighted_sum"]
SUMS = (ADD, WEIGHTED_SUM)
# Constants of these are numbers like any other; of other ops (an exponent) they are part of the op.
ARITHMETIC = {"add", "sub", "mul", "div", "weighted_sum"}
Term = Value | float | tuple[Value | float, ...]  # of a sum: a number, or the factors of a product


@dataclass(slots=True)
class Node:
    """One number of the program, or (``many``) a sum or a sum of products of others.

    ``kind`` is "leaf", "op", "sum" or "dot"; ``operands`` holds places of other nodes, or floats;
    a dot has its left factors first, then its right ones.
    """

    kind: str
    batched: bool
    operands: tuple[Any, ...] = ()
    op: Op | None = None
    params: tuple[Any, ...] = ()
    held: bool = False  # no gradient passes
    level: int = 0
    follows: bool = False  # leads to something that wants a gradient


@dataclass
class Program:
    """Nodes, and what the leaves among them are."""

    nodes: list[Node] = field(default_factory=list)
    parameters: dict[Value, int] = field(default_factory=dict)
    constants: dict[tuple[float, str], int] = field(default_factory=dict)
    inputs: list[int | None] = field(default_factory=list)
    results: list[int] = field(default_factory=list)
    guards: list[tuple[Op, int, int, bool]] = field(default_factory=list)

    def add(self, node: Node) -> int:
        self.nodes.append(node)
        return len(self.nodes) - 1

    def constant(self, x: float) -> int:
        key = (x, str(x))  # 0.0 and -0.0 are two; nan is one
        if key not in self.constants:
            self.constants[key] = self.add(Node("leaf", False))
        return self.constants[key]

    def apply(self, op: Op, operands: tuple[Any, ...], params: Any = (), held: bool = False) -> int:
        before = [self.nodes[x] for x in operands if x.__class__ is int]
        return self.add(
            Node(
                "op",
                any(x.batched for x in before),
                operands,
                op,
                params,
                held,
                1 + max((x.level for x in before), default=0),
                not held and any(x.follows for x in before),
            )
        )

    def combine(self, kind: str, operands: list[int]) -> int:
        before = [self.nodes[x] for x in operands]
        level = 1 + max(x.level for x in before)
        follows = any(x.follows for x in before)
        batched = any(x.batched for x in before)
        return self.add(Node(kind, batched, tuple(operands), None, (), False, level, follows))


class _Reader:
    """Turns a recording into a program."""

    def __init__(self, recording: Recording, parameters: list[Value], batched: list[bool]) -> None:
        self.recording, self.program = recording, Program()
        self.place: dict[Value, int] = {}
        known = set(parameters)
        program = self.program
        for leaf in recording.leaves():
            if leaf in known:
                self.place[leaf] = program.add(Node("leaf", False, follows=True))
                program.parameters[leaf] = self.place[leaf]
            else:
                self.place[leaf] = program.constant(leaf.data)
        used = set(recording.order)
        for x, many in zip(recording.inputs, batched, strict=True):
            if x in used:
                self.place[x] = program.add(Node("leaf", many, follows=True))
            program.inputs.append(self.place.get(x))
        self.uses = self._count()

    def _count(self) -> dict[Value, int]:
        uses: dict[Value, int] = defaultdict(int)
        recording = self.recording
        for value in recording.order:
            for x in recording.operands(value):
                uses[x] += 1
        for guard in recording.guards:
            for tested in (guard.a, guard.b):
                if isinstance(tested, Value):
                    uses[tested] += 2  # its own number is wanted
        for result in recording.results:
            if isinstance(result, Value):
                uses[result] += 2
        return uses

    def read(self) -> Program:
        recording, program = self.recording, self.program
        inner = self._summed_inside()
        for value in recording.order:
            if value in self.place or value in inner:
                continue
            op, call = recording.made_by(value)
            if op is None:
                self.place[value] = self._cut(call[0])
            elif op in SUMS and value not in recording.cuts:
                self.place[value] = self._sum(value, inner)
            else:
                arity = op.arity(len(call))
                operands = tuple(self._operand(op, x) for x in call[:arity])
                held = value in recording.cuts
                self.place[value] = program.apply(op, operands, call[arity:], held)
        program.results = [self._number(x) for x in recording.results]
        program.guards = [
            (guard.op, self._number(guard.a), self._number(guard.b), guard.outcome)
            for guard in recording.guards
        ]
        return program

    def _number(self, x: Value | float) -> int:
        return self.place[x] if isinstance(x, Value) else self.program.constant(x)

    def _operand(self, op: Op, x: Value | float) -> int | float:
        if isinstance(x, Value) or op.name in ARITHMETIC:
            return self._number(x)
        return x

    def _cut(self, source: Value) -> int:
        """The same number, without a gradient: times 1."""
        return self.program.apply(MUL, (self.place[source], 1.0), (), True)

    def _summed_inside(self) -> set[Value]:
        """Sums and products that nothing but one further sum looks at."""
        recording, inner = self.recording, set()
        for value in reversed(recording.order):
            if value in recording.cuts or value.op not in SUMS:
                continue
            for x in _summands(value):
                if x.__class__ is not Value or self.uses[x] > 1 or x in recording.cuts:
                    continue
                if x.op in (*SUMS, MUL):
                    inner.add(x)
        return inner

    def _sum(self, value: Value, inner: set[Value]) -> int:
        """A sum of all that was added up to ``value``: products by kind, and single terms."""
        program, nodes = self.program, self.program.nodes
        terms: dict[bool, list[int]] = {False: [], True: []}
        products: dict[tuple[bool, bool], list[tuple[int, int]]] = defaultdict(list)
        for x in self._terms(value, inner):
            if isinstance(x, tuple):
                a, b = (self._number(factor) for factor in x)
                if nodes[a].batched and not nodes[b].batched:
                    a, b = b, a
                products[nodes[a].batched, nodes[b].batched].append((a, b))
            else:
                place = self._number(x)
                terms[nodes[place].batched].append(place)
        for (_, batched), pairs in products.items():
            if len(pairs) == 1:
                place = program.apply(MUL, pairs[0])
            else:
                lefts, rights = zip(*pairs, strict=True)
                place = program.combine("dot", [*lefts, *rights])
            terms[batched].append(place)
        parts = [
            group[0] if len(group) == 1 else program.combine("sum", group)
            for group in terms.values()
            if group
        ]
        return parts[0] if len(parts) == 1 else program.apply(ADD, tuple(parts))

    def _terms(self, value: Value, inner: set[Value]) -> list[Term]:
        """What was added up, left to right; of a product that nothing else uses, its factors."""
        found: list[Term] = []
        path: list[Term] = [value]
        while path:
            x = path.pop()
            if not isinstance(x, Value) or (x is not value and x not in inner):
                found.append(x)
            elif x.op is MUL:
                found.append(x.args)
            else:
                path += reversed(_summands(x))
        return found


def _summands(value: Value) -> list[Term]:
    """What a sum adds up: numbers, and of a weighted sum pairs of factors."""
    if value.op is ADD:
        return list(value.args)
    bias, *factors = value.args
    return [bias, *zip(factors[::2], factors[1::2], strict=True)]


def read(recording: Recording, parameters: list[Value], batched: list[bool]) -> Program:
    """The program of a recording.

    Args:
        parameters: its leaves that are not constants.
        batched: of each input, whether it differs by sample.
    """
    return _Reader(recording, parameters, batched).read()


def reached(program: Program) -> set[int]:
    """The nodes that results send a gradient to."""
    found = set(program.results)
    for place in reversed(range(len(program.nodes))):
        node = program.nodes[place]
        if place in found and not node.held:
            found.update(x for x in node.operands if x.__class__ is int)
    return found


def levels(program: Program) -> list[list[tuple[Any, list[int]]]]:
    """Nodes by level, and within a level those that one array operation computes: (key, places)."""
    found: list[dict[Any, list[int]]] = []
    for place, node in enumerate(program.nodes):
        if node.kind == "leaf":
            continue
        while len(found) < node.level:
            found.append(defaultdict(list))
        found[node.level - 1][_key(program, node)].append(place)
    return [list(level.items()) for level in found]


def _key(program: Program, node: Node) -> Any:
    kinds = tuple(
        program.nodes[x].batched if x.__class__ is int else repr(x) for x in node.operands
    )
    if node.kind == "op":
        assert node.op is not None
        return node.op.name, repr(node.params), kinds, node.held, node.follows
    half = len(node.operands) // 2
    count = len(node.operands)
    return node.kind, count, kinds[0], kinds[half], node.follows
