"""``Run``: the state of a run of ``fit``, which the loop, callbacks and checkpoints share."""

from __future__ import annotations

from typing import Any

from ..optim import Optimizer
from .callbacks import Callback
from .history import History
from .metrics import Metric
from .step import LossFunction, is_scalar


class Run:
    """A run of ``fit``: what callbacks look at. ``epoch``, ``batch`` and ``step`` count what is
    done."""

    def __init__(
        self,
        model: Any,
        optimizer: Optimizer,
        scheduler: Any,
        metrics: dict[str, Metric],
        callbacks: list[Callback],
        epochs: int,
    ) -> None:
        self.model, self.optimizer, self.scheduler = model, optimizer, scheduler
        self.metrics, self.callbacks, self.epochs = metrics, callbacks, epochs
        self.scalar = is_scalar(model)
        self.loss: LossFunction | None = None
        self.history = History()
        self.epoch = self.batch = self.step = 0
        self.totals = {"loss": 0.0, "items": 0.0, "seconds": 0.0}
        self._stop: str | None = None

    def stop(self, reason: str) -> None:
        """End the run after this epoch."""
        self._stop = reason

    @property
    def stopping(self) -> str | None:
        return self._stop

    def weights(self) -> Any:
        """A copy of all that the model has learnt."""
        if self.scalar:
            return [p.data for p in self.model.parameters()]
        return {name: value.clone() for name, value in self.model.state_dict().items()}

    def load_weights(self, weights: Any) -> None:
        if not self.scalar:
            self.model.load_state_dict(weights)
            return
        params = list(self.model.parameters())
        if len(params) != len(weights):
            raise ValueError(f"expected {len(params)} numbers, got {len(weights)}")
        for p, number in zip(params, weights, strict=True):
            p.data = number

    def tell(self, event: str) -> None:
        for callback in self.callbacks:
            getattr(callback, event)(self)
