"""Activations made of straight pieces: cheap, with kinks, where a stated side has the slope."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from ..tensor.elementwise import relu
from . import functional as F
from . import init
from .linear import blank
from .module import Module


class InPlace(Module):
    """Base of activations that can keep their result in the input tensor."""

    inplace: bool

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class ReLU(InPlace):
    """max(x, 0) entry by entry.

    Backward: g where y > 0, else 0 (also at x = 0). A unit that is negative for every input gets no
    gradient at all and stays so. Nair & Hinton, "Rectified linear units improve restricted
    Boltzmann machines" (2010).

    >>> import gradling
    >>> ReLU()(gradling.tensor([-1.0, 0.0, 2.0]))
    tensor([0., 0., 2.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.relu(input, True) if self.inplace else relu(input)


class ReLU6(InPlace):
    """min(max(x, 0), 6) entry by entry.

    Backward: g where 0 < x < 6, else 0. The bound keeps the range small enough for few bits.
    Krizhevsky, "Convolutional deep belief networks on CIFAR-10" (2010).

    >>> import gradling
    >>> ReLU6()(gradling.tensor([-1.0, 2.0, 9.0]))
    tensor([0., 2., 6.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.relu6(input, self.inplace)


class LeakyReLU(InPlace):
    """x where positive, negative_slope · x elsewhere.

    Backward: g where x > 0, else negative_slope · g, so that no unit is ever without gradient. Maas
    et al., "Rectifier nonlinearities improve neural network acoustic models" (2013).

    >>> import gradling
    >>> LeakyReLU(0.25)(gradling.tensor([-1.0, 2.0])).tolist()
    [-0.25, 2.0]
    """

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = negative_slope

    def forward(self, input: Tensor) -> Tensor:
        return F.leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}" + (", inplace=True" if self.inplace else "")


class PReLU(Module):
    """x where positive, weight · x elsewhere, the slope being learnt.

    Args:
        num_parameters: 1 slope for all entries, or one for each channel (axis 1).
        init: where slopes start.

    Backward: dx = g where x > 0, else weight · g; dweight = Σ g x over the entries with x <= 0. He
    et al., "Delving deep into rectifiers" (2015).

    >>> import gradling
    >>> PReLU()(gradling.tensor([-1.0, 2.0])).tolist()
    [-0.25, 2.0]
    """

    def __init__(
        self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight = blank(num_parameters, dtype=dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        init.constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Tensor:
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class RReLU(InPlace):
    """leaky_relu with a slope drawn evenly from [lower, upper] per entry; in evaluation their mean.

    Backward: that of leaky_relu with the slope that was drawn. Xu et al., "Empirical evaluation of
    rectified activations in convolutional network" (2015).

    >>> import gradling
    >>> RReLU(0.125, 0.375).eval()(gradling.tensor([-1.0, 2.0])).tolist()
    [-0.25, 2.0]
    """

    def __init__(
        self,
        lower: float = 1 / 8,
        upper: float = 1 / 3,
        inplace: bool = False,
        *,
        generator: Any = None,
    ) -> None:
        super().__init__(inplace)
        self.lower = lower
        self.upper = upper
        self.generator = generator

    def forward(self, input: Tensor) -> Tensor:
        return F.rrelu(
            input, self.lower, self.upper, self.training, self.inplace, generator=self.generator
        )

    def extra_repr(self) -> str:
        return f"lower={self.lower}, upper={self.upper}" + (
            ", inplace=True" if self.inplace else ""
        )


class Threshold(InPlace):
    """x where above ``threshold``, else ``value``.

    Backward: g where x > threshold, else 0.

    >>> import gradling
    >>> Threshold(1.0, -5.0)(gradling.tensor([0.5, 2.0]))
    tensor([-5.,  2.])
    """

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.threshold = threshold
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.threshold(input, self.threshold, self.value, self.inplace)

    def extra_repr(self) -> str:
        inplace = ", inplace=True" if self.inplace else ""
        return f"threshold={self.threshold}, value={self.value}{inplace}"


class Hardtanh(InPlace):
    """The nearest number in [min_val, max_val].

    Backward: g strictly inside the bounds, else 0. Collobert, "Large scale machine learning"
    (2004).

    >>> import gradling
    >>> Hardtanh()(gradling.tensor([-3.0, 0.5])).tolist()
    [-1.0, 0.5]
    """

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        if not min_val < max_val:
            raise ValueError(f"Hardtanh: expected min_val < max_val, got {min_val} and {max_val}")
        self.min_val = min_val
        self.max_val = max_val

    def forward(self, input: Tensor) -> Tensor:
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)

    def extra_repr(self) -> str:
        inplace = ", inplace=True" if self.inplace else ""
        return f"min_val={self.min_val}, max_val={self.max_val}{inplace}"


class Hardsigmoid(InPlace):
    """relu6(x + 3) / 6: sigmoid in three straight pieces.

    Backward: g / 6 where -3 < x < 3, else 0. Courbariaux et al., "BinaryConnect" (2015).

    >>> import gradling
    >>> Hardsigmoid()(gradling.tensor([-4.0, 0.0, 4.0])).tolist()
    [0.0, 0.5, 1.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.hardsigmoid(input, self.inplace)


class Hardswish(InPlace):
    """x relu6(x + 3) / 6: silu without an exponential.

    Backward: 0 up to -3, g (x / 3 + 1 / 2) up to 3, then g. Howard et al., "Searching for
    MobileNetV3" (2019).

    >>> import gradling
    >>> Hardswish()(gradling.tensor([-4.0, 0.0, 4.0])).abs().tolist()
    [0.0, 0.0, 4.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.hardswish(input, self.inplace)


class Softshrink(Module):
    """x moved by lambd towards 0, but not across it: the proximal step of lambd |x|.

    Backward: g where |x| > lambd, else 0.

    >>> import gradling
    >>> Softshrink()(gradling.tensor([-2.0, 0.25, 2.0])).tolist()
    [-1.5, 0.0, 1.5]
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        return F.softshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return str(self.lambd)


class Hardshrink(Module):
    """0 within lambd of 0, else x.

    Backward: g where |x| > lambd, else 0.

    >>> import gradling
    >>> Hardshrink()(gradling.tensor([-2.0, 0.25, 2.0])).tolist()
    [-2.0, 0.0, 2.0]
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        return F.hardshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return str(self.lambd)
