"""Small networks with fixed weights, for tests of whole models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

ACTIVATIONS = ("Tanh", "Sigmoid", "Softplus", "GELU", "SiLU", "ReLU", "ELU")


def network(
    sizes: Sequence[int], activation: str = "Tanh", bias: bool = True, seed: int = 0
) -> Any:
    """An ``nn.Sequential`` of linear layers of these sizes, an activation between every two.

    The weights are float64 and depend on ``seed`` alone, so the call says all about the model.

    >>> network([2, 3, 1])
    Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True)
      (1): Tanh()
      (2): Linear(in_features=3, out_features=1, bias=True)
    )
    """
    from .. import nn

    layers: list[Any] = []
    for k, (inputs, outputs) in enumerate(zip(sizes, sizes[1:], strict=False)):
        if k:
            layers.append(getattr(nn, activation)())
        layers.append(nn.Linear(inputs, outputs, bias=bias))
    model = nn.Sequential(*layers)
    rng = np.random.default_rng(seed)
    for _, parameter in model.named_parameters():
        array: Any = rng.normal(size=parameter.shape)
        parameter.requires_grad_(False)
        parameter.data = _tensor(array.astype(parameter.dtype))
        parameter.requires_grad_(True)
    return model.double()


def _tensor(array: Any) -> Any:
    from ..tensor import Tensor

    return Tensor(array)
