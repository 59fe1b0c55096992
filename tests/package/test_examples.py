"""The notebooks: named in order, kept with their results, and run by name."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "examples"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


@pytest.fixture(scope="module")
def runner() -> ModuleType:
    spec = importlib.util.spec_from_file_location("chapters", FOLDER / "__main__.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_chapters_are_found_by_number_name_or_part(runner: ModuleType) -> None:
    every = runner.chosen([])
    assert [path.name for path in every] == [path.name for path in NOTEBOOKS]
    third = [path for path in NOTEBOOKS if path.name.startswith("03-")]
    assert runner.chosen(["3"]) == third == runner.chosen(["seven-opt"])
    with pytest.raises(SystemExit, match="no chapter is called 'poetry'; there are 0"):
        runner.chosen(["poetry"])


def test_fast_results_are_not_kept(runner: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        runner.main(["3", "--fast", "--write", "--out", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()


def results(cell: dict[str, Any]) -> str:
    return json.dumps(cell.get("outputs", []))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_shows_its_results_and_nothing_of_the_machine(path: Path) -> None:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    title = "".join(cells[0]["source"])
    assert title.startswith(f"# {int(path.name[:2])}. ")
    shown = [cell for cell in cells if cell["cell_type"] == "code" and cell["outputs"]]
    assert shown, "run `python -m examples --write`"
    for cell in cells:
        kinds = [output["output_type"] for output in cell.get("outputs", [])]
        assert "error" not in kinds
        for trace in ("ipykernel_", "site-packages", "/home/", "/tmp/", "/root/", "/work/"):
            assert trace not in results(cell)
    if path.name[:2] != "09":
        assert any('"image/' in results(cell) or "svg" in results(cell) for cell in shown) or (
            path.name[:2] == "08"
        )
    assert path.stat().st_size < 1_500_000
