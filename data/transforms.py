"""Changes to images on their way from the data set to the net.

Each takes and returns an array or Tensor `(…, C, H, W)`, float: one image or a whole batch, where
every image of a batch draws its own random numbers. Random ones draw from `generator=`; without it,
inside a loader, from the stream of the batch, so that the bits do not depend on the workers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..tensor.tensor import Tensor
from ._checks import count, finite
from ._draws import rng

Array = npt.NDArray[Any]

__all__ = ["Compose", "Normalize", "RandomCrop", "RandomHorizontalFlip", "Transform", "one_hot"]


class Transform:
    """Base of transforms that take a whole batch at once: a subclass writes `apply(array)`.

    Any other callable may stand where a transform is taken; it is then given one image at a time.
    """

    def apply(self, x: Array) -> Array:
        raise NotImplementedError(f"{type(self).__name__} must define apply(self, array)")

    def __call__(self, x: Any) -> Any:
        if isinstance(x, Tensor):
            return Tensor(self.apply(x.detach().numpy()))
        return self.apply(np.asarray(x))


class Compose(Transform):
    """Several transforms, one after the other.

    >>> double = Compose([Normalize([0.0], [1.0]), Normalize([0.0], [0.5])])
    >>> double(np.ones((1, 1, 2)))
    array([[[2., 2.]]])
    """

    def __init__(self, transforms: Iterable[Callable[[Any], Any]]) -> None:
        self.transforms = list(transforms)

    def apply(self, x: Array) -> Array:
        for transform in self.transforms:
            x = apply_to_batch(transform, x)
        return x


class Normalize(Transform):
    """Subtract a mean and divide by a deviation, channel by channel.

    Args:
        mean, std: one number a channel.

    >>> Normalize(mean=[1.0, 2.0], std=[2.0, 4.0])(np.full((2, 1, 1), 6.0)).ravel()
    array([2.5, 1. ])
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        self.mean = np.asarray(mean, np.float64).reshape(-1)
        self.std = np.asarray(std, np.float64).reshape(-1)
        if self.mean.shape != self.std.shape:
            raise ValueError(f"got {self.mean.size} means but {self.std.size} deviations")
        if not (self.std > 0).all() or not np.isfinite(self.mean).all():
            raise ValueError(f"mean must be finite and std above 0, got {mean!r} and {std!r}")

    def apply(self, x: Array) -> Array:
        _check_image(x)
        if self.mean.size not in (1, x.shape[-3]):
            raise ValueError(
                f"images of shape {x.shape[-3:]} have {x.shape[-3]} channels, "
                f"but there are {self.mean.size} means"
            )
        mean = self.mean.astype(x.dtype)[:, None, None]
        scaled: Array = (x - mean) / self.std.astype(x.dtype)[:, None, None]
        return scaled


class RandomCrop(Transform):
    """Cut a window of `size` at a random place, after adding `padding` zeros on every side.

    Args:
        size: height and width, or one number for both.

    >>> RandomCrop(2, padding=1)(np.ones((5, 1, 3, 3))).shape
    (5, 1, 2, 2)
    """

    def __init__(
        self, size: int | tuple[int, int], padding: int = 0, *, generator: Any = None
    ) -> None:
        height, width = (size, size) if isinstance(size, int) else size
        self.size = count("size", height), count("size", width)
        self.padding = count("padding", padding, least=0)
        self.generator = generator

    def apply(self, x: Array) -> Array:
        _check_image(x)
        p = self.padding
        images = x.reshape(-1, *x.shape[-3:])
        padded = np.pad(images, [(0, 0), (0, 0), (p, p), (p, p)])
        room = [have - want + 1 for have, want in zip(padded.shape[-2:], self.size, strict=True)]
        if min(room) < 1:
            raise ValueError(
                f"images of {x.shape[-2]} by {x.shape[-1]} with padding {p} are smaller than the "
                f"crop of {self.size[0]} by {self.size[1]}; raise padding"
            )
        windows = np.lib.stride_tricks.sliding_window_view(padded, self.size, axis=(-2, -1))
        random = rng(generator=self.generator)
        n = len(images)
        top, left = random.integers(room[0], size=n), random.integers(room[1], size=n)
        return windows[np.arange(n), :, top, left].reshape(*x.shape[:-2], *self.size)


class RandomHorizontalFlip(Transform):
    """Mirror left and right, each image with probability `p`.

    >>> RandomHorizontalFlip(p=1.0)(np.array([[[1, 2, 3]]]))
    array([[[3, 2, 1]]])
    """

    def __init__(self, p: float = 0.5, *, generator: Any = None) -> None:
        if not 0 <= finite("p", p) <= 1:
            raise ValueError(f"p must be a probability, 0 to 1, got {p}")
        self.p = p
        self.generator = generator

    def apply(self, x: Array) -> Array:
        _check_image(x)
        mirrored = rng(generator=self.generator).random(x.shape[:-3]) < self.p
        return np.where(mirrored[..., None, None, None], x[..., ::-1], x)


def one_hot(labels: Any, classes: int) -> npt.NDArray[np.float32]:
    """Return labels `(…)` as rows `(…, classes)` float32 that are 1 at the label, 0 elsewhere.

    >>> one_hot([2, 0], classes=3)
    array([[0., 0., 1.],
           [1., 0., 0.]], dtype=float32)
    """
    k = count("classes", classes)
    y = np.asarray(labels)
    if y.dtype.kind not in "iu":
        raise TypeError(f"labels must be integers, got dtype {y.dtype}")
    if y.size and not 0 <= y.min() <= y.max() < k:
        raise ValueError(f"labels must lie in 0 to {k - 1}, got {y.min()} to {y.max()}")
    rows: npt.NDArray[np.float32] = (y[..., None] == np.arange(k)).astype(np.float32)
    return rows


def apply_to_batch(transform: Callable[[Any], Any], x: Array) -> Array:
    """Apply a transform to `(n, C, H, W)`: at once if it can, image by image if it is unknown."""
    if isinstance(transform, Transform):
        return np.asarray(transform(x))
    return np.stack([np.asarray(transform(image)) for image in x])


def _check_image(x: Array) -> None:
    if x.ndim < 3:
        raise ValueError(f"an image must have shape (…, C, H, W), got {x.shape}")
