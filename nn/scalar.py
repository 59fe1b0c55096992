"""Nets made of single numbers: every weight a ``Value``, every output one too.

The spelling is that of Karpathy's micrograd (2020). ``to_tensor()`` gives the same net on arrays,
with the same weights; ``to_scalar()`` there leads back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..engine import TABLE, Value, weighted_sum
from ..tensor.dtypes import float64
from ..tensor.generators import Generator, drawing

if TYPE_CHECKING:
    from .mlp import TensorLayer, TensorMLP, TensorNeuron

Activation = str | Callable[[Any], Any]


def _row(name: str) -> Callable[[Any], Any]:
    """The op ``name`` of the table, which serves Values and Tensors alike."""
    op = TABLE[name]
    return lambda x: op(x, *op.defaults)


ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "linear": lambda x: x,
    "relu": lambda x: x.relu(),
    "tanh": lambda x: x.tanh(),
    "sigmoid": lambda x: x.sigmoid(),
    **{name: _row(name) for name in ("leaky_relu", "elu", "gelu", "silu", "softplus")},
}


def activation_named(activation: Activation) -> Callable[[Any], Any]:
    """The function to an activation's name; a function is taken as it is."""
    if callable(activation):
        return activation
    if activation not in ACTIVATIONS:
        raise ValueError(
            f"activation: there is no {activation!r}; take one of {', '.join(ACTIVATIONS)}, or a "
            "function of one number"
        )
    return ACTIVATIONS[activation]


class ScalarModule:
    """What neurons, layers and nets of Values have in common."""

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """(path, Value) of every parameter."""
        raise NotImplementedError

    def parameters(self) -> list[Value]:
        """Every weight and bias."""
        return [p for _, p in self.named_parameters()]

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for p in self.parameters():
            p.zero_grad()


class Neuron(ScalarModule):
    """One output from ``nin`` inputs: activation(w·x + b).

    Args:
        nin: number of inputs.
        nonlin: apply the activation.
        activation: "relu", "tanh", "sigmoid", … or a function of a Value.
        generator: what the weights are drawn from, evenly from [-1, 1); the bias starts at 0.
        seed: in place of a generator.

    Backward: with g the gradient of w·x + b, each weight gets g times its input, each input g times
    its weight, the bias g.

    >>> n = Neuron(2)
    >>> y = n([1.0, -2.0])
    >>> y.backward()
    >>> len(n.parameters())
    3
    """

    def __init__(
        self,
        nin: int,
        nonlin: bool = True,
        *,
        activation: Activation = "relu",
        generator: Generator | None = None,
        seed: int | None = None,
    ) -> None:
        draw = drawing("Neuron", generator if seed is None else Generator(seed))
        self.w = [Value(w) for w in draw.uniform(-1, 1, nin).tolist()]
        self.b = Value(0.0)
        self.nonlin = nonlin
        self.activation = activation
        bend = activation_named(activation)
        self._bend = bend if nonlin else None

    def __call__(self, x: Sequence[Any]) -> Value:
        if len(x) != len(self.w):
            raise ValueError(f"Neuron: expected {len(self.w)} inputs, got {len(x)}")
        y = weighted_sum(self.w, x, self.b)
        return y if self._bend is None else self._bend(y)

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        yield from ((f"w.{i}", w) for i, w in enumerate(self.w))
        yield "b", self.b

    def to_tensor(self, dtype: Any = float64) -> TensorNeuron:
        """The same neuron on tensors, with these weights."""
        from .mlp import TensorNeuron

        return TensorNeuron.of(self, dtype)

    def __repr__(self) -> str:
        return f"{_kind(self.activation) if self.nonlin else 'Linear'}Neuron({len(self.w)})"


class Layer(ScalarModule):
    """``nout`` neurons that see the same ``nin`` inputs.

    Args as for ``Neuron``. Gives a list of Values, or the Value itself if there is only one.

    >>> len(Layer(2, 3)([1.0, 2.0]))
    3
    """

    def __init__(
        self,
        nin: int,
        nout: int,
        nonlin: bool = True,
        *,
        activation: Activation = "relu",
        generator: Generator | None = None,
        seed: int | None = None,
    ) -> None:
        generator = generator if seed is None else Generator(seed)
        self.nin = nin
        self.neurons = [
            Neuron(nin, nonlin, activation=activation, generator=generator) for _ in range(nout)
        ]

    def __call__(self, x: Sequence[Any]) -> Any:
        out = [neuron(x) for neuron in self.neurons]
        return out[0] if len(out) == 1 else out

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        for i, neuron in enumerate(self.neurons):
            yield from ((f"neurons.{i}.{name}", p) for name, p in neuron.named_parameters())

    def to_tensor(self, dtype: Any = float64) -> TensorLayer:
        """The same layer on tensors, with these weights."""
        from .mlp import TensorLayer

        return TensorLayer.of(self, dtype)

    def __repr__(self) -> str:
        return f"Layer of [{', '.join(map(str, self.neurons))}]"


class MLP(ScalarModule):
    """Layers of Values, each fed by the one before; the last one is linear.

    Args:
        nin: number of inputs.
        nouts: number of neurons of each layer.
        activation: of all layers but the last.
        generator: what the weights are drawn from.
        seed: in place of a generator.

    >>> net = MLP(2, [16, 16, 1], activation="tanh", seed=0)
    >>> y = net([1.0, -2.0])
    >>> y.backward()
    >>> len(net.parameters())
    337
    >>> net
    MLP of [Layer of [TanhNeuron(2), ...LinearNeuron(16)]]
    """

    def __init__(
        self,
        nin: int,
        nouts: Sequence[int],
        activation: Activation = "relu",
        *,
        generator: Generator | None = None,
        seed: int | None = None,
    ) -> None:
        if not nouts:
            raise ValueError("MLP: expected the sizes of one layer at least, got none")
        generator = generator if seed is None else Generator(seed)
        sizes = [nin, *nouts]
        self.activation = activation
        self.layers = [
            Layer(a, b, i != len(nouts) - 1, activation=activation, generator=generator)
            for i, (a, b) in enumerate(zip(sizes, sizes[1:], strict=False))
        ]

    def __call__(self, x: Sequence[Any]) -> Any:
        if hasattr(x, "requires_grad"):
            raise TypeError(
                "MLP: this net works on numbers and Values, one example at a time; for tensors "
                "take net.to_tensor() (the same weights), or x.tolist()"
            )
        for layer in self.layers[:-1]:
            x = [neuron(x) for neuron in layer.neurons]
        return self.layers[-1](x)

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        for i, layer in enumerate(self.layers):
            yield from ((f"layers.{i}.{name}", p) for name, p in layer.named_parameters())

    def to_tensor(self, dtype: Any = float64) -> TensorMLP:
        """The same net on tensors, with these weights: whole batches at once, (N, nin) -> (N,
        nout).

        Args:
            dtype: float64, which is what a Value holds, so that nothing is lost.
        """
        from .mlp import TensorMLP

        return TensorMLP.of(self, dtype)

    def __repr__(self) -> str:
        return f"MLP of [{', '.join(map(str, self.layers))}]"


def _kind(activation: Activation) -> str:
    """ "ReLU" and its like, for repr."""
    name = activation if isinstance(activation, str) else getattr(activation, "__name__", "Custom")
    return {"relu": "ReLU", "elu": "ELU", "gelu": "GELU", "silu": "SiLU"}.get(name, name.title())
