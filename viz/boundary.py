"""What a classifier of two features says where: its decision boundary."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..engine import no_grad
from .curves import COLORS, axes

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from matplotlib.axes import Axes

    Floats = npt.NDArray[np.float64]

_MARKERS = "os^DvP*X"
FINE, COARSE = 200, 50  # points per side: one array call, or a call of a net of Values per point


def plot_boundary(
    model: Any,
    X: Any,
    y: Any,
    ax: Axes | None = None,
    *,
    threshold: float = 0.0,
    resolution: int | None = None,
) -> Axes:
    """Draw the data and, behind them, what ``model`` says at every point of the plane.

    Args:
        model: a module on Tensors; a module on Values, called with one point ``[x0, x1]``; or any
            function of an (N, 2) array. Its scores may be (N,) or (N, 1), where a score above
            ``threshold`` means the larger class, or (N, C), where the largest score wins.
        X: the points, (N, 2).
        y: their classes, (N,) or (N, 1).
        ax: axes to draw into; new ones if None.
        threshold: where a single score changes sides: 0 for scores, 0.5 for probabilities.
        resolution: points per side of the grid; None takes 200, or 50 for a module on Values.

    Modules are evaluated in eval mode without recording, and left in the modes they were in.

    Raises:
        ValueError: a shape is not as above.

    >>> import numpy as np
    >>> X = np.array([[0.0, 0.0], [1.0, 1.0]])
    >>> ax = plot_boundary(lambda p: p.sum(axis=1) - 1.0, X, [0, 1])
    >>> ax.get_xlabel()
    'x0'
    """
    import numpy as np

    labels = np.asarray(_plain(y))
    x0, x1, scores, points = scores_on_grid(model, X, resolution, labels.shape)
    ax = axes(ax)
    if scores.ndim == 2:
        _shade_score(ax, x0, x1, scores - threshold)
    else:
        _shade_classes(ax, x0, x1, scores.argmax(axis=2))
    _scatter(ax, points, labels.reshape(-1))
    ax.set_xlabel("x0")
    ax.set_ylabel("x1")
    return ax


def scores_on_grid(
    model: Any, X: Any, resolution: int | None = None, labels: tuple[int, ...] | None = None
) -> tuple[Floats, Floats, Floats, Floats]:
    """The two axes of a grid around ``X``, the model's scores on it, and ``X`` as an array."""
    import numpy as np

    points = np.asarray(_plain(X), dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise ValueError(f"X: expected points of shape (N, 2) with N > 0, got {points.shape}")
    if labels is not None and labels not in ((len(points),), (len(points), 1)):
        raise ValueError(f"y: expected {len(points)} classes, one per point, got {labels}")
    score, per_point = _scorer(model)
    side = resolution or (COARSE if per_point else FINE)
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.15 * np.where(high > low, high - low, 1.0)
    x0, x1 = (np.linspace(a, b, side) for a, b in zip(low - margin, high + margin, strict=True))
    grid = np.stack([axis.ravel() for axis in np.meshgrid(x0, x1)], axis=1)
    return x0, x1, _checked(score(grid), side), points


def _scorer(model: Any) -> tuple[Callable[[Floats], Any], bool]:
    """A function from a grid of points to scores, and whether it goes point by point."""
    if not hasattr(model, "parameters"):
        return model, False
    first = next(iter(model.parameters()), None)
    if hasattr(first, "_grad"):  # a net of Values
        return lambda grid: _one_by_one(model, grid), True
    return lambda grid: _at_once(model, grid, first), False


def _one_by_one(model: Any, grid: Floats) -> list[list[float]]:
    with no_grad(), _evaluating(model):
        outputs = (model([float(a), float(b)]) for a, b in grid)
        rows = [out if isinstance(out, list | tuple) else [out] for out in outputs]
        return [[float(score) for score in row] for row in rows]


def _at_once(model: Any, grid: Floats, parameter: Any) -> Any:
    from ..tensor.creation import tensor

    with no_grad(), _evaluating(model):
        dtype = getattr(parameter, "dtype", None)
        return model(tensor(grid, dtype=dtype))


@contextmanager
def _evaluating(model: Any) -> Iterator[None]:
    """Eval mode for the model and all in it; afterwards each is in its own mode again."""
    modules = list(model.modules()) if hasattr(model, "modules") else []
    modes = [(module, module.training) for module in modules if hasattr(module, "training")]
    for module, _ in modes:
        module.training = False
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def _checked(scores: Any, side: int) -> Floats:
    """Scores on the grid: (side, side), or (side, side, C)."""
    import numpy as np

    array = np.asarray(_plain(scores), dtype=np.float64)
    if array.shape in ((side * side,), (side * side, 1)):
        return array.reshape(side, side)
    if array.ndim == 2 and len(array) == side * side:
        return array.reshape(side, side, -1)
    raise ValueError(
        f"the model's scores at {side * side} points: expected shape ({side * side},) or "
        f"({side * side}, C), got {array.shape}"
    )


def _plain(values: Any) -> Any:
    """Arrays of Tensors, floats of Values."""
    if hasattr(values, "_data"):
        return values._data
    if isinstance(values, list | tuple):
        return [_plain(value) for value in values]
    return values.data if hasattr(values, "_grad") else values


def _shade_score(ax: Axes, x0: Floats, x1: Floats, scores: Floats) -> None:
    """Blue below zero, orange above, deeper where the score is larger; a line at zero."""
    import numpy as np
    from matplotlib.colors import LinearSegmentedColormap

    finite = np.abs(scores[np.isfinite(scores)])
    limit = float(np.quantile(finite, 0.95)) if finite.size else 1.0
    colors = LinearSegmentedColormap.from_list("sides", ["#3a8fc4", "#f7f7f7", "#eab040"])
    limit = limit or 1.0
    shown = np.clip(np.ma.masked_invalid(scores), -limit, limit)
    ax.pcolormesh(x0, x1, shown, cmap=colors, vmin=-limit, vmax=limit, rasterized=True)
    if finite.size and scores[np.isfinite(scores)].min() < 0 < scores[np.isfinite(scores)].max():
        ax.contour(x0, x1, shown, levels=[0.0], colors="#1c2128", linewidths=1.5)


def _shade_classes(ax: Axes, x0: Floats, x1: Floats, winners: npt.NDArray[np.int64]) -> None:
    """A tint per class, lines between them."""
    from matplotlib.colors import ListedColormap, to_rgb

    count = int(winners.max()) + 1
    tints = [
        tuple(0.55 + 0.45 * channel for channel in to_rgb(COLORS[at % len(COLORS)]))
        for at in range(count)
    ]
    ax.pcolormesh(
        x0, x1, winners, cmap=ListedColormap(tints), vmin=-0.5, vmax=count - 0.5, rasterized=True
    )
    for at in range(count):
        mask = winners == at
        if mask.any() and not mask.all():
            ax.contour(x0, x1, mask.astype(float), levels=[0.5], colors="#1c2128", linewidths=0.8)


def _scatter(ax: Axes, points: Floats, labels: npt.NDArray[Any]) -> None:
    import numpy as np

    for place, label in enumerate(np.unique(labels)):
        chosen = points[labels == label]
        ax.scatter(
            chosen[:, 0],
            chosen[:, 1],
            s=22,
            marker=_MARKERS[place % len(_MARKERS)],
            color=COLORS[place % len(COLORS)],
            edgecolors="#1c2128",
            linewidths=0.6,
            label=f"class {label}",
        )
    # a place of its own: to search for the best one is slow, and warns of it on slow machines
    ax.legend(loc="upper right", frameon=True, framealpha=0.9, fontsize="small")
