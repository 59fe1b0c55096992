"""Free functions: what they say about arguments that are no tensors, and that they can be kept."""

from __future__ import annotations

import inspect
import pickle
from types import FunctionType
from typing import Any

import numpy as np
import pytest

import gradling

ODD = ([1.0, 2.0], 3.0, np.ones(2), "x", None)
# The first argument is a shape, a number, a dtype, a seed, a function, or may be an array.
MAKERS = {
    *("zeros", "ones", "empty", "full", "arange", "linspace", "logspace", "eye", "rand", "randn"),
    *("randint", "randperm", "normal", "as_tensor", "asarray", "from_numpy", "from_dlpack"),
    *("save", "load", "manual_seed", "seed", "set_rng_state", "set_default_dtype", "grad", "vjp"),
    *("jvp", "hvp", "hessian", "jacobian", "value_and_grad", "grad_and_value", "tril_indices"),
    *("triu_indices", "broadcast_shapes", "can_cast", "promote_types", "result_type", "einsum"),
    *("is_tensor", "float_power", "where", "set_grad_enabled", "clamp", "clip"),
}


def functions() -> dict[str, Any]:
    return {
        name: f
        for name, f in vars(gradling).items()
        if isinstance(f, FunctionType) and not name.startswith("_") and name not in MAKERS
        if "gradling.engine" not in f.__module__
        and next(iter(inspect.signature(f).parameters), None) in ("input", "A")
    }


def test_there_are_functions_of_tensors() -> None:
    assert {"sum", "softmax", "sort", "exp", "add", "reshape", "det"} <= set(functions())


@pytest.mark.parametrize("name", sorted(functions()))
def test_what_is_no_tensor_is_refused_by_name(name: str) -> None:
    function = functions()[name]
    needed = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty]
    others = [0 for p in needed[1:] if p.kind is p.POSITIONAL_OR_KEYWORD]
    try:
        function([1.0, 2.0], *others)
    except TypeError as error:
        assert "expected" in str(error), error
        assert "_data" not in str(error), error


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_the_message_names_function_argument_and_remedy(odd: Any) -> None:
    with pytest.raises(TypeError, match=r"mean: expected input to be a tensor, got .*wrap it"):
        gradling.mean(odd)


def test_the_argument_is_found_wherever_it_stands() -> None:
    x = gradling.ones(2)
    with pytest.raises(TypeError, match="tensordot: expected b to be a tensor, got list"):
        gradling.tensordot(x, [1.0, 2.0], 1)
    with pytest.raises(TypeError, match="each of tensors to be a tensor, got int 1"):
        gradling.broadcast_tensors(x, 1)
    with pytest.raises(TypeError, match="inv: expected A to be a tensor, got list"):
        gradling.linalg.inv([[1.0]])


def test_other_errors_are_left_as_they_are() -> None:

    with pytest.raises(AttributeError, match="requires_gradient"):
        _ = gradling.sum(gradling.ones(2)).requires_gradient


@pytest.mark.parametrize(
    "name", ["tanh", "add", "sum", "cat", "concat", "softmax", "max", "inverse"]
)
def test_a_function_survives_pickling(name: str) -> None:
    function = getattr(gradling, name)
    assert pickle.loads(pickle.dumps(function)) is function


def test_a_misspelt_keyword_is_named_with_its_function() -> None:
    with pytest.raises(TypeError, match=r"zeros\(\) got an unexpected keyword argument 'dtyp'"):
        gradling.zeros(2, dtyp=gradling.float64)


def test_numpy_whole_numbers_are_dims() -> None:
    x = gradling.arange(6.0).reshape(2, 3)
    dim = np.int64(0)
    for name in ("sum", "mean", "amax", "amin", "all", "any", "std", "logsumexp", "argmax"):
        function = getattr(gradling, name)
        assert (function(x, dim) == function(x, 0)).all(), name
    assert (gradling.roll(x, 1, dim) == gradling.roll(x, 1, 0)).all()
    assert (gradling.linalg.norm(x, dim=dim) == gradling.linalg.norm(x, dim=0)).all()


@pytest.mark.parametrize("number", [np.float64(2.5), np.float32(2.5), np.float16(2.5)])
def test_numpy_numbers_take_part_by_kind_as_pythons_do(number: Any) -> None:
    whole, single, loss = (
        gradling.ones(2, dtype=gradling.int64),
        gradling.ones(2),
        gradling.ones(()),
    )
    for x in (whole, single, loss):
        for y in (x * number, number * x, x + number, x / number, gradling.maximum(x, number)):
            assert y.dtype is gradling.float32
    assert (single.double() * number).dtype is gradling.float64


def test_small_whole_dtypes_by_name() -> None:
    x = gradling.tensor([1.5, 200.0])
    assert x[:1].char().dtype is gradling.int8
    assert x.byte().dtype is gradling.uint8
    assert x.byte().tolist() == [1, 200]


def test_tangents_come_in_a_tuple() -> None:
    x = gradling.ones(3)
    with pytest.raises(TypeError, match=r"jvp: expected a tuple.*\(x,\)"):
        gradling.jvp(lambda x: x * 2, x, x)
    with pytest.raises(TypeError, match=r"hvp: expected a tuple.*\(v,\)"):
        gradling.hvp(lambda x: (x * x).sum(), (x,), x)
