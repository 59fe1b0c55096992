"""Shapes: what shares memory, edits through views, and messages that say what to change."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradling
from gradling import Tensor


def tracked(*shape: int) -> Tensor:
    """A tensor in a graph that may be edited in place."""
    return gradling.arange(float(np.prod(shape))).reshape(shape).requires_grad_() * 1


VIEWS: dict[str, Callable[[Tensor], Tensor]] = {
    "getitem": lambda x: x[1:, ::2],
    "negative step": lambda x: x[::-1, ::-1],
    "reshape": lambda x: x.reshape(-1),
    "view": lambda x: x.view(2, 2, 3),
    "flatten": lambda x: x.flatten(),
    "unflatten": lambda x: x.unflatten(1, (3, 1)),
    "transpose": lambda x: x.T,
    "permute": lambda x: x.permute(1, 0),
    "movedim": lambda x: x.movedim(0, 1),
    "unsqueeze": lambda x: x.unsqueeze(1),
    "squeeze": lambda x: x[:1].squeeze(0),
    "diagonal": lambda x: x.diagonal(),
    "diagonal above": lambda x: x.diagonal(1),
    "split": lambda x: x.split(2)[1],
    "chunk": lambda x: x.chunk(3, 1)[2],
    "unbind": lambda x: x.unbind(1)[1],
    "narrow": lambda x: x.narrow(0, 1, 2),
    "select": lambda x: x.select(1, 2),
    "windows apart": lambda x: x.unfold(0, 2, 2),
    "view of view": lambda x: x.T[1:].diagonal(),
}
views = pytest.mark.parametrize("look", VIEWS.values(), ids=VIEWS)


@views
def test_an_edit_of_a_view_is_seen_in_its_base(look: Callable[[Tensor], Tensor]) -> None:
    x = gradling.zeros(4, 3)
    look(x).fill_(1)
    expected = np.zeros((4, 3))
    look(gradling.from_numpy(expected)).numpy()[...] = 1
    assert x.tolist() == expected.tolist()


@views
def test_and_its_gradient_knows(look: Callable[[Tensor], Tensor]) -> None:
    """Editing a view in a graph is putting new entries into a copy of its base."""
    x, w = tracked(4, 3), gradling.tensor(3.0, requires_grad=True)
    weights = gradling.tensor(np.random.default_rng(0).normal(size=(4, 3)).astype("f"))
    touched = gradling.zeros(4, 3)
    look(touched).fill_(1)
    y = look(x)
    y.mul_(w)
    expected = np.arange(12.0).reshape(4, 3) * np.where(touched.numpy(), 3, 1)
    np.testing.assert_allclose(x.detach().numpy(), expected)
    np.testing.assert_allclose(y.detach().numpy(), look(gradling.tensor(expected)).numpy())
    (slope,) = gradling.autograd.grad((x * weights).sum(), [w])
    np.testing.assert_allclose(
        slope.item(), (np.arange(12).reshape(4, 3) * touched.numpy() * weights.numpy()).sum(), 1e-6
    )


def test_what_reshape_had_to_copy_is_a_copy() -> None:
    x = tracked(2, 3)
    y = x.T.reshape(-1)
    y.mul_(10)
    assert x.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert y.tolist() == [0, 30, 10, 40, 20, 50]
    plain = gradling.arange(6).reshape(2, 3)
    plain.T.flatten().fill_(7)
    assert plain.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_view_refuses_to_copy() -> None:
    x = gradling.arange(6).reshape(2, 3)
    with pytest.raises(RuntimeError, match=r"strides \(1, 3\).*reshape\(6,\) copies"):
        x.T.view(6)
    assert np.shares_memory(x.T.view(3, 1, 2).numpy(), x.numpy())
    with pytest.raises(TypeError, match=r"\.to\(dtype\) converts"):
        x.view(gradling.int32)


@pytest.mark.parametrize(
    "look", [lambda x: x.expand(3, 2), lambda x: x.unfold(0, 2, 1), lambda x: x.expand(3, 2)[0]]
)
def test_entries_that_share_memory_cannot_be_edited(look: Callable[[Tensor], Tensor]) -> None:
    for x in (gradling.ones(2), gradling.ones(2, requires_grad=True) * 1):
        if look(x).shape == (1, 2):
            x = gradling.cat([x, x])
        with pytest.raises(RuntimeError, match="clone"):
            look(x).add_(1)
        assert x.tolist() == [1] * x.numel()


COPIES: list[Callable[[Tensor], Any]] = [
    lambda x: x.flip(0), lambda x: x.roll(1, 0), lambda x: x.repeat(1, 1), lambda x: x.tile(1),
    lambda x: gradling.cat([x]), lambda x: gradling.stack([x]), lambda x: gradling.pad(x, (0, 0)),
    lambda x: x.tril(), lambda x: gradling.diag(x), lambda x: x[[0, 1]], lambda x: x[x > -1],
    lambda x: x.repeat_interleave(1, 0), lambda x: x.rot90(0),
]  # fmt: skip


@pytest.mark.parametrize("copy", COPIES)
def test_copies_share_nothing(copy: Callable[[Tensor], Tensor]) -> None:
    x = gradling.ones(2, 3)
    assert not np.shares_memory(copy(x).numpy(), x.numpy())


def test_movedim_agrees_with_numpy_on_every_pair() -> None:
    x = gradling.zeros(2, 3, 4)
    for a, b in itertools.product(range(-3, 3), repeat=2):
        assert x.movedim(a, b).shape == np.moveaxis(x.numpy(), a, b).shape


def test_cat_of_many_dtypes_keeps_the_widest() -> None:
    parts = [gradling.ones(1, dtype=d) for d in ("int8", "float16", "bool", "float64")]
    assert gradling.cat(parts).dtype is gradling.float64


def test_parts_of_a_split_add_up() -> None:
    x = gradling.arange(10.0).requires_grad_()
    for parts in (x.split(3), x.chunk(4), x.tensor_split(3), x.split([2, 0, 8])):
        assert gradling.cat(parts).tolist() == x.tolist()
    total = sum((k + 1.0) * part.sum() for k, part in enumerate(x.split(4)))
    assert isinstance(total, Tensor)
    total.backward()
    assert x.grad is not None
    assert x.grad.tolist() == [1] * 4 + [2] * 4 + [3] * 2


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("x.reshape(4)", r"\(2, 3\) has 6 entries, which do not fit \(4,\) \(4 entries\)"),
        ("x.reshape(4, -1)", r"not a multiple of 4"),
        ("x.reshape(-1, -1)", "at most one -1"),
        ("x[:0].reshape(0, -1)", "could be anything"),
        ("x.expand(2, 4)", r"axis 1 of \(2, 3\) has size 3, which cannot become 4"),
        ("x.expand(3)", "give a size for each"),
        ("t.cat([x, x.T])", r"along axis 1 the sizes are 3 and 2"),
        ("t.cat([x, x[0]])", r"unsqueeze\(dim\) adds one"),
        ("t.stack([x, x.T])", r"\(2, 3\) at position 0 and \(3, 2\) at position 1"),
        ("x.split([1, 1], 1)", "sum to 3.*they sum to 2"),
        ("x.permute(0, 0)", "names an axis twice"),
        ("x.permute(0)", "all 2 dimensions"),
        ("x.movedim((0, 1), (0,))", "same number of axes"),
        ("x.repeat(2)", r"a number for each axis of \(2, 3\)"),
        ("x.roll((1, 2), 0)", "one shift per dim"),
        ("x[0].mT", r"unsqueeze\(-1\) makes a column"),
        ("x[0].tril()", r"unsqueeze\(0\) makes a row"),
        ("x.unfold(1, 4, 1)", "windows of 4 do not fit axis 1, which has 3"),
        ("t.pad(x, (1,))", "pairs of widths"),
        ("t.pad(x, (-2, -2))", "cannot crop 4 of the 3 entries"),
        ("t.pad(x, (3, 0), 'reflect')", "below the size of axis 1, 3"),
        ("x.narrow(0, 1, 2)", "2 entries from 1 on do not fit axis 0, which has 2"),
        ("x.flip(0, dims=1)", "unexpected argument"),
        ("x.hsplit(2)", "tensor_split takes unequal ones"),
        ("t.meshgrid(x)", "expected vectors"),
        (
            "x.repeat_interleave(t.tensor([1, 2, 3]), 0)",
            "expected 2 repeats, one per entry of axis 0",
        ),
        ("t.broadcast_tensors(x, x.T)", "along axis -1 they have 3 and 2"),
    ],
)
def test_messages(program: str, said: str) -> None:
    x = gradling.zeros(2, 3)
    with pytest.raises((ValueError, TypeError), match=said):
        eval(program, {"t": gradling, "x": x})


@pytest.mark.parametrize(
    "program", ["x.flip(2)", "x.transpose(0, 2)", "x.unsqueeze(4)", "x.unbind(-3)"]
)
def test_dims_out_of_range_say_which_there_are(program: str) -> None:
    with pytest.raises(IndexError, match="use -[23] to [12]"):
        eval(program, {"x": gradling.zeros(2, 3)})
