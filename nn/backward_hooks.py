"""Functions to be called when gradients have passed a module."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from ..tensor import Tensor, autograd

if TYPE_CHECKING:
    from .module import Module

Told = Callable[[tuple[Any, ...]], tuple[Any, ...]]


class Watch(autograd.Function):
    """The same numbers; backward shows all their gradients at once, and may take others."""

    @staticmethod
    def forward(ctx: Any, told: Told, *xs: Tensor) -> tuple[Tensor, ...]:
        ctx.told = told
        return xs

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Any, ...]:
        return None, *ctx.told(grads)


class Passing:
    """One call of a module whose gradients are watched, on its way in and on its way out.

    Two ops frame the call. The one behind it notes the gradients of the outputs; the one before it
    comes later in backward, has those of the inputs, and calls the hooks with both.
    """

    def __init__(self, module: Module, hooks: Iterable[Any]) -> None:
        self.module, self.hooks = module, hooks
        self.grad_output: tuple[Any, ...] = ()
        self.places: list[int] = []  # of the arguments that want a gradient
        self.count = 0

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, watched."""
        self.count = len(args)
        self.places = [k for k, x in enumerate(args) if isinstance(x, Tensor) and x.requires_grad]
        return _replaced(args, self.places, self._arrived)

    def leave(self, y: Any) -> Any:
        """The outputs, watched: a tensor, or a tuple with tensors in it."""
        ys = y if isinstance(y, tuple) else (y,)
        places = [k for k, x in enumerate(ys) if isinstance(x, Tensor) and x.requires_grad]

        def left(grads: tuple[Any, ...]) -> tuple[Any, ...]:
            self.grad_output = _spread(grads, places, len(ys))
            if not self.places:  # nothing will arrive further down
                self._call((None,) * self.count)
            return grads

        ys = _replaced(ys, places, left)
        return ys if isinstance(y, tuple) else ys[0]

    def _arrived(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        found = self._call(_spread(grads, self.places, self.count))
        return tuple([found[place] for place in self.places])

    def _call(self, grad_input: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in list(self.hooks):
            answer = hook(self.module, grad_input, self.grad_output)
            if answer is not None:
                answer = answer if isinstance(answer, tuple) else (answer,)
                if len(answer) != self.count:
                    raise RuntimeError(
                        f"a backward hook of {type(self.module).__name__} gave {len(answer)} "
                        f"gradients for {self.count} arguments; give one for each, or None"
                    )
                grad_input = answer
        return grad_input


def _replaced(xs: tuple[Any, ...], places: list[int], told: Told) -> tuple[Any, ...]:
    if not places:
        return xs
    watched = dict(zip(places, Watch.apply(told, *[xs[k] for k in places]), strict=True))
    return tuple([watched.get(k, x) for k, x in enumerate(xs)])


def _spread(grads: tuple[Any, ...], places: list[int], count: int) -> tuple[Any, ...]:
    found = dict(zip(places, grads, strict=True))
    return tuple([found.get(k) for k in range(count)])
