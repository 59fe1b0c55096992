"""Attention and transformers equal PyTorch's, with PyTorch's own weights."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gradling
from gradling import nn
from gradling.nn import functional as F

torch = pytest.importorskip("torch", reason="parity is checked where PyTorch is installed")


def ours(x: Any) -> Any:
    return gradling.tensor(x) if isinstance(x, np.ndarray) else x


def theirs(x: Any) -> Any:
    return torch.tensor(x) if isinstance(x, np.ndarray) else x


def assert_equal_layers(
    mine: Any, yours: Any, inputs: list[np.ndarray], options: dict[str, Any], rtol: float = 1e-9
) -> None:
    mine.load_state_dict({k: gradling.tensor(v.numpy()) for k, v in yours.state_dict().items()})
    xs = [gradling.tensor(x, requires_grad=True) for x in inputs]
    ts = [torch.tensor(x, requires_grad=True) for x in inputs]
    y = mine(*xs, **{k: ours(v) for k, v in options.items()})
    t = yours(*ts, **{k: theirs(v) for k, v in options.items()})
    y, t = (y, t) if isinstance(y, tuple) else ((y,), (t,))
    draw = np.random.default_rng(7)
    for a, b in zip(y, t, strict=True):
        if b is None:
            assert a is None
            continue
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=rtol, atol=1e-10)
    g = draw.standard_normal(y[0].shape)
    (y[0] * gradling.tensor(g)).sum().backward()
    (t[0] * torch.tensor(g)).sum().backward()
    for a, b in zip(xs, ts, strict=True):
        np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=rtol, atol=1e-10)
    gradients = {name: p.grad for name, p in mine.named_parameters()}
    for name, p in yours.named_parameters():
        np.testing.assert_allclose(gradients[name].numpy(), p.grad.numpy(), rtol=rtol, atol=1e-10)


@given(
    seed=st.integers(0, 99),
    sizes=st.tuples(*[st.sampled_from([1, 2, 3, 5])] * 3),
    heads=st.sampled_from([1, 2, 4]),
    widths=st.sampled_from([(None, None), (3, 5), (8, 7)]),
    flags=st.tuples(*[st.booleans()] * 5),
    masks=st.tuples(st.sampled_from(["none", "bool", "float", "heads"]), st.booleans()),
)
def test_multihead_attention(
    seed: int, sizes: Any, heads: int, widths: Any, flags: Any, masks: Any
) -> None:
    n, length, steps = sizes
    bias, extra, zero, first, need_weights = flags
    draw = np.random.default_rng(seed)
    options: dict[str, Any] = {
        "bias": bias, "add_bias_kv": extra, "add_zero_attn": zero, "kdim": widths[0],
        "vdim": widths[1], "batch_first": first,
    }  # fmt: skip
    torch.manual_seed(seed)
    yours = torch.nn.MultiheadAttention(8, heads, dtype=torch.float64, **options)
    if bias:
        torch.nn.init.normal_(yours.in_proj_bias)
    mine = nn.MultiheadAttention(8, heads, dtype="float64", **options)

    def inputs(size: int, width: int) -> np.ndarray:
        return draw.standard_normal((n, size, width) if first else (size, n, width))

    call: dict[str, Any] = {"need_weights": need_weights, "average_attn_weights": bool(seed % 2)}
    forbidden = np.triu(np.ones((length, steps), bool), 1)
    if masks[0] == "bool":
        call["attn_mask"] = forbidden
    elif masks[0] == "float":
        call["attn_mask"] = np.where(forbidden, -np.inf, draw.standard_normal((length, steps)))
    elif masks[0] == "heads":
        call["attn_mask"] = draw.standard_normal((n * heads, length, steps))
    if masks[1]:
        padding = draw.random((n, steps)) < 0.4
        padding[:, 0] = False  # PyTorch gives nan where nothing is left to look at, gradling 0
        call["key_padding_mask"] = padding
    values = [inputs(length, 8), inputs(steps, widths[0] or 8), inputs(steps, widths[1] or 8)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's, of masks of two kinds
        assert_equal_layers(mine, yours, values, call)


@given(seed=st.integers(0, 99), lead=st.sampled_from([(), (2,), (2, 3)]), causal=st.booleans())
def test_scaled_dot_product_attention(seed: int, lead: Any, causal: bool) -> None:
    draw = np.random.default_rng(seed)
    arrays = [draw.standard_normal((*lead, *s)) for s in ((5, 7), (3, 7), (3, 2))]
    mask = None if causal else draw.standard_normal((5, 3))
    results = []
    for make, function in (
        (lambda x: gradling.tensor(x, requires_grad=True), F.scaled_dot_product_attention),
        (
            lambda x: torch.tensor(x, requires_grad=True),
            torch.nn.functional.scaled_dot_product_attention,
        ),
    ):
        operands = [make(x) for x in arrays]
        bias = None if mask is None else make(mask)
        y = function(*operands, bias, is_causal=causal, scale=0.3)
        (y * y).sum().backward()
        tensors = [y.detach(), *(x.grad for x in operands), *([] if bias is None else [bias.grad])]
        results.append([x.numpy() for x in tensors])
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("bias", [False, True])
def test_transformers(norm_first: bool, activation: str, bias: bool) -> None:
    draw = np.random.default_rng(3)
    src, tgt = draw.standard_normal((5, 3, 8)), draw.standard_normal((4, 3, 8))
    options: dict[str, Any] = {
        "dropout": 0.0, "norm_first": norm_first, "activation": activation,
        "dim_feedforward": 11, "bias": bias,
    }  # fmt: skip
    wide, double = {**options, "dtype": "float64"}, {**options, "dtype": torch.float64}
    causal = np.triu(np.full((4, 4), -np.inf), 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's, of nested tensors
        pairs = [
            (
                nn.TransformerEncoderLayer(8, 2, **wide),
                torch.nn.TransformerEncoderLayer(8, 2, **double),
                [tgt],
                {"src_mask": causal},
            ),
            (
                nn.TransformerDecoderLayer(8, 2, **wide),
                torch.nn.TransformerDecoderLayer(8, 2, **double),
                [tgt, src],
                {"tgt_mask": causal},
            ),
            (
                nn.Transformer(8, 2, 2, 2, **wide),
                torch.nn.Transformer(8, 2, 2, 2, **double),
                [src, tgt],
                {"tgt_mask": causal},
            ),
        ]
        for mine, yours, inputs, call in pairs:
            assert_equal_layers(mine, yours, inputs, call)


def test_initial_weights_are_drawn_from_pytorchs_distributions() -> None:
    gradling.manual_seed(0)
    torch.manual_seed(0)
    mine, yours = nn.MultiheadAttention(64, 4), torch.nn.MultiheadAttention(64, 4)
    for (name, a), (other, b) in zip(
        mine.named_parameters(), yours.named_parameters(), strict=True
    ):
        assert name == other
        spread = b.detach().numpy().std()
        assert a.detach().numpy().std() == pytest.approx(spread, rel=0.05)
        assert np.abs(a.detach().numpy()).max() == pytest.approx(b.abs().max().item(), rel=0.05)
