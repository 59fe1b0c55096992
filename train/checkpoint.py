"""Checkpoints of a run: everything that decides how it goes on, in one file written whole."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..tensor.saving import load, save
from .seeds import generator_states, restore_generators

if TYPE_CHECKING:
    from .run import Run


def snapshot(run: Run, loader_state: Any) -> dict[str, Any]:
    """The state of a run between two steps."""
    return {
        "format": 1,
        "kinds": _kinds(run),
        "model": run.weights(),
        "optimizer": run.optimizer.state_dict(),
        "scheduler": run.scheduler.state_dict() if run.scheduler is not None else None,
        "epoch": run.epoch,
        "batch": run.batch,
        "step": run.step,
        "totals": run.totals,
        "metrics": {name: metric.state_dict() for name, metric in run.metrics.items()},
        "history": run.history.state_dict(),
        "callbacks": [callback.state_dict() for callback in run.callbacks],
        "generators": generator_states(),
        "loader": loader_state,
    }


def _kinds(run: Run) -> list[str]:
    """What the states of the optimizer and the scheduler belong to."""
    parts = [run.optimizer, run.scheduler]
    return ["none" if part is None else type(part).__name__ for part in parts]


def write(run: Run, path: str | os.PathLike[str], loader_state: Any) -> None:
    save(snapshot(run, loader_state), path)


def resume(run: Run, path: str | os.PathLike[str]) -> Any:
    """Bring ``run`` to the state in ``path``; returns that of the loader. Nothing changes if it
    does not fit.

    Raises:
        ValueError: the checkpoint is of another model, optimizer or set of callbacks.
    """
    state = load(path)
    wanted = snapshot(run, None)
    if not isinstance(state, dict) or state.get("format") != 1 or wanted.keys() - state.keys():
        raise ValueError(f"resume: {os.fspath(path)!r} is no checkpoint of fit()")
    if state["kinds"] != _kinds(run):
        raise ValueError(
            "resume: the checkpoint is of another optimizer or scheduler: it has "
            f"{' and '.join(state['kinds'])}, this run has {' and '.join(_kinds(run))}"
        )
    if len(state["callbacks"]) != len(run.callbacks):
        raise ValueError(
            f"resume: the checkpoint has {len(state['callbacks'])} callbacks, this run has "
            f"{len(run.callbacks)}; pass the same ones"
        )
    try:
        _take(run, state)
    except (KeyError, IndexError, ValueError, RuntimeError, TypeError) as error:
        _take(run, wanted)
        raise ValueError(
            f"resume: {Path(path).name} is a checkpoint of another model, optimizer, scheduler or "
            f"set of callbacks and metrics: {error}"
        ) from error
    run.epoch, run.batch, run.step = state["epoch"], state["batch"], state["step"]
    run.totals = state["totals"]
    run.history.records = state["history"]["records"]
    run.history.batch_losses = state["history"]["batch_losses"]
    restore_generators(state["generators"])
    return state["loader"]


def _take(run: Run, state: dict[str, Any]) -> None:
    """Load the parts that may not fit."""
    run.load_weights(state["model"])
    run.optimizer.load_state_dict(state["optimizer"])
    if run.scheduler is not None:
        run.scheduler.load_state_dict(state["scheduler"])
    for callback, kept in zip(run.callbacks, state["callbacks"], strict=True):
        callback.load_state_dict(kept)
    for name, metric in run.metrics.items():
        metric.load_state_dict(state["metrics"].get(name, {}))
