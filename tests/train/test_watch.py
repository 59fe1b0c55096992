"""Callbacks that keep what pictures need."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradling
from gradling import nn
from gradling.optim import SGD, Adam
from gradling.train import Callback, RecordBoundary, UpdateRatios, fit

matplotlib = pytest.importorskip("matplotlib", reason="the plots are an extra: gradling[plot]")
matplotlib.use("Agg")


def points(n: int = 48) -> tuple[Any, Any]:
    X = np.random.default_rng(0).standard_normal((n, 2)).astype("float32")
    return X, (X[:, 0] > 0).astype("int64")


@pytest.mark.parametrize(("every", "accumulate"), [(1, 1), (3, 1), (2, 2)])
def test_update_ratios_are_those_of_the_steps(every: int, accumulate: int) -> None:
    trail: list[Any] = []

    class Watch(Callback):
        def before_fit(self, run: Any) -> None:
            trail.append(run.model.weight.detach().numpy().copy())

        def after_step(self, run: Any) -> None:
            if run.step == len(trail):
                self.before_fit(run)

    gradling.manual_seed(0)
    watch = UpdateRatios(every)
    fit(
        nn.Linear(2, 2), points(), epochs=3, batch_size=8, accumulate=accumulate, progress=False,
        callbacks=[Watch(), watch], optimizer=lambda p: Adam(p, lr=0.01),
    )  # fmt: skip
    assert watch.steps == list(range(every, len(trail), every))
    expected = [
        np.linalg.norm(trail[s] - trail[s - 1]) / np.linalg.norm(trail[s - 1]) for s in watch.steps
    ]
    assert watch.ratios["weight"] == pytest.approx(expected, rel=1e-5)
    drawn = watch.plot().lines[0]
    assert list(drawn.get_xdata()) == watch.steps
    assert drawn.get_ydata() == pytest.approx(expected, rel=1e-5)


def test_nets_of_values_have_ratios_by_layer() -> None:
    X, y = points(8)
    watch = UpdateRatios()
    fit(nn.MLP(2, [2, 1]), (X, 2 * y - 1), epochs=1, batch_size=4, progress=False,
        callbacks=[watch], optimizer=lambda p: SGD(p, lr=0.1))  # fmt: skip
    assert list(watch.ratios) == ["layers.0", "layers.1"]
    assert watch.steps == [1, 2]


def test_a_recorded_boundary_is_the_one_of_its_epoch(tmp_path: Path) -> None:
    gradling.manual_seed(0)
    X, y = points()
    record = RecordBoundary(X, y, every=2, resolution=15)
    fit(nn.Linear(2, 2), (X, y), epochs=5, callbacks=[record], progress=False)
    assert record.titles == ["before", "epoch 2", "epoch 4"]
    scores = [frame(None) for frame in record.frames]
    assert scores[0].shape == (225, 2)
    assert (scores[0] != scores[1]).any() and (scores[1] != scores[2]).any()
    assert record.save(tmp_path / "run.gif").get_title() == "epoch 4"
    assert (tmp_path / "run.gif").read_bytes().startswith(b"GIF89a")


@pytest.mark.parametrize("make", [lambda: UpdateRatios(0), lambda: RecordBoundary([], [], every=0)])
def test_bad_arguments(make: Any) -> None:
    with pytest.raises(ValueError, match="expected every >= 1, got 0"):
        make()
