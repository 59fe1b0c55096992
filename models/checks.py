"""What the models ask of their inputs, said in their own words."""

from __future__ import annotations

from ..tensor import Tensor
from ..tensor.errors import ShapeError


def images(model: str, x: Tensor, channels: int, size: int | None = None) -> None:
    """Refuse what is not (N, channels, size, size); without ``size`` any height and width do."""
    side = ("height", "width") if size is None else (size, size)
    wanted = f"(N, {channels}, {side[0]}, {side[1]})"
    if x.ndim != 4:
        fixes = {
            2: "reshape flat images: x.reshape(-1, channels, height, width)",
            3: "a single image wants a batch axis, x.unsqueeze(0); images without channels want"
            " theirs, x.unsqueeze(1)",
        }
        raise ShapeError(
            f"{model}: expected images {wanted}, got {x.shape}; "
            + fixes.get(x.ndim, "four axes are needed")
        )
    if x.shape[1] != channels:
        fix = f"make the model with in_channels={x.shape[1]}"
        if x.shape[3] == channels:
            fix = "move channels there: x.permute(0, 3, 1, 2)"
        raise ShapeError(
            f"{model}: expected images {wanted}, got {x.shape}, whose axis 1 is {x.shape[1]}; {fix}"
        )
    if size is not None and x.shape[2:] != (size, size):
        raise ShapeError(
            f"{model}: expected images {wanted}, got {x.shape}: resize them, "
            f"nn.functional.interpolate(x, ({size}, {size})), or make the model with another "
            "image_size"
        )


def tokens(model: str, idx: Tensor, longest: int, limit: str) -> None:
    """Refuse what is not (N, T) whole numbers with T up to ``longest``."""
    if idx.ndim != 2:
        hint = "; a single sequence wants a batch axis: idx.unsqueeze(0)" if idx.ndim == 1 else ""
        raise ShapeError(f"{model}: expected tokens (N, T), got {idx.shape}{hint}")
    if idx.dtype.kind not in "iu":
        raise TypeError(
            f"{model}: tokens are whole numbers, got {idx.dtype}; they are looked up in a table: "
            "idx.long()"
        )
    if idx.shape[1] > longest:
        raise ShapeError(
            f"{model}: a sequence of {idx.shape[1]} tokens is longer than {limit} = {longest}; cut "
            f"it, idx[:, -{longest}:], or make the model with {limit}={idx.shape[1]}"
        )


def sizes(model: str, **given: int) -> None:
    """Refuse sizes below 1, before any layer is made."""
    for name, size in given.items():
        if size < 1:
            raise ValueError(f"{model}: {name} must be at least 1, got {size}")
