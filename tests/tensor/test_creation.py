"""Making tensors: memory that is shared or not, and messages that say what to change."""

from __future__ import annotations

import numpy as np
import pytest

import gradling
from gradling import Tensor


def test_tensor_copies_and_as_tensor_shares() -> None:
    array = np.zeros(3, np.float32)
    copy, shared = gradling.tensor(array), gradling.as_tensor(array)
    array[0] = 5
    assert copy.tolist() == [0, 0, 0]
    assert shared.tolist() == [5, 0, 0]
    assert gradling.as_tensor(shared) is shared
    assert gradling.as_tensor(array, dtype=gradling.float64).numpy().base is not array


def test_asarray_says_when_it_would_have_to_copy() -> None:
    array = np.zeros(3, np.float32)
    assert gradling.asarray(array, copy=False).numpy() is not None
    with pytest.raises(ValueError, match="needs a copy"):
        gradling.asarray(array, copy=False, dtype=gradling.float64)
    with pytest.raises(ValueError, match="needs a copy"):
        gradling.asarray([1, 2], copy=False)
    assert not np.shares_memory(gradling.asarray(array, copy=True).numpy(), array)


def test_from_numpy_takes_any_layout() -> None:
    array = np.arange(6.0).reshape(2, 3)
    for view in (array.T, array[:, ::-1], array[::2], np.broadcast_to(array, (2, 2, 3))):
        made = gradling.from_numpy(view)
        assert made.tolist() == view.tolist()
        assert np.shares_memory(made.numpy(), array)


def test_an_array_of_another_byte_order_is_converted_or_refused() -> None:
    foreign = np.array([1.5, 2.5], ">f8")
    assert gradling.tensor(foreign).dtype is gradling.float64
    assert gradling.tensor(foreign).tolist() == [1.5, 2.5]
    with pytest.raises(ValueError, match=r"byte order.*tensor\(\)"):
        gradling.from_numpy(foreign)


@pytest.mark.parametrize(
    ("data", "where"),
    [
        ([[1, 2], [3]], r"data\[0\] has 2 and data\[1\] has 1"),
        ([[[1], [2]], [[3], [4, 5]]], "same length"),
        ([1, [2]], "same length"),
        ([[1], 2], "same length"),
    ],
)
def test_ragged_lists_are_refused(data: list[object], where: str) -> None:
    with pytest.raises(ValueError, match=where):
        gradling.tensor(data)


@pytest.mark.parametrize("data", ["a", None, {1: 2}, 1j, [b"x"], object(), [object()], {1, 2}])
def test_what_is_no_number_is_refused(data: object) -> None:
    with pytest.raises(TypeError, match="tensor: expected numbers"):
        gradling.tensor(data)


def test_numbers_too_large_are_refused() -> None:
    for data in (2**63, [2**63], [2**70, 1], -(2**63) - 1):
        with pytest.raises(ValueError, match="range of int64"):
            gradling.tensor(data)
    assert gradling.tensor([2**70], dtype=gradling.float64).tolist() == [2.0**70]
    with pytest.raises(ValueError, match="300 is out of the range of uint8, 0 to 255"):
        gradling.tensor([1, 300], dtype="uint8")


def test_tensors_inside_lists_keep_their_values() -> None:
    x = gradling.tensor([1.0, 2.0], requires_grad=True)
    assert gradling.tensor([x, x * 2]).tolist() == [[1, 2], [2, 4]]
    assert gradling.tensor(x).requires_grad is False


def test_default_dtype_decides_for_python_floats() -> None:
    gradling.set_default_dtype(gradling.float64)
    try:
        for made in (
            gradling.tensor(1.0),
            gradling.zeros(1),
            gradling.rand(1),
            gradling.arange(2.0),
        ):
            assert made.dtype is gradling.float64
    finally:
        gradling.set_default_dtype(gradling.float32)


@pytest.mark.parametrize("make", [gradling.zeros, gradling.ones, gradling.empty, gradling.rand])
def test_sizes_are_checked(make: object) -> None:
    for size in ((2.0,), ("2",), (True,), ((2, None),), ()):
        with pytest.raises(TypeError, match="expected"):
            make(*size)  # type: ignore[operator]
    with pytest.raises(ValueError, match="negative"):
        make(2, -1)  # type: ignore[operator]
    with pytest.raises(TypeError, match="twice"):
        make(2, size=(2,))  # type: ignore[operator]
    assert make(np.int64(2), gradling.tensor(3)).shape == (2, 3)  # type: ignore[operator]


def test_only_the_cpu_is_there() -> None:
    assert gradling.zeros(1, device="cpu").device == "cpu"
    for make in (gradling.zeros, gradling.rand, gradling.tensor):
        with pytest.raises(RuntimeError, match="no device 'cuda'"):
            make(2, device="cuda")


def test_linspace_meets_both_ends_exactly() -> None:
    rng = np.random.default_rng(0)
    for start, end in rng.normal(size=(50, 2)) * 100:
        for steps in (2, 3, 10, 11):
            entries = gradling.linspace(start, end, steps, dtype=gradling.float64)
            assert (entries[0].item(), entries[-1].item()) == (start, end)


def test_new_tensors_follow_the_dtype_of_their_model() -> None:
    x = gradling.zeros(2, dtype=gradling.int32)
    made: list[Tensor] = [x.new_zeros(3), x.new_ones((3,)), x.new_full((3,), 2.9), x.new_empty(3)]
    assert {m.dtype for m in made} == {gradling.int32}
    assert {m.shape for m in made} == {(3,)}
    assert x.new_tensor([1.5]).tolist() == [1]
