"""``Module``: the base of every layer and model.

A module is an object whose attributes are its parameters, buffers and child modules; plain lists
and dicts among the attributes count too. ``forward`` says what it computes, with functions of
``nn.functional``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

import numpy as np

from ..engine.modes import MODE, Mode, mode
from ..tensor import Tensor
from ..tensor.dtypes import as_dtype, float16, float32, float64
from ..tensor.reading import read
from . import scope, state, tree
from .hooks import Handle, Hooks
from .parameter import Buffer, Parameter
from .tree import members

_NOWHERE = (None, None)


def _no_forward(self: Module, *args: Any, **kwargs: Any) -> Any:
    raise NotImplementedError(f"{type(self).__name__} has no forward(): define what it computes")


class Module:
    """Base class: subclass it, assign layers and parameters in ``__init__``, compute in
    ``forward``.

    >>> import gradling
    >>> from gradling import nn
    >>> class Net(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.fc1 = nn.Linear(2, 16)
    ...         self.fc2 = nn.Linear(16, 1)
    ...     def forward(self, x):
    ...         return self.fc2(self.fc1(x).tanh())
    >>> Net()(gradling.zeros(5, 2)).shape
    (5, 1)
    >>> [name for name, _ in Net().named_parameters()]
    ['fc1.weight', 'fc1.bias', 'fc2.weight', 'fc2.bias']
    """

    # What the class itself keeps is in slots: vars(module) holds the user's attributes alone.
    __slots__ = ("_last", "_modes", "_hooks", "_buffers", "__dict__", "__weakref__")

    # the mode it was last called under, and the one inside
    _last: tuple[Mode, Mode] | tuple[None, None]
    _modes: dict[Any, tuple[str, Mode]]
    _hooks: Hooks | None
    _buffers: dict[str, bool]  # names of plain tensors that are buffers: part of the state or not

    training: bool = True
    forward: Callable[..., Any] = _no_forward

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args or kwargs:
            raise TypeError(_not_wanted(type(self)))
        self._last = _NOWHERE
        self._modes = {}
        self._hooks = None
        self._buffers = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        now = mode()
        seen, inside = self._last
        if seen is not now:
            inside = scope.enter(self, now)
        token = MODE.set(inside)  # type: ignore[arg-type]
        try:
            if self._hooks is not None:
                return self._hooks.run(self, args, kwargs)
            return self.forward(*args, **kwargs)
        except Exception as error:
            scope.add_note(self, error, args, kwargs, inside.scope)  # type: ignore[union-attr]
            if not isinstance(now.scope, scope.Scope):
                scope.draw_failure(error)
            raise
        finally:
            MODE.reset(token)

    # Attributes ----------------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Module):
            self._buffers  # noqa: B018  (says so if super().__init__() was forgotten)
            value._modes.clear()  # its path may be another one from now on
            value._last = _NOWHERE
        elif isinstance(value, Parameter):
            self._buffers.pop(name, None)
        elif isinstance(vars(self).get(name), Parameter) and value is not None:
            raise TypeError(
                f"{type(self).__name__}.{name} is a Parameter and cannot become a "
                f"{type(value).__name__}, which no optimizer would find: write its numbers into it "
                f"(with no_grad(): self.{name}.copy_(new)), or assign nn.Parameter(new) or None"
            )
        object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:  # only asked when there is no such attribute
        if name in Module.__slots__:
            raise AttributeError(
                f"{type(self).__name__}.__init__ has not called super().__init__(): make that its "
                "first line, before layers and parameters are assigned"
            )
        raise AttributeError(
            f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self
        )

    def __getstate__(self) -> Any:
        return dict(vars(self)), self._hooks, dict(self._buffers)

    def __setstate__(self, state: Any) -> None:
        Module.__init__(self)
        attributes, self._hooks, self._buffers = state
        vars(self).update(attributes)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Make ``param`` the attribute ``name``; None keeps its place."""
        self._check_name("register_parameter", name)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"register_parameter: expected a Parameter or None, got {type(param).__name__}; "
                "wrap it: nn.Parameter(...)"
            )
        setattr(self, name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Make ``tensor`` a buffer: remembered and converted with the module, not learnt.

        ``persistent=False`` keeps it out of ``state_dict()``.
        """
        self._check_name("register_buffer", name)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"register_buffer: expected a tensor or None, got {type(tensor).__name__}"
            )
        self._buffers[name] = persistent
        setattr(self, name, tensor)

    def register_module(self, name: str, module: Module | None) -> None:
        """Make ``module`` the child ``name``."""
        self._check_name("register_module", name)
        if module is not None and not isinstance(module, Module):
            raise TypeError(
                f"register_module: expected a Module or None, got {type(module).__name__}"
            )
        setattr(self, name, module)

    add_module = register_module

    def _check_name(self, where: str, name: str) -> None:
        if not isinstance(name, str) or "." in name or name == "":
            raise KeyError(f"{where}: expected a name without dots, got {name!r}")
        if hasattr(self, name) and name not in vars(self):
            raise KeyError(f"{where}: {type(self).__name__} has another attribute named {name!r}")

    # What it is made of --------------------------------------------------------------------------

    def named_modules(
        self, memo: None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """(path, module) of this module ("") and everything below it, parents first."""
        return tree.walk(self, prefix, twice=not remove_duplicate)

    def modules(self) -> Iterator[Module]:
        return (module for _, module in tree.walk(self))

    def named_children(self) -> Iterator[tuple[str, Module]]:
        seen: set[int] = set()
        for name, child in members(self):
            if isinstance(child, Module) and id(child) not in seen:
                seen.add(id(child))
                yield name, child

    def children(self) -> Iterator[Module]:
        return (child for _, child in self.named_children())

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """(path, parameter); one that several modules share appears once, under its first path."""
        seen: set[int] = set()
        for name, tensor, _ in tree.tensors(self, prefix, not remove_duplicate, recurse):
            if isinstance(tensor, Parameter) and (not remove_duplicate or id(tensor) not in seen):
                seen.add(id(tensor))
                yield name, tensor

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        if recurse:
            return iter(tree.parameters(self))
        return (parameter for _, parameter in self.named_parameters(recurse=False))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        seen: set[int] = set()
        for name, tensor, _ in tree.tensors(self, prefix, not remove_duplicate, recurse):
            if not isinstance(tensor, Parameter) and (
                not remove_duplicate or id(tensor) not in seen
            ):
                seen.add(id(tensor))
                yield name, tensor

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def get_submodule(self, target: str) -> Module:
        """The module at a path such as ``encoder.layers.0``."""
        return state.at_path(self, target, Module, tree.walk(self, twice=True))

    def get_parameter(self, target: str) -> Parameter:
        return state.at_path(self, target, Parameter, self.named_parameters(remove_duplicate=False))

    def get_buffer(self, target: str) -> Tensor:
        return state.at_path(self, target, Tensor, self.named_buffers(remove_duplicate=False))

    # Doing something to all of it ----------------------------------------------------------------

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call ``fn`` on every module below, children before parents, then on this one."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Self:
        """Put every module in training mode (dropout drops, batch norm measures), or out of it."""
        if not isinstance(mode, bool):
            raise ValueError(f"train: expected True or False, got {mode!r}")
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """``train(False)``."""
        return self.train(False)

    @contextmanager
    def evaluating(self) -> Iterator[Self]:
        """``with model.evaluating():`` evaluation mode inside, each module's own again after."""
        before = [(module, module.training) for module in self.modules()]
        self.eval()
        try:
            yield self
        finally:
            for module, training in before:
                module.training = training

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Let every parameter collect gradients, or freeze them all."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or set them to 0."""
        read("zero_grad()")
        for parameter in tree.parameters(self):
            node = parameter._node
            if node is not None and node.grad is not None:
                node.grad = None if set_to_none else Tensor(np.zeros_like(parameter._data))

    def to(self, *args: Any, dtype: Any = None) -> Self:
        """Convert floating parameters and buffers, in place: ``model.to(gradling.float64)``.

        Also takes a tensor whose dtype is meant, and ``"cpu"``, the only device there is.
        """
        for given in args:
            if isinstance(given, str) and given.partition(":")[0] in ("cpu", "cuda", "mps"):
                if not given.startswith("cpu"):
                    raise RuntimeError(
                        f"to: there is no device {given!r}: everything runs on the cpu"
                    )
            else:
                dtype = given.dtype if isinstance(given, Tensor) else given
        if dtype is not None:
            wanted = as_dtype(dtype)
            if wanted.kind != "f":
                raise TypeError(f"to: a module's parameters are floating, got {wanted}")
            for _, tensor, _ in tree.tensors(self):
                if tensor._data.dtype.kind == "f":
                    state.convert(tensor, wanted)
        return self

    def float(self) -> Self:
        return self.to(float32)

    def double(self) -> Self:
        return self.to(float64)

    def half(self) -> Self:
        return self.to(float16)

    def cpu(self) -> Self:
        return self

    # Its state -----------------------------------------------------------------------------------

    def state_dict(
        self,
        *,
        destination: dict[str, Tensor] | None = None,
        prefix: str = "",
        keep_vars: bool = False,
    ) -> dict[str, Tensor]:
        """Path -> tensor for every parameter and persistent buffer, sharing memory with the module.

        ``keep_vars`` gives the parameters themselves, not tensors outside the graph.
        """
        found = {} if destination is None else destination
        for name, tensor, kept in tree.tensors(self, twice=True):
            if kept:
                found[prefix + name] = tensor if keep_vars else tensor.detach()
        return found

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> state.IncompatibleKeys:
        """Copy tensors (or arrays) into the parameters and buffers of the same paths.

        A tensor that several modules share needs one of its names only.

        Args:
            strict: refuse keys that are missing or too many.
            assign: take over the given tensors, dtype included, in place of copying their numbers.

        Raises:
            RuntimeError: lists everything that is missing, unexpected, of another shape, or shared
                here and different there; nothing has been loaded then.
        """
        return state.load(self, state_dict, strict, assign)

    # Hooks ---------------------------------------------------------------------------------------

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> Handle:
        """Call ``hook(module, args)`` before forward; what it returns replaces the arguments."""
        return Handle(self._with_hooks().before, (hook, with_kwargs), prepend)

    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> Handle:
        """Call ``hook(module, args, output)`` after forward; what it returns replaces the output.

        ``with_kwargs`` passes ``(module, args, kwargs, output)``; ``always_call`` also after an
        error.
        """
        return Handle(self._with_hooks().after, (hook, with_kwargs, always_call), prepend)

    def register_full_backward_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> Handle:
        """Call ``hook(module, grad_input, grad_output)`` when backward has passed the module.

        Both are tuples: a gradient for each positional argument and each output, None for what has
        none. What it returns replaces ``grad_input``.
        """
        return Handle(self._with_hooks().backward, hook, prepend)

    def _with_hooks(self) -> Hooks:
        if self._hooks is None:
            self._hooks = Hooks()
        return self._hooks

    # How it prints -------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """What stands between the parentheses of ``repr``; for subclasses to say."""
        return ""

    def __repr__(self) -> str:
        return state.shown(self)


def _not_wanted(kind: type) -> str:
    """Arguments reached Module.__init__: usually an ``__init__`` that is not one."""
    near = [name for name in vars(kind) if name.strip("_") == "init"]
    if near and "__init__" not in near:
        return (
            f"{kind.__name__} was given arguments, but has no __init__: it defines {near[0]}; "
            "two underscores belong on each side"
        )
    return f"{kind.__name__}: Module.__init__() takes no arguments, call super().__init__() bare"


tree.bind(Module)

__all__ = ["Buffer", "Module", "Parameter"]
