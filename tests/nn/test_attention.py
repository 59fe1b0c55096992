"""Attention and transformers without PyTorch beside them."""

from __future__ import annotations

import numpy as np
import pytest

import gradling
from gradling import nn
from gradling.nn import functional as F
from gradling.testing import check_module


def naive(q: np.ndarray, k: np.ndarray, v: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    out = np.zeros((*q.shape[:-1], v.shape[-1]))
    for place in np.ndindex(q.shape[:-1]):
        scores = k[place[:-1]] @ q[place] / np.sqrt(q.shape[-1])
        scores = np.where(allowed[place[-1]], scores, -np.inf)
        shares = np.exp(scores - scores.max())
        out[place] = (shares / shares.sum()) @ v[place[:-1]]
    return out


@pytest.mark.parametrize("causal", [False, True])
def test_attention_is_a_mixture_of_values(causal: bool) -> None:
    draw = np.random.default_rng(0)
    q, k, v = draw.standard_normal((2, 3, 5, 7)), draw.standard_normal((2, 3, 5, 7)), None
    v = draw.standard_normal((2, 3, 5, 11))
    allowed = np.tri(5, dtype=bool) if causal else np.ones((5, 5), bool)
    y = F.scaled_dot_product_attention(*map(gradling.tensor, (q, k, v)), is_causal=causal)
    np.testing.assert_allclose(y.numpy(), naive(q, k, v, allowed), rtol=1e-10)


def test_a_query_that_may_look_at_nothing_gets_0() -> None:
    x = gradling.randn(3, 4, requires_grad=True)
    mask = gradling.tensor([[True] * 3, [False] * 3, [True] * 3])
    y = F.scaled_dot_product_attention(x, x, x, mask)
    assert y[1].tolist() == [0.0] * 4
    y.sum().backward()
    assert x.grad is not None
    assert np.isfinite(x.grad.numpy()).all()


def test_large_scores_do_not_overflow() -> None:
    x = gradling.tensor([[1e4, 0.0], [0.0, 1e4]])
    np.testing.assert_allclose(F.scaled_dot_product_attention(x, x, x).numpy(), x.numpy())


def test_both_paths_of_a_layer_agree() -> None:
    layer = nn.MultiheadAttention(6, 3, batch_first=True, dtype="float64")
    x, mask = gradling.randn(2, 5, 6, dtype="float64"), gradling.tensor(~np.tri(5, dtype=bool))
    one, weights = layer(x, x, x, attn_mask=mask)
    other, none = layer(x, x, x, attn_mask=mask, need_weights=False)
    np.testing.assert_allclose(one.detach().numpy(), other.detach().numpy(), rtol=1e-10)
    np.testing.assert_allclose(weights.sum(-1).detach().numpy(), 1.0)
    assert none is None
    assert (weights.detach().numpy()[:, ~np.tri(5, dtype=bool)] == 0).all()


def test_a_causal_block_does_not_look_ahead() -> None:
    block = nn.TransformerBlock(8, 2).eval()
    x = gradling.randn(1, 6, 8)
    before = block(x).detach().numpy()
    x[0, 4] = 100.0
    after = block(x).detach().numpy()
    np.testing.assert_array_equal(before[:, :4], after[:, :4])
    assert (before[:, 4:] != after[:, 4:]).any()


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.TransformerEncoderLayer(4, 2, 5, 0.0, batch_first=True, dtype="float64"),
        lambda: nn.TransformerEncoderLayer(
            4, 2, 5, 0.0, "gelu", batch_first=True, norm_first=True, dtype="float64"
        ),
        lambda: nn.TransformerBlock(4, 2).double(),
    ],
)
def test_gradients_by_name(make: object) -> None:
    gradling.manual_seed(1)
    model = make()  # type: ignore[operator]
    report = check_module(model, gradling.randn(2, 3, 4, dtype="float64"))
    assert report, str(report)


def test_positions() -> None:
    code = nn.SinusoidalPositionalEncoding(6, max_len=50)
    angle = 7 / 10000 ** (2 / 6)
    np.testing.assert_allclose(code.pe.numpy()[7, 2:4], [np.sin(angle), np.cos(angle)], rtol=1e-5)
    assert nn.SinusoidalPositionalEncoding(5, 9)(gradling.zeros(2, 9, 5)).shape == (2, 9, 5)
    learnt = nn.LearnedPositionalEncoding(4, 9, batch_first=False)
    learnt(gradling.zeros(3, 2, 4)).sum().backward()
    assert learnt.weight.grad is not None
    assert learnt.weight.grad[:, 0].tolist() == [2.0] * 3 + [0.0] * 6


class TestBadInput:
    def test_heads_that_do_not_divide_the_width(self) -> None:
        with pytest.raises(ValueError, match="1, 2, 3, 6 do"):
            nn.MultiheadAttention(6, 4)

    def test_widths_and_masks_that_do_not_fit(self) -> None:
        layer = nn.MultiheadAttention(4, 2, batch_first=True)
        x = gradling.zeros(2, 3, 4)
        with pytest.raises(ValueError, match="last axis of key is 5"):
            layer(x, gradling.zeros(2, 3, 5), x)
        with pytest.raises(ValueError, match=r"must be \(3, 3\)"):
            layer(x, x, x, attn_mask=gradling.zeros(4, 4))
        with pytest.raises(ValueError, match=r"must be \(2, 3\)"):
            layer(x, x, x, key_padding_mask=gradling.zeros(3, 2))
        with pytest.raises(ValueError, match="attn_mask.*given"):
            layer(x, x, x, is_causal=True)
        with pytest.raises(ValueError, match="not both"):
            F.scaled_dot_product_attention(x, x, x, gradling.zeros(3, 3), is_causal=True)

    def test_sequences_that_are_too_long(self) -> None:
        with pytest.raises(ValueError, match="longer than max_len = 3"):
            nn.LearnedPositionalEncoding(4, 3)(gradling.zeros(1, 4, 4))

    def test_an_activation_that_does_not_exist(self) -> None:
        with pytest.raises(ValueError, match="'relu', 'gelu' or a function"):
            nn.TransformerEncoderLayer(4, 2, activation="tanhh")
