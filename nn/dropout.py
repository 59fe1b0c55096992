"""Layers that leave out entries at random while training."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from . import functional as F
from .functional.dropout import check_probability
from .module import Module


class _Dropout(Module):
    """Base of the dropouts: how much, in place or not, and what is drawn from."""

    def __init__(self, p: float = 0.5, inplace: bool = False, *, generator: Any = None) -> None:
        super().__init__()
        check_probability(type(self).__name__, p)
        self.p = p
        self.inplace = inplace
        self.generator = generator

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """Each entry set to 0 with probability p, the others divided by 1 - p; in evaluation nothing.

    Args:
        p: share that is dropped.
        inplace: keep the result in the input tensor too.
        generator: what is drawn from; the process's own if None.

    The division keeps the mean, so evaluation needs no correction. Backward: the gradient times the
    same mask. Srivastava et al., "Dropout: a simple way to prevent neural networks from
    overfitting" (2014).

    >>> import gradling
    >>> layer = Dropout(0.5, generator=gradling.Generator(0))
    >>> sorted(set(layer(gradling.ones(1000)).tolist())), layer.eval()(gradling.ones(2)).tolist()
    ([0.0, 2.0], [1.0, 1.0])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout(input, self.p, self.training, self.inplace, generator=self.generator)


class Dropout1d(_Dropout):
    """As ``Dropout`` for whole channels of sequences (N, C, L) or (C, L).

    Neighbours along a sequence say much the same, so single entries would not be missed. Backward:
    the gradient times the same mask. Tompson et al., "Efficient object localization using
    convolutional networks" (2015).

    >>> import gradling
    >>> Dropout1d(1.0)(gradling.ones(1, 2, 3)).tolist()
    [[[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]]
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout1d(input, self.p, self.training, self.inplace, generator=self.generator)


class Dropout2d(_Dropout):
    """As ``Dropout`` for whole channels of images (N, C, H, W) (Tompson et al., 2015).

    Backward: the gradient times the same mask, one number per example and channel: 0, or 1 / (1 -
    p), which keeps the mean.

    >>> import gradling
    >>> Dropout2d(1.0)(gradling.ones(1, 1, 1, 2)).tolist()
    [[[[0.0, 0.0]]]]
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout2d(input, self.p, self.training, self.inplace, generator=self.generator)


class Dropout3d(_Dropout):
    """As ``Dropout`` for whole channels of volumes (N, C, D, H, W) or (C, D, H, W).

    Backward: the gradient times the same mask, one number per example and channel: 0, or 1 / (1 -
    p), which keeps the mean.

    >>> import gradling
    >>> Dropout3d(1.0)(gradling.ones(1, 1, 1, 1, 2)).tolist()
    [[[[[0.0, 0.0]]]]]
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout3d(input, self.p, self.training, self.inplace, generator=self.generator)


class AlphaDropout(_Dropout):
    """Dropout for nets of ``SELU``: dropped entries take its lowest value, and mean 0 and variance
    1 stay.

    Backward: the gradient times the mask and the scale. Klambauer et al., "Self-normalizing neural
    networks" (2017).

    >>> import gradling
    >>> AlphaDropout(0.5).eval()(gradling.ones(2)).tolist()
    [1.0, 1.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.alpha_dropout(input, self.p, self.training, self.inplace, generator=self.generator)
