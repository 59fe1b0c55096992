"""The functions that layers are made of: ``import gradling.nn.functional as F``."""

from .linear import bilinear, linear

__all__ = ["bilinear", "linear"]
