"""Names where PyTorch programs look for them."""

from . import data

__all__ = ["data"]
