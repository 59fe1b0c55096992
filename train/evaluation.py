"""A trained model on data: predictions, losses and metrics, with its mode left as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..data import DataLoader, TensorDataset
from ..engine import no_grad
from ..tensor import Tensor
from ..tensor.creation import as_tensor
from .metrics import resolve
from .step import (
    batch_size_of,
    forward,
    inputs_and_target,
    is_scalar,
    parameters_of,
    resolve_loss,
    target_for,
)


def as_loader(data: Any, batch_size: int, shuffle: bool) -> Any:
    """A loader, data set or arrays ``(X, y)``, as something that gives batches."""
    if isinstance(data, DataLoader):
        return data
    if (
        isinstance(data, tuple)
        and len(data) > 1
        and all(isinstance(part, list) or hasattr(part, "shape") for part in data)
    ):
        data = tuple([as_tensor(part) if isinstance(part, list) else part for part in data])
    if (
        isinstance(data, (tuple, list))
        and len(data) > 1
        and all(hasattr(part, "shape") for part in data)
    ):
        data = TensorDataset(*data)
    if hasattr(data, "__getitem__") and hasattr(data, "__len__"):
        return DataLoader(data, batch_size=batch_size, shuffle=shuffle)
    if not hasattr(data, "__iter__"):
        raise TypeError(
            f"expected a DataLoader, a data set or arrays (X, y), got {type(data).__name__}"
        )
    return data


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """``model`` in eval mode inside, each of its modules back in its own mode after."""
    modules = list(model.modules()) if hasattr(model, "modules") else []
    modes = [module.training for module in modules]
    try:
        for module in modules:
            module.training = False
        with no_grad():
            yield
    finally:
        for module, mode in zip(modules, modes, strict=True):
            module.training = mode


def evaluate(
    model: Any, data: Any, *, loss: Any = None, metrics: Any = (), batch_size: int = 256
) -> dict[str, Any]:
    """The loss and metrics of ``model`` over ``data``, items counting alike.

    Args: as those of ``fit``. ``loss=False`` leaves the loss out.
    """
    parameters_of(model)
    scalar, found = is_scalar(model), resolve(metrics)
    for metric in found.values():
        metric.reset()
    total, items, function = 0.0, 0, None
    with evaluating(model):
        for batch in as_loader(data, batch_size, shuffle=False):
            inputs, raw = inputs_and_target(batch)
            target = target_for(raw, scalar)
            prediction = forward(model, inputs, scalar)
            if loss is not False:
                function = function or resolve_loss(loss, raw, scalar)
                total += float(function(prediction, target)) * batch_size_of(raw)
            items += batch_size_of(raw)
            for metric in found.values():
                metric.update(prediction, target)
    if not items:
        raise ValueError("evaluate: the data gave no batch")
    answer: dict[str, Any] = {} if loss is False else {"loss": total / items}
    return answer | {name: metric.compute() for name, metric in found.items()}


def predict(model: Any, X: Any, batch_size: int = 256) -> Any:
    """The model's outputs for all of ``X`` (N, …), without a graph, the mode restored after.

    A Tensor (N, …); for a net of Values an array (N,) or (N, outputs).
    """
    parameters_of(model)
    with evaluating(model):
        if is_scalar(model):
            rows = forward(model, (X,), True)
            return np.array(
                [
                    [v.data for v in row] if isinstance(row, (list, tuple)) else row.data
                    for row in rows
                ]
            )
        array = X._data if isinstance(X, Tensor) else np.asarray(X)
        starts = range(0, max(1, len(array)), batch_size)
        parts = [forward(model, (Tensor(array[i : i + batch_size]),), False)._data for i in starts]
    return Tensor(np.concatenate(parts))
