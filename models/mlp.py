"""A multilayer perceptron that tells classes apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

from .. import nn
from ..tensor import Tensor
from ..tensor.errors import ShapeError
from . import checks


class MLPClassifier(nn.Module):
    """Linear layers with an activation between every two: logits = Wₖ act(… act(W₁ x + b₁) …) + bₖ.

    Args:
        in_features: numbers in an example; images are flattened, so 28·28 for digits.
        num_classes: number of logits.
        hidden: widths of the layers between; () makes it a linear classifier.
        activation: makes the module after each hidden layer: a class, or a function of nothing.
        dropout: share of each hidden layer's outputs that is dropped while training.

    Shapes: input (N, in_features), or (N, …) with as many numbers in an example; output
    (N, num_classes), logits for ``nn.CrossEntropyLoss``. Rumelhart, Hinton & Williams, "Learning
    representations by back-propagating errors" (1986).

    >>> import gradling
    >>> from gradling.models import MLPClassifier
    >>> model = MLPClassifier(28 * 28, 10, hidden=(128, 64))
    >>> model(gradling.zeros(5, 1, 28, 28)).shape
    (5, 10)
    >>> sum(p.numel() for p in model.parameters())
    109386
    """

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        hidden: Sequence[int] = (128, 64),
        *,
        activation: Callable[[], nn.Module] = nn.ReLU,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        checks.sizes("MLPClassifier", in_features=in_features, num_classes=num_classes)
        self.in_features, self.num_classes = in_features, num_classes
        layers: list[nn.Module] = []
        width = in_features
        for size in hidden:
            checks.sizes("MLPClassifier", hidden=size)
            layers += [nn.Linear(width, size), activation()]
            if dropout:
                layers.append(nn.Dropout(dropout))
            width = size
        self.layers = nn.Sequential(*layers, nn.Linear(width, num_classes))

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim < 2 or prod(x.shape[1:]) != self.in_features:
            one = x.shape == (self.in_features,)
            raise ShapeError(
                f"MLPClassifier: expected (N, {self.in_features}), or as many numbers an example "
                f"on more axes, got {x.shape}"
                + ("; a single example wants a batch axis: x.unsqueeze(0)" if one else "")
            )
        return self.layers(x.flatten(1))  # type: ignore[no-any-return]
