"""Callbacks that keep what a picture of the run needs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from ..engine import Value
from .callbacks import Callback

if TYPE_CHECKING:
    from .run import Run


class UpdateRatios(Callback):
    """Records how far each step moves each parameter: ‖change‖ / ‖weights before‖.

    Around 1e-3 is healthy. ``ratios`` has a list a parameter (a net of Values: a list a layer),
    ``steps`` the steps they belong to; ``plot()`` draws them.

    Args:
        every: record one step in so many; each costs a copy of the parameters.

    >>> import gradling
    >>> from gradling.train import fit
    >>> x, watch = gradling.linspace(-1, 1, 64).reshape(-1, 1), UpdateRatios(every=2)
    >>> history = fit(gradling.nn.Linear(1, 1), (x, 2 * x), epochs=2, callbacks=[watch],
    ...               progress=False)
    >>> watch.steps, list(watch.ratios)
    ([2, 4], ['weight', 'bias'])
    """

    def __init__(self, every: int = 1) -> None:
        if every < 1:
            raise ValueError(f"UpdateRatios: expected every >= 1, got {every}")
        self.every = every
        self.steps: list[int] = []
        self.ratios: dict[str, list[float]] = {}
        self._before: dict[str, Any] | None = None
        self._step = 0

    def before_fit(self, run: Run) -> None:
        self._before, self._step = None, run.step
        self._look(run)

    def after_step(self, run: Run) -> None:
        if run.step == self._step:  # a batch whose gradients wait for more
            return
        self._step = run.step
        if self._before is not None:
            after = _flat(run.model)
            self.steps.append(run.step)
            for name, was in self._before.items():
                size = float(np.linalg.norm(was))
                moved = float(np.linalg.norm(after[name] - was))
                ratio = moved / size if size else float("nan")
                self.ratios.setdefault(name, []).append(ratio)
            self._before = None
        self._look(run)

    def _look(self, run: Run) -> None:
        if (run.step + 1) % self.every == 0:
            self._before = _flat(run.model)

    def state_dict(self) -> dict[str, Any]:
        return {"steps": self.steps, "ratios": self.ratios}

    def load_state_dict(self, state: Any) -> None:
        self.steps, self.ratios = list(state["steps"]), dict(state["ratios"])

    def plot(self, ax: Any = None) -> Any:
        """Draw the ratios; see ``gradling.viz.plot_update_ratios``."""
        from ..viz import plot_update_ratios

        return plot_update_ratios(self, ax)


class RecordBoundary(Callback):
    """Keeps the decision boundary of a classifier of two features as it changes.

    Args:
        X, y: the points to draw, (N, 2) and (N,).
        every: record one epoch in so many; the state before training is recorded too.
        resolution: points per side of the grid.
        threshold: where a single score changes sides.

    A run that is resumed records from there on: frames are not part of checkpoints.

    >>> import gradling, os, tempfile
    >>> from gradling.train import fit
    >>> X, y = gradling.data.moons(40, seed=0)
    >>> record = RecordBoundary(X, y, resolution=20)
    >>> model = gradling.nn.Linear(2, 2)
    >>> history = fit(model, (X, y), epochs=2, callbacks=[record], progress=False)
    >>> record.titles
    ['before', 'epoch 1', 'epoch 2']
    >>> ax = record.save(os.path.join(tempfile.mkdtemp(), "boundary.gif"))
    """

    def __init__(
        self, X: Any, y: Any, *, every: int = 1, resolution: int = 80, threshold: float = 0.0
    ) -> None:
        if every < 1:
            raise ValueError(f"RecordBoundary: expected every >= 1, got {every}")
        self.X, self.y, self.every = X, y, every
        self.resolution, self.threshold = resolution, threshold
        self.frames: list[Any] = []
        self.titles: list[str] = []

    def before_fit(self, run: Run) -> None:
        if run.epoch == 0 and run.batch == 0:
            self._record(run, "before")

    def after_epoch(self, run: Run) -> None:
        if run.epoch % self.every == 0:
            self._record(run, f"epoch {run.epoch}")

    def _record(self, run: Run, title: str) -> None:
        from ..viz import frozen_boundary

        self.frames.append(frozen_boundary(run.model, self.X, self.resolution))
        self.titles.append(title)

    def save(self, path: str | os.PathLike[str], *, seconds: float = 0.15) -> Any:
        """Write the frames as an animated GIF; returns the axes with the last one."""
        from ..viz import animate_boundary

        return animate_boundary(
            self.frames, self.X, self.y, path, titles=self.titles, seconds=seconds,
            threshold=self.threshold, resolution=self.resolution,
        )  # fmt: skip


def _flat(model: Any) -> dict[str, Any]:
    """A copy of the parameters by name, each as one flat array."""
    from ..viz.gradients import parameters_by_name

    return {
        name: np.array(
            [p.data for p in parts] if isinstance(parts[0], Value) else parts[0]._data.reshape(-1),
            dtype=np.float64,
        )
        for name, parts in parameters_by_name(model)
    }
