"""gradling: a gradient engine that starts as one number and grows into tensors."""

from . import engine, tensor
from .engine import (
    Value,
    detect_anomaly,
    enable_grad,
    inference_mode,
    is_grad_enabled,
    no_grad,
    set_grad_enabled,
)
from .tensor import Tensor, autograd
from .tensor.creation import as_tensor, from_numpy, ones, zeros
from .tensor.dtypes import (
    float16,
    float32,
    float64,
    get_default_dtype,
    int8,
    int16,
    int32,
    int64,
    result_type,
    set_default_dtype,
    uint8,
)

__version__ = "0.1.0"
