"""lift: a program on Values run for a batch at once, with the numbers of the eager run."""

from __future__ import annotations

import copy
import math
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gradling
from gradling import Value, nn
from gradling.bridges import LiftError
from gradling.engine import TABLE, no_grad, weighted_sum
from gradling.engine.modes import mode
from gradling.testing.cases import cases_of

EXACT = {"rtol": 1e-12, "atol": 1e-12}


def eager(fn, samples, parameters, weights):
    """Results of fn for each sample, gradients by parameters, by samples."""
    for p in parameters:
        p.zero_grad()
    results, leaves = [], []
    for sample, weight in zip(samples, weights, strict=True):
        xs = [Value(x) for x in sample]
        y = fn(*xs)
        y.backward(float(weight))
        results.append(y.data)
        leaves.append([x.grad for x in xs])
    return results, [p.grad for p in parameters], leaves


def agree(fn, samples, parameters):
    samples = np.asarray(samples, float)
    weights = np.cos(np.arange(len(samples)))
    wanted, gradients, by_sample = eager(fn, samples, parameters, weights)
    for p in parameters:
        p.zero_grad()
    columns = [gradling.tensor(c, requires_grad=True) for c in samples.T.copy()]
    y = gradling.lift(fn)(*columns)
    np.testing.assert_allclose(y.detach().numpy(), wanted, **EXACT)
    (y * gradling.tensor(weights)).sum().backward()
    np.testing.assert_allclose([p.grad for p in parameters], gradients, **EXACT)
    for column, found in zip(columns, np.array(by_sample).T, strict=True):
        np.testing.assert_allclose(column.grad.numpy(), found, **EXACT)


UNARY = ["tanh", "relu", "sigmoid", "square", "sin", "gelu", "softplus", "abs"]
STEPS = {
    "add": lambda a, b, known, name, n: a + b,
    "mul": lambda a, b, known, name, n: (a * b).tanh(),
    "sub": lambda a, b, known, name, n: n - a + b,
    "unary": lambda a, b, known, name, n: getattr(a.tanh(), name)(),
    "scale": lambda a, b, known, name, n: a * (n / 2) + 0.5,
    "dot": lambda a, b, known, name, n: sum((p * a for p in known[:4]), b).tanh(),
    "dots": lambda a, b, known, name, n: sum((p * q).tanh() for p in known[-2:] for q in known[:3]),
    "max": lambda a, b, known, name, n: a.maximum(b) - b.clamp(-0.5, 0.5),
    "pow": lambda a, b, known, name, n: a.sigmoid() ** n,
    "branch": lambda a, b, known, name, n: a.tanh() if a > b + 0.1 else b * 2,
    "detach": lambda a, b, known, name, n: a * b.detach(),
}


@st.composite
def programs(draw):
    """A random program on two inputs and three parameters, as a list of instructions."""
    lines = []
    for k in range(draw(st.integers(1, 14))):
        place = st.integers(0, 4 + k)
        lines.append(
            (
                draw(st.sampled_from(sorted(STEPS))),
                draw(place),
                draw(place),
                draw(st.sampled_from(UNARY)),
                draw(st.integers(-2, 2)),
            )
        )
    return lines


def run(lines, x, y, parameters):
    known = [x, y, *parameters]
    for kind, i, j, name, n in lines:
        known.append(STEPS[kind](known[i], known[j], known, name, n).tanh())
    return known[-1] + known[-2]


@given(programs(), st.integers(1, 4))
def test_random_programs_agree(lines, samples):
    rng = np.random.default_rng(len(lines))
    parameters = [Value(w) for w in rng.uniform(-1, 1, 3)]
    agree(lambda x, y: run(lines, x, y, parameters), rng.uniform(-1, 1, (samples, 2)), parameters)


ROWS = [n for n, op in TABLE.items() if float in op.on and op.differentiable and n != "where"]


@pytest.mark.parametrize("name", ROWS)
def test_every_row_agrees(name):
    op = TABLE[name]

    @settings(max_examples=5)
    @given(cases_of(name), st.data())
    def holds(case, data):
        columns = np.broadcast_arrays(*case.operands)
        if not columns[0].size:
            return
        samples = np.stack([c.reshape(-1) for c in columns], axis=1)[:4]
        fixed = [data.draw(st.booleans()) for _ in columns[1:]]
        keep = data.draw(st.integers(0, len(columns) - 1))

        def fn(*xs):
            operands = [
                x if i == keep or not (i and fixed[i - 1]) else float(samples[0, i])
                for i, x in enumerate(xs)
            ]
            return op(*operands, *case.params)

        agree(fn, samples, [])

    holds()


def test_weighted_sums_of_shared_and_batched_numbers_within_each_other():
    p, q = Value(0.5), Value(-2.0)

    def fn(a, b):
        inner = weighted_sum([p, a, 3.0], [b, q, a], a * b)
        with no_grad():
            held = weighted_sum([a, p], [b, 2.0], q)
        return weighted_sum([inner, q, inner], [p, q, held], weighted_sum([a], [1.5], inner))

    agree(fn, np.random.default_rng(0).standard_normal((5, 2)), [p, q])


@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu"])
def test_a_net_and_its_loss_agree(activation):
    net = nn.MLP(2, [4, 3, 1], activation, seed=0)
    X = np.random.default_rng(0).standard_normal((6, 2))
    agree(lambda a, b: (1 - net([a, b])).relu() + net([b, a]), X, net.parameters())


def test_a_whole_step_written_for_one_number_at_a_time():
    X, y = gradling.data.moons(n=12, noise=0.1, seed=0)
    net = nn.MLP(2, [5, 5, 1], seed=1)

    def loss():
        scores = [net([Value(a) for a in row]) for row in np.asarray(X, float).tolist()]
        losses = [(1 - (2 * int(t) - 1) * s).relu() for t, s in zip(y, scores, strict=True)]
        return sum(losses) / len(losses) + 1e-4 * sum(p * p for p in net.parameters())

    lifted = gradling.lift(loss)
    optimizer = gradling.optim.SGD(net.parameters(), lr=0.1)
    for _ in range(3):  # the numbers of parameters are read anew at each call
        net.zero_grad()
        wanted = loss()
        wanted.backward()
        gradients = [p.grad for p in net.parameters()]
        net.zero_grad()
        found = lifted()
        found.backward()
        assert found.shape == () and found.item() == pytest.approx(wanted.data, rel=1e-12)
        np.testing.assert_allclose([p.grad for p in net.parameters()], gradients, **EXACT)
        optimizer.step()


def test_lists_and_tuples_of_results():
    w = Value(2.0)
    f = gradling.lift(lambda x: ([[x[0] * w, x[1]], [w, x[0]]], x[1] - 1, 3.0))
    table, single, constant = f(np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
    assert table.shape == (3, 2, 2) and single.shape == (3,) and constant.tolist() == [3, 3, 3]
    assert table[1].tolist() == [[6, 4], [2, 3]]
    (table.sum() + single.sum()).backward()
    assert w.grad == 1 + 3 + 5 + 3


def test_arguments_with_their_samples_along_other_axes_or_shared():
    f = gradling.lift(lambda x, s, k: x[0] * s[1] + x[1] * k, in_dims=(1, None, 0))
    x = gradling.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], requires_grad=True)
    s = gradling.tensor([10.0, 20.0], requires_grad=True)
    assert f(x, s, 2).tolist() == [28.0, 50.0, 72.0]
    assert f(x, s, 3).tolist() == [32.0, 55.0, 78.0]  # the same recording
    f(x, s, 3.0).sum().backward()
    assert x.grad.tolist() == [[20, 20, 20], [3, 3, 3]] and s.grad.tolist() == [0, 6]


# Branches -----------------------------------------------------------------------------------------


def test_samples_that_take_different_branches_agree():
    w, unused = Value(0.5), Value(7.0)

    def fn(x, y):
        if x * w > y:
            return max(x, y * 2) * w
        return (x - y) ** 2 if y else unused * x

    agree(fn, np.array([[1, 2], [3, 0.5], [0.1, 0], [-1, 0.0], [5, 4.0], [1, 0.25]]), [w, unused])


def test_a_branch_by_a_parameter_is_taken_anew():
    w = Value(1.0)
    f = gradling.lift(lambda x: x * 2 if w > 0 else x * 3)
    assert f(np.array([1.0])).tolist() == [2.0]
    w.data = -1.0
    assert f(np.array([1.0])).tolist() == [3.0]
    w.data = 1.0
    assert f(np.array([1.0])).tolist() == [2.0]


def test_too_many_branches_are_refused():
    def steps(x):
        n = 0
        while x > n:
            n += 1
        return x * n

    with pytest.raises(LiftError, match="64 ways"):
        gradling.lift(steps)(np.arange(100.0))
    assert gradling.lift(steps)(np.arange(1.0, 9.0)).tolist() == [n * n for n in range(1, 9)]


def test_what_is_computed_without_a_graph_is_not_frozen():
    def fn(x, y):
        with gradling.no_grad():
            top = (x * y).exp()
        return x * y.detach() - top * y + gradling.engine.grad(x**3, x, create_graph=True)

    agree(fn, np.array([[1.0, 0.5], [0.25, -1.0]]), [])


def test_a_value_computed_outside_is_computed_again():
    w = Value(2.0)
    outside = w * w
    f = gradling.lift(lambda x: x + outside)
    assert f(np.array([1.0])).tolist() == [5.0]
    w.data = 3.0
    f(np.array([1.0])).sum().backward()
    assert f(np.array([1.0])).tolist() == [10.0] and w.grad == 6.0


# Errors -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("take", [float, int, lambda v: v.item(), math.exp])
def test_a_number_read_out_of_the_graph_is_refused(take):
    with pytest.raises(LiftError, match="takes a number out of the graph"):
        gradling.lift(lambda x: x * take(x))(np.array([1.0, 2.0]))
    assert mode().tape is None and take(Value(0.0)) in (0, 1)


def test_constants_that_differ_between_runs_are_noticed():
    with pytest.raises(LiftError, match=r"a constant of mul is 1\.0 and then 2\.0"):
        gradling.lift(lambda x: x * x.data)(np.array([1.0, 2.0]))
    with pytest.raises(LiftError, match="a new Value is"):
        gradling.lift(lambda x: x * Value(x.data + 1))(np.array([1.0, 2.0]))
    rng = np.random.default_rng(0)
    with pytest.raises(LiftError, match="drawn at random"):
        gradling.lift(lambda: Value(2.0) * rng.random())()


def test_wrong_arguments_teach():
    f = gradling.lift(lambda x, y: x + y)
    with pytest.raises(TypeError, match="positional argument"):
        f(np.ones(2))
    with pytest.raises(ValueError, match=r"different numbers of samples .*\[2, 3\]"):
        f(np.ones(2), np.ones(3))
    with pytest.raises(TypeError, match="argument 1 must be a number, an array or a tensor"):
        f(np.ones(2), "b")
    with pytest.raises(TypeError, match="argument 0 is a Value"):
        f(Value(1.0), np.ones(2))
    with pytest.raises(ValueError, match="one sample"):
        f(np.ones(0), np.ones(0))
    with pytest.raises(TypeError, match="in_dims names 3 arguments"):
        gradling.lift(lambda x: x, in_dims=(0, 0, 0))(np.ones(2))
    with pytest.raises(ValueError, match="in_dims gives axis 1"):
        gradling.lift(lambda x: x, in_dims=1)(np.ones(2))
    with pytest.raises(TypeError, match="works on tensors already"):
        gradling.lift(nn.Linear(2, 2))
    with pytest.raises(TypeError, match="expected a function or a module of Values"):
        gradling.lift(3)


@pytest.mark.parametrize("result", [None, "a", {"a": Value(1.0)}, [Value(1.0), [Value(2.0)]]])
def test_results_that_are_no_values_are_refused(result):
    with pytest.raises(LiftError, match=r"lift: .*(Value|alike)"):
        gradling.lift(lambda x: result)(np.ones(2))


def test_a_huge_program_is_refused(monkeypatch):
    monkeypatch.setattr("gradling.bridges.recording.LIMIT", 100)
    with pytest.raises(LiftError, match="more than 100; lift the part"):
        gradling.lift(lambda x: sum(x * i for i in range(100)))(np.ones(2))


def test_an_exception_leaves_nothing_half_done():
    failing = [True]

    def fn(x):
        y = x * 2
        if failing[0]:
            raise KeyError("no")
        return y

    f = gradling.lift(fn)
    with pytest.raises(KeyError):
        f(np.ones(2))
    assert mode().tape is None
    failing[0] = False
    assert f(np.ones(2)).tolist() == [2, 2]


def test_second_derivatives_say_where_they_are():
    x = gradling.tensor([1.0], requires_grad=True)
    y = gradling.lift(lambda x: x**3)(x).sum()
    with pytest.raises(RuntimeError, match="differentiated once"):
        gradling.autograd.grad(y, [x], create_graph=True)


# In company ---------------------------------------------------------------------------------------


def test_gradients_add_up_and_only_what_was_asked_for_gets_one():
    w, seen = Value(3.0), Value(1.0)
    f = gradling.lift(lambda x: x * w if seen > 0 else x)
    x = gradling.tensor([1.0, 2.0], requires_grad=True)
    y = f(x).sum()
    assert gradling.autograd.grad(y, [x])[0].tolist() == [3, 3] and w._grad is None
    y.backward()
    y.backward()
    assert w.grad == 6 and seen._grad is None and x.grad.tolist() == [6, 6]
    with gradling.no_grad():
        assert not f(x).requires_grad


def test_fit_trains_a_lifted_net_as_it_trains_the_net():
    X, y = gradling.data.moons(n=20, noise=0.1, seed=0)
    X, y = np.asarray(X, float), 2.0 * np.asarray(y) - 1
    nets = [nn.MLP(2, [6, 1], "tanh", seed=0) for _ in range(2)]
    losses = []
    for model in (nets[0], gradling.lift(nets[1])):
        gradling.manual_seed(0)
        history = gradling.train.fit(
            model, (X, y), epochs=3, loss="mse", batch_size=5, progress=False, val=(X, y)
        )
        losses.append(history["loss"] + history["val_loss"])
    np.testing.assert_allclose(*losses, rtol=1e-9)
    np.testing.assert_allclose(*[[p.data for p in net.parameters()] for net in nets], rtol=1e-9)


def test_threads_share_a_lifted_function():
    w = Value(0.5)
    f = gradling.lift(lambda x: (x * w).tanh() if x > 0 else x * w)
    data = np.linspace(-1, 1, 50)
    found = [None] * 8

    def work(k):
        y = f(data + k)
        y.sum().backward()
        found[k] = y.detach().numpy()

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for k in range(8):
        wanted = [math.tanh(x / 2) if x > 0 else x / 2 for x in data + k]
        np.testing.assert_allclose(found[k], wanted, **EXACT)
    assert math.isfinite(w.grad) and len(next(iter(f._ways.values()))) == 2


def test_a_copy_has_parameters_of_its_own():
    lifted = gradling.lift(nn.MLP(2, [2, 1], seed=0))
    lifted(np.ones((3, 2)))
    twin = copy.deepcopy(lifted)
    twin.parameters()[0].data += 1
    assert twin.parameters()[0].data == lifted.parameters()[0].data + 1
    assert "MLP" in repr(twin) and twin.eval().training is False
