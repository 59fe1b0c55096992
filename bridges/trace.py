"""A program as array operations, ready to be run for any number of samples."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine import Op
from ..tensor.quiet import Quiet
from .places import Array, Bank, Places
from .program import Program, levels, reached
from .steps import DotStep, OpStep, ProductStep, SumStep, fitted

Step = OpStep | SumStep | DotStep | ProductStep


class Draft:
    """A step whose numbers have no places yet: node numbers in arrays."""

    def __init__(
        self, kind: str, operands: list[Any], out: Array, op: Op | None = None, params: Any = ()
    ) -> None:
        self.kind, self.operands, self.out = kind, operands, out
        self.op, self.params = op, params


class Trace:
    """One way through a program, for all samples that go that way."""

    def __init__(self, program: Program, batched: list[bool], form: Any) -> None:
        self.form = form
        self.parameters = list(program.parameters)
        drafts = _drafts(program)
        place = _lay_out(program, drafts)
        nodes = program.nodes

        def places(index: Any) -> Places:
            numbers = np.asarray(index)
            batched = bool(numbers.size) and nodes[numbers.flat[0]].batched
            return Places(place[numbers], batched)

        self.steps: list[Step] = [_step(program, draft, places) for draft in drafts]
        leading = reached(program)
        self.backward_steps = [
            step
            for step, draft in zip(self.steps, drafts, strict=True)
            if nodes[draft.out.flat[0]].follows and not leading.isdisjoint(draft.out.flat)
        ][::-1]
        self.sizes = [sum(n.batched is many for n in nodes) for many in (False, True)]
        self.given = place[np.array(list(program.parameters.values()), int)]
        followed = {p: at for p, at in program.parameters.items() if at in leading}
        self.followed = list(followed)  # the parameters that get a gradient
        self.back = place[np.array(list(followed.values()), int)]
        constants = program.constants
        self.fixed = place[np.array(list(constants.values()), int)]
        self.fixed_numbers = np.array([x for x, _ in constants], float)
        self.counts = [batched.count(False), batched.count(True)]
        self.inputs = [_inputs(program, place, batched, many) for many in (False, True)]
        self.results = [(int(place[x]), nodes[x].batched) for x in program.results]
        self.guards = _guards(program, places)

    def run(self, parameters: Array, shared: Array, batched: Array) -> tuple[Bank, Any]:
        """All numbers for these inputs, and which samples keep to this way (a bool, or one each).

        Args:
            parameters: the numbers of ``self.parameters``.
            shared: the inputs that are the same for all samples (n,).
            batched: the others (m, samples).
        """
        bank = Bank(np.empty(self.sizes[0]), np.empty((self.sizes[1], batched.shape[1])))
        bank.shared[self.given] = parameters
        bank.shared[self.fixed] = self.fixed_numbers
        for many, given in ((False, shared), (True, batched)):
            rows, places = self.inputs[many]
            bank.of(many)[places] = given[rows]
        with Quiet():
            for step in self.steps:
                step.forward(bank)
            kept: Any = True
            for op, operands, outcomes in self.guards:
                many = any(x.batched for x in operands)
                numbers = [fitted(x, bank, many) for x in operands]
                found = op.on[np.ndarray](*numbers) == (outcomes[:, None] if many else outcomes)
                kept = kept & found.all(axis=0)
        return bank, kept

    def out(self, bank: Bank) -> Array:
        """The results (results, samples), or (results,) where nothing is batched."""
        many = any(batched for _, batched in self.results)
        if not many:
            return np.array([bank.shared[at] for at, _ in self.results])
        samples = bank.batched.shape[1]
        rows = [bank.of(batched)[at] for at, batched in self.results]
        return np.array([np.broadcast_to(row, (samples,)) for row in rows])

    def backward(self, bank: Bank, g: Array) -> tuple[Array, Array, Array]:
        """The gradients by ``self.followed``, the shared inputs and the batched ones.

        ``g`` is shaped as ``out`` gives results, or (results, samples).
        """
        grads = Bank(np.zeros(bank.shared.shape), np.zeros(bank.batched.shape))
        for (at, batched), row in zip(self.results, g, strict=True):
            grads.of(batched)[at] += row if batched else row.sum()
        with Quiet():
            for step in self.backward_steps:
                step.backward(bank, grads)
        return grads.shared[self.back], self._of_inputs(grads, False), self._of_inputs(grads, True)

    def _of_inputs(self, grads: Bank, batched: bool) -> Array:
        rows, places = self.inputs[batched]
        held = grads.of(batched)
        found = np.zeros((self.counts[batched], *held.shape[1:]))
        found[rows] = held[places]
        return found


def _inputs(program: Program, place: Array, batched: list[bool], many: bool) -> tuple[Array, Array]:
    """Which of the shared (or batched) inputs the program reads, and their places."""
    mine = [x for x, kind in zip(program.inputs, batched, strict=True) if kind is many]
    read = [(row, place[x]) for row, x in enumerate(mine) if x is not None]
    rows, places = zip(*read, strict=True) if read else ((), ())
    return np.array(rows, int), np.array(places, int)


def _drafts(program: Program) -> list[Draft]:
    found = []
    for level in levels(program):
        for _, members in level:
            node = program.nodes[members[0]]
            operands = [program.nodes[x].operands for x in members]
            out = np.array(members)
            if node.kind == "op":
                columns = [
                    np.array(column) if column[0].__class__ is int else column[0]
                    for column in zip(*operands, strict=True)
                ]
                found.append(Draft("op", columns, out, node.op, node.params))
            elif node.kind == "sum":
                found.append(Draft("sum", [np.array(operands)], out))
            else:
                found.append(_dots(program, np.array(operands), out))
    return found


def _dots(program: Program, factors: Array, out: Array) -> Draft:
    """Dots as a product of matrices, where every left row meets every right one just once."""
    a, b = np.split(factors, 2, axis=1)
    if program.nodes[a[0, 0]].batched:
        return Draft("dot", [a, b], out)
    (lefts, left), (rights, right) = _rows(a), _rows(b)
    if len(lefts) * len(rights) == len(out):
        grid = np.full((len(rights), len(lefts)), -1)
        grid[right, left] = out
        if (grid >= 0).all():
            return Draft("product", [lefts, rights], grid)
    return Draft("dot", [a, b], out)


def _rows(x: Array) -> tuple[Array, Array]:
    """The different rows of ``x`` in the order in which they come, and which one each row is."""
    known: dict[bytes, int] = {}
    which = [known.setdefault(row.tobytes(), len(known)) for row in x]
    firsts = dict(zip(reversed(which), reversed(range(len(which))), strict=True))
    return x[[firsts[k] for k in range(len(known))]], np.array(which)


def _lay_out(program: Program, drafts: list[Draft]) -> Array:
    """A place for each node: results of one step together, leaves as they are first read."""
    place = np.full(len(program.nodes), -1)
    free = [0, 0]

    def put(x: int) -> None:
        if place[x] < 0:
            many = program.nodes[x].batched
            place[x] = free[many]
            free[many] += 1

    for draft in drafts:
        for operand in draft.operands:
            if isinstance(operand, np.ndarray):
                for x in operand.flat:
                    put(x)
        for x in draft.out.flat:
            put(x)
    for x in range(len(program.nodes)):
        put(x)
    return place


def _step(program: Program, draft: Draft, places: Any) -> Step:
    def wants(index: Any) -> bool:
        return isinstance(index, np.ndarray) and any(program.nodes[x].follows for x in index.flat)

    out = places(draft.out)
    if draft.kind == "op":
        operands = [places(x) if isinstance(x, np.ndarray) else x for x in draft.operands]
        assert draft.op is not None
        return OpStep(draft.op, operands, draft.params, out, [wants(x) for x in draft.operands])
    if draft.kind == "sum":
        return SumStep(places(draft.operands[0]), out)
    a, b = draft.operands
    make = ProductStep if draft.kind == "product" else DotStep
    return make(places(a), places(b), out, (wants(a), wants(b)))


def _guards(program: Program, places: Any) -> list[tuple[Op, list[Places], Array]]:
    """Comparisons of one kind together."""
    nodes = program.nodes
    groups: dict[Any, list[tuple[int, int, bool]]] = {}
    for op, a, b, outcome in program.guards:
        key = op, nodes[a].batched, nodes[b].batched
        groups.setdefault(key, []).append((a, b, outcome))
    found = []
    for (op, *_), members in groups.items():
        lefts, rights, outcomes = zip(*members, strict=True)
        operands = [places(lefts), places(rights)][: len(op.args)]
        found.append((op, operands, np.array(outcomes)))
    return found
