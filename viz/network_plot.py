"""Nets as neurons and weights on matplotlib's axes, and over training as an animated GIF."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..tensor.files import write_whole
from .animate import gif
from .curves import axes, pyplot
from .network import (
    NEGATIVE,
    POSITIVE,
    RADIUS,
    WIDTH,
    Network,
    NetworkDrawing,
    caption,
    draw_network,
    links,
    name_of,
    network,
    places,
)
from .words import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_network(model: Any, ax: Axes | None = None, *, widest: float | None = None) -> Axes:
    """Draw a small net as neurons and weighted connections.

    Args:
        model: a net, what ``network`` or ``draw_network`` gave of one.
        ax: axes to draw into; new ones if None.
        widest: the weight of the widest line; the largest of all if None.

    >>> from gradling.nn import MLP
    >>> len(plot_network(MLP(2, [4, 1])).lines)
    12
    """
    drawing = model if isinstance(model, NetworkDrawing) else draw_network(model)
    ax, net = axes(ax), drawing.network
    where, largest = places(net), widest or net.largest
    for layer, source, target, weight in links(net):
        (x, y), (u, v) = where[layer][source], where[layer + 1][target]
        ax.plot(
            [x, u], [-y, -v], color=POSITIVE if weight >= 0 else NEGATIVE, alpha=0.8,
            linewidth=max(0.2, 0.8 * WIDTH * abs(weight) / largest),
            linestyle="-" if weight >= 0 else (0, (4, 1)), zorder=1,
        )  # fmt: skip
    for column, spots in enumerate(where):
        biases = net.layers[column - 1].biases if column else ()
        for seat, (x, y) in spots.items():
            if seat is None:
                ax.text(x, -y, "⋮", ha="center", va="center")
                continue
            _neuron(ax, x, -y, column == 0, number(biases[seat], 2) if biases else "")
            if name := name_of(drawing, column, seat):
                side = -1 if column == 0 else 1
                align = "right" if column == 0 else "left"
                ax.text(x + side * (RADIUS + 6), -y, name, ha=align, va="center", fontsize=9)
    ax.set_aspect("equal")
    ax.set_axis_off()
    ax.set_title(drawing.title or caption(net), fontsize="medium")
    ax.margins(0.12)
    return ax


def _neuron(ax: Axes, x: float, y: float, entry: bool, bias: str) -> None:
    from matplotlib.patches import Circle

    fill, line = ("#d9eaf7", "#0072b2") if entry else ("#e8ebee", "#57606a")
    ax.add_patch(Circle((x, y), RADIUS, facecolor=fill, edgecolor=line, linewidth=1.4, zorder=2))
    ax.text(x, y, bias, ha="center", va="center", fontsize=7, zorder=3)


def animate_network(
    frames: Sequence[Any],
    path: str | os.PathLike[str],
    *,
    titles: Sequence[str] | None = None,
    seconds: float = 0.15,
) -> Path:
    """Write a net over its training as an animated GIF, whole or not at all.

    Args:
        frames: what ``network(model)`` gave after some steps of training; widths are comparable
            from the first frame to the last.
        path: the file, ending in ``.gif``.
        titles: one a frame, or None.
        seconds: how long each frame stays; the last stays ten times as long.

    Raises:
        ValueError: another suffix, no frame, frames of different nets, or not one title a frame.
    """
    nets = [frame if isinstance(frame, Network) else network(frame) for frame in frames]
    if Path(path).suffix.lower() != ".gif":
        raise ValueError(f"animate_network: expected a .gif file, got {os.fspath(path)!r}")
    if not nets:
        raise ValueError("animate_network: there is no frame; collect network(model) in training")
    if len({net.sizes for net in nets}) > 1:
        raise ValueError("animate_network: expected frames of one net, got several sizes")
    if titles is not None and len(titles) != len(nets):
        raise ValueError(f"animate_network: expected {len(nets)} titles, got {len(titles)}")
    if not seconds > 0:
        raise ValueError(f"animate_network: expected seconds > 0, got {seconds}")
    ax = pyplot().subplots(figsize=_size(nets[0]), dpi=80, layout="constrained")[1]
    widest = max(net.largest for net in nets)

    def show(place: int) -> None:
        ax.clear()
        plot_network(nets[place], ax, widest=widest)
        if titles is not None:
            ax.set_title(titles[place])

    try:
        return write_whole(path, gif(ax, len(nets), show, seconds))
    finally:
        pyplot().close(ax.get_figure(root=True))


def _size(net: Network) -> tuple[float, float]:
    """Inches that let the neurons be as large as their numbers need."""
    where = places(net)
    across = 1.6 * len(where) + 1
    down = 0.5 * max(map(len, where)) + 1.2
    return across, down


def picture_file(drawing: NetworkDrawing, form: str) -> bytes:
    """The bytes of a png, pdf or jpg.

    Raises:
        ValueError: matplotlib does not write this format.
    """
    figure, ax = pyplot().subplots(figsize=_size(drawing.network), layout="constrained")
    try:
        known = figure.canvas.get_supported_filetypes()
        if form not in known:
            raise ValueError(f"cannot save .{form}: expected .svg, .{', .'.join(sorted(known))}")
        plot_network(drawing, ax)
        buffer = io.BytesIO()
        figure.savefig(buffer, format=form, dpi=144)
        return buffer.getvalue()
    finally:
        pyplot().close(figure)
