"""A chain of a million Values: built, walked, printed, copied and freed without recursion."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys

import pytest

from gradling.engine import Value, history

PROGRAM = """
import copy, gc, pickle, weakref
from gradling.engine import Value
gc.disable()
DEPTH = 1_000_000
x = Value(0.5, label="x")
y = x
for place in range(DEPTH // 2):
    y = (y + x) * 0.5
y.backward()
assert x.grad == 1.0, x.grad
assert repr(y) == "Value(data=0.5, grad=1.0)"
there = pickle.dumps(y)
other = weakref.ref(copied := copy.deepcopy(y))
node, steps = copied, 0
while node.op is not None:
    node, steps = node.inputs[0], steps + 1
assert steps == DEPTH and node.label == "x" and node is not x and node.grad == 1.0
first = weakref.ref(node)
del node, copied
assert other() is None and first() is None, "the copy was not freed"
del y
back = pickle.loads(there)
assert (back.data, back.grad) == (0.5, 1.0)
back.backward()
gone = weakref.ref(back)
del back
assert gone() is None
print("done")
"""


def test_a_million_values() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert done.stdout == "done\n", done.stderr


def program() -> tuple[Value, Value]:
    a, b = Value(1.5, label="a"), Value(-2.0)
    c = (a * b).tanh()
    c.label = "c"
    y = c.softplus(2.0) + c * 3 - b.clamp(-1, a) + 2**a
    y.backward()
    return a, y


def described(y: Value) -> list[tuple[object, ...]]:
    nodes = history(y)
    place = {node: i for i, node in enumerate(nodes)}
    return [
        (
            node.data, node._grad, node.label, node.op, node.partials, node.params,
            [place[a] if isinstance(a, Value) else ("constant", a) for a in node.args],
        )
        for node in nodes
    ]  # fmt: skip


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickling_loses_nothing(protocol: int) -> None:
    _, y = program()
    back = pickle.loads(pickle.dumps(y, protocol))
    assert described(back) == described(y)
    back.backward()
    assert history(back)[0].grad == pytest.approx(2 * history(y)[0].grad)


def test_deep_copies_lose_nothing_and_share_nothing() -> None:
    _, y = program()
    twin = copy.deepcopy(y)
    assert described(twin) == described(y)
    assert not set(history(twin)) & set(history(y))


def test_what_is_copied_together_stays_together() -> None:
    a, y = program()
    a2, y2 = copy.deepcopy((a, y))
    assert any(node is a2 for node in history(y2))
    a3, y3, z3 = pickle.loads(pickle.dumps((a, y, y * a)))
    assert any(node is a3 for node in history(y3)) and any(node is a3 for node in history(z3))


def test_a_shallow_copy_has_the_same_operands() -> None:
    a, y = program()
    twin = copy.copy(y)
    assert twin is not y and twin.inputs == y.inputs and twin.grad == y.grad
    assert (copy.copy(a).grad, copy.copy(a).label) == (a.grad, "a")
