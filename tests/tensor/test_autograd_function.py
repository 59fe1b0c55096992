"""autograd.Function: rules of the user's own, in the graph like any other op."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest

import gradling
from gradling.autograd import Function
from gradling.autograd.function import once_differentiable

Tensor = gradling.Tensor


def tensor(*numbers: float, grad: bool = True) -> Tensor:
    return gradling.tensor(list(numbers), dtype=gradling.float64, requires_grad=grad)


class Scale(Function):
    """x times a number that is no tensor."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, factor: float) -> Tensor:
        ctx.factor = factor
        return x * factor

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        return g * ctx.factor, None


class Product(Function):
    """In the form with a separate setup_context."""

    @staticmethod
    def forward(a: Tensor, b: Tensor) -> Tensor:
        return a * b

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        a, b = ctx.saved_tensors
        return g * b, g * a


class Exp(Function):
    """Saves its own result."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        (y,) = ctx.saved_tensors
        return g * y


class SinCos(Function):
    """Two results of one operand, a whole number, and something that is no tensor at all."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Any:
        s, c = x.sin(), x.cos()
        ctx.save_for_backward(s, c)
        return s, c, gradling.tensor([7]), "note"

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        s, c = ctx.saved_tensors
        assert len(grads) == 4 and grads[3] is None
        return grads[0] * c - grads[1] * s


def test_arguments_that_are_no_tensors() -> None:
    x = tensor(1.0, 2.0)
    y = Scale.apply(x, 3.0)
    y.sum().backward()
    assert y.tolist() == [3.0, 6.0] and x.grad is not None and x.grad.tolist() == [3.0, 3.0]


def test_setup_context() -> None:
    a, b = tensor(2.0), tensor(5.0)
    Product.apply(a, b).backward()
    assert (a.grad.item(), b.grad.item()) == (5.0, 2.0)  # type: ignore[union-attr]


def test_the_same_operand_twice() -> None:
    a = tensor(3.0)
    Product.apply(a, a).backward()
    assert a.grad.item() == 6.0  # type: ignore[union-attr]


def test_a_saved_result_and_second_derivatives() -> None:
    x = tensor(0.5)
    y = Exp.apply(x * 2)
    for _ in range(3):
        (y,) = gradling.autograd.grad(y, [x], create_graph=True)
    assert y.item() == pytest.approx(8 * np.exp(1.0))


def test_several_results() -> None:
    x = tensor(0.3, 1.1)
    s, c, whole, note = SinCos.apply(x)
    assert not whole.requires_grad and note == "note"
    ((s * s).sum() + (3 * c).sum()).backward()
    numbers = x.detach().numpy()
    wanted = 2 * np.sin(numbers) * np.cos(numbers) - 3 * np.sin(numbers)
    assert np.allclose(x.grad, wanted)  # type: ignore[arg-type]


@pytest.mark.parametrize("which", [0, 1])
def test_one_of_several_results(which: int) -> None:
    """The other one gets zeros for its gradient."""
    x = tensor(0.3)
    result = SinCos.apply(x)[which]
    (slope,) = gradling.autograd.grad(result.sum(), [x], create_graph=True)
    (second,) = gradling.autograd.grad(slope.sum(), [x], create_graph=True)
    (third,) = gradling.autograd.grad(second.sum(), [x])
    known = [np.cos(0.3), -np.sin(0.3), -np.cos(0.3), np.sin(0.3)][which:]
    assert [slope.item(), second.item(), third.item()] == pytest.approx(known[:3])


def test_results_that_are_not_used_may_be_none() -> None:
    class Split(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Any:
            ctx.set_materialize_grads(False)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx: Any, a: Any, b: Any) -> Any:
            assert b is None
            return a * 2

    x = tensor(1.0)
    Split.apply(x)[0].backward()
    assert x.grad.item() == 2.0  # type: ignore[union-attr]


def test_needs_input_grad_is_what_this_backward_needs() -> None:
    seen = []

    class Asked(Function):
        @staticmethod
        def forward(ctx: Any, a: Tensor, n: int, b: Tensor, c: Tensor) -> Tensor:
            seen.append(ctx.needs_input_grad)
            return a * b * c

        @staticmethod
        def backward(ctx: Any, g: Tensor) -> Any:
            seen.append(ctx.needs_input_grad)
            return g if ctx.needs_input_grad[0] else None, None, g * 2, g

    a, b, c = tensor(1.0), tensor(1.0), tensor(1.0, grad=False)
    y = Asked.apply(a, 3, b, c)
    y.backward()
    gradling.autograd.grad(y, [b])
    assert seen == [
        (True, False, True, False),
        (True, False, True, False),
        (False, False, True, False),
    ]


def test_results_marked_as_constant() -> None:
    class Argmax(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Any:
            top, where = x[1:], x * 0
            ctx.mark_non_differentiable(where)
            return top, where

        @staticmethod
        def backward(ctx: Any, g: Tensor, none: Tensor) -> Any:
            assert none.tolist() == [0.0, 0.0]
            return g * gradling.tensor([0.0, 1.0], dtype=gradling.float64)

    top, where = Argmax.apply(tensor(1.0, 2.0))
    assert top.requires_grad and not where.requires_grad


def test_no_graph_where_none_is_wanted() -> None:
    x = tensor(1.0)
    with gradling.no_grad():
        assert not Exp.apply(x).requires_grad
    assert not Exp.apply(x.detach()).requires_grad
    assert not SinCos.apply(x.detach())[0].requires_grad


def test_forward_records_nothing_and_may_use_numpy() -> None:
    class Sorted(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            ctx.order = np.argsort(x.numpy())
            return gradling.from_numpy(x.numpy()[ctx.order])

        @staticmethod
        @once_differentiable
        def backward(ctx: Any, g: Tensor) -> Any:
            back = np.empty_like(g.numpy())
            back[ctx.order] = g.numpy()
            return gradling.from_numpy(back)

    x = tensor(3.0, 1.0, 2.0)
    y = Sorted.apply(x)
    assert y.tolist() == [1.0, 2.0, 3.0]
    (y * tensor(1.0, 10.0, 100.0, grad=False)).sum().backward()
    assert x.grad.tolist() == [100.0, 1.0, 10.0]  # type: ignore[union-attr]


def test_an_argument_that_is_returned_becomes_a_result_of_its_own() -> None:
    class Reverse(Function):
        """The gradient's sign is turned round."""

        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            return x

        @staticmethod
        def backward(ctx: Any, g: Tensor) -> Any:
            return -g

    x = tensor(1.0, 2.0)
    y = Reverse.apply(x)
    assert y is not x and not np.shares_memory(y.detach().numpy(), x.detach().numpy())
    y.sum().backward()
    assert x.grad.tolist() == [-1.0, -1.0]  # type: ignore[union-attr]


def test_gradients_share_no_memory_with_what_backward_gave() -> None:
    kept = tensor(5.0, grad=False)

    class Same(Function):
        @staticmethod
        def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
            return a + b

        @staticmethod
        def backward(ctx: Any, g: Tensor) -> Any:
            return kept, kept

    a, b = tensor(1.0), tensor(1.0)
    y = Same.apply(a, b)
    y.backward()
    y.backward()
    assert (a.grad.item(), b.grad.item(), kept.item()) == (10.0, 10.0, 5.0)  # type: ignore[union-attr]


def test_float32_takes_gradients_of_other_precision() -> None:
    class Half(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            return x / 2

        @staticmethod
        def backward(ctx: Any, g: Tensor) -> Any:
            return g.double() / 2

    x = gradling.ones(2, requires_grad=True)
    Half.apply(x).sum().backward()
    assert x.grad is not None and x.grad.dtype is gradling.float32


def test_a_gradient_of_the_shape_it_was_broadcast_to_is_summed() -> None:
    class Plus(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor, bias: Tensor) -> Tensor:
            return x + bias

        @staticmethod
        def backward(ctx: Any, g: Tensor) -> Any:
            return g, g

    bias = gradling.zeros(3, requires_grad=True)
    Plus.apply(gradling.zeros(4, 3), bias).sum().backward()
    assert bias.grad is not None and bias.grad.tolist() == [4.0, 4.0, 4.0]


def test_the_graph_shows_the_name_of_the_class() -> None:
    y = SinCos.apply(tensor(1.0))[0]
    assert y.grad_fn is not None and y.grad_fn.name == "output"
    (parent,) = y.grad_fn.inputs
    assert parent is not None and parent.name == "SinCos"
    assert parent.op.why.startswith("Two results of one operand")  # type: ignore[union-attr]
    assert "Scale" in str(Scale.apply(tensor(1.0), 2.0))
    from gradling.viz import draw

    assert "SinCos" in str(draw(y).source("dot")) if hasattr(draw(y), "source") else draw(y)


def test_it_is_freed_without_the_collector() -> None:
    gc.disable()
    try:
        x = tensor(1.0)
        y = Exp.apply(x)
        s, c, *_ = SinCos.apply(y)
        (slope,) = gradling.autograd.grad((s * c).sum(), [x], create_graph=True)
        watched = [weakref.ref(node) for node in (y.grad_fn, s.grad_fn, slope.grad_fn)]
        del y, s, c, slope, _
        assert [ref() for ref in watched] == [None, None, None]
    finally:
        gc.enable()


def test_backward_a_second_time_after_freeing() -> None:
    y = Exp.apply(tensor(1.0))
    y.backward(retain_graph=False)
    with pytest.raises(RuntimeError, match="what Exp saved was freed by the first backward"):
        y.backward()


class TestErrors:
    @staticmethod
    def make(backward: Any, forward: Any = None) -> Any:
        class Wrong(Function):
            @staticmethod
            def forward(ctx: Any, x: Tensor, weight: Tensor, power: int) -> Any:
                return forward(ctx, x) if forward else x * weight

        Wrong.backward = staticmethod(backward)  # type: ignore[method-assign]
        x = gradling.ones(4, 2, requires_grad=True)
        return Wrong.apply(x, gradling.ones(2, requires_grad=True), 3)

    @pytest.mark.parametrize(
        ("backward", "error", "message"),
        [
            (
                lambda ctx, g: g,
                RuntimeError,
                "expected 3 gradients, one for each argument .* got 1",
            ),
            (lambda ctx, g: (g, g, None, g), RuntimeError, "expected 3 gradients, .* got 4"),
            (
                lambda ctx, g: (g, None, None),
                RuntimeError,
                r"argument 1 \(weight\) needs a gradient, and",
            ),
            (lambda ctx, g: (g, g, g), RuntimeError, r"argument 2 \(power\) is no tensor"),
            (
                lambda ctx, g: (g[0], g, None),
                RuntimeError,
                r"argument 0 \(x\) has shape \(4, 2\), but",
            ),
            (lambda ctx, g: (g, g[:, :1], None), RuntimeError, r"came with shape \(4, 1\)"),
            (lambda ctx, g: (g.long(), g, None), TypeError, "its gradient came as int64"),
            (lambda ctx, g: (1.0, g, None), TypeError, "needs a tensor as its gradient, got float"),
            (lambda ctx, g: (g.numpy(), g, None), TypeError, "got ndarray; wrap it"),
        ],
    )
    def test_wrong_gradients(self, backward: Any, error: type[Exception], message: str) -> None:
        with pytest.raises(error, match=message):
            self.make(backward).sum().backward()

    def test_an_argument_edited_in_forward(self) -> None:
        for edit in (lambda x: x.add_(1), lambda x: x.__setitem__(0, 5.0), lambda x: x[0].zero_()):
            with pytest.raises(RuntimeError, match="memory is read-only"):
                self.make(None, lambda ctx, x, edit=edit: edit(x))
        with pytest.raises(ValueError, match="read-only"):
            self.make(None, lambda ctx, x: x.numpy().fill(0))

    def test_a_saved_argument_edited_afterwards(self) -> None:
        x = tensor(1.0)
        y = x * 2
        z = Product.apply(y, y)
        with gradling.no_grad():
            y.add_(1)
        with pytest.raises(
            RuntimeError, match="Product saved .* changed afterwards by the in-place"
        ):
            z.backward()

    def test_a_saved_result_edited_afterwards(self) -> None:
        for result in (Exp.apply(tensor(1.0)), SinCos.apply(tensor(1.0))[0]):
            with gradling.no_grad():
                result.mul_(2)
            with pytest.raises(RuntimeError, match="changed afterwards by the in-place edit at"):
                result.sum().backward()

    def test_numpy_returned(self) -> None:
        with pytest.raises(
            TypeError, match=r"Wrong.forward: returned a NumPy array of shape \(2,\)"
        ):
            self.make(None, lambda ctx, x: np.ones(2))

    def test_mark_dirty(self) -> None:
        with pytest.raises(RuntimeError, match="mark_dirty: a Function cannot edit"):
            self.make(None, lambda ctx, x: ctx.mark_dirty(x))

    def test_saving_what_is_no_tensor(self) -> None:
        with pytest.raises(
            TypeError, match="save_for_backward: expected tensors or None, got float"
        ):
            self.make(None, lambda ctx, x: ctx.save_for_backward(x, 2.0))

    def test_saved_tensors_during_forward(self) -> None:
        with pytest.raises(
            RuntimeError, match="saved_tensors: they are there once forward is done"
        ):
            self.make(None, lambda ctx, x: ctx.saved_tensors)

    def test_an_error_in_backward_names_the_function(self) -> None:
        def backward(ctx: Any, g: Tensor) -> Any:
            raise KeyError("mine")

        with pytest.raises(KeyError) as caught:
            self.make(backward).sum().backward()
        assert caught.value.__notes__ == ["in Wrong.backward"]

    def test_instances(self) -> None:
        with pytest.raises(RuntimeError, match=r"call Exp.apply\(...\)"):
            Exp()

    def test_a_missing_method(self) -> None:
        class Empty(Function):
            pass

        class OneWay(Function):
            @staticmethod
            def forward(ctx: Any, x: Tensor) -> Tensor:
                return x * 2

        with pytest.raises(NotImplementedError, match="static method forward"):
            Empty.apply(tensor(1.0))
        y = OneWay.apply(tensor(1.0))
        with pytest.raises(NotImplementedError, match="static method backward"):
            y.backward()

    def test_twice_through_once_differentiable(self) -> None:
        class Once(Function):
            @staticmethod
            def forward(ctx: Any, x: Tensor) -> Tensor:
                ctx.save_for_backward(x)
                return x * x

            @staticmethod
            @once_differentiable
            def backward(ctx: Any, g: Tensor) -> Any:
                (x,) = ctx.saved_tensors
                return gradling.from_numpy(2 * x.numpy() * g.numpy())

        x = tensor(3.0)
        (slope,) = gradling.autograd.grad(Once.apply(x), [x], create_graph=True)
        assert slope.item() == 6.0
        with pytest.raises(RuntimeError, match="Once.backward is marked @once_differentiable"):
            slope.backward()

    def test_second_derivatives_of_a_backward_that_leaves_the_graph(self) -> None:
        class Left(Function):
            @staticmethod
            def forward(ctx: Any, x: Tensor) -> Tensor:
                ctx.x = x.numpy()
                return x * x

            @staticmethod
            def backward(ctx: Any, g: Tensor) -> Any:
                return gradling.from_numpy(2 * ctx.x * g.detach().numpy())

        x = tensor(3.0)
        y = Left.apply(x)
        y.backward()
        with pytest.raises(RuntimeError, match="Left.backward: computed outside the graph"):
            gradling.autograd.grad(y * y, [x], create_graph=True)
