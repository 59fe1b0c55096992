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

    def node(self, node: Any, operands: tuple[Any, ...]) -> None:
        """A node was made in the graph of tensors, from these arrays."""

    def compared(self, name: str, a: Any, b: Any, outcome: bool) -> None:
        """Two Values (or a Value and a float) were compared, and the program goes by it."""

    def taken(self, value: Any, how: str) -> None:
        """The number of a Value is about to leave the graph."""

    def cut(self, made: Any, op: Any, operands: tuple[Any, ...]) -> None:
        """``made`` is the result of ``op`` (None: its one operand itself) without a history."""
