"""Convolution layers: gradients by name, ways of computing that must agree, and messages."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

import gradling
from gradling import nn
from gradling.nn import functional as F
from gradling.nn.kernels import columns, lines, winograd
from gradling.nn.kernels.geometry import Geometry, geometry, mirrored
from gradling.nn.kernels.scratch import _shelf
from gradling.nn.rows import convolution as rows
from gradling.testing import check_module

Array = np.ndarray[Any, Any]


def normal(*shape: int, dtype: Any = "float64", seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


LAYERS = [
    (nn.Conv1d(4, 6, 3, stride=2, padding=1, groups=2), (2, 4, 7)),
    (nn.Conv2d(3, 2, (2, 3), padding="same", dilation=2), (2, 3, 5, 4)),
    (nn.Conv2d(2, 4, 3, groups=2, padding=1, padding_mode="reflect"), (1, 2, 4, 5)),
    (nn.Conv3d(2, 3, 2, bias=False), (1, 2, 3, 2, 4)),
    (nn.ConvTranspose1d(4, 2, 3, stride=3, output_padding=1), (2, 4, 3)),
    (nn.ConvTranspose2d(3, 4, (2, 3), stride=2, padding=1, dilation=(1, 2)), (2, 3, 3, 4)),
    (nn.ConvTranspose2d(2, 3, 1, dilation=2, output_padding=1), (2, 2, 3, 1)),
    (nn.ConvTranspose2d(2, 3, 1, stride=2, dilation=3, output_padding=(0, 2)), (1, 2, 2, 3)),
    (nn.Conv2d(32, 33, 3, padding=1), (1, 32, 5, 4)),
]


@pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=[repr(layer) for layer, _ in LAYERS])
def test_gradients_by_name(layer: nn.Module, shape: tuple[int, ...]) -> None:
    x = gradling.tensor(normal(*shape), requires_grad=True)
    assert check_module(layer.double(), x).verdict == "correct"


def triples(x: Array, w: Array, z: Array, how: Geometry) -> tuple[Array, Array, Array]:
    """The derivatives of Σ z · conv(x, w) by x, w and z, place by place and tap by tap."""
    before, after = zip(*how.padding, strict=True)
    widths = [(0, 0), (0, 0), *zip(before, after, strict=True)]
    xp = np.pad(x, widths)
    dx, dw, dz = np.zeros_like(xp), np.zeros_like(w), np.zeros_like(z)
    per_output, per_input = len(w) // how.groups, w.shape[1]
    for o, c, *tap in np.ndindex(*w.shape):
        channel = o // per_output * per_input + c
        for n, *i in np.ndindex(len(z), *how.out):
            at: Any = (n, channel, *(
                p * s + t * d for p, s, t, d in zip(i, how.stride, tap, how.dilation, strict=True)
            ))  # fmt: skip
            entry: Any = (o, c, *tap)
            place: Any = (n, o, *i)
            dx[at] += z[place] * w[entry]
            dw[entry] += z[place] * xp[at]
            dz[place] += xp[at] * w[entry]
    inner: Any = (
        ...,
        *(slice(lo, lo + n) for lo, n in zip(before, how.size, strict=True)),
    )
    return dx[inner], dw, dz


@given(st.data())
def test_the_definition(data: Any) -> None:
    """All three forms against loops over places and taps, with uneven padding and groups.

    Lines of a few outputs go the way of long ones half of the time.
    """
    draw = data.draw
    dims, groups = draw(st.integers(1, 2)), draw(st.sampled_from((1, 1, 2, 3)))
    kernel, stride, dilation = (tuple(draw(st.integers(1, 3)) for _ in range(dims)) for _ in "ksd")
    padding = tuple((draw(st.integers(0, 2)), draw(st.integers(0, 2))) for _ in range(dims))
    size = tuple(draw(st.sampled_from((1, 2, 5, 7))) for _ in range(dims))
    how = geometry(size, kernel, stride, padding, dilation, groups)
    if min(how.out) < 1:
        return
    per_input, per_output = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    x, w = normal(2, groups * per_input, *size), normal(groups * per_output, per_input, *kernel)
    z = normal(2, len(w), *how.out, seed=1)
    expected = triples(x, w, z, how)
    with pytest.MonkeyPatch.context() as patch:
        if draw(st.booleans()):
            patch.setattr(lines, "LEAST", 0)
            patch.setattr(lines, "TO_ADD", 0)
        found = (
            rows.conv_input.on[np.ndarray](z, w, how),
            rows.conv_weight.on[np.ndarray](z, x, how),
            rows.conv.on[np.ndarray](x, w, how),
        )
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-11)


@pytest.mark.parametrize("tile", [2, 4])
@given(
    sizes=st.tuples(*[st.sampled_from((1, 2, 3, 5, 7, 11))] * 4),
    padding=st.tuples(*[st.integers(0, 2)] * 2),
    short=st.sampled_from((0, winograd.SHORT)),
)
def test_winograd_is_convolution(tile: int, sizes: Any, padding: Any, short: int) -> None:
    """All three forms, against columns: in float64 to rounding, for any number of channels."""
    h, w, channels, outputs = sizes
    how = geometry((h, w), (3, 3), (1, 1), tuple((p, p) for p in padding), (1, 1), 1)
    if min(how.out) < 1:
        return
    x, kernel = normal(channels, h, w, 3), normal(outputs, channels, 3, 3, seed=1)
    z = normal(outputs, *how.out, 3, seed=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(winograd, "SHORT", short)
        to_kernel = winograd.weight_gradient(z, x, how, tile)
    pairs = [
        (winograd.forward(x, kernel, how, tile), columns.forward(x, kernel, how)),
        (to_kernel, columns.weight_gradient(z, x, how)),
        (
            winograd.forward(z, kernel, mirrored(how), tile, turned=True),
            columns.input_gradient(z, kernel, how),
        ),
    ]
    for found, expected in pairs:
        assert found is not None and found.shape == expected.shape
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-11 * np.abs(expected).max())


@pytest.mark.parametrize("number", [np.nan, np.inf, 2e38])
def test_what_is_not_finite_stays_where_it_was_met(number: float) -> None:
    """One entry of an image counts for 3 x 3 outputs, not for a tile; and what only overflows on
    the way through tiles is finite."""
    values = normal(32, 32, 16, 16, dtype="float32")
    values[1, 2, 7, 7] = number
    kernel = normal(32, 32, 3, 3, dtype="float32", seed=1) * np.float32(0.01)
    x, w = gradling.tensor(values, requires_grad=True), gradling.tensor(kernel)
    y = F.conv2d(x, w, padding=1)
    expected = np.zeros(y.shape, bool)
    if not np.isfinite(number):
        expected[1, :, 6:9, 6:9] = True
    np.testing.assert_array_equal(~np.isfinite(y.detach().numpy()), expected)
    (y * gradling.tensor(values)).sum().backward()  # the same entry in y's gradient
    assert x.grad is not None
    np.testing.assert_array_equal(~np.isfinite(x.grad.numpy()), expected)


def test_the_way_is_chosen_by_size() -> None:
    """Tiles where many channels share them, columns for few channels, few tiles, other kernels."""

    def way(size: int, channels: int, batch: int, taps: int = 3, stride: int = 1) -> int:
        how = geometry((size, size), (taps, taps), (stride, stride), ((1, 1), (1, 1)), (1, 1), 1)
        return winograd.tile_for(how, channels, channels, batch)

    assert way(32, 64, 32) == 4
    assert way(2, 512, 128) == 2
    assert way(32, 8, 64) == way(8, 256, 1) == way(32, 64, 32, stride=2) == way(32, 64, 32, 5) == 0


def test_pieces_of_the_batch_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work space is bounded by taking the batch in pieces, which must not be seen."""
    cases = [((5, 4, 6, 7), (4, 4, 3, 3), 1), ((5, 4, 6, 7), (4, 1, 3, 3), 4)]
    cases += [((300, 33, 9, 9), (32, 33, 3, 3), 1), ((64, 4, 6, 7), (4, 2, 3, 3), 2)]
    for shape, kernel, groups in cases:
        x, w = gradling.tensor(normal(*shape)), gradling.tensor(normal(*kernel))
        whole = F.conv2d(x, w, padding=1, groups=groups)
        for module in (columns, lines, winograd, rows.depthwise):
            monkeypatch.setattr(module, "PIECE", 1)
        parts = F.conv2d(x, w, padding=1, groups=groups)
        monkeypatch.undo()
        np.testing.assert_allclose(parts.numpy(), whole.numpy(), atol=1e-11)


def test_whole_numbers_stay_whole() -> None:
    """With few channels the definition is followed, so small integers give exact results."""
    x, w = np.arange(48.0).reshape(1, 3, 4, 4), np.ones((2, 3, 3, 3))
    y = F.conv2d(gradling.tensor(x).float(), gradling.tensor(w).float()).numpy()
    assert (y == np.rint(y)).all()


@pytest.mark.parametrize("shape", [(2, 4, 5, 5), (32, 4, 5, 10), (32, 32, 16, 16)])
def test_scratch_is_never_handed_out(shape: tuple[int, ...]) -> None:
    """By columns, by lines and by tiles, results of the same op share no memory with each other or
    with the work space."""
    layer = nn.Conv2d(shape[1], shape[1], 3, padding=1)
    x = nn.Parameter(normal(*shape, dtype="float32"))
    first = layer(x)
    kept = first.detach().clone()
    layer(x * 2)
    first.sum().backward()
    g = x.grad.clone()
    layer(x * 3).sum().backward()
    assert (first.detach() == kept).numpy().all()
    np.testing.assert_allclose(x.grad.numpy(), 4 * g.numpy(), rtol=1e-4, atol=1e-5)
    for work in _shelf.buffers.values():
        for found in (first.detach(), x.grad, layer.weight.grad, layer.bias.grad):
            assert not np.shares_memory(found.numpy(), work)


def test_second_derivative_of_many_channels() -> None:
    """Winograd's method too is only a way to compute the three forms: (w*w conv x)'' is exact."""
    x = nn.Parameter(normal(1, 32, 3, 3))
    w = nn.Parameter(normal(32, 32, 3, 3, seed=1))
    y = (F.conv2d(x, w, padding=1) ** 2).sum()
    (gx,) = gradling.autograd.grad(y, [x], create_graph=True)
    direction = gradling.tensor(normal(1, 32, 3, 3, seed=2))
    (hessian,) = gradling.autograd.grad(gx, [x], direction)
    # y = |W x|², so the Hessian times d is 2 Wᵀ W d, and the gradient is linear in x
    (other,) = gradling.autograd.grad((F.conv2d(direction_ := nn.Parameter(direction.numpy()), w,
                                                padding=1) ** 2).sum(), [direction_])  # fmt: skip
    np.testing.assert_allclose(hessian.numpy(), other.numpy(), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.Conv2d(3, 8, 3)(gradling.zeros(2, 4, 9, 9)), "has 4 channels (axis 1)"),
        (
            lambda: nn.Conv2d(3, 8, 3)(gradling.zeros(2, 9, 9, 3)),
            "`x.permute(0, 3, 1, 2)` would fit",
        ),
        (lambda: nn.Conv2d(3, 8, 5)(gradling.zeros(2, 3, 4, 9)), "padding=(1, 0) would make room"),
        (lambda: nn.Conv2d(3, 8, 3)(gradling.zeros(9, 9)), "expected input (batch, channels"),
        (lambda: nn.Conv2d(3, 8, 3, stride=2, padding="same"), "which stride (2, 2) does not"),
        (lambda: nn.Conv2d(3, 8, 3, groups=2), "in_channels=3"),
        (lambda: nn.Conv2d(4, 7, 3, groups=2), "out_channels=7"),
        (lambda: nn.Conv2d(4, 8, (3, 3, 3)), "one per spatial axis"),
        (lambda: nn.Conv2d(4, 8, 3, padding_mode="mirror"), "padding_mode must be one of"),
        (
            lambda: nn.ConvTranspose2d(4, 8, 3, output_padding=1)(gradling.zeros(1, 4, 3, 3)),
            "must be below stride",
        ),
        (
            lambda: nn.ConvTranspose2d(4, 8, 3, stride=2)(gradling.zeros(1, 4, 3, 3), (9, 9)),
            "can give sizes from (7, 7) to (8, 8)",
        ),
        (
            lambda: F.conv2d(gradling.zeros(1, 3, 4, 4), gradling.zeros(2, 3, 1, 1).double()),
            "must have one floating dtype",
        ),
        (
            lambda: F.conv1d(gradling.zeros(1, 3, 4), gradling.zeros(2, 3, 1), gradling.zeros(3)),
            "one per output channel",
        ),
    ],
)
def test_messages(call: Any, message: str) -> None:
    with pytest.raises((ValueError, RuntimeError, TypeError)) as caught:
        call()
    assert message in str(caught.value)


def test_the_hint_fits() -> None:
    layer = nn.Conv2d(3, 8, 5)
    assert layer(gradling.zeros(2, 9, 9, 3).permute(0, 3, 1, 2)).shape == (2, 8, 5, 5)
    assert nn.Conv2d(3, 8, 5, padding=(1, 0))(gradling.zeros(2, 3, 4, 9)).shape == (2, 8, 2, 5)
