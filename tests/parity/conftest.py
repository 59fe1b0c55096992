"""Comparing a program that runs under both libraries, its result and its gradients."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradling


class Parity:
    """Runs an expression in ``t`` (the library) and named tensors under both libraries."""

    def __init__(self, torch: Any) -> None:
        self.torch = torch

    def run(self, program: str, library: Any, arrays: dict[str, Any]) -> Any:
        """(results, gradients of floating operands by a random cotangent), or the exception."""
        make = library.from_numpy
        # copies: some layouts are not PyTorch's, and programs may edit in place
        tensors = {name: make(np.array(array, order="C")) for name, array in arrays.items()}
        floats = [x for x in tensors.values() if x.is_floating_point()]
        for x in floats:
            x.requires_grad_()
        pad = gradling.pad if library is gradling else library.nn.functional.pad
        names = {"t": library, "np": np, "pad": pad, "put": put, "edit": edit, "nan": np.nan}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                out = eval(program, names | tensors)
                outs = list(out) if isinstance(out, (tuple, list)) else [out]
                kept = [y for y in outs if hasattr(y, "requires_grad") and y.requires_grad]
                total = sum((y * make(cotangent(y))).sum() for y in kept) if kept else None
                if total is not None:
                    total.backward()
        except Exception as error:
            return error
        return outs, [x.grad for x in floats]

    def __call__(
        self, program: str, rtol: float = 1e-6, value_only: bool = False, /, **arrays: Any
    ) -> None:
        theirs = self.run(program, self.torch, arrays)
        ours = self.run(program, gradling, arrays)
        said = f"{program} with { ({k: (v.shape, str(v.dtype)) for k, v in arrays.items()}) }"
        if isinstance(theirs, Exception):
            assert isinstance(ours, Exception), f"{said}: we gave {ours[0]} for {theirs!r}"
            kind = next(k for k in type(theirs).__mro__ if k.__module__ == "builtins")
            kinds = (TypeError,) if kind is NotImplementedError else (kind, TypeError)
            assert isinstance(ours, kinds), f"{said}: {ours!r} for {theirs!r}"
            return
        if isinstance(ours, Exception):
            raise AssertionError(f"{said}: we raised {ours!r} for {theirs[0]}") from ours
        assert len(ours[0]) == len(theirs[0]), said
        # Sums of the operands' entries are rounded as these are, however little is left of them.
        floats = [x[np.isfinite(x)] for x in arrays.values() if np.asarray(x).dtype.kind == "f"]
        terms = max((float(np.abs(x).max(initial=0)) for x in floats), default=0.0)
        for a, b in zip(ours[0], theirs[0], strict=True):
            same(a, b, rtol, said, terms)
        for a, b in zip(ours[1], theirs[1], strict=True):
            if not value_only and (a is not None or b is not None):
                # None and zeros say the same: nothing depends on it
                a = (
                    gradling.zeros(tuple(b.shape), dtype=gradling.float64).to(str(b.dtype))
                    if a is None
                    else a
                )
                b = (
                    self.torch.zeros(a.shape).to(getattr(self.torch, str(a.dtype)))
                    if b is None
                    else b
                )
                same(a, b, rtol, f"gradient of {said}", terms)


def put(x: Any, key: Any, value: Any) -> Any:
    """A copy of x after ``x[key] = value``."""
    y = x.clone()
    y[key] = value
    return y


def edit(x: Any, method: str, *args: Any, **options: Any) -> Any:
    """A copy of x after an in-place method."""
    y = x.clone()
    assert getattr(y, method)(*args, **options) is y
    return y


def cotangent(y: Any) -> Any:
    shape = tuple(y.shape)
    rng = np.random.default_rng(int(np.prod(shape)))
    return rng.normal(size=shape).astype(str(y.dtype).removeprefix("torch."))


def same(ours: Any, theirs: Any, rtol: float, said: str, terms: float) -> None:
    if not hasattr(theirs, "dtype"):
        assert ours == theirs, said
        return
    assert str(theirs.dtype) == f"torch.{ours.dtype}", f"{said}: {ours.dtype} for {theirs.dtype}"
    assert tuple(theirs.shape) == ours.shape, f"{said}: {ours.shape} for {tuple(theirs.shape)}"
    expected = theirs.detach().numpy()
    size = float(np.abs(expected[np.isfinite(expected)]).max(initial=0)) if expected.size else 0.0
    np.testing.assert_allclose(
        ours.detach().numpy(), expected, rtol=rtol, atol=rtol * max(size, terms), err_msg=said
    )


@pytest.fixture(autouse=True)
def the_same_numbers_in_both() -> None:
    pytest.importorskip("torch").manual_seed(0)


@pytest.fixture(scope="session")
def agree() -> Callable[..., None]:
    """``agree("t.roll(x, 1)", x=array)``: equal values, dtypes, gradients, or both refuse."""
    return Parity(pytest.importorskip("torch"))
