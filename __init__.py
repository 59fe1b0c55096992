"""gradling: a gradient engine that starts as one number and grows into tensors."""

from . import engine, nn, tensor
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
from .tensor.creation import (
    as_tensor,
    asarray,
    empty,
    empty_like,
    from_numpy,
    full,
    full_like,
    ones,
    ones_like,
    zeros,
    zeros_like,
)
from .tensor.draws import (
    bernoulli,
    multinomial,
    normal,
    poisson,
    rand,
    rand_like,
    randint,
    randint_like,
    randn,
    randn_like,
    randperm,
)
from .tensor.dtypes import (
    double,
    float16,
    float32,
    float64,
    get_default_dtype,
    half,
    int8,
    int16,
    int32,
    int64,
    long,
    promote_types,
    result_type,
    set_default_dtype,
    short,
    uint8,
)
from .tensor.generators import (
    Generator,
    default_generator,
    get_rng_state,
    initial_seed,
    manual_seed,
    seed,
    set_rng_state,
)
from .tensor.sequences import arange, eye, linspace, logspace, tril_indices, triu_indices

# PyTorch's names for these dtypes; nothing below uses Python's types of that name.
bool, int, float = tensor.dtypes.bool_, tensor.dtypes.int_, tensor.dtypes.float_

__version__ = "0.1.0"
