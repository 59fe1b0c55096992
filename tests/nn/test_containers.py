"""Containers: order, slices, names, and that they are nothing special to a state."""

from __future__ import annotations

from collections import OrderedDict

import pytest

import gradling
from gradling import nn


def kinds(net: nn.Sequential) -> list[str]:
    return [f"{name}:{type(m).__name__}" for name, m in net.named_children()]


def test_sequential_runs_in_order() -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    x = gradling.ones(4, 2)
    assert net(x).tolist() == net[2](net[1](net[0](x))).tolist()
    assert len(net) == 3 and [type(m) for m in net] == [nn.Linear, nn.ReLU, nn.Linear]
    assert net[-1] is net[2]
    with pytest.raises(IndexError, match="index 3 is out of range for 3"):
        net[3]


def test_sequential_of_named_modules() -> None:
    net = nn.Sequential(OrderedDict([("fc", nn.Linear(2, 2)), ("act", nn.Tanh())]))
    assert kinds(net) == ["fc:Linear", "act:Tanh"] and net.fc is net[0]
    assert list(net.state_dict()) == ["fc.weight", "fc.bias"]
    part = net[:1]
    assert type(part) is nn.Sequential and kinds(part) == ["fc:Linear"] and part.fc is net.fc
    net.append(nn.ReLU())
    assert kinds(net) == ["fc:Linear", "act:Tanh", "2:ReLU"]


def test_sequential_is_a_list() -> None:
    a, b, c = nn.ReLU(), nn.Tanh(), nn.Sigmoid()
    net = nn.Sequential(a, c)
    assert net.insert(1, b) is net
    assert kinds(net) == ["0:ReLU", "1:Tanh", "2:Sigmoid"] and list(net) == [a, b, c]
    assert net.pop(0) is a and list(net) == [b, c] and kinds(net) == ["0:Tanh", "1:Sigmoid"]
    net[0] = a
    net += [b]
    assert list(net) == [a, c, b] and list(net + [a]) == [a, c, b, a]
    del net[:2]
    assert list(net) == [b] and kinds(net) == ["0:Tanh"]
    with pytest.raises(TypeError, match=r"expected a Module, got type .*call it: ReLU\(...\)"):
        nn.Sequential(nn.Linear(1, 1), nn.ReLU)
    with pytest.raises(TypeError, match="expected a Module, got function"):
        net.append(lambda x: x)  # type: ignore[arg-type, return-value]
    with pytest.raises(IndexError):
        net.insert(5, a)


def test_a_subclass_can_be_sliced_without_its_arguments() -> None:
    class Stack(nn.Sequential):
        def __init__(self, n: int) -> None:
            super().__init__(*(nn.Linear(n, n) for _ in range(3)))
            self.n = n

    assert len(Stack(2)[1:]) == 2


def test_module_list() -> None:
    blocks = nn.ModuleList(nn.Linear(2, 2) for _ in range(4))
    blocks.append(nn.ReLU())
    assert len(blocks) == 5 and len(blocks[1:3]) == 2
    assert len(list(blocks.parameters())) == 8
    assert repr(blocks) == (
        "ModuleList(\n"
        "  (0-3): 4 x Linear(in_features=2, out_features=2, bias=True)\n"
        "  (4): ReLU()\n"
        ")"
    )
    with pytest.raises(NotImplementedError, match="ModuleList has no forward"):
        blocks(1)
    assert repr(nn.ModuleList()) == "ModuleList()" and len(nn.ModuleList(None)) == 0  # type: ignore[arg-type]


def test_module_dict() -> None:
    d = nn.ModuleDict({"a": nn.Linear(1, 1), "b": nn.ReLU()})
    d["c"] = nn.Tanh()
    assert list(d) == ["a", "b", "c"] == list(d.keys()) and len(d) == 3 and "b" in d
    assert list(d.state_dict()) == ["a.weight", "a.bias"]
    assert type(d.pop("b")) is nn.ReLU and d.get("b") is None
    d.update([("a", nn.ReLU())])
    assert [type(m) for m in d.values()] == [nn.ReLU, nn.Tanh]
    with pytest.raises(KeyError, match="'a', 'c'"):
        d["b"]
    with pytest.raises(KeyError):
        d["forward"] = nn.ReLU()
    with pytest.raises(TypeError, match="expected a Module"):
        d["x"] = 3
    d.clear()
    assert not d.items()


def test_lists_and_dicts_of_parameters() -> None:
    ps = nn.ParameterList([gradling.ones(2), nn.Parameter(gradling.zeros(3))])
    ps.append(gradling.ones(1))
    assert [n for n, _ in ps.named_parameters()] == ["0", "1", "2"]
    assert repr(ps).splitlines()[1] == "  (0): Parameter containing: [float32 of size 2]"
    d = nn.ParameterDict({"a": gradling.ones(2, 3)})
    d["b"] = gradling.ones(1)
    assert [n for n, _ in d.named_parameters()] == ["a", "b"]
    assert "(a): Parameter containing: [float32 of size 2x3]" in repr(d)
    net = nn.Module()
    net.all = nn.ModuleList([nn.ModuleDict({"p": nn.Sequential(nn.Linear(1, 1))})])
    net.ps = ps
    assert list(net.state_dict()) == ["all.0.p.0.weight", "all.0.p.0.bias", "ps.0", "ps.1", "ps.2"]
