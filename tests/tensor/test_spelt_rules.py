"""Rules spelt out for arrays say what the table says, also of infinities, nans and no axes."""

from __future__ import annotations

import numpy as np
import pytest

from gradling.engine.op import TABLE
from gradling.tensor.kernels import where
from gradling.tensor.spelt import SPELT

SHAPES = ((), (0,), (7,), (3, 5), (2, 3, 4), (300, 70))
EXTREME = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-45, 3e38])


def spelt_rows() -> list[str]:
    return [name for name, op in TABLE.items() if op.vjp[0] in SPELT]


def test_the_spelt_rules_are_those_of_the_table() -> None:
    assert set(spelt_rows()) == {"tanh", "sigmoid", "relu"}
    assert len(SPELT) == 3


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", spelt_rows())
def test_they_agree(name: str, dtype: str) -> None:
    op = TABLE[name]
    rng = np.random.default_rng(0)
    with np.errstate(all="ignore"):
        for shape in SHAPES:
            x, g = (np.asarray(rng.normal(size=shape), dtype) for _ in range(2))
            y = np.asarray(op.on[np.ndarray](x))
            expected = np.asarray(op.vjp[0](g, y, None))
            found = np.asarray(SPELT[op.vjp[0]](g, y, None))
            assert found.dtype == dtype and found.shape == shape
            np.testing.assert_array_max_ulp(found, expected.astype(dtype), maxulp=1)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_relu_of_extremes(dtype: str, order: str) -> None:
    x, g = (np.asarray(a, dtype, order=order) for a in np.meshgrid(EXTREME, EXTREME))
    with np.errstate(all="ignore"):
        y = TABLE["relu"].on[np.ndarray](x)
    np.testing.assert_array_equal(y, np.where(x <= 0, 0, x))
    found = SPELT[TABLE["relu"].vjp[0]](g, y, None)
    np.testing.assert_array_equal(found, np.where(y <= 0, 0, g))


def test_relu_of_many_entries_and_any_layout() -> None:
    rng = np.random.default_rng(0)
    whole = rng.normal(size=(4, 6, 40, 40)).astype("float32")
    views = (whole, whole[:, ::2], whole.transpose(1, 0, 3, 2), whole.reshape(-1), whole[0, 0, 0])
    for x in views:
        np.testing.assert_array_equal(TABLE["relu"].on[np.ndarray](x), np.where(x <= 0, 0, x))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_where_with_a_constant_0(dtype: str) -> None:
    condition, x = np.meshgrid([True, False], EXTREME)
    with np.errstate(all="ignore"):
        x = x.astype(dtype)
    np.testing.assert_array_equal(where(condition, x, 0.0), np.where(condition, x, 0))
    np.testing.assert_array_equal(where(condition, 0.0, x), np.where(condition, 0, x))
    np.testing.assert_array_equal(where(condition[0], x, 0.0), np.where(condition[0], x, 0))
    assert where(condition, x, 0.0).dtype == dtype
