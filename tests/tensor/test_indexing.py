"""Reading and writing by index: NumPy's forms, gradients of edits, kernels, and messages."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

import gradling
from gradling import Tensor
from gradling.tensor import accumulate
from gradling.tensor.accumulate import add_at, last_writes
from gradling.testing import check_gradients


def grid() -> Tensor:
    return gradling.arange(24.0).reshape(2, 3, 4)


NUMPY_KEYS: list[Any] = [
    np.s_[::-1], np.s_[:, ::-2], np.s_[..., ::-1], np.s_[1, ::-1], np.s_[-1:-3:-1],
    np.s_[[1, 0], ::-1], np.s_[None, ..., None], np.s_[:, [2, 0]], np.s_[[[0, 1], [1, 0]]],
    np.s_[np.array([[0, 1]]), 1:], np.s_[:, np.array([True, False, True])], np.s_[np.int8(1)],
    np.s_[np.bool_(True)], np.s_[..., np.array([0, 3], np.uint16)],
    np.s_[[0, 1], [2, 0], [3, 3]], np.s_[[], :], np.s_[[], []], np.s_[()], np.s_[...],
]  # fmt: skip


@pytest.mark.parametrize("key", NUMPY_KEYS, ids=str)
def test_keys_mean_what_they_mean_to_numpy(key: Any) -> None:
    x = grid()
    expected = x.numpy()[key]
    found = x[key]
    assert found.shape == expected.shape
    assert found.tolist() == expected.tolist()
    assert np.shares_memory(found.numpy(), x.numpy()) == (
        np.shares_memory(expected, x.numpy()) and expected.size > 0
    )
    y, z = x.clone(), x.numpy().copy()
    y[key] = -1
    z[key] = -1
    assert y.tolist() == z.tolist()


def test_an_int_picks_its_layer_before_index_tensors_do() -> None:
    x = grid()
    assert x[0, :, [1, 2]].shape == (3, 2)  # as in PyTorch; NumPy has (2, 3)
    assert x[0, :, [1, 2]].tolist() == x[0][:, [1, 2]].tolist()
    y = x.clone()
    y[0, :, [1, 2]] = gradling.zeros(3, 2)
    assert y[0, :, 1:3].tolist() == np.zeros((3, 2)).tolist()


def test_a_uint8_tensor_is_a_mask_and_says_so() -> None:
    x = gradling.arange(3)
    with pytest.warns(UserWarning, match="taken as a mask"):
        assert x[gradling.tensor([1, 0, 1], dtype="uint8")].tolist() == [0, 2]


def test_lists_and_arrays_can_be_assigned() -> None:
    x = gradling.zeros(2, 3)
    x[0] = [1, 2, 3]
    x[1] = np.array([4.0, 5.0, 6.0])
    x[:, [0]] = gradling.tensor([[7], [8]])  # int64 into float32
    assert x.tolist() == [[7, 2, 3], [8, 5, 6]]


def test_index_tensors_may_change_after_they_were_used() -> None:
    x = gradling.arange(3.0).requires_grad_()
    where = np.array([0, 0])
    y = x[where]
    z = x.index_select(0, gradling.from_numpy(where))
    where[:] = 2
    (y.sum() + z.sum()).backward()
    assert x.grad is not None
    assert x.grad.tolist() == [4, 0, 0]


def test_writing_to_a_slice_in_a_graph() -> None:
    def function(x: Tensor, v: Tensor) -> Tensor:
        y = x * x
        y[1:, ::2] = v[:1, :2] * 2
        y[0] += v[0]
        y[:, 1] *= y[:, 0]
        y[[0, 1], [2, 2]] = v[:, 0]
        y[-1, ..., None] -= 1.0
        return y.sin()

    x = np.array([[0.3, -0.6, 0.9], [0.2, 0.4, -0.8]])
    v = np.array([[0.5, -0.7, 0.2], [0.1, 0.6, -0.4]])
    check_gradients(function, x, v).assert_correct()


def test_values_that_were_overwritten_at_once_have_no_gradient() -> None:
    """x[[0, 0]] = v leaves v[1] there: that is what its gradient says too."""

    def function(x: Tensor, v: Tensor) -> Tensor:
        y = x * 1
        y[[0, 2, 0]] = v
        return y * y

    check_gradients(function, np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 6.0])).assert_correct()

    def scattered(x: Tensor, v: Tensor) -> Tensor:
        return x.scatter(0, gradling.tensor([0, 2, 0]), v) ** 2

    check_gradients(
        scattered, np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 6.0])
    ).assert_correct()


def test_in_place_addition_through_an_index_records_one_edit() -> None:
    y = gradling.zeros(3, 2, requires_grad=True) * 1
    w = gradling.ones(2, requires_grad=True)
    y[1] += w
    assert y.tolist() == [[0, 0], [1, 1], [0, 0]]
    assert y.grad_fn is not None and y.grad_fn.name == "view_put"
    y.sum().backward()
    assert w.grad is not None
    assert w.grad.tolist() == [1, 1]


@pytest.mark.parametrize("size", [3, 5000])
@given(data=st.data())
def test_adding_at_places_is_adding_one_by_one(size: int, data: Any) -> None:
    """Every way of adding up, small and large, narrow and wide, against NumPy's own."""
    seed = data.draw(st.integers(0, 1000))
    rng = np.random.default_rng(seed)
    wide = data.draw(st.sampled_from([(), (1,), (3,), (20,), (2, 3)]))
    n = data.draw(st.integers(1, 40))
    dtype = data.draw(st.sampled_from([np.float64, np.float32, np.int64]))
    form = data.draw(
        st.sampled_from(["rows", "negative", "matrix", "second axis", "pairs", "mask"])
    )
    y = np.zeros((n, *wide), dtype)
    rows: Any = rng.integers(-n if form == "negative" else 0, n, size)
    index: Any = (rows,)
    if form == "matrix":
        index = (rows[: size // 2 * 2].reshape(2, -1),)
    elif form == "second axis":
        y = np.zeros((2, n, *wide), dtype)
        index = (slice(None), rows)
    elif form == "pairs":
        y = np.zeros((n, 4, *wide), dtype)
        index = (rows, rng.integers(0, 4, size))
    elif form == "mask":
        index = (rng.integers(0, 2, n).astype(bool),)
    values = rng.integers(-9, 9, y[index].shape).astype(dtype)
    expected = y.copy()
    np.add.at(expected, index, values)
    add_at(y, index, values)
    assert (y == expected).all()


def test_the_large_ways_are_taken() -> None:
    assert accumulate._SMALL < 5000


@given(st.lists(st.integers(-4, 3), max_size=8))
def test_last_writes_are_those_that_stay(where: list[int]) -> None:
    index = (np.array(where, np.int64),)
    y = np.full(4, -1)
    y[index] = np.arange(len(where))
    stayed = last_writes(index, (4,))
    kept = np.ones(len(where), bool) if stayed is None else stayed
    assert sorted(np.arange(len(where))[kept]) == sorted(y[y >= 0])


def test_padding_by_index_sums_what_was_repeated() -> None:
    for mode in ("reflect", "replicate", "circular"):
        check_gradients(
            lambda x, mode=mode: gradling.pad(x, (2, 1, 0, 1), mode) ** 2,
            np.random.default_rng(0).normal(size=(2, 3, 4)),
        ).assert_correct()


def test_gather_and_scatter_add_are_adjoint() -> None:
    rng = np.random.default_rng(0)
    for dim in range(3):
        x = gradling.tensor(rng.normal(size=(3, 4, 2)))
        index = gradling.tensor(rng.integers(0, x.shape[dim], (2, 3, 2)))
        g = gradling.tensor(rng.normal(size=(2, 3, 2)))
        back = gradling.zeros_like(x).scatter_add(dim, index, g)
        np.testing.assert_allclose((x.gather(dim, index) * g).sum().item(), (x * back).sum().item())


@pytest.mark.parametrize(
    ("program", "said"),
    [
        (
            "x[5]",
            r"index 5 is out of range for axis 0 of a tensor of shape \(2, 3, 4\); use -2 to 1",
        ),
        ("x[0, -4]", "index -4 is out of range for axis 1.*use -3 to 2"),
        ("x[..., 4]", "index 4 is out of range for axis 2"),
        ("x[:, [0, 3]]", "index 3 is out of range for axis 1"),
        ("x[0, 0, 0, 0]", "4 indices for a tensor with 3 dimensions"),
        ("x[0, 0, 0][0]", r"\.item\(\) gives its number"),
        ("x[:0][0]", "it has no entries"),
        ("x[t.ones(3) > 0]", r"a mask of shape \(3,\) does not match \(2,\), the axes from 0"),
        ("x[[0, 1], [0, 1, 2]]", r"shapes \(2,\), \(3,\) do not broadcast"),
        ("x[t.ones(2)]", r"use \.long\(\) or \.bool\(\)"),
        ("x['a']", "expected ints, slices"),
        ("x[1.0]", "expected ints, slices"),
        ("x[0.5:]", "whole numbers in a slice"),
        ("x[[[0], [1, 0]]]", "rows of one length"),
        ("x[[0.5]]", "whole numbers or truth values"),
        ("x.index_select(0, t.tensor([2]))", "index 2 is out of range for axis 0.*use 0 to 1"),
        ("x.gather(0, t.full((1, 1, 1), -1))", "index -1 is out of range.*use 0 to 1"),
        ("x.take(t.tensor([24]))", "use -24 to 23"),
        ("x.scatter(0, t.full((1, 1, 1), 7), 1.0)", "index 7 is out of range"),
    ],
)
def test_out_of_range_messages(program: str, said: str) -> None:
    with pytest.raises(IndexError, match=said):
        eval(program, {"t": gradling, "x": grid()})


@pytest.mark.parametrize(
    "edit",
    [
        lambda x: x.__setitem__(5, 0.0),
        lambda x: x.__setitem__((0, [0, 7]), 0.0),
        lambda x: x.__setitem__(0, gradling.ones(5)),
        lambda x: x.__setitem__([0, 1], gradling.ones(3, 3, 4)),
        lambda x: x.__setitem__(x > 3, gradling.ones(7)),
        lambda x: x.__setitem__(0, "a"),
        lambda x: x.index_put_((gradling.tensor([9]),), gradling.tensor(1.0)),
        lambda x: x.index_add_(0, gradling.tensor([0, 9]), gradling.ones(2, 3, 4)),
        lambda x: x.scatter_(0, gradling.full((1, 1, 1), 9), 1.0),
        lambda x: x.masked_fill_(gradling.ones(2, 3, 4) > 0, "a"),
        lambda x: x.masked_scatter_(x > 3, gradling.ones(2)),
        lambda x: x.index_fill_(0, gradling.tensor([9]), 1.0),
        lambda x: x.index_copy_(0, gradling.tensor([0]), gradling.ones(3, 4)),
    ],
)
def test_what_is_refused_changes_nothing(edit: Any) -> None:
    for x in (grid(), grid().requires_grad_() * 1):
        with pytest.raises((IndexError, ValueError, TypeError)):
            edit(x)
        assert x.tolist() == grid().tolist()


def test_leaves_cannot_be_written_to() -> None:
    x = gradling.zeros(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="leaf"):
        x[0] = 1
    with gradling.no_grad():
        x[0] = 1
    assert x.tolist() == [1, 0, 0]
    with pytest.raises(RuntimeError, match="read-only"):
        gradling.ones(1).expand(3)[0] = 2


def test_one_hot_messages() -> None:
    with pytest.raises(ValueError, match="cannot be negative, got -1"):
        gradling.one_hot(gradling.tensor([-1]))
    with pytest.raises(ValueError, match="go up to 3, so num_classes must be larger, got 3"):
        gradling.one_hot(gradling.tensor([3]), 3)
    with pytest.raises(TypeError, match=r"use \.long\(\)"):
        gradling.one_hot(gradling.tensor([1.0]))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x[[0, 0, 1]] ** 2,
        lambda x: x[:, [1, 1], 0].sin(),
        lambda x: x.take(gradling.tensor([0, 5, 5])) ** 3,
        lambda x: x.take_along_dim(gradling.tensor([[[0], [1], [1]]]), 0) ** 2,
        lambda x: x.masked_select(x > 0) ** 2,
        lambda x: x.masked_fill(x > 0, 2.0) ** 2,
        lambda x: x.masked_scatter(x > 0, x.reshape(-1) * x.reshape(-1)),
        lambda x: x.index_put((gradling.tensor([1, 1]),), x[:1] * x[1:], accumulate=True) ** 2,
        lambda x: x.index_add(1, gradling.tensor([0, 0]), x[:, :2] ** 2, alpha=0.5) ** 2,
        lambda x: x.scatter(2, gradling.tensor([[[0, 0]]]), x[:1, :1, :2] * 2, reduce="multiply"),
        lambda x: gradling.one_hot(gradling.tensor([0, 1])).double() @ x[:, 0] ** 2,
        lambda x: x.repeat_interleave(gradling.tensor([2, 0]), 0) ** 2,
    ],
)
def test_gradients_of_what_is_composed(function: Any) -> None:
    x = np.random.default_rng(1).normal(size=(2, 3, 4))
    x += np.sign(x) * 0.3
    check_gradients(function, x).assert_correct()
    check_gradients(function, x, order=2).assert_correct()
