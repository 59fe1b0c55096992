"""Every module that PyTorch has too, as its twin and inside its models."""

# ruff: noqa: C408 (arguments are written as in the call)
from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradling
from gradling import nn

torch = pytest.importorskip("torch", reason="this is about PyTorch")

from gradling.interop.torch import as_torch_module, twin  # noqa: E402

RNG = np.random.default_rng(3)


def f(*shape: int) -> Any:
    return RNG.normal(size=shape)


def positive(*shape: int) -> Any:
    return RNG.uniform(0.1, 0.9, shape)


def signs(*shape: int) -> Any:
    return RNG.choice([-1.0, 1.0], shape)


def classes(most: int, *shape: int) -> Any:
    return RNG.integers(0, most, shape)


def pooled(dims: int) -> list[Any]:
    """What MaxUnpool takes: maxima and their places."""
    x = torch.tensor(RNG.normal(size=(2, 3, *(6, 4, 4)[:dims])))
    pool = getattr(torch.nn.functional, f"max_pool{dims}d")
    y, places = pool(x, 2, return_indices=True)
    return [y.numpy(), places.numpy()]


PAD = np.array([[False, False, True], [False, True, True]])
AHEAD = ~np.tri(3, dtype=bool)
E8 = {"dim_feedforward": 5, "dropout": 0.0}

# name: (arguments of the constructor, inputs), or a list of such pairs
CASES: dict[str, Any] = {
    "Identity": [((), [f(2, 3)])],
    "Linear": [((3, 2), [f(5, 3)]), ((3, 2, False), [f(3)])],
    "Bilinear": [((3, 2, 4), [f(5, 3), f(5, 2)])],
    "Embedding": [((7, 3, 2), [classes(7, 2, 5)]), (dict(num_embeddings=7, embedding_dim=3,
        max_norm=0.5, norm_type=1.0, scale_grad_by_freq=True), [classes(7, 2, 5)])],
    "Flatten": [((), [f(2, 3, 4)]), ((0, 1), [f(2, 3, 4)])],
    "Unflatten": [((1, (2, 3)), [f(2, 6)])],
    "Conv1d": [((2, 4, 3, 2, 1), [f(2, 2, 7)])],
    "Conv2d": [((2, 4, 3), [f(2, 2, 5, 7)]), (dict(in_channels=2, out_channels=4,
        kernel_size=(3, 2), padding="same", dilation=2, groups=2, padding_mode="circular"),
        [f(1, 2, 5, 7)])],
    "Conv3d": [((2, 3, 2), [f(1, 2, 3, 4, 3)])],
    "ConvTranspose1d": [((2, 4, 3, 2, 1, 1), [f(2, 2, 5)])],
    "ConvTranspose2d": [(dict(in_channels=2, out_channels=4, kernel_size=3, stride=2, groups=2,
        output_padding=1, bias=False, dilation=2), [f(1, 2, 3, 4)])],
    "ConvTranspose3d": [((2, 3, 2), [f(1, 2, 2, 3, 2)])],
    "MaxUnpool1d": [((2,), pooled(1))],
    "MaxUnpool2d": [((2,), pooled(2))],
    "Upsample": [(dict(scale_factor=2, mode="bilinear", align_corners=True), [f(1, 2, 3, 4)]),
        (dict(size=7, mode="linear"), [f(1, 2, 3)]), ((5,), [f(1, 2, 3)])],
    "UpsamplingNearest2d": [((), [f(1, 2, 3, 4)], dict(scale_factor=2))],
    "UpsamplingBilinear2d": [((), [f(1, 2, 3, 4)], dict(size=(5, 7)))],
    "PixelShuffle": [((2,), [f(1, 8, 3, 2)])],
    "PixelUnshuffle": [((2,), [f(1, 2, 6, 4)])],
    "BatchNorm1d": [((3,), [f(5, 3)]), ((3, 1e-3, None, False), [f(5, 3, 2)])],
    "BatchNorm2d": [((3, 1e-3, 0.3), [f(4, 3, 2, 5)]),
        (dict(num_features=3, track_running_stats=False), [f(4, 3, 2, 5)])],
    "BatchNorm3d": [((3,), [f(4, 3, 2, 2, 2)])],
    "LayerNorm": [(((3, 2),), [f(4, 3, 2)]), ((2, 1e-3, True, False), [f(4, 3, 2)])],
    "GroupNorm": [((2, 4), [f(3, 4, 5)])],
    "InstanceNorm1d": [((3,), [f(2, 3, 5)])],
    "InstanceNorm2d": [((3, 1e-3, 0.2, True, True), [f(2, 3, 4, 5)])],
    "InstanceNorm3d": [((3,), [f(2, 3, 2, 2, 3)])],
    "RMSNorm": [((4,), [f(3, 4)])],
    "Dropout": [((0.0, ), [f(3, 4)])],
    "AlphaDropout": [((0.0,), [f(3, 4)])],
    "Dropout1d": [((0.0,), [f(3, 4, 2)])],
    "Dropout2d": [((0.0,), [f(3, 4, 2, 2)])],
    "Dropout3d": [((0.0,), [f(3, 4, 2, 2, 2)])],
    "RNN": [((3, 4), [f(5, 2, 3)]), (dict(input_size=3, hidden_size=4, nonlinearity="relu",
        num_layers=2, bidirectional=True, batch_first=True), [f(5, 2, 3), f(4, 5, 4)])],
    "LSTM": [((3, 4), [f(5, 2, 3)]), (dict(input_size=3, hidden_size=4, num_layers=2, bias=False,
        bidirectional=True), [f(5, 2, 3), (f(4, 2, 4), f(4, 2, 4))])],
    "GRU": [((3, 4, 2), [f(5, 2, 3), f(2, 2, 4)])],
    "RNNCell": [((3, 4, True, "relu"), [f(2, 3), f(2, 4)])],
    "LSTMCell": [((3, 4), [f(2, 3), (f(2, 4), f(2, 4))]), ((3, 4, False), [f(3)])],
    "GRUCell": [((3, 4), [f(2, 3)])],
    "MultiheadAttention": [
        ((4, 2), [f(3, 2, 4), f(3, 2, 4), f(3, 2, 4)]),
        (dict(embed_dim=4, num_heads=2, kdim=3, vdim=5, batch_first=True),
            [f(2, 3, 4), f(2, 3, 3), f(2, 3, 5), PAD]),
        (dict(embed_dim=4, num_heads=2, add_bias_kv=True, add_zero_attn=True, bias=False),
            [f(3, 2, 4), f(3, 2, 4), f(3, 2, 4), PAD, False, AHEAD]),
    ],
    "TransformerEncoderLayer": [((4, 2), [f(3, 2, 4), AHEAD], E8), (dict(d_model=4, nhead=1,
        norm_first=True, batch_first=True, bias=False, layer_norm_eps=1e-3, activation="gelu",
        **E8), [f(2, 3, 4), None, PAD])],
    "TransformerDecoderLayer": [((4, 2), [f(3, 2, 4), f(5, 2, 4), AHEAD], E8), (dict(d_model=4,
        nhead=1, norm_first=True, batch_first=True, **E8), [f(2, 3, 4), f(2, 3, 4)])],
    "Transformer": [((4, 2, 1, 2), [f(3, 2, 4), f(5, 2, 4)], E8), (dict(d_model=4, nhead=2,
        num_encoder_layers=2, num_decoder_layers=1, batch_first=True, **E8),
        [f(2, 3, 4), f(2, 5, 4), AHEAD])],
    "ReLU": [((), [f(3, 4)])], "ReLU6": [((), [9 * f(3, 4)])],
    "LeakyReLU": [((0.3,), [f(3, 4)])], "PReLU": [((4, 0.1), [f(3, 4)])],
    "RReLU": [((0.2, 0.2), [f(3, 4)])], "ELU": [((0.7,), [f(3, 4)])], "SELU": [((), [f(3, 4)])],
    "CELU": [((0.7,), [f(3, 4)])], "GELU": [((), [f(3, 4)]), (("tanh",), [f(3, 4)])],
    "SiLU": [((), [f(3, 4)])], "Mish": [((), [f(3, 4)])], "Sigmoid": [((), [f(3, 4)])],
    "LogSigmoid": [((), [f(3, 4)])], "Hardsigmoid": [((), [9 * f(3, 4)])],
    "Hardswish": [((), [9 * f(3, 4)])], "Tanh": [((), [f(3, 4)])],
    "Hardtanh": [((-0.3, 0.7), [f(3, 4)])], "Hardshrink": [((0.3,), [f(3, 4)])],
    "Softshrink": [((0.3,), [f(3, 4)])], "Softplus": [((2.0, 1.0), [f(3, 4)])],
    "Softsign": [((), [f(3, 4)])], "Tanhshrink": [((), [f(3, 4)])], "GLU": [((0,), [f(4, 3)])],
    "Softmax": [((1,), [f(3, 4)])], "LogSoftmax": [((0,), [f(3, 4)])],
    "Softmin": [((1,), [f(3, 4)])],
    "Softmax2d": [((), [f(2, 3, 2, 2)])], "Threshold": [((0.1, 5.0), [f(3, 4)])],
    "CosineSimilarity": [((0,), [f(3, 4), f(3, 4)])],
    "PairwiseDistance": [((1.5,), [f(3, 4), f(3, 4)], dict(keepdim=True))],
    "MSELoss": [((), [f(3, 4), f(3, 4)])], "L1Loss": [((), [f(3, 4), f(3, 4)])],
    "SmoothL1Loss": [((), [f(3, 4), f(3, 4)], dict(beta=0.3, reduction="sum"))],
    "HuberLoss": [((), [f(3, 4), f(3, 4)], dict(delta=0.3, reduction="none"))],
    "CrossEntropyLoss": [
        ((), [f(3, 4), classes(4, 3)], dict(ignore_index=1, label_smoothing=0.2)),
        ((), [f(3, 4, 2), classes(4, 3, 2)], dict(weight=positive(4))),
    ],
    "NLLLoss": [((), [f(3, 4), classes(4, 3)], dict(weight=positive(4), ignore_index=1))],
    "BCELoss": [((), [positive(3, 4), positive(3, 4)], dict(weight=positive(4)))],
    "BCEWithLogitsLoss": [((), [f(3, 4), positive(3, 4)],
        dict(weight=positive(4), pos_weight=positive(4)))],
    "KLDivLoss": [((), [f(3, 4), f(3, 4)], dict(reduction="batchmean", log_target=True))],
    "PoissonNLLLoss": [((), [f(3, 4), positive(3, 4)], dict(full=True)),
        ((), [positive(3, 4), positive(3, 4)], dict(log_input=False, eps=1e-3))],
    "GaussianNLLLoss": [((), [f(3, 4), f(3, 4), positive(3, 4)], dict(full=True, eps=0.2))],
    "HingeEmbeddingLoss": [((0.4,), [f(3, 4), signs(3, 4)])],
    "MarginRankingLoss": [((0.4,), [f(3), f(3), signs(3)])],
    "MultiMarginLoss": [((2, 0.4, positive(4)), [f(3, 4), classes(4, 3)])],
    "MultiLabelMarginLoss": [((), [f(2, 3), np.array([[1, 0, -1], [2, -1, 0]])])],
    "MultiLabelSoftMarginLoss": [((positive(4),), [f(3, 4), classes(2, 3, 4) * 1.0])],
    "SoftMarginLoss": [((), [f(3, 4), signs(3, 4).astype(int)])],
    "CosineEmbeddingLoss": [((0.2,), [f(3, 4), f(3, 4), signs(3)])],
    "TripletMarginLoss": [((0.5, 1.5, 1e-4, True), [f(3, 4), f(3, 4), f(3, 4)])],
    "TripletMarginWithDistanceLoss": [((), [f(3, 4), f(3, 4), f(3, 4)],
        dict(margin=0.5, swap=True))],
}  # fmt: skip
for place, size in ((1, [7]), (2, [7, 5]), (3, [4, 5, 4])):
    x = f(2, 3, *size)
    CASES[f"MaxPool{place}d"] = [((3, 2, 1), [x], {"ceil_mode": True, "return_indices": True})]
    CASES[f"AvgPool{place}d"] = [((3, 2, 1), [x], {"count_include_pad": False})]
    CASES[f"AdaptiveAvgPool{place}d"] = [((3,), [x])]
    CASES[f"AdaptiveMaxPool{place}d"] = [((3, True), [x])]


def stack(kind: str, norm: bool) -> Callable[[], nn.Module]:
    def make() -> nn.Module:
        layer = getattr(nn, f"{kind}Layer")(4, 2, 5, 0.0, "gelu")
        layer.linear1.weight.requires_grad_(False)
        return getattr(nn, kind)(layer, 2, nn.LayerNorm(4, 1e-3) if norm else None)  # type: ignore[no-any-return]

    return make


MADE: list[Any] = [  # made of modules, or of functions
    ("Sequential", lambda: nn.Sequential(nn.Linear(3, 3), nn.GLU(0), nn.LSTM(3, 4)), [f(4, 3)]),
    ("TransformerEncoder", stack("TransformerEncoder", True), [f(3, 2, 4), AHEAD, PAD]),
    ("TransformerEncoder", stack("TransformerEncoder", False), [f(3, 2, 4)]),
    ("TransformerDecoder", stack("TransformerDecoder", True), [f(3, 2, 4), f(5, 2, 4), AHEAD]),
    ("TransformerEncoderLayer", lambda: nn.TransformerEncoderLayer(
        4, 2, 5, 0.0, nn.functional.silu), [f(3, 2, 4)]),
    ("TransformerEncoderLayer", lambda: nn.TransformerEncoderLayer(
        4, 2, 5, 0.0, nn.LeakyReLU(0.3)), [f(3, 2, 4)]),
    ("Transformer", lambda: nn.Transformer(4, 2, dropout=0.0,
        custom_encoder=stack("TransformerEncoder", False)(),
        custom_decoder=stack("TransformerDecoder", True)()), [f(3, 2, 4), f(3, 2, 4)]),
    ("TripletMarginWithDistanceLoss", lambda: nn.TripletMarginWithDistanceLoss(
        distance_function=nn.PairwiseDistance(1.0)), [f(3, 4), f(3, 4), f(3, 4)]),
]  # fmt: skip
WITHOUT_FORWARD = {  # in PyTorch as here there is nothing to run, so only their state is compared
    "ModuleList": lambda: nn.ModuleList([nn.Linear(2, 3), nn.ReLU()]),
    "ModuleDict": lambda: nn.ModuleDict({"a": nn.Linear(2, 3), "b": nn.GRU(2, 3)}),
    "ParameterList": lambda: nn.ParameterList([gradling.ones(2), gradling.zeros(3, 1)]),
    "ParameterDict": lambda: nn.ParameterDict({"b": gradling.ones(2), "a": gradling.zeros(3)}),
    "RNNBase": lambda: nn.RNNBase("LSTM", 3, 4, 2, bidirectional=True),
    "RNNCellBase": lambda: nn.RNNCellBase("GRU", 3, 4, True),
}
EXCEPTIONS = {"Module": "has nothing of its own: what is derived from it has no twin by name"}


def tensors(value: Any) -> Any:
    return gradling.tensor(value) if isinstance(value, np.ndarray) else value


def maker(name: str, args: Any, options: dict[str, Any]) -> Callable[[], nn.Module]:
    if isinstance(args, dict):
        args, options = (), {**args, **options}

    def make() -> nn.Module:
        gradling.manual_seed(5)
        layer: nn.Module = getattr(nn, name)(
            *map(tensors, args), **{k: tensors(v) for k, v in options.items()}
        )
        for p in layer.parameters():  # so that weights that start at 0 or 1 are told apart
            p.data += gradling.randn(*p.shape) / 8
        return layer

    return make


ALL = [
    pytest.param(maker(name, args, *(rest or [{}])), inputs, id=f"{name}-{place}")
    for name, cases in CASES.items()
    for place, (args, inputs, *rest) in enumerate(cases)
] + [pytest.param(make, inputs, id=f"{name}-made") for name, make, inputs in MADE]


def flat(value: Any) -> list[Any]:
    return [x for part in value for x in flat(part)] if isinstance(value, tuple) else [value]


class Inside(torch.nn.Module):  # type: ignore[misc]
    """A module in a model of PyTorch's, which has a weight of its own before it."""

    def __init__(self, module: Any) -> None:
        super().__init__()
        self.scale = torch.nn.Parameter(torch.tensor(1.1, dtype=torch.float64))
        self.module = module

    def forward(self, *inputs: Any) -> Any:
        def scaled(x: Any) -> Any:
            if isinstance(x, tuple):
                return tuple(map(scaled, x))
            return x * self.scale if x is not None and x.is_floating_point() else x

        return self.module(*map(scaled, inputs[:1]), *inputs[1:])


def given(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(given, value))
    if not isinstance(value, np.ndarray):
        return value
    return torch.tensor(value, requires_grad=value.dtype.kind == "f")


def run(model: Any, inputs: list[Any]) -> list[Any]:
    """Outputs, then gradients of inputs and parameters, before and after two steps."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    found = []
    for _ in range(2):
        optimizer.zero_grad()
        xs = [given(x) for x in inputs]
        outputs = flat(model(*xs))
        found += outputs
        loss = sum(
            (y * torch.linspace(0.3, 0.9, max(y.numel(), 1)).reshape(y.shape)).sum()
            for y in outputs
            if y is not None and y.requires_grad
        )
        loss.backward()
        optimizer.step()
        leaves = [x for part in xs for x in flat(part)]
        found += [x.grad for x in leaves if isinstance(x, torch.Tensor)]
        found += [p.grad for p in model.parameters()]
        found += [p.detach().clone() for p in model.parameters()]
    return found


MODES = ("BatchNorm", "InstanceNorm", "Dropout", "AlphaDropout", "RReLU", "TransformerEncoder")


@pytest.mark.parametrize(
    "make, inputs, training",
    [pytest.param(*case.values, True, id=f"{case.id}-train") for case in ALL]
    + [  # those that do something else then
        pytest.param(*case.values, False, id=f"{case.id}-eval")
        for case in ALL
        if str(case.id).startswith(MODES)
    ],
)
def test_the_twin_and_ours_inside_torch_are_alike(
    make: Any, inputs: list[Any], training: bool
) -> None:
    ours = make().double().train(training)
    other = twin(ours)
    state = other.state_dict()
    wrapped = as_torch_module(ours)
    assert list(wrapped.state_dict()) == list(state) == list(ours.state_dict())
    mixed, pure = run(Inside(wrapped), inputs), run(Inside(other), inputs)
    assert len(mixed) == len(pure)
    for a, b in zip(mixed, pure, strict=True):
        assert (a is None) == (b is None), (a, b)
        if a is not None:  # PyTorch's own constants have the digits of a float32 here and there
            torch.testing.assert_close(a, b, rtol=1e-7, atol=1e-8)
    for key, value in other.state_dict().items():  # what both optimizers left behind
        np.testing.assert_allclose(ours.state_dict()[key].numpy(), value.numpy(), 1e-7, 1e-8)
        assert ours.state_dict()[key].dtype == wrapped.state_dict()[key].numpy().dtype


@pytest.mark.parametrize("name", WITHOUT_FORWARD)
def test_what_only_holds_others_has_a_twin_too(name: str) -> None:
    ours = WITHOUT_FORWARD[name]()
    other, wrapped = twin(ours), as_torch_module(ours)
    assert type(other) is getattr(torch.nn, name)
    for states in (other.state_dict(), wrapped.state_dict()):
        assert list(states) == list(ours.state_dict())
        for key, value in states.items():
            np.testing.assert_array_equal(value.numpy(), ours.state_dict()[key].numpy())


def test_none_is_left_out() -> None:
    shared = {
        name
        for name in nn.__all__
        if inspect.isclass(getattr(nn, name))
        and issubclass(getattr(nn, name), nn.Module)
        and hasattr(torch.nn, name)
    }
    tried = set(CASES) | {name for name, *_ in MADE} | set(WITHOUT_FORWARD)
    assert shared - tried == set(EXCEPTIONS)
