"""Reading and writing by index against PyTorch: values, gradients, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

torch = pytest.importorskip("torch")

GIVEN = {
    "x": np.arange(6.0, dtype="f").reshape(2, 3),
    "v": np.arange(4.0, dtype="f"),
    "s": np.array(3.0, "f"),
    "e": np.ones((0, 3), "f"),
    "c": np.arange(24.0).reshape(2, 3, 4),
    "i": np.array([0, 1]),
    "m": np.arange(6).reshape(2, 3) > 2,
    "xi": np.arange(6).reshape(2, 3),
}
READ = """
    c[0,:,[0,1]]  c[:,0,[0,1]]  c[[0,1],:,0]  c[[0,1],:,[0,1]]  c[None,[0,1]]  c[[0,1],None,[1,2]]
    c[0,None,:,[0,1]]  c[...,[0,1]]  c[True]  c[False]  c[True,[0,1]]  c[[True,False]]
    c[t.tensor(True)]  x[m]  c[m]  c[:,t.ones(3,4).bool()]  c[:,t.ones(4,3).bool()]
    x[t.tensor([1,0],dtype=t.uint8)]  x[t.tensor([0,1,1],dtype=t.uint8)]
    x[np.array([0,1],np.uint8)]  x[t.tensor([0.,1.])]  x[1.5]  x[::2]  x[5]  x[0,0,0]  x[[0,5]]
    x[[-1,-2]]  x[[-3]]  x[[]]  x[t.tensor([])]  x[t.tensor([],dtype=t.long)]  x[()]  s[()]  s[...]
    s[None]  s[0]  s[True]  x[0,...,1]  x[t.tensor(1)]  x[t.tensor(1),t.tensor(2)]
    x[t.tensor([1],dtype=t.int32)]  x[range(2)]  x[(0,1)]  x[[0,1],[0,1,2]]  x[[[0],[1]],[0,1,2]]
    x[np.int64(1)]  x[1:5]  x[5:]  x[1:0]  x[-1]  x[{0}]  c[:,i,:,None]  c[i,:,i[:,None]]
    c[1:,[0,2],1:]  e[[]]  e[[0]]  x[None]  x[:,None]  v[m]  v[t.tensor([True,False])]  x[-1,-1]
    x[0,1:]  x[...,None]  c[0,[0,1],:]  c[i,0]  c[0,1,i]  c[i,i,i]  c[i,:,-1]  c[-1,...,i]
    c[:,m[0]]  c[i,m[0]]  c[0,m[0]]  x.T[[2,0]]  c[1:,:,i][:,0]  c[:,:,::3]
    c[t.tensor([[0,1],[1,0]])]
"""
WRITE = """
    put(x,0,1.5)  put(xi,0,1.5)  put(xi,(0,0),nan)  put(x.to(t.uint8),0,300)  put(x,m,7)
    put(x,m,t.tensor([1.,2,3]))  put(x,m,t.tensor([1.,2]))  put(x,m,t.tensor([[1.,2,3]]))
    put(x,0,t.ones(1,1,3))  put(x,0,t.ones(2,3))  put(x,[0,1],t.ones(2,3))
    put(x,0,t.ones(3).double())  put(x,0,xi[0])  put(x,5,1)  put(x,(slice(None),[0,5]),1)
    put(x,[],1)  put(x,slice(0,0),t.ones(0,3))  put(x,slice(0,0),t.ones(5))  put(x,(),1)
    put(s,(),1)  put(s,...,2)  put(x,True,1)  put(x,i.bool(),2.)  put(x,0,v[:3])
    put(c,(0,slice(None),[0,1]),x[:,:2].double()[:1])  put(c,(slice(None),i,0),5)
    put(c,(i,slice(None),i),v[:3].double())  put(x,(slice(None),1),v[:2])  put(x,m,v[:3])
    put(c,m,v.double())  put(x.T,0,v[:2])  put(x,slice(None),v[0])  put(x,(0,1),v[2])
    put(x.bool(),m,2)  put(x,None,3.)  put(x,(...,-1),s)
"""
ALONG = """
    x.gather(1,t.tensor([[0],[2]]))  x.gather(0,t.tensor([[0,1]]))  x.gather(1,t.tensor([[3]]))
    x.gather(1,t.tensor([[-1]]))  x.gather(1,t.tensor([0]))  x.gather(1,t.tensor([[0],[1],[0]]))
    x.gather(0,t.tensor([[0],[1],[0]]))  x.gather(2,t.tensor([[0]]))  x.gather(1,t.tensor([[0.]]))
    x.gather(1,t.tensor([[0]],dtype=t.int32))  s.gather(0,t.tensor(0))  s.gather(0,t.tensor([0,0]))
    v.gather(0,t.tensor(1))  x.gather(1,t.ones(0,3).long())  x.gather(1,t.tensor([]).long())
    x.gather(1,t.tensor([[True]]))  x.gather(-1,t.tensor([[0,0],[2,2]]))
    x.scatter(1,t.tensor([[0],[2]]),t.tensor([[10.],[20.]]))  x.scatter(1,t.tensor([[0],[2]]),9.)
    x.scatter(1,t.tensor([[0,0],[2,1]]),t.ones(2,1))  x.scatter(1,t.tensor([[0]]),t.ones(5,5))
    x.scatter(1,t.tensor([[3]]),1.)  x.scatter(1,t.tensor([[0]]),t.ones(1,1).double())
    x.detach().scatter(1,t.tensor([[0,0]]),t.ones(1,2),reduce='add')
    xi.scatter(1,t.tensor([[0]]),2.5)
    edit(x.detach(),'scatter_',1,t.tensor([[2,2]]),t.ones(1,2)*3,reduce='multiply')
    edit(x.detach(),'scatter_',1,t.tensor([[0]]),2.,reduce='multiply')
    x.scatter(0,i[None],(x*x)[:1,:2])  x.scatter_add(1,t.tensor([[0,0],[2,1]]),t.ones(2,2))
    x.scatter_add(1,t.tensor([[0]]),1.)  x.scatter_add(0,t.tensor([[0],[0],[0]]),t.ones(3,3))
    x.scatter_add(1,t.tensor([[-1]]),t.ones(1,1))
    x.scatter_add(1,t.tensor([[0],[0],[0]]),t.ones(3,3))  s.scatter_add(0,t.tensor(0),t.tensor(1.))
    v.scatter(0,i,t.ones(2),reduce='bad')  v.scatter(0,i,value=3)
    x.scatter_add(1,t.tensor([[2,2]]),(x*x)[1:,:2])  x.index_select(0,t.tensor([1,1]))
    x.index_select(1,t.tensor([3]))  x.index_select(1,t.tensor([-1]))
    x.index_select(1,t.tensor([[0]]))  x.index_select(1,t.tensor(0))
    x.index_select(0,t.tensor([1.]))  s.index_select(0,t.tensor([0]))
    s.index_select(0,t.tensor([0,0]))  e.index_select(1,t.tensor([2,2]))
    x.index_select(0,t.tensor([1],dtype=t.int32))  x.index_select(0,t.tensor([]).long())
    x.index_select(0,t.tensor([1,0]).bool())  c.index_select(-2,t.tensor([2,0,2]))
    x.index_add(0,t.tensor([1,1]),t.ones(2,3))  x.index_add(0,t.tensor([1,1]),x*x,alpha=2)
    x.index_add(0,t.tensor([1]),t.ones(3))  x.index_add(0,t.tensor([1]),t.ones(2,3))
    x.index_add(0,t.tensor([5]),t.ones(1,3))  x.index_add(0,t.tensor([1]),t.ones(1,1))
    x.index_add(0,t.tensor([1]),t.ones(1,3).double())  x.index_add(0,t.tensor([-1]),t.ones(1,3))
    xi.index_add(0,t.tensor([1]),t.ones(1,3).long(),alpha=1.5)
    x.index_add(1,t.tensor([2,2]),x[:,:2])  x.index_copy(0,t.tensor([1]),t.ones(1,3))
    x.index_copy(0,t.tensor([1]),t.ones(3))  x.index_copy(0,t.tensor([-1]),t.ones(1,3))
    x.index_copy(0,t.tensor([2]),t.ones(1,3))  x.index_copy(0,t.tensor([1]),t.ones(1,3).double())
    x.index_copy(1,t.tensor([2,0]),x[:,:2])  x.index_fill(0,t.tensor([1]),5.)
    x.index_fill(0,t.tensor([-1]),t.tensor(5.))  x.index_fill(0,t.tensor([2]),5.)
    xi.index_fill(0,t.tensor([1]),5.5)  x.index_fill(1,i,s)
    x.index_fill(0,t.tensor([1]),t.ones(1))  s.index_fill(0,t.tensor([0]),5.)
    edit(x,'index_put_',(i,),t.tensor(5.))  edit(x,'index_put_',(i,i),t.tensor([5.,6]))
    edit(x,'index_put_',(t.tensor([0,0]),),v[:3],accumulate=True)
    edit(x,'index_put_',(m,),t.tensor(1.))  edit(x,'index_put_',(i,),5.)
    edit(x,'index_put_',(i,),t.tensor(5))  x.index_put((t.tensor([5]),),t.tensor(5.))
    x.index_put((i,i),v[:2])
    x.index_put((t.tensor([1,1,1]),t.tensor([0,0,2])),v[:3],accumulate=True)
    edit(x,'index_fill_',0,i,3.)  edit(x,'index_copy_',0,i,x*x)  edit(x,'index_add_',0,i,x*x)
    edit(x,'scatter_add_',0,i[None],x.detach()*2)  edit(x,'scatter_',0,i[None],4.)
    edit(x,'masked_fill_',m,4.)  edit(x,'masked_scatter_',m,v)  edit(x,'tril_')  edit(x,'triu_',1)
    edit(x,'fill_diagonal_',5.)  edit(c,'fill_diagonal_',5.)
    edit(v[:,None]*v[:2],'fill_diagonal_',9.,wrap=True)  x.take(t.tensor([0,5]))
    x.take(t.tensor([[-1]]))  x.take(t.tensor([6]))  x.take(t.tensor(3))  x.take(t.tensor([0.]))
    e.take(t.tensor([0]))  e.take(t.tensor([]).long())  x.take(t.tensor([3,3]))
    x.take_along_dim(t.tensor([[0],[1]]),1)  x.take_along_dim(t.tensor([0,5]))
    x.take_along_dim(t.tensor([[0]]),1)  x.take_along_dim(t.tensor([[0],[1],[1]]),1)
    x.take_along_dim(t.tensor([0]),1)  x.take_along_dim(t.tensor([[-1]]),1)
    x[:1].take_along_dim(t.tensor([[0,0],[2,1]]),1)
"""
MASKS = """
    x.masked_fill(m,0)  x.masked_fill(m,float('inf'))  xi.masked_fill(m,1.5)
    xi.masked_fill(m,float('inf'))  x.masked_fill(t.tensor([True,False,True]),9)
    v.masked_fill(t.ones(2,4).bool(),1.)  edit(v,'masked_fill_',t.ones(2,4).bool(),1.)
    x.masked_fill(xi,0)  x.masked_fill(m,t.tensor(5.))  x.masked_fill(m,t.ones(1))
    x.masked_fill(m.to(t.uint8),1)  x.masked_fill(t.ones(4).bool(),1)
    x.masked_fill(m,t.tensor(5.,dtype=t.float64))  xi.masked_fill(m,t.tensor(5.))
    x.masked_fill(m,s)  s.masked_fill(t.tensor(True),2)  x.half().masked_fill(m,1e10)
    x.bool().masked_fill(m,1.5)  x.masked_select(m)  x.masked_select(t.tensor([True,False,True]))
    v.masked_select(t.ones(2,1).bool())  x.masked_select(t.ones(4).bool())  x.masked_select(xi)
    s.masked_select(t.tensor(True))  x.masked_scatter(m,t.arange(10.))
    x.masked_scatter(m,t.arange(2.))  x.masked_scatter(m,xi)  x.masked_scatter(m,v)
    e.masked_select(e>0)  t.nonzero(x)  t.nonzero(x,as_tuple=True)  t.nonzero(s)
    t.nonzero(t.tensor(0.))  t.nonzero(s,as_tuple=True)  t.argwhere(x)  t.nonzero(e)  t.argwhere(s)
    t.nonzero(t.tensor([nan,0.]))  t.searchsorted(v,t.tensor([1.,1.5,9]))  t.searchsorted(v,1.)
    t.searchsorted(v,t.tensor([1.]),right=True)  t.searchsorted(x,x)  t.searchsorted(x,t.ones(3))
    t.bucketize(x,v)  t.searchsorted(s,1.)  t.searchsorted(v,t.tensor([1.]),side='right')
    t.searchsorted(v,t.tensor([1.]),out_int32=True)
"""
ONE_HOT = """
    hot(i)  hot(i,4)  hot(i,1)  hot(-i)  hot(i.float())  hot(t.tensor(1))  hot(t.tensor([]).long())
    hot(t.tensor([]).long(),3)  hot(i,0)  hot(i,-2)  hot(xi,7)
"""


def programs(text: str) -> list[str]:
    return [part for line in text.split("\n") for part in line.strip().split("  ") if part]


@pytest.mark.parametrize("program", programs(READ + WRITE + ALONG + MASKS))
def test_as_pytorch(agree: Callable[..., None], program: str) -> None:
    agree(program, **GIVEN)


@pytest.mark.parametrize("program", programs(ONE_HOT))
def test_one_hot(agree: Callable[..., None], program: str) -> None:
    call = "(t.one_hot if t.__name__ == 'gradling' else t.nn.functional.one_hot)("
    agree(program.replace("hot(", call, 1), **GIVEN)


@st.composite
def keys(draw: Any, shape: tuple[int, ...]) -> str:
    """A key for a tensor of ``shape``, every kind of part in any order, all in range."""
    parts: list[str] = []
    arrays = draw(st.sampled_from([(), (3,), (2, 1), (0,)]))
    for n in shape:
        if draw(st.integers(0, 5)) == 0:
            parts.append("None")
        kind = draw(st.sampled_from(["int", "slice", "all", "array", "mask"]))
        if kind == "int" and n:
            parts.append(str(draw(st.integers(-n, n - 1))))
        elif kind == "slice":
            ends = st.none() | st.integers(-4, 4)
            parts.append(f"slice({draw(ends)},{draw(ends)},{draw(st.integers(1, 3))})")
        elif kind == "array" and (n or 0 in arrays):
            count = int(np.prod(arrays))
            entries = draw(
                st.lists(st.integers(-n, max(n - 1, -n)), min_size=count, max_size=count)
            )
            flat = f"t.tensor({entries}, dtype=t.int64)"
            parts.append(f"{flat}.reshape({arrays})")
        elif (
            kind == "mask"
            and "mask" not in "".join(parts)
            and not any("tensor" in p for p in parts)
        ):
            truth = draw(st.lists(st.booleans(), min_size=n, max_size=n))
            parts.append(f"t.tensor({truth}, dtype=t.bool)")
            arrays = (sum(truth),)
        else:
            parts.append("slice(None)")
    cut = draw(st.integers(0, len(parts)))
    if draw(st.booleans()):
        parts = [*parts[:cut], "...", *parts[cut:]]
    return f"({', '.join(parts)}{',' if parts else ''})"


@st.composite
def indexed(draw: Any) -> tuple[str, Any]:
    shape = tuple(draw(st.lists(st.sampled_from([0, 1, 2, 3]), max_size=3)))
    x = np.random.default_rng(0).normal(size=shape)
    return draw(keys(shape)), x


@settings(max_examples=300)
@given(indexed())
def test_drawn_keys_read(agree: Callable[..., None], call: tuple[str, Any]) -> None:
    agree(f"x[{call[0]}]", x=call[1])


@settings(max_examples=200)
@given(indexed())
def test_drawn_keys_write(agree: Callable[..., None], call: tuple[str, Any]) -> None:
    key, x = call
    agree(f"put(x, {key}, 7.0)", x=x)
    value = f"x.detach()[{key}].sin() * w"
    # several values for one entry: the last one stays here, as its gradient knows; not in PyTorch
    agree(f"put(x, {key}, {'w.detach()' if 'tensor' in key else value})", x=x, w=np.array(1.5))


@settings(max_examples=100)
@given(st.data())
def test_drawn_gather_and_scatter(agree: Callable[..., None], data: Any) -> None:
    ndim = data.draw(st.integers(1, 3))
    shape = tuple(data.draw(st.integers(1, 3)) for _ in range(ndim))
    dim = data.draw(st.integers(0, ndim - 1))
    sizes = tuple(data.draw(st.integers(0, 4 if d == dim else n)) for d, n in enumerate(shape))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    x, index = rng.normal(size=shape), rng.integers(0, shape[dim], sizes)
    agree(f"x.gather({dim}, index)", x=x, index=index)
    src = rng.normal(size=sizes)
    agree(f"x.scatter_add({dim}, index, src)", x=x, index=index, src=src)
    agree(f"x.scatter({dim}, index, 2.5)", x=x, index=index)
