"""unroll: a tensor computation as single numbers, with the same values and gradients."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gradling
from gradling import Value, nn, viz
from gradling.testing import arrays

SIDE = 1e-12


def sizes(values):
    return np.array([float(v) for v in values.reshape(-1)]).reshape(values.shape)


def grads(values):
    return np.array([v.grad for v in values.reshape(-1)]).reshape(values.shape)


def backward(out, weights):
    for y, g in zip(out.reshape(-1), weights.reshape(-1), strict=True):
        if isinstance(y, Value):
            y.backward(float(g))


def double(*shape, seed=0):
    data = np.random.default_rng(seed).standard_normal(shape)
    return gradling.tensor(data, dtype=gradling.float64, requires_grad=True)


def agree(y, *leaves):
    """The graph of ``y``, which is a finished one, unrolled: every entry and every gradient."""
    graph = gradling.unroll(y)
    np.testing.assert_allclose(sizes(graph.out), y.detach().numpy(), rtol=SIDE, atol=SIDE)
    g = np.cos(np.arange(y.numel(), dtype=float)).reshape(y.shape)
    y.backward(gradling.tensor(g))
    backward(graph.out, g)
    for leaf in leaves:
        np.testing.assert_allclose(grads(graph[leaf]), leaf.grad.numpy(), rtol=SIDE, atol=SIDE)


STEPS = {
    "tanh": lambda x, c: x.tanh(),
    "square": lambda x, c: x * x,
    "weight": lambda x, c: x @ c[: x.shape[-1], : x.shape[-1]],
    "turn": lambda x, c: x.mT,
    "slice": lambda x, c: x[:, ::-1],
    "scale": lambda x, c: 0.5 * x - 1,
    "shift": lambda x, c: x + c[0, 0].item(),
    "centre": lambda x, c: x - x.mean(dim=1, keepdim=True),
    "share": lambda x, c: x.softmax(dim=0),
    "relu": lambda x, c: x.relu(),
    "join": lambda x, c: gradling.cat([x, x.exp().log1p()])[:3],
    "largest": lambda x, c: gradling.maximum(x, x.amax(dim=0)),
    "edit": lambda x, c: x.clone().mul_(2.0),
    "sort": lambda x, c: x.sort(dim=1).values,
}


@given(arrays((2, 3)), st.lists(st.sampled_from(sorted(STEPS)), max_size=5))
def test_random_programs_agree(data, names):
    x, c = gradling.tensor(data, requires_grad=True), double(3, 3)
    y = (x * 0.25).sin() * 0.5  # small, so that rounding stays relative to 1
    for name in names:
        y = STEPS[name](y, c)
    agree(y, x, *([c] if {"weight"} & {*names} else []))


def test_an_entry_is_drawn_with_the_names_of_its_operands():
    x, w = double(2, 2), double(2, 1)
    x.label, w.label = "x", "w"
    text = viz.draw(gradling.unroll(x @ w).out[0, 0]).text()
    assert "x[0, 0]" in text and "w[1, 0]" in text and "x[1, 0]" not in text


def test_a_function_is_run_on_its_inputs_and_leaves_them_alone():
    x = double(3)
    x.sum().backward()
    out, (a, n) = gradling.unroll(lambda a, n: {"y": a.exp() * n, "i": a.argmax()}, x, 2)
    assert n == 2 and out["i"] == x.argmax().item() and a[0].label == "a[0]"
    out["y"][1].backward()
    assert x.grad.tolist() == [1, 1, 1]
    assert a[1].grad == pytest.approx(2 * np.exp(x[1].item())) and a[0].grad == 0


def test_a_module_and_its_parameters():
    gradling.manual_seed(0)
    net = nn.Sequential(
        nn.Linear(3, 4), nn.LayerNorm(4), nn.GELU(), nn.Dropout(0.5), nn.Linear(4, 2)
    ).double()
    x, y = double(2, 3), gradling.tensor([0, 1])

    def loss(x):
        gradling.manual_seed(1)
        return nn.functional.cross_entropy(net(x), y)

    out, (a,) = graph = gradling.unroll(loss, x)
    wanted = loss(x)
    wanted.backward()
    assert out[()].data == pytest.approx(wanted.item(), rel=SIDE)
    out[()].backward()
    for leaf, values in [(x, a), *((p, graph[p]) for p in net.parameters())]:
        np.testing.assert_allclose(grads(values), leaf.grad.numpy(), rtol=SIDE, atol=SIDE)


LAYERS = {
    "windows": lambda: nn.Sequential(
        nn.Conv1d(3, 2, 2, padding=1), nn.MaxPool1d(2), nn.ConvTranspose1d(2, 2, 2, stride=2)
    ),
    "batch norm": lambda: nn.BatchNorm1d(3).eval(),
    "group norm": lambda: nn.GroupNorm(3, 3),
    "lstm": lambda: nn.LSTM(4, 2, bidirectional=True),
    "gru": lambda: nn.GRU(4, 2),
    "encoder": lambda: nn.TransformerEncoderLayer(4, 2, 3, batch_first=True, dropout=0.0),
}


@pytest.mark.parametrize("name", LAYERS)
def test_finished_graphs_of_layers(name):
    gradling.manual_seed(0)
    layer, x = LAYERS[name]().double(), double(2, 3, 4)
    y = layer(x)
    agree(y[0] if isinstance(y, tuple) else y, x, *(p for p in layer.parameters() if p.numel() > 2))


def test_steps_in_between_have_their_values_too():
    x = double(2)
    hidden = x.exp()
    graph = gradling.unroll(hidden.sum())
    assert [v.op.name for v in graph[hidden]] == ["exp", "exp"]
    with pytest.raises(KeyError, match="no part of what was unrolled"):
        graph[double(2)]


def test_random_numbers_stay_those_that_were_drawn():
    x = double(5)
    y = x + gradling.randn(5, dtype=gradling.float64)
    np.testing.assert_allclose(sizes(gradling.unroll(y).out), y.detach().numpy(), rtol=SIDE)


def test_a_constant_that_no_derivative_reads_is_found_or_asked_for():
    x, c = double(2), gradling.tensor([3.0, 4.0], dtype=gradling.float64)
    for y in (
        x + c,
        c - x,
        gradling.cat([c, x, c]),
        gradling.stack([c, x]),
        gradling.where(c > 3, x, c),
        (x * 1).index_fill(0, gradling.tensor([0]), 5.0),
        c.clone().index_put((gradling.tensor([1]),), x[:1]),
    ):
        agree(y**2, x)
        x.grad = None
    hidden = ((x + c) + c).exp()  # what each c was, the results do not say
    with pytest.raises(RuntimeError, match=r"unroll the function instead"):
        gradling.unroll(hidden)
    out, _ = gradling.unroll(lambda x: ((x + c) + c).exp(), x)
    np.testing.assert_allclose(sizes(out), hidden.detach().numpy(), rtol=SIDE)


def test_too_many_values_are_refused_before_they_are_made():
    x = gradling.ones(300, 300, requires_grad=True)
    with pytest.raises(ValueError, match=r"more than 20,000 Values .*unroll less"):
        gradling.unroll(lambda x: x @ x, x)
    with pytest.raises(ValueError, match=r"matmul of \(4, 4\), \(4, 4\).*limit="):
        gradling.unroll(lambda x: x @ x, x[:4, :4], limit=100)
    assert gradling.unroll(lambda x: x @ x, x[:4, :4], limit=144).out.shape == (4, 4)


def test_what_has_no_finite_formula_says_so():
    x = double(2, 2)
    with pytest.raises(NotImplementedError, match="eigh has no finite formula"):
        gradling.unroll(lambda x: gradling.linalg.eigh(x)[0], x)

    class Twice(gradling.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    with pytest.raises(NotImplementedError, match="Twice is no row of the table"):
        gradling.unroll(Twice.apply(x))


def test_wrong_arguments_teach():
    x = double(2)
    with pytest.raises(ValueError, match="has no graph"):
        gradling.unroll(gradling.ones(2))
    with pytest.raises(TypeError, match="takes no inputs"):
        gradling.unroll(x.exp(), x)
    with pytest.raises(TypeError, match="expected a Tensor or a function"):
        gradling.unroll([1.0])


def test_a_leaf_edited_since_is_noticed():
    x = double(2)
    y = x.exp()
    with gradling.no_grad():
        x.mul_(2)
    with pytest.raises(RuntimeError, match="edited since"):
        gradling.unroll(y)


def test_an_exception_in_the_function_leaves_nothing_behind():
    from gradling.engine.modes import mode

    with pytest.raises(ZeroDivisionError):
        gradling.unroll(lambda x: x.exp() * (1 / 0), double(2))
    assert mode().tape is None
