"""What can be done to parameters and their gradients, all together."""

from .clip_grad import clip_grad_norm_, clip_grad_value_, get_total_norm
from .vectors import parameters_to_vector, vector_to_parameters

__all__ = [
    "clip_grad_norm_",
    "clip_grad_value_",
    "get_total_norm",
    "parameters_to_vector",
    "vector_to_parameters",
]
