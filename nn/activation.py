"""Smooth activations, entry by entry."""

from __future__ import annotations

from ..tensor import Tensor
from ..tensor.elementwise import logsigmoid, sigmoid, tanh
from . import functional as F
from .module import Module
from .rectifiers import InPlace


class Sigmoid(Module):
    """σ(x) = 1 / (1 + exp(-x)): to (0, 1), as a probability.

    Backward: g y (1 - y), from the output alone; at most g / 4, so deep chains of it fade. No large
    exp is taken: far left the result is 0, not nan.

    >>> import gradling
    >>> Sigmoid()(gradling.tensor([-1000.0, 0.0, 1000.0])).tolist()
    [0.0, 0.5, 1.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        return sigmoid(input)


class LogSigmoid(Module):
    """log σ(x) = -log(1 + exp(-x)).

    Backward: g σ(-x). Worked out as one step, it is exact where σ(x) itself would be 0 and its log
    -inf.

    >>> import gradling
    >>> LogSigmoid()(gradling.tensor([-1000.0])).tolist()
    [-1000.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        return logsigmoid(input)


class Tanh(Module):
    """tanh(x) = (exp(x) - exp(-x)) / (exp(x) + exp(-x)): to (-1, 1), with mean 0 for inputs of mean
    0.

    Backward: g (1 - y²), from the output alone.

    >>> import gradling
    >>> Tanh()(gradling.tensor([-1000.0, 0.0, 1000.0])).tolist()
    [-1.0, 0.0, 1.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        return tanh(input)


class ELU(InPlace):
    """x where positive, alpha (exp(x) - 1) elsewhere.

    Backward: g where x > 0, else g alpha exp(x); at 0 the left slope, alpha. The negative part
    draws the mean output towards 0. It is computed by expm1, exact near 0. Clevert et al., "Fast
    and accurate deep network learning by exponential linear units" (2015).

    >>> import gradling
    >>> ELU()(gradling.tensor([-1000.0, 2.0])).tolist()
    [-1.0, 2.0]
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        return F.elu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}" + (", inplace=True" if self.inplace else "")


class SELU(InPlace):
    """λ elu(x, α) with λ = 1.0507, α = 1.6733.

    With these constants, mean 0 and variance 1 of the inputs are a fixed point that layers draw
    towards. Backward: λ g where x > 0, else λ α exp(x) g. Klambauer et al., "Self-normalizing
    neural networks" (2017).

    >>> import gradling
    >>> SELU()(gradling.tensor([0.0])).tolist()
    [0.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.selu(input, self.inplace)


class CELU(InPlace):
    """x where positive, alpha (exp(x / alpha) - 1) elsewhere.

    Backward: g where x > 0, else g exp(x / alpha), which meets the 1 of the other side at 0 for
    every alpha. The exp is taken of what is negative only, so it does not overflow. Barron,
    "Continuously differentiable exponential linear units" (2017).

    >>> import gradling
    >>> CELU(2.0)(gradling.tensor([-1000.0, 2.0])).tolist()
    [-2.0, 2.0]
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        return F.celu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}" + (", inplace=True" if self.inplace else "")


class GELU(Module):
    """x Φ(x), Φ the distribution function of the normal distribution.

    Args:
        approximate: "none", or "tanh" for 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³))).

    Backward: g (Φ(x) + x φ(x)), the product rule with Φ' = φ, the bell curve. Hendrycks & Gimpel,
    "Gaussian error linear units" (2016).

    >>> import gradling
    >>> GELU()(gradling.tensor([0.0, 10.0])).tolist()
    [0.0, 10.0]
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        return F.gelu(input, self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class SiLU(InPlace):
    """x σ(x), also called swish.

    Backward: g σ(x) (1 + x (1 - σ(x))). Elfwing et al., "Sigmoid-weighted linear units" (2017);
    Ramachandran et al., "Searching for activation functions" (2017).

    >>> import gradling
    >>> SiLU()(gradling.tensor([0.0, 100.0])).tolist()
    [0.0, 100.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.silu(input, self.inplace)


class Mish(InPlace):
    """x tanh(softplus(x)).

    Backward: g (t + x σ(x) (1 - t²)), t = tanh(softplus(x)): product and chain rule, softplus' = σ.
    Misra, "Mish: a self regularized non-monotonic activation function" (2019).

    >>> import gradling
    >>> Mish()(gradling.tensor([0.0, 100.0])).tolist()
    [0.0, 100.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.mish(input, self.inplace)


class Softplus(Module):
    """log(1 + exp(beta x)) / beta: relu with its corner rounded; x itself where beta x > threshold.

    Backward: g σ(beta x). The kernel takes exp of negative numbers only, so nothing overflows.
    Dugas et al., "Incorporating second-order functional knowledge for better option pricing"
    (2001).

    >>> import gradling
    >>> Softplus()(gradling.tensor([-1000.0, 1000.0])).tolist()
    [0.0, 1000.0]
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Tensor) -> Tensor:
        return F.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class Softsign(Module):
    """x / (1 + |x|): to (-1, 1) like tanh, but approaching its bounds slowly.

    Backward: g / (1 + |x|)². Bergstra et al., "Quadratic polynomials learn better image features"
    (2009).

    >>> import gradling
    >>> Softsign()(gradling.tensor([-1.0, 3.0])).tolist()
    [-0.5, 0.75]
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softsign(input)


class Tanhshrink(Module):
    """x - tanh(x).

    Backward: g tanh(x)², since 1 - tanh' = tanh².

    >>> import gradling
    >>> Tanhshrink()(gradling.tensor([0.0, 101.0])).tolist()
    [0.0, 100.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.tanhshrink(input)
