"""Nets as neurons and weights: every connection once, width and colour from its weight."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradling import nn
from gradling.nn import MLP
from gradling.viz import animate_network, draw_network, network, plot_network
from gradling.viz.network import MOST, NEGATIVE, POSITIVE, WIDTH, Dense, Network, seats


def paths(svg):
    root = ElementTree.fromstring(svg)
    return [one for one in root if one.tag.endswith("path") and len(one)]


def test_a_net_of_values_and_its_twin_of_tensors_draw_alike():
    scalar = MLP(2, [4, 4, 1], seed=3)
    assert draw_network(scalar.to_tensor()).svg() == draw_network(scalar).svg()


WEIGHT = st.floats(-5, 5).filter(lambda w: w == 0 or abs(w) > 1e-3)


@given(st.lists(st.lists(WEIGHT, min_size=3, max_size=3), min_size=1, max_size=5))
def test_every_connection_is_drawn_once_by_its_weight(rows):
    net = Network((Dense(tuple(map(tuple, rows))),))
    drawn = paths(draw_network(net).svg())
    weights = sorted((w for row in rows for w in row), key=abs)
    assert len(drawn) == len(weights)
    for path, weight in zip(drawn, weights, strict=True):
        assert path.get("stroke") == (POSITIVE if weight >= 0 else NEGATIVE)
        assert (path.get("stroke-dasharray") is None) == (weight >= 0)
        width = max(0.3, WIDTH * abs(weight) / net.largest)
        assert float(path.get("stroke-width")) == pytest.approx(width, abs=0.01)


@given(st.integers(1, 200))
def test_large_layers_show_their_ends(size):
    found = seats(size)
    shown = [seat for seat in found if seat is not None]
    assert len(shown) == min(size, MOST) and shown[-1] == size - 1
    assert (None in found) == (size > MOST)


def test_what_is_not_shown_is_said():
    drawing = draw_network(nn.Sequential(nn.Linear(2, 100), nn.ReLU(), nn.Linear(100, 1)))
    assert "84 neurons not shown" in drawing.svg() and "⋮" in drawing.svg()


@given(st.text(max_size=12))
def test_names_stay_texts(name):
    svg = draw_network(MLP(2, [1]), names=[name, "b", "out"], title=name).svg()
    assert len(paths(svg)) == 2
    assert "out" in svg


def test_nets_that_are_no_chain_are_refused():
    class Forked(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(3, 4), nn.Linear(3, 4)

    with pytest.raises(ValueError, match="b takes 3 inputs, but a has 4 neurons"):
        draw_network(Forked())
    with pytest.raises(TypeError, match="ReLU has no dense layers"):
        draw_network(nn.ReLU())


def test_it_saves_as_vector_and_bitmap(tmp_path):
    drawing = draw_network(MLP(2, [3, 1]))
    assert drawing.save(tmp_path / "net.svg").read_text() == drawing.svg()
    assert drawing.save(tmp_path / "net.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="cannot save .xyz"):
        drawing.save(tmp_path / "net.xyz")
    assert "prefers-color-scheme:dark" in drawing._repr_svg_()
    assert "<title>a net of 2, 3 and 1 neurons: 9 weights, 4 biases</title>" in drawing.svg()


def test_training_becomes_a_gif_with_a_frame_each(tmp_path):
    from PIL import Image

    model, frames = MLP(2, [3, 1]), []
    for _ in range(3):
        for p in model.parameters():
            p.data += 0.1
        frames.append(network(model))
    path = animate_network(frames, tmp_path / "net.gif", titles=["a", "b", "c"])
    with Image.open(path) as picture:
        assert picture.n_frames == 3
    assert len(plot_network(model).lines) == 9


@pytest.mark.parametrize(
    ("frames", "options", "match"),
    [
        ([], {}, "there is no frame"),
        ([MLP(2, [1]), MLP(3, [1])], {}, "several sizes"),
        ([MLP(2, [1])], {"titles": []}, "expected 1 titles, got 0"),
        ([MLP(2, [1])], {"seconds": 0}, "seconds > 0"),
    ],
)
def test_frames_that_make_no_film_are_refused(frames, options, match, tmp_path):
    with pytest.raises(ValueError, match=match):
        animate_network(frames, tmp_path / "net.gif", **options)
    with pytest.raises(ValueError, match="expected a .gif file"):
        animate_network(frames, tmp_path / "net.png", **options)
