"""Products in halves and in blocks are products, whatever the sizes."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from gradling.nn.kernels import products
from gradling.nn.kernels.copies import copy_runs, in_order

size = st.integers(1, 40)


def normal(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=shape)


def apart(x: Any) -> Any:
    """The same numbers, lines not neighbours in memory."""
    room = np.zeros((*x.shape[:-1], x.shape[-1] + 3))
    room[..., : x.shape[-1]] = x
    return room[..., : x.shape[-1]]


@given(
    rows=size, inner=size, columns=st.integers(1, 300), small=st.integers(1, 5000),
    turned=st.booleans(), stacks=st.sampled_from(((1, 1), (3, 3), (1, 3))),
)  # fmt: skip
def test_blockwise(
    rows: int, inner: int, columns: int, small: int, turned: bool, stacks: tuple[int, int]
) -> None:
    a, b = normal(stacks[0], rows, inner), normal(stacks[1], inner, columns, seed=1)
    out = apart(np.full((stacks[1], rows, columns), np.nan))
    given_b = np.ascontiguousarray(b.mT).mT if turned else apart(b)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(products, "SMALL", small)
        products.blockwise(a, given_b, out)
    np.testing.assert_allclose(out, a @ b, rtol=0, atol=1e-12)


@given(count=st.integers(1, 6), length=st.integers(1, 500), small=st.integers(1, 5000))
def test_along_lines(count: int, length: int, small: int) -> None:
    a, lines = normal(4, count), normal(2, count, length, seed=1)
    out = apart(np.full((2, 4, length), np.nan))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(products, "SMALL", small)
        products.along_lines(a, apart(lines), out)
    np.testing.assert_allclose(out, a @ lines, rtol=0, atol=1e-12)


@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 7, 3), (80, 70, 60)])
def test_product(shape: tuple[int, int, int]) -> None:
    rows, inner, columns = shape
    a, b = normal(rows, inner), normal(inner, columns, seed=1)
    np.testing.assert_allclose(products.product(a, b), a @ b, rtol=0, atol=1e-12)


def test_in_order() -> None:
    x = normal(3, 4, 5)
    assert in_order(x) is x
    for turned in (x.T, x[:, ::2], x[..., 1:]):
        found = in_order(turned)
        assert found.flags.c_contiguous and np.array_equal(found, turned)


@pytest.mark.parametrize("dtype", ["float32", "float64", "object"])
def test_runs_are_copied_from_and_to_anywhere(dtype: str) -> None:
    x = np.arange(120).astype(dtype).reshape(4, 5, 6)
    for part in (x[::2], x[:, 1:4], x[..., 2:5], x.swapaxes(0, 1), x[..., ::2], x.T, x[:0]):
        out = np.zeros((*part.shape[:-1], part.shape[-1] + 2), dtype)[..., 1:-1]
        copy_runs(out, part)
        assert np.array_equal(out, part)
