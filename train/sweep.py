"""Grids of experiments: every combination, on every core, with results written as they come."""

from __future__ import annotations

import csv
import io
import itertools
import os
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..tensor.files import write_whole
from .progress import Progress

Record = dict[str, Any]


class Results(list[Record]):
    """The records of a sweep, in the order of the grid: each a dict of settings and results."""

    def where(self, **settings: Any) -> Results:
        """The records with these settings."""
        return Results(r for r in self if all(r.get(k) == v for k, v in settings.items()))

    def best(self, column: str, mode: str = "max") -> Record:
        """The record with the largest (or smallest) entry in ``column`` among the runs that
        finished."""
        done = [
            r for r in self if r.get("error") is None and isinstance(r.get(column), (int, float))
        ]
        if not done:
            raise ValueError(f"no finished run has a number in {column!r}")
        return {"max": max, "min": min}[mode](done, key=lambda r: r[column])

    @property
    def failed(self) -> Results:
        """The runs that raised; ``record["error"]`` has the traceback."""
        return Results(r for r in self if r.get("error") is not None)

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write all records as a table."""
        write_whole(path, _table(self))


def combinations(grid: Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]]) -> list[Record]:
    """Every combination of the grid's values (a list of settings stands for itself).

    >>> combinations({"lr": [0.1, 0.01], "depth": [1, 2]})[1]
    {'lr': 0.1, 'depth': 2}
    """
    if not isinstance(grid, Mapping):
        return [dict(settings) for settings in grid]
    for name, values in grid.items():
        if isinstance(values, str) or not isinstance(values, Sequence):
            raise TypeError(f"sweep: expected a list of values for {name!r}, got {values!r}")
        if not values:
            raise ValueError(f"sweep: {name!r} has no values, so there is no combination")
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]


def sweep(
    run: Callable[..., Any],
    grid: Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]],
    *,
    n_jobs: int = -1,
    csv: str | os.PathLike[str] | None = None,
    progress: bool | None = None,
) -> Results:
    """Call ``run(**settings)`` for every combination of ``grid``, and collect what it returns.

    A run that raises is recorded with its traceback and does not stop the rest. With ``csv`` each
    record is written as it comes; a sweep that was stopped goes on from there, running only what is
    missing or failed.

    Args:
        run: returns a dict of results (or one number). For ``n_jobs`` other than 1 it must be
            importable by other processes (a function in a module, or in a notebook).
        grid: lists of values by name, or a list of settings.
        n_jobs: processes; -1 for one per core. On a cluster, wrap the call in
            ``joblib.parallel_config(backend="dask")`` (or "ray") as joblib describes.
        csv: a file for the records.
        progress: None for a bar on terminals and plain lines elsewhere; False for silence.

    >>> def run(a, b):
    ...     return {"product": a * b}
    >>> results = sweep(run, {"a": [1, 2], "b": [10]}, n_jobs=1, progress=False)
    >>> [r["product"] for r in results]
    [10, 20]
    """
    from joblib import Parallel, delayed

    settings = combinations(grid)
    done = _finished(csv, settings)
    missing = [place for place in range(len(settings)) if place not in done]
    jobs = (delayed(_one)(run, place, settings[place], os.getpid()) for place in missing)
    found: Iterator[tuple[int, Record]] = Parallel(n_jobs=n_jobs, return_as="generator_unordered")(
        jobs
    )
    bar = _bar(len(settings), len(done), progress)
    try:
        for place, record in found:
            done[place] = record
            bar(record)
            if csv is not None:
                write_whole(csv, _table([done[p] for p in sorted(done)]))
    finally:
        bar(None)
    return Results(done[place] for place in range(len(settings)))


def _one(run: Callable[..., Any], place: int, settings: Record, home: int) -> tuple[int, Record]:
    began = time.perf_counter()
    try:
        result = run(**settings)
        outcome = dict(result) if isinstance(result, Mapping) else {"result": result}
        clash = settings.keys() & outcome.keys()
        if clash:
            raise ValueError(
                f"sweep: run returned {sorted(clash)}, which are settings already; rename them"
            )
        if os.getpid() != home:
            _check_sendable(outcome)
        record = {**settings, **outcome, "error": None}
    except Exception:
        record = {**settings, "error": traceback.format_exc()}
    return place, {**record, "seconds": round(time.perf_counter() - began, 3)}


def _check_sendable(outcome: Record) -> None:
    """Raise here, as an error of this run alone, for what cannot go back to the first process."""
    from joblib.externals.loky.backend.reduction import dumps

    for name, value in outcome.items():
        try:
            dumps(value)
        except Exception as error:
            raise TypeError(
                f"sweep: run returned a {type(value).__name__} as {name!r}, which cannot be sent "
                f"to another process ({error}); return numbers, texts or arrays"
            ) from error


def _bar(total: int, done: int, progress: bool | None) -> Callable[[Record | None], None]:
    shown = Progress(1, progress)
    if shown.bars:
        shown.start(1, total, done)
        shown.bar.set_description("sweep")
    count = done

    def tell(record: Record | None) -> None:
        nonlocal count
        if record is None:
            shown.close()
            return
        count += 1
        if shown.bar is not None:
            shown.bar.update()
        elif progress is not False:
            what = "failed" if record["error"] else "done"
            named = ", ".join(f"{k}={v}" for k, v in record.items() if k != "error")[:160]
            print(f"{count}/{total} {what}: {named}", flush=True)

    return tell


def _table(records: Sequence[Record]) -> str:
    columns = list(dict.fromkeys(name for record in records for name in record))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


def _finished(path: str | os.PathLike[str] | None, settings: Sequence[Record]) -> dict[int, Record]:
    """Records of an earlier, stopped sweep over the same grid, by place; failed ones are run
    again."""
    if path is None or not Path(path).exists():
        return {}
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names = list(settings[0]) if settings else []
    if rows and not set(names) <= set(rows[0]):
        raise ValueError(
            f"sweep: {os.fspath(path)!r} has the columns {', '.join(rows[0])}, which are not of "
            f"this grid ({', '.join(names)}); name another file, or move it away"
        )
    known = {tuple(row[name] for name in names): row for row in rows if not row.get("error")}
    done = {}
    for place, wanted in enumerate(settings):
        row = known.get(tuple(str(wanted[name]) for name in names))
        if row is not None:
            read = {k: _read(v) for k, v in row.items() if k not in wanted and v != ""}
            done[place] = {**wanted, **read, "error": None}
    return done


def _read(text: str) -> Any:
    if text in ("True", "False"):
        return text == "True"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
