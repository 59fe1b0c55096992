"""Classification problems drawn at random: points and the class of each.

Every function returns `(X, y)` as NumPy arrays: `X` of shape `(n, 2)`, float32 (`(n, dims)` where
there is a `dims`), and `y` of shape `(n,)`, int64. Classes are of equal size up to one point unless
the text says otherwise, and rows come in random order, so a slice is a fair sample.

`seed=` fixes the result: the same seed gives the same bits. `generator=` draws from a
`gradling.Generator` or a `numpy.random.Generator` instead; with neither, from the generator that
`gradling.manual_seed` sets.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ._checks import count, finite
from ._draws import noise_source, rng

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

__all__ = [
    "blobs",
    "checkerboard",
    "circles",
    "gaussian_quantiles",
    "moons",
    "noisy_moons",
    "spirals",
    "xor",
]


def moons(
    n: int = 200, noise: float = 0.1, *, seed: int | None = None, generator: Any = None
) -> tuple[Floats, Ints]:
    """Draw two half circles that reach into each other.

    Class 0 lies on `(cos t, sin t)`, class 1 on `(1 - cos t, 1/2 - sin t)`, for `n / 2` angles t
    spread evenly over [0, pi]; then normal noise of standard deviation `noise` is added to both
    coordinates.

    >>> X, y = moons(100, seed=0)
    >>> X.shape, X.dtype, y.shape, y.dtype
    ((100, 2), dtype('float32'), (100,), dtype('int64'))
    """
    y = _classes(n, 2)
    random = noise_source(noise, seed, generator)
    t = np.pi * _even(y)
    X = np.stack([np.cos(t), np.sin(t)], axis=1)
    X[y == 1] = np.array([1.0, 0.5]) - X[y == 1]
    return _finish(X, y, noise, random)


def noisy_moons(
    n: int = 200, noise: float = 0.3, *, seed: int | None = None, generator: Any = None
) -> tuple[Floats, Ints]:
    """Draw `moons` so noisy that the classes overlap: no boundary gets every point right.

    >>> X, y = noisy_moons(100, seed=0)
    >>> X.shape
    (100, 2)
    """
    return moons(n, noise, seed=seed, generator=generator)


def circles(
    n: int = 200,
    noise: float = 0.05,
    *,
    factor: float = 0.5,
    seed: int | None = None,
    generator: Any = None,
) -> tuple[Floats, Ints]:
    """Draw two rings around the origin: class 0 of radius 1, class 1 of radius `factor`.

    >>> X, y = circles(6, noise=0, seed=0)
    >>> sorted(float(round(r, 3)) for r in np.hypot(X[:, 0], X[:, 1]))
    [0.5, 0.5, 0.5, 1.0, 1.0, 1.0]
    """
    if not 0 < finite("factor", factor) < 1:
        raise ValueError(f"factor must lie between 0 and 1, the outer radius, got {factor}")
    y = _classes(n, 2)
    random = noise_source(noise, seed, generator)
    t = 2 * np.pi * _even(y, endpoint=False)
    radius = np.where(y == 0, 1.0, factor)
    return _finish(radius[:, None] * np.stack([np.cos(t), np.sin(t)], axis=1), y, noise, random)


def blobs(
    n: int = 200,
    centers: int | Sequence[Sequence[float]] | npt.NDArray[Any] = 3,
    spread: float = 1.0,
    *,
    dims: int = 2,
    box: float = 6.0,
    seed: int | None = None,
    generator: Any = None,
) -> tuple[Floats, Ints]:
    """Draw one normal cloud a class, of standard deviation `spread`, around each center.

    Args:
        centers: the number of classes, whose centers are then drawn from the cube
            `[-box, box]^dims`; or the centers themselves, `(classes, dims)`.

    >>> X, y = blobs(90, centers=[[-5, 0], [5, 0]], seed=0)
    >>> bool(X[y == 0, 0].mean() < 0 < X[y == 1, 0].mean())
    True
    """
    scale = finite("box", box, least=0)
    k: Any = centers
    shape = (count("centers", k), count("dims", dims)) if np.ndim(k) == 0 else None
    if shape is None:
        given = np.asarray(k, dtype=np.float64)
        if given.ndim != 2 or not given.size or not np.isfinite(given).all():
            raise ValueError(
                "centers must be the number of classes or a finite table of shape (classes, dims), "
                f"got an array of shape {given.shape}"
            )
    y = _classes(n, shape[0] if shape else len(given))
    random = noise_source(finite("spread", spread, least=0), seed, generator)
    middles = random.uniform(-scale, scale, shape) if shape else given
    return _finish(middles[y], y, spread, random)


def spirals(
    n: int = 200,
    noise: float = 0.02,
    *,
    classes: int = 2,
    turns: float = 1.0,
    seed: int | None = None,
    generator: Any = None,
) -> tuple[Floats, Ints]:
    """Draw `classes` arms that wind around each other `turns` times.

    A point at fraction r in (0, 1] of its arm lies at radius r, at angle
    `2 pi (turns r + k / classes)` for class k; then normal noise is added.

    >>> X, y = spirals(300, classes=3, seed=0)
    >>> np.bincount(y).tolist()
    [100, 100, 100]
    """
    finite("turns", turns)
    y = _classes(n, count("classes", classes))
    random = noise_source(noise, seed, generator)
    r = 0.02 + 0.98 * _even(y)
    t = 2 * np.pi * (turns * r + y / classes)
    return _finish(r[:, None] * np.stack([np.cos(t), np.sin(t)], axis=1), y, noise, random)


def xor(
    n: int = 200,
    noise: float = 0.0,
    *,
    margin: float = 0.1,
    seed: int | None = None,
    generator: Any = None,
) -> tuple[Floats, Ints]:
    """Draw points of the square [-1, 1]^2, of class 1 where the coordinates differ in sign.

    No point lies nearer than `margin` to an axis, before the noise. No straight line separates the
    classes: the smallest problem that needs a hidden layer.

    >>> X, y = xor(50, seed=0)
    >>> bool(((X[:, 0] * X[:, 1] < 0) == (y == 1)).all())
    True
    """
    if not 0 <= finite("margin", margin) < 1:
        raise ValueError(f"margin must lie in [0, 1), got {margin}")
    y = _classes(n, 2)
    random = noise_source(noise, seed, generator)
    X = random.uniform(margin, 1.0, (len(y), 2))
    X[:, 0] *= random.choice([-1.0, 1.0], len(y))
    X[:, 1] *= np.where(y == 1, -1.0, 1.0) * np.sign(X[:, 0])
    return _finish(X, y, noise, random)


def checkerboard(
    n: int = 400,
    noise: float = 0.0,
    *,
    squares: int = 4,
    seed: int | None = None,
    generator: Any = None,
) -> tuple[Floats, Ints]:
    """Draw points of the square [-1, 1]^2, coloured as a board of `squares` by `squares`.

    Points are uniform over the board, so class sizes are equal only on average.

    >>> X, y = checkerboard(100, squares=2, seed=0)
    >>> bool(((X[:, 0] * X[:, 1] < 0) == (y == 1)).all())
    True
    """
    side = count("squares", squares, least=2)
    n = count("n", n)
    random = noise_source(noise, seed, generator)
    X = random.uniform(0, side, (n, 2))
    y = np.floor(X).astype(np.int64).sum(axis=1) % 2
    return _finish(2 * X / side - 1, y, noise, random)


def gaussian_quantiles(
    n: int = 200,
    classes: int = 3,
    *,
    dims: int = 2,
    seed: int | None = None,
    generator: Any = None,
) -> tuple[Floats, Ints]:
    """Draw one standard normal cloud, cut into shells around the origin of equally many points.

    >>> X, y = gaussian_quantiles(90, seed=0)
    >>> radius = np.hypot(X[:, 0], X[:, 1])
    >>> bool(radius[y == 0].max() < radius[y == 1].min())
    True
    """
    y = _classes(n, count("classes", classes))
    shape = (len(y), count("dims", dims))
    random = rng(seed, generator)
    X = random.standard_normal(shape)
    X = X[np.argsort((X * X).sum(axis=1), kind="stable")]
    return _finish(X, np.sort(y), 0.0, random)


def _classes(n: int, classes: int) -> Ints:
    """Number `n` points 0, 1, … classes - 1, 0, 1, …: class sizes differ by at most one point."""
    if count("n", n) < classes:
        raise ValueError(f"n must be at least {classes}, one point a class, got {n}")
    return np.arange(n, dtype=np.int64) % classes


def _even(y: Ints, *, endpoint: bool = True) -> npt.NDArray[np.float64]:
    """Spread the points of each class evenly over [0, 1]."""
    out = np.empty(len(y))
    for k in range(int(y.max()) + 1):
        rows = y == k
        out[rows] = np.linspace(0, 1, int(rows.sum()), endpoint=endpoint)
    return out


def _finish(
    X: npt.NDArray[np.float64], y: Ints, noise: float, random: np.random.Generator
) -> tuple[Floats, Ints]:
    """Add the noise, shuffle the rows, and narrow to float32."""
    X = X + finite("noise", noise, least=0) * random.standard_normal(X.shape)
    order = random.permutation(len(y))
    return X[order].astype(np.float32), y[order]
