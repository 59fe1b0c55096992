"""PyTorch's own module for one of ours, with the same weights."""

from __future__ import annotations

import inspect
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import torch

from .. import nn
from ..nn import Module
from ..tensor import Tensor

_NOT_KEPT = {"self", "device", "dtype", "_weight", "_freeze", "size_average", "reduce"}


def twin(module: Module) -> torch.nn.Module:
    """PyTorch's own module of the same kind, with a copy of the same weights, buffers and mode.

    For every layer that PyTorch has under the same name, and containers of them. What is shared in
    ours (a module used twice, a tied weight) is shared in the twin; what is frozen is frozen.

    Raises:
        TypeError: a module with a ``forward`` of its own, named by its path; wrap it with
            ``as_torch_module`` instead.

    >>> from gradling import nn
    >>> twin(nn.Sequential(nn.Linear(3, 2), nn.ReLU()))
    Sequential(
      (0): Linear(in_features=3, out_features=2, bias=True)
      (1): ReLU()
    )
    """
    made = _twin(module, "", {})
    state = {name: torch.tensor(value._data) for name, value in module.state_dict().items()}
    made.load_state_dict(state)  # checks that both have the same keys and shapes
    copies: dict[int, torch.nn.Parameter] = {}
    for name, p in module.named_parameters(remove_duplicate=False):
        if id(p) not in copies:
            copies[id(p)] = torch.nn.Parameter(torch.tensor(p._data), requires_grad=p.requires_grad)
        _put(made, name, copies[id(p)])
    for name, _ in module.named_buffers(remove_duplicate=False):
        if name in state:  # of its own dtype, which loading keeps from it
            _put(made, name, state[name])
    return made


def _put(made: torch.nn.Module, name: str, value: torch.Tensor) -> None:
    path, _, leaf = name.rpartition(".")
    owner: Any = made.get_submodule(path)
    if isinstance(owner, torch.nn.ParameterDict):
        owner[leaf] = value
    else:
        setattr(owner, leaf, value)


def _twin(module: Module, path: str, done: dict[int, torch.nn.Module]) -> torch.nn.Module:
    if id(module) in done:
        return done[id(module)]
    kind = type(module).__name__
    theirs = getattr(torch.nn, kind, None)
    if theirs is None or type(module) is not getattr(nn, kind, None) or theirs is torch.nn.Module:
        raise TypeError(
            f"twin: {path or 'the module'} is a {kind}, which PyTorch does not have; use "
            "as_torch_module to run ours inside PyTorch"
        )
    children = {
        name: _twin(child, f"{path}.{name}" if path else name, done)
        for name, child in module.named_modules(remove_duplicate=False)
        if name and "." not in name
    }
    made: torch.nn.Module
    if isinstance(module, nn.Sequential):
        made = torch.nn.Sequential()
    elif isinstance(module, nn.ParameterList):
        made = torch.nn.ParameterList([torch.tensor(p._data) for p in module])
    elif isinstance(module, nn.ParameterDict):
        made = torch.nn.ParameterDict(  # which would sort the names of a dict that is not ordered
            OrderedDict((name, torch.tensor(p._data)) for name, p in module.items())
        )
    else:
        arguments = _BUILT_FROM_PARTS.get(kind, _arguments)
        made = theirs(**arguments(module, theirs, path))
    for name, child in children.items():
        if not isinstance(module, nn.MultiheadAttention):  # whose output map is a class of its own
            setattr(made, name, child)
    if isinstance(module, (nn.TransformerEncoder, nn.TransformerDecoder)):
        made.num_layers = module.num_layers  # type: ignore[assignment]
    done[id(module)] = made
    made.training = module.training  # each child has its own mode already
    return made


def _arguments(module: Module, theirs: type, path: str) -> dict[str, Any]:
    """What PyTorch's class is to be called with: the attributes that carry its arguments' names."""
    found: dict[str, Any] = {}
    names = set(inspect.signature(theirs.__init__).parameters)  # type: ignore[misc]
    if issubclass(theirs, torch.nn.RNNBase):  # PyTorch's hand everything on to their base
        names = set(inspect.signature(torch.nn.RNNBase.__init__).parameters)
        if theirs is not torch.nn.RNNBase:
            names -= {"mode", "proj_size"} if theirs is not torch.nn.LSTM else {"mode"}
        if theirs is torch.nn.RNN:
            names.add("nonlinearity")
    for name in names - _NOT_KEPT:
        if name == "bias":  # a module keeps the parameter under the name of the switch
            found[name] = _has_bias(module)
        elif name == "add_bias_kv":
            found[name] = getattr(module, "bias_k", None) is not None
        elif name == "num_chunks":
            found[name] = module.get_parameter("weight_ih").shape[0] // module.hidden_size
        elif hasattr(module, name):
            value = getattr(module, name)
            if isinstance(value, Tensor):
                value = torch.tensor(value._data)
            elif callable(value):
                value = _function(value, path)
            found[name] = value
    return found


def _has_bias(module: Module) -> bool:
    own = getattr(module, "bias", None)
    if isinstance(own, bool):
        return own
    names = {name for name, _ in module.named_parameters()}
    return bool(names & {"bias", "in_proj_bias", "bias_ih_l0", "bias_ih"})


def _function(ours: Any, path: str) -> Callable[..., Any]:
    """PyTorch's function for one of ours: of the same name in ``functional`` or at the root."""
    if isinstance(ours, Module):
        return _twin(ours, path, {})
    name = getattr(ours, "__name__", repr(ours))
    home = str(getattr(ours, "__module__", "")).partition(".")[0]
    theirs = getattr(torch.nn.functional, name, None) or getattr(torch, name, None)
    if theirs is None or home != Module.__module__.partition(".")[0]:
        raise TypeError(
            f"twin: {path or 'the module'} calls {name}, which is not PyTorch's; use "
            "as_torch_module to run ours inside PyTorch"
        )
    return theirs  # type: ignore[no-any-return]


def _layer(module: Any, theirs: type, path: str) -> dict[str, Any]:
    """A layer of a transformer, whose parts know what it was made of."""
    return {
        "d_model": module.self_attn.embed_dim,
        "nhead": module.self_attn.num_heads,
        "dim_feedforward": module.linear1.out_features,
        "dropout": module.dropout.p,
        "activation": _function(module.activation, path),
        "layer_norm_eps": module.norm1.eps,
        "batch_first": module.self_attn.batch_first,
        "norm_first": module.norm_first,
        "bias": module.linear1.bias is not None,
    }


def _stack(module: Any, theirs: type, path: str) -> dict[str, Any]:
    """A stack of layers: made empty, since each of ours may have become another."""
    name = "encoder" if theirs is torch.nn.TransformerEncoder else "decoder"
    found: dict[str, Any] = {f"{name}_layer": torch.nn.Identity(), "num_layers": 0}
    if name == "encoder":  # nested tensors drop the places that padding hides from the result
        found["enable_nested_tensor"] = False
    return found


def _transformer(module: Any, theirs: type, path: str) -> dict[str, Any]:
    return {
        "d_model": module.d_model,
        "nhead": module.nhead,
        "batch_first": module.batch_first,
        "custom_encoder": torch.nn.Identity(),  # ours take their places
        "custom_decoder": torch.nn.Identity(),
    }


_BUILT_FROM_PARTS: dict[str, Callable[[Any, type, str], dict[str, Any]]] = {
    "PairwiseDistance": lambda module, theirs, path: {
        "p": module.norm,
        "eps": module.eps,
        "keepdim": module.keepdim,
    },
    "ModuleList": lambda module, theirs, path: {},
    "ModuleDict": lambda module, theirs, path: {},
    "TransformerEncoderLayer": _layer,
    "TransformerDecoderLayer": _layer,
    "TransformerEncoder": _stack,
    "TransformerDecoder": _stack,
    "Transformer": _transformer,
}
