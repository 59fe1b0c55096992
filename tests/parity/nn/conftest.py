"""Running a module or function of ours beside PyTorch's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import gradling

TOLERANCE = {"float64": 1e-9, "float32": 2e-4, "float16": 2e-2}  # of the largest entry


def flat(outputs: Any) -> list[Any]:
    """Tensors of nested tuples in order; None where there is none."""
    if isinstance(outputs, (tuple, list)):
        return [x for part in outputs for x in flat(part)]
    return [outputs]


def as_array(x: Any) -> np.ndarray[Any, Any]:
    return x.detach().numpy() if hasattr(x, "detach") else np.asarray(x)


def near(what: str, ours: Any, theirs: Any, tolerance: float | None = None) -> None:
    """Equal in shape and dtype, and in value up to rounding relative to the largest entry."""
    if theirs is None or ours is None:
        assert (theirs is None) == (ours is None), f"{what}: ours is {ours}, PyTorch's {theirs}"
        return
    a, b = as_array(ours), as_array(theirs)
    assert a.shape == b.shape, f"{what}: ours has shape {a.shape}, PyTorch's {b.shape}"
    assert a.dtype == b.dtype, f"{what}: ours is {a.dtype}, PyTorch's {b.dtype}"
    if b.dtype.kind != "f":
        assert np.array_equal(a, b), f"{what}: ours {a.tolist()}, PyTorch's {b.tolist()}"
        return
    assert np.array_equal(np.isfinite(a), np.isfinite(b)), f"{what}: {a} beside PyTorch's {b}"
    fine = np.isfinite(b)
    limit = (tolerance or TOLERANCE[str(b.dtype)]) * max(1.0, np.abs(b[fine]).max(initial=0.0))
    worst = np.abs(a[fine].astype(float) - b[fine].astype(float)).max(initial=0.0)
    assert worst <= limit, f"{what}: off by {worst:.3g}, allowed {limit:.3g}"


def upstream(y: Any, place: int) -> np.ndarray[Any, Any]:
    """An irregular gradient for an output, the same for both."""
    rng = np.random.default_rng(place + y.numel())
    return rng.integers(-8, 9, tuple(y.shape)).astype(str(y.dtype).removeprefix("torch.")) / 8


def both(
    ours: Callable[..., Any],
    theirs: Callable[..., Any],
    arrays: Sequence[Any],
    tolerance: float | None = None,
) -> tuple[list[Any], list[Any]]:
    """Call both with tensors of ``arrays``; compare outputs and gradients to every floating input.

    What is no array goes to both as it is.
    """
    import torch

    mine, other = [], []
    for x in arrays:
        is_array = isinstance(x, np.ndarray)
        follow = is_array and x.dtype.kind == "f"
        mine.append(gradling.tensor(x, requires_grad=follow) if is_array else x)
        other.append(torch.tensor(x, requires_grad=follow) if is_array else x)
    found, wanted = flat(ours(*mine)), flat(theirs(*other))
    assert len(found) == len(wanted), f"{len(found)} outputs, PyTorch has {len(wanted)}"
    for place, (a, b) in enumerate(zip(found, wanted, strict=True)):
        near(f"output {place}", a, b, tolerance)
    seeded = [i for i, b in enumerate(wanted) if b is not None and b.requires_grad]
    if seeded:
        gradients = [upstream(wanted[i], i) for i in seeded]
        torch.autograd.backward([wanted[i] for i in seeded], [torch.tensor(g) for g in gradients])
        gradling.autograd.backward(
            [found[i] for i in seeded], [gradling.tensor(g) for g in gradients]
        )
        for place, (a, b) in enumerate(zip(mine, other, strict=True)):
            if isinstance(b, torch.Tensor) and b.requires_grad:
                near(f"gradient of input {place}", a.grad, b.grad, tolerance)
    return found, wanted


def twins(
    ours: Any,
    theirs: Any,
    arrays: Sequence[Any],
    *,
    dtype: str = "float64",
    training: bool = True,
    tolerance: float | None = None,
    times: int = 1,
) -> None:
    """The same module twice: equal keys, outputs, gradients and buffers, with PyTorch's weights."""
    import torch

    ours.to(np.dtype(dtype)).train(training)
    theirs.to(getattr(torch, dtype)).train(training)
    state = theirs.state_dict()
    assert list(ours.state_dict()) == list(state)
    ours.load_state_dict({name: x.numpy() for name, x in state.items()})
    for _ in range(times):
        both(ours, theirs, arrays, tolerance)
    named = dict(ours.named_parameters())
    for name, parameter in theirs.named_parameters():
        near(f"gradient of {name}", named[name].grad, parameter.grad, tolerance)
    found = ours.state_dict()
    for name, tensor in theirs.state_dict().items():
        near(name, found[name], tensor, tolerance)


@pytest.fixture(name="twins", scope="session")
def twins_fixture() -> Callable[..., None]:
    return twins


@pytest.fixture(name="both", scope="session")
def both_fixture() -> Callable[..., Any]:
    return both


@pytest.fixture(name="near", scope="session")
def near_fixture() -> Callable[..., None]:
    return near
