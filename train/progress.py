"""Progress in a terminal, a notebook, or a log: a bar where it can be redrawn, plain lines
elsewhere."""

from __future__ import annotations

import sys
import warnings
from typing import Any


class Progress:
    """Shows an epoch's batches as they go, and one line when it is over.

    ``shown``: True, False, or None for a bar on a terminal and in notebooks and plain lines
    otherwise.
    """

    def __init__(self, epochs: int, shown: bool | None) -> None:
        self.epochs, self.shown = epochs, shown
        self.bar: Any = None
        self.bars = shown is not False and (in_notebook() or sys.stderr.isatty())

    def start(self, epoch: int, batches: int | None, done: int = 0) -> None:
        if self.bars:
            self.bar = _tqdm()(
                total=batches, initial=done, desc=f"epoch {epoch}/{self.epochs}", leave=False,
                mininterval=0.25,
            )  # fmt: skip

    def advance(self, loss: float) -> None:
        if self.bar is not None:
            self.bar.set_postfix(loss=f"{loss:.4g}", refresh=False)
            self.bar.update()

    def finish(self, epoch: int, record: dict[str, float]) -> None:
        self.close()
        if self.shown is not False:
            facts = "  ".join(f"{k} {v:.4g}" for k, v in record.items() if k != "epoch")
            line = f"epoch {epoch}/{self.epochs}  {facts}"
            if self.bars:
                _tqdm().write(line, file=sys.stdout)
            else:
                print(line, flush=True)

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
            self.bar = None


def _tqdm() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # in a notebook without ipywidgets it draws with text
        from tqdm.auto import tqdm
    return tqdm


def in_notebook() -> bool:
    shell: Any = sys.modules.get("IPython")
    found = shell.get_ipython() if shell is not None else None
    return type(found).__name__ == "ZMQInteractiveShell"
