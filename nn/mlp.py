"""The nets of ``scalar.py`` on tensors: one product of matrices in place of a loop over neurons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..tensor import Tensor
from ..tensor.generators import Generator, drawing
from . import functional as F
from . import init
from .containers import ModuleList
from .linear import Linear, blank
from .module import Module
from .scalar import MLP, Activation, Layer, Neuron, activation_named


class TensorNeuron(Module):
    """activation(w·x + b) for a whole batch: (..., nin) -> (...).

    Args as for ``Neuron``. Parameters: ``weight`` (nin,) and ``bias`` ().

    >>> import gradling
    >>> from gradling import nn
    >>> nn.Neuron(3, seed=0).to_tensor()(gradling.ones(5, 3)).shape
    (5,)
    """

    def __init__(
        self,
        nin: int,
        nonlin: bool = True,
        *,
        activation: Activation = "relu",
        dtype: Any = None,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        self.nonlin = nonlin
        self.activation = activation
        self._bend = activation_named(activation if nonlin else "linear")
        self.weight = blank(nin, dtype=dtype)
        self.bias = blank(dtype=dtype)
        init.uniform_(self.weight, -1, 1, generator)

    def forward(self, input: Tensor) -> Tensor:
        x = input.to(self.weight.dtype)
        y = F.linear(x, self.weight.reshape(1, -1), self.bias.reshape(1))
        return self._bend(y.reshape(*x.shape[:-1]))  # type: ignore[no-any-return]

    @classmethod
    def of(cls, neuron: Neuron, dtype: Any) -> TensorNeuron:
        """The twin of a neuron of Values."""
        made = cls(
            len(neuron.w),
            neuron.nonlin,
            activation=neuron.activation,
            dtype=dtype,
            generator=_nobody(),
        )
        made.weight._data[...] = [w.data for w in neuron.w]
        made.bias._data[...] = neuron.b.data
        return made

    def to_scalar(self) -> Neuron:
        """The same neuron on Values, with these weights."""
        made = Neuron(len(self.weight), self.nonlin, activation=self.activation, seed=0)
        _write(made, self.weight._data, self.bias._data)
        return made

    def extra_repr(self) -> str:
        return f"{len(self.weight)}, activation={self.activation if self.nonlin else 'linear'}"


class TensorLayer(Linear):
    """A linear layer and its activation: (..., nin) -> (..., nout).

    Args as for ``Layer``. Parameters: ``weight`` (nout, nin) and ``bias`` (nout,).

    >>> import gradling
    >>> from gradling import nn
    >>> nn.Layer(3, 4, seed=0).to_tensor()(gradling.ones(5, 3)).shape
    (5, 4)
    """

    def __init__(
        self,
        nin: int,
        nout: int,
        nonlin: bool = True,
        *,
        activation: Activation = "relu",
        dtype: Any = None,
        generator: Generator | None = None,
    ) -> None:
        self.nonlin = nonlin
        self.activation = activation
        self._bend = activation_named(activation if nonlin else "linear")
        super().__init__(nin, nout, dtype=dtype, generator=generator)

    def reset_parameters(self, generator: Any = None) -> None:
        """As micrograd starts: weights evenly from [-1, 1), biases 0."""
        # in the order of Layer, neuron by neuron, so that equal seeds give equal nets
        numbers = drawing("TensorLayer", generator).uniform(-1, 1, self.weight.shape)
        init.fill("TensorLayer", self.weight, numbers)
        assert self.bias is not None
        init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        x = input.to(self.weight.dtype)
        return self._bend(F.linear(x, self.weight, self.bias))  # type: ignore[no-any-return]

    @classmethod
    def of(cls, layer: Layer, dtype: Any) -> TensorLayer:
        """The twin of a layer of Values."""
        first = layer.neurons[0]
        made = cls(
            layer.nin,
            len(layer.neurons),
            first.nonlin,
            activation=first.activation,
            dtype=dtype,
            generator=_nobody(),
        )
        assert made.bias is not None
        made.weight._data[...] = [[w.data for w in neuron.w] for neuron in layer.neurons]
        made.bias._data[...] = [neuron.b.data for neuron in layer.neurons]
        return made

    def to_scalar(self) -> Layer:
        """The same layer on Values, with these weights."""
        made = Layer(
            self.in_features, self.out_features, self.nonlin, activation=self.activation, seed=0
        )
        assert self.bias is not None
        for neuron, w, b in zip(made.neurons, self.weight._data, self.bias._data, strict=True):
            _write(neuron, w, b)
        return made

    def extra_repr(self) -> str:
        activation = self.activation if self.nonlin else "linear"
        return f"{self.in_features}, {self.out_features}, activation={activation}"


class TensorMLP(Module):
    """The twin of ``MLP`` on tensors: (..., nin) -> (..., nouts[-1]).

    Args as for ``MLP``; ``dtype`` of the parameters (the default dtype if None). Inputs are brought
    to that dtype.

    >>> import gradling
    >>> from gradling import nn
    >>> numbers = nn.MLP(2, [16, 16, 1], activation="tanh", seed=0)
    >>> arrays = numbers.to_tensor()
    >>> y = arrays(gradling.tensor([[0.5, -1.0]]))
    >>> abs(y.item() - numbers([0.5, -1.0]).data) < 1e-12
    True
    """

    layers: Any

    def __init__(
        self,
        nin: int,
        nouts: Sequence[int],
        activation: Activation = "relu",
        *,
        dtype: Any = None,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        if not nouts:
            raise ValueError("TensorMLP: expected the sizes of one layer at least, got none")
        sizes = [nin, *nouts]
        self.activation = activation
        self.layers = ModuleList(
            TensorLayer(
                a, b, i != len(nouts) - 1, activation=activation, dtype=dtype, generator=generator
            )
            for i, (a, b) in enumerate(zip(sizes, sizes[1:], strict=False))
        )

    def forward(self, input: Tensor) -> Tensor:
        for layer in self.layers:
            input = layer(input)
        return input

    @classmethod
    def of(cls, net: MLP, dtype: Any) -> TensorMLP:
        """The twin of a net of Values."""
        made = cls.__new__(cls)
        Module.__init__(made)
        made.activation = net.activation
        made.layers = ModuleList(TensorLayer.of(layer, dtype) for layer in net.layers)
        return made

    def to_scalar(self) -> MLP:
        """The same net on Values, with these weights."""
        sizes = [self.layers[0].in_features, *(layer.out_features for layer in self.layers)]
        made = MLP(sizes[0], sizes[1:], self.activation, seed=0)
        made.layers = [layer.to_scalar() for layer in self.layers]
        return made


def _nobody() -> Generator:
    """A generator for numbers that will be overwritten: the process's own does not move on."""
    return Generator(0)


def _write(neuron: Neuron, weights: Any, bias: Any) -> None:
    for w, number in zip(neuron.w, np.asarray(weights).tolist(), strict=True):
        w.data = number
    neuron.b.data = float(bias)
