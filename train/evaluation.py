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
    if isinstance(data, (tuple, list)) and len(data) > 1:
        listed = list if isinstance(data, tuple) else ()  # a list of lists is a data set of items
        if all(isinstance(part, listed) or hasattr(part, "shape") for part in data):
            data = TensorDataset(*[as_tensor(p) if isinstance(p, list) else p for p in data])
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
    """The model's outputs for all of ``X``, without a graph, the mode restored after.

    Args:
        X: inputs (N, …); or a loader or data set, in the order in which it gives its items, whose
            last entry is a target and left out, as in ``evaluate``.
        batch_size: items at once, where X is no loader.

    Returns:
        A Tensor (N, …); for a net of Values an array (N,) or (N, outputs).

    Raises:
        ValueError: there is no batch to tell the shape of the outputs from.

    >>> import gradling
    >>> predict(gradling.nn.Linear(2, 3), gradling.zeros(5, 2)).shape
    (5, 3)
    """
    parameters_of(model)
    scalar = is_scalar(model)
    with evaluating(model):
        parts = [
            _numbers(forward(model, inputs, scalar)) for inputs in _inputs(X, batch_size, scalar)
        ]
    if not parts:
        raise ValueError("predict: the data gave no batch")
    whole = np.concatenate(parts)
    return whole if scalar else Tensor(whole)


def _inputs(X: Any, batch_size: int, scalar: bool) -> Iterator[tuple[Any, ...]]:
    """Batches of inputs, from inputs or from what gives batches of inputs and targets."""
    if isinstance(X, (Tensor, np.ndarray, list, tuple)):
        array = np.asarray(X) if scalar else as_tensor(X)._data
        for i in range(0, max(1, len(array)), batch_size):
            part = array[i : i + batch_size]
            yield (part if scalar else Tensor(part),)
        return
    for batch in as_loader(X, batch_size, shuffle=False):
        yield inputs_and_target(batch)[0] if isinstance(batch, (tuple, list)) else (batch,)


def _numbers(prediction: Any) -> Any:
    """A prediction as an array: a Tensor's own, or the numbers of a list of Values."""
    if isinstance(prediction, Tensor):
        return prediction._data
    rows = (row if isinstance(row, (list, tuple)) else (row,) for row in prediction)
    listed = [[v.data for v in row] for row in rows]
    return np.array([row[0] if len(row) == 1 else row for row in listed])
