"""grad, vjp, jvp, jacobian, hessian, hvp: functions of functions, nested, on trees of anything."""

from __future__ import annotations

import math
from collections import namedtuple
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

import gradling
from gradling import Value, grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from gradling.autograd import functional

Tensor = gradling.Tensor


def tensor(*numbers: float) -> Tensor:
    return gradling.tensor(list(numbers), dtype=gradling.float64)


def close(a: Any, b: Any) -> bool:
    return bool(np.allclose(np.asarray(a), np.asarray(b), rtol=1e-10, atol=1e-12))


def bowl(x: Tensor) -> Tensor:
    return (x.sin() * x * x).sum() + (x[0] * x[-1]).exp()


class TestGrad:
    def test_floats_to_any_order(self) -> None:
        f: Any = lambda x: x**4 + 2 * x  # noqa: E731
        found = []
        for _ in range(5):
            f = grad(f)
            found.append(f(2.0))
        assert found == [34.0, 48.0, 48.0, 24.0, 0.0]
        assert all(type(x) is float for x in found)

    def test_a_tensor(self) -> None:
        x = tensor(0.5, 1.0, 2.0)
        g = grad(bowl)(x)
        n = x.numpy()
        known = n**2 * np.cos(n) + 2 * n * np.sin(n)
        known[0] += n[2] * np.exp(n[0] * n[2])
        known[2] += n[0] * np.exp(n[0] * n[2])
        assert close(g, known)
        assert not g.requires_grad and not x.requires_grad and x.grad is None

    def test_values(self) -> None:
        x = Value(2.0)
        slope = grad(lambda v: v**3)(x)
        assert isinstance(slope, Value) and slope.data == 12.0 and x._grad is None
        assert grad(grad(lambda v: v**3))(x).data == 12.0
        da, db = grad(lambda a, b: a * b + 1.5 * b, (0, 1))(x, 3.0)
        assert (da.data, db.data) == (3.0, 3.5)

    def test_the_levels_are_kept_apart(self) -> None:
        """d/dx of x * (d/dy of (x + y)): the inner derivative is 1 whatever the outer x."""
        for one in (1.0, Value(1.0), tensor(1.0)):
            f = grad(lambda x: (x * grad(lambda y: x + y)(x)).sum() if isinstance(x, Tensor)
                     else x * grad(lambda y: x + y)(x))  # fmt: skip
            assert float(f(one)) == 1.0

    def test_a_closed_over_parameter_is_differentiated_too(self) -> None:
        w = tensor(3.0).requires_grad_()
        g = grad(lambda x: (w * x * x).sum())(tensor(2.0))
        assert g.item() == 12.0 and g.requires_grad
        g.backward()
        assert w.grad is not None and w.grad.item() == 4.0

    def test_through_an_outer_graph(self) -> None:
        x = tensor(2.0).requires_grad_()
        slope = grad(lambda v: (v**3).sum())(x * 2)
        slope.sum().backward()
        assert x.grad is not None and x.grad.item() == pytest.approx(6 * 4 * 2)

    def test_under_no_grad(self) -> None:
        with gradling.no_grad():
            g = grad(lambda x: (x * x).sum())(tensor(3.0))
            assert g.item() == 6.0 and not g.requires_grad
            assert grad(grad(lambda x: x**3))(2.0) == 12.0

    def test_trees(self) -> None:
        Pair = namedtuple("Pair", "left right")
        params = {"w": tensor(1.0, 2.0), "rest": [tensor(3.0), (4.0, Pair(tensor(5.0), 6.0))]}

        def f(p: Any, scale: float) -> Tensor:
            (a, (b, pair)) = p["rest"]
            return (p["w"].sum() * a * b * pair.left * pair.right * scale).sum()  # type: ignore[no-any-return]

        g = grad(f)(params, 1.0)
        assert close(g["w"], [360.0, 360.0]) and close(g["rest"][0], 360.0)
        assert g["rest"][1][0] == 270.0 and isinstance(g["rest"][1][1], Pair)
        assert g["rest"][1][1].right == 180.0

    def test_argnums_and_keywords(self) -> None:
        def f(a: Any, b: Any, *, c: float) -> Any:
            return a * b * b * c

        assert grad(f, 1)(2.0, 3.0, c=1.0) == 12.0
        assert grad(f, -2)(2.0, 3.0, c=2.0) == 18.0
        assert grad(f, (1, 0))(2.0, 3.0, c=1.0) == (12.0, 9.0)

    def test_aux_and_value(self) -> None:
        def f(x: Tensor) -> Any:
            y = x * x
            return y.sum(), {"y": y, "note": "kept"}

        x = tensor(1.0, 2.0)
        g, aux = grad(f, has_aux=True)(x)
        assert close(g, [2.0, 4.0]) and aux["note"] == "kept" and not aux["y"].requires_grad
        (value, aux), g = value_and_grad(f, has_aux=True)(x)
        assert value.item() == 5.0 and not value.requires_grad and close(aux["y"], [1.0, 4.0])
        assert gradling.func.grad_and_value(bowl)(x)[1].item() == bowl(x).item()

    def test_integers_as_numbers(self) -> None:
        assert grad(lambda x: x**2)(3) == 6.0

    def test_arrays(self) -> None:
        assert close(grad(lambda x: (x * x).sum())(np.array([1.0, 2.0])), [2.0, 4.0])

    def test_what_does_not_depend_on_the_argument(self) -> None:
        constant = tensor(1.0)
        assert close(grad(lambda x: constant.sum())(tensor(1.0, 2.0)), [0.0, 0.0])
        assert grad(lambda x, y: y * y, (0, 1))(1.0, 2.0) == (0.0, 4.0)

    def test_gradients_share_no_memory(self) -> None:
        a, b = grad(lambda a, b: (a + b).sum(), (0, 1))(tensor(1.0), tensor(2.0))
        assert not np.shares_memory(a.numpy(), b.numpy())

    def test_branches_follow_the_number(self) -> None:
        f = grad(lambda x: x * x if x > 0 else -x)
        assert (f(3.0), f(-3.0)) == (6.0, -1.0)


class TestProducts:
    def test_vjp(self) -> None:
        x, y = tensor(1.0, 2.0), tensor(3.0, 4.0)
        out, back = vjp(lambda a, b: (a * b, {"sum": a + b}), x, y)
        assert close(out[0], [3.0, 8.0]) and not out[0].requires_grad
        for _ in range(2):  # as often as one likes
            a, b = back((tensor(1.0, 10.0), {"sum": tensor(100.0, 1000.0)}))
            assert close(a, [103.0, 1040.0]) and close(b, [101.0, 1020.0])

    def test_vjp_of_values_and_with_aux(self) -> None:
        y, back, aux = vjp(lambda v: (v * v, "aux"), Value(3.0), has_aux=True)
        assert y.data == 9.0 and back(2.0)[0].data == 12.0 and aux == "aux"

    def test_jvp(self) -> None:
        x, v = tensor(1.0, 2.0), tensor(1.0, 10.0)
        y, moved = jvp(lambda x: {"y": x.exp(), "z": (x * x).sum(), "c": tensor(1.0)}, (x,), (v,))
        assert close(moved["y"], np.exp([1.0, 2.0]) * [1.0, 10.0]) and close(moved["z"], 42.0)
        assert close(moved["c"], [0.0]) and not moved["y"].requires_grad
        y, moved = jvp(lambda a, b: a * b, (Value(2.0), Value(3.0)), (Value(1.0), 10.0))
        assert (y.data, moved.data) == (6.0, 23.0)
        y, moved, aux = jvp(lambda x: (x * x, 7), (3.0,), (2.0,), has_aux=True)
        assert (float(moved), aux) == (12.0, 7)

    def test_jvp_of_what_is_linear_in_nothing(self) -> None:
        y, moved = jvp(lambda x: x.floor(), (tensor(1.5),), (tensor(1.0),))
        assert close(moved, [0.0])

    @given(st.lists(st.floats(-2, 2), min_size=2, max_size=4), st.data())
    def test_both_products_are_the_jacobian(self, numbers: list[float], data: Any) -> None:
        def f(x: Tensor) -> Tensor:
            return (x * x.sum()).tanh() + x.sin() * x[0]

        x = tensor(*numbers)
        draw = st.lists(st.floats(-2, 2), min_size=len(numbers), max_size=len(numbers))
        u, v = (tensor(*data.draw(draw)) for _ in range(2))
        J = jacobian(f)(x).numpy()
        assert close(vjp(f, x)[1](u)[0], u.numpy() @ J)
        assert close(jvp(f, (x,), (v,))[1], J @ v.numpy())

    def test_derivatives_of_products(self) -> None:
        """grad of a jvp, jvp of a grad: both are second derivatives."""
        v = tensor(1.0, 2.0, 3.0)
        x = tensor(0.3, 0.5, 0.7)
        H = hessian(bowl)(x).numpy()
        assert close(grad(lambda x: jvp(bowl, (x,), (v,))[1])(x), H @ v.numpy())
        assert close(jvp(grad(bowl), (x,), (v,))[1], H @ v.numpy())
        value, (product,) = hvp(bowl, (x,), (v,))
        assert close(product, H @ v.numpy()) and value.item() == bowl(x).item()


class TestMatrices:
    def test_jacobian_shapes(self) -> None:
        x = gradling.tensor(np.arange(6.0).reshape(2, 3))
        J = jacobian(lambda x: x.sum(0))(x)
        assert J.shape == (3, 2, 3)
        assert close(J, np.broadcast_to(np.eye(3)[:, None, :], (3, 2, 3)))
        assert jacobian(lambda x: x[:0].reshape(-1))(x).shape == (0, 2, 3)
        assert jacobian(lambda x: x * x)(3.0) == 6.0

    def test_jacobian_of_trees(self) -> None:
        x, y = tensor(1.0, 2.0), tensor(3.0)
        J = jacobian(lambda a, b: {"p": a * b, "s": a.sum() + b}, (0, 1))(x, y)
        assert close(J["p"][0], [[3.0, 0.0], [0.0, 3.0]]) and close(J["p"][1], [[1.0], [2.0]])
        assert close(J["s"][0], [[1.0, 1.0]]) and close(J["s"][1], [[1.0]])

    def test_jacobian_of_values(self) -> None:
        rows = jacobian(lambda vs: [vs[0] * vs[1], vs[0].sin()])([Value(2.0), Value(3.0)])
        assert [[v.data for v in row] for row in rows] == [[3.0, 2.0], [math.cos(2.0), 0.0]]

    def test_hessian(self) -> None:
        x = tensor(0.3, 0.5, 0.7)
        H = hessian(bowl)(x).numpy()
        h, units = 1e-5, np.eye(3)
        g = grad(bowl)
        steps = [
            (g(tensor(*(x.numpy() + h * e))).numpy() - g(tensor(*(x.numpy() - h * e))).numpy())
            for e in units
        ]
        assert np.allclose(H, np.array(steps) / (2 * h), rtol=1e-6) and close(H, H.T)
        blocks = hessian(lambda a, b: (a * a * b).sum(), (0, 1))(tensor(2.0), tensor(3.0))
        assert [[b.item() for b in row] for row in blocks] == [[6.0, 4.0], [4.0, 0.0]]

    def test_third_derivatives(self) -> None:
        T = jacobian(hessian(lambda x: (x**3).prod()))(tensor(1.0, 1.0))
        assert T.shape == (2, 2, 2) and T[0, 0, 0].item() == pytest.approx(6.0)
        assert T[0, 0, 1].item() == pytest.approx(18.0)

    def test_the_spelling_of_functional(self) -> None:
        x, v = tensor(0.3, 0.5), tensor(1.0, 2.0)
        J = functional.jacobian(lambda x: x.exp(), x)
        assert close(J, np.diag(np.exp(x.numpy()))) and not J.requires_grad
        ((a, b),) = (functional.jacobian(lambda a, b: a * b, (x, v)),)
        assert close(a, np.diag(v.numpy())) and close(b, np.diag(x.numpy()))
        assert close(functional.hessian(bowl, x), hessian(bowl)(x))
        assert close(functional.vjp(lambda x: x.exp(), x, v)[1], np.exp(x.numpy()) * v.numpy())
        assert close(functional.vjp(bowl, x)[1], grad(bowl)(x))
        assert close(functional.jvp(lambda x: x.exp(), x, v)[1], np.exp(x.numpy()) * v.numpy())
        assert close(functional.hvp(bowl, x, v)[1], hessian(bowl)(x).numpy() @ v.numpy())
        x.requires_grad_()
        assert functional.jacobian(lambda x: x.exp(), x, create_graph=True).requires_grad
        with pytest.raises(RuntimeError, match="v may only be left out"):
            functional.vjp(lambda x: x.exp(), x)


class TestErrors:
    @pytest.mark.parametrize(
        ("call", "error", "message"),
        [
            (lambda x: grad(lambda x: x * 2)(x), RuntimeError, r"one number, got shape \(2,\)"),
            (lambda x: grad(lambda x: (x[0], x[1]))(x), RuntimeError, "one number, got tuple"),
            (lambda x: grad(lambda x: x.sum().item())(x), TypeError, r"got float .*\.item"),
            (lambda x: grad(lambda x: x.sum())(x.long()), TypeError, "by a int64 Tensor"),
            (lambda x: grad(lambda x: x)("a"), TypeError, "cannot differentiate by str 'a'"),
            (lambda x: grad(lambda x: x)(True), TypeError, "cannot differentiate by bool"),
            (lambda x: grad(lambda x: x.sum(), 1)(x), IndexError, "argument 1, but .* 1 arg"),
            (lambda x: grad(lambda x: x.sum(), "x")(x), TypeError, "argnums must be an"),
            (lambda x: grad(lambda x, y: x, (0, -2))(x, x), ValueError, "an argument twice"),
            (lambda x: grad(lambda x: x.sum(), has_aux=True)(x), TypeError, "has_aux=True the"),
            (lambda x: vjp(lambda x: x, x)[1]([x]), ValueError, "expected cotangents of the"),
            (lambda x: vjp(lambda x: x, x)[1](x[:1]), ValueError, r"of shape \(2,\), got \(1,\)"),
            (lambda x: jvp(lambda x: x, (x,), (x, x)), ValueError, "jvp: expected one tangent"),
            (lambda x: grad(lambda a, b: b * b)(1.0, 2.0), TypeError, "tensors, got float"),
        ],
    )  # fmt: skip
    def test_misuse(self, call: Any, error: type[Exception], message: str) -> None:
        with pytest.raises(error, match=message):
            call(tensor(1.0, 2.0))

    def test_inference_mode(self) -> None:
        with gradling.inference_mode(), pytest.raises(RuntimeError, match="under inference_mode"):
            grad(lambda x: x)(1.0)

    def test_the_argument_is_not_edited(self) -> None:
        x = tensor(1.0, 2.0)
        with pytest.raises(RuntimeError, match="leaf that requires grad cannot be edited"):
            grad(lambda x: x.mul_(2).sum())(x)
        assert x.tolist() == [1.0, 2.0]


def test_names_are_kept() -> None:
    assert grad(bowl).__name__ == hessian(bowl).__name__ == "bowl"
