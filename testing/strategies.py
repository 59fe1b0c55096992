"""Hypothesis strategies for tensors, values, shapes and what ops take besides.

They draw small numbers, many of them multiples of 1/8 (exact in every dtype), at a distance from
kinks and poles by construction, so that nothing is thrown away. Sizes 0 and 1 and rank 0 are always
included. What fails is printed as code that runs: ``gradling.tensor([[0.5]], ...)``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from hypothesis.vendor.pretty import for_type_by_name

from ..engine import Value
from ..engine.op import REAL, Domain
from ..tensor import Tensor
from . import memory as _layouts
from .domains import GAP, REACH, pieces
from .networks import ACTIVATIONS, network
from .program import tensor_code

Shape = tuple[int, ...]
FLOATS = ("float64", "float32", "float16")

# A tensor's own repr rounds its numbers; a failing example needs them to the last digit.
for_type_by_name(
    Tensor.__module__, "Tensor", lambda x, printer, cycle: printer.text(tensor_code(x))
)


def dtypes(*names: str) -> SearchStrategy[str]:
    """Floating dtypes, by name; simplest first.

    >>> dtypes("float32").example()  # doctest: +SKIP
    'float32'
    """
    return st.sampled_from(names or FLOATS)


def shapes(
    min_dims: int = 0, max_dims: int = 3, min_side: int = 0, max_side: int = 4
) -> SearchStrategy[Shape]:
    """Shapes, rank 0 and sizes 0 and 1 included."""
    side = st.integers(min_side, max_side).map(lambda n: _small_first(n, min_side, max_side))
    return st.lists(side, min_size=min_dims, max_size=max_dims).map(tuple)


def _small_first(n: int, low: int, high: int) -> int:
    # Hypothesis shrinks to the lowest number: 1, then 2, ... read better than an empty example.
    order: list[int] = [*range(max(low, 1), high + 1), *range(low, min(1, high + 1))]
    return order[n - low]


def dims(ndim: int, several: bool = True) -> SearchStrategy[Any]:
    """What ``dim=`` may be for ``ndim`` axes: None, a positive or negative int, a tuple of them."""
    if ndim == 0:
        return st.sampled_from((None, ())) if several else st.none()
    one = st.integers(-ndim, ndim - 1)
    if not several:
        return one
    many = st.permutations(range(ndim)).flatmap(
        lambda order: st.integers(1, ndim).flatmap(
            lambda count: st.tuples(*(st.sampled_from((k, k - ndim)) for k in order[:count]))
        )
    )
    return st.one_of(st.none(), one, many)


@st.composite
def indices(draw: Any, shape: Shape, advanced: bool = True) -> Any:
    """Indices that NumPy takes for ``shape``: ints, slices, None, ``...``, and with ``advanced``
    lists (repeating entries), boolean masks, and mixtures."""
    # One mask, or lists, not both: the lengths of what is picked would have to agree.
    fancy = draw(st.sampled_from(("", "mask", "list"))) if advanced else ""
    length = draw(st.integers(1, 3))  # index lists broadcast together, so they share a length
    parts: list[Any] = []
    for n in shape[: draw(st.integers(0, len(shape)))]:
        kind = draw(st.sampled_from(["slice", "int", *filter(None, [fancy])]))
        if kind == "slice" or n == 0:
            end = st.none() | st.integers(-n - 1, n + 1)
            parts.append(slice(draw(end), draw(end), draw(st.sampled_from((None, 2)))))
        elif kind == "int":
            parts.append(draw(st.integers(-n, n - 1)))
        elif kind == "list":
            places = draw(st.lists(st.integers(-n, n - 1), min_size=length, max_size=length))
            if draw(st.booleans()):  # one entry under two names: 1 and 1 - n
                places[-1] = places[0] - n if places[0] >= 0 else places[0] + n
            parts.append(places)
        else:
            parts.append(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
            fancy = ""
    if draw(st.booleans()):
        parts.insert(draw(st.integers(0, len(parts))), None)
    if draw(st.booleans()):
        parts.append(Ellipsis)
    return tuple(parts)


def floats(domain: Domain = REAL, reach: float = REACH, width: int = 64) -> SearchStrategy[float]:
    """Numbers of a domain, away from what it avoids; simple fractions more often than not."""
    simple: list[float] = []
    generic: list[SearchStrategy[float]] = []
    for low, high in pieces(domain, reach):
        simple += [k / 8 for k in range(math.ceil(low * 8), math.floor(high * 8) + 1)]
        low, high = (low, high) if width == 64 else (_inside(low, high), _inside(high, low))
        within = st.floats(low, high, allow_subnormal=False, width=64 if width == 64 else 32)
        generic.append(within.map(_visible))
    return st.one_of(st.sampled_from(sorted(simple, key=_plainness)), *generic)


def _plainness(x: float) -> tuple[bool, int, bool, float]:
    # Examples shrink to the first of these. 0 and 1 come last: x * x, x**3 and 1 hide mistakes.
    return abs(x) in (0.0, 1.0), x.as_integer_ratio()[1], x < 0, abs(x)


def _visible(x: float) -> float:
    # 1e-80 beside 2.0 takes part in nothing: every slope along it drowns in rounding.
    return x if abs(x) > 1e-3 else 0.0


def _inside(end: float, towards: float) -> float:
    """The float32 next to ``end`` that does not leave the interval."""
    single = np.float32(end)
    if (single < end) == (towards > end) and single != end:
        single = np.nextafter(single, np.float32(towards))
    return float(single)


def away_from_kinks(
    *points: float, low: float = -math.inf, high: float = math.inf
) -> SearchStrategy[float]:
    """Numbers between ``low`` and ``high``, at least 1/8 away from each of ``points``.

    >>> from hypothesis import given
    >>> @given(away_from_kinks(0.0, 1.0))
    ... def test(x):
    ...     assert min(abs(x), abs(x - 1)) >= 0.125
    >>> test()
    """
    return floats(Domain("away from kinks", low, high, points))


@st.composite
def arrays(
    draw: Any,
    shape: Shape | SearchStrategy[Shape] | None = None,
    domain: Domain = REAL,
    dtype: str | SearchStrategy[str] = "float64",
    elements: SearchStrategy[float] | None = None,
) -> np.ndarray[Any, Any]:
    """NumPy arrays of a domain, contiguous."""
    where = _drawn(draw, shapes() if shape is None else shape)
    kind = np.dtype(_drawn(draw, dtype))
    if domain.name == "truth value":
        elements = st.booleans() if elements is None else elements
        kind = np.dtype(bool)
    if elements is None:
        elements = floats(domain, width=8 * kind.itemsize)
    count = math.prod(where)
    numbers = draw(st.lists(elements, min_size=count, max_size=count))
    return np.array(numbers, dtype=kind).reshape(where)


@st.composite
def tensors(
    draw: Any,
    shape: Shape | SearchStrategy[Shape] | None = None,
    domain: Domain = REAL,
    dtype: str | SearchStrategy[str] = "float64",
    elements: SearchStrategy[float] | None = None,
    layout: str | SearchStrategy[str] = "contiguous",
    requires_grad: bool = True,
) -> Tensor:
    """Tensors. ``domain`` or ``elements`` say which numbers, ``layout`` one of `layouts`.

    >>> from hypothesis import given
    >>> @given(tensors(shape=(2, 3)))
    ... def test(x):
    ...     assert x.shape == (2, 3) and x.requires_grad
    >>> test()
    """
    array = draw(arrays(shape, domain, dtype, elements))
    return _tensor(array, _drawn(draw, layout), requires_grad)


def _tensor(array: np.ndarray[Any, Any], layout: str, requires_grad: bool) -> Tensor:
    x = Tensor(_layouts.lay_out(array, layout))
    return x.requires_grad_() if requires_grad and array.dtype.kind == "f" else x


def values(domain: Domain = REAL) -> SearchStrategy[Value]:
    """Values holding a number of a domain."""
    return st.builds(Value, floats(domain))


def layouts() -> SearchStrategy[str]:
    """Names of memory layouts: contiguous, transposed, strided, reversed, broadcast (read-only)."""
    return st.sampled_from(_layouts.LAYOUTS)


@st.composite
def broadcastable_shapes(
    draw: Any, count: int, max_dims: int = 3, min_side: int = 0, max_side: int = 3
) -> tuple[Shape, ...]:
    """``count`` shapes that broadcast together, some with axes missing or of size 1."""
    result = draw(shapes(0, max_dims, min_side, max_side))
    full = draw(
        st.integers(0, count - 1)
    )  # one operand has the result's shape: it is not all stretched
    found = []
    for k in range(count):
        if k == full:
            found.append(result)
            continue
        shape = result[draw(st.integers(0, len(result))) :]
        keep = draw(st.lists(st.booleans(), min_size=len(shape), max_size=len(shape)))
        found.append(tuple(1 if one else n for n, one in zip(shape, keep, strict=True)))
    return tuple(found)


@st.composite
def broadcastable_tensors(
    draw: Any,
    count: int = 2,
    domain: Domain | Sequence[Domain] = REAL,
    dtype: str | SearchStrategy[str] = "float64",
    layout: str | SearchStrategy[str] = "contiguous",
    requires_grad: bool = True,
) -> tuple[Tensor, ...]:
    """``count`` tensors whose shapes broadcast together, size 0 and rank 0 included.

    >>> from hypothesis import given
    >>> @given(broadcastable_tensors(2))
    ... def test(pair):
    ...     a, b = pair
    ...     (a + b).sum().backward()
    ...     assert a.grad.shape == a.shape
    >>> test()
    """
    domains = [domain] * count if isinstance(domain, Domain) else list(domain)
    return tuple(
        draw(tensors(shape, each, dtype, None, layout, requires_grad))
        for shape, each in zip(draw(broadcastable_shapes(count)), domains, strict=True)
    )


@st.composite
def distinct(
    draw: Any,
    shape: Shape | SearchStrategy[Shape] | None = None,
    gap: float = GAP,
    dtype: str = "float64",
    requires_grad: bool = True,
) -> Tensor:
    """Tensors whose entries all differ by at least ``gap``: for max, sort, median, pooling."""
    where = _drawn(draw, shapes() if shape is None else shape)
    return _tensor(draw(distinct_arrays(where, gap, dtype)), "contiguous", requires_grad)


@st.composite
def distinct_arrays(
    draw: Any, shape: Shape, gap: float = GAP, dtype: str = "float64"
) -> np.ndarray[Any, Any]:
    """Arrays whose entries all differ by at least ``gap``."""
    count = math.prod(shape)
    order = draw(st.permutations(range(count)))
    start = -gap * (count // 2) + gap / 2  # around zero, but not on it
    return np.array([start + gap * k for k in order], dtype=dtype).reshape(shape)


def _drawn(draw: Any, what: Any) -> Any:
    return draw(what) if isinstance(what, SearchStrategy) else what


def modules(
    inputs: int | SearchStrategy[int] | None = None,
    outputs: int | SearchStrategy[int] | None = None,
    max_layers: int = 3,
    activations: Sequence[str] = ACTIVATIONS,
) -> SearchStrategy[Any]:
    """Small random architectures (`network`): widths, depth, activation, bias, weights.

    >>> from hypothesis import given, settings
    >>> @settings(max_examples=5, deadline=None)
    ... @given(modules(inputs=2))
    ... def test(model):
    ...     assert model(Tensor(np.ones((4, 2)))).shape[0] == 4
    >>> test()
    """
    width = st.integers(1, 4)
    first = width if inputs is None else st.just(inputs) if isinstance(inputs, int) else inputs
    last = width if outputs is None else st.just(outputs) if isinstance(outputs, int) else outputs
    sizes = st.tuples(first, st.lists(width, max_size=max_layers - 1), last).map(
        lambda parts: [parts[0], *parts[1], parts[2]]
    )
    return st.builds(
        network, sizes, st.sampled_from(activations), st.booleans(), st.integers(0, 99)
    )
