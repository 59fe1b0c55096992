"""Images side by side, and the filters of convolution layers as images."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, sqrt
from typing import TYPE_CHECKING, Any

from .boundary import _plain
from .curves import axes

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes

    Array = npt.NDArray[Any]


def plot_images(
    images: Any,
    titles: Sequence[Any] | None = None,
    ax: Axes | None = None,
    *,
    columns: int | None = None,
) -> Axes:
    """Draw images in rows, with a title over each.

    Args:
        images: (N, H, W), (N, 1, H, W), (N, 3, H, W) or (N, H, W, 3); bytes from 0 to 255, or
            floats. Floats outside [0, 1] (normalised images) are stretched to it, all alike.
        titles: one an image, or None.
        ax: axes to draw into; new ones if None.
        columns: images a row; about as many as rows if None.

    Raises:
        ValueError: other shapes, no image, or not one title an image.

    >>> import numpy as np
    >>> ax = plot_images(np.eye(4).reshape(2, 2, 4), ["a", "b"])
    >>> len(ax.images), [text.get_text() for text in ax.texts]
    (2, ['a', 'b'])
    """
    import numpy as np

    stack = _as_pictures(np.asarray(_plain(images)))
    if titles is not None and len(titles) != len(stack):
        raise ValueError(f"plot_images: expected {len(stack)} titles, got {len(titles)}")
    if columns is not None and columns < 1:
        raise ValueError(f"plot_images: expected columns >= 1, got {columns}")
    return _tile(stack, titles, axes(ax), columns, "gray", 0.0, 1.0)


def plot_filters(layer: Any, ax: Axes | None = None) -> Axes:
    """Draw the filters of a convolution layer.

    Filters over one channel are tiled, filters over three channels drawn as colours; of others,
    each row has one filter, each column one input channel. Without colours, white is zero, blue
    below and orange above, on one scale for all.

    Args:
        layer: a layer with a ``weight`` (O, I, H, W), or (O, I, L); or such a tensor.
        ax: axes to draw into; new ones if None.

    Raises:
        ValueError: the weight has another shape.

    >>> from gradling import nn
    >>> len(plot_filters(nn.Conv2d(1, 6, 3)).images)
    6
    """
    import numpy as np
    from matplotlib.colors import LinearSegmentedColormap

    weight = np.asarray(_plain(getattr(layer, "weight", layer)), dtype=np.float64)
    if weight.ndim == 3:
        weight = weight[:, :, None]
    if weight.ndim != 4 or not weight.size:
        raise ValueError(
            f"plot_filters: expected a weight of shape (O, I, H, W) or (O, I, L), got "
            f"{weight.shape}"
        )
    limit = float(np.abs(weight).max()) or 1.0
    colors = LinearSegmentedColormap.from_list("sides", ["#0072b2", "#ffffff", "#c26a00"])
    channels = weight.shape[1]
    if channels == 3:
        return _tile(
            np.moveaxis(weight / limit, 1, -1) / 2 + 0.5, None, axes(ax), None, "", 0.0, 1.0
        )
    flat = weight.reshape(-1, *weight.shape[2:])
    ax = _tile(flat, None, axes(ax), None if channels == 1 else channels, colors, -limit, limit)
    ax.figure.colorbar(ax.images[0], ax=ax, shrink=0.7, label="weight")
    if channels > 1:
        ax.set_title("rows: filters, columns: input channels", fontsize="medium")
    return ax


def _as_pictures(stack: Array) -> Array:
    """(N, H, W) or (N, H, W, 3), floats in [0, 1]."""
    import numpy as np

    given = stack.shape
    if stack.ndim == 4 and given[1] in (1, 3):
        stack = stack[:, 0] if given[1] == 1 else np.moveaxis(stack, 1, -1)
    elif stack.ndim == 4 and given[3] == 1:
        stack = stack[..., 0]
    if not stack.size or not (stack.ndim == 3 or (stack.ndim == 4 and stack.shape[3] == 3)):
        hint = "; of one image, pass image[None]" if stack.ndim == 2 else ""
        raise ValueError(
            "plot_images: expected images (N, H, W), (N, 1, H, W), (N, 3, H, W) or (N, H, W, 3), "
            f"got {given}{hint}"
        )
    if stack.dtype == np.uint8:
        return np.asarray(stack / 255)
    floats = stack.astype(np.float64)
    low, high = min(0.0, float(np.nanmin(floats))), max(1.0, float(np.nanmax(floats)))
    return (floats - low) / (high - low)


def _tile(
    stack: Array,
    titles: Sequence[Any] | None,
    ax: Axes,
    columns: int | None,
    cmap: Any,
    low: float,
    high: float,
) -> Axes:
    """Every image a square of side 1 (or its own proportions), rows from the top."""
    columns = columns or ceil(sqrt(len(stack)))
    tall, gap = stack.shape[1] / stack.shape[2], 0.08
    head = 0.3 if titles is not None else 0.0
    rows = ceil(len(stack) / columns)
    for place, image in enumerate(stack):
        row, column = divmod(place, columns)
        x, y = column * (1 + gap), -row * (tall + gap + head)
        ax.imshow(
            image, cmap=cmap or None, vmin=low, vmax=high, extent=(x, x + 1, y - tall, y),
            interpolation="nearest",
        )  # fmt: skip
        if titles is not None:
            ax.text(x + 0.5, y + 0.03, str(titles[place]), ha="center", va="bottom", fontsize=8)
    ax.set_xlim(-gap, min(columns, len(stack)) * (1 + gap))
    ax.set_ylim(-rows * (tall + gap + head) + head, head + gap)
    ax.set_aspect("equal")
    ax.set_axis_off()
    return ax
