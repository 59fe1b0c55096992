"""The benchmarks run: the harness on a tiny case, every setup that needs no peer, and the page.

Nothing here looks at how long anything takes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module", autouse=True)
def checkout_on_path() -> Iterator[None]:
    """``benchmarks`` is no part of the package: it is found in the checkout only."""
    sys.path.insert(0, str(ROOT))
    yield
    sys.path.remove(str(ROOT))


def ratio(median: float, target: float | None, met: bool | None) -> dict[str, Any]:
    return {"median": median, "low": median / 2, "high": median * 2, "target": target, "met": met}


def a_run() -> dict[str, Any]:
    entrants = {
        name: {"median": median, "low": 1e-4, "high": 1e-2}
        for name, median in (("gradling", 1e-3), ("peer", 1e-3), ("third", 4e-4))
    }
    case = {
        "name": "tiny", "title": "a tiny case", "unit": "s", "us": "gradling",
        "rounds": 7,
        "entrants": entrants, "facts": {"gradling": {"bytes a node": 99.0}},
        "skipped": {"other": "No module named 'other'"},
        "ratios": {"peer": ratio(1.25, 1.0, False)},
        "profile": [{"where": "engine/value.py:1 f", "share": 0.5}],
    }  # fmt: skip
    machine = {
        "cpu": "a CPU", "cores": 2, "threads": 2, "load": 0.1, "system": "Linux x86_64",
        "python": "3.11", "versions": {"numpy": "2.0"}, "date": "2026-01-01",
    }  # fmt: skip
    return {"machine": machine, "cases": [case]}


def test_a_case_against_numpy_through_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from benchmarks import __main__ as command
    from benchmarks import case as cases
    from benchmarks import measure

    tiny = cases.all_cases()["import"]
    monkeypatch.setattr(
        command, "all_cases", lambda: {"import": cases.Case(**{**vars(tiny), "rounds": 2})}
    )
    monkeypatch.setattr(measure, "profile", lambda case, threads: [])
    file = tmp_path / "results.json"
    assert command.main(["--case", "import", "--quick", "--json", str(file), "--threads", "1"]) == 0
    (result,) = json.loads(file.read_text())["cases"]
    assert set(result["entrants"]) == {"gradling", "numpy"}
    assert result["ratios"]["numpy"]["median"] > 0
    assert "import" in capsys.readouterr().out


def test_an_unknown_case_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    from benchmarks.__main__ import main

    with pytest.raises(SystemExit):
        main(["--case", "nosuch"])
    assert "nosuch" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["moons", "moons-lifted", "mlp-sgd", "mlp-adam", "stepping"])
def test_our_small_cases_take_a_step(name: str) -> None:
    from benchmarks.case import Skip, all_cases

    try:
        step = all_cases()[name].entrants["gradling"]()
    except Skip as reason:
        pytest.skip(str(reason))
    step()


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
def test_peers_do_the_same_work(optimizer: str) -> None:
    """After three steps our parameters are those of NumPy written by hand."""
    import numpy as np

    import gradling
    from benchmarks.cases import mlp

    lib: Any = gradling
    model = mlp.net(lib)
    x, t = map(gradling.tensor, mlp.data())
    loss = lib.nn.functional.mse_loss
    step = mlp.training(lib, model, lambda: loss(model(x), t), optimizer, mlp.LR[optimizer])
    ps = mlp.weights()
    move = mlp.update(optimizer, ps)
    for _ in range(3):
        step()
        move(mlp.gradients_by_hand(ps, *mlp.data()))
    for ours, by_hand in zip(model.parameters(), ps, strict=True):
        # Adam's first steps are sign(g) lr, so a gradient near 0 may move by as much either way
        np.testing.assert_allclose(ours.numpy(), by_hand, rtol=1e-3, atol=1e-4)


def test_the_page_says_what_was_measured(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from benchmarks import page

    path = page.write(a_run(), tmp_path)
    text = path.read_text()
    for said in (
        "a CPU, 2 cores", "| a tiny case | peer | 1 ms | 1 ms | 1.25 | 0.625 to 2.5 | 7 |",
        "missed", "left out: No", "99 bytes a node",
        "1.25 of peer (at most 1). Of peer's time the others take: third 0.40.",
        "| 50% | `engine/value.py:1 f` |",
    ):  # fmt: skip
        assert said in text
    first = (tmp_path / "images" / "benchmarks.svg").read_bytes()
    page.write(a_run(), tmp_path)
    assert (tmp_path / "images" / "benchmarks.svg").read_bytes() == first
