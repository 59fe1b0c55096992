"""Creation against PyTorch: values, dtypes, shapes, and which arguments are refused."""

from __future__ import annotations

import itertools
import math
import warnings
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

import gradling

torch = pytest.importorskip("torch")

# What PyTorch raises, and what we do: for wrong dtypes it has NotImplementedError.
KIND = {NotImplementedError: TypeError}
NAN, INF = math.nan, math.inf


def outcome(program: str, library: Any) -> Any:
    """What an expression in ``t`` gives, or the exception it raises."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return eval(program, {"t": library, "np": np, "nan": NAN, "inf": INF})
    except Exception as error:
        return error


def agree(program: str) -> None:
    theirs, ours = outcome(program, torch), outcome(program, gradling)
    if isinstance(theirs, Exception):
        assert isinstance(ours, Exception), f"{program}: we gave {ours!r} for {theirs!r}"
        expected = KIND.get(type(theirs), type(theirs))
        assert isinstance(ours, (expected, TypeError)), f"{program}: {ours!r} for {theirs!r}"
        return
    assert not isinstance(ours, Exception), f"{program}: PyTorch gives {theirs}, we raised {ours!r}"
    assert str(theirs.dtype) == f"torch.{ours.dtype}", program
    assert tuple(theirs.shape) == ours.shape, program
    assert theirs.requires_grad == ours.requires_grad, program
    np.testing.assert_allclose(
        ours.detach().numpy(), theirs.detach().numpy(), rtol=3e-7, atol=0, err_msg=program
    )


DATA = """
    t.tensor([np.float64(1.)])  t.tensor(np.float64(1.))  t.tensor([np.array([1.,2.])])
    t.tensor([t.tensor(1.,dtype=t.float64)])  t.tensor([t.tensor(1),2.5])  t.tensor(2**63)
    t.tensor(300,dtype=t.uint8)  t.tensor(-1,dtype=t.uint8)  t.tensor(-200,dtype=t.int8)
    t.tensor([300],dtype=t.uint8)  t.tensor(2.7,dtype=t.int64)  t.tensor(nan,dtype=t.int64)
    t.tensor(1e20,dtype=t.int32)  t.tensor('a')  t.tensor(None)  t.tensor([1,None])
    t.tensor([[1,2],[3]])  t.tensor(range(3))  t.tensor([])  t.tensor([[],[]])  t.tensor(())
    t.tensor([np.int32(1)])  t.tensor(np.int32(1))  t.tensor([True,2.5])  t.tensor([True,2])
    t.tensor(1e60)  t.tensor(1e60,dtype=t.float16)  t.tensor({1:2})
    t.tensor([True,np.float64(2.5)])  t.tensor([np.float32(2.5)])  t.tensor([np.float16(2.5),1])
    t.tensor([np.bool_(True)])  t.tensor(np.array(['a']))  t.tensor(True)  t.tensor(3,device='cpu')
    t.tensor([1.5],requires_grad=True)  t.tensor([1],requires_grad=True)  t.tensor((1,(2)))
    t.tensor(np.zeros((2,3),np.int16))  t.tensor([0.1,0.7],dtype=t.bool)
    t.as_tensor([1,2],dtype=t.float64)  t.as_tensor(t.ones(2),dtype=t.int32)  t.from_numpy([1])
    t.as_tensor(np.ones(3,np.int8))  t.asarray([1,2])  t.from_numpy(np.ones(2,'>f4'))
"""
FILLED = """
    t.zeros(2,3)  t.zeros((2,3))  t.zeros([2,3])  t.zeros(())  t.zeros()  t.zeros(size=(2,))
    t.zeros(-1)  t.zeros(2.0)  t.zeros((2,),dtype=t.int32)  t.zeros(t.tensor(2))  t.zeros(True)
    t.zeros(2,requires_grad=True,dtype=t.int64)  t.ones(0,3)  t.ones(2,dtype=t.bool)
    t.ones((2,0),dtype=t.float64)  t.ones(2,requires_grad=True)  t.empty(2,3).mul(0)
    t.full((2,),1)  t.full((2,),True)  t.full((2,),1.5)  t.full((2,),t.tensor(3))
    t.full((2,),1.5,dtype=t.int32)  t.full((2,),300,dtype=t.uint8)  t.full(2,1)
    t.full((2,),nan,dtype=t.int64)  t.full((2,),t.tensor(2.,dtype=t.float64))
    t.full((2,),np.float64(2.))  t.full((),7)  t.full((2,),inf)  t.full((0,),1)
    t.full_like(t.ones(2,dtype=t.int32),2.7)  t.full_like(t.ones(2),3)
    t.full_like(t.ones(2),3,dtype=t.int64)  t.zeros_like(t.ones(2,3,dtype=t.int64))
    t.zeros_like(t.ones(2,dtype=t.int64),dtype=t.float32,requires_grad=True)
    t.ones_like(t.zeros(2,0))  t.ones_like(t.zeros(()))  t.zeros_like([1])  t.ones(2).new_zeros(2)
    t.ones(2,dtype=t.int64).new_full((2,),2.5)  t.ones(2).new_tensor([1,2])
    t.ones(2,dtype=t.int64).new_tensor([1.5])  t.ones(2).new_ones((2,),dtype=t.int32)
    t.ones(2).new_zeros(2,dtype=t.float64,requires_grad=True)  t.ones(2).new_zeros((2,3))
"""
SEQUENCES = """
    t.arange(5)  t.arange(5.)  t.arange(1,2.5,0.5)  t.arange(0,2.5,0.5,dtype=t.int64)
    t.arange(5,0)  t.arange(5,0,-2)  t.arange(0,5,0)  t.arange(0,nan)  t.arange(0,inf)
    t.arange(True)  t.arange(t.tensor(3))  t.arange(t.tensor(3.,dtype=t.float64))
    t.arange(0,1,0.1)  t.arange(np.float64(3))  t.arange(3,dtype=t.float16)
    t.arange(2.5,dtype=t.int64)  t.arange(-2.5,2.5,1,dtype=t.int64)  t.arange(0,256,dtype=t.uint8)
    t.arange(3,dtype=t.bool)  t.arange(3,requires_grad=True)  t.arange(start=1,end=3)
    t.arange(end=3)  t.arange(0)  t.arange(3,3)  t.arange(10**15,10**15+3)
    t.arange(3.,requires_grad=True)  t.linspace(0,1,5)  t.linspace(0,1,1)  t.linspace(0,1,0)
    t.linspace(0,1,-1)  t.linspace(0,10,4,dtype=t.int64)  t.linspace(0,1,2.5)
    t.linspace(t.tensor(0.),t.tensor(1.),3)  t.linspace(t.tensor([0.]),1,3)  t.linspace(0,nan,3)
    t.linspace(-5,10,4,dtype=t.int32)  t.linspace(0,1,5,dtype=t.bool)
    t.linspace(0,1,5,requires_grad=True)  t.logspace(0,2,3)  t.logspace(0,3,4,base=2)
    t.logspace(0,3,4,base=2,dtype=t.int64)  t.logspace(0,3,4,base=-2)
    t.logspace(-1,1,5,dtype=t.float64)  t.logspace(0,1,-1)  t.eye(2)  t.eye(2,3)
    t.eye(3,2,dtype=t.int64)  t.eye(0)  t.eye(-1)  t.eye(2,dtype=t.bool)  t.eye(2,-1)  t.eye(2.5)
    t.tril_indices(3,3)  t.tril_indices(3,4,1)  t.triu_indices(3,3,-1)  t.triu_indices(3,0)
    t.tril_indices(2,2,dtype=t.float32)  t.tril_indices(-1,2)  t.tril_indices(2,2,-5)
    t.triu_indices(4,2,offset=1,dtype=t.int32)
"""
# Draws: what is random is multiplied by 0, so that dtype, shape and refusals are compared.
DRAWS = """
    t.rand(2)*0  t.rand((2,),dtype=t.int64)  t.rand(2,dtype=t.float16)*0  t.rand(size=(2,3))*0
    t.randn(2,dtype=t.int32)  t.randn(0,3)  t.randn(())*0  t.rand(2,requires_grad=True)*0
    t.randint(5,(2,))*0  t.randint(1,5,(2,),dtype=t.float32)*0  t.randint(5,5,(2,))
    t.randint(5,3,(2,))  t.randint(0,300,(2,),dtype=t.uint8)  t.randint(-5,3,(2,),dtype=t.uint8)
    t.randint(0,2.5,(2,))  t.randint(10,())*0  t.randint(10,2)  t.randint(high=3,size=(2,))*0
    t.randint(0,1,(3,),dtype=t.bool)  t.randint(-2**63,2**63-1,(2,))*0  t.randint(3,4,(5,))
    t.randperm(4)*0  t.randperm(0)  t.randperm(-1)  t.randperm(4,dtype=t.float32)*0
    t.randperm(300,dtype=t.uint8)  t.randperm(4,dtype=t.int32)*0  t.randperm(2.5)  t.randperm(1)
    t.normal(0,1,(2,))*0  t.normal(t.ones(2,3),1.)*0  t.normal(t.ones(2,3),t.ones(3))*0
    t.normal(t.ones(2,3),t.ones(6))  t.normal(t.ones(2),-1.)  t.normal(t.ones(2),-t.ones(2))
    t.normal(t.ones(2,dtype=t.int64),1.)  t.normal(0.,nan,(2,))  t.normal(0.,1.)
    t.normal(t.ones(2,dtype=t.float64),t.ones(2))*0  t.normal(0,1,size=(2,),dtype=t.float64)*0
    t.normal(t.ones(2),0.)  t.normal(0.,t.zeros(3))  t.normal(t.ones(3))*0
    t.bernoulli(t.ones(2,3))  t.bernoulli(t.zeros(2,3))  t.bernoulli(t.ones(2)*2)
    t.bernoulli(t.ones(2)*nan)  t.bernoulli(t.ones(2,dtype=t.int64))  t.bernoulli(t.ones(2),p=2)
    t.ones(2,dtype=t.int64).bernoulli(1.0)  t.ones(2,dtype=t.int64).bernoulli_(0.0)
    t.ones(2,3,dtype=t.int64).bernoulli_(t.zeros(3))  t.ones(2).bernoulli_(1.5)
    t.multinomial(t.ones(2,3),2)*0  t.multinomial(t.ones(2,3),4)
    t.multinomial(t.ones(2,3),4,True)*0  t.multinomial(t.ones(2,3),0)
    t.multinomial(t.ones(2,3),-1)  t.multinomial(-t.ones(3),1)  t.multinomial(t.zeros(3),1)
    t.multinomial(t.ones(3)*nan,1)  t.multinomial(t.ones(3)*inf,1)  t.multinomial(t.ones(2,2,2),1)
    t.multinomial(t.tensor(1.),1)  t.multinomial(t.ones(0,3),1)  t.multinomial(t.ones(3,0),1)
    t.multinomial(t.ones(3),2.5)  t.multinomial(t.tensor([0.,1.,0]),4,True)
    t.multinomial(t.tensor([0.,1.,0]),1)  t.ones(2).normal_()*0  t.ones(2,dtype=t.int64).normal_()
    t.ones(2).normal_(0,-1)  t.ones(2).uniform_(2,1)  t.ones(2).uniform_(1,1)
    t.ones(2).uniform_(0,inf)  t.ones(2,dtype=t.int64).uniform_()  t.ones(2).random_()*0
    t.ones(2).random_(5)*0  t.ones(2).random_(5,2)  t.ones(2).random_(3,4)  t.ones(2).random_(0)
    t.ones(2).random_(0,5.5)  t.ones(2).exponential_()*0  t.ones(2).exponential_(0)
    t.ones(2).exponential_(-1)  t.ones(2,dtype=t.int64).exponential_()
    t.ones(3,dtype=t.uint8).random_(300)  t.ones(3,dtype=t.uint8).random_()*0
    t.ones(3,dtype=t.int8).random_(-500,100)  t.ones(2).log_normal_()*0
    t.ones(2).geometric_(0.5)*0  t.ones(2).geometric_(0)  t.ones(2).cauchy_().mul(0)
    t.ones(2,requires_grad=True).normal_()  t.rand_like(t.ones(2,dtype=t.int64))
    t.rand_like(t.ones(2,dtype=t.int64),dtype=t.float32)*0  t.randn_like(t.ones(2,3))*0
    t.randint_like(t.ones(2,dtype=t.int64),5)*0  t.randint_like(t.ones(2),2,3)
    t.randint_like(t.ones(2),5,2)  t.poisson(t.zeros(2))  t.rand(2,generator=3)
    t.Generator().set_state(t.zeros(3,dtype=t.uint8))  t.manual_seed(2**64)
    t.manual_seed(-2**63-1)  t.manual_seed(nan)
"""


def programs(text: str) -> list[str]:
    return [part for line in text.split("\n") for part in line.strip().split("  ") if part]


@pytest.mark.parametrize("program", programs(DATA + FILLED + SEQUENCES + DRAWS))
def test_as_pytorch(program: str) -> None:
    agree(program)


numbers = st.one_of(
    st.integers(-20, 20), st.sampled_from([0.1, 0.3, 0.25, -0.7, 1.5, 2.5, 1e-3, 7.0])
)


@given(numbers, numbers, numbers, st.sampled_from(["", ",dtype=t.float64", ",dtype=t.int64"]))
def test_arange_has_the_same_entries(start: Any, end: Any, step: Any, dtype: str) -> None:
    program = f"t.arange({start},{end},{step}{dtype})"
    theirs, ours = outcome(program, torch), outcome(program, gradling)
    if isinstance(theirs, Exception):
        agree(program)
        return
    assert (ours.shape, f"torch.{ours.dtype}") == (tuple(theirs.shape), str(theirs.dtype))
    # where entries cancel to almost nothing, PyTorch rounds in float32 on the way
    room = np.finfo(np.float32).eps * max(abs(start), abs(end))
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=3e-7, atol=room)


@given(
    numbers, numbers, st.integers(0, 40), st.sampled_from(["float32", "float64", "int64", "int32"])
)
def test_linspace_has_the_same_entries(start: Any, end: Any, steps: int, dtype: str) -> None:
    program = f"t.linspace({start},{end},{steps},dtype=t.{dtype})"
    theirs, ours = outcome(program, torch), outcome(program, gradling)
    assert ours.shape == tuple(theirs.shape)
    if dtype.startswith("float"):
        room = 4 * np.finfo(dtype).eps * max(abs(start), abs(end))
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=0, atol=room)
    else:  # PyTorch computes the step in float32: an exact half-way entry may fall one lower
        assert abs(ours.numpy() - theirs.numpy()).max(initial=0) <= 1


def test_initial_seeds_are_what_pytorch_makes_of_them() -> None:
    for seed in (0, 5, -1, -(2**63), 2**64 - 1):
        theirs = torch.Generator().manual_seed(seed).initial_seed()
        assert gradling.Generator().manual_seed(seed).initial_seed() == theirs


DTYPES = "bool uint8 int8 int16 int32 int64 float16 float32 float64".split()


@pytest.mark.parametrize("a", DTYPES)
@pytest.mark.parametrize("b", DTYPES)
def test_promotion(a: str, b: str) -> None:
    agree_on_dtype(f"t.promote_types(t.{a}, t.{b})")
    for left, right in itertools.product([(), (1,)], repeat=2):
        agree_on_dtype(
            f"t.result_type(t.zeros({left}, dtype=t.{a}), t.zeros({right}, dtype=t.{b}))"
        )


@pytest.mark.parametrize("a", DTYPES)
@pytest.mark.parametrize("number", ["True", "2", "1.5"])
def test_promotion_with_numbers(a: str, number: str) -> None:
    for shape in ("()", "(1,)"):
        agree_on_dtype(f"t.result_type(t.zeros({shape}, dtype=t.{a}), {number})")


def agree_on_dtype(program: str) -> None:
    assert str(outcome(program, torch)) == f"torch.{outcome(program, gradling)}", program
