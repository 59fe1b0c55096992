"""A decision boundary while it is learnt, as an animated GIF."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..tensor.files import write_whole
from .boundary import plot_boundary, scores_on_grid
from .curves import pyplot

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def frozen_boundary(model: Any, X: Any, resolution: int = 80) -> Callable[[Any], Any]:
    """What ``model`` says now, on the grid of points that ``plot_boundary`` draws around ``X``.

    A function of that grid, to be drawn later by ``plot_boundary`` or ``animate_boundary`` with
    the same ``X`` and ``resolution``, however the model has changed since.
    """
    _, _, scores, _ = scores_on_grid(model, X, resolution)
    kept = scores.reshape(resolution * resolution, -1)
    return lambda grid: kept


def animate_boundary(
    frames: Sequence[Any],
    X: Any,
    y: Any,
    path: str | os.PathLike[str],
    *,
    titles: Sequence[str] | None = None,
    seconds: float = 0.15,
    threshold: float = 0.0,
    resolution: int = 80,
    ax: Axes | None = None,
) -> Axes:
    """Write one picture of the boundary after the other as an animated GIF, whole or not at all.

    Args:
        frames: models or functions, as for ``plot_boundary``; of one model at several times, what
            ``frozen_boundary`` gave (``gradling.train.RecordBoundary`` collects these).
        X, y, threshold, resolution: as for ``plot_boundary``.
        path: the file, ending in ``.gif``.
        titles: one a frame, or None.
        seconds: how long each frame stays; the last stays ten times as long.
        ax: axes to draw into, alone on their figure; new ones if None.

    Returns:
        The axes, with the last frame.

    Raises:
        ValueError: another suffix, no frame, or not one title a frame.
        FileNotFoundError: the folder does not exist.
    """
    if Path(path).suffix.lower() != ".gif":
        raise ValueError(f"animate_boundary: expected a .gif file, got {os.fspath(path)!r}")
    if not frames:
        raise ValueError("animate_boundary: there is no frame; train with RecordBoundary first")
    if titles is not None and len(titles) != len(frames):
        raise ValueError(f"animate_boundary: expected {len(frames)} titles, got {len(titles)}")
    if not seconds > 0:
        raise ValueError(f"animate_boundary: expected seconds > 0, got {seconds}")
    if ax is None:
        ax = pyplot().subplots(figsize=(4.8, 4.2), dpi=80, layout="constrained")[1]
    shown = ax

    def show(place: int) -> None:
        shown.clear()
        plot_boundary(frames[place], X, y, shown, threshold=threshold, resolution=resolution)
        if titles is not None:
            shown.set_title(titles[place])

    write_whole(path, gif(ax, len(frames), show, seconds))
    return ax


def gif(ax: Axes, count: int, show: Callable[[int], None], seconds: float) -> bytes:
    """An animated GIF of what ``show(0)``, ``show(1)``, … draw on the figure of ``ax``.

    Each picture stays for ``seconds``, the last ten times as long.
    """
    pictures = []
    for place in range(count):
        show(place)
        pictures.append(_picture(ax))
    stay = [round(1000 * seconds)] * (count - 1) + [round(10_000 * seconds)]
    buffer = io.BytesIO()
    pictures[0].save(
        buffer, format="GIF", save_all=True, append_images=pictures[1:], duration=stay, loop=0
    )
    return buffer.getvalue()


def _picture(ax: Axes) -> Any:
    """The figure as a Pillow image of 256 colours."""
    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    canvas: Any = FigureCanvasAgg(ax.get_figure(root=True))  # whatever canvas it is shown on
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy()).quantize()
