"""``fit``: the training loop, with what people rebuild around it again and again."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from ..engine import Value, detect_anomaly
from ..optim.lr_scheduler import ReduceLROnPlateau
from . import checkpoint as checkpoints
from .callbacks import Callback
from .evaluation import as_loader, evaluate
from .gradients import clip, first_not_finite, scale
from .history import History
from .interrupts import Interrupts
from .metrics import resolve
from .progress import Progress
from .run import Run
from .seeds import generator_states, restore_generators
from .step import (
    batch_size_of,
    closure_of,
    forward,
    inputs_and_target,
    number_of,
    parameters_of,
    resolve_loss,
    target_for,
)
from .wishes import callbacks_in, many_times, optimizer_for, positive, schedule_for, whole


class NonFiniteLoss(FloatingPointError):
    """The loss became nan or inf. ``history`` has the run until then; the weights are those
    before."""

    def __init__(self, message: str, history: History) -> None:
        super().__init__(message)
        self.history = history


def fit(
    model: Any,
    train: Any,
    *,
    val: Any = None,
    epochs: int = 1,
    optimizer: Any = None,
    loss: Any = None,
    scheduler: Any = None,
    schedule_per: str = "epoch",
    metrics: Any = (),
    callbacks: Callback | Sequence[Callback] = (),
    clip_grad_norm: float | None = None,
    accumulate: int = 1,
    batch_size: int = 32,
    progress: bool | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: int | None = None,
    resume: bool = False,
) -> History:
    """Train ``model``, and return what happened.

    Args:
        model: a Module, or an MLP of Values.
        train: a DataLoader, a data set, or arrays ``(X, y)`` (shuffled into batches of
            ``batch_size``).
        val: the same, to be evaluated after each epoch.
        epochs: passes over ``train``, counted from the start of the run, also when it is resumed.
        optimizer: an optimizer, or a function from parameters to one; Adam by default.
        loss: a function or module ``(prediction, target) -> loss``, or a name ("mse", "l1",
            "huber", "cross_entropy", "bce" on logits, "nll"; for Values "mse", "hinge", "bce"). By
            default cross-entropy (hinge for Values) where targets are whole numbers, else "mse".
        scheduler: a schedule, or a function from the optimizer to one; stepped after every epoch,
            or every optimizer step with ``schedule_per="step"``.
        metrics: names ("accuracy", "top5", "mae", "rmse", "r2", "perplexity"), Metrics, or
            functions; or one of these.
        callbacks: see ``Callback``; early stopping is one. One may stand alone.
        clip_grad_norm: scale gradients down to this norm, all together.
        accumulate: batches whose gradients are averaged for one step.
        progress: None for a bar where it can be redrawn and a line an epoch elsewhere; False for
            silence.
        checkpoint: a ``.safetensors`` or ``.npz`` file, written whole after every epoch, and after
            every ``checkpoint_every`` batches.
        resume: go on from ``checkpoint`` where it exists: the run then equals an uninterrupted one,
            bit for bit (given the same data, model and arguments).

    Ctrl-C ends the run after the present batch and returns the history, ``stopped="interrupt"``.

    Raises:
        NonFiniteLoss: the loss became nan or inf; names the op that made the first one, and keeps
            the weights from before.

    >>> import gradling
    >>> model = gradling.nn.Linear(1, 1)
    >>> x = gradling.linspace(-1, 1, 32).reshape(-1, 1)
    >>> history = fit(model, (x, 2 * x), epochs=20, progress=False,
    ...               optimizer=lambda p: gradling.optim.SGD(p, lr=0.5))
    >>> history["loss"][-1] < 1e-3
    True
    """
    epochs, accumulate = whole("epochs", epochs, 0), whole("accumulate", accumulate, 1)
    clip_grad_norm = positive("clip_grad_norm", clip_grad_norm)
    if schedule_per not in ("epoch", "step"):
        raise ValueError(f"fit: schedule_per must be 'epoch' or 'step', got {schedule_per!r}")
    if (resume or checkpoint_every) and checkpoint is None:
        raise ValueError("fit: resume and checkpoint_every need checkpoint=path")
    params = parameters_of(model)
    made = optimizer_for(params, optimizer)
    if made.needs_closure and accumulate > 1:
        raise ValueError(
            f"fit: {type(made).__name__} looks at the loss of one batch several times a step, so "
            "batches cannot be accumulated: leave accumulate at 1 and make batch_size larger"
        )
    schedule = schedule_for(made, scheduler)
    run = Run(model, made, schedule, resolve(metrics), callbacks_in(callbacks), epochs)
    loop = _Loop(run, as_loader(train, batch_size, shuffle=True), loss)
    loop.val = None if val is None else as_loader(val, batch_size, shuffle=False)
    many_times("the training data", loop.loader, epochs)
    many_times("val", loop.val, epochs)
    loop.clip, loop.accumulate, loop.per_step = clip_grad_norm, accumulate, schedule_per == "step"
    loop.checkpoint, loop.checkpoint_every = checkpoint, checkpoint_every
    loop.progress = Progress(run.epochs, progress)
    if resume and checkpoint is not None and Path(checkpoint).exists():
        loop.resumed(checkpoints.resume(run, checkpoint))
    loop.run_epochs()
    return run.history


class _Loop:
    """The parts of one ``fit``."""

    val: Any = None
    clip: float | None = None
    accumulate = 1
    per_step = False
    checkpoint: str | os.PathLike[str] | None = None
    checkpoint_every: int | None = None
    progress: Progress

    def __init__(self, run: Run, loader: Any, loss: Any) -> None:
        self.run, self.loader, self.loss = run, loader, loss
        self.params = list(run.model.parameters())
        self.buffers = list(run.model.buffers()) if hasattr(run.model, "buffers") else []
        self.interrupts = Interrupts()
        self.waiting = 0  # batches whose gradients wait for a step

    def resumed(self, loader_state: Any) -> None:
        if loader_state is not None and hasattr(self.loader, "load_state_dict"):
            self.loader.load_state_dict(loader_state)

    def run_epochs(self) -> None:
        run = self.run
        try:
            with self.interrupts.held():
                run.tell("before_fit")
                self.interrupts.check()
                while run.epoch < run.epochs and run.stopping is None:
                    self._epoch()
        except KeyboardInterrupt:
            run.stop("interrupt")
        finally:
            self.progress.close()
            run.history.stopped = run.stopping
        run.tell("after_fit")

    def _epoch(self) -> None:
        run = self.run
        if run.batch == 0:
            run.totals = {"loss": 0.0, "items": 0.0, "seconds": 0.0}
            for metric in run.metrics.values():
                metric.reset()
            run.tell("before_epoch")
        if not run.scalar:
            run.model.train()
        began, spent = time.perf_counter(), run.totals["seconds"]
        batches = len(self.loader) if hasattr(self.loader, "__len__") else None
        self.progress.start(run.epoch + 1, batches, run.batch)
        for batch in self.loader:
            self._batch(batch, last=batches is not None and run.batch + 1 == batches)
            self.interrupts.check()
            run.totals["seconds"] = spent + time.perf_counter() - began
            if (
                self.checkpoint_every
                and run.batch % self.checkpoint_every == 0
                and not self.waiting
            ):
                self._save()
        if self.waiting:
            self._move(None, None)  # several batches wait: no optimizer looks at them again
        if run.batch == 0:
            raise ValueError("fit: the training data gave no batch")
        run.epoch, run.batch = run.epoch + 1, 0
        self._record()
        run.tell("after_epoch")
        if self.checkpoint is not None:
            self._save()

    def _batch(self, batch: Any, last: bool) -> None:
        run = self.run
        inputs, raw = inputs_and_target(batch)
        if run.loss is None:
            run.loss = resolve_loss(self.loss, raw, run.scalar)
        if not self.waiting:
            run.optimizer.zero_grad()
        target = target_for(raw, run.scalar)
        kept = [(buffer, buffer._data.copy()) for buffer in self.buffers]
        prediction = forward(run.model, inputs, run.scalar)
        loss = run.loss(prediction, target)
        number = number_of(loss)
        if not isfinite(number):
            try:
                self._refuse(number, inputs, target)
            finally:
                for buffer, before in kept:  # running means that have seen the nan
                    buffer._data[...] = before
        (loss * (1.0 / self.accumulate) if self.accumulate > 1 else loss).backward()
        self.waiting += 1
        if self.waiting == self.accumulate or last:
            self._move(loss, (inputs, target))
        items = batch_size_of(raw)
        run.totals["loss"] += number * items
        run.totals["items"] += items
        for metric in run.metrics.values():
            metric.update(prediction, target)
        run.batch += 1
        run.history.batch_losses.append(number)
        self.progress.advance(number)
        run.tell("after_step")

    def _move(self, loss: Any, batch: Any) -> None:
        run = self.run
        if self.waiting < self.accumulate:  # the last group: averaged over its own size
            scale(self.params, self.accumulate / self.waiting)
        if self.clip is not None:
            clip(self.params, self.clip)
        self._check_gradients()
        if run.optimizer.needs_closure:
            self._search(loss, *batch)
        else:
            run.optimizer.step()
        run.step += 1
        self.waiting = 0
        if self.per_step and run.scheduler is not None:
            run.scheduler.step()

    def _search(self, loss: Any, inputs: Any, target: Any) -> None:
        """A step that looks at the loss of its batch several times (LBFGS)."""
        run, before = self.run, self.run.weights()

        def clipped() -> None:
            if self.clip is not None:
                clip(self.params, self.clip)

        run.optimizer.step(closure_of(run, loss, inputs, target, after=clipped))
        if not all(np.isfinite(w).all() for w in self._weights()):
            run.load_weights(before)
            run.stop("nan")
            raise NonFiniteLoss(
                f"fit: the search of {type(run.optimizer).__name__} left the finite numbers in "
                f"epoch {run.epoch + 1}, batch {run.batch + 1}; the weights are as they were "
                "before this batch. Try line_search_fn='strong_wolfe' or a smaller learning rate",
                run.history,
            )

    def _weights(self) -> list[Any]:
        return [p.data if isinstance(p, Value) else p._data for p in self.params]

    def _check_gradients(self) -> None:
        """Stop before a step that would make weights nan, though the loss is a number still."""
        place = first_not_finite(self.params)
        if place is None:
            return
        run = self.run
        named = getattr(run.model, "named_parameters", None)
        name = list(named())[place][0] if named else str(place)
        run.stop("nan")
        raise NonFiniteLoss(
            f"fit: the gradient of {name} is no longer finite in epoch {run.epoch + 1}, batch "
            f"{run.batch + 1}, though the loss is; the weights are as they were before this batch. "
            "gradling.autograd.detect_anomaly() around the loss and its backward() names the op; a "
            "smaller learning rate often helps",
            run.history,
        )

    def _record(self) -> None:
        run = self.run
        record = {"epoch": run.epoch, "loss": run.totals["loss"] / run.totals["items"]}
        record |= {name: metric.compute() for name, metric in run.metrics.items()}
        if self.val is not None:
            drawn = generator_states()
            found = evaluate(run.model, self.val, loss=run.loss, metrics=run.metrics)
            restore_generators(drawn)  # or validating would change the batches that follow
            record |= {f"val_{name}": value for name, value in found.items()}
        record["lr"] = float(run.optimizer.param_groups[0]["lr"])
        record["seconds"] = run.totals["seconds"]
        run.history.records.append(record)
        if run.scheduler is not None and not self.per_step:
            if isinstance(run.scheduler, ReduceLROnPlateau):
                run.scheduler.step(record.get("val_loss", record["loss"]))
            else:
                run.scheduler.step()
        self.progress.finish(run.epoch, record)

    def _save(self) -> None:
        assert self.checkpoint is not None
        state = self.loader.state_dict() if hasattr(self.loader, "state_dict") else None
        checkpoints.write(self.run, self.checkpoint, state)

    def _refuse(self, number: float, inputs: tuple[Any, ...], target: Any) -> None:
        """Stop, and run the batch once more looking for the op that made the first nan."""
        run = self.run
        where = "no op made it: a loss of inf, or nan in what the batch or the weights held"
        if not run.scalar:
            try:
                with detect_anomaly():
                    assert run.loss is not None
                    run.loss(forward(run.model, inputs, False), target)
            except RuntimeError as error:
                where = str(error)
        if not all(np.isfinite(w).all() for w in self._weights()):
            where = "the weights themselves are no longer finite since the step before: " + where
        run.stop("nan")
        raise NonFiniteLoss(
            f"fit: the loss became {number} in epoch {run.epoch + 1}, batch {run.batch + 1}. "
            f"{where}. Try a smaller learning rate or clip_grad_norm=1.0; the weights are as they "
            "were before this batch",
            run.history,
        )


__all__ = ["NonFiniteLoss", "Run", "fit"]
