"""``steps(loss)``: forward and backward as a program that one steps through."""

from __future__ import annotations

import html
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from ...tensor.files import write_whole
from ..words import many
from . import frames, steps_page, told
from .events import Event, events, places
from .formulas import Naming
from .places import expected, is_tensor, names_of, place_of

MOST = 5_000  # steps that a page, which holds all of them, can have
_HELP = (
    "Enter next · p previous · g N go to step N · w NAME [N] go on until NAME gets its Nth "
    "contribution · a absent gradients · q quit"
)


def steps(loss: Any, *, params: Any = None, gradient: float = 1.0) -> Steps:
    """Forward and backward of ``loss`` step by step: every op, then every contribution.

    Each step of backward is one contribution: a result sends its gradient, times the local
    derivative, to one of its operands, where it is added. The order is the engine's own. Nothing is
    changed: the pass is followed from a state in which no gradient is there yet, and hooks do not
    run.

    Args:
        loss: a Value, or a tensor (of several entries: as ``loss.sum()``).
        params: a module, or a mapping of names to Values or Tensors, for their names.
        gradient: what backward starts from.

    Returns:
        The steps: they print as text, show themselves in a notebook, save as an offline page with
        slider and keys (``.html``), as an animation (``.gif``) or as text (``.txt``), and run in a
        terminal (``play()``).

    Raises:
        TypeError: ``loss`` is not a Value or Tensor.
        ValueError: a tensor in no graph.

    >>> from gradling.engine import Value
    >>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    >>> print(steps(a * b + a))
     1  v2 = a * b = -6
     2  v3 = v2 + a = -4
     3  v3.grad starts at 1
     4  v3 → a: 1 · 1 = 1; a.grad – → 1 (1 of 2)
     5  v3 → v2: 1 · 1 = 1; v2.grad – → 1 (1 of 1)
     6  v2 → b: 1 · 2 = 2; b.grad – → 2 (1 of 1)
     7  v2 → a: 1 · -3 = -3; a.grad 1 → -2 (2 of 2)
    """
    expected("steps", "loss", loss)
    root = place_of(loss)
    if root is None:
        raise ValueError(
            "steps: expected a result in a graph, got a tensor that requires no gradient; "
            "why_no_grad(w, loss) says why"
        )
    everything = places(root)
    name = Naming(everything, names_of(params))
    if is_tensor(loss):
        name.contents = {**told.kept(everything), id(root): loss._data}
    return Steps(root, tuple(events(root, float(gradient))), name)


@dataclass(frozen=True, eq=False)
class Steps(Sequence[Event]):
    """The steps of one forward and backward pass: a sequence of ``Event``."""

    root: Any
    events: tuple[Event, ...]
    name: Naming

    def __len__(self) -> int:
        return len(self.events)

    def __getitem__(self, at: Any) -> Any:
        return self.events[at]

    def when(self, w: Any, nth: int = 1) -> int:
        """The place in this sequence at which ``w`` gets its ``nth`` contribution.

        Args:
            w: a Value or Tensor; or a function of an ``Event``, true where to stop.

        Raises:
            LookupError: that never happens; says how many contributions there are.

        >>> from gradling.engine import Value
        >>> x = Value(3.0, label="x")
        >>> walk = steps(x * x)
        >>> print(walk.tell(walk.when(x, 2)))
        v1 = x * x
          ∂v1/∂x = 3 ←
          ∂v1/∂x = 3 ←
          1 · 3 = 3
          x.grad 3 becomes 6  (2 of 2)
        """
        if not callable(w) or hasattr(w, "_grad"):
            expected("when", "w", w)
            place = place_of(w)
            found = [at for at, event in enumerate(self.events) if event.to is place]
        else:
            found = [at for at, event in enumerate(self.events) if w(event)]
        if not 1 <= nth <= len(found):
            raise LookupError(f"when: it gets {many(len(found), 'contribution')}, not a #{nth}")
        return found[nth - 1]

    def tell(self, at: int) -> str:
        """Step ``at`` in full: the op, its local derivatives, what is added to which gradient."""
        event = self.events[at]
        if event.phase != "backward":
            return told.headline(event, self.name)
        return "\n".join(told.details(event, self.name))

    def absent(self, at: int) -> list[str]:
        """The names of all that have no gradient yet after step ``at``."""
        got = {id(event.to) for event in self.events[: at + 1] if event.to is not None}
        return [self.name(place) for place in self.places if id(place) not in got]

    @cached_property
    def places(self) -> list[Any]:
        return places(self.root)

    def text(self) -> str:
        """Every step in a line."""
        width = len(str(len(self.events)))
        return "".join(f"{at:{width + 1}}  {line}\n" for at, line in enumerate(self._lines(), 1))

    def _lines(self) -> Iterator[str]:
        return (told.headline(event, self.name) for event in self.events)

    def __str__(self) -> str:
        return self.text().rstrip("\n")

    def __repr__(self) -> str:
        return f"<Steps: {many(len(self.events), 'step')} of {self.name(self.root)}>"

    # Saving and showing ---------------------------------------------------------------------------

    def html(self) -> str:
        """The page: slider, keys, breakpoints, all in one file that fetches nothing.

        Without scripts it lists all steps and the gradients at the end.

        Raises:
            ValueError: there are more steps than a page can hold.
        """
        if len(self.events) > MOST:
            raise ValueError(
                f"steps: {len(self.events)} steps are more than a page can hold ({MOST}); take "
                "those of an inner result, print them as text, or let explain() find what matters"
            )
        return steps_page.page_of(self.events, self.places, self.name)

    def gif(self, *, seconds: float = 1.0, forward: bool = True) -> bytes:
        """One picture a step, as an animated GIF.

        Args:
            seconds: how long each stays; the last stays four times as long.
            forward: also show the forward pass.

        Raises:
            ValueError: there are too many steps or boxes, or ``seconds`` is not positive.
            ImportError: Pillow is missing; ``pip install "gradling[plot]"`` brings it.
            RenderError: there is no Graphviz program.
        """
        chosen = [e for e in self.events if forward or e.phase != "forward"]
        return frames.animated(chosen, self.places, self.name, self.root, seconds)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write ``.html``, ``.gif`` or ``.txt``, whole or not at all.

        Raises:
            ValueError: another suffix, or too many steps for it.
        """
        form = Path(path).suffix.lower()
        writers: dict[str, Callable[[], str | bytes]] = {
            ".html": self.html,
            ".gif": self.gif,
            ".txt": self.text,
        }
        if form not in writers:
            raise ValueError(f"cannot save {Path(path).name!r}: expected .html, .gif or .txt")
        return write_whole(path, writers[form]())

    def _repr_html_(self) -> str:
        if len(self.events) > MOST:
            first = "".join(f"{line}\n" for line in islice(self._lines(), 100))
            return f"<pre>{html.escape(first)}… {many(len(self.events), 'step')} in all</pre>"
        return steps_page.framed(self.html())

    # In a terminal --------------------------------------------------------------------------------

    def play(
        self, read: Callable[[str], str] = input, write: Callable[[str], None] = print
    ) -> None:
        """Step through in a terminal: Enter goes on, ``p`` back, ``w NAME 2`` to a breakpoint.

        Args:
            read, write: where commands come from and text goes to.
        """
        at = 0
        write(_HELP)
        while True:
            write(f"[{at + 1}/{len(self.events)}] {told.headline(self.events[at], self.name)}")
            if self.events[at].phase == "backward":
                write("\n".join(f"    {line}" for line in told.details(self.events[at], self.name)))
            try:
                word, *rest = read("> ").split() or ["n"]
            except (EOFError, KeyboardInterrupt):
                return
            if word == "q":
                return
            at = self._moved(at, word, rest, write)

    def _moved(self, at: int, word: str, rest: list[str], write: Callable[[str], None]) -> int:
        """Where a command leads; it says why where it leads nowhere."""
        last = len(self.events) - 1
        if word in ("n", "p"):
            return min(max(at + (1 if word == "n" else -1), 0), last)
        if word == "a":
            write(f"absent: {', '.join(self.absent(at)) or 'none'}")
        elif word == "g" and rest and rest[0].isdigit():
            return min(max(int(rest[0]) - 1, 0), last)
        elif word == "w" and rest:
            nth = int(rest[-1]) if len(rest) > 1 and rest[-1].isdigit() else 1
            wanted = " ".join(rest[:-1] if len(rest) > 1 and rest[-1].isdigit() else rest)
            for place, event in enumerate(self.events):
                if event.to is not None and self.name(event.to) == wanted and event.nth == nth:
                    return place
            write(f"{wanted} never gets contribution {nth}")
        else:
            write(_HELP)
        return at
