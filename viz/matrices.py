"""Matrices with names on both sides: confusion matrices and attention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .boundary import _plain
from .curves import axes

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from matplotlib.axes import Axes

    Floats = npt.NDArray[np.float64]

_MOST_TEXTS = 400  # numbers in cells; more are too small to read


def plot_confusion(
    matrix: Any, labels: Sequence[Any] | None = None, ax: Axes | None = None
) -> Axes:
    """Draw how often a class (rows) was taken for which (columns).

    Each cell has its count, and is the darker the larger its share of its row: the shares of the
    diagonal are the recalls.

    Args:
        matrix: counts (C, C), e.g. from ``gradling.train.ConfusionMatrix``.
        labels: the names of the C classes; numbers if None.
        ax: axes to draw into; new ones if None.

    Raises:
        ValueError: the matrix is not square, or there are not C labels.

    >>> ax = plot_confusion([[8, 2], [0, 5]], ["cat", "dog"])
    >>> [text.get_text() for text in ax.texts]
    ['8', '2', '0', '5']
    """
    import numpy as np

    counts = np.asarray(_plain(matrix))
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or not counts.size:
        raise ValueError(f"plot_confusion: expected counts of shape (C, C), got {counts.shape}")
    names = _names("plot_confusion", "labels", labels, len(counts))
    rows = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, rows, out=np.zeros(counts.shape), where=rows > 0)
    ax = axes(ax)
    _shade(ax, shares, names, names)
    for (i, j), count in np.ndenumerate(counts):
        color = "white" if shares[i, j] > 0.55 else "#1c2128"
        if counts.size <= _MOST_TEXTS:
            size = "medium" if len(counts) <= 12 else "small"
            ax.text(j, i, f"{count:g}", ha="center", va="center", color=color, fontsize=size)
    ax.set_xlabel("predicted")
    ax.set_ylabel("true")
    total = counts.sum()
    if total:
        ax.set_title(f"{np.trace(counts) / total:.1%} of {total:g} right", fontsize="medium")
    return ax


def plot_attention(
    weights: Any,
    queries: Sequence[Any] | None = None,
    keys: Sequence[Any] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how much each query (rows) attends to each key (columns).

    Args:
        weights: one attention map (L, S). Of several heads, choose one or average them first.
        queries: what the L rows stand for; numbers if None.
        keys: what the S columns stand for; ``queries`` if None and L = S.
        ax: axes to draw into; new ones if None.

    Raises:
        ValueError: ``weights`` is not a matrix, or the names are too few or too many.

    >>> ax = plot_attention([[1.0, 0.0], [0.5, 0.5]], ["the", "cat"])
    >>> [label.get_text() for label in ax.get_xticklabels()]
    ['the', 'cat']
    """
    import numpy as np

    shares = np.asarray(_plain(weights), dtype=np.float64)
    if shares.ndim != 2 or not shares.size:
        hint = "; choose a head, weights[0], or average, weights.mean(0)" if shares.ndim > 2 else ""
        raise ValueError(f"plot_attention: expected weights (L, S), got shape {shares.shape}{hint}")
    if keys is None and queries is not None and shares.shape[0] == shares.shape[1]:
        keys = queries
    rows = _names("plot_attention", "queries", queries, shares.shape[0])
    columns = _names("plot_attention", "keys", keys, shares.shape[1])
    ax = axes(ax)
    image = _shade(ax, shares, rows, columns)
    ax.set_xlabel("key")
    ax.set_ylabel("query")
    ax.figure.colorbar(image, ax=ax, label="attention", shrink=0.8)
    return ax


def _names(where: str, what: str, names: Sequence[Any] | None, n: int) -> list[str]:
    if names is None:
        return [str(i) for i in range(n)]
    if len(names) != n:
        raise ValueError(f"{where}: expected {n} {what}, got {len(names)}")
    return [str(name) for name in names]


def _shade(ax: Axes, shares: Floats, rows: list[str], columns: list[str]) -> Any:
    """Shares from white (0) to dark blue (1), in squares, with names; many names are thinned."""
    image = ax.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
    for axis, names in ((ax.yaxis, rows), (ax.xaxis, columns)):
        every = -(-len(names) // 40)
        axis.set_ticks(range(0, len(names), every), labels=names[::every])
    if max(map(len, columns)) > 3 and len(columns) > 4:
        ax.tick_params(axis="x", rotation=90)
    return image
