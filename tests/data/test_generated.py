"""The generated data sets and the packaged digits."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import gradling
from gradling import data

CLASSIFICATION = [
    data.blobs,
    data.checkerboard,
    data.circles,
    data.gaussian_quantiles,
    data.moons,
    data.noisy_moons,
    data.spirals,
    data.xor,
]
REGRESSION = [data.friedman, data.hills, data.linear, data.polynomial, data.sines]
name = lambda f: f.__name__  # noqa: E731


@pytest.mark.parametrize("make", CLASSIFICATION, ids=name)
def test_points_and_classes(make: Any) -> None:
    X, y = make(101, seed=3)
    assert X.dtype == np.float32 and X.shape == (101, 2) and np.isfinite(X).all()
    assert y.dtype == np.int64 and y.shape == (101,)
    sizes = np.bincount(y)
    assert sizes.min() > 0
    if make is not data.checkerboard:
        assert sizes.max() - sizes.min() <= 1
    # rows come in random order: no class is only at the front
    assert set(y[:50]) == set(y[50:])


@pytest.mark.parametrize("make", REGRESSION, ids=name)
def test_inputs_and_targets(make: Any) -> None:
    X, y = make(50, seed=3)
    assert X.dtype == y.dtype == np.float32
    assert X.ndim == 2 and len(X) == 50 and y.shape == (50, 1)
    assert np.isfinite(X).all() and np.isfinite(y).all()


@pytest.mark.parametrize("make", CLASSIFICATION + REGRESSION, ids=name)
def test_the_same_seed_gives_the_same_bits(make: Any) -> None:
    def drawn(**source: Any) -> list[bytes]:
        return [part.tobytes() for part in make(40, **source)]

    assert drawn(seed=5) == drawn(seed=5)
    assert drawn(seed=5) != drawn(seed=6)
    one = gradling.Generator().manual_seed(7)
    other = gradling.Generator().manual_seed(7)
    first = drawn(generator=one)
    assert first == drawn(generator=other)
    assert first != drawn(generator=one), "the second draw must not repeat the first"
    assert drawn(generator=np.random.default_rng(1)) == drawn(generator=np.random.default_rng(1))
    gradling.manual_seed(11)
    whole = drawn()
    gradling.manual_seed(11)
    assert whole == drawn()


@pytest.mark.parametrize("make", CLASSIFICATION + REGRESSION, ids=name)
def test_numpys_global_state_is_left_alone(make: Any) -> None:
    before = np.random.get_state()[1].copy()  # type: ignore[union-attr]
    make(40, seed=1)
    make(40)
    assert (before == np.random.get_state()[1]).all()  # type: ignore[index]


@pytest.mark.parametrize("make", CLASSIFICATION + REGRESSION, ids=name)
@pytest.mark.parametrize(
    ("bad", "kind", "text"),
    [
        ({"n": 0}, ValueError, "n must be at least"),
        ({"n": -3}, ValueError, "n must be at least"),
        ({"n": 2.5}, TypeError, "n must be an integer, got 2.5"),
        ({"n": True}, TypeError, "n must be an integer"),
        ({"seed": -1}, ValueError, "seed must be at least 0"),
        ({"seed": 0.5}, TypeError, "seed must be an integer"),
        ({"seed": 1, "generator": np.random.default_rng(0)}, TypeError, "drop one of the two"),
        ({"noise": -0.1}, ValueError, "noise must be a finite number of at least 0"),
        ({"noise": float("nan")}, ValueError, "noise must be a finite number"),
        ({"noise": "much"}, TypeError, "noise must be a number"),
    ],
)
def test_bad_input(make: Any, bad: dict[str, Any], kind: type[Exception], text: str) -> None:
    if "noise" in bad and "noise" not in inspect.signature(make).parameters:
        with pytest.raises(TypeError, match="noise"):
            make(**bad)
        return
    # nothing is drawn before the arguments are known to be good
    gradling.manual_seed(0)
    expected = data.xor(10)[0]
    gradling.manual_seed(0)
    with pytest.raises(kind, match=text):
        make(**{"n": 30, **bad})
    assert (data.xor(10)[0] == expected).all()


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: data.circles(10, factor=1.5), "factor must lie between 0 and 1"),
        (lambda: data.xor(10, margin=1.0), "margin must lie in"),
        (lambda: data.blobs(10, centers=[[1, 2], [3, float("inf")]]), "centers must be"),
        (lambda: data.blobs(10, centers=[1.0, 2.0]), "centers must be"),
        (lambda: data.blobs(2, centers=3), "one point a class"),
        (lambda: data.blobs(10, spread=-1), "spread must be"),
        (lambda: data.checkerboard(10, squares=1), "squares must be at least 2"),
        (lambda: data.spirals(10, turns=float("inf")), "turns must be a finite"),
        (lambda: data.sines(10, frequencies=[1, 2], amplitudes=[1]), "2 frequencies but 1"),
        (lambda: data.linear(10, weights=[]), "weights must be a list of at least one"),
        (lambda: data.polynomial(10, coefficients=[float("nan")]), "finite number"),
        (lambda: data.hills(10, width=0), "width must be above 0"),
        (lambda: data.hills(10, peaks=[(1, 2)]), "peaks must be a list"),  # type: ignore[list-item]
        (lambda: data.friedman(10, dims=4), "dims must be at least 5"),
        (lambda: data.digits("valid"), 'must be "all", "train" or "test"'),  # type: ignore[arg-type]
    ],
)
def test_bad_options(call: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        call()


def test_noiseless_shapes_are_what_they_say() -> None:
    X, y = data.moons(100, noise=0, seed=0)
    upper = X[y == 0]
    assert np.allclose(np.hypot(*upper.T), 1, atol=1e-6) and (upper[:, 1] >= -1e-6).all()
    lower = X[y == 1]
    assert np.allclose(np.hypot(1 - lower[:, 0], 0.5 - lower[:, 1]), 1, atol=1e-6)
    X, y = data.spirals(300, noise=0, classes=3, turns=0.5, seed=0)
    angle = np.angle(X[:, 0] + 1j * X[:, 1])
    expected = 2 * np.pi * (0.5 * np.hypot(*X.T) + y / 3)
    assert np.allclose(np.exp(1j * angle), np.exp(1j * expected), atol=1e-4)


def test_noise_has_the_deviation_that_was_asked_for() -> None:
    X, y = data.linear(20000, noise=0.5, weights=[2.0], bias=-1.0, seed=0)
    rest = y - (2 * X - 1)
    assert abs(rest.std() - 0.5) < 0.02 and abs(rest.mean()) < 0.02


def test_classes_of_the_digits_are_complete_and_parts_are_disjoint() -> None:
    images, labels = data.digits()
    assert images.shape == (1797, 8, 8) and images.dtype == np.float32
    assert images.min() == 0 and images.max() == 1
    assert labels.dtype == np.int64 and np.bincount(labels).min() >= 174
    train, test = data.digits("train"), data.digits("test")
    assert len(train[0]) == 1437 and len(test[0]) == 360
    assert (images[np.arange(1797) % 5 == 0] == test[0]).all()
    joined = {image.tobytes() for image in images}
    parts = [{image.tobytes() for image in part} for part in (train[0], test[0])]
    assert parts[0] | parts[1] == joined and not parts[0] & parts[1]


def test_the_digits_are_those_of_the_source() -> None:
    datasets = pytest.importorskip("sklearn.datasets", reason="compares with scikit-learn's copy")
    theirs = datasets.load_digits()
    images, labels = data.digits()
    assert (images * 16 == theirs.images).all() and (labels == theirs.target).all()


def test_the_caller_may_change_what_it_got() -> None:
    images, _ = data.digits()
    images[:] = -1
    assert data.digits()[0].min() == 0
