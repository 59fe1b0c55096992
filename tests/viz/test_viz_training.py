"""Pictures of training: what is drawn is what was given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import gradling
from gradling import nn, viz
from gradling.optim import SGD
from gradling.optim import lr_scheduler as schedules
from gradling.train import LRFinderResult

matplotlib = pytest.importorskip("matplotlib", reason="the plots are an extra: gradling[plot]")
matplotlib.use("Agg")

from matplotlib import pyplot  # noqa: E402

X = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
XOR = np.array([0, 1, 1, 0])


def optimizer(groups: int = 1) -> SGD:
    return SGD([{"params": [gradling.ones(1, requires_grad=True)]} for _ in range(groups)], lr=0.1)


def test_a_schedule_is_drawn_without_being_stepped():
    schedule = schedules.StepLR(optimizer(), 2, 0.1)
    ax = viz.plot_schedule(schedule, 5)
    assert ax.lines[0].get_xdata().tolist() == [0, 1, 2, 3, 4]
    assert ax.lines[0].get_ydata() == pytest.approx([0.1, 0.1, 0.01, 0.01, 0.001])
    assert schedule.last_epoch == 0 and schedule.optimizer.param_groups[0]["lr"] == 0.1


def test_the_drawn_schedule_is_the_one_that_training_follows():
    schedule = schedules.OneCycleLR(optimizer(), 0.5, 20)
    drawn = viz.plot_schedule(schedule, 20).lines[0].get_ydata()
    taken = []
    for _ in range(20):
        taken.append(schedule.optimizer.param_groups[0]["lr"])
        schedule.optimizer.step()
        schedule.step() if len(taken) < 20 else None
    assert drawn == pytest.approx(taken)


def test_schedules_are_compared_in_one_picture():
    ax = viz.plot_schedule(lambda step: 1.0 / (1 + step), 3, label="slow")
    assert viz.plot_schedule(schedules.ExponentialLR(optimizer(2), 0.5), 3, ax) is ax
    labels = [line.get_label() for line in ax.lines]
    assert labels == ["slow", "ExponentialLR", "ExponentialLR, group 1"]
    assert len({(line.get_color(), line.get_linestyle()) for line in ax.lines}) == 3


def test_the_rate_finder_marks_its_suggestion():
    rates = np.geomspace(1e-6, 10, 60)
    losses = 2.0 - 1.5 / (1 + (1e-3 / rates) ** 2)
    result = LRFinderResult(rates.tolist(), losses.tolist())
    ax = viz.plot_lr_find(result)
    raw, smoothed, mark, dot = ax.lines
    assert raw.get_xdata() == pytest.approx(rates) and raw.get_ydata() == pytest.approx(losses)
    assert list(smoothed.get_ydata()) == result.smoothed
    assert mark.get_xdata()[0] == dot.get_xdata()[0] == result.suggestion
    assert 3e-4 < result.suggestion < 3e-3  # the loss falls fastest at 1e-3


def test_a_rate_finder_without_a_suggestion_is_drawn_too():
    result = LRFinderResult([1e-3, 1e-2, 1e-1, 1.0, 10.0], [1.0, 2.0, 3.0, 4.0, 5.0])
    assert result.suggestion is None
    assert len(viz.plot_lr_find(result).lines) == 2


def test_a_confusion_matrix_has_its_counts_and_shares():
    ax = viz.plot_confusion(gradling.tensor([[3, 1], [0, 0]]), ["cat", "dog"])
    assert [t.get_text() for t in ax.texts] == ["3", "1", "0", "0"]
    assert [t.get_position() for t in ax.texts] == [(0, 0), (1, 0), (0, 1), (1, 1)]
    assert ax.images[0].get_array().tolist() == [[0.75, 0.25], [0.0, 0.0]]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["cat", "dog"]
    assert ax.get_title() == "75.0% of 4 right"


def test_attention_is_drawn_row_by_row_with_its_names():
    weights = np.array([[0.2, 0.8, 0.0], [1.0, 0.0, 0.0]])
    ax = viz.plot_attention(weights, ["it", "is"], ["a", "b", "c"])
    assert (ax.images[0].get_array() == weights).all()
    assert [t.get_text() for t in ax.get_yticklabels()] == ["it", "is"]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["a", "b", "c"]


@pytest.mark.parametrize("shape", [(3, 4, 5), (3, 1, 4, 5), (3, 3, 4, 5), (3, 4, 5, 3)])
def test_images_keep_pixels_and_places(shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    ax = viz.plot_images(pixels, ["a", "b", "c"], columns=2)
    first = pixels[0]
    if shape[1] in (1, 3):
        first = np.moveaxis(first, 0, -1).squeeze()
    assert np.asarray(ax.images[0].get_array()) == pytest.approx(first / 255)
    corners = [image.get_extent()[::3] for image in ax.images]  # left, top
    assert corners[0][1] == corners[1][1] > corners[2][1]
    assert corners[0][0] == corners[2][0] < corners[1][0]
    assert [t.get_text() for t in ax.texts] == ["a", "b", "c"]


def test_normalised_images_are_stretched_alike():
    ax = viz.plot_images(np.array([[[-1.0, 3.0]], [[1.0, 1.0]]]))
    assert [np.asarray(i.get_array()).tolist() for i in ax.images] == [[[0, 1]], [[0.5, 0.5]]]


def test_filters_are_on_one_scale_around_zero():
    weight = np.random.default_rng(0).standard_normal((2, 4, 3, 3))
    ax = viz.plot_filters(weight)
    assert len(ax.images) == 8
    assert (np.asarray(ax.images[5].get_array()) == weight[1, 1]).all()
    limit = np.abs(weight).max()
    assert {image.get_clim() for image in ax.images} == {(-limit, limit)}
    assert len(viz.plot_filters(nn.Conv2d(3, 5, 3)).images) == 5
    assert len(viz.plot_filters(nn.Conv1d(1, 6, 3)).images) == 6


def test_gradient_flow_has_the_gradients_and_marks_dead_ones():
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1), nn.Linear(1, 1))
    model[0].weight.grad = gradling.tensor([[1.0, -3.0]] * 3)
    model[0].bias.grad = gradling.zeros(3)
    model[1].weight.grad = gradling.tensor([[0.5, 0.5, float("nan")]])
    model[1].bias.grad = gradling.tensor([0.25])
    ax = viz.plot_gradient_flow(model)
    heights = [bar.get_height() for bar in ax.patches if bar.get_width() in (0.8, 0.5)]
    assert heights[:4] == [3.0, 0.0, 0.0, 0.25] and heights[6:10] == [2.0, 0.0, 0.0, 0.25]
    marks = {round(t.get_position()[0]): t.get_text() for t in ax.texts}
    assert marks == {1: "all zero", 2: "not finite", 4: "no gradient", 5: "no gradient"}
    assert [t.get_text() for t in ax.get_xticklabels()][:2] == ["0.weight", "0.bias"]


def test_gradients_of_values_are_drawn_by_layer():
    model = nn.MLP(2, [3, 1])
    model([1.0, -2.0]).backward()
    ax = viz.plot_gradient_flow(model)
    assert [t.get_text() for t in ax.get_xticklabels()] == ["layers.0", "layers.1"]
    first = [p.grad for name, p in model.named_parameters() if name.startswith("layers.0.")]
    assert ax.patches[0].get_height() == pytest.approx(max(map(abs, first)))


def test_update_ratios_are_drawn_with_gaps_where_they_are_not_positive():
    ax = viz.plot_update_ratios({"w": [1e-2, 0.0, 1e-3], "b": [1e-3, float("nan"), 1.0]})
    w, b, healthy = ax.lines
    assert w.get_ydata()[[0, 2]].tolist() == [1e-2, 1e-3] and np.isnan(w.get_ydata()[1])
    assert np.isnan(b.get_ydata()[1]) and healthy.get_ydata()[0] == 1e-3


RUNS = [
    {"lr": lr, "width": w, "seed": 0, "accuracy": lr + w, "model": lambda p, w=w: p[:, 0] - w / 4}
    for lr in (0.1, 0.2)
    for w in (1, 2, 3)
]


def test_a_grid_puts_every_run_in_its_cell():
    seen = {}
    grid = viz.plot_grid(
        RUNS, rows="lr", columns="width", cell=lambda run, ax: seen.update({ax: run})
    )
    assert grid.shape == (2, 3)
    for i, lr in enumerate((0.1, 0.2)):
        for j, width in enumerate((1, 2, 3)):
            assert (seen[grid[i, j]]["lr"], seen[grid[i, j]]["width"]) == (lr, width)
            assert grid[i, j].get_title() == f"{lr + width:.4g}"
    assert grid[1, 0].get_ylabel() == "lr = 0.2" and grid[1, 2].get_xlabel() == "width = 3"


def test_a_grid_of_boundaries_shows_each_model():
    grid = viz.plot_grid(RUNS, rows="lr", columns="width", cell=viz.boundary_cell(X, XOR))
    for j, width in enumerate((1, 2, 3)):
        mesh = grid[0, j].collections[0]
        row = np.asarray(mesh.get_array())[0]
        at = mesh.get_coordinates()[0, np.argmax(row > 0), 0]  # where the score changes sides
        assert at == pytest.approx(width / 4, abs=0.05)


def test_failed_and_missing_runs_are_told_apart():
    runs = [*RUNS[:4], {"lr": 0.2, "width": 2, "error": "Traceback"}]
    grid = viz.plot_grid(runs, rows="lr", columns="width")
    assert [t.get_text() for t in grid[1, 1].texts] == ["failed"]
    assert [t.get_text() for t in grid[1, 2].texts] == ["no run"]
    assert not grid[0, 0].texts and len(grid[0, 0].images) == 1


def test_plots_draw_into_the_axes_they_are_given():
    _, given = pyplot.subplots(2, 3, squeeze=False)
    assert (viz.plot_grid(RUNS, rows="lr", columns="width", axes=given) == given).all()
    ax = given[0, 0]
    for drawn in (
        viz.plot_confusion(np.eye(2), ax=ax),
        viz.plot_attention(np.eye(2), ax=ax),
        viz.plot_images(np.zeros((1, 2, 2)), ax=ax),
        viz.plot_filters(np.ones((1, 1, 2, 2)), ax),
        viz.plot_update_ratios({"w": [1.0]}, ax),
    ):
        assert drawn is ax


def test_an_animation_has_every_frame(tmp_path: Path):
    from PIL import Image

    models = [lambda p, at=at: p[:, 0] - at for at in (0.2, 0.5, 0.8)]
    path = tmp_path / "boundary.gif"
    ax = viz.animate_boundary(models, X, XOR, path, titles=["a", "b", "c"], seconds=0.2)
    assert ax.get_title() == "c"
    with Image.open(path) as gif:
        assert gif.n_frames == 3
        pictures, stays = [], []
        for frame in range(3):
            gif.seek(frame)
            pictures.append(np.asarray(gif.convert("RGB")).copy())
            stays.append(gif.info["duration"])
    assert stays == [200, 200, 2000]
    assert (pictures[0] != pictures[1]).any() and (pictures[1] != pictures[2]).any()
    assert [p.name for p in tmp_path.iterdir()] == ["boundary.gif"]


def test_a_frozen_boundary_stays_as_it_was():
    shift = [0.25]
    kept = viz.frozen_boundary(lambda p: p[:, 0] - shift[0], X, 30)
    before = np.asarray(viz.plot_boundary(lambda p: p[:, 0] - 0.25, X, XOR, resolution=30)
                        .collections[0].get_array())  # fmt: skip
    shift[0] = 0.75
    after = viz.plot_boundary(kept, X, XOR, resolution=30).collections[0].get_array()
    assert (np.asarray(after) == before).all()


BARE = nn.Linear(1, 1)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: viz.plot_schedule(lambda t: t, 0), ValueError, "at least 1 step"),
        (lambda: viz.plot_schedule(3, 2), TypeError, "got int"),
        (
            lambda: viz.plot_schedule(schedules.ReduceLROnPlateau(optimizer()), 5),
            TypeError,
            'plot the "lr" that training recorded',
        ),
        (lambda: viz.plot_confusion(np.ones((2, 3))), ValueError, r"\(C, C\), got \(2, 3\)"),
        (lambda: viz.plot_confusion(np.eye(2), ["a"]), ValueError, "expected 2 labels, got 1"),
        (lambda: viz.plot_attention(np.ones((4, 2, 2))), ValueError, "choose a head"),
        (lambda: viz.plot_attention(np.eye(2), ["a"]), ValueError, "2 queries, got 1"),
        (lambda: viz.plot_images(np.ones((4, 4))), ValueError, r"pass image\[None\]"),
        (lambda: viz.plot_images(np.ones((0, 4, 4))), ValueError, "expected images"),
        (lambda: viz.plot_images(np.ones((2, 4, 4)), ["a"]), ValueError, "2 titles, got 1"),
        (lambda: viz.plot_filters(np.ones((2, 2))), ValueError, r"got \(2, 2\)"),
        (lambda: viz.plot_gradient_flow(BARE), ValueError, r"call backward\(\) first"),
        (lambda: viz.plot_gradient_flow(3), TypeError, r"with parameters\(\), got int"),
        (lambda: viz.plot_update_ratios({}), ValueError, "no step was recorded"),
        (lambda: viz.plot_grid([], rows="a", columns="b"), ValueError, "no run"),
        (lambda: viz.plot_grid(RUNS, rows="lr", columns="seed"), ValueError, "results.where"),
        (lambda: viz.plot_grid(RUNS, rows="lr", columns="depth"), KeyError, "'depth'"),
        (lambda: viz.plot_grid(RUNS, rows="lr", columns="width", score="f1"), KeyError, "'f1'"),
        (
            lambda: viz.plot_grid(RUNS, rows="lr", columns="width", axes=[[None]]),
            ValueError,
            r"shape \(2, 3\), got \(1, 1\)",
        ),
        (lambda: viz.animate_boundary([len], X, XOR, "a.mp4"), ValueError, "expected a .gif"),
        (lambda: viz.animate_boundary([], X, XOR, "a.gif"), ValueError, "no frame"),
        (lambda: viz.animate_boundary([len], X, XOR, "a.gif", titles=[]), ValueError, "1 titles"),
    ],
)
def test_bad_input_is_named_before_anything_is_drawn(call, error, match):
    with pytest.raises(error, match=match):
        call()
    assert pyplot.get_fignums() == []
