"""The packaged handwritten digits: real data that needs no network.

1,797 images of 8 x 8 pixels with 17 grey levels, written by 13 people: the test part of "Optical
Recognition of Handwritten Digits" by E. Alpaydin and C. Kaynak, UCI Machine Learning Repository,
1998, https://doi.org/10.24432/C50P49, under the Creative Commons Attribution 4.0 licence. The
numbers are unchanged; they are packed as one compressed NumPy file, `digits.npz`.
"""

from __future__ import annotations

from importlib import resources
from typing import Literal

import numpy as np
import numpy.typing as npt

__all__ = ["digits"]


def digits(
    split: Literal["all", "train", "test"] = "all",
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Return the packaged 8 x 8 handwritten digits, pixels scaled to [0, 1].

    Args:
        split: "test" is every fifth image (360 of them), "train" the rest (1,437), "all" both in
            their original order. Every writer occurs in both parts: a test score says how well a
            net reads new digits of known hands.

    Returns:
        `images (n, 8, 8)` float32 and `labels (n,)` int64, 0 to 9.

    >>> images, labels = digits("train")
    >>> images.shape, labels.shape, float(images.max())
    ((1437, 8, 8), (1437,), 1.0)
    """
    if split not in ("all", "train", "test"):
        raise ValueError(f'split must be "all", "train" or "test", got {split!r}')
    path = resources.files(__package__).joinpath("digits.npz")
    with path.open("rb") as file, np.load(file, allow_pickle=False) as packed:
        images = packed["images"].astype(np.float32) / 16
        labels = packed["labels"].astype(np.int64)
    if split == "all":
        return images, labels
    held_out = np.arange(len(labels)) % 5 == 0
    rows = held_out if split == "test" else ~held_out
    return images[rows], labels[rows]
