"""Beside PyTorch: our modules inside its models, and its twins of our modules.

>>> import gradling
>>> import torch
>>> from gradling.interop.torch import as_torch_module, twin
>>> ours = gradling.nn.Linear(3, 2)
>>> inside = torch.nn.Sequential(as_torch_module(ours), torch.nn.ReLU())
>>> inside(torch.ones(4, 3)).shape
torch.Size([4, 2])
>>> torch.allclose(twin(ours)(torch.ones(4, 3)), as_torch_module(ours)(torch.ones(4, 3)))
True
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

import numpy as np

try:
    import torch
except ImportError as error:
    raise ImportError(
        "gradling.interop.torch needs PyTorch: pip install torch (gradling itself does not)"
    ) from error

from ..engine import enable_grad, no_grad
from ..nn import Module, ModuleDict, ModuleList, Sequential
from ..tensor import Tensor, autograd, edits

__all__ = ["TorchModule", "as_torch_module", "from_torch", "to_torch", "twin"]


def to_torch(tensor: Tensor) -> torch.Tensor:
    """The same memory as a PyTorch tensor, outside both graphs."""
    edits.expose(tensor._data)
    array = tensor._data
    if not array.flags.writeable or any(stride < 0 for stride in array.strides):
        array = array.copy()  # PyTorch has neither read-only memory nor negative strides
    return torch.from_numpy(array)


def from_torch(tensor: torch.Tensor) -> Tensor:
    """The same memory as one of our tensors, outside both graphs.

    Raises:
        TypeError: a dtype or device that has no counterpart here.
    """
    try:
        array = tensor.detach().numpy()
    except (TypeError, RuntimeError) as error:
        raise TypeError(
            f"from_torch: cannot take over a {tensor.dtype} tensor on {tensor.device}: {error}; "
            "use .cpu() or .float() first"
        ) from None
    found = Tensor(array)
    edits.expose(found._data)
    return found


def as_torch_module(module: Module) -> TorchModule:
    """``module`` as a ``torch.nn.Module`` that runs and differentiates inside PyTorch.

    Parameters and buffers share memory with ours: whichever side steps them, both see it.

    Args:
        module: takes and gives tensors (positional arguments; one result, or a tuple of them).
    """
    return TorchModule(module)


class TorchModule(torch.nn.Module):
    """See ``as_torch_module``. ``.ours`` is the module inside."""

    def __init__(self, module: Module) -> None:
        super().__init__()
        if not isinstance(module, Module):
            raise TypeError(
                f"as_torch_module: expected a gradling Module, got {type(module).__name__}"
            )
        object.__setattr__(self, "ours", module)  # not a child of PyTorch's
        self._names = [name for name, _ in module.named_parameters()]
        for name, p in module.named_parameters():
            shared = torch.nn.Parameter(to_torch(p), requires_grad=p.requires_grad)
            self.register_parameter(_flat(name), shared)

    def shared_parameters(self) -> list[torch.nn.Parameter]:
        """PyTorch's parameters in the order of ours, sharing memory anew where ours has moved."""
        found = []
        for name, p in self.ours.named_parameters():
            theirs: torch.nn.Parameter = getattr(self, _flat(name))
            if theirs.data_ptr() != p._data.__array_interface__["data"][0]:
                theirs.data = to_torch(p)
            found.append(theirs)
        return found

    def train(self, mode: bool = True) -> TorchModule:
        super().train(mode)
        if "ours" in self.__dict__:
            self.ours.train(mode)
        return self

    def forward(self, *inputs: Any) -> Any:
        outputs = _Bridge.apply(self.ours, len(inputs), *inputs, *self.shared_parameters())
        return outputs[0] if len(outputs) == 1 else outputs


def _flat(name: str) -> str:
    return name.replace(".", "__")  # PyTorch allows no dots in a parameter's own name


class _Bridge(torch.autograd.Function):
    """One node in PyTorch's graph that holds a whole graph of ours."""

    @staticmethod
    def forward(ctx: Any, module: Module, count: int, *tensors: Any) -> Any:
        wanted = ctx.needs_input_grad[2:]
        inputs = [
            from_torch(x).requires_grad_(want and x.is_floating_point())
            for x, want in zip(tensors[:count], wanted[:count], strict=True)
        ]
        with enable_grad() if any(wanted) else no_grad():
            result = module(*inputs)
        outputs = result if isinstance(result, tuple) else (result,)
        for place, y in enumerate(outputs):
            if not isinstance(y, Tensor):
                raise TypeError(
                    f"as_torch_module: output {place} of {type(module).__name__} is a "
                    f"{type(y).__name__}; only tensors can cross into PyTorch"
                )
        ctx.ours = (inputs, list(module.parameters()), outputs)
        return tuple(to_torch(y) for y in outputs)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Any) -> Any:
        inputs, params, outputs = ctx.ours
        # A result that is in no graph of ours leads to nothing.
        pairs = [
            (y, from_torch(g.contiguous()))
            for y, g in zip(outputs, gradients, strict=True)
            if g is not None and y.requires_grad
        ]
        sources = [*inputs, *params]
        tracked = [x for x in sources if x.requires_grad]
        found: Iterable[Any] = iter(())
        if pairs and tracked:
            ys, gs = zip(*pairs, strict=True)
            found = iter(autograd.grad(list(ys), tracked, list(gs), allow_unused=True))
        parts = [next(found, None) if x.requires_grad else None for x in sources]
        return (None, None, *(None if part is None else to_torch(part) for part in parts))


def twin(module: Module) -> torch.nn.Module:
    """PyTorch's own module of the same kind, with a copy of the same weights, buffers and mode.

    For layers that PyTorch has under the same name, and containers of them.

    Raises:
        TypeError: a module with a ``forward`` of its own, named by its path; wrap it with
            ``as_torch_module`` instead.
    """
    made = _twin(module, "")
    state = {name: torch.tensor(value._data) for name, value in module.state_dict().items()}
    made.load_state_dict(state)
    return made


def _twin(module: Module, path: str) -> torch.nn.Module:
    kind = type(module).__name__
    theirs = getattr(torch.nn, kind, None)
    if theirs is None or not type(module).__module__.startswith(
        Module.__module__.partition(".")[0]
    ):
        raise TypeError(
            f"twin: {path or 'the module'} is a {kind}, which PyTorch does not have; use "
            "as_torch_module to run ours inside PyTorch"
        )
    made: torch.nn.Module
    if isinstance(module, (Sequential, ModuleList)):
        children = [_twin(child, _joined(path, name)) for name, child in module.named_children()]
        made = theirs(*children) if isinstance(module, Sequential) else theirs(children)
    elif isinstance(module, ModuleDict):
        made = theirs({name: _twin(child, _joined(path, name)) for name, child in module.items()})
    else:
        made = theirs(**_arguments(module, theirs))
        dtypes = {p.dtype for p in module.parameters()}
        if dtypes == {np.dtype(np.float64)}:
            made = made.double()
    return made.train(module.training)


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _arguments(module: Module, theirs: type) -> dict[str, Any]:
    """What PyTorch's class is to be called with: the attributes that carry its arguments' names."""
    found: dict[str, Any] = {}
    names = inspect.signature(theirs.__init__).parameters  # type: ignore[misc]
    if issubclass(theirs, torch.nn.RNNBase):  # PyTorch's hand everything on to their base
        names = inspect.signature(torch.nn.RNNBase.__init__).parameters
    for name in names:
        if name in (
            "self",
            "mode",
            "device",
            "dtype",
            "_weight",
            "_freeze",
            "size_average",
            "reduce",
        ):
            continue
        value = getattr(module, name, None)
        if name == "bias":  # a module keeps the parameter under the name of the switch
            value = _has_bias(module)
        elif isinstance(value, Tensor):
            value = torch.tensor(value._data)
        elif value is None and not hasattr(module, name) or (name, value) == ("proj_size", 0):
            continue
        found[name] = value
    return found


def _has_bias(module: Module) -> bool:
    own = getattr(module, "bias", None)
    if isinstance(own, bool):
        return own
    return own is not None or any("bias" in name for name, _ in module.named_parameters())
