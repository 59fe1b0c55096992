"""Graphs in any order of building, differentiating, editing, clearing and copying, against a
reference engine that is too simple to be wrong."""

from __future__ import annotations

import copy

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule

import gradling
from gradling import Tensor, Value, no_grad
from gradling.testing import arrays


class Ref:
    """A number array with its operands and, for each, a function from upstream to its gradient.

    Nothing is shared, cached or marked: the gradient of a leaf is the sum over all paths to it,
    each walked on its own, as the chain rule is written on paper.
    """

    def __init__(self, data, edges=(), tracked=False):
        self.data = np.array(data, dtype=np.float64)
        self.edges = [(r, vjp) for r, vjp in edges if r.tracked]
        self.tracked = tracked or bool(self.edges)
        self.grad = None

    def backward(self, g):
        for leaf, part in self.arriving(g):
            leaf.grad = part if leaf.grad is None else leaf.grad + part

    def arriving(self, g):
        """(leaf, its part of the gradient) for every path."""
        if not self.edges:
            yield self, g
        for operand, vjp in self.edges:
            yield from operand.arriving(vjp(g))


def ref_add(a, b):
    return Ref(a.data + b.data, [(a, lambda g: g), (b, lambda g: g)])


def ref_mul(a, b):
    x, y = a.data.copy(), b.data.copy()
    return Ref(x * y, [(a, lambda g: g * y), (b, lambda g: g * x)])


def ref_tanh(a):
    y = np.tanh(a.data)
    return Ref(y, [(a, lambda g: g * (1 - y * y))])


def ref_total(a):
    shape = a.data.shape
    return Ref(np.full(shape, a.data.sum()), [(a, lambda g: np.full(shape, g.sum()))])


SHAPE = (2,)
SMALL = st.integers(-8, 8).map(lambda k: k / 8)
DATA = arrays(SHAPE, elements=SMALL)
DEPTH = 24  # the reference walks every path: sharing makes them many


class Graphs(RuleBasedStateMachine):
    """Every pair holds the same computation twice: (Tensor, Ref)."""

    nodes = Bundle("nodes")

    def __init__(self):
        super().__init__()
        self.pairs = []
        self.made = []  # those that were forgotten too: rules may still draw them
        self.paths = {}

    def keep(self, x, ref):
        self.pairs.append((x, ref))
        self.made.append((x, ref))
        self.paths[id(ref)] = sum(self.paths.get(id(r), 1) for r, _ in ref.edges) or 1
        return x, ref

    def room(self, *refs):
        return sum(self.paths[id(r)] for r in refs) <= DEPTH

    @rule(target=nodes, data=DATA, tracked=st.booleans())
    def leaf(self, data, tracked):
        x = gradling.tensor(data, dtype=gradling.float64, requires_grad=tracked)
        return self.keep(x, Ref(data, tracked=tracked))

    @rule(target=nodes, a=nodes, b=nodes)
    def add(self, a, b):
        return self.keep(a[0] + b[0], ref_add(a[1], b[1])) if self.room(a[1], b[1]) else a

    @rule(target=nodes, a=nodes, b=nodes)
    def mul(self, a, b):
        return self.keep(a[0] * b[0], ref_mul(a[1], b[1])) if self.room(a[1], b[1]) else a

    @rule(target=nodes, a=nodes)
    def tanh(self, a):
        return self.keep(a[0].tanh(), ref_tanh(a[1]))

    @rule(target=nodes, a=nodes)
    def total(self, a):
        return self.keep(a[0].sum().expand(SHAPE), ref_total(a[1]))

    @rule(target=nodes, a=nodes)
    def transposed_twice(self, a):
        x = a[0].reshape(1, 2).T.reshape(2)
        return self.keep(x, Ref(a[1].data, [(a[1], lambda g: g)]))

    @rule(target=nodes, a=nodes, b=nodes)
    def without_graph(self, a, b):
        with no_grad():
            y = a[0] * b[0]
        return self.keep(y, Ref(a[1].data * b[1].data))

    @rule(target=nodes, a=nodes)
    def detach(self, a):
        return self.keep(a[0].detach().clone(), Ref(a[1].data))

    @rule(target=nodes, a=nodes)
    def edited_copy(self, a):
        """An in-place product of a fresh inner node is a product."""
        x, ref = a
        y = x * 1
        y *= 3
        return self.keep(y, Ref(ref.data * 3, [(ref, lambda g: g * 3)]))

    @rule(target=nodes, a=nodes, k=st.integers(0, 1), number=SMALL)
    def assigned(self, a, k, number):
        """An entry overwritten in a copy no longer leads back."""
        x, ref = a
        y = x + 0
        y[k] = number
        keep = np.arange(2) != k
        data = np.where(keep, ref.data, number)
        return self.keep(y, Ref(data, [(ref, lambda g: g * keep)]))

    @rule(a=nodes, number=SMALL)
    def step(self, a, number):
        """A leaf moved under no_grad, as optimizers do; who saved the old numbers must notice."""
        x, ref = a
        if ref.edges or not ref.tracked or any(x is not p and _uses(q, ref) for p, q in self.made):
            return
        with no_grad():
            x += number
        ref.data = ref.data + number

    @rule(a=nodes, g=DATA)
    def backward(self, a, g):
        x, ref = a
        if ref.tracked:
            x.backward(Tensor(np.array(g)))
            ref.backward(np.array(g))

    @rule(a=nodes, b=nodes, g=DATA)
    def functional(self, a, b, g):
        """autograd.grad gives the same numbers and leaves every .grad alone."""
        (x, ref), (leaf, leaf_ref) = a, b
        if not ref.tracked or not leaf_ref.tracked or leaf_ref.edges:
            return
        (found,) = gradling.autograd.grad([x], [leaf], [Tensor(np.array(g))], allow_unused=True)
        parts = [part for r, part in ref.arriving(np.array(g)) if r is leaf_ref]
        if not parts:
            assert found is None or not np.any(found.numpy())
        else:
            np.testing.assert_allclose(found.numpy(), sum(parts), rtol=1e-9, atol=1e-12)

    @rule(a=nodes)
    def zero_grad(self, a):
        x, ref = a
        if ref.tracked and not ref.edges:
            x.grad = None
            ref.grad = None

    @rule(target=nodes, a=nodes)
    def copied_leaf(self, a):
        x, ref = a
        if ref.edges:
            return a
        y, twin = copy.deepcopy(x), Ref(ref.data, tracked=ref.tracked)
        twin.grad = None if ref.grad is None else ref.grad.copy()
        return self.keep(y, twin)

    @precondition(lambda self: len(self.pairs) > 3)
    @rule()
    def forget(self):
        """Its numbers are no longer looked at; rules may still draw it, and others came from it."""
        self.pairs.pop(0)

    @invariant()
    def same_numbers(self):
        for x, ref in self.pairs:
            np.testing.assert_allclose(x.numpy(), ref.data, rtol=1e-9, atol=1e-12)
            assert x.requires_grad == ref.tracked
            if ref.edges:
                continue
            if ref.grad is None:
                assert x.grad is None
            else:
                assert x.grad.shape == x.shape
                np.testing.assert_allclose(x.grad.numpy(), ref.grad, rtol=1e-9, atol=1e-12)


def _uses(ref, leaf):
    return any(r is leaf or _uses(r, leaf) for r, _ in ref.edges)


class Scalars(RuleBasedStateMachine):
    """The same on Values."""

    nodes = Bundle("nodes")

    def __init__(self):
        super().__init__()
        self.pairs, self.made = [], []
        self.paths = {}

    keep, room = Graphs.keep, Graphs.room

    @rule(target=nodes, number=SMALL)
    def leaf(self, number):
        return self.keep(Value(number), Ref(number, tracked=True))

    @rule(target=nodes, a=nodes, b=nodes)
    def add(self, a, b):
        return self.keep(a[0] + b[0], ref_add(a[1], b[1])) if self.room(a[1], b[1]) else a

    @rule(target=nodes, a=nodes, b=nodes)
    def mul(self, a, b):
        return self.keep(a[0] * b[0], ref_mul(a[1], b[1])) if self.room(a[1], b[1]) else a

    @rule(target=nodes, a=nodes, number=SMALL)
    def mixed(self, a, number):
        return self.keep(
            number * a[0] - 1, Ref(number * a[1].data - 1, [(a[1], lambda g: g * number)])
        )

    @rule(target=nodes, a=nodes)
    def tanh(self, a):
        return self.keep(a[0].tanh(), ref_tanh(a[1]))

    @rule(a=nodes)
    def backward(self, a):
        a[0].backward()
        a[1].backward(np.array(1.0))

    @rule(a=nodes)
    def zero_grad(self, a):
        if not a[1].edges:
            a[0].grad = 0.0
            a[1].grad = None

    @invariant()
    def same_numbers(self):
        for x, ref in self.pairs:
            np.testing.assert_allclose(x.data, ref.data, rtol=1e-9, atol=1e-12)
            if not ref.edges:
                wanted = 0.0 if ref.grad is None else float(ref.grad)
                np.testing.assert_allclose(x.grad, wanted, rtol=1e-9, atol=1e-12)


TestGraphs = Graphs.TestCase
TestGraphs.settings = settings(stateful_step_count=40, deadline=None)
TestScalars = Scalars.TestCase
TestScalars.settings = settings(stateful_step_count=40, deadline=None)
