"""Linear algebra against PyTorch: values, gradients, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

torch = pytest.importorskip("torch")

RNG = np.random.default_rng(0)
GIVEN = {
    "x": np.arange(6.0, dtype="f").reshape(2, 3),
    "v": np.arange(3.0, dtype="f"),
    "w": np.arange(2.0, dtype="f"),
    "s": np.array(3.0, "f"),
    "e": np.ones((0, 3), "f"),
    "c": RNG.normal(size=(2, 3, 4)).astype("f"),
    "k": RNG.normal(size=(2, 4, 5)).astype("f"),
    "a": np.array([[2.0, 1], [1, 3]], "f"),
    "xi": np.arange(6).reshape(2, 3),
}
PRODUCTS = """
    x@x.T  x@x  x@v  w@x  v@v  s@x  x@c  c@k[0,:,0]  v@c  c@k  c@t.ones(3,4,5)  c@k[:1]  c@k[0]
    t.ones(2,2)@c  t.ones(5,3)@c  x@xi.T  xi@xi.T  x.to(t.bool)@x.to(t.bool).T  x.half()@x.half().T
    x@x.T.double()  t.matmul(x,2)  e@t.ones(3,2)  t.ones(2,0)@t.ones(0,3)  e.T@e  e@v  xi@xi[0]
    c[:,None]@k[None]  c.mT@c  c[:,0]@k  t.mm(x,x.T)  t.mm(x,v)  t.mm(x,x)  t.bmm(c,k)
    t.bmm(c,k[:1])  t.bmm(x,x)  t.mv(x,v)  t.mv(x,w)  t.mv(v,v)  t.dot(v,v)  t.dot(v,w)  t.dot(x,x)
    t.dot(v,xi[0])  t.dot(xi[0],xi[0])  t.vdot(v,v)  t.inner(x,x)  t.inner(v,v)  t.inner(s,x)
    t.inner(c,t.ones(4))  t.inner(x,w)  t.outer(v,w)  t.outer(x,v)  t.ger(v,w)  t.outer(v,xi[0])
    t.addmm(x,a,x)  t.addmm(v,a,x,beta=2,alpha=.5)  t.addmm(t.ones(5),a,x)  t.addmv(w,x,v)
    t.addbmm(t.ones(3,5),c,k)  t.baddbmm(t.ones(5),c,k,alpha=2)  t.addr(x,w,v)
    t.addmm(x*float('nan'),a,x,beta=0).detach()  t.kron(a,x)  t.kron(v,a)  t.kron(s,a)  t.trace(x)
    t.trace(xi)  t.trace(c)  t.trace(e)  t.linalg.cross(x,x*x)  t.linalg.vecdot(x,x)
    t.linalg.multi_dot([a,x,v])  t.linalg.multi_dot([x.T,a,x,v])  t.matrix_power(a,3)
    t.linalg.matrix_power(a,0)  t.linalg.matrix_power(a,-2)  t.linalg.matrix_power(x,2)
    t.linalg.matrix_power(xi[:,:2],2)  t.linalg.matrix_power(a,1.5)  t.linalg.matrix_power(a,1)
"""
EINSUM = """
    t.einsum('ij,jk',a,x)  t.einsum('ij->ji',x)  t.einsum('ii',a)  t.einsum('ii->i',a)
    t.einsum('...ij,...jk->...ik',c,k[0])  t.einsum('ij,ij->',x,x)  t.einsum('i,j',v,w)
    t.einsum(',',s,s)  t.einsum('...->...',c)  t.einsum('i...->...',c)
    t.einsum('ij,jk,kl->il',a,x,x.T)  t.einsum(a,[0,1],x,[1,2],[0,2])  t.einsum(a,[0,1],x,[1,2])
    t.einsum('ij,jk',a,v)  t.einsum('ij,kk',a,x)  t.einsum('ij->ik',a)  t.einsum('ij->iij',a)
    t.einsum('ij',a,a)  t.einsum('ij,jk->ik',[a,x])  t.einsum('ij,jk->ik',(a,x))
    t.einsum('i j, j k -> i k',a,x)  t.einsum('ab,bc',x[:,:1],x)  t.einsum('Ab,bA',a,a)
    t.einsum('bA,Ab',a,x)  t.einsum('...i,...i',c,t.ones(4))  t.einsum('i$j',a)  t.einsum('ij->',a)
    t.einsum('ijk->ki',c)  t.einsum('...ij',x)  t.einsum('...ii->...i',c[:,:3,:3])
    t.einsum('ii',x)  t.einsum('ij,ij->ij',xi,xi)  t.einsum('ij,jk',x,xi.T)  t.einsum('')
    t.einsum('ij->ji',a,a)  t.einsum('i,i->i',v,v)  t.einsum('b...,b...->...',c,c)
    t.einsum('...a,...b',c,x[0].expand(3,3))  t.einsum('i..j',c)
    t.einsum('bij,bjk,bk->bi',c,k,k[:,0])  t.einsum('bij->b',c)  t.einsum('ij,j->i',x,v)
    t.einsum('i,ij->ij',w,x)  t.einsum('ij,ik,il->jkl',x,x,x)  t.einsum(c,[...,0],[0,...])
    t.einsum('ijk,jil->kl',c,c.transpose(0,1))  t.einsum('a,b,c->cab',v,w,v)
    t.einsum('ij,->ij',x,s)  t.tensordot(x,x,2)  t.tensordot(x,x,([1],[1]))
    t.tensordot(x,x,([0,1],[0,1]))  t.tensordot(x,v,1)  t.tensordot(x,w,0)  t.tensordot(x,w,1)
    t.tensordot(x,x,([1],[0,1]))  t.tensordot(x,x,3)  t.tensordot(x,x,-1)
    t.tensordot(c,k,([2],[1]))  t.tensordot(c,k,([0,2],[0,1]))
"""
NORMS = """
    n(x)  n(x,2)  n(x,'fro')  n(x,'nuc')  n(x,float('inf'))  n(x,-1)  n(x,3)  n(v,3)  n(v,0)  n(c)
    n(c,2)  n(c,dim=(0,1))  n(x,2,dim=1)  n(x,2,dim=1,keepdim=True)  n(xi)  n(x,dtype=t.float64)
    n(s)  n(v,'fro')  n(c,'fro')  n(e)  n(e,dim=0)  n(e,float('inf'),dim=0)  n(c,2,dim=(0,1,2))
    n(v*0)  n(v*0,1)  n(v*0,3)  n(v*0,float('inf'))  n(v,1)  n(v,-2)  n(c,1.5,dim=1)  vn(x)
    vn(x,1,dim=0)  vn(x,float('-inf'))  vn(x,0)  vn(x,0.5)  vn(x,-2)  vn(e,float('inf'))
    vn(e,float('inf'),dim=1)  vn(e)  vn(e,-1)  vn(s)  vn(x,dim=(0,1),keepdim=True)  vn(xi)
    vn(x,'fro')  vn(v*v-v,float('inf'))  vn(c,4,dim=(0,2))  mn(x)  mn(c)  mn(c,2)
    mn(c,-2,dim=(0,2))  mn(c,1)  mn(c,'nuc',keepdim=True)  mn(v)  mn(x,3)  mn(x,dim=(1,1))
    mn(x,float('-inf'),dim=(1,0))  mn(c,float('inf'))  mn(c,-1,keepdim=True)
"""
# Symmetric ones are given a symmetric matrix; vectors are compared up to their sign.
FACTORS = """
    L.inv(A)  L.inv(B)  L.inv(A[:1])  L.inv(J.long())  L.inv(A[0])  t.inverse(B)  L.inv(J[:0,:0])
    L.det(A)  L.det(B)  L.det(J)  L.det(A[:1])  L.det(J[:0,:0])  t.det(B)  L.det(R.detach())
    L.slogdet(A)  L.slogdet(B)  L.slogdet(-A)  t.slogdet(A)  t.logdet(A@A.T)
    t.logdet(A.detach()*0)  L.solve(A,b)  L.solve(A,A.T)  L.solve(A,A[:1])  L.solve(B,b)
    L.solve(B,B[:,0])  L.solve(A,B)  L.solve(A,b[:2])  L.solve(A,A.T,left=False)
    L.solve(A,b.float())  L.solve(J*0,b)  L.inv(J*0)  L.cholesky(A@A.T)  L.cholesky(B@B.mT)
    L.cholesky(A@A.T,upper=True)  L.cholesky(-A@A.T)  L.cholesky(A[:1])  L.qr(A)  L.qr(A[:,:2])
    L.qr(A[:2])  L.qr(B)  L.qr(A.detach()[:,:2],'complete')  L.qr(A.detach(),'r').R  L.qr(A,'bad')
    L.eigvalsh(A+A.T)  L.eigh(A+A.T)[0]  L.eigh(A+A.T)[1].abs()  L.eigh(B+B.mT)[1]**2
    L.eigh(A[:1])  L.eigvalsh(J)  L.svdvals(A)  L.svdvals(A[:2])  L.svdvals(B[:,:,:2])
    L.svd(A[:2],full_matrices=False)[2]**2  L.svd(A[:,:2],full_matrices=False)[0]**2
    L.svd(B,full_matrices=False)[0].abs()  L.svd(A.detach()[:2])[1]  L.svd(A.detach()[:2])[2].abs()
    L.pinv(A)  L.pinv(A[:2])  L.pinv(B[:,:,:2])  L.pinv(J)  L.matrix_rank(A)  L.matrix_rank(R)
    L.matrix_rank(B)  L.cond(A)  L.cond(A.detach(),1)  L.cond(A,-2)  L.cond(A.detach(),'fro')
    L.lstsq(A[:,:2],b[:,None]).solution  L.solve_triangular(A,B[0],upper=True)
    L.solve_triangular(A,B[0],upper=False,unitriangular=True)
    L.solve_triangular(A,B[0],upper=True,left=False)  L.diagonal(B,offset=1)  L.matmul(A,B)
"""
FULL_RANK = {
    "A": RNG.normal(size=(3, 3)) + 2 * np.eye(3),
    "B": RNG.normal(size=(2, 3, 3)) + 3 * np.eye(3),
    "b": RNG.normal(size=3),
    "J": np.eye(3),
    "R": np.array([[1.0, 2, 3], [2, 4, 6], [1, 0, 1]]),
}


def programs(text: str) -> list[str]:
    return [part for line in text.split("\n") for part in line.strip().split("  ") if part]


@pytest.mark.parametrize("program", programs(PRODUCTS + EINSUM))
def test_products(agree: Callable[..., None], program: str) -> None:
    agree(program, 2e-6, **GIVEN)


@pytest.mark.parametrize("program", programs(NORMS))
def test_norms(agree: Callable[..., None], program: str) -> None:
    full = {"n(": "norm(", "vn(": "vector_norm(", "mn(": "matrix_norm("}
    name = program[: program.index("(") + 1]
    agree(f"t.linalg.{full[name]}{program[len(name) :]}", 1e-5, **GIVEN)


@pytest.mark.parametrize("program", programs(FACTORS))
def test_factors(agree: Callable[..., None], program: str) -> None:
    agree(program.replace("L.", "t.linalg.", 1), 1e-9, **FULL_RANK)


@st.composite
def equations(draw: Any) -> tuple[str, list[Any]]:
    """An einsum over drawn labels, with sizes 0 and 1, repeated labels and ellipses."""
    letters = "abcd"
    sizes = {c: draw(st.sampled_from([0, 1, 2, 3])) for c in letters}
    terms, arrays = [], []
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    for _ in range(draw(st.integers(1, 3))):
        term = "".join(draw(st.lists(st.sampled_from(letters), max_size=3)))
        shape = [sizes[c] for c in term]
        if len(set(term)) == len(term) and shape and draw(st.integers(0, 4)) == 0:
            shape[draw(st.integers(0, len(shape) - 1))] = 1  # broadcasts
        if draw(st.booleans()):
            term, shape = f"...{term}", [*draw(st.sampled_from([(), (2,), (1,), (2, 2)])), *shape]
        terms.append(term)
        arrays.append(rng.normal(size=shape))
    known = sorted({c for term in terms for c in term if c != "."})
    out = "".join(draw(st.permutations(known))[: draw(st.integers(0, len(known)))])
    dots = "..." if any("." in term for term in terms) else ""
    return ",".join(terms) + draw(st.sampled_from(["", f"->{dots}{out}"])), arrays


@settings(max_examples=200)
@given(equations())
def test_drawn_equations(agree: Callable[..., None], drawn: tuple[str, list[Any]]) -> None:
    equation, arrays = drawn
    named = {f"x{i}": array for i, array in enumerate(arrays)}
    agree(f"t.einsum({equation!r}, {', '.join(named)})", 1e-9, **named)


@settings(max_examples=100)
@given(st.data())
def test_drawn_products(agree: Callable[..., None], data: Any) -> None:
    side = st.integers(0, 3)
    n, k, m = data.draw(side), data.draw(side), data.draw(side)
    lead = st.sampled_from([(), (1,), (2,), (0,), (3, 2), (1, 2), (3, 1)])
    left = data.draw(st.sampled_from([(k,), (*data.draw(lead), n, k)]))
    right = data.draw(st.sampled_from([(k,), (*data.draw(lead), k, m)]))
    rng = np.random.default_rng(0)
    agree("t.matmul(a, b)", 1e-9, a=rng.normal(size=left), b=rng.normal(size=right))


@pytest.mark.parametrize(
    "program",
    programs("""
    L.matrix_exp(A)  L.matrix_exp(B*3)  L.matrix_exp(J*0)  L.matrix_exp(A[:2])
    L.matrix_exp(A.float())
    """),
)
def test_exponentials(agree: Callable[..., None], program: str) -> None:
    rtol = 1e-5 if "float" in program else 1e-9
    agree(program.replace("L.", "t.linalg.", 1), rtol, **FULL_RANK)
