"""A sweep on a cluster: two dask workers, processes of their own on one machine."""

from __future__ import annotations

import csv
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gradling.train import sweep

distributed = pytest.importorskip("distributed", reason="clusters are an extra: gradling[cluster]")
cloudpickle = pytest.importorskip("cloudpickle", reason="comes with distributed")
joblib = pytest.importorskip("joblib", reason="sweeps are an extra: gradling[sweep]")

GRID = {"a": [1, 2, 3, 4], "b": [0, 1]}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    # this file is not importable by its name in another process: send its functions as they are
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            host="127.0.0.1",
            local_directory=str(tmp_path_factory.mktemp("dask")),
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        client.wait_for_workers(2)
        yield client


def run(a: int, b: int) -> dict[str, Any]:
    import time

    from gradling import tensor

    time.sleep(0.1)  # long enough that one worker cannot do it all before the other has begun
    x = tensor([float(a)], requires_grad=True)
    (x**3).sum().backward()
    return {"slope": x.grad.item() / b, "process": os.getpid()}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="distributed|joblib")
        yield


def test_a_sweep_on_two_processes_of_a_cluster(cluster: Any, tmp_path: Path) -> None:
    path = tmp_path / "sweep.csv"
    with joblib.parallel_config(backend="dask"):
        results = sweep(run, GRID, csv=path, progress=False)
    assert [(r["a"], r["b"]) for r in results] == [(a, b) for a in (1, 2, 3, 4) for b in (0, 1)]
    assert [r["slope"] for r in results.where(b=1)] == [3.0, 12.0, 27.0, 48.0]
    assert len(results.failed) == 4
    assert all("ZeroDivisionError" in r["error"] for r in results.failed)
    workers = {r["process"] for r in results.where(b=1)}
    assert os.getpid() not in workers and 1 <= len(workers) <= 2
    with open(path, newline="", encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 8


def test_the_cluster_has_two_processes(cluster: Any) -> None:
    processes = set(cluster.run(os.getpid).values())
    assert len(processes) == 2 and os.getpid() not in processes


def test_a_stopped_sweep_goes_on_on_the_cluster(cluster: Any, tmp_path: Path) -> None:
    path = tmp_path / "sweep.csv"
    first = sweep(run, {"a": [1, 2], "b": [1]}, csv=path, n_jobs=1, progress=False)
    with joblib.parallel_config(backend="dask"):
        results = sweep(run, {"a": [1, 2, 3], "b": [1]}, csv=path, progress=False)
    here = os.getpid()
    assert {r["process"] for r in first} == {here}
    assert [r["process"] == here for r in results] == [True, True, False]
    assert [r["slope"] for r in results] == [3.0, 12.0, 27.0]
