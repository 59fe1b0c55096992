"""Random tensors. Everything that draws takes ``generator=``; without one, the process's is
used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .arguments import RangeError, fits, floating, new_shape, numbers, on_cpu, said, whole
from .dtypes import DType, as_dtype, int64, promote_types
from .errors import ShapeError
from .generators import drawing
from .node import Array
from .reading import read

if TYPE_CHECKING:
    from .tensor import Tensor


def uniform(shape: tuple[int, ...], dtype: DType, draw: np.random.Generator) -> Array:
    """Uniform in [0, 1): 1.0 is never drawn, whatever the precision."""
    if dtype.itemsize == 2:  # a float32 draw rounded to float16 could become 1
        return (draw.integers(0, 2**11, shape) / 2**11).astype(dtype)
    return np.asarray(draw.random(shape, dtype=dtype.type))


def gaussian(shape: tuple[int, ...], dtype: DType, draw: np.random.Generator) -> Array:
    drawn = np.float32 if dtype.itemsize == 2 else dtype.type
    return np.asarray(draw.standard_normal(shape, dtype=drawn), dtype)


def integers(name: str, low: Any, high: Any, shape: Any, dtype: DType, draw: Any) -> Array:
    """Whole numbers in [low, high), after the check that there are some, and that ``dtype`` holds
    them."""
    low, high = whole(name, "low", low), whole(name, "high", high)
    if low >= high:
        raise RangeError(f"{name}: expected low < high, got low = {low} and high = {high}")
    if dtype.kind in "iu":
        room = np.iinfo(dtype)
        if low < room.min or high - 1 > room.max:
            raise RangeError(
                f"{name}: numbers from {low} to {high - 1} do not fit {dtype}, which holds "
                f"{room.min} to {room.max}"
            )
    if low < -(2**63) or high > 2**63:
        raise RangeError(f"{name}: expected bounds within int64, got {low} and {high}")
    return np.asarray(draw.integers(low, high, shape, dtype=np.int64)).astype(dtype)


def made(array: Array, requires_grad: bool) -> Tensor:
    read("a random tensor")
    from .tensor import Tensor

    tensor = Tensor(array)
    return tensor.requires_grad_() if requires_grad else tensor


def rand(
    *size: Any,
    generator: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    **named_size: Any,
) -> Tensor:
    """Uniform in [0, 1), of shape ``size``.

    Raises:
        TypeError: a dtype that is not floating, sizes that are no whole numbers.
        ShapeError: negative ones.

    >>> import gradling
    >>> gradling.rand(2, 3, generator=gradling.Generator(0)).shape
    (2, 3)
    """
    on_cpu("rand", device)
    shape, wanted = new_shape("rand", size, **named_size), floating("rand", dtype)
    return made(uniform(shape, wanted, drawing("rand", generator)), requires_grad)


def randn(
    *size: Any,
    generator: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    **named_size: Any,
) -> Tensor:
    """Normal with mean 0 and variance 1, of shape ``size``."""
    on_cpu("randn", device)
    shape, wanted = new_shape("randn", size, **named_size), floating("randn", dtype)
    return made(gaussian(shape, wanted, drawing("randn", generator)), requires_grad)


def randint(
    low: Any = 0,
    high: Any = None,
    size: Any = None,
    *,
    generator: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Whole numbers in [low, high), each equally likely: ``randint(high, size)`` or ``randint(low,
    high, size)``.

    >>> import gradling
    >>> gradling.randint(5, (4,)).shape
    (4,)
    """
    on_cpu("randint", device)
    if size is None:
        low, high, size = 0, low, high
    elif high is None:
        low, high = 0, low
    if not isinstance(size, (tuple, list)):
        raise TypeError(f"randint: expected size to be a tuple, got {said(size)}")
    wanted = int64 if dtype is None else as_dtype(dtype)
    shape = new_shape("randint", (size,))
    array = integers("randint", low, high, shape, wanted, drawing("randint", generator))
    return made(array, requires_grad)


def randperm(
    n: int,
    *,
    generator: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The numbers 0 to n - 1 in random order."""
    on_cpu("randperm", device)
    count = whole("randperm", "n", n)
    if count < 0:
        raise ShapeError(f"randperm: n cannot be negative, got {count}")
    wanted = int64 if dtype is None else as_dtype(dtype)
    fits("randperm", max(count - 1, 0), wanted)
    return made(drawing("randperm", generator).permutation(count).astype(wanted), requires_grad)


def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Normal with ``mean`` and ``std``: tensors that broadcast, or two numbers and a ``size``.

    Raises:
        ValueError: a negative or nan ``std``.
        TypeError: two numbers without a size.
    """
    on_cpu("normal", device)
    given = [getattr(x, "_data", x) for x in (mean, std)]
    arrays = [x for x in given if isinstance(x, np.ndarray)]
    _not_negative("normal", "std", given[1])
    if size is not None:
        shape: tuple[int, ...] = new_shape("normal", (size,))
        wanted = floating("normal", dtype)
    elif arrays:
        wanted = (
            arrays[0].dtype if len(arrays) == 1 else promote_types(arrays[0].dtype, arrays[1].dtype)
        )
        floating("normal", wanted)
        try:
            shape = np.broadcast_shapes(*(x.shape for x in arrays))
        except ValueError:
            raise ShapeError(
                f"normal: mean {arrays[0].shape} and std {arrays[1].shape} do not broadcast"
            ) from None
    else:
        raise TypeError("normal: two numbers need a size: normal(mean, std, (2, 3))")
    z = gaussian(shape, wanted, drawing("normal", generator))
    return made(np.asarray(given[0] + z * given[1], wanted), requires_grad)


def _not_negative(name: str, what: str, value: Any) -> None:
    if not np.all(np.asarray(value) >= 0):  # false for nan too
        raise RangeError(f"{name}: expected {what} >= 0, got {value!r}")


def bernoulli(input: Tensor, p: Any = None, *, generator: Any = None) -> Tensor:
    """1 with probability ``input`` (or ``p``, where given), else 0; of the shape and dtype of
    ``input``.

    Raises:
        ValueError: a probability outside [0, 1].
        TypeError: probabilities that are whole numbers.
    """
    chance = getattr(p, "_data", p) if p is not None else input._data
    hits = coin_flips("bernoulli", chance, input._data.shape, generator)
    return made(hits.astype(input._data.dtype), False)


def coin_flips(name: str, chance: Any, shape: tuple[int, ...], generator: Any) -> Array:
    """True with probability ``chance``, a number or an array that broadcasts to ``shape``."""
    if isinstance(chance, np.ndarray) and chance.dtype.kind != "f":
        raise TypeError(f"{name}: probabilities must be floating, got {chance.dtype}; use .float()")
    if not np.all((np.asarray(chance) >= 0) & (np.asarray(chance) <= 1)):
        raise RangeError(f"{name}: expected probabilities in [0, 1], got {extremes(chance)}")
    return np.asarray(drawing(name, generator).random(shape) < chance)


def extremes(values: Any) -> str:
    if not isinstance(values, np.ndarray):
        return repr(values)
    if np.isnan(values).any():
        return f"nan at {tuple(int(i) for i in np.argwhere(np.isnan(values))[0])}"
    return f"values from {values.min():g} to {values.max():g}"


def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator: Any = None
) -> Tensor:
    """``num_samples`` indices, drawn with probabilities proportional to ``input`` (n,) or (rows,
    n).

    Without replacement no index comes twice: the ``num_samples`` smallest of exponential variables
    with rates ``input`` are those of successive draws (Efraimidis & Spirakis, 2006).

    Returns:
        int64 indices, (num_samples,) or (rows, num_samples).

    >>> import gradling
    >>> gradling.multinomial(gradling.tensor([0.0, 0.0, 1.0]), 2, replacement=True)
    tensor([2, 2])
    """
    weights, count = input._data, whole("multinomial", "num_samples", num_samples)
    _check_weights(weights, count, replacement)
    draw = drawing("multinomial", generator)
    weights = weights.astype(np.float64)
    if replacement:
        steps = np.cumsum(weights, axis=-1)
        marks = draw.random((*weights.shape[:-1], count)) * steps[..., -1:]
        if weights.ndim == 1:
            picked = np.searchsorted(steps, marks, side="right")
        else:
            pairs = zip(steps, marks, strict=True)
            rows = [np.searchsorted(s, m, side="right") for s, m in pairs]
            picked = np.array(rows, np.int64).reshape(marks.shape)
        # a mark rounded up to the last step must not land behind the last index that has a weight
        last = weights.shape[-1] - 1 - np.argmax(weights[..., ::-1] > 0, axis=-1)
        picked = np.minimum(picked, np.asarray(last)[..., None])
    else:
        with np.errstate(divide="ignore"):
            arrival = draw.standard_exponential(weights.shape) / weights
        picked = np.argsort(arrival, axis=-1, kind="stable")[..., :count]
    return made(picked.astype(np.int64), False)


def _check_weights(weights: Array, count: int, replacement: bool) -> None:
    if weights.dtype.kind != "f":
        raise TypeError(f"multinomial: weights must be floating, got {weights.dtype}; use .float()")
    if weights.ndim not in (1, 2):
        raise ShapeError(
            f"multinomial: expected weights of shape (n,) or (rows, n), got {weights.shape}"
        )
    if count <= 0:
        raise RangeError(f"multinomial: expected num_samples > 0, got {count}")
    if not (np.isfinite(weights) & (weights >= 0)).all():
        raise RangeError(
            f"multinomial: weights must be finite and not negative, got {extremes(weights)}"
        )
    if weights.shape[-1] == 0 or (not replacement and count > weights.shape[-1]):
        raise RangeError(
            f"multinomial: cannot draw {count} of {weights.shape[-1]} without replacement; pass "
            "replacement=True, or draw fewer"
        )
    if not (weights.sum(axis=-1) > 0).all():
        raise RangeError("multinomial: the weights of a row are all 0; one must be positive")


def poisson(input: Tensor, *, generator: Any = None) -> Tensor:
    """Counts with mean ``input``, of its shape and dtype."""
    floating("poisson", input._data.dtype)
    if not (input._data >= 0).all():
        raise RangeError(f"poisson: expected rates >= 0, got {extremes(input._data)}")
    counts = drawing("poisson", generator).poisson(input._data)
    return made(np.asarray(counts).astype(input._data.dtype), False)


def rand_like(input: Tensor, *, dtype: Any = None, **options: Any) -> Tensor:
    """Uniform in [0, 1), in the shape and dtype of ``input``."""
    return rand(
        _shape("rand_like", input), dtype=input.dtype if dtype is None else dtype, **options
    )


def randn_like(input: Tensor, *, dtype: Any = None, **options: Any) -> Tensor:
    """Normal with mean 0 and variance 1, in the shape and dtype of ``input``."""
    return randn(
        _shape("randn_like", input), dtype=input.dtype if dtype is None else dtype, **options
    )


def randint_like(
    input: Tensor, low: Any = 0, high: Any = None, *, dtype: Any = None, **options: Any
) -> Tensor:
    """Whole numbers in [low, high), in the shape and dtype of ``input``."""
    shape = _shape("randint_like", input)
    low, high = (0, low) if high is None else (low, high)
    return randint(low, high, shape, dtype=input.dtype if dtype is None else dtype, **options)


def _shape(name: str, input: Any) -> tuple[int, ...]:
    if not hasattr(input, "_data"):
        raise TypeError(
            f"{name}: expected a tensor, got {said(input)}; wrap it: gradling.tensor(...)"
        )
    return numbers(name, (input._data.shape,))
