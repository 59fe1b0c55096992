"""Two rituals before a long run: which learning rate, and can it learn one batch at all?"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from math import inf, isfinite
from typing import Any

import numpy as np

from ..optim import Adam
from ..tensor.node import Array
from .evaluation import as_loader
from .run import Run
from .seeds import generator_states, restore_generators
from .step import (
    closure_of,
    forward,
    inputs_and_target,
    number_of,
    parameters_of,
    resolve_loss,
    target_for,
)
from .wishes import optimizer_for


class LRFinderResult:
    """Losses over learning rates, with a ``suggestion``: where the loss falls fastest.

    ``smoothed`` is the loss without the noise of single batches. ``suggestion`` is None where the
    loss never fell by more than that noise.
    """

    def __init__(self, lrs: Sequence[float], losses: Sequence[float]) -> None:
        self.lrs, self.losses = list(lrs), list(losses)
        # Above where it began the loss only says "too far", and its leaps would bend the lines.
        first = max(self.losses[: max(3, len(self.losses) // 10)])
        self.smoothed, slopes, errors = _local_lines(np.minimum(self.losses, first))
        end = int(np.argmin(self.smoothed)) + 1  # what comes later does not lead down
        # A steep stretch counts for what it is at least, so that a few lucky batches do not win.
        surely = (slopes + errors)[:end]
        best = int(np.argmin(surely))
        self.suggestion = self.lrs[best] if end > 3 and surely[best] < 0 else None

    def plot(self, ax: Any = None) -> Any:
        """Draw loss over learning rate, the suggestion marked; see
        ``gradling.viz.plot_lr_find``."""
        from ..viz import plot_lr_find

        return plot_lr_find(self, ax=ax)

    def __repr__(self) -> str:
        found = "none" if self.suggestion is None else f"{self.suggestion:.3g}"
        return f"LRFinderResult(suggestion {found}, {len(self.lrs)} steps)"


def _local_lines(losses: Array) -> tuple[list[float], Array, Array]:
    """A line fitted around every step, near steps counting more (Cleveland, 1979): its height and
    slope there, and the slope's standard error. Unlike a running mean it does not lag behind."""
    steps = np.arange(len(losses))
    width = max(1.5, len(losses) / 16)
    weights = np.exp(-0.5 * ((steps - steps[:, None]) / width) ** 2)
    weights /= weights.sum(1, keepdims=True)
    middles = (weights * steps).sum(1)
    aside = steps - middles[:, None]
    spread = np.maximum((weights * aside**2).sum(1), 1e-12)
    slopes = (weights * aside) @ losses / spread
    heights = weights @ losses + slopes * (steps - middles)
    noise = np.sqrt(weights @ (losses - heights) ** 2)
    errors = noise * np.sqrt(((weights * aside) ** 2).sum(1)) / spread
    return heights.tolist(), slopes, errors


def _running_mean(losses: Sequence[float], keep: float = 0.9) -> float:
    """The mean of the last losses, whose start is corrected as Adam's."""
    mean = 0.0
    for loss in losses:
        mean = keep * mean + (1 - keep) * loss
    return mean / (1 - keep ** len(losses))


def lr_find(
    model: Any,
    train: Any,
    *,
    optimizer: Any = None,
    loss: Any = None,
    start: float = 1e-6,
    end: float = 10.0,
    steps: int = 100,
    batch_size: int = 32,
    stop_at: float = 4.0,
) -> LRFinderResult:
    """Raise the learning rate from ``start`` to ``end`` step by step and watch the loss.

    Stops early where the smoothed loss exceeds ``stop_at`` times its lowest. Model, optimizer and
    generators are put back as they were, byte for byte.
    """
    if not 0 < start < end:
        raise ValueError(f"lr_find: expected 0 < start < end, got {start} and {end}")
    if steps < 2:
        raise ValueError(f"lr_find: expected at least 2 steps, got {steps}")
    params = parameters_of(model)
    made = optimizer_for(params, optimizer, "lr_find")
    run = Run(model, made, None, {}, [], 1)
    loader = as_loader(train, batch_size, shuffle=True)
    kept = _Kept(run, loader)
    lrs: list[float] = []
    losses: list[float] = []
    lowest = inf
    try:
        batches = _endless(loader)
        for step in range(steps):
            lr = start * (end / start) ** (step / (steps - 1))
            for group in made.param_groups:
                group["lr"] = lr
            number = one_step(run, next(batches), loss)
            if not isfinite(number):
                break
            lrs.append(lr)
            losses.append(number)
            running = _running_mean(losses)
            lowest = min(lowest, running)
            if step > 10 and running > stop_at * lowest:
                break
    finally:
        kept.put_back()
    if not losses:
        raise ValueError(
            "lr_find: the loss was not finite on the first batch; check data and loss first"
        )
    return LRFinderResult(lrs, losses)


def overfit_one_batch(
    model: Any,
    train: Any,
    *,
    steps: int = 200,
    optimizer: Any = None,
    loss: Any = None,
    batch_size: int = 32,
) -> list[float]:
    """Train on one batch alone and return the losses: a net that cannot learn even that is
    miswired.

    Model, optimizer and generators are put back as they were.
    """
    params = parameters_of(model)
    made = optimizer_for(params, optimizer or Adam(params, lr=1e-2), "overfit_one_batch")
    run = Run(model, made, None, {}, [], 1)
    loader = as_loader(train, batch_size, shuffle=False)
    kept = _Kept(run, loader)
    try:
        batch = next(iter(loader))
        return [one_step(run, batch, loss) for _ in range(steps)]
    finally:
        kept.put_back()


def one_step(run: Run, batch: Any, loss: Any) -> float:
    """Forward, backward and a step; returns the loss before it. A loss that is not finite moves
    nothing."""
    inputs, raw = inputs_and_target(batch)
    if run.loss is None:
        run.loss = resolve_loss(loss, raw, run.scalar)
    if not run.scalar:
        run.model.train()
    run.optimizer.zero_grad()
    target = target_for(raw, run.scalar)
    found = run.loss(forward(run.model, inputs, run.scalar), target)
    number = number_of(found)
    if isfinite(number):
        found.backward()
        run.optimizer.step(
            closure_of(run, found, inputs, target) if run.optimizer.needs_closure else None
        )
    return number


def _endless(loader: Any) -> Any:
    while True:
        yield from loader


class _Kept:
    """Everything that a few trial steps change, to be put back."""

    def __init__(self, run: Run, loader: Any) -> None:
        self.run, self.loader = run, loader
        self.weights, self.generators = run.weights(), generator_states()
        self.optimizer = copy.deepcopy(run.optimizer.state_dict())
        self.loader_state = loader.state_dict() if hasattr(loader, "state_dict") else None
        self.gradients = [_gradient(p) for p in run.model.parameters()]
        self.modes = (
            [m.training for m in run.model.modules()] if hasattr(run.model, "modules") else []
        )

    def put_back(self) -> None:
        run = self.run
        run.load_weights(self.weights)
        run.optimizer.load_state_dict(self.optimizer)
        for p, g in zip(run.model.parameters(), self.gradients, strict=True):
            if hasattr(p, "edges"):
                p._grad = g
            else:
                p.grad = g
        if hasattr(run.model, "modules"):
            for module, mode in zip(run.model.modules(), self.modes, strict=True):
                module.training = mode
        if self.loader_state is not None:
            self.loader.load_state_dict(self.loader_state)
        restore_generators(self.generators)


def _gradient(p: Any) -> Any:
    if hasattr(p, "edges"):
        return p._grad
    return None if p.grad is None else p.grad.clone()
