"""One call of a function under a transform: its arguments under fresh names, its result, and the
derivatives between the two."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..engine import Value
from ..engine import grad as grad_of_values
from ..engine.modes import enable_grad, mode
from . import edits, trees
from .arguments import said
from .backward import history, run
from .dtypes import float64
from .joining import stack
from .node import Node, leaf
from .record import apply
from .rows.shape import alias
from .tensor import Tensor


class Call:
    """``func(*args, **kwargs)``, to be differentiated by the arguments ``argnums``.

    ``y`` is its result, ``outputs`` the tensors or Values in it; ``pull`` goes from them back to
    the arguments, ``push`` forward.
    """

    def __init__(
        self,
        name: str,
        func: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        argnums: Any,
        has_aux: bool = False,
    ) -> None:
        if mode().inference:
            raise RuntimeError(f"{name}: under inference_mode() nothing can be differentiated")
        self.name = name
        self.args = args
        self.single = not isinstance(argnums, tuple)
        self.places = _places(name, argnums, len(args))
        self.scalar = any(isinstance(x, Value) for x in trees.leaves(args))
        self.given = [x for i in self.places for x in trees.leaves(args[i])]
        self.fresh = [self._renamed(x) for x in self.given]
        new, again = list(args), iter(self.fresh)
        for i in self.places:
            new[i] = trees.filled(args[i], again)
        with enable_grad():
            result = func(*new, **kwargs)
        if has_aux and not (isinstance(result, tuple) and len(result) == 2):
            raise TypeError(
                f"{name}: with has_aux=True the function must return (result, anything), got "
                f"{said(result)}"
            )
        self.y: Any
        self.aux: Any
        self.y, self.aux = result if has_aux else (result, None)
        self.outputs = list(trees.leaves(self.y))
        for y in self.outputs:
            if not isinstance(y, Value if self.scalar else Tensor):
                raise TypeError(
                    f"{name}: the function must return {'Values' if self.scalar else 'tensors'}, "
                    f"got {said(y)}; a plain number has no history (.item(), float() and the math "
                    "module lose it)"
                )
        self.leads_outside = not self.scalar and self._leads_outside()

    def _renamed(self, x: Any) -> Any:
        """``x`` under a name of its own: as a new leaf, or, in a graph, as an alias there."""
        keep = mode().grad
        if isinstance(x, Value):
            with enable_grad():
                return x * 1.0 if keep else Value(x.data)
        if isinstance(x, (int, float)) and not isinstance(x, bool):
            if self.scalar:
                return Value(x)
            x = Tensor(np.array(x, float64))
        elif isinstance(x, np.ndarray):
            edits.expose(x)
            x = Tensor(x)
        if not isinstance(x, Tensor) or x._data.dtype.kind != "f":
            raise TypeError(
                f"{self.name}: cannot differentiate by {said(x)}: floating numbers are needed "
                "(x.float()), or leave this argument out of argnums"
            )
        if keep and x._node is not None:
            return apply(alias, (x,))
        return Tensor(x._data, leaf(x._data))

    def _leads_outside(self) -> bool:
        """Does the result depend on leaves other than the fresh names? Then derivatives do too."""
        mine = {x._node for x in self.fresh}
        roots = [y._node for y in self.outputs if y._node is not None]
        for node in history(roots, frozenset(mine)):
            if node in mine:
                return True  # an alias of something in an outer graph
            if any(n is not None and n.op is None and n not in mine for n in node.inputs):
                return True
        return False

    def pull(self, seeds: list[Any]) -> list[Any]:
        """The gradient by each fresh name, given that by each output (None: 1)."""
        if self.scalar:
            return self._pull_values(seeds)
        starts = [_seed(self.name, y, s) for y, s in zip(self.outputs, seeds, strict=True)]
        graph = mode().grad and (self.leads_outside or any(s._node is not None for s in starts))
        found = run(
            _gathered(self.outputs, starts, graph),
            [x._node for x in self.fresh],
            create_graph=graph,
            stop=True,
        )
        return [_own(found.get(x._node), x, graph) for x in self.fresh]

    def _pull_values(self, seeds: list[Any]) -> list[Any]:
        with enable_grad():
            parts = [y if s is None else y * s for y, s in zip(self.outputs, seeds, strict=True)]
            total = sum(parts[1:], parts[0]) if parts else Value(0.0)
        return grad_of_values(total, self.fresh, create_graph=mode().grad)

    def push(self, tangents: list[Any]) -> list[Any]:
        """How each output moves when the fresh names move along ``tangents``.

        ``pull`` is linear in its seeds: pulling that back once more goes forward.
        """
        if self.scalar:
            return self._push_values(tangents)
        ones = [np.ones_like(y._data) for y in self.outputs]
        seeds = [Tensor(array, leaf(array)) for array in ones]
        nodes = [seed._node for seed in seeds]
        with enable_grad():
            first = run(
                _gathered(self.outputs, seeds, True),
                [x._node for x in self.fresh],
                create_graph=True,
                stop=True,
            )
        slopes = [first.get(x._node) for x in self.fresh]
        starts = [_seed(self.name, x, t) for x, t in zip(self.fresh, tangents, strict=True)]
        graph = mode().grad and (self.leads_outside or any(s._node is not None for s in starts))
        pairs = [(g, s) for g, s in zip(slopes, starts, strict=True) if g is not None]
        second = run(
            _gathered([g for g, _ in pairs], [s for _, s in pairs], graph),
            [n for n in nodes if n is not None],
            create_graph=graph,
            stop=True,
        )
        return [
            g if isinstance(g := _own(found, seed, graph), Tensor) else Tensor(g)
            for seed in seeds
            for found in [None if seed._node is None else second.get(seed._node)]
        ]

    def _push_values(self, tangents: list[Any]) -> list[Any]:
        seeds = [Value(1.0) for _ in self.outputs]
        with enable_grad():
            slopes = self._pull_values(seeds)
            moved = [g * t for g, t in zip(slopes, tangents, strict=True)]
            total = sum(moved[1:], moved[0])
        return grad_of_values(total, seeds, create_graph=mode().grad)

    def rows(self, place: int) -> list[Any]:
        """All derivatives of output ``place``: its shape, then that of the argument."""
        y = self.outputs[place]
        if self.scalar:
            return grad_of_values(y, self.fresh, create_graph=mode().grad)
        others = [Tensor(np.zeros_like(other._data)) for other in self.outputs]
        columns: list[list[Any]] = [[] for _ in self.fresh]
        for entry in range(y._data.size):
            chosen = np.zeros(y._data.size, y._data.dtype)
            chosen[entry] = 1
            others[place] = Tensor(chosen.reshape(y._data.shape))
            for column, part in zip(columns, self.pull(others), strict=True):
                column.append(part if isinstance(part, Tensor) else Tensor(part))
        return [
            (stack(column) if column else Tensor(np.zeros((0, *x._data.shape), x._data.dtype)))
            .reshape((*y._data.shape, *x._data.shape))
            for column, x in zip(columns, self.fresh, strict=True)
        ]  # fmt: skip

    def like_arguments(self, found: Iterable[Any]) -> Any:
        """Derivatives in the form of the arguments: floats for floats, trees for trees."""
        parts = iter([self._like(x, g) for x, g in zip(self.given, found, strict=True)])
        answer = tuple([trees.filled(self.args[i], parts) for i in self.places])
        return answer[0] if self.single else answer

    @staticmethod
    def _like(x: Any, g: Any) -> Any:
        if isinstance(g, np.ndarray):
            g = Tensor(g)
        if isinstance(x, (int, float)) and isinstance(g, Tensor) and g._node is None:
            return g._data.item() if g._data.ndim == 0 else g
        return g

    def released(self, tree: Any) -> Any:
        """Results without the graph to the fresh names, unless it leads to something outside."""
        if mode().grad and (self.leads_outside or self.scalar):
            return tree
        kinds = (Tensor, Value)
        return trees.mapped(lambda x: x.detach() if isinstance(x, kinds) else x, tree)


def _places(name: str, argnums: Any, count: int) -> list[int]:
    asked = argnums if isinstance(argnums, tuple) else (argnums,)
    places = []
    for place in asked:
        if isinstance(place, bool) or not hasattr(place, "__index__"):
            raise TypeError(
                f"{name}: argnums must be an int or a tuple of ints, got {said(argnums)}"
            )
        if not -count <= place < count:
            raise IndexError(
                f"{name}: argnums {argnums} names argument {place}, but the function was called "
                f"with {count} argument{'s' * (count != 1)}"
            )
        places.append(place % count)
    if len(set(places)) < len(places):
        raise ValueError(f"{name}: argnums {argnums} names an argument twice")
    return places


def _seed(name: str, y: Tensor, seed: Any) -> Tensor:
    """The cotangent (or tangent) of ``y``: a tensor of its shape and dtype."""
    if seed is None:
        return Tensor(np.ones_like(y._data))
    if not isinstance(seed, Tensor):
        seed = Tensor(np.array(seed, y._data.dtype))
    if seed.shape != y.shape:
        raise ValueError(
            f"{name}: expected a cotangent or tangent of shape {y.shape}, got {seed.shape}"
        )
    start: Tensor = seed.to(y.dtype)
    return start


def _gathered(ys: list[Any], starts: list[Tensor], graph: bool) -> dict[Node, Any]:
    """Where backward starts: outputs that are in no graph do not count, one may appear twice."""
    found: dict[Node, Any] = {}
    for y, start in zip(ys, starts, strict=True):
        if y._node is not None:
            part = start if graph else start._data
            found[y._node] = part if y._node not in found else found[y._node] + part
    return found


def _own(g: Any, x: Tensor, graph: bool) -> Any:
    """The gradient by ``x`` in memory of its own; zeros where there is no way to it."""
    if g is None:
        g = np.zeros_like(x._data)
        return Tensor(g) if graph else g
    return g.copy() if isinstance(g, np.ndarray) else g
