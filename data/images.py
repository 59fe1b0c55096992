"""Sets of labelled images held as one array: what MNIST, CIFAR-10 and their kin have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..tensor.tensor import Tensor
from .dataset import Dataset
from .transforms import apply_to_batch

Ints = npt.NDArray[np.int64]

__all__ = ["ImageDataset"]


class ImageDataset(Dataset[tuple[Tensor, int]]):
    """Images and their labels; item i is `(image, label)`.

    An image is a float32 Tensor `(C, H, W)` with pixels scaled to [0, 1], then changed by
    `transform`; a label is an int, changed by `target_transform`. `data` holds all pixels as they
    came, uint8 `(n, C, H, W)`, and `targets` all labels, int64 `(n,)`. A batch costs one fancy
    index.

    Args:
        transform: from image to image. Those of `gradling.data.transforms` take a batch at once,
            any other is given one NumPy array `(C, H, W)` at a time.
        target_transform: from label to label, one at a time.

    >>> data = ImageDataset(np.zeros((5, 1, 8, 8), np.uint8), [0, 1, 2, 3, 4])
    >>> image, label = data[3]
    >>> image.shape, label
    ((1, 8, 8), 3)
    """

    classes: list[str] = []

    def __init__(
        self,
        data: npt.NDArray[np.uint8],
        targets: Any,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
    ) -> None:
        self.data = data
        self.targets: Ints = np.asarray(targets, dtype=np.int64)
        if data.ndim != 4 or data.dtype != np.uint8:
            raise ValueError(f"data must be uint8 (n, C, H, W), got {data.dtype} {data.shape}")
        if self.targets.shape != data.shape[:1]:
            raise ValueError(
                f"there must be one label an image: got {len(data)} images and labels of shape "
                f"{self.targets.shape}"
            )
        self.transform = transform
        self.target_transform = target_transform

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        images, labels = self._arrays(np.asarray([index]))
        return Tensor(images[0]), labels[0] if self.target_transform else int(labels[0])

    def take(self, indices: Ints) -> list[Tensor]:
        """Return the batch at `indices`: images `(k, C, H, W)` and labels `(k,)`."""
        images, labels = self._arrays(np.asarray(indices))
        return [Tensor(images), Tensor(np.asarray(labels))]

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.data.shape[1:]))
        return f"{type(self).__name__}({len(self)} images of {shape})"

    def _arrays(self, indices: Ints) -> tuple[npt.NDArray[Any], Any]:
        images: npt.NDArray[Any] = self.data[indices].astype(np.float32)
        images /= np.float32(255)
        if self.transform is not None:
            images = np.ascontiguousarray(apply_to_batch(self.transform, images))
        labels: Any = self.targets[indices]
        if self.target_transform is not None:
            labels = [self.target_transform(int(label)) for label in labels]
        return images, labels
