"""One batch through a model: the same for modules on Tensors and for nets of Values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ..engine import Value
from ..tensor import Tensor
from ..tensor.creation import as_tensor

LossFunction = Callable[[Any, Any], Any]


def parameters_of(model: Any) -> list[Any]:
    """A model's parameters, Tensors or Values."""
    if not callable(getattr(model, "parameters", None)):
        raise TypeError(
            "expected a model with parameters() (a Module, or an MLP of Values), got "
            f"{type(model).__name__}"
        )
    found = list(model.parameters())
    if not found:
        raise ValueError(
            f"this {type(model).__name__} has no parameters: layers register when they are "
            "attributes of a Module whose __init__ calls super().__init__()"
        )
    return found


def is_scalar(model: Any) -> bool:
    """Whether a model is made of Values, and called with one item at a time."""
    first = next(iter(model.parameters()), None)
    return isinstance(first, Value) and not getattr(model, "takes_batches", False)


def inputs_and_target(batch: Any) -> tuple[tuple[Any, ...], Any]:
    """A batch as (inputs, target): the last entry is the target, all before it go to the model."""
    if not isinstance(batch, (tuple, list)) or len(batch) < 2:
        raise ValueError(
            f"expected batches (x, y) or (x1, x2, …, y), got {type(batch).__name__}"
            + (f" of length {len(batch)}" if isinstance(batch, (tuple, list)) else "")
        )
    return tuple(batch[:-1]), batch[-1]


def forward(model: Any, inputs: Sequence[Any], scalar: bool) -> Any:
    """The model's prediction: a Tensor, or for a net of Values a list with one entry per item."""
    if not scalar:
        return model(
            *(x if isinstance(x, (Tensor, tuple, list, dict)) else as_tensor(x) for x in inputs)
        )
    rows = np.asarray(inputs[0], dtype=np.float64)
    return [model(row.tolist()) for row in rows]


def target_for(target: Any, scalar: bool) -> Any:
    if scalar:
        return np.asarray(target).tolist()
    return target if isinstance(target, Tensor) else as_tensor(target)


def number_of(loss: Any) -> float:
    """The loss as a plain number."""
    if isinstance(loss, Value):
        return loss.data
    if isinstance(loss, Tensor) and loss.numel() == 1:
        return float(loss.item())
    raise TypeError(
        f"fit: the loss must be one number (a Tensor or a Value), got {type(loss).__name__}"
        + (f" of shape {loss.shape}; use .mean()" if isinstance(loss, Tensor) else "")
    )


def closure_of(
    run: Any,
    loss: Any,
    inputs: Sequence[Any],
    target: Any,
    after: Callable[[], object] | None = None,
) -> Callable[[], Any]:
    """The closure that some optimizers step with: loss and gradients of one batch, anew each time.

    The first call returns ``loss``, whose gradients are there already; ``after`` is called when
    new ones are there.
    """
    ready = [loss]

    def closure() -> Any:
        if ready:
            return ready.pop()
        run.optimizer.zero_grad()
        found = run.loss(forward(run.model, inputs, run.scalar), target)
        found.backward()
        if after is not None:
            after()
        return found

    return closure


def batch_size_of(target: Any) -> int:
    shape = np.shape(target)
    return int(shape[0]) if shape else 1


# Losses by name ----------------------------------------------------------------------------------


def resolve_loss(loss: Any, target: Any, scalar: bool) -> LossFunction:
    """A loss from a function, a module, a name, or (None) the target: whole numbers are classes."""
    if isinstance(loss, type):
        raise TypeError(f"loss: got the class {loss.__name__}; pass an object: {loss.__name__}()")
    if callable(loss):
        return loss  # type: ignore[no-any-return]
    if loss is None:
        whole = np.asarray(target).dtype.kind in "iub"
        loss = ("hinge" if scalar else "cross_entropy") if whole else "mse"
    names = SCALAR_LOSSES if scalar else tensor_losses()
    if loss not in names:
        raise ValueError(
            f"no loss is named {loss!r}; there are {', '.join(names)}, or pass a function"
        )
    return names[loss]


def tensor_losses() -> dict[str, LossFunction]:
    from ..nn import functional as F

    return {
        "mse": F.mse_loss, "l1": F.l1_loss, "huber": F.huber_loss, "cross_entropy": F.cross_entropy,
        "bce": F.binary_cross_entropy_with_logits, "nll": F.nll_loss,
    }  # fmt: skip


def _pairs(predictions: Sequence[Any], target: Any) -> Iterable[tuple[Value, float]]:
    for prediction, t in zip(predictions, target, strict=True):
        outputs = prediction if isinstance(prediction, (list, tuple)) else [prediction]
        wanted = t if isinstance(t, (list, tuple)) else [t]
        yield from zip(outputs, wanted, strict=True)


def _mean(terms: Iterable[Value]) -> Value:
    listed = list(terms)
    total: Any = sum(listed[1:], listed[0])
    return total * (1.0 / len(listed))  # type: ignore[no-any-return]


def scalar_mse(predictions: Sequence[Any], target: Any) -> Value:
    """The mean of (p - t)² on Values."""
    return _mean((p - t) ** 2 for p, t in _pairs(predictions, target))


def scalar_hinge(predictions: Sequence[Any], target: Any) -> Value:
    """The mean of max(0, 1 - t p), t being -1 or 1 (0 counts as -1): micrograd's loss."""
    return _mean((1 - (1 if t > 0 else -1) * p).relu() for p, t in _pairs(predictions, target))


def scalar_bce(predictions: Sequence[Any], target: Any) -> Value:
    """The mean of log(1 + exp(-p)) + (1 - t) p: cross-entropy of a logit and a share t."""
    return _mean((-p).softplus(1.0, 40.0) + (1 - t) * p for p, t in _pairs(predictions, target))


SCALAR_LOSSES: dict[str, LossFunction] = {
    "mse": scalar_mse, "hinge": scalar_hinge, "bce": scalar_bce,
}  # fmt: skip
