"""Grids of experiments: all combinations, failures recorded, stopped sweeps continued."""

from __future__ import annotations

import csv
import pickle
import threading
from pathlib import Path
from typing import Any

import pytest

import gradling
from gradling.train import sweep

GRID = {"a": [1, 2, 3], "b": [0, 1]}


def quotient(a: int, b: int) -> dict[str, Any]:
    return {"quotient": a / b}


def test_every_combination_in_order_and_failures_with_their_traceback() -> None:
    results = sweep(quotient, GRID, n_jobs=1, progress=False)
    assert [(r["a"], r["b"]) for r in results] == [(1, 0), (1, 1), (2, 0), (2, 1), (3, 0), (3, 1)]
    assert len(results.failed) == 3
    assert "ZeroDivisionError" in results.failed[0]["error"]
    assert results.best("quotient")["a"] == 3
    assert [r["quotient"] for r in results.where(b=1)] == [1.0, 2.0, 3.0]


def test_two_processes_give_the_same_records() -> None:
    one = sweep(quotient, GRID, n_jobs=1, progress=False)
    two = sweep(quotient, GRID, n_jobs=2, progress=False)
    drop = ("seconds", "error")
    assert [{k: v for k, v in r.items() if k not in drop} for r in one] == [
        {k: v for k, v in r.items() if k not in drop} for r in two
    ]


def test_a_stopped_sweep_goes_on_and_failed_runs_are_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "sweep.csv"
    calls: list[tuple[int, int]] = []

    def run(a: int, b: int) -> float:
        calls.append((a, b))
        if len(calls) == 4:
            raise KeyboardInterrupt
        if (a, b) == (1, 1) and len(calls) < 4:
            raise ValueError("not yet")
        return a + b / 10

    with pytest.raises(KeyboardInterrupt):
        sweep(run, GRID, n_jobs=1, csv=path, progress=False)
    with open(path, newline="") as file:
        assert len(list(csv.DictReader(file))) == 3
    calls[:] = [(0, 0)] * 4
    results = sweep(run, GRID, n_jobs=1, csv=path, progress=False)
    assert calls[4:] == [(1, 1), (2, 1), (3, 0), (3, 1)]
    assert [r["result"] for r in results] == [1.0, 1.1, 2.0, 2.1, 3.0, 3.1]
    assert not results.failed


def test_results_read_back_are_of_the_kind_they_were(tmp_path: Path) -> None:
    def run(a: int) -> dict[str, object]:
        return {"whole": a, "part": a / 4, "large": a > 1, "name": f"run {a}"}

    path = tmp_path / "sweep.csv"
    first = sweep(run, {"a": [1, 2]}, n_jobs=1, csv=path, progress=False)
    again = sweep(run, {"a": [1, 2]}, n_jobs=1, csv=path, progress=False)
    assert again == first
    assert [type(again[0][k]) for k in ("whole", "part", "large", "name")] == [
        int,
        float,
        bool,
        str,
    ]


def test_a_table_of_another_grid_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "sweep.csv"
    path.write_text("x,y\n1,2\n")
    with pytest.raises(ValueError, match="not of this grid"):
        sweep(quotient, GRID, n_jobs=1, csv=path, progress=False)
    assert path.read_text() == "x,y\n1,2\n"


@pytest.mark.parametrize("grid", [{"a": []}, {"a": "text"}])
def test_bad_grids(grid: Any) -> None:
    with pytest.raises((ValueError, TypeError), match="sweep"):
        sweep(quotient, grid, n_jobs=1, progress=False)


def test_a_function_of_a_notebook_may_say_tensor() -> None:
    reduction = pytest.importorskip("joblib.externals.loky.backend.reduction")
    assert pickle.loads(pickle.dumps(gradling.tensor)) is gradling.tensor
    space: dict[str, Any] = {"gradling": gradling, "__name__": "__main__"}
    exec("def run(a):\n    return {'t': gradling.tensor(a).item()}", space)
    back = pickle.loads(reduction.dumps(space["run"]))
    assert back(1.5) == {"t": 1.5}


def lock_for_two(a: int) -> dict[str, Any]:
    return {"made": threading.Lock() if a == 2 else a}


def test_a_result_that_cannot_be_sent_is_an_error_of_its_run_alone() -> None:
    results = sweep(lock_for_two, {"a": [1, 2, 3]}, n_jobs=2, progress=False)
    assert [r.get("made") for r in results] == [1, None, 3]
    assert "run returned a lock as 'made', which cannot be sent" in results.failed[0]["error"]
