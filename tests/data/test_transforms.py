"""Transforms of images, one at a time and a batch at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradling
from gradling.data import DataLoader
from gradling.data.images import ImageDataset
from gradling.data.transforms import (
    Compose,
    Normalize,
    RandomCrop,
    RandomHorizontalFlip,
    Transform,
    one_hot,
)


def images(*shape: int) -> Any:
    return np.random.default_rng(0).random(shape).astype(np.float32)


@pytest.mark.parametrize("shape", [(3, 6, 5), (4, 3, 6, 5), (2, 4, 3, 6, 5)])
def test_any_number_of_leading_dimensions(shape: tuple[int, ...]) -> None:
    x = images(*shape)
    assert Normalize([0.1, 0.2, 0.3], [1, 2, 3])(x).shape == shape
    assert RandomHorizontalFlip()(x).shape == shape
    assert RandomCrop((4, 3), padding=1)(x).shape == (*shape[:-2], 4, 3)
    assert Normalize([0.5], [0.5])(x).dtype == np.float32


def test_a_tensor_in_gives_a_tensor_out() -> None:
    x = gradling.tensor(images(3, 6, 5).tolist())
    out = RandomCrop(4)(x)
    assert isinstance(out, gradling.Tensor) and out.shape == (3, 4, 4)


def test_crops_are_windows_and_each_image_has_its_own() -> None:
    x = np.arange(100, dtype=np.float32).reshape(1, 10, 10) + np.zeros((200, 1, 1, 1), np.float32)
    out = RandomCrop(3, generator=gradling.Generator().manual_seed(0))(x)
    corners = out[:, 0, 0, 0].astype(int)
    assert set(corners // 10) == set(range(8)) == set(corners % 10)
    assert (
        out == corners[:, None, None, None] + np.array([[0, 1, 2], [10, 11, 12], [20, 21, 22]])
    ).all()
    padded = RandomCrop(10, padding=2)(np.ones((50, 1, 10, 10)))
    assert (padded.sum(axis=(1, 2, 3)) < 100).any() and set(np.unique(padded)) == {0, 1}


def test_flips_come_with_their_probability() -> None:
    x = images(2000, 1, 2, 3)
    out = RandomHorizontalFlip(0.25, generator=np.random.default_rng(0))(x)
    same, mirrored = (out == x).all(axis=(1, 2, 3)), (out == x[..., ::-1]).all(axis=(1, 2, 3))
    assert (same | mirrored).all() and 0.2 < mirrored.mean() < 0.3
    assert (RandomHorizontalFlip(0.0)(x) == x).all()


def test_random_transforms_in_a_loader_do_not_depend_on_the_workers() -> None:
    both = Compose([RandomCrop(6, padding=1), RandomHorizontalFlip()])
    data = ImageDataset((images(20, 1, 6, 6) * 255).astype(np.uint8), np.arange(20), both)

    def epoch(workers: int) -> list[Any]:
        generator = gradling.Generator().manual_seed(2)
        loader = DataLoader(data, 6, shuffle=True, num_workers=workers, generator=generator)
        return [x.numpy() for _ in range(2) for x, _ in loader]

    alone, together = epoch(0), epoch(3)
    assert all((a == b).all() for a, b in zip(alone, together, strict=True))


def test_other_callables_are_given_one_image_at_a_time() -> None:
    seen: list[Any] = []

    def own(image: Any) -> Any:
        seen.append(image.shape)
        return image.reshape(-1)[None, None]

    assert Compose([own, Normalize([0.0], [2.0])])(images(4, 1, 2, 3)).shape == (4, 1, 1, 6)
    assert seen == [(1, 2, 3)] * 4


def test_one_hot() -> None:
    assert one_hot(np.array([[1, 0]]), 2).tolist() == [[[0, 1], [1, 0]]]
    assert one_hot(3, 5).tolist() == [0, 0, 0, 1, 0]
    assert one_hot(gradling.tensor([1]), 2).tolist() == [[0, 1]]
    assert one_hot(np.array([], np.int64), 3).shape == (0, 3)


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda: one_hot([0, 3], 3), ValueError, "labels must lie in 0 to 2, got 0 to 3"),
        (lambda: one_hot([-1], 3), ValueError, "labels must lie in 0 to 2"),
        (lambda: one_hot([0.5], 3), TypeError, "labels must be integers, got dtype float64"),
        (lambda: Normalize([0.1, 0.2], [1]), ValueError, "2 means but 1 deviations"),
        (lambda: Normalize([0.1], [0]), ValueError, "std above 0"),
        (lambda: Normalize([1, 2], [1, 1])(images(3, 4, 4)), ValueError, "3 channels.*2 means"),
        (lambda: Normalize([1], [1])(images(4, 4)), ValueError, r"\(…, C, H, W\), got \(4, 4\)"),
        (lambda: RandomCrop(0), ValueError, "size must be at least 1"),
        (lambda: RandomCrop(9, padding=1)(images(1, 6, 6)), ValueError, "raise padding"),
        (lambda: RandomHorizontalFlip(1.5), ValueError, "p must be a probability"),
        (lambda: Transform()(images(1, 2, 2)), NotImplementedError, "must define apply"),
    ],
)
def test_bad_input(call: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        call()
