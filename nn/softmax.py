"""Layers that turn scores into shares that add up to 1, and gates."""

from __future__ import annotations

from ..tensor import Tensor
from . import functional as F
from .module import Module


class Softmax(Module):
    """exp(x) / Σ exp(x) along ``dim``: positive, adding up to 1.

    Backward: y (g - Σ g y) along ``dim``: only what differs from the mean gradient moves shares.
    The largest entry is subtracted first, which changes nothing and lets no exp overflow. Bridle,
    "Probabilistic interpretation of feedforward classification network outputs" (1990). Before a
    cross entropy there belongs none: ``CrossEntropyLoss`` takes logits.

    >>> import gradling
    >>> Softmax(0)(gradling.tensor([1000.0, 1000.0])).tolist()
    [0.5, 0.5]
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return F.softmax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class LogSoftmax(Module):
    """x - log Σ exp(x) along ``dim``: the logarithm of softmax.

    Backward: g - softmax(x) Σ g along ``dim``. Exact where softmax itself is 0, whose logarithm
    would be -inf.

    >>> import gradling
    >>> LogSoftmax(0)(gradling.tensor([0.0, -1000.0])).tolist()
    [0.0, -1000.0]
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return F.log_softmax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmin(Module):
    """softmax of -x: the smallest entry gets the largest share.

    Backward: that of softmax, with the sign turned.

    >>> import gradling
    >>> Softmin(0)(gradling.tensor([0.0, 1000.0])).tolist()
    [1.0, 0.0]
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return F.softmin(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax2d(Module):
    """softmax over the channels of images (N, C, H, W) or (C, H, W).

    Backward: y (g - Σ g y) with the sum over the channels of each pixel. The largest channel is
    subtracted first, so no exp overflows.

    >>> import gradling
    >>> Softmax2d()(gradling.zeros(2, 1, 1)).flatten().tolist()
    [0.5, 0.5]
    """

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in (3, 4):
            raise ValueError(f"Softmax2d: expected (N, C, H, W) or (C, H, W), got {input.shape}")
        return F.softmax(input, -3)


class GLU(Module):
    """a σ(b), with a and b the halves of the input along ``dim``: b opens and closes a.

    Backward: g σ(b) towards a and g a σ(b) (1 - σ(b)) towards b. Dauphin et al., "Language modeling
    with gated convolutional networks" (2017).

    >>> import gradling
    >>> GLU()(gradling.tensor([4.0, 0.0])).tolist()
    [2.0]
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return F.glu(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"
