"""Ctrl-C between two batches, never in the middle of a step."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Interrupts:
    """Whether Ctrl-C was pressed: ``check()`` raises KeyboardInterrupt where it is safe to."""

    def __init__(self) -> None:
        self.asked = False

    def check(self) -> None:
        if self.asked:
            raise KeyboardInterrupt

    def _ask(self, number: int, frame: Any) -> None:
        self.check()  # the second one does not wait
        self.asked = True

    @contextmanager
    def held(self) -> Iterator[None]:
        """Inside, Ctrl-C waits for ``check()``, so that no step is left half done.

        Only in the main thread, and only where nobody else handles Ctrl-C already.
        """
        ours = (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        )
        if not ours:
            yield
            return
        signal.signal(signal.SIGINT, self._ask)
        try:
            yield
            self.check()
        finally:
            signal.signal(signal.SIGINT, signal.default_int_handler)
