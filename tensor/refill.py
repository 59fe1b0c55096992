"""Filling a tensor with random numbers in place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .arguments import RangeError, floating, whole
from .draws import _not_negative, coin_flips, gaussian, integers, uniform
from .dtypes import DType
from .errors import ShapeError
from .generators import drawing
from .inplace import _check, assign

if TYPE_CHECKING:
    from .tensor import Tensor


def _ready(self: Tensor, name: str, whole_numbers: bool = False) -> DType:
    """The dtype to fill, after every check: what is refused has drawn nothing."""
    _check(self, self, name)
    return self._data.dtype if whole_numbers else floating(name, self._data.dtype)


def _fill(self: Tensor, drawn: Any, name: str) -> Tensor:
    return assign(self, type(self)(np.asarray(drawn).astype(self._data.dtype, copy=False)), name)


def normal_(self: Tensor, mean: float = 0, std: float = 1, *, generator: Any = None) -> Tensor:
    """Filled with normal numbers of that mean and standard deviation."""
    dtype = _ready(self, "normal_")
    _not_negative("normal_", "std", std)
    z = gaussian(self._data.shape, dtype, drawing("normal_", generator))
    return _fill(self, mean + z * std, "normal_")


def uniform_(self: Tensor, from_: float = 0, to: float = 1, *, generator: Any = None) -> Tensor:
    """Filled with numbers uniform in [from_, to)."""
    dtype = _ready(self, "uniform_")
    if not (from_ <= to and np.isfinite(from_) and np.isfinite(to)):
        raise RangeError(f"uniform_: expected finite from_ <= to, got {from_} and {to}")
    u = uniform(self._data.shape, dtype, drawing("uniform_", generator))
    drawn = np.asarray(u * (to - from_) + from_, dtype)
    drawn[drawn >= to] = from_  # rounding may have reached the bound that is excluded
    return _fill(self, drawn, "uniform_")


def bernoulli_(self: Tensor, p: Any = 0.5, *, generator: Any = None) -> Tensor:
    """Filled with 1, with probability ``p`` (a number, or a tensor that broadcasts), and 0."""
    _ready(self, "bernoulli_", whole_numbers=True)
    chance = getattr(p, "_data", p)
    if np.broadcast_shapes(np.shape(chance), self._data.shape) != self._data.shape:
        raise ShapeError(
            f"bernoulli_: probabilities of shape {np.shape(chance)} do not broadcast to "
            f"{self.shape}"
        )
    return _fill(self, coin_flips("bernoulli_", chance, self._data.shape, generator), "bernoulli_")


def random_(self: Tensor, from_: Any = None, to: Any = None, *, generator: Any = None) -> Tensor:
    """Filled with whole numbers in [from_, to), in [0, from_) if only one is given.

    Without bounds: every number that the dtype holds, 0 and up; for floats those it holds exactly.
    """
    dtype = _ready(self, "random_", whole_numbers=True)
    if to is not None:
        low, high = 0 if from_ is None else from_, to
    elif from_ is not None:
        low, high = 0, from_
    elif dtype.kind == "f":
        low, high = 0, 2 ** (np.finfo(dtype).nmant + 1) + 1
    else:
        low, high = 0, 2 if dtype.kind == "b" else min(np.iinfo(dtype).max + 1, 2**63)
    draw = drawing("random_", generator)
    low, high = whole("random_", "from_", low), whole("random_", "to", high)
    return _fill(self, integers("random_", low, high, self._data.shape, dtype, draw), "random_")


def exponential_(self: Tensor, lambd: float = 1, *, generator: Any = None) -> Tensor:
    """Filled with waiting times of rate ``lambd``: density lambd exp(-lambd x)."""
    _ready(self, "exponential_")
    if not lambd > 0:
        raise RangeError(f"exponential_: expected a rate lambd > 0, got {lambd}")
    draw = drawing("exponential_", generator)
    return _fill(self, draw.standard_exponential(self._data.shape) / lambd, "exponential_")


def log_normal_(self: Tensor, mean: float = 1, std: float = 2, *, generator: Any = None) -> Tensor:
    """Filled with exp(z), z normal with that mean and standard deviation."""
    dtype = _ready(self, "log_normal_")
    if not std > 0:
        raise RangeError(f"log_normal_: expected std > 0, got {std}")
    z = gaussian(self._data.shape, dtype, drawing("log_normal_", generator))
    return _fill(self, np.exp(mean + z * std), "log_normal_")


def geometric_(self: Tensor, p: float, *, generator: Any = None) -> Tensor:
    """Filled with the number of tries up to the first success, each succeeding with probability
    ``p``."""
    _ready(self, "geometric_", whole_numbers=True)
    if not 0 < p < 1:
        raise RangeError(f"geometric_: expected p in (0, 1), got {p}")
    tries = drawing("geometric_", generator).geometric(p, self._data.shape)
    return _fill(self, np.asarray(tries), "geometric_")


def cauchy_(self: Tensor, median: float = 0, sigma: float = 1, *, generator: Any = None) -> Tensor:
    """Filled with Cauchy numbers: density 1 / (pi sigma (1 + ((x - median) / sigma)²))."""
    _ready(self, "cauchy_")
    if not sigma > 0:
        raise RangeError(f"cauchy_: expected sigma > 0, got {sigma}")
    drawn = drawing("cauchy_", generator).standard_cauchy(self._data.shape)
    return _fill(self, median + np.asarray(drawn) * sigma, "cauchy_")
