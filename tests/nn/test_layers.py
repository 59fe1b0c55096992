"""Linear layers, activations, embeddings and dropout: gradients by name, and their messages."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

import gradling
from gradling import nn
from gradling.engine import TABLE
from gradling.nn import functional as F
from gradling.testing import check_gradients, check_module


def normal(*shape: int, seed: int = 0) -> Any:
    x = np.random.default_rng(seed).standard_normal(shape)
    return gradling.tensor(x, requires_grad=True)


ACTIVATIONS = [
    nn.ReLU(), nn.ReLU6(), nn.LeakyReLU(0.2), nn.PReLU(), nn.PReLU(3), nn.ELU(0.7), nn.SELU(),
    nn.CELU(1.7), nn.GELU(), nn.GELU("tanh"), nn.SiLU(), nn.Mish(), nn.Sigmoid(), nn.LogSigmoid(),
    nn.Hardsigmoid(), nn.Hardswish(), nn.Tanh(), nn.Hardtanh(), nn.Softplus(2.0), nn.Softsign(),
    nn.Tanhshrink(), nn.Softshrink(), nn.Hardshrink(), nn.Threshold(0.1, 2.0), nn.Softmax(1),
    nn.LogSoftmax(0), nn.Softmin(-1), nn.GLU(0), nn.RReLU(), nn.Identity(), nn.Flatten(),
    nn.Unflatten(1, (1, 3)), nn.Dropout(0.4), nn.Dropout1d(0.4), nn.AlphaDropout(0.3),
]  # fmt: skip


@pytest.mark.parametrize("layer", ACTIVATIONS, ids=repr)
def test_gradients_of_layers(layer: nn.Module) -> None:
    shape = (4, 3, 2) if isinstance(layer, nn.Dropout1d) else (4, 3)
    model = nn.Sequential(nn.Linear(shape[-1], shape[-1]), layer).double()
    assert check_module(model, normal(*shape, seed=3)).verdict == "correct"


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(3,), (5, 3), (2, 5, 3), (0, 3), (2, 1, 2, 3)])
def test_gradients_of_linear(shape: tuple[int, ...], bias: bool) -> None:
    layer = nn.Linear(3, 2, bias=bias).double()
    assert check_module(layer, normal(*shape)).verdict == "correct"
    y = layer(normal(*shape))
    wanted = normal(*shape).numpy() @ layer.weight.numpy().T
    if layer.bias is not None:
        wanted = wanted + layer.bias.numpy()
    assert y.shape == (*shape[:-1], 2) and np.allclose(y.numpy(), wanted)


def test_gradients_of_bilinear_and_embedding() -> None:
    assert (
        check_module(nn.Bilinear(3, 2, 4).double(), normal(5, 3), normal(5, 2)).verdict == "correct"
    )
    index = gradling.tensor([[1, 2, 2], [0, 1, 1]])
    assert check_module(nn.Embedding(4, 3).double(), index).verdict == "correct"


def test_linear_differentiates_twice() -> None:
    w, b = normal(2, 3, seed=1), normal(2, seed=2)
    report = check_gradients(lambda x: F.linear(x, w, b) ** 3, normal(4, 3), order=2)
    assert report.verdict == "correct", str(report)


def test_linear_names_what_does_not_fit() -> None:
    layer = nn.Linear(3, 2)
    with pytest.raises(ValueError, match="its last axis is 4 and must be in_features = 3"):
        layer(gradling.ones(2, 4))
    with pytest.raises(ValueError, match=r"`x.mT` would make it \(2, 3\)"):
        layer(gradling.ones(3, 2))
    with pytest.raises(ValueError, match="it has no axis"):
        layer(gradling.tensor(1.0))
    with pytest.raises(TypeError, match="float64"):
        layer(gradling.ones(2, 3).double())
    with pytest.raises(TypeError, match="expected input to be a tensor, got ndarray"):
        layer(np.ones((2, 3)))
    with pytest.raises(ValueError, match="bias of shape"):
        F.linear(gradling.ones(1, 3), gradling.ones(2, 3), gradling.ones(3))
    with pytest.raises(ValueError, match="weight must be"):
        F.linear(gradling.ones(1, 3), gradling.ones(3))
    with pytest.raises(ValueError, match="the last axis of input2"):
        nn.Bilinear(2, 3, 4)(gradling.ones(1, 2), gradling.ones(1, 2))
    with pytest.raises(ValueError, match="leading axes"):
        nn.Bilinear(2, 3, 4)(gradling.ones(1, 2), gradling.ones(2, 3))


@given(st.integers(0, 5), st.integers(1, 5))
def test_a_suggested_reshape_works(n: int, features: int) -> None:
    x = gradling.ones(n, features, 2)
    with pytest.raises(ValueError) as caught:
        nn.Linear(features * 2 + 2 * (features == 1), 3)(x)
    message = str(caught.value)
    if "`x." in message:
        call = message.split("`")[1]
        assert f"would make it {tuple(eval(call).shape)}" in message
        nn.Linear(eval(call).shape[-1], 3)(eval(call))


def test_in_place_activations_change_their_input() -> None:
    for layer in (
        nn.ReLU(True),
        nn.LeakyReLU(inplace=True),
        nn.SiLU(True),
        nn.Hardtanh(inplace=True),
    ):
        x = gradling.tensor([-3.0, 2.0])
        y = layer(x)
        assert y is x and x[0].item() != -3.0
        assert "inplace=True" in repr(layer)
    leaf = gradling.tensor([-1.0], requires_grad=True)
    with pytest.raises(RuntimeError, match="leaf"):
        nn.ReLU(True)(leaf)
    y = leaf * 1
    nn.ReLU(True)(y)
    y.sum().backward()
    assert leaf.grad.tolist() == [0.0]


def test_wrong_settings_are_named() -> None:
    for make in (
        lambda: nn.Hardtanh(1.0, -1.0),
        lambda: nn.Dropout(1.5),
        lambda: nn.Softshrink(-1.0)(gradling.ones(1)),
        lambda: nn.CELU(0.0)(gradling.ones(1)),
        lambda: nn.PReLU(3)(gradling.ones(2, 4)),
        lambda: nn.GLU()(gradling.ones(3)),
        lambda: nn.Softmax2d()(gradling.ones(3)),
        lambda: nn.Embedding(3, 2, padding_idx=3),
        lambda: nn.Dropout1d()(gradling.ones(3)),
        lambda: nn.Bilinear(0, 1, 1),
    ):
        with pytest.raises(ValueError):
            make()
    with pytest.raises(TypeError, match="say along which dim"):
        nn.Softmax()(gradling.ones(2))


def test_softmax_at_its_limits() -> None:
    big = gradling.tensor([[1e4, 0.0, -1e4]], requires_grad=True)
    assert F.softmax(big, 1).tolist() == [[1.0, 0.0, 0.0]]
    assert F.log_softmax(big, 1).tolist() == [[0.0, -1e4, -2e4]]
    F.log_softmax(big, 1)[0, 2].backward()
    assert big.grad.tolist() == [[-1.0, 0.0, 1.0]]
    masked = gradling.tensor([[0.0, float("-inf")]], requires_grad=True)
    y = F.softmax(masked, 1)
    assert y.tolist() == [[1.0, 0.0]]
    (y * gradling.tensor([[1.0, 2.0]])).sum().backward()
    assert masked.grad.tolist() == [[0.0, 0.0]]
    assert F.softmax(gradling.ones(0, 3), 1).shape == (0, 3)


@pytest.mark.parametrize("x", [1e-9, 0.001, 0.046875, 0.25, 0.2500001])
def test_tanhshrink_is_exact_where_its_difference_cancels(x: float) -> None:
    exact = sum(
        sign * number * x**power
        for sign, number, power in [(1, 1 / 3, 3), (-1, 2 / 15, 5), (1, 17 / 315, 7)]
    )
    left_out = 62 / 2835 * x**9
    for found in (F.tanhshrink(gradling.tensor(x, dtype=gradling.float64)).item(),
                  TABLE["tanhshrink"](gradling.Value(x)).data):  # fmt: skip
        assert abs(found - exact) <= left_out + 1e-13 * exact


def test_gumbel_softmax_chooses() -> None:
    logits = gradling.tensor([[2.0, 0.0, -1.0]] * 2000, requires_grad=True)
    y = F.gumbel_softmax(logits, 0.5, hard=True, generator=gradling.Generator(0))
    shares = y.detach().numpy().mean(0)
    assert set(np.unique(y.numpy())) == {0.0, 1.0}
    assert np.allclose(shares, F.softmax(logits.detach(), 1)[0].numpy(), atol=0.03)
    y[:, 0].sum().backward()
    assert logits.grad is not None and logits.grad.numpy().any()


def test_embedding_names_an_index_that_is_no_row() -> None:
    table = nn.Embedding(5, 2)
    with pytest.raises(IndexError, match=r"index\[1, 0\] is 5, and the table has 5 rows, 0 to 4"):
        table(gradling.tensor([[0, 1], [5, 7]]))
    with pytest.raises(IndexError, match=r"index\[0\] is -1.*1 of 1"):
        table(gradling.tensor([-1]))
    with pytest.raises(TypeError, match="whole numbers"):
        table(gradling.tensor([1.0]))
    with pytest.raises(IndexError) as caught:
        nn.Sequential(nn.Identity(), table)(gradling.tensor(9))
    assert caught.value.__notes__[0].startswith("in 1: Embedding(5, 2)")


def test_embedding_padding_and_lengths() -> None:
    table = nn.Embedding(4, 3, padding_idx=-1)
    assert table.padding_idx == 3 and table.weight[3].tolist() == [0.0, 0.0, 0.0]
    table(gradling.tensor([3, 1, 1])).sum().backward()
    assert table.weight.grad.tolist() == [[0.0] * 3, [2.0] * 3, [0.0] * 3, [0.0] * 3]
    table = nn.Embedding(4, 3, scale_grad_by_freq=True)
    table(gradling.tensor([2, 1, 1])).sum().backward()
    assert table.weight.grad.tolist() == [[0.0] * 3, [1.0] * 3, [1.0] * 3, [0.0] * 3]
    table = nn.Embedding(4, 3, max_norm=0.1)
    before = table.weight[3].tolist()
    y = table(gradling.tensor([0, 1]))
    lengths = np.linalg.norm(y.detach().numpy(), axis=1)
    assert (lengths < 0.1001).all() and table.weight[3].tolist() == before
    frozen = nn.Embedding.from_pretrained(gradling.ones(2, 3))
    assert not frozen.weight.requires_grad and frozen.embedding_dim == 3
    assert nn.Embedding.from_pretrained(gradling.ones(2, 3), freeze=False).weight.requires_grad


@pytest.mark.parametrize("name", ["Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout"])
def test_dropout_keeps_the_mean_and_drops_the_share(name: str) -> None:
    shape = {"Dropout2d": (100, 50, 3, 2), "Dropout3d": (100, 50, 3, 2, 1)}.get(name, (100, 50, 4))
    x = gradling.tensor(np.random.default_rng(0).normal(1.0, 1.0, shape))
    layer = getattr(nn, name)(0.3, generator=gradling.Generator(0))
    y = layer(x).numpy()
    if name != "AlphaDropout":
        share = (y == 0).mean()
        assert abs(share - 0.3) < 0.02
        assert np.allclose(y[y != 0], (x.numpy() / 0.7)[y != 0])
        assert abs(y.mean() - 1.0) < 0.05
        if name != "Dropout":  # whole channels
            channels = (y == 0).reshape(100, 50, -1)
            assert (channels.all(-1) == channels.any(-1)).all()
    again = getattr(nn, name)(0.3, generator=gradling.Generator(0))
    assert np.array_equal(again(x).numpy(), y)
    assert layer.eval()(x) is x and "p=0.3" in repr(layer)


def test_alpha_dropout_keeps_mean_0_and_variance_1() -> None:
    x = gradling.tensor(np.random.default_rng(0).normal(0.0, 1.0, 200_000))
    y = nn.AlphaDropout(0.3, generator=gradling.Generator(0))(x).numpy()
    assert abs(y.mean()) < 0.02 and abs(y.std() - 1) < 0.02


def test_dropout2d_of_three_axes_warns() -> None:
    with pytest.warns(UserWarning, match="taken as"):
        nn.Dropout2d()(gradling.ones(2, 3, 4))


def test_one_hot_and_distances() -> None:
    with pytest.raises(TypeError, match="class indices"):
        F.one_hot(gradling.ones(2))
    with pytest.raises(RuntimeError, match="pass num_classes"):
        F.one_hot(gradling.tensor([], dtype=gradling.int64))
    with pytest.raises(RuntimeError, match="classes from 0 to 1"):
        F.one_hot(gradling.tensor([2]), 2)
    zero = gradling.zeros(1, 3, requires_grad=True)
    F.normalize(zero).sum().backward()
    assert np.isfinite(zero.grad.numpy()).all()
    for f in (F.cosine_similarity, F.pairwise_distance):
        report = check_gradients(f, normal(4, 3), normal(4, 3, seed=1))
        assert report.verdict == "correct", str(report)


@pytest.mark.parametrize(
    "make",
    [lambda: nn.Linear(4, -2), lambda: nn.Embedding(-1, 2), lambda: nn.LayerNorm(-3)],
)
def test_negative_sizes(make: Any) -> None:
    with pytest.raises(ValueError, match="sizes cannot be negative, got"):
        make()


def test_sizes_that_are_no_whole_numbers() -> None:
    with pytest.raises(TypeError, match=r"layer: expected .* whole number, got float 2\.5"):
        nn.Linear(2, 2.5)  # type: ignore[arg-type]


def test_cosine_similarity_of_shapes_that_do_not_broadcast() -> None:
    with pytest.raises(ValueError, match=r"x1 \(4, 3\) and x2 \(2, 3\).*axis -2 .* 4 and 2"):
        F.cosine_similarity(gradling.ones(4, 3), gradling.ones(2, 3))


@given(st.lists(st.integers(0, 4), min_size=1, max_size=9), st.sampled_from((0, 2, -1)))
def test_the_padding_row_of_a_table_gets_no_gradient(index: list[int], padding: int) -> None:
    layer = nn.Embedding(5, 3, padding_idx=padding).double()
    assert layer.padding_idx == padding % 5 and not layer.weight[padding].any()
    nn.init.normal_(layer.weight)
    g = gradling.randn(len(index), 3, dtype=gradling.float64)
    layer(gradling.tensor(index)).backward(g)
    expected = np.zeros((5, 3))
    for row, part in zip(index, g.numpy(), strict=True):
        expected[row] += part * (row != padding % 5)
    np.testing.assert_allclose(layer.weight.grad.numpy(), expected, atol=1e-12)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=9), st.sampled_from((None, 2)))
def test_frequent_rows_are_averaged(index: list[int], padding: int | None) -> None:
    layer = nn.Embedding(5, 1, padding_idx=padding, scale_grad_by_freq=True)
    layer(gradling.tensor(index)).sum().backward()
    expected = [float(row in index and row != padding) for row in range(5)]
    np.testing.assert_allclose(layer.weight.grad.numpy()[:, 0], expected, rtol=1e-6)
