"""Regression problems drawn at random: inputs and a number to predict for each.

Every function returns `(X, y)` as NumPy float32 arrays: `X` of shape `(n, dims)` and `y` of shape
`(n, 1)`, the shape of the output of a net with one output. `noise` is the standard deviation of
normal noise added to `y` alone. `seed=` and `generator=` are as in `gradling.data.generated`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ._checks import count, finite, numbers
from ._draws import noise_source

Floats = npt.NDArray[np.float32]

__all__ = ["friedman", "hills", "linear", "polynomial", "sines"]


def sines(
    n: int = 200,
    noise: float = 0.1,
    *,
    frequencies: Sequence[float] = (1.0,),
    amplitudes: Sequence[float] | None = None,
    seed: int | None = None,
    generator: Any = None,
) -> tuple[Floats, Floats]:
    """Draw a sum of sines, `y = sum_k a_k sin(f_k x)`, at n points x of [-pi, pi].

    Args:
        frequencies: the f_k, in radians per unit of x.
        amplitudes: the a_k; 1 each if left out.

    >>> X, y = sines(50, noise=0, seed=0)
    >>> X.shape, y.shape, bool(np.allclose(y, np.sin(X), atol=1e-6))
    ((50, 1), (50, 1), True)
    """
    f = numbers("frequencies", frequencies)
    a = np.ones(len(f)) if amplitudes is None else numbers("amplitudes", amplitudes)
    if f.shape != a.shape:
        raise ValueError(f"got {len(f)} frequencies but {len(a)} amplitudes; give one for each")
    n = count("n", n)
    random = noise_source(noise, seed, generator)
    X = random.uniform(-np.pi, np.pi, (n, 1))
    return _finish(X, np.sin(X * f) @ a, noise, random)


def linear(
    n: int = 200,
    noise: float = 0.1,
    *,
    weights: Sequence[float] = (2.0, -3.0),
    bias: float = 1.0,
    seed: int | None = None,
    generator: Any = None,
) -> tuple[Floats, Floats]:
    """Draw a plane, `y = weights . x + bias`, at n points of the cube [-1, 1]^dims.

    A linear layer trained on it must find `weights` and `bias`, so its answer can be checked.

    >>> X, y = linear(5, noise=0, weights=[1.0], bias=0.0, seed=0)
    >>> bool(np.allclose(X, y))
    True
    """
    w = numbers("weights", weights)
    b = finite("bias", bias)
    n = count("n", n)
    random = noise_source(noise, seed, generator)
    X = random.uniform(-1, 1, (n, len(w)))
    return _finish(X, X @ w + b, noise, random)


def polynomial(
    n: int = 200,
    noise: float = 0.1,
    *,
    coefficients: Sequence[float] = (0.0, -1.0, 0.0, 2.0),
    seed: int | None = None,
    generator: Any = None,
) -> tuple[Floats, Floats]:
    """Draw `y = sum_k c_k x^k`, constant term first, at n points x of [-1, 1].

    >>> X, y = polynomial(5, noise=0, coefficients=[0, 0, 1], seed=0)
    >>> bool(np.allclose(X * X, y))
    True
    """
    c = numbers("coefficients", coefficients)
    n = count("n", n)
    random = noise_source(noise, seed, generator)
    X = random.uniform(-1, 1, (n, 1))
    return _finish(X, np.vander(X[:, 0], len(c), increasing=True) @ c, noise, random)


def hills(
    n: int = 200,
    noise: float = 0.0,
    *,
    peaks: Sequence[tuple[float, float, float]] = (
        (-0.5, -0.5, 1.0),
        (0.5, 0.5, 1.0),
        (-0.5, 0.5, -1.0),
        (0.5, -0.5, -1.0),
    ),
    width: float = 0.3,
    seed: int | None = None,
    generator: Any = None,
) -> tuple[Floats, Floats]:
    """Draw hills and dips over the square [-1, 1]^2: a sum of normal bumps.

    `y = sum_k h_k exp(-|x - c_k|^2 / (2 width^2))` for each peak `(c_1, c_2, h)`.

    >>> X, y = hills(100, seed=0)
    >>> X.shape, y.shape
    ((100, 2), (100, 1))
    """
    table = np.asarray(peaks, np.float64)
    if table.ndim != 2 or table.shape[1] != 3 or not np.isfinite(table).all():
        raise ValueError(f"peaks must be a list of finite (x, y, height), got shape {table.shape}")
    if finite("width", width) <= 0:
        raise ValueError(f"width must be above 0, got {width}")
    n = count("n", n)
    random = noise_source(noise, seed, generator)
    X = random.uniform(-1, 1, (n, 2))
    square = ((X[:, None, :] - table[None, :, :2]) ** 2).sum(axis=2)
    return _finish(X, np.exp(-square / (2 * width**2)) @ table[:, 2], noise, random)


def friedman(
    n: int = 200,
    noise: float = 1.0,
    *,
    dims: int = 10,
    seed: int | None = None,
    generator: Any = None,
) -> tuple[Floats, Floats]:
    """Draw Friedman's first problem: five inputs that matter among `dims`, uniform on [0, 1].

    `y = 10 sin(pi x1 x2) + 20 (x3 - 1/2)^2 + 10 x4 + 5 x5`
    (J. Friedman, Multivariate Adaptive Regression Splines, 1991, section 4.3).

    >>> X, y = friedman(100, seed=0)
    >>> X.shape, y.shape
    ((100, 10), (100, 1))
    """
    shape = (count("n", n), count("dims", dims, least=5))
    random = noise_source(noise, seed, generator)
    X = random.uniform(0, 1, shape)
    x1, x2, x3, x4, x5 = X[:, :5].T
    y = 10 * np.sin(np.pi * x1 * x2) + 20 * (x3 - 0.5) ** 2 + 10 * x4 + 5 * x5
    return _finish(X, y, noise, random)


def _finish(
    X: npt.NDArray[np.float64],
    y: npt.NDArray[np.float64],
    noise: float,
    random: np.random.Generator,
) -> tuple[Floats, Floats]:
    """Add the noise to the targets, make them a column, and narrow to float32."""
    y = y + finite("noise", noise, least=0) * random.standard_normal(len(y))
    return X.astype(np.float32), y[:, None].astype(np.float32)
