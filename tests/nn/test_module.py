"""Modules: what they are made of, modes, conversion, hooks, printing, and wiring mistakes."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from typing import Any

import numpy as np
import pytest

import gradling
from gradling import nn
from gradling.engine.modes import Mode


class Block(nn.Module):
    def __init__(self, n: int = 2) -> None:
        super().__init__()
        self.fc = nn.Linear(n, n)
        self.scale = nn.Parameter(gradling.ones(n))
        self.register_buffer("count", gradling.tensor(0))

    def forward(self, x: Any) -> Any:
        return self.fc(x) * self.scale


class Net(nn.Module):
    """Children as attributes, in a list, in a dict of lists, and a shared one."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes = [1, 2, 3]
        self.first = Block()
        self.blocks = [Block(), Block()]
        self.heads = {"a": nn.Linear(2, 1), "more": (nn.Linear(2, 3, bias=False), nn.ReLU())}
        self.again = self.first
        self.gains = [nn.Parameter(gradling.ones(1)), None]

    def forward(self, x: Any) -> Any:
        for block in (self.first, *self.blocks, self.again):
            x = block(x)
        return self.heads["a"](x) * self.gains[0]


NAMES = [
    "gains.0", "first.scale", "first.fc.weight", "first.fc.bias",
    "blocks.0.scale", "blocks.0.fc.weight", "blocks.0.fc.bias",
    "blocks.1.scale", "blocks.1.fc.weight", "blocks.1.fc.bias",
    "heads.a.weight", "heads.a.bias", "heads.more.0.weight",
]  # fmt: skip


def test_parameters_are_found_as_attributes_and_in_lists_and_dicts() -> None:
    net = Net()
    assert [name for name, _ in net.named_parameters()] == NAMES
    named = [p for _, p in net.named_parameters()]
    assert all(p is q for p, q in zip(net.parameters(), named, strict=True))
    assert [name for name, _ in net.named_buffers()] == [
        "first.count", "blocks.0.count", "blocks.1.count"
    ]  # fmt: skip
    assert [name for name, _ in net.named_children()] == [
        "first", "blocks.0", "blocks.1", "heads.a", "heads.more.0", "heads.more.1"
    ]  # fmt: skip
    again = {name for name, _ in net.named_parameters(remove_duplicate=False)}
    assert again == {*NAMES, "again.scale", "again.fc.weight", "again.fc.bias"}
    assert len(list(net.modules())) == 1 + 3 * 2 + 3
    net.blocks.append(Block())  # the list itself is the truth
    assert "blocks.2.fc.weight" in dict(net.named_parameters())
    assert [n for n, _ in net.named_parameters(recurse=False)] == ["gains.0"]
    assert [n for n, _ in net.named_parameters(prefix="net")][0] == "net.gains.0"


def test_a_list_that_holds_itself_ends() -> None:
    net = nn.Module()
    net.loop = [nn.Linear(1, 1)]
    net.loop.append(net.loop)
    assert [name for name, _ in net.named_parameters()] == ["loop.0.weight", "loop.0.bias"]
    net.me = net
    assert len(list(net.modules())) == 2


def test_paths_lead_to_modules_parameters_and_buffers() -> None:
    net = Net()
    assert net.get_submodule("blocks.1.fc") is net.blocks[1].fc
    assert net.get_submodule("again") is net.first
    assert net.get_parameter("heads.more.0.weight") is net.heads["more"][0].weight
    assert net.get_buffer("first.count") is net.first.count
    with pytest.raises(AttributeError, match="did you mean 'blocks.1.fc'"):
        net.get_submodule("block.1.fc")


def test_modes() -> None:
    net = Net()
    assert net.training and net.eval() is net and not net.blocks[1].fc.training
    net.train()
    net.blocks[0].eval()
    with net.evaluating() as inside:
        assert inside is net and not any(m.training for m in net.modules())
    assert net.training and not net.blocks[0].training and net.blocks[1].training
    with pytest.raises(RuntimeError), net.evaluating():
        raise RuntimeError
    assert net.blocks[1].training
    with pytest.raises(ValueError, match="True or False"):
        net.train("yes")  # type: ignore[arg-type]


def test_conversion_keeps_parameters_themselves_and_their_gradients() -> None:
    net = Net()
    net(gradling.ones(3, 2)).sum().backward()
    before = list(net.parameters())
    weight, kept = net.first.fc.weight, net.first.fc.weight.grad.tolist()
    assert net.double() is net
    assert all(a is b for a, b in zip(before, net.parameters(), strict=True))
    assert {p.dtype for p in net.parameters()} == {gradling.float64}
    assert weight.grad.dtype == gradling.float64 and weight.grad.tolist() == kept
    assert net.first.count.dtype == gradling.int64  # whole numbers stay what they are
    y = net(gradling.ones(3, 2, dtype=gradling.float64)).sum()
    y.backward()
    assert np.allclose(weight.grad.numpy(), 2 * np.array(kept))
    assert net.to(gradling.float32).to("cpu").first.scale.dtype == gradling.float32
    assert net.half().to(gradling.zeros(1, dtype=gradling.float64)).gains[0].dtype == np.float64
    with pytest.raises(TypeError, match="floating"):
        net.to(gradling.int64)
    with pytest.raises(RuntimeError, match="no device"):
        net.to("cuda")


def test_gradients_can_be_frozen_and_forgotten() -> None:
    net = Net()
    net(gradling.ones(1, 2)).sum().backward()
    used = [p for p in net.parameters() if p.grad is not None]
    net.zero_grad(set_to_none=False)
    assert len(used) == len(NAMES) - 1 and all(not p.grad.numpy().any() for p in used)
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())
    net.requires_grad_(False)
    assert not net(gradling.ones(1, 2)).requires_grad
    net.requires_grad_()
    assert net(gradling.ones(1, 2)).requires_grad


def test_apply_goes_from_the_leaves_up() -> None:
    seen: list[str] = []
    net = nn.Sequential(nn.Linear(1, 1), nn.Sequential(nn.ReLU()))
    assert net.apply(lambda m: seen.append(type(m).__name__)) is net
    assert seen == ["Linear", "ReLU", "Sequential", "Sequential"]


def test_a_missing_super_init_is_named() -> None:
    class Forgot(nn.Module):
        def __init__(self) -> None:
            self.n = 3  # plain attributes may come first
            self.fc = nn.Linear(1, 1)

    with pytest.raises(AttributeError, match=r"Forgot.__init__ has not called super\(\)"):
        Forgot()

    class OnlyAList(nn.Module):
        def __init__(self) -> None:
            self.layers = [nn.Linear(1, 1)]

        def forward(self, x: Any) -> Any:
            return x

    for use in (lambda m: m(1), lambda m: list(m.buffers()), lambda m: m.state_dict()):
        net = OnlyAList()
        net.plain = gradling.ones(1)
        with pytest.raises(AttributeError, match=r"OnlyAList.__init__ has not called super\(\)"):
            use(net)


def test_a_misspelt_init_is_named() -> None:
    class Misspelt(nn.Module):
        def _init_(self, n: int) -> None: ...

    with pytest.raises(TypeError, match="it defines _init_; two underscores"):
        Misspelt(3)
    with pytest.raises(TypeError, match="takes no arguments"):
        nn.Module(3)


def test_a_missing_forward_is_named() -> None:
    with pytest.raises(NotImplementedError, match=r"Module has no forward\(\)"):
        nn.Module()(1)


def test_a_parameter_is_not_lost_to_a_plain_tensor() -> None:
    layer = nn.Linear(2, 2)
    with pytest.raises(TypeError, match="is a Parameter and cannot become a Tensor"):
        layer.weight = layer.weight * 2
    layer.bias = None
    assert [name for name, _ in layer.named_parameters()] == ["weight"]
    with pytest.raises(AttributeError, match="no attribute 'wieght'"):
        layer.wieght  # noqa: B018


def test_registration_checks_names_and_kinds() -> None:
    net = nn.Module()
    for bad in ("a.b", "", "forward"):
        with pytest.raises(KeyError):
            net.register_parameter(bad, None)
    with pytest.raises(TypeError, match="wrap it"):
        net.register_parameter("w", gradling.ones(1))
    with pytest.raises(TypeError, match="expected a Module"):
        net.add_module("m", 3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="expected a tensor"):
        net.register_buffer("b", 3)  # type: ignore[arg-type]
    net.register_buffer("b", None)
    assert not list(net.named_buffers())
    net.b = gradling.ones(1)  # the name stays that of a buffer
    assert list(net.state_dict()) == ["b"]
    net.table = nn.Buffer(gradling.ones(2), persistent=False)
    assert [n for n, _ in net.named_buffers()] == ["b", "table"]
    assert list(net.state_dict()) == ["b"]
    net.b = nn.Parameter(gradling.ones(1))
    assert [n for n, _ in net.named_parameters()] == ["b"]


def test_hooks_see_and_replace() -> None:
    layer = nn.Linear(2, 1)
    seen: list[Any] = []
    first = layer.register_forward_pre_hook(lambda m, x: (x[0] * 2,))
    layer.register_forward_pre_hook(lambda m, x: seen.append(x[0].tolist()), prepend=True)
    last = layer.register_forward_hook(lambda m, x, y: y + 100)
    layer.register_forward_hook(lambda m, x, y: seen.append((x[0].tolist(), y.item() > 50)))
    plain = nn.Linear(2, 1)
    plain.load_state_dict(layer.state_dict())
    x = gradling.ones(1, 2)
    assert abs(layer(x).item() - plain(2 * x).item() - 100) < 1e-4
    assert seen == [[[1.0, 1.0]], ([[2.0, 2.0]], True)]
    first.remove()
    last.remove()
    last.remove()  # twice is as good as once, and takes nobody else's hook
    assert np.allclose(layer(x).numpy(), plain(x).numpy())


def test_backward_hooks_see_and_replace() -> None:
    net = nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.Linear(2, 1))
    x = gradling.randn(4, 3, requires_grad=True)
    plain = gradling.autograd.grad(net(x).sum(), [x, *net.parameters()])
    seen = []
    handles = [
        layer.register_full_backward_hook(lambda m, gi, go: seen.append((m, gi, go)))
        for layer in (net, *net)
    ]
    found = gradling.autograd.grad(net(x).sum(), [x, *net.parameters()])
    for a, b in zip(found, plain, strict=True):
        assert a.tolist() == b.tolist()
    assert [m for m, _, _ in seen] == [net[2], net[1], net[0], net]  # the outermost is passed last
    assert seen[0][2][0].tolist() == [[1.0]] * 4 and seen[0][1][0].shape == (4, 2)
    assert seen[1][2][0].tolist() == seen[0][1][0].tolist()
    assert seen[3][1][0].tolist() == plain[0].tolist()
    handles[3].remove()
    net[2].register_full_backward_hook(lambda m, gi, go: (gi[0] * 2,))
    (doubled,) = gradling.autograd.grad(net(x).sum(), [x])
    assert doubled.tolist() == (plain[0] * 2).tolist()
    net[2].register_full_backward_hook(lambda m, gi, go: (None, None))
    with pytest.raises(RuntimeError, match="2 gradients for 1 arguments"):
        net(x).sum().backward()


def test_backward_hooks_of_several_arguments_and_outputs() -> None:
    class Both(nn.Module):
        def forward(self, x: Any, factor: float, z: Any) -> Any:
            return x * factor, "not a tensor", z.detach(), x * z

    net, seen = Both(), []
    handle = net.register_full_backward_hook(lambda m, gi, go: seen.append((gi, go)))
    x, z = gradling.ones(2, requires_grad=True), gradling.ones(2)
    a, text, _, b = net(x, 3.0, z)
    assert text == "not a tensor"
    (a.sum() + b.sum()).backward()
    ((gi, go),) = seen
    assert gi[0].tolist() == [4.0, 4.0] and gi[1:] == (None, None)
    assert go[0].tolist() == [1.0, 1.0] == go[3].tolist() and go[1:3] == (None, None)
    a, *_ = net(x, 3.0, z)
    a.sum().backward()  # an output that nothing came back from
    assert seen[1][1][3].tolist() == [0.0, 0.0]
    (first,) = gradling.autograd.grad(net(x, 3.0, x)[3].sum(), [x], create_graph=True)
    (second,) = gradling.autograd.grad(first.sum(), [x])
    assert second.tolist() == [2.0, 2.0]  # gradients of gradients go through
    with gradling.no_grad():
        net(x, 3.0, z)
    handle.remove()
    assert not net(x, 3.0, z)[0]._node.inputs[0].op  # nothing is in the way any more


def test_a_backward_hook_without_an_input_to_differentiate() -> None:
    layer, seen = nn.Linear(2, 1), []
    layer.register_full_backward_hook(lambda m, gi, go: seen.append((gi, go)))
    layer(gradling.ones(3, 2)).sum().backward()
    assert seen[0][0] == (None,) and seen[0][1][0].tolist() == [[1.0]] * 3
    assert layer.weight.grad.tolist() == [[3.0, 3.0]]


def test_hooks_with_keywords_and_after_errors() -> None:
    class Add(nn.Module):
        def forward(self, x: float, y: float = 0.0) -> float:
            if y < 0:
                raise ValueError("negative")
            return x + y

    net = Add()
    with net.register_forward_pre_hook(
        lambda m, args, kw: ((args[0] + 1,), {"y": kw["y"] * 10}), with_kwargs=True
    ):
        assert net(1.0, y=2.0) == 22.0
    assert net(1.0, y=2.0) == 3.0
    calls: list[Any] = []
    net.register_forward_hook(lambda m, a, kw, y: calls.append((kw, y)), with_kwargs=True)
    net.register_forward_hook(lambda m, a, y: calls.append("always"), always_call=True)
    net(1.0, y=2.0)
    with pytest.raises(ValueError, match="negative"):
        net(1.0, y=-2.0)
    assert calls == [({"y": 2.0}, 3.0), "always", "always"]


def test_copies_are_whole_and_apart() -> None:
    net = Net()
    x = gradling.ones(1, 2)
    net(x)  # fills the caches, which no copy needs
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert repr(twin) == repr(net) and twin.again is twin.first
        assert np.array_equal(twin(x).numpy(), net(x).numpy())
        with gradling.no_grad():
            twin.first.scale += 1
        assert not np.array_equal(twin(x).numpy(), net(x).numpy())
        assert twin.get_buffer("first.count") is not net.get_buffer("first.count")


def test_modules_are_freed_by_reference_count() -> None:
    gc.disable()
    try:
        net = Net()
        net(gradling.ones(1, 2)).sum().backward()
        alive = weakref.ref(net.first)
        del net
        assert alive() is None
    finally:
        gc.enable()


def test_graph_nodes_know_the_path_of_their_module() -> None:
    net = Net()
    y = net(gradling.ones(1, 2))
    node, scopes = y._node, []
    while node is not None and node.op is not None:
        scopes.append((node.op.name, node.scope))
        node = node.inputs[0]
    assert scopes == [
        ("mul", ""), ("linear", "heads.a"),
        ("mul", "first"), ("linear", "first.fc"),
        ("mul", "blocks.1"), ("linear", "blocks.1.fc"),
        ("mul", "blocks.0"), ("linear", "blocks.0.fc"),
        ("mul", "first"), ("linear", "first.fc"),
    ]  # fmt: skip
    assert y._node.inputs[0].scope.kind == "Linear"
    assert net.first(gradling.ones(1, 2))._node.inputs[0].scope == "fc"  # now it is the outermost
    assert pickle.loads(pickle.dumps(y._node.inputs[0].scope)) == "heads.a"
    with gradling.no_grad(), gradling.enable_grad():
        assert net(gradling.ones(1, 2))._node.inputs[0].scope == "heads.a"


def test_a_module_shared_by_two_models_has_a_path_in_each() -> None:
    shared = nn.Linear(1, 1)
    a, b = nn.Sequential(shared), nn.Sequential(nn.ReLU(), nn.Sequential(shared))
    x = gradling.ones(1, 1)
    for _ in range(2):
        assert a(x)._node.scope == "0"
        assert b(x)._node.scope == "1.0"
        assert shared(x)._node.scope == ""


def test_a_path_follows_when_a_module_moves() -> None:
    net = nn.Sequential(nn.Linear(1, 1), nn.ReLU())
    x = gradling.ones(1, 1)
    layer = net[0]
    net(x)
    net.insert(0, nn.Identity())
    net(x)
    seen: list[Any] = []
    layer.register_forward_hook(lambda m, a, y: seen.append(y._node.scope))
    net(x)
    assert seen == ["1"]


def test_modules_made_on_the_fly_have_a_path_too() -> None:
    class Maker(nn.Module):
        def forward(self, x: Any) -> Any:
            return nn.Linear(1, 1)(x)

    assert nn.Sequential(Maker())(gradling.ones(1, 1))._node.scope == "0.Linear"


def test_the_scope_depends_on_every_switch_of_the_mode() -> None:
    # nn/scope.py remembers the mode inside a module for each setting of these; a new switch of
    # engine/modes.py has to be added to its key
    # the path itself, what follows from others, a token
    state = {"scope", "plain", "watched", "keeper"}
    assert set(Mode.__slots__) - state == {"grad", "inference", "anomaly", "watch", "tape"}


def test_an_error_is_told_where_it_happened_and_what_would_help() -> None:
    class Image(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = nn.Sequential(nn.ReLU(), nn.Linear(784, 3))

        def forward(self, x: Any) -> Any:
            return self.encoder(x)

    with pytest.raises(gradling.tensor.errors.ShapeError) as caught:
        Image()(gradling.ones(32, 1, 28, 28))
    assert "linear: input (32, 1, 28, 28) does not fit weight (3, 784)" in str(caught.value)
    assert "`x.flatten(1)` would make it (32, 784)" in str(caught.value)
    assert caught.value.__notes__ == [
        "in encoder.1: Linear(in_features=784, out_features=3, bias=True), called with "
        "(float32 (32, 1, 28, 28)); its weight (3, 784), bias (3,)"
    ]
    with pytest.raises(TypeError) as other:
        Image().double()(gradling.ones(1, 784))
    assert ".to(float64)" in str(other.value)


def test_an_error_outside_of_any_shape_is_told_too() -> None:
    class Broken(nn.Module):
        def forward(self, x: Any, *, scale: float = 1.0) -> Any:
            raise KeyError("missing")

    with pytest.raises(KeyError) as caught:
        nn.Sequential(nn.Identity(), Broken())(gradling.ones(2))
    assert caught.value.__notes__ == ["in 1: Broken(), called with (float32 (2,))"]
    with pytest.raises(KeyError) as again:
        Broken()([gradling.ones(1), "a"], scale=2.0)
    assert again.value.__notes__ == ["in Broken(), called with ((float32 (1,), 'a'), scale=2.0)"]


def test_repr() -> None:
    assert repr(Net()) == (
        "Net(\n"
        "  (first): Block(\n"
        "    (fc): Linear(in_features=2, out_features=2, bias=True)\n"
        "  )\n"
        "  (blocks.0): Block(\n"
        "    (fc): Linear(in_features=2, out_features=2, bias=True)\n"
        "  )\n"
        "  (blocks.1): Block(\n"
        "    (fc): Linear(in_features=2, out_features=2, bias=True)\n"
        "  )\n"
        "  (heads.a): Linear(in_features=2, out_features=1, bias=True)\n"
        "  (heads.more.0): Linear(in_features=2, out_features=3, bias=False)\n"
        "  (heads.more.1): ReLU()\n"
        ")"
    )
    assert repr(nn.Module()) == "Module()"


def test_a_parameter_is_a_tensor() -> None:
    data = gradling.ones(2)
    p = nn.Parameter(data)
    assert p.requires_grad and p.is_leaf and isinstance(p, gradling.Tensor)
    assert p._data is data._data  # the memory is shared
    assert type(p * 2) is gradling.Tensor
    assert repr(p).startswith("Parameter containing:\ntensor([")
    assert not nn.Parameter([1.0], requires_grad=False).requires_grad
    with pytest.raises(RuntimeError, match="floating"):
        nn.Parameter(gradling.tensor([1]))
    twin = copy.deepcopy(p)
    assert type(twin) is nn.Parameter and twin.requires_grad and twin is not p
    with gradling.no_grad():
        p -= 1
    assert type(p) is nn.Parameter and p.requires_grad and p.tolist() == [0.0, 0.0]
