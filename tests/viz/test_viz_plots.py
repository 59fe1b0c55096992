"""Training plots: axes in, axes out, and what they draw is what they were given."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from gradling.engine import Value
from gradling.tensor import Tensor
from gradling.viz import plot_boundary, plot_history, plot_loss

matplotlib = pytest.importorskip("matplotlib", reason="the plots are an extra: gradling[plot]")
matplotlib.use("Agg")

from matplotlib import pyplot  # noqa: E402

X = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
XOR = np.array([0, 1, 1, 0])


def test_losses_are_drawn_step_by_step():
    ax = plot_loss([3.0, 2, np.float32(1.0), Value(0.5), Tensor(np.array([0.25]))])
    (line,) = ax.lines
    assert line.get_xdata().tolist() == [1, 2, 3, 4, 5]
    assert line.get_ydata().tolist() == [3.0, 2.0, 1.0, 0.5, 0.25]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("step", "loss")


def test_plots_draw_into_the_axes_they_are_given():
    _, ax = pyplot.subplots()
    assert plot_loss([1.0], ax) is ax
    assert plot_history({"a": [1.0]}, ax) is ax
    assert plot_boundary(lambda p: p[:, 0] - 0.5, X, XOR, ax, resolution=5) is ax


def test_a_single_loss_is_a_dot():
    assert plot_loss([1.0]).lines[0].get_marker() == "o"
    assert plot_loss([1.0, 2.0]).lines[0].get_marker() == ""


def test_losses_that_are_not_finite_leave_gaps_and_are_counted():
    ax = plot_loss([1.0, float("nan"), float("inf"), 0.5])
    assert ax.get_title() == "2 not finite: gaps in the line"
    assert np.isnan(ax.lines[0].get_ydata()[1:3]).all()


class Log:
    history = {"loss": [2.0, 1.0], "accuracy": [0.5, 0.75]}


@pytest.mark.parametrize(
    "history",
    [Log.history, Log(), [{"loss": 2.0, "accuracy": 0.5}, {"loss": 1.0, "accuracy": 0.75}]],
)
def test_histories_come_in_three_forms(history):
    lines = {line.get_label(): line.get_ydata().tolist() for line in plot_history(history).lines}
    assert lines == Log.history


def test_lines_differ_in_colour_and_in_dashes():
    lines = plot_history({name: [1.0, 2.0] for name in "abcd"}).lines
    assert len({line.get_color() for line in lines}) == 4
    assert len({line.get_linestyle() for line in lines}) == 4


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: plot_loss([]), ValueError, "nothing to plot"),
        (lambda: plot_history({}), ValueError, "nothing to plot"),
        (lambda: plot_history([1.0, 2.0]), TypeError, r"use plot_loss\(\)"),
        (lambda: plot_history(3), TypeError, "got int"),
        (lambda: plot_loss([np.zeros(3)]), ValueError, r"step 1 has shape \(3,\)"),
        (lambda: plot_boundary(len, X[:, :1], XOR), ValueError, r"shape \(N, 2\).*\(4, 1\)"),
        (lambda: plot_boundary(len, X[:0], XOR[:0]), ValueError, "N > 0"),
        (lambda: plot_boundary(len, X, XOR[:3]), ValueError, "4 classes, one per point"),
        (lambda: plot_boundary(lambda p: p[:3, 0], X, XOR), ValueError, r"got \(3,\)"),
    ],
)
def test_bad_input_is_named_before_anything_is_drawn(call, error, match):
    with pytest.raises(error, match=match):
        call()
    assert pyplot.get_fignums() == []


def side_of(ax, x0, x1):
    """The value of the shading at a point."""
    mesh = ax.collections[0]
    corners = mesh.get_coordinates()
    values = mesh.get_array()
    column = np.searchsorted(corners[0, :, 0], x0) - 1
    row = np.searchsorted(corners[:, 0, 1], x1) - 1
    return values[row, column]


def test_the_shading_is_the_score():
    ax = plot_boundary(lambda p: p[:, 0] - 0.5, X, XOR)
    assert side_of(ax, 0.1, 0.5) < 0 < side_of(ax, 0.9, 0.5)
    assert len(ax.collections) == 4  # shading, boundary, two classes of points
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["class 0", "class 1"]


def test_the_threshold_moves_the_boundary():
    ax = plot_boundary(lambda p: p[:, :1], X, XOR, threshold=0.25)
    assert side_of(ax, 0.2, 0.5) < 0 < side_of(ax, 0.3, 0.5)


def test_of_several_scores_the_largest_wins():
    ax = plot_boundary(lambda p: np.stack([p[:, 0], p[:, 1], 0 * p[:, 0]], axis=1), X, XOR)
    assert side_of(ax, 1.0, 0.1) == 0
    assert side_of(ax, 0.1, 1.0) == 1
    assert side_of(ax, -0.1, -0.1) == 2


@pytest.mark.parametrize("constant", [0.0, 1.0, float("nan")])
def test_a_model_without_a_boundary_is_drawn_too(constant):
    ax = plot_boundary(lambda p: np.full(len(p), constant), X, XOR)
    ax.figure.canvas.draw()
    assert len(ax.collections) == 3


def test_points_on_one_spot_still_have_room():
    ax = plot_boundary(lambda p: p[:, 0], X[:1], [1])
    low, high = ax.get_xlim()
    assert low < 0.0 < high


class ValueNet:
    """Two weights and a bias, called with one point."""

    def __init__(self):
        self.w = [Value(1.0), Value(2.0), Value(-1.0)]
        self.training = True
        self.seen = []

    def parameters(self):
        return self.w

    def modules(self):
        yield self

    def __call__(self, x):
        out = self.w[0] * x[0] + self.w[1] * x[1] + self.w[2]
        self.seen.append((self.training, out.op is None))
        return out


def test_a_net_of_values_is_called_point_by_point_in_eval_mode_without_a_graph():
    net = ValueNet()
    ax = plot_boundary(net, X, XOR, resolution=12)
    assert side_of(ax, 0.0, 0.0) < 0 < side_of(ax, 0.9, 0.9)
    assert net.seen == [(False, True)] * 144
    assert net.training


class TensorNet:
    def __init__(self):
        self.w = Tensor(np.array([[1.0], [2.0]], np.float32)).requires_grad_()
        self.training = True
        self.seen = []

    def parameters(self):
        return [self.w]

    def modules(self):
        yield self

    def __call__(self, x):
        out = x @ self.w - 1.0
        self.seen.append((self.training, out.requires_grad, x.dtype.name))
        return out


def test_a_module_on_tensors_is_called_once_with_its_own_dtype():
    net = TensorNet()
    ax = plot_boundary(net, Tensor(X.astype(np.float32)), Tensor(XOR))
    assert side_of(ax, 0.0, 0.0) < 0 < side_of(ax, 0.9, 0.9)
    assert net.seen == [(False, False, "float32")]
    assert net.training


def test_modes_come_back_even_when_the_model_fails():
    net = TensorNet()
    net.w = Tensor(np.zeros((3, 1), np.float32)).requires_grad_()
    with pytest.raises(Exception):  # noqa: B017  (whatever the model raises)
        plot_boundary(net, X, XOR)
    assert net.training


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.delitem(sys.modules, "matplotlib.pyplot", raising=False)
    with pytest.raises(ImportError, match=r"pip install 'gradling\[plot\]'"):
        plot_loss([1.0])
