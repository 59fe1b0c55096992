"""Fused rows of the table: each with the composition of simpler ops that it equals."""

from ...engine.op import TABLE
from ...tensor import Tensor
from ...tensor.rows.structural import serve_tensors
from . import (
    activations,
    attention,
    convolution,
    linear,
    lookup,
    losses,
    normalization,
    pooling,
    recurrent,
)

serve_tensors(Tensor, TABLE)

__all__ = [
    "activations",
    "attention",
    "convolution",
    "linear",
    "lookup",
    "losses",
    "normalization",
    "pooling",
    "recurrent",
]
