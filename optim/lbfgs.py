"""L-BFGS: Newton's method with the curvature guessed from the last few steps.

With s = the last move and y = the change of the gradient along it, the pairs (s, y) of the last
steps define an inverse Hessian H, which is never built: d = -H g costs two passes over the pairs.
Then p ← p + t d, with t fixed or found by a line search. For whole-batch losses of small nets,
which it brings down in few steps. Liu & Nocedal, "On the limited memory BFGS method for large scale
optimization" (1989).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..engine import enable_grad
from ..tensor.node import Array
from .flat import Flat, Slots
from .line_search import Point, strong_wolfe
from .optimizer import Group, Optimizer

Closure = Callable[[], Any]


class LBFGS(Optimizer):
    """L-BFGS; see the top of this file for the method.

    ``step`` needs a closure that clears the gradients, computes the loss, calls ``backward()`` and
    returns the loss; it is called several times a step.

    Args:
        params: parameters, one group only.
        lr: step length (the first try of a line search).
        max_iter: moves per step; max_eval: calls of the closure per step (default 1.25
            ``max_iter``).
        tolerance_grad, tolerance_change: stop at smaller gradients or changes than these.
        history_size: pairs that are kept.
        line_search_fn: None, or "strong_wolfe".

    >>> import gradling
    >>> w = gradling.tensor([3.0, -2.0], requires_grad=True)
    >>> optimizer = LBFGS([w], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = ((w - 1) ** 4).sum()
    ...     loss.backward()
    ...     return loss
    >>> _ = optimizer.step(closure)
    >>> bool(closure() < 1e-4)
    True
    """

    needs_closure = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        if line_search_fn not in (None, "strong_wolfe"):
            raise ValueError(
                f"LBFGS: line_search_fn must be None or 'strong_wolfe', got {line_search_fn!r}"
            )
        super().__init__(
            params,
            {
                "lr": lr, "max_iter": max_iter,
                "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
                "tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change,
                "history_size": history_size, "line_search_fn": line_search_fn,
            },
        )  # fmt: skip
        self._memory = Memory()

    def check_options(self, group: Group) -> None:
        super().check_options(group)
        if self.param_groups:
            raise ValueError(
                "LBFGS: one group only: its directions run through all parameters at once"
            )

    def update(self, p: Array, g: Array, state: Slots, group: Group) -> None:
        raise TypeError("LBFGS: steps with a closure")

    # The function being minimised, as arrays ------------------------------------------------------

    def _position(self) -> Array:
        flats = self._flats[0]
        for flat in flats:
            flat.adopt()
        return np.concatenate([flat.data for flat in flats]).astype(np.float64)

    def _move_to(self, position: Array) -> None:
        start = 0
        for flat in self._flats[0]:
            flat.data[:] = position[start : start + flat.data.size]
            start += flat.data.size
            flat.publish()

    def _gradient(self) -> Array:
        return np.concatenate([_gathered(flat) for flat in self._flats[0]]).astype(np.float64)

    def step(self, closure: Closure | None = None) -> Any:
        """Up to ``max_iter`` moves; returns the loss before the first."""
        if closure is None:
            raise TypeError(
                "LBFGS.step: expected a closure that clears the gradients, computes the loss, "
                "calls backward() and returns the loss"
            )
        for hook in self._before:
            hook(self, (closure,), {})
        self._refresh()

        def evaluate() -> tuple[Any, Array]:
            with enable_grad():
                loss = closure()
            return loss, self._gradient()

        first_loss, g = evaluate()
        with np.errstate(all="ignore"):
            self._minimise(evaluate, float(first_loss), g)
        for hook in self._after:
            hook(self, (closure,), {})
        return first_loss

    def _minimise(self, evaluate: Callable[[], tuple[Any, Array]], f: float, g: Array) -> None:
        group, memory = self.param_groups[0], self._memory
        evaluations = 1
        for move in range(group["max_iter"]):
            if np.abs(g).max(initial=0.0) <= group["tolerance_grad"]:
                return
            d = memory.direction(g, group["history_size"])
            slope = float(g @ d)
            if not slope <= -group["tolerance_change"]:  # flat, uphill, or nan
                return
            t = group["lr"] * (min(1.0, 1.0 / float(np.abs(g).sum())) if memory.moves == 1 else 1.0)
            x, before = self._position(), f
            if group["line_search_fn"] is not None:

                def look(t: float, x: Array = x, d: Array = d) -> Point:
                    self._move_to(x + t * d)
                    loss, gradient = evaluate()
                    return Point(t, float(loss), gradient, float(gradient @ d))

                found, used = strong_wolfe(look, Point(0.0, f, g, slope), t, float(np.abs(d).max()))
                t, f, g = found.t, found.f, found.g
                self._move_to(x + t * d)
            else:
                self._move_to(x + t * d)
                used = 0
                if move != group["max_iter"] - 1:
                    loss, g = evaluate()
                    f, used = float(loss), 1
            memory.moved(t)
            evaluations += used
            if evaluations >= group["max_eval"] or np.abs(d * t).max() <= group["tolerance_change"]:
                return
            if abs(f - before) < group["tolerance_change"]:
                return

    def state_dict(self) -> dict[str, Any]:
        found = super().state_dict()
        found["state"] = {0: self._memory.state()}
        return found

    def load_state_dict(self, state_dict: Any) -> None:
        super().load_state_dict({**state_dict, "state": {}})
        self._memory = Memory.restored(state_dict["state"].get(0, {}))


class Memory:
    """The pairs of the last moves, and the direction that follows from them."""

    def __init__(self) -> None:
        self.moves = 0
        self.changes: list[Array] = []  # y: how the gradient changed
        self.steps: list[Array] = []  # s: along which move
        self.d: Array | None = None
        self.t = 0.0
        self.gradient: Array | None = None
        self.scale = 1.0

    def direction(self, g: Array, size: int) -> Array:
        """-H g, after taking in what the last move showed."""
        self.moves += 1
        if self.d is not None and self.gradient is not None:
            y, s = g - self.gradient, self.d * self.t
            curvature = float(y @ s)
            if curvature > 1e-10:
                self.changes.append(y)
                self.steps.append(s)
                del self.changes[:-size], self.steps[:-size]
                self.scale = curvature / float(y @ y)
        q = -g
        shares = []
        for y, s in zip(reversed(self.changes), reversed(self.steps), strict=True):
            share = float(s @ q) / float(y @ s)
            shares.append(share)
            q = q - share * y
        r = q * self.scale
        for y, s, share in zip(self.changes, self.steps, reversed(shares), strict=True):
            r = r + s * (share - float(y @ r) / float(y @ s))
        self.d, self.gradient = r, g
        return r

    def moved(self, t: float) -> None:
        self.t = t

    def state(self) -> dict[str, Any]:
        return {
            "moves": self.moves, "changes": list(self.changes), "steps": list(self.steps),
            "d": self.d, "t": self.t, "gradient": self.gradient, "scale": self.scale,
        }  # fmt: skip

    @classmethod
    def restored(cls, state: dict[str, Any]) -> Memory:
        memory = cls()
        for name, value in state.items():
            setattr(memory, name, value)
        return memory


def _gathered(flat: Flat) -> Array:
    present = flat.gather()
    for place, found in zip(flat.grad_places, present, strict=True):
        if not found:
            place[...] = 0
    return flat.grad
