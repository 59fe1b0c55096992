"""One run of a function of tensors, written down: which op made which array from which.

Arrays are known by identity. Everything that takes part has to be an argument, something the
function can reach, a tensor filled with plain numbers, or the result of an op on these (or prepared
for one: a mask, labels); an array from anywhere else would stay as it was in this run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..engine import Op
from ..engine.modes import MODE, mode
from ..engine.tape import Tape
from ..tensor import Tensor, edits
from ..tensor.node import Array, Node
from ..tensor.trees import leaves


class CaptureError(TypeError):
    """A function that cannot be captured, and what to change."""


class Ref(int):
    """An array, or what was prepared from arrays, by its number."""


class Step(NamedTuple):
    """An op, or a function without one, on arrays and plain values."""

    name: str
    op: Op | None
    run: Callable[..., Any] | None  # without an op
    operands: tuple[Any, ...]
    params: tuple[Any, ...]  # without what the kernel adds for backward
    out: Ref
    always: bool = False  # it checks numbers, and gives none
    follows: tuple[bool, ...] = ()  # whether the result is in the graph, with each operand
    node: Node | None = None

    @property
    def prepared(self) -> bool:
        """Whether a function without an op gave what an op takes."""
        return self.op is None and not self.always and self.run is not in_dtype

    def uses(self) -> Iterator[Ref]:
        """What it is made from."""
        return (x for x in leaves((self.operands, self.params)) if isinstance(x, Ref))


def in_dtype(array: Array, dtype: Any) -> Array:
    return array.astype(dtype)


class Listing(Tape):
    """The steps of a run, in order."""

    def __init__(self, given: Sequence[Tensor]) -> None:
        self.steps: list[Step] = []
        self.arrays: list[Any] = []  # by number; kept, or an id could be given again
        self.filled: list[Ref] = []  # made of plain numbers
        # operands that were there before, or came from elsewhere
        self.outside: list[tuple[Ref, Node | None]] = []
        self._numbers: dict[int, Ref] = {}  # of what was given or made, by its id
        self._met: dict[tuple[int, int], Ref] = {}  # of what was there before: tensors may share
        self.given = [self._add(x._data) for x in given]
        self._edited = edits.latest
        self._refused: CaptureError | None = None

    def __enter__(self) -> None:
        self._token = MODE.set(mode().but(tape=self))

    def __exit__(self, kind: Any = None, *exc: object) -> None:
        super().__exit__(kind, *exc)
        if self._refused is not None and exc[:1] != (self._refused,):  # caught on the way
            raise self._refused from None
        if kind is None and edits.latest != self._edited:
            raise CaptureError(
                "capture: the function edits a tensor in place (running statistics, a step of an "
                "optimizer, x += ...), which would not happen again; do it outside of the captured "
                "function"
            )

    def number(self, array: Array, node: Node | None = None) -> Ref:
        """The number of an operand."""
        found = self._numbers.get(id(array))
        if found is None:
            found = self._met.get((id(array), id(node)))
        if found is None:
            found = Ref(len(self.arrays))
            self.arrays.append(array)
            self._met[id(array), id(node)] = found
            self.outside.append((found, node))
        return found

    def values(self, x: Any) -> Any:
        """What references stand for, in a tuple of operands or parameters."""
        if isinstance(x, Ref):
            return self.arrays[x]
        return tuple(map(self.values, x)) if type(x) is tuple else x

    def known(self, array: Any) -> Ref | None:
        """The number of an array that was met."""
        return self._numbers.get(id(array))

    def _add(self, array: Any) -> Ref:
        number = self._numbers[id(array)] = Ref(len(self.arrays))
        self.arrays.append(array)
        return number

    # What the tape is told ------------------------------------------------------------------------

    def result(
        self, op: Op, operands: tuple[Any, ...], params: tuple[Any, ...], out: Tensor
    ) -> None:
        node = out._node
        nodes = (None,) * len(operands) if node is None else node.inputs
        taken = tuple(map(self._taken, operands, nodes))
        plain, made = self._taken(params[: len(op.params)]), self._add(out._data)
        follows = () if node is None else tuple([x is not None for x in nodes])
        self.steps.append(Step(op.name, op, None, taken, plain, made, False, follows, node))

    def converted(self, before: Any, after: Array) -> None:
        if isinstance(before, np.ndarray):
            self.prepared(in_dtype, (before, after.dtype), after)
        else:
            self.filled.append(self._add(after))

    def prepared(self, function: Callable[..., Any], args: tuple[Any, ...], found: Any) -> None:
        name, taken = function.__name__.strip("_"), self._taken(args)
        self.steps.append(Step(name, None, function, taken, (), self._add(found)))

    def checked(self, function: Callable[..., None], args: tuple[Any, ...]) -> None:
        self.prepared(function, args, object())
        self.steps[-1] = self.steps[-1]._replace(always=True)

    def _taken(self, x: Any, node: Node | None = None) -> Any:
        """Operands or parameters, with references for what is known by number."""
        if isinstance(x, Tensor):  # as a setting, whose numbers some code will read
            self.read("a tensor as a setting")
        if isinstance(x, np.ndarray):
            return self.number(x, node)
        known = self._numbers.get(id(x))
        if known is not None:
            return known
        return tuple(map(self._taken, x)) if type(x) is tuple else x

    def filled_with(self, array: Array) -> None:
        self.filled.append(self._add(array))

    def read(self, how: str) -> None:
        self._refused = CaptureError(
            f"capture: {how} inside the captured function is something that Python goes by, or "
            "does, beside any op, and would not happen again; do it outside, with what the "
            "function returns"
        )
        raise self._refused
