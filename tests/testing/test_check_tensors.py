"""The checker on functions of Tensors and Values, on modules, and as PyTorch spells it."""

from __future__ import annotations

import numpy as np
import pytest

import gradling
from gradling import Tensor, Value, nn
from gradling.engine import TABLE
from gradling.testing import (
    GradientError,
    WrongGradient,
    check_gradients,
    check_module,
    gradcheck,
    gradgradcheck,
    laid_out,
    network,
)
from gradling.testing.rule_mutants import Mutant, planted

RNG = np.random.default_rng(5)
X, W = RNG.standard_normal((3, 4)), RNG.standard_normal((4, 2))


def layer(x, w):
    return (x @ w).tanh()


def tensor(array, **options):
    return gradling.tensor(array, dtype=gradling.float64, **options)


@pytest.mark.parametrize("order", [1, 2])
def test_functions_of_tensors(order):
    assert check_gradients(layer, tensor(X), tensor(W), order=order)
    assert check_gradients(layer, X, W, order=order), "arrays become tensors"


def test_every_dtype_and_layout():
    for dtype in ("float64", "float32", "float16"):
        for layout in ("contiguous", "transposed", "strided", "reversed", "broadcast"):
            x = laid_out(X, layout, dtype)
            report = check_gradients(lambda x: (x * x).sum(0).exp(), x)
            assert report, str(report)
            assert report.operands[0].dtype == dtype


def test_only_what_asks_for_a_gradient_is_checked():
    report = check_gradients(layer, tensor(X), tensor(W, requires_grad=True))
    assert [o.name for o in report.operands] == ["w"]


def test_arguments_that_are_no_tensors_are_passed_on():
    assert check_gradients(lambda x, dim, keep: x.sum(dim, keepdim=keep), tensor(X), 1, True)


def test_several_outputs_and_integer_outputs():
    assert check_gradients(lambda x: (x.exp(), x.sum(), x > 0), tensor(X))


def test_no_path_is_a_claim_of_zero():
    report = check_gradients(lambda x, w: x * w.detach(), tensor(X), tensor(X))
    assert report.verdict == "wrong"
    assert [o.verdict for o in report.operands] == ["correct", "wrong"]
    assert check_gradients(lambda x, w: x * 2, tensor(X), tensor(X)), (
        "w takes no part: zero is right"
    )


def test_the_guilty_rule_is_named():
    def wrong(g, y, a, b):
        return g * a * 1.001

    row = TABLE["mul"]
    with planted(Mutant("mul", 1, "scaled", wrong)):
        report = check_gradients(lambda x, w: ((x @ w).tanh() * 3 * x.sum()).exp(), X, W)
        assert report.verdict == "wrong"
        (culprit,) = report.culprits
        assert "op 'mul'" in culprit
        assert "operand 'b'" in culprit
        assert "test_check_tensors.py" in culprit
    assert row.vjp[1] is not wrong


def test_wrong_at_second_order_only():
    """A gradient that is right itself but built of numbers, not of the graph."""

    def fn(x):
        return x * x.detach() + x * x.detach()

    assert check_gradients(lambda x: x * x * x, X, order=2)
    report = check_gradients(lambda x: (x * x.detach() * x.detach()) * 3, X, order=2)
    assert report.verdict == "wrong"
    assert "second derivative" in str(report)
    assert check_gradients(fn, X).verdict == "wrong", "half of the slope is missing"


def test_linear_functions_have_zero_second_derivatives():
    assert check_gradients(lambda x: x * 3, X, order=2)
    assert check_gradients(lambda x: x.reshape(-1), X, order=2)


def test_kink_in_a_tensor_function():
    report = check_gradients(lambda x: x.relu(), tensor([0.0, 1.0]))
    assert report.verdict == "kink"
    assert report.worst.index == (0,)


@pytest.mark.parametrize("order", [1, 2])
def test_functions_of_values(order):
    assert check_gradients(lambda a, b: (a * b + a**2).tanh(), 2.0, -3.0, order=order)
    assert check_gradients(lambda a, b: a / b, Value(2.0), Value(-3.0), order=order)
    assert check_gradients(lambda xs: sum(x * x * x for x in xs), [0.5, -2.0, 1.5], order=order)
    assert check_gradients(lambda xs: [x.exp() for x in xs], [0.5, -2.0], order=order)


def test_wrong_function_of_values():
    report = check_gradients(lambda a, b: a * b.data, Value(2.0), Value(-3.0))
    assert report.verdict == "wrong"
    assert [o.verdict for o in report.operands] == ["correct", "wrong"]


def test_zero_sizes():
    assert check_gradients(lambda x: x.exp(), tensor(np.zeros((0, 3))))
    assert check_gradients(lambda x: x.sum(), tensor(np.zeros((0, 3))))


def test_bad_calls():
    with pytest.raises(TypeError, match="at least one floating tensor"):
        check_gradients(lambda x: x, gradling.tensor([1, 2]))
    with pytest.raises(TypeError, match="no gradient to check"):
        check_gradients(lambda x: x.sum().item(), tensor(X))
    with pytest.raises(TypeError, match="needs inputs"):
        check_gradients(lambda: 1.0)


def test_gradcheck_as_pytorch_spells_it():
    x, w = tensor(X, requires_grad=True), tensor(W, requires_grad=True)
    assert gradcheck(layer, (x, w), eps=1e-6, atol=1e-5, rtol=1e-3) is True
    assert gradgradcheck(layer, (x, w)) is True
    assert gradgradcheck(layer, (x, w), grad_outputs=(gradling.ones(3, 2).double(),)) is True
    bad = lambda x: x * x.detach()  # noqa: E731
    assert gradcheck(bad, x, raise_exception=False) is False
    with pytest.raises(WrongGradient, match="WRONG"):
        gradcheck(bad, (x,))
    with pytest.raises(GradientError):
        gradgradcheck(lambda x: x * x.detach() ** 2, (x,))
    with pytest.raises(ValueError, match="requires a gradient"):
        gradcheck(layer, (tensor(X), tensor(W)))


def test_a_row_for_each_parameter():
    model = network([3, 4, 2], "GELU")
    before = [p.detach().clone() for p in model.parameters()]
    report = check_module(model, tensor(RNG.standard_normal((5, 3))))
    assert report, str(report)
    assert [o.name for o in report.operands] == ["0.weight", "0.bias", "2.weight", "2.bias"]
    for p, old in zip(model.parameters(), before, strict=True):
        assert np.array_equal(p.detach().numpy(), old.numpy())
        assert p.grad is None


def test_module_with_a_loss_and_followed_input():
    model = network([3, 1])
    target = tensor(RNG.standard_normal((5, 1)))
    x = tensor(RNG.standard_normal((5, 3)), requires_grad=True)
    report = check_module(model, x, loss=lambda y: ((y - target) ** 2).mean())
    assert report, str(report)
    assert [o.name for o in report.operands] == ["0.weight", "0.bias", "input 0"]


def test_frozen_parameters_are_left_out():
    model = nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.Conv1d(1, 2, 2))
    model[0].requires_grad_(False)
    before = [p.detach().clone() for p in model.parameters()]
    report = check_module(model, tensor(RNG.standard_normal((5, 1, 3))))
    assert report, str(report)
    assert [o.name for o in report.operands] == ["2.weight", "2.bias"]
    for p, old in zip(model.parameters(), before, strict=True):
        assert p.dtype == old.dtype and np.array_equal(p.detach().numpy(), old.numpy())
    assert not model[0].weight.requires_grad


def test_a_wrong_parameter_is_named():
    class Forgetful(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(3, 4), nn.Linear(4, 2)

        def forward(self, x):
            return self.second(self.first(x).detach().tanh())

    report = check_module(Forgetful(), Tensor(RNG.standard_normal((5, 3))))
    assert report.verdict == "wrong"
    found = {o.name: str(o.verdict) for o in report.operands}
    assert found["second.weight"] == found["second.bias"] == "correct"
    assert found["first.weight"] == "wrong"
    assert "no gradient arrived at first.weight" in str(report)


def test_module_of_values():
    assert check_module(nn.MLP(2, [3, 1]), [0.5, -1.0]).verdict in ("correct", "kink")


def test_module_without_parameters():
    with pytest.raises(ValueError, match="has no parameters"):
        check_module(nn.Tanh(), tensor(X))


@pytest.mark.parametrize("seed", [0, 6, 8, 11, 12, 20, 27])
def test_a_gradient_that_is_nothing_but_rounding_is_right(seed):
    """The sum of a layer norm is 0 whatever its input; so is what cancels in its derivatives."""
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(2, 6)), int(rng.integers(1, 4))
    x = tensor(rng.normal(size=(m, n)) * 10 ** rng.uniform(-1, 1))
    report = check_gradients(lambda x: nn.functional.layer_norm(x, (n,)).sum(), x, order=2)
    assert report, report


def test_rounding_inside_is_no_slope():
    """Far below its own noise this gradient moves smoothly: the smallest steps show no slope."""
    qkv = np.array([
        [-23, -21, -19, -17, -15, -13, 1, 23, -7, 11, -1, 9],
        [-11, 21, 5, 7, -3, -5, 3, 15, 17, 13, 19, -9],
    ]) / 64  # fmt: skip
    mask = np.array([[-12, -4], [4, 12]]) / 64
    attend = TABLE["self_attention"]
    report = check_gradients(
        lambda qkv, mask: attend(qkv, mask, 2, 0.5, None), tensor(qkv[None]), tensor(mask),
        order=2,
    )  # fmt: skip
    assert report, report
