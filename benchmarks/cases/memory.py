"""The most memory that setting up and three steps take beyond the imported library."""

from __future__ import annotations

from ..case import Case
from . import twins
from .digits import build
from .resnet import both_ways

CASES = (
    Case("memory-mlp", "peak memory, 784-128-64-10 step", twins(build), unit="bytes", rounds=1),
    Case("memory-resnet", "peak memory, ResNet-18 forward and backward", twins(both_ways),
         unit="bytes", rounds=1),
)  # fmt: skip
