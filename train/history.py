"""What happened during training: one record an epoch, floats only, so that it keeps no graph
alive."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Sequence
from typing import Any

from ..tensor.files import write_whole

Record = dict[str, float]


class History:
    """The records of a run. ``history["val_loss"]`` is a column, ``history[-1]`` the last record.

    ``stopped`` says why the run ended before its last epoch: None if it did not, "interrupt" for
    Ctrl-C, "early" for early stopping. ``batch_losses`` has the loss of every step.

    >>> history = History([{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.25}])
    >>> history["loss"], history[-1]["epoch"], history.best("loss")["epoch"]
    ([0.5, 0.25], 2, 2)
    """

    def __init__(self, records: Sequence[Record] = (), batch_losses: Sequence[float] = ()) -> None:
        self.records: list[Record] = [dict(record) for record in records]
        self.batch_losses: list[float] = list(batch_losses)
        self.stopped: str | None = None

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    def __getitem__(self, key: Any) -> Any:
        if not isinstance(key, str):
            return self.records[key]
        if key not in self.columns:
            raise KeyError(
                f"no column {key!r} in this history; there are {', '.join(self.columns) or 'none'}"
            )
        return [record[key] for record in self.records if key in record]

    @property
    def columns(self) -> list[str]:
        """The names of all that was recorded, in order of appearance."""
        return list(dict.fromkeys(name for record in self.records for name in record))

    def best(self, column: str, mode: str = "min") -> Record:
        """The record with the smallest (or, for ``mode="max"``, largest) entry in ``column``."""
        self[column]
        having = [record for record in self.records if column in record]
        pick = {"min": min, "max": max}[mode]
        return pick(having, key=lambda record: record[column])

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write the records as a table."""
        table = io.StringIO(newline="")
        writer = csv.DictWriter(table, self.columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.records)
        write_whole(path, table.getvalue())

    def state_dict(self) -> dict[str, Any]:
        return {"records": self.records, "batch_losses": self.batch_losses}

    def __repr__(self) -> str:
        if not self.records:
            return "History(empty)"
        last = ", ".join(f"{name} {value:.4g}" for name, value in self.records[-1].items())
        stopped = f", stopped: {self.stopped}" if self.stopped else ""
        return f"History({len(self)} epochs; last: {last}{stopped})"

    def plot(self, ax: Any = None) -> Any:
        """Draw the losses and metrics; see ``gradling.viz.plot_history``."""
        from ..viz import plot_history

        return plot_history(self, ax=ax)
