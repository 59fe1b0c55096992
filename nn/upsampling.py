"""Layers that change the size of images."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from .functional.upsampling import interpolate, pixel_shuffle, pixel_unshuffle
from .module import Module


class Upsample(Module):
    """Images in another size; see ``nn.functional.interpolate``.

    Args:
        size: of the output, one number or one per spatial axis; or
        scale_factor: output over input size.
        mode: "nearest", "linear", "bilinear", "trilinear", "bicubic", …
        align_corners: let the centres of corner pixels coincide.

    Shapes: input (N, C, L), (N, C, H, W) or (N, C, D, H, W).

    Backward: the map is linear along each axis, y = M x, so dx = Mᵀ g: a pixel gets the gradients
    of all new pixels that it had a share in, times that share.

    >>> import gradling
    >>> Upsample(scale_factor=2, mode="bilinear")(gradling.zeros(1, 3, 4, 5)).shape
    (1, 3, 8, 10)
    """

    def __init__(
        self,
        size: Any = None,
        scale_factor: Any = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        super().__init__()
        self.name = type(self).__name__
        self.size = size
        if isinstance(scale_factor, (tuple, list)):
            self.scale_factor: Any = tuple(float(factor) for factor in scale_factor)
        else:
            self.scale_factor = float(scale_factor) if scale_factor else None
        self.mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input: Tensor) -> Tensor:
        return interpolate(
            input, self.size, self.scale_factor, self.mode, self.align_corners,
            self.recompute_scale_factor,
        )  # fmt: skip

    def extra_repr(self) -> str:
        if self.scale_factor is not None:
            return f"scale_factor={self.scale_factor!r}, mode={self.mode!r}"
        return f"size={self.size!r}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """``Upsample(mode="nearest")`` for images: every new pixel is a copy of the nearest old one.

    Backward: an old pixel gets the sum of the gradients of its copies. Entries are only copied, so
    nothing is rounded forward.

    >>> import gradling
    >>> UpsamplingNearest2d(scale_factor=2)(gradling.tensor([[[[1.0, 2.0]]]])).tolist()
    [[[[1.0, 1.0, 2.0, 2.0], [1.0, 1.0, 2.0, 2.0]]]]
    """

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """``Upsample(mode="bilinear", align_corners=True)`` for images.

    Every new pixel is a mean of the four old ones around it, weighted by how near they are; corners
    stay where they are.

    Backward: an old pixel gets the gradients of the new ones it had a share in, times that share.
    The shares are from 0 to 1 and add up to 1, so nothing leaves the range of its neighbours.

    >>> import gradling
    >>> UpsamplingBilinear2d(size=(1, 3))(gradling.tensor([[[[1.0, 2.0]]]])).tolist()
    [[[[1.0, 1.5, 2.0]]]]
    """

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)


class PixelShuffle(Module):
    """r² channels become r x r pixels: (…, C r², H, W) to (…, C, H r, W r).

    y[c, h r + i, w r + j] = x[c r² + i r + j, h, w].

    Backward: entries only change places, so the gradient goes back the same way: dx is
    ``PixelUnshuffle`` of g, exact to the bit. Shi et al., "Real-time single image and video
    super-resolution using an efficient sub-pixel convolutional neural network" (2016).

    >>> import gradling
    >>> PixelShuffle(2)(gradling.zeros(1, 12, 3, 4)).shape
    (1, 3, 6, 8)
    """

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self) -> str:
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """r x r pixels become r² channels: the inverse of ``PixelShuffle``.

    Shapes: (…, C, H r, W r) to (…, C r², H, W).

    Backward: dx is ``PixelShuffle`` of g: entries only change places, exact to the bit.

    >>> import gradling
    >>> PixelUnshuffle(2)(gradling.zeros(1, 3, 6, 8)).shape
    (1, 12, 3, 4)
    """

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self) -> str:
        return f"downscale_factor={self.downscale_factor}"


__all__ = [
    "PixelShuffle", "PixelUnshuffle", "Upsample", "UpsamplingBilinear2d", "UpsamplingNearest2d",
]  # fmt: skip
