"""Affine and bilinear maps."""

from __future__ import annotations

from ...engine.modes import mode
from ...tensor import Tensor
from ...tensor.errors import ShapeError
from ...tensor.node import Array, Node
from ...tensor.quiet import IGNORE, silence
from ...tensor.record import joined, record
from ..rows import linear as rows
from .checks import reshapes_that

_affine, _product = rows.linear.on[Array], rows.linear_without_bias.on[Array]


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """y = x Wᵀ + b along the last axis.

    Args:
        input: (..., in_features).
        weight: (out_features, in_features).
        bias: (out_features,) or None.

    Returns:
        (..., out_features).

    Backward: with g the gradient of y, dx = g W, dW = gᵀ x and db = g summed over all rows: each is
    the only product of these arrays that has the right shape.

    Raises:
        ShapeError: the last axis of ``input`` is not in_features.
        TypeError: dtypes differ.

    >>> import gradling
    >>> linear(gradling.ones(2, 3), gradling.ones(1, 3), gradling.ones(1))
    tensor([[4.],
            [4.]])
    """
    arrays: tuple[Array, ...]
    try:
        x, w = input._data, weight._data
        fits = w.ndim == 2 and x.shape[-1] == w.shape[1] and x.dtype is w.dtype
        if bias is None:
            op, run, arrays = rows.linear_without_bias, _product, (x, w)
            nodes: tuple[Node | None, ...] = (input._node, weight._node)
        else:
            b = bias._data
            fits = fits and b.ndim == 1 and len(b) == len(w) and b.dtype is x.dtype
            op, run, arrays = rows.linear, _affine, (x, w, b)
            nodes = (input._node, weight._node, bias._node)
    except (AttributeError, IndexError):
        fits = False
    if not fits:
        _explain(input, weight, bias)
    # as record.apply does it, which would look at each operand anew: most of a small net is this
    token = silence.set(IGNORE)
    try:
        y = run(*arrays)
    finally:
        silence.reset(token)
    now = mode()
    if now.plain and (nodes[1] is not None or nodes[0] is not None):
        return joined(op, y, nodes, (None, *arrays), (), now.scope)
    return record(op, y, nodes, arrays, ())


def _explain(input: Tensor, weight: Tensor, bias: Tensor | None) -> None:
    """Say what does not fit."""
    for name, x in (("input", input), ("weight", weight), ("bias", bias)):
        if not isinstance(x, Tensor) and not (name == "bias" and x is None):
            raise TypeError(
                f"linear: expected {name} to be a tensor, got {type(x).__name__}; wrap it: "
                "gradling.tensor(...)"
            )
    if weight.ndim != 2:
        raise ShapeError(
            f"linear: weight must be (out_features, in_features), got shape {weight.shape}"
        )
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ShapeError(
            f"linear: bias of shape {bias.shape} does not fit weight {weight.shape}: it must be "
            f"{weight.shape[:1]}"
        )
    wanted = weight.shape[1]
    if input.ndim == 0 or input.shape[-1] != wanted:
        last = f"its last axis is {input.shape[-1]}" if input.ndim else "it has no axis"
        raise ShapeError(
            f"linear: input {input.shape} does not fit weight {weight.shape}: {last} and must be "
            f"in_features = {wanted}" + reshapes_that(input, lambda shape: shape[-1:] == (wanted,))
        )
    others = list(dict.fromkeys(x.dtype for x in (weight, bias) if x is not None))
    if all(dtype == input.dtype for dtype in others):
        return  # equal dtypes that are two objects, as NumPy sometimes makes them
    raise TypeError(
        f"linear: input is {input.dtype}, the parameters are {' and '.join(map(str, others))}; "
        f"convert the input with .to({others[0]})"
        + (f" or the module with .to({input.dtype})" if input.dtype.kind == "f" else "")
    )


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """y_k = x₁ᵀ W_k x₂ + b_k.

    Args:
        input1: (..., in1).
        input2: (..., in2), the same leading axes.
        weight: (out, in1, in2).
        bias: (out,) or None.

    Returns:
        (..., out). It is a linear map of the outer product of the inputs, and is computed as one.

    >>> import gradling
    >>> bilinear(gradling.ones(1, 2), gradling.ones(1, 3), gradling.ones(4, 2, 3)).shape
    (1, 4)
    """
    if weight.ndim != 3:
        raise ShapeError(f"bilinear: weight must be (out, in1, in2), got shape {weight.shape}")
    out, in1, in2 = weight.shape
    for name, x, n in (("input1", input1, in1), ("input2", input2, in2)):
        if x.ndim == 0 or x.shape[-1] != n:
            raise ShapeError(
                f"bilinear: the last axis of {name} {x.shape} must be {n} (weight {weight.shape})"
            )
    if input1.shape[:-1] != input2.shape[:-1]:
        raise ShapeError(
            f"bilinear: the leading axes of input1 {input1.shape} and input2 {input2.shape} "
            "must be equal"
        )
    lead = input1.shape[:-1]
    outer = input1.reshape(*lead, in1, 1) * input2.reshape(*lead, 1, in2)
    return linear(outer.reshape(*lead, in1 * in2), weight.reshape(out, in1 * in2), bias)
