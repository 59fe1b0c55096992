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

from collections.abc import Iterator, Sequence
from typing import Any

try:
    import torch
except ImportError as error:
    raise ImportError(
        "gradling.interop.torch needs PyTorch: pip install torch (gradling itself does not)"
    ) from error

from ..engine import enable_grad, no_grad
from ..nn import Module
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

    Parameters and buffers share memory with ours under the same names: whichever side steps them,
    or loads a state into them, both see it. Hand the parameters of one side to one optimizer.

    Args:
        module: whatever its arguments and results: tensors cross into PyTorch and back wherever
            they are in tuples, lists and dicts, and all else is handed on as it is.
    """
    return TorchModule(module)


class TorchModule(torch.nn.Module):
    """See ``as_torch_module``. ``.ours`` is the module inside."""

    ours: Module

    def __init__(self, module: Module) -> None:
        super().__init__()
        if not isinstance(module, Module):
            raise TypeError(
                f"as_torch_module: expected a gradling Module, got {type(module).__name__}"
            )
        object.__setattr__(self, "ours", module)  # not a child of PyTorch's
        self.training = module.training
        self.share()

    def share(self) -> list[torch.nn.Parameter]:
        """PyTorch's parameters in the order of ours, sharing memory anew where ours has moved."""
        held: dict[int, torch.nn.Parameter] = {}
        for name, p in self.ours.named_parameters(remove_duplicate=False):
            owner, leaf = self._owner(name)
            theirs = held.get(id(p), owner._parameters.get(leaf))
            if theirs is None:
                theirs = torch.nn.Parameter(to_torch(p), requires_grad=p.requires_grad)
            elif not _same_memory(theirs, p):
                theirs.data = to_torch(p)
            owner._parameters[leaf] = held[id(p)] = theirs
        for name, buffer in self.ours.named_buffers(remove_duplicate=False):
            owner, leaf = self._owner(name)
            known = owner._buffers.get(leaf)
            if known is None or not _same_memory(known, buffer):
                owner.register_buffer(leaf, None, getattr(buffer, "persistent", True))
                owner._buffers[leaf] = to_torch(buffer)
        return list(held.values())

    def _owner(self, name: str) -> tuple[torch.nn.Module, str]:
        """The module that keeps ``name``: an empty one of PyTorch's per module of ours below."""
        *path, leaf = name.split(".")
        owner: torch.nn.Module = self
        for step in path:
            if step not in owner._modules:
                owner._modules[step] = torch.nn.Module()
            owner = owner._modules[step]  # type: ignore[assignment]
        return owner, leaf

    def train(self, mode: bool = True) -> TorchModule:
        super().train(mode)
        self.ours.train(mode)
        return self

    def _apply(self, fn: Any, recurse: bool = True) -> TorchModule:
        """Of ``double()``, ``to(dtype)`` and the like: what becomes of theirs becomes of ours."""
        probe = fn(torch.zeros((), dtype=torch.float32))
        if probe.device.type != "cpu":
            raise TypeError(f"as_torch_module: gradling runs on the CPU, not on {probe.device}")
        super()._apply(fn, recurse)
        kinds = {p.dtype for p in self.parameters() if p.is_floating_point()}
        if len(kinds) == 1:
            self.ours.to(from_torch(torch.zeros((), dtype=kinds.pop())).dtype)
        self.share()
        return self

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        inputs: list[torch.Tensor] = []
        call = _Call(self.ours, _taken_apart((args, kwargs), torch.Tensor, inputs, {}))
        outputs = _Bridge.apply(call, len(inputs), *inputs, *self.share())
        return _put_together(call.result, outputs)

    def __repr__(self) -> str:
        return f"TorchModule({self.ours!r})"


def _same_memory(theirs: torch.Tensor, ours: Tensor) -> bool:
    return theirs.data_ptr() == ours._data.__array_interface__["data"][0] and (
        theirs.shape == ours.shape
    )


class _Slot:
    """Where a tensor was, in a structure without its tensors."""

    __slots__ = ("place",)

    def __init__(self, place: int) -> None:
        self.place = place


def _taken_apart(value: Any, kind: type, found: list[Any], seen: dict[int, _Slot]) -> Any:
    """``value`` with slots for its tensors, which are added to ``found``, each once."""
    if isinstance(value, kind):
        if id(value) not in seen:
            seen[id(value)] = _Slot(len(found))
            found.append(value)
        return seen[id(value)]
    if isinstance(value, (tuple, list)):
        parts = [_taken_apart(part, kind, found, seen) for part in value]
        if hasattr(value, "_fields"):
            return type(value)(*parts)
        return tuple(parts) if isinstance(value, tuple) else parts
    if isinstance(value, dict):
        return {key: _taken_apart(part, kind, found, seen) for key, part in value.items()}
    return value


def _put_together(value: Any, tensors: Sequence[Any]) -> Any:
    if isinstance(value, _Slot):
        return tensors[value.place]
    if isinstance(value, (tuple, list)):
        parts = [_put_together(part, tensors) for part in value]
        if hasattr(value, "_fields"):
            return type(value)(*parts)
        return tuple(parts) if isinstance(value, tuple) else parts
    if isinstance(value, dict):
        return {key: _put_together(part, tensors) for key, part in value.items()}
    return value


class _Call:
    """A call of a module: what it is given and what it gives, with slots for the tensors."""

    def __init__(self, module: Module, given: Any) -> None:
        self.module, self.given, self.result = module, given, None

    def run(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        args, kwargs = _put_together(self.given, inputs)
        outputs: list[Tensor] = []
        self.result = _taken_apart(self.module(*args, **kwargs), Tensor, outputs, {})
        if not outputs:
            raise TypeError(
                f"as_torch_module: {type(self.module).__name__} gave no tensor, and only tensors "
                "can cross into PyTorch"
            )
        return outputs


class _Bridge(torch.autograd.Function):
    """One node in PyTorch's graph that holds a whole graph of ours."""

    @staticmethod
    def forward(ctx: Any, call: _Call, count: int, *tensors: Any) -> Any:
        wanted = ctx.needs_input_grad[2:]
        inputs = [
            from_torch(x).requires_grad_(want and x.is_floating_point())
            for x, want in zip(tensors[:count], wanted[:count], strict=True)
        ]
        with enable_grad() if any(wanted) else no_grad():
            outputs = call.run(inputs)
        ctx.ours = (inputs, list(call.module.parameters()), outputs)
        crossed = tuple(to_torch(y) for y in outputs)
        ctx.mark_non_differentiable(
            *(y for y, own in zip(crossed, outputs, strict=True) if not own.requires_grad)
        )
        return crossed

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
        found: Iterator[Any] = iter(())
        if pairs and tracked:
            ys, gs = zip(*pairs, strict=True)
            # retained: PyTorch decides whether there will be a second pass
            found = iter(
                autograd.grad(list(ys), tracked, list(gs), retain_graph=True, allow_unused=True)
            )
        parts = [next(found, None) if x.requires_grad else None for x in sources]
        return (None, None, *(None if part is None else to_torch(part) for part in parts))


from .twins import twin  # noqa: E402  (torch is there by now, or said to be missing above)
