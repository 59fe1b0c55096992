"""What a bridge hears while a program runs: a ``Tape`` set in the mode is told what no graph holds.

Nothing here records; ``bridges/`` has the tapes that do.
"""

from __future__ import annotations

from typing import Any

from .modes import MODE


class Tape:
    """While ``with tape:`` is in force, in this thread or task, its methods are called."""

    def __enter__(self) -> None:
        self._token = MODE.set(MODE.get().but(grad=True, inference=False, tape=self))

    def __exit__(self, *exc: object) -> None:
        MODE.reset(self._token)

    def result(self, op: Any, operands: tuple[Any, ...], params: tuple[Any, ...], out: Any) -> None:
        """An op on these arrays and numbers gave the tensor ``out``, in a graph or not."""

    def converted(self, before: Any, after: Any) -> None:
        """An array was brought to another dtype, on its way into an op."""

    def filled_with(self, array: Any) -> None:
        """An array was filled with plain numbers."""

    def prepared(self, function: Any, args: tuple[Any, ...], found: Any) -> None:
        """A function of arrays gave what an op will take as a parameter."""

    def checked(self, function: Any, args: tuple[Any, ...]) -> None:
        """A function of arrays had nothing against their numbers."""

    def read(self, how: str) -> None:
        """Numbers of a tensor are about to decide something, or a gradient to be computed, outside
        of any op."""

    def compared(self, name: str, a: Any, b: Any, outcome: bool) -> None:
        """Two Values (or a Value and a float) were compared, and the program goes by it."""

    def taken(self, value: Any, how: str) -> None:
        """The number of a Value is about to leave the graph."""

    def cut(self, made: Any, op: Any, operands: tuple[Any, ...]) -> None:
        """``made`` is the result of ``op`` (None: its one operand itself) without a history."""
