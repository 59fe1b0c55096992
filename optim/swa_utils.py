"""Averages of a model's weights: of snapshots (SWA), or running (EMA).

Izmailov et al., "Averaging weights leads to wider optima and better generalization" (2018); Polyak
& Juditsky (1992).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..engine import no_grad
from ..tensor import Tensor, edits
from ..tensor.node import Array

Average = Callable[[Array, Array, int], Array]


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """``decay`` times the average plus the rest of the new weights."""
    if not 0 <= decay <= 1:
        raise ValueError(f"get_ema_avg_fn: expected decay in [0, 1], got {decay}")
    return lambda average, new, count: decay * average + (1 - decay) * new


def get_swa_avg_fn() -> Average:
    """The plain mean of all snapshots."""
    return lambda average, new, count: average + (new - average) / (count + 1)


class AveragedModel:
    """A copy of ``model`` that holds an average of its weights; call it as the model.

    Args:
        model: the model whose weights are averaged.
        avg_fn: ``(average, new, count) -> average`` on arrays; the plain mean by default.
        use_buffers: average floating buffers too; else they are copied.

    >>> import gradling
    >>> model = gradling.nn.Linear(2, 1)
    >>> average = AveragedModel(model)
    >>> average.update_parameters(model)
    >>> int(average.n_averaged)
    1
    """

    def __init__(
        self, model: Any, avg_fn: Average | None = None, use_buffers: bool = False
    ) -> None:
        self.module = copy.deepcopy(model)
        self.avg_fn = avg_fn or get_swa_avg_fn()
        self.use_buffers = use_buffers
        self.n_averaged = 0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)

    def parameters(self) -> Iterable[Tensor]:
        return self.module.parameters()  # type: ignore[no-any-return]

    def modules(self) -> Iterable[Any]:
        return self.module.modules()  # type: ignore[no-any-return]

    @property
    def training(self) -> bool:
        return bool(self.module.training)

    def train(self, mode: bool = True) -> AveragedModel:
        """Put the averaged copy into training mode, or out of it."""
        self.module.train(mode)
        return self

    def eval(self) -> AveragedModel:
        """Put the averaged copy into evaluation mode."""
        return self.train(False)

    def update_parameters(self, model: Any) -> None:
        """Take the model's present weights into the average."""
        ours, theirs = dict(self.module.named_parameters()), dict(model.named_parameters())
        if ours.keys() != theirs.keys():
            raise ValueError(
                "update_parameters: expected the model that was copied; these parameters differ: "
                f"{sorted(ours.keys() ^ theirs.keys())}"
            )
        buffers = (dict(self.module.named_buffers()), dict(model.named_buffers()))
        with no_grad():
            for name, p in ours.items():
                self._take(p, theirs[name], average=True)
            for name, b in buffers[0].items():
                self._take(b, buffers[1][name], average=self.use_buffers and b.dtype.kind == "f")
        self.n_averaged += 1

    def _take(self, ours: Tensor, theirs: Tensor, average: bool) -> None:
        new = theirs._data
        if average and self.n_averaged:
            new = self.avg_fn(ours._data, new, self.n_averaged)
        edits.note(ours._data, "an average of weights")
        np.copyto(ours._data, new)

    def state_dict(self) -> dict[str, Any]:
        inner = {f"module.{name}": value for name, value in self.module.state_dict().items()}
        return {**inner, "n_averaged": self.n_averaged}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        own = dict(state_dict)
        count = int(own.pop("n_averaged"))
        self.module.load_state_dict({name.removeprefix("module."): v for name, v in own.items()})
        self.n_averaged = count


def update_bn(loader: Iterable[Any], model: Any) -> None:
    """Recompute the running statistics of every BatchNorm of ``model`` over one pass of
    ``loader``."""
    norms = [
        m for m in model.modules() if hasattr(m, "running_mean") and m.running_mean is not None
    ]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    training = model.training
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a cumulative mean over the pass
    model.train()
    try:
        with no_grad():
            for batch in loader:
                model(batch[0] if isinstance(batch, (list, tuple)) else batch)
    finally:
        model.train(training)
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
