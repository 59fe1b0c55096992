"""The elementwise rows of the table, by family. Importing this package fills ``TABLE``."""

from . import activations, arithmetic, choice, powers, trigonometry

__all__ = ["activations", "arithmetic", "choice", "powers", "trigonometry"]
