"""What the chapters of the tour share: what they say, what they draw, and what went wrong."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Picture:
    """A file in the folder of the tour, and what it shows."""

    file: str
    caption: str


@dataclass
class Chapter:
    """One station: what was said, the program it showed, its pictures."""

    title: str
    said: list[str] = field(default_factory=list)
    code: str = ""
    pictures: list[Picture] = field(default_factory=list)


class Guide:
    """Leads through the tour: prints as it goes, and keeps everything for the page at the end.

    Args:
        out: an existing folder for the pictures.
        seed: for everything random.
        quick: train as little as shows that it works.
    """

    def __init__(self, out: Path, seed: int, quick: bool) -> None:
        self.out = out
        self.seed = seed
        self.quick = quick
        self.chapters: list[Chapter] = []
        self.failures: list[str] = []
        self.left_out: list[str] = []
        self._start = time.perf_counter()

    def say(self, text: str) -> None:
        """Print a line at once, also into a file or a pipe."""
        print(text, flush=True)

    def chapter(self, title: str) -> None:
        """Begin the next station."""
        self.chapters.append(Chapter(title))
        self.say(f"\n{len(self.chapters)}. {title}")

    def tell(self, text: str) -> None:
        """Say something that the page repeats."""
        self.chapters[-1].said.append(text)
        self.say(f"   {text}")

    def show_code(self, code: str) -> None:
        """Show a program: on the screen, and on the page."""
        self.chapters[-1].code = code.strip("\n")
        for line in code.strip("\n").splitlines():
            self.say(f"   | {line}")

    def progress(self, step: int, steps: int, text: str) -> None:
        """Print about six lines over a training run: first step, last step, and some between."""
        every = max(1, steps // 5)
        if step == 1 or step % every == 0 or step == steps:
            self.say(f"   step {step:>{len(str(steps))}}/{steps}  {text}")

    def fail(self, text: str) -> None:
        """Note that something is not as it should be; the tour goes on, and ends with status 1."""
        self.failures.append(text)
        self.tell(f"NOT AS IT SHOULD BE: {text}")

    def draw(self, drawing: Any, file: str, caption: str) -> None:
        """Save the drawing of a graph."""
        saved = drawing.save(self.out / file)
        self._keep(saved.name, caption)

    def plot(self, make: Callable[[], Any], file: str, caption: str) -> None:
        """Save the matplotlib axes that `make()` returns, or say why not."""
        try:
            import matplotlib  # noqa: F401
        except ImportError:
            self.left_out.append(file)
            self.tell(f'left out {file} ({caption}): it needs matplotlib. Install the extra "plot"')
            return
        figure = make().figure
        figure.savefig(self.out / file, dpi=120, bbox_inches="tight")
        self._keep(file, caption)

    def farewell(self, page: Path) -> None:
        """Say where everything is."""
        seconds = time.perf_counter() - self._start
        count = sum(len(chapter.pictures) for chapter in self.chapters)
        self.say(f"\n{count} pictures and an index page in {seconds:.1f} s: open {page}")
        for text in self.failures:
            self.say(f"NOT AS IT SHOULD BE: {text}")

    def _keep(self, file: str, caption: str) -> None:
        self.chapters[-1].pictures.append(Picture(file, caption))
        self.say(f"   wrote {self.out / file}")
