"""Reductions of equal entries and of NaN."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradling


@pytest.mark.parametrize("name", ["max", "min", "median", "amax", "amin"])
@pytest.mark.parametrize("data", [[1.0, np.nan, 3.0], [np.nan, 1.0, np.nan]])
def test_a_result_that_is_nan_leads_to_the_nans(name: str, data: Any) -> None:
    x = gradling.tensor(data, requires_grad=True)
    y = getattr(x, name)()
    y.backward()
    share = np.isnan(data) / np.isnan(data).sum()
    assert np.isnan(y.item()) and x.grad.tolist() == share.tolist()


@pytest.mark.parametrize("n", [2, 3, 7, 10, 1000])
@pytest.mark.parametrize("dtype", [gradling.float32, gradling.float64])
def test_equal_entries_have_no_spread_and_hardly_a_slope(n: int, dtype: Any) -> None:
    for value in (0.1, -3.3, 1e-3 / 7, 1234.567):
        x = gradling.full((3, n), value, dtype=dtype, requires_grad=True)
        for spread in (x.std(1), x.std(), x.var(1), x.var((0, 1), keepdim=True)):
            assert not spread.detach().numpy().any()
            (found,) = gradling.autograd.grad(spread.sum(), [x])
            assert np.abs(found.numpy()).max() <= abs(value) * np.finfo(dtype).eps


def test_a_spread_of_one_last_digit_has_its_slope() -> None:
    one = np.float32(0.1)
    x = gradling.tensor([one] * 9 + [np.nextafter(one, np.float32(1))], requires_grad=True)
    x.std().backward()
    z = (np.arange(10) == 9) - 0.1
    np.testing.assert_allclose(x.grad.numpy(), z / np.sqrt(9 * (z**2).sum()), rtol=1e-5)
