"""Small nets as neurons and weighted connections: width says how much, colour which way."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..tensor.files import write_whole
from .style import FAINT, INK, PAGE
from .svg import media
from .words import many, number, visible

MOST = 16  # neurons of a layer that are drawn; of more, the first and the last
WIDTH, ACROSS, DOWN, RADIUS = 7.0, 150.0, 44.0, 15.0
POSITIVE, NEGATIVE = "#c26a00", "#0072b2"  # as everywhere here: orange above zero, blue below


@dataclass(frozen=True, slots=True)
class Dense:
    """One layer: ``weights[i][j]`` from input j to neuron i, and a bias each, or none."""

    weights: tuple[tuple[float, ...], ...]
    biases: tuple[float, ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True)
class Network:
    """The numbers of a net as they were when it was read."""

    layers: tuple[Dense, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many inputs, and neurons of each layer."""
        return (len(self.layers[0].weights[0]), *(len(layer.weights) for layer in self.layers))

    @property
    def largest(self) -> float:
        """The largest magnitude of a weight: what the widest line stands for."""
        return max(abs(w) for layer in self.layers for row in layer.weights for w in row) or 1.0


def network(model: Any) -> Network:
    """Read the dense layers of a net, in order.

    Args:
        model: a net of Values, as micrograd's (``layers`` of ``neurons`` with ``w`` and ``b``), or
            a module whose ``Linear`` layers follow one another.

    Raises:
        TypeError: it has no dense layers.
        ValueError: one layer does not take what the one before gives.

    >>> from gradling import nn
    >>> network(nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))).sizes
    (2, 3, 1)
    """
    layers = tuple(_layers(model))
    if not layers:
        raise TypeError(
            f"network: {type(model).__name__} has no dense layers: neither Linear modules nor "
            "layers of neurons"
        )
    for before, after in zip(layers, layers[1:], strict=False):
        if len(before.weights) != len(after.weights[0]):
            raise ValueError(
                f"network: {after.name or 'a layer'} takes {len(after.weights[0])} inputs, but "
                f"{before.name or 'the layer before'} has {len(before.weights)} neurons; draw the "
                "layers that follow one another, in an nn.Sequential of their own"
            )
    return Network(layers)


def _layers(model: Any) -> Iterator[Dense]:
    if hasattr(model, "named_modules"):
        for name, module in model.named_modules():
            weight: Any = getattr(module, "weight", None)
            if hasattr(module, "in_features") and len(getattr(weight, "shape", ())) == 2:
                bias = getattr(module, "bias", None)
                yield Dense(
                    tuple(tuple(map(float, row)) for row in weight.detach().numpy()),
                    () if bias is None else tuple(map(float, bias.detach().numpy())),
                    name,
                )
        return
    layers = getattr(model, "layers", None) or ([model] if hasattr(model, "neurons") else [])
    for at, layer in enumerate(layers):
        neurons = getattr(layer, "neurons", ())
        if neurons:
            yield Dense(
                tuple(tuple(float(w.data) for w in neuron.w) for neuron in neurons),
                tuple(float(neuron.b.data) for neuron in neurons),
                f"layers.{at}",
            )


def seats(size: int, most: int = MOST) -> list[int | None]:
    """Which neurons of a layer are drawn, from the top; None is the gap that stands for the rest.

    >>> seats(3), seats(10, most=5)
    ([0, 1, 2], [0, 1, 2, None, 8, 9])
    """
    if size <= most:
        return list(range(size))
    last = most // 2
    return [*range(most - last), None, *range(size - last, size)]


@dataclass(frozen=True)
class NetworkDrawing:
    """A picture of a net: shows itself in notebooks, saves as svg, png, pdf or jpg."""

    network: Network
    names: tuple[str, ...] = ()
    title: str = ""

    def svg(self) -> str:
        """The picture as SVG; equal nets give equal bytes."""
        return "\n".join([*_svg(self), ""])

    def _repr_svg_(self) -> str:
        return self.svg()

    def __str__(self) -> str:
        return caption(self.network)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture: ``.svg`` by itself, other formats through matplotlib."""
        path = Path(path)
        if path.suffix.lower() == ".svg":
            return write_whole(path, self.svg())
        from .network_plot import picture_file

        return write_whole(path, picture_file(self, path.suffix.lower().lstrip(".")))


def draw_network(model: Any, *, names: Sequence[str] = (), title: str = "") -> NetworkDrawing:
    """A small net as neurons and weighted connections.

    A connection is the wider the larger its weight, orange where positive, blue and dashed where
    negative; the number in a neuron is its bias.

    Args:
        model: as for ``network``, or what that gave.
        names: of the inputs, then of the outputs, as far as there are any.
        title: a line above the picture.

    >>> from gradling.nn import MLP
    >>> print(draw_network(MLP(2, [4, 1])))
    a net of 2, 4 and 1 neurons: 12 weights, 5 biases
    """
    found = model if isinstance(model, Network) else network(model)
    return NetworkDrawing(found, tuple(map(str, names)), title)


def caption(net: Network) -> str:
    """Sizes and counts in words."""
    sizes = [str(size) for size in net.sizes]
    weights = sum(len(layer.weights) * len(layer.weights[0]) for layer in net.layers)
    biases = sum(len(layer.biases) for layer in net.layers)
    hidden = sum(max(0, size - MOST) for size in net.sizes)
    text = f"a net of {', '.join(sizes[:-1])} and {sizes[-1]} neurons: {many(weights, 'weight')}"
    text += f", {biases} bias{'es' * (biases != 1)}"
    return text + (f"; {many(hidden, 'neuron')} not shown" if hidden else "")


def places(net: Network) -> list[dict[int | None, tuple[float, float]]]:
    """Where the neurons of each layer stand; layers are centred beside each other."""
    rows = [seats(size) for size in net.sizes]
    tallest = max(map(len, rows))
    return [
        {
            seat: (70 + ACROSS * column, 30 + DOWN * (at + (tallest - len(row)) / 2) + RADIUS)
            for at, seat in enumerate(row)
        }
        for column, row in enumerate(rows)
    ]


def links(net: Network) -> Iterator[tuple[int, int, int, float]]:
    """(layer, input, neuron, weight) of all connections between neurons that are shown, thin first:
    the heavy ones are drawn over them."""
    found = []
    shown = [{seat for seat in seats(size) if seat is not None} for size in net.sizes]
    for at, layer in enumerate(net.layers):
        for i, row in enumerate(layer.weights):
            if i in shown[at + 1]:
                found += [(at, j, i, w) for j, w in enumerate(row) if j in shown[at]]
    return iter(sorted(found, key=lambda link: abs(link[3])))


def name_of(drawing: NetworkDrawing, layer: int, seat: int) -> str:
    """The name of an input or an output, if it was given one."""
    sizes = drawing.network.sizes
    at = seat if layer == 0 else sizes[0] + seat if layer == len(sizes) - 1 else len(drawing.names)
    return drawing.names[at] if at < len(drawing.names) else ""


def _svg(drawing: NetworkDrawing) -> Iterator[str]:
    net, where = drawing.network, places(drawing.network)
    width = 140 + ACROSS * len(net.layers)
    height = max(y for column in where for _, y in column.values()) + RADIUS + 62
    said = _escaped(caption(net))
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="gradling" role="img" width="{width:g}" '
        f'height="{height:g}" viewBox="0 0 {width:g} {height:g}" font-size="11" '
        'font-family="Helvetica, Arial, \'Liberation Sans\', sans-serif" text-anchor="middle">'
    )
    yield f"<title>{_escaped(drawing.title) or said}</title><desc>{said}</desc>"
    yield f"<style>{media({POSITIVE: '#e69f00', NEGATIVE: '#56b4e9'})}</style>"
    yield f'<rect width="{width:g}" height="{height:g}" fill="{PAGE}"/>'
    if drawing.title:
        words = _escaped(drawing.title)
        yield f'<text x="{width / 2:g}" y="18" font-size="14" fill="{INK}">{words}</text>'
    for layer, source, target, weight in links(net):
        (x, y), (u, v) = where[layer][source], where[layer + 1][target]
        color = POSITIVE if weight >= 0 else NEGATIVE
        dash = "" if weight >= 0 else ' stroke-dasharray="7 3"'
        thick = max(0.3, WIDTH * abs(weight) / net.largest)
        yield (
            f'<path d="M{x:g} {y:g}L{u:g} {v:g}" stroke="{color}" stroke-width="{thick:.2f}"{dash}'
            f' stroke-opacity=".8"><title>{number(weight)}</title></path>'
        )
    yield from _neurons(drawing, where)
    at = height - 26
    for x, color, dash, words in (
        (20, POSITIVE, "", f"positive, widest {number(net.largest, 3)}"),
        (190, NEGATIVE, ' stroke-dasharray="7 3"', "negative"),
    ):
        yield f'<path d="M{x} {at:g}h26" stroke="{color}" stroke-width="4"{dash}/>'
        yield f'<text x="{x + 32}" y="{at + 4:g}" text-anchor="start" fill="{FAINT}">{words}</text>'
    yield f'<text x="20" y="{height - 6:g}" text-anchor="start" fill="{FAINT}">{said}</text>'
    yield "</svg>"


def _neurons(
    drawing: NetworkDrawing, where: list[dict[int | None, tuple[float, float]]]
) -> Iterator[str]:
    net = drawing.network
    for column, spots in enumerate(where):
        biases = net.layers[column - 1].biases if column else ()
        for seat, (x, y) in spots.items():
            if seat is None:
                yield f'<text x="{x:g}" y="{y + 5:g}" font-size="16" fill="{FAINT}">⋮</text>'
                continue
            line = "#0072b2" if column == 0 else "#57606a"
            fill = "#d9eaf7" if column == 0 else "#e8ebee"
            yield (
                f'<circle cx="{x:g}" cy="{y:g}" r="{RADIUS:g}" fill="{fill}" stroke="{line}" '
                'stroke-width="1.5"/>'
            )
            bias = number(biases[seat], 2) if biases else ""
            if bias:
                yield f'<text x="{x:g}" y="{y + 3:g}" font-size="9" fill="{INK}">{bias}</text>'
            if name := name_of(drawing, column, seat):
                side, end = (-1, "end") if column == 0 else (1, "start")
                yield (
                    f'<text x="{x + side * (RADIUS + 6):g}" y="{y + 4:g}" text-anchor="{end}" '
                    f'fill="{INK}">{_escaped(visible(name, 9))}</text>'
                )


def _escaped(words: str) -> str:
    text = visible(words, 120)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
