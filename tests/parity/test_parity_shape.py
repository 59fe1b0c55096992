"""Shapes against PyTorch: values, gradients, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import gradling

torch = pytest.importorskip("torch")

GIVEN = {
    "x": np.arange(6.0, dtype="f").reshape(2, 3),
    "v": np.arange(4.0, dtype="f"),
    "s": np.array(3.0, "f"),
    "e": np.ones((0, 3), "f"),
    "z": np.ones(0, "f"),
    "c": np.arange(24.0).reshape(2, 3, 4),
    "o": np.ones((1, 2, 1), "f"),
    "xi": np.arange(6).reshape(2, 3),
    "b": np.array([[True, False, True], [False, False, True]]),
}
VIEWS = """
    x.reshape(-1)  x.reshape(())  s.reshape(1)  x.reshape(4)  x.reshape(-1,-1)  e.reshape(-1,3)
    e.reshape(-1,0)  e.reshape(0,-1)  x.view(3,2)  x.T.view(6)  x.T.reshape(6)  x.view(-1)
    x.view()  x.reshape()  s.view()  x.reshape(2.0,3)  x.view_as(t.ones(6))
    x.reshape_as(t.ones(3,2))  x.T.view(3,1,2)  x.T.view(-1)  t.reshape(x,(3,2))
    x.reshape(shape=(3,2))  e.view(3,0,2)  x.flatten()  s.flatten()  c.flatten(1)  c.flatten(0,1)
    c.flatten(1,0)  c.flatten(-2)  c.flatten(3)  e.flatten()  c.flatten(start_dim=1,end_dim=-1)
    x.ravel()  s.ravel()  x.T.ravel()  x.unflatten(1,(3,1))  x.unflatten(1,(-1,1))
    x.unflatten(1,(2,2))  x.unflatten(1,())  x.unflatten(2,(1,))  x.unflatten(-1,[3])
    x.unflatten(1,-1)  o.squeeze()  o.squeeze(0)  o.squeeze(1)  o.squeeze((0,2))  o.squeeze((0,0))
    o.squeeze(3)  s.squeeze(0)  s.squeeze()  s.squeeze(1)  s.squeeze(())  x.unsqueeze(0)
    x.unsqueeze(-1)  x.unsqueeze(3)  x.unsqueeze(-4)  s.unsqueeze(0)  s.unsqueeze(1)
    x.transpose(0,1)  x.transpose(0,2)  s.transpose(0,0)  s.transpose(0,-1)  x.swapaxes(0,1)
    c.permute(2,0,1)  c.permute((2,0,1))  c.permute(0,1)  c.permute(0,0,1)  c.permute(0,1,3)
    s.permute()  s.permute(())  t.permute(c,dims=(1,2,0))  c.movedim(0,2)  c.movedim((0,1),(1,0))
    c.movedim((0,1),(1,))  c.movedim((0,0),(1,2))  c.moveaxis(0,-1)  x.T  v.T  v.mT  c.mT  v.t()
    c.t()  s.t()  x.mH  c.adjoint()  v.expand(2,4)  x.expand(2,-1,3)  x.expand(-1,2,3)
    x.expand(2,6)  x.expand(3)  s.expand(2,2)  t.ones(1).expand(0)  o.expand(3,2,0)
    o.expand(-1,-1,5)  x.expand(-2,3)  o.expand_as(t.ones(4,2,3))  t.broadcast_to(v,(2,4))
    t.broadcast_to(v,(-1,2,4))  t.broadcast_tensors(x,t.ones(3),s)  t.broadcast_tensors(x,v)
    t.meshgrid(v,v,indexing='ij')  t.meshgrid(v,x[0],indexing='xy')
    t.meshgrid([v,s],indexing='ij')  t.meshgrid(x,v,indexing='ij')  t.meshgrid(v,v,indexing='ab')
    t.meshgrid(indexing='ij')  t.meshgrid(v,xi[0],indexing='ij')  t.meshgrid(v,indexing='xy')
    t.meshgrid(v,v[:2],v[:3],indexing='xy')  t.meshgrid(z,v,indexing='ij')  t.atleast_1d(s)
    t.atleast_2d(v)  t.atleast_3d(x)  t.atleast_3d(v)  t.atleast_3d(s)  t.atleast_2d(s,v)
    x.stride()  x.T.stride()  c.size(1)
"""
COPIES = """
    x.repeat(2)  x.repeat(2,1)  x.repeat(2,1,1)  v.repeat(0)  x.repeat(-1,1)  s.repeat(3)
    s.repeat()  x.repeat(0,2)  x.repeat((2,2))  x.tile(2)  x.tile(2,1,1)  t.tile(x,(2,))  s.tile(2)
    t.tile(x,())  v.repeat_interleave(2)  x.repeat_interleave(2)  x.repeat_interleave(2,0)
    x.repeat_interleave(3,-1)  x.repeat_interleave(t.tensor([1,2]),0)
    x.repeat_interleave(t.tensor([1,2,3]),0)  x.repeat_interleave(t.tensor([1]),0)
    x.repeat_interleave(-1,0)  t.repeat_interleave(t.tensor([1,0,2]))
    x.repeat_interleave(t.tensor([1,-2]),0)  x.repeat_interleave(t.tensor([1.,2]),0)
    x.repeat_interleave(2,dim=2)  s.repeat_interleave(3)  x.repeat_interleave(0)
    s.repeat_interleave(2,0)  x.repeat_interleave(t.tensor([1,2]),dim=0,output_size=3)
    e.repeat_interleave(2,1)  x.flip(0)  x.flip(0,1)  x.flip((0,1))  x.flip(0,0)  x.flip(2)
    x.flip()  x.flip(())  s.flip(0)  s.flip(())  t.flip(x,dims=[0])  x.fliplr()  x.flipud()
    v.fliplr()  s.flipud()  v.flipud()  e.flip(0)  x.roll(1)  x.roll(1,0)  x.roll((1,2),(0,1))
    x.roll((1,2),0)  x.roll(1,(0,1))  x.roll((1,1),(0,0))  x.roll(-5,1)  s.roll(1)  s.roll(1,0)
    e.roll(1,0)  e.roll(1,1)  x.roll(1,2)  x.roll((1,2))  x.roll(())  v.rot90()  x.rot90()
    x.rot90(2)  x.rot90(3)  x.rot90(0)  x.rot90(1,[1,0])  x.rot90(1,[0,0])  t.cat([x,x])
    t.cat([x,x],1)  t.cat((x,xi))  t.cat([])  t.cat([x,v])  t.cat([x,t.ones(2,4)])  t.cat([z,x])
    t.cat([x,z],1)  t.cat([z,z])  t.cat([z.long(),x.half()])  t.cat([s,s])  t.cat([x],2)
    t.cat([x,x],dim=-1)  t.cat(x)  t.cat([x,e])  t.cat([x,1.])  t.concat([x,x])
    t.cat([xi,x.double()])  t.concatenate([x,x],axis=1)  t.cat([t.ones(0,1),x])  t.cat([x,x*x,x])
    t.stack([x,x])  t.stack([x,x*2],-1)  t.stack([x,x],3)  t.stack([])  t.stack([x,v])
    t.stack([s,s])  t.stack([x,xi])  t.stack([z,z])  t.hstack([v,v])  t.hstack([s,s])
    t.hstack([x,x])  t.vstack([v,v])  t.vstack([s,v])  t.vstack([x,t.ones(3)])  t.dstack([v,v])
    t.dstack([x,x])  t.column_stack([v,v])  t.column_stack([x,t.ones(2)])  t.row_stack([v,v])
    t.block_diag(x,v,s)  x.split(1)  x.split(2,1)  x.split([1,2],1)  x.split([1,1],1)  x.split(0)
    x.split(-1)  x.split(5)  s.split(1)  e.split(1)  e.split(0)  x.split([0,3],1)
    x.split([-1,4],1)  z.split(2)  x.split((1,2),dim=1)  x.split(1.5)  x.split(1,3)  v.chunk(3)
    v.chunk(2)  v.chunk(10)  v.chunk(0)  x.chunk(2,1)  s.chunk(1)  e.chunk(3)  t.ones(5).chunk(4)
    t.ones(6).chunk(4)  v.tensor_split(3)  v.tensor_split([1,3])  v.tensor_split([3,1])
    x.tensor_split(2,1)  v.tensor_split((1,9))  v.tensor_split(0)  v.tensor_split(-1)
    s.tensor_split(1)  v.tensor_split(t.tensor([1,2]))  v.tensor_split([-1])  v.hsplit(2)
    x.hsplit(3)  x.vsplit(2)  v.vsplit(2)  c.dsplit(2)  v.hsplit([1])  x.hsplit(2)  x.unbind()
    x.unbind(1)  s.unbind()  e.unbind()  x.unbind(2)  e.unbind(1)  v.narrow(0,1,2)  v.narrow(0,1,4)
    v.narrow(0,-1,1)  v.narrow(0,4,0)  v.narrow(0,5,0)  v.narrow(0,1,-1)  s.narrow(0,0,1)
    v.narrow(0,t.tensor(1),2)  v.narrow(1,0,1)  x.select(0,1)  x.select(1,-1)  x.select(0,2)
    s.select(0,0)  x.select(2,0)  x.select(0,-3)  t.diag(v)  t.diag(x)  t.diag(x,1)  t.diag(x,-5)
    t.diag(x,3)  t.diag(s)  t.diag(c)  t.diag(v,-1)  x.diagonal()  c.diagonal(0,1,2)
    c.diagonal(1,-1,0)  v.diagonal()  c.diagonal(0,1,1)  x.diagonal(3)  x.diagonal(9)
    x.diagonal(-9)  t.diag_embed(v)  t.diag_embed(x)  t.diag_embed(x,1,0,1)  t.diag_embed(x,-1,0,2)
    t.diag_embed(s)  t.diag_embed(x,0,1,1)  t.diag_embed(x,0,-1,-2)  t.diagflat(x)  t.diagflat(s)
    t.diagflat(v,1)  x.tril()  x.triu()  x.tril(1)  x.triu(-1)  v.tril()  s.tril()  c.tril()
    b.tril()  x.tril(-10)  xi.triu(1)  e.tril()  v.unfold(0,2,1)  v.unfold(0,2,3)  x.unfold(1,2,1)
    v.unfold(0,5,1)  v.unfold(0,0,1)  v.unfold(0,2,0)  v.unfold(0,-1,1)  s.unfold(0,1,1)
    s.unfold(0,0,1)  s.unfold(0,2,1)  e.unfold(0,1,1)  x.unfold(-1,3,2)  v.unfold(1,1,1)
    c.unfold(1,2,1).unfold(2,3,1)
"""
MORE = """
    t.cartesian_prod(v,v[:2])  t.cartesian_prod(v)  t.combinations(v,2)  t.combinations(v,0)
    t.combinations(v,2,True)  t.combinations(x)  t.select_scatter(x,v[:3],0,1)
    t.select_scatter(x,v,0,1)  t.select_scatter(x,v[:3],0,5)  t.slice_scatter(c,c[:,:1]*2,1,2)
    t.slice_scatter(c,c[:,:2],1,0,3,2)  edit(x,'put_',t.tensor([0,5]),v[:2])
    edit(x,'put_',t.tensor([1,1]),v[2:],accumulate=True)  edit(x,'put_',t.tensor([9]),v[:1])
    x.T.storage_offset()  x[1].storage_offset()  t.numel(c)  t.is_tensor(x)
    t.is_floating_point(xi)  t.can_cast(t.float32,t.int64)  t.can_cast(t.int8,t.uint8)
    t.can_cast(t.uint8,t.int8)  t.can_cast(t.float64,t.float16)  t.can_cast(t.bool,t.int8)
"""
# PyTorch has padding in nn.functional; here it is also a function of tensors.
PADS = """
    pad(x,(1,2))  pad(x,(1,2,3,4))  pad(x,(1,))  pad(x,(1,1,1,1,1,1))  pad(x,(-1,1))
    pad(x,(-2,-2))  pad(x,(-1,-1,1,0),value=7)  pad(s,())  pad(x,())  pad(xi,(1,1),value=2.5)
    pad(x,(1,1),'reflect')  pad(c,(1,1),'reflect')  pad(c,(4,1),'reflect')
    pad(c,(1,1,1,1),'reflect')  pad(x,(1,1),'replicate')  pad(x,(1,1),'circular')
    pad(c,(5,1),'circular')  pad(c,(1,1,1,1),'circular')  pad(c,(1,1),'reflect',value=1)
    pad(c,(-1,1),'reflect')  pad(c,(-1,-1),'replicate')  pad(c,(-1,1),'circular')
    pad(c,(0,0,1,1),'reflect')  pad(c.long(),(1,1),'reflect')  pad(t.ones(2,3,0),(1,1),'replicate')
    pad(t.ones(0,3,2),(1,1),'reflect')  pad(e,(1,1,1,1))  pad(x,(-3,0))  pad(x,(1.5,1))
    pad(b,(1,1),value=1)  pad(xi,(1,1),value=None)  pad(c,(7,9,-1,2,0,1),value=-1.5)
    pad(c,(3,3),'reflect')  pad(c,(4,4),'circular')
"""


def programs(text: str) -> list[str]:
    return [part for line in text.split("\n") for part in line.strip().split("  ") if part]


@pytest.mark.parametrize("program", programs(VIEWS + COPIES + PADS + MORE))
def test_as_pytorch(agree: Callable[..., None], program: str) -> None:
    agree(program, **GIVEN)


SIDES = st.lists(st.sampled_from([0, 1, 2, 3]), max_size=4).map(tuple)


@st.composite
def calls(draw: Any) -> tuple[str, Any]:
    """A call with valid arguments for a drawn array, sizes 0 and 1 and rank 0 included."""
    shape = draw(SIDES)
    ndim = len(shape)
    x = np.random.default_rng(0).normal(size=shape).astype(draw(st.sampled_from(["f", "d"])))
    dim = st.integers(-ndim, max(ndim - 1, 0)) if ndim else st.just(0)
    some = st.lists(st.integers(0, max(ndim - 1, 0)), unique=True, max_size=ndim).map(tuple)
    d, e = draw(dim), draw(dim)
    name = draw(
        st.sampled_from(
            "permute movedim flip roll repeat tile unsqueeze squeeze flatten diagonal diag_embed "
            "unbind chunk expand triu unfold pad interleave stack cat".split()
        )
    )
    dims = draw(some)
    if name == "permute":
        return f"x.permute({tuple(draw(st.permutations(range(ndim))))})", x
    if name == "flip":
        return f"x.flip({dims})", x
    if name == "roll":
        return f"x.roll({draw(st.integers(-4, 4))})", x
    if name in ("repeat", "tile"):
        times = draw(st.lists(st.integers(0, 3), min_size=ndim, max_size=ndim + 1))
        return f"x.{name}({tuple(times)})", x
    if name == "unsqueeze":
        return f"x.unsqueeze({draw(st.integers(-ndim - 1, ndim))})", x
    if name == "squeeze":
        return f"x.squeeze({dims})", x
    if name == "flatten":
        return f"x.flatten({d},{e})", x
    if name == "expand":
        lead = draw(st.integers(0, 1))
        sizes = (2,) * lead + tuple(3 if n == 1 else -1 for n in shape)
        return f"x.expand({sizes})", x
    if name == "diag_embed":
        return f"t.diag_embed(x, {draw(st.integers(-2, 2))})", x
    if name == "pad":
        widths = draw(st.lists(st.integers(0, 2), min_size=ndim, max_size=ndim))
        return f"pad(x, {(*widths, *widths)})", x
    simple = {
        "movedim": f"x.movedim({d},{e})",
        "diagonal": f"x.diagonal({draw(st.integers(-3, 3))},{d},{e})",
        "unbind": f"x.unbind({d})",
        "chunk": f"x.chunk({draw(st.integers(1, 4))},{d})",
        "triu": f"x.triu({draw(st.integers(-3, 3))})",
        "unfold": f"x.unfold({d},{draw(st.integers(0, 3))},{draw(st.integers(1, 3))})",
        "interleave": f"x.repeat_interleave({draw(st.integers(0, 3))},{d})",
        "stack": f"t.stack([x,x*2],{draw(st.integers(-ndim - 1, ndim))})",
        "cat": f"t.cat([x,x*2,x],{d})",
    }
    return simple[name], x


@settings(max_examples=300)
@given(calls())
def test_drawn_calls(agree: Callable[..., None], call: tuple[str, Any]) -> None:
    program, x = call
    agree(program, x=x)
    if x.ndim > 1:  # the same entries, laid out the other way round
        turned = f"(lambda x: {program})(x.transpose(0, -1))"
        agree(turned, x=np.swapaxes(x, 0, -1))


def test_what_shares_memory() -> None:
    """Views are views and copies copies where PyTorch's are."""
    for program in programs(VIEWS + COPIES):
        results = []
        for library in (torch, gradling):
            given_ = {k: library.from_numpy(np.array(a)) for k, a in GIVEN.items()}
            try:
                out = eval(program, {"t": library} | given_)
            except Exception:
                break
            outs = out if isinstance(out, (tuple, list)) else [out]
            shared = [
                any(np.may_share_memory(y.numpy(), x.numpy()) for x in given_.values())
                for y in outs
                if hasattr(y, "numpy")
            ]
            results.append(shared)
        else:
            assert results[0] == results[1], program
