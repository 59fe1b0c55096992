"""Many parameters as one long array, so that a step costs the same few array operations however
many.

The parameters of a group are moved into one buffer per dtype, of which they become views. A step
copies each gradient into its place in a second buffer, and then updates runs of neighbouring
parameters at once: all of them, unless some have no gradient or have seen fewer steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..engine import Value
from ..tensor import Tensor, edits
from ..tensor.node import Array

Parameter = Tensor | Value


class Slots:
    """The state of one run of parameters: named arrays of its length, and numbers they have in
    common."""

    __slots__ = ("flat", "numbers", "first", "last", "step")

    def __init__(self, flat: Flat, first: int, last: int, step: int) -> None:
        self.flat = flat
        self.numbers = flat.numbers[first]
        self.first, self.last = flat.starts[first], flat.ends[last - 1]
        self.step = step  # how many steps these parameters have seen, this one included

    def __getitem__(self, name: str) -> Array:
        """The state ``name`` of the run: zeros before it is first asked for."""
        return self.flat.array(name)[self.first : self.last]


_BUFFERS = ("data", "grad", "places", "grad_places")


class Flat:
    """Parameters of one dtype laid end to end."""

    def __init__(self, params: Sequence[Parameter]) -> None:
        self.params = list(params)
        self.scalar = isinstance(self.params[0], Value)
        shapes = [p.shape if isinstance(p, Tensor) else () for p in self.params]
        self.ends = np.cumsum([int(np.prod(shape)) for shape in shapes]).tolist()
        self.starts = [0, *self.ends[:-1]]
        first = self.params[0]
        dtype = first.dtype if isinstance(first, Tensor) else np.dtype(np.float64)
        self.shapes = shapes
        self.state: dict[str, Array] = {}
        self.steps = [0] * len(self.params)
        self.numbers: list[dict[str, float]] = [{} for _ in self.params]
        self.settled = False  # whether all tensors were views of the buffer when last looked at
        self._lay_out(dtype)

    def _lay_out(self, dtype: Any) -> None:
        self.data = np.empty(self.ends[-1], dtype)
        self.grad = np.empty_like(self.data)
        self.places = self._views(self.data, self.shapes)
        self.grad_places = self._views(self.grad, self.shapes)
        self.adopt()

    def __getstate__(self) -> dict[str, Any]:
        """Without the buffers: views that are copied or pickled are views no longer, and a step of
        the copy would move none of its parameters."""
        kept = {k: v for k, v in vars(self).items() if k not in _BUFFERS}
        return {**kept, "dtype": self.data.dtype}

    def __setstate__(self, kept: dict[str, Any]) -> None:
        dtype = np.dtype(kept.pop("dtype").type)
        vars(self).update(kept)
        self._lay_out(dtype)

    def _views(self, buffer: Array, shapes: Sequence[tuple[int, ...]]) -> list[Array]:
        spans = zip(self.starts, self.ends, shapes, strict=True)
        return [buffer[start:end].reshape(shape) for start, end, shape in spans]

    def adopt(self) -> None:
        """Bring in the parameters' numbers; tensors become views of the buffer."""
        if self.scalar:
            self.data[:] = [p.data for p in self.params]
            return
        for p, place in zip(self.params, self.places, strict=True):
            assert isinstance(p, Tensor)
            if p._data is not place:
                place[...] = p._data
                p._data = place
                if p._node is not None:
                    p._node.saved = (place,)

    def fits(self) -> bool:
        """Whether the parameters have the dtype and shapes they were laid out with."""
        self.settled = not self.scalar
        if not self.scalar:
            for p, place in zip(self.params, self.places):  # noqa: B905  (hot, equal by construction)
                array = p._data  # type: ignore[union-attr]
                if array is not place:
                    self.settled = False
                    if array.dtype is not place.dtype or array.shape != place.shape:
                        return False
        return True

    def gather(self) -> list[bool]:
        """Copy gradients into their places; which parameters have one."""
        if self.scalar:
            present = [isinstance(p, Value) and p._grad is not None for p in self.params]
            self.grad[:] = [p.grad for p in self.params]
            return present
        present = []
        for p, place in zip(self.params, self.grad_places):  # noqa: B905  (hot, equal by construction)
            node = p._node  # type: ignore[union-attr]
            g = None if node is None else node.grad
            if g is None:
                present.append(False)
            else:
                place[...] = g if g.__class__ is Array else g._data  # copyto takes twice as long
                present.append(True)
        return present

    def runs(self, present: Sequence[bool]) -> Iterator[tuple[int, int]]:
        """Neighbouring parameters with gradients and equal counters, as (first, one past the
        last)."""
        first = 0
        count = len(present)
        if False not in present and _all_equal(self.steps) and _all_equal(self.numbers):
            yield 0, count  # the usual case, without a look at each
            return
        while first < count:
            last = first + 1
            if present[first]:
                step, numbers = self.steps[first], self.numbers[first]
                while (
                    last < count
                    and present[last]
                    and self.steps[last] == step
                    and self.numbers[last] == numbers
                ):
                    last += 1
                yield first, last
            first = last

    def slots(self, first: int, last: int) -> Slots:
        """The state of a run, counting this step."""
        step = self.steps[first] + 1
        self.steps[first:last] = [step] * (last - first)
        return Slots(self, first, last, step)

    def array(self, name: str) -> Array:
        """One array of state for all parameters."""
        found = self.state.get(name)
        if found is None:
            found = self.state[name] = np.zeros_like(self.data)
        return found

    def share_numbers(self, first: int, last: int) -> None:
        """After a step: what one run computed in common holds for each of its parameters."""
        if self.numbers[first]:
            for place in range(first + 1, last):
                self.numbers[place] = dict(self.numbers[first])

    def publish(self) -> None:
        """Let the parameters show the new numbers, and note the edit for graphs that saved the
        old."""
        if self.scalar:
            for p, x in zip(self.params, self.data.tolist(), strict=True):
                p.data = x
        else:
            edits.note(self.data, "an optimizer's step")


def _all_equal(entries: list[Any]) -> bool:
    return entries.count(entries[0]) == len(entries)


def flatten(params: Sequence[Parameter]) -> list[Flat]:
    """One ``Flat`` per dtype."""
    kinds: dict[Any, list[Parameter]] = {}
    for p in params:
        kinds.setdefault(p.dtype if isinstance(p, Tensor) else Value, []).append(p)
    return [Flat(same) for same in kinds.values()]
