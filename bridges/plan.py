"""A recorded run that is ready to be run again: for which arguments, and as a node of the graph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import numpy as np

from ..engine import Op
from ..engine.modes import Mode, enable_grad, no_grad
from ..engine.op import REAL
from ..nn.parameter import Buffer, Parameter
from ..tensor import Tensor, edits
from ..tensor import backward as engine
from ..tensor.context import pick
from ..tensor.dtypes import get_default_dtype
from ..tensor.node import Array, Bundle, Node
from ..tensor.quiet import IGNORE, silence
from ..tensor.record import apply, joined
from ..tensor.rows.shape import alias
from ..tensor.trees import leaves, mapped
from .listing import CaptureError, Listing, Ref, in_dtype
from .reach import Reach
from .watched import is_plain
from .written import Program, irregular

TENSORS = (Tensor, Parameter, Buffer)


@dataclass(frozen=True, slots=True)
class Result:
    """A tensor among what the function returns."""

    ref: Ref
    tracked: bool


class Plan:
    """One way through a function, for arguments of one kind."""

    def __init__(
        self,
        name: str,
        listing: Listing,
        reach: Reach,
        args: tuple[Any, ...],
        names: tuple[str, ...],
        out: Any,
        now: Mode,
    ) -> None:
        self.reach, self.trusted = reach, False
        self.names = names  # of the arguments given by name, which come last
        self.mode = (now.grad, get_default_dtype())
        self.kinds = [_kind(x) for x in args]
        self.flat = all(isinstance(x, Tensor) for x in args)
        given = tensors_of(args)
        named = {ref: f"x{place}" for place, ref in enumerate(listing.given)}
        self.outside = list(_reached(listing, reach, named))
        self.inputs = list(named)
        nodes = [x._node for x in (*given, *self.outside)]
        followed = {n: ref for n, ref in zip(nodes, named, strict=True) if n is not None}
        self.nodes = tuple(nodes[len(given) :])
        made = {step.out: step.node for step in listing.steps}
        self.out = mapped(lambda x: _result(x, listing, named, made), out)
        found = [x for x in leaves(self.out) if isinstance(x, Result) and x.ref in made]
        self.made = list(dict.fromkeys(x.ref for x in found))
        self.tracked = {self.made.index(x.ref) for x in found if x.tracked}
        self.program = Program(listing, named, self.made, self.tracked, followed)
        self.single = isinstance(self.out, Result) and self.out.tracked and self.tracked == {0}
        self.specs = [(listing.arrays[r].shape, listing.arrays[r].dtype) for r in self.made]
        self.filled = {ref: listing.arrays[ref] for ref in listing.filled}
        self.op = Op(
            name, "*xs", vjp=(None,), domain=(REAL,), joint=self._parts,
            why="A captured function: its kernels, and its rules, one after another.",
        )  # fmt: skip
        self._check(listing, [made[ref] for ref in self.made], followed)
        self.program.forget()

    def _check(
        self, listing: Listing, results: list[Node | None], followed: dict[Node, Ref]
    ) -> None:
        """What must not be, and that the gradients are those of the graph that was recorded."""
        taken = {id(edits.owner(listing.arrays[r])) for r in (*self.inputs, *self.filled)}
        for ref in self.made:
            if (memory := id(edits.owner(listing.arrays[ref]))) in taken:
                raise CaptureError(
                    "capture: the function returns a view of something that it was given, or two "
                    "results in the same memory; return a copy (.clone())"
                )
            taken.add(memory)
        tracked = [results[place] for place in sorted(self.tracked)]
        seeds = {n: irregular(np.empty(n.shape, n.dtype)) for n in tracked if n is not None}
        wanted = engine.run(seeds, list(followed), stop=True) if seeds else {}
        gradients = [
            irregular(np.empty(*spec)) if place in self.tracked else None
            for place, spec in enumerate(self.specs)
        ]
        arrays = [listing.arrays[ref] for ref in self.inputs]
        found = self.program.backward(gradients, self.program.trial, *arrays)
        of = dict(zip(self.inputs, found, strict=True))
        for node, ref in followed.items():
            if not _close(of[ref], wanted.get(node)):
                raise CaptureError(
                    "capture: the gradients of the recorded run could not be written down as they "
                    "are; keep this function uncaptured"
                )

    def confirm(self, before: Plan) -> None:
        """Be trusted if an earlier recording says the same.

        Raises:
            CaptureError: it does not.
        """
        if not self.program.equals(before.program) or self.out != before.out:
            mine, others = self.program.source.splitlines(), before.program.source.splitlines()
            pairs = zip_longest(others, mine, fillvalue="nothing more")
            first = next((f"{a.strip()!r} and then {b.strip()!r}" for a, b in pairs if a != b), "")
            raise CaptureError(
                "capture: two runs of the function differ in what its ops do not show (a number "
                "drawn at random, or computed by Python or NumPy from an argument): "
                f"{first or 'other constants'}. Make it an argument of the function"
            )
        self.trusted = True

    # Whether it applies ---------------------------------------------------------------------------

    def fits(self, args: tuple[Any, ...], names: tuple[str, ...], now: Mode) -> bool:
        """Whether these are arguments of the kind that was recorded."""
        if len(args) != len(self.kinds) or names != self.names:
            return False
        grad, dtype = self.mode
        if now.grad is not grad or get_default_dtype() is not dtype:
            return False
        for x, kind in zip(args, self.kinds):  # noqa: B905  (hot, equal by the line above)
            if kind.__class__ is tuple and x.__class__ is kind[3]:
                a = x._data
                if a.shape != kind[0] or a.dtype is not kind[1] or (x._node is None) is kind[2]:
                    return False
            elif kind != _kind(x):
                return False
        return True

    def changed(self) -> str | None:
        """What the function would find otherwise than it was, or None."""
        return self.reach.changed()

    # Running --------------------------------------------------------------------------------------

    def run(self, args: tuple[Any, ...], now: Mode) -> Any:
        given: Sequence[Tensor] = args if self.flat else tensors_of(args)
        tensors = [*given, *self.outside]
        arrays = [x._data for x in tensors]
        token = silence.set(IGNORE)
        try:
            results, kept = self.program.forward(*arrays)
        finally:
            silence.reset(token)
        nodes = (*[x._node for x in given], *self.nodes)
        if self.single:
            y = results[0]
            return joined(self.op, y, nodes, (y, *arrays), (kept,), now.scope)
        made = self._joined(results, kept, nodes, arrays, now)
        return mapped(lambda x: self._answer(x, made, tensors), self.out)

    def _joined(
        self,
        results: list[Array],
        kept: Any,
        nodes: tuple[Node | None, ...],
        arrays: list[Array],
        now: Mode,
    ) -> list[Tensor]:
        """The results as tensors, joined to the graph by one node."""
        if not self.tracked:
            return [Tensor(y) for y in results]
        if len(results) == 1:
            y = results[0]
            return [joined(self.op, y, nodes, (y, *arrays), (kept,), now.scope)]
        places = sorted(self.tracked)
        hub = joined(self.op, results[places[0]], nodes, (None, *arrays), (kept,), now.scope)._node
        assert hub is not None
        hub.note("also saved", [results[place] for place in places])
        hub.shape = tuple([results[place].shape for place in places])
        return [
            Tensor(y, Node(pick, (hub,), (None, None), (place,), y, now.scope))
            if place in self.tracked
            else Tensor(y)
            for place, y in enumerate(results)
        ]

    def _answer(self, x: Any, made: list[Tensor], tensors: list[Tensor]) -> Any:
        if not isinstance(x, Result):
            return x
        if x.ref not in self.made:
            tensor = tensors[self.inputs.index(x.ref)]
            return tensor if x.tracked else tensor.detach()
        tensor = made[self.made.index(x.ref)]
        return tensor if x.tracked or tensor._node is None else tensor.detach()

    def _parts(self, needed: tuple[bool, ...], g: Any, y: Any, xs: Any, kept: Any) -> list[Any]:
        """The gradients of all inputs; of results that nobody used, it is zero."""
        if g.__class__ is Array:  # of the one result
            return list(self.program.backward((g,), kept, *xs))
        parts = g.parts if isinstance(g, Bundle) else {0: g}
        if any(isinstance(part, Tensor) for part in parts.values()):
            return self._again(needed, parts, xs, kept)
        gradients = [
            (parts[place] if place in parts else np.zeros(*spec)) if place in self.tracked else None
            for place, spec in enumerate(self.specs)
        ]
        return list(self.program.backward(gradients, kept, *xs))

    def _again(
        self, needed: tuple[bool, ...], parts: dict[int, Tensor], xs: Any, held: Any
    ) -> list[Any]:
        """The same as part of the graph: the steps are run with the engine."""

        def raw(x: Any) -> Any:
            if isinstance(x, Ref):
                return getattr(there[x], "_data", there[x])
            return tuple(map(raw, x)) if type(x) is tuple else x

        named = [apply(alias, (x,)) if want else x for x, want in zip(xs, needed, strict=True)]
        there: dict[Ref, Any] = dict(zip(self.inputs, named, strict=True))
        there.update((ref, Tensor(array)) for ref, array in self.filled.items())
        known = dict(zip(self.program.kept, held, strict=True))
        for step in self.program.steps:
            if step.always:
                continue
            if step.run is in_dtype:  # the op that takes it converts it
                there[step.out] = there[step.operands[0]]
            elif step.op is None:
                there[step.out] = known[self.program.names[step.out]]
            else:
                follows = step.follows or (False,) * len(step.operands)
                operands = [
                    _tensor(there[x], follow) if isinstance(x, Ref) else x
                    for x, follow in zip(step.operands, follows, strict=True)
                ]
                with enable_grad() if step.follows else no_grad():
                    there[step.out] = step.op(*operands, *raw(step.params))
        seeds = {there[self.made[place]]._node: part for place, part in parts.items()}
        targets = [x._node if want else None for x, want in zip(named, needed, strict=True)]
        wanted = [node for node in targets if node is not None]
        found = engine.run(seeds, wanted, create_graph=True, stop=True)
        return [None if node is None else found.get(node) for node in targets]


def _tensor(x: Any, follow: bool) -> Tensor:
    if not isinstance(x, Tensor):
        return Tensor(x)
    return x if follow else x.detach()


def tensors_of(tree: Any) -> list[Tensor]:
    return [x for x in leaves(tree) if isinstance(x, Tensor)]


def _kind(x: Any) -> Any:
    """What two arguments have in common that one recording serves."""
    if type(x) in TENSORS:
        return x._data.shape, x._data.dtype, x._node is not None, type(x)
    if is_plain(x):
        return [type(x), repr(x)]
    if type(x) in (tuple, list):
        return [type(x), *map(_kind, x)]
    if type(x) is dict:
        return [dict, list(map(_kind, x)), list(map(_kind, x.values()))]
    raise CaptureError(
        f"capture: an argument is a {type(x).__name__}; pass tensors (in tuples, lists and dicts), "
        "numbers and texts, and let the function reach the rest by itself"
    )


def _reached(listing: Listing, reach: Reach, named: dict[Ref, str]) -> Iterator[Tensor]:
    """The tensors that the function used and was not given, which get names."""
    for ref, node in listing.outside:
        array = listing.arrays[ref]
        held = [(path, x) for path, x, *_ in reach.tensors if x._data is array]
        found = [(path, x) for path, x in held if x._node is node and node is not None] or held
        if len(found) > 1:
            raise CaptureError(
                f"capture: {' and '.join(path for path, _ in found)} share one array, and it "
                "cannot be told which of them is used; give them memory of their own (.clone())"
            )
        if found:
            named[ref] = found[0][0]
            yield found[0][1]
        else:
            raise CaptureError(
                f"capture: the function uses a tensor of shape {array.shape} that no op made from "
                "what it was given (drawn at random, made with NumPy or tensor(...), chosen by "
                "sorting); another call would find the same numbers in it. Make it outside, and "
                "pass it as an argument"
            )


def _result(x: Any, listing: Listing, named: dict[Ref, str], made: dict[Ref, Any]) -> Any:
    """A leaf of what the function returned."""
    if is_plain(x):
        return x
    if not isinstance(x, Tensor):
        raise CaptureError(
            f"capture: the function must return tensors (in tuples, lists, dicts), got a "
            f"{type(x).__name__}"
        )
    ref = listing.known(x._data)
    if ref is not None and (ref in named or ref in made and x._node in (None, made[ref])):
        return Result(ref, x._node is not None)
    raise CaptureError(
        f"capture: the function returns a tensor of shape {x.shape} that no op made from what it "
        "was given, so another call would get the same numbers"
    )


def _close(found: Array | None, wanted: Array | None) -> bool:
    if found is None or wanted is None:
        return found is wanted
    rough = 100 * float(np.finfo(found.dtype).eps)
    scale = float(np.max(np.abs(wanted), initial=0.0, where=np.isfinite(wanted)))
    return found.shape == wanted.shape and np.allclose(
        found, wanted, rtol=rough, atol=rough * scale, equal_nan=True
    )
