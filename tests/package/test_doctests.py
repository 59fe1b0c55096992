"""Every example in a docstring runs, with warnings as errors, and prints what it says."""

from __future__ import annotations

import doctest
import importlib
import inspect
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOT_SHIPPED = {"tests", "benchmarks", "examples", "docs", "build", "dist"}


def modules() -> list[str]:
    """Every module by its import name: pytest's own doctest plugin would import files by path,
    as parts of another package than the installed one."""
    out = []
    for file in sorted(ROOT.rglob("*.py")):
        parts = file.relative_to(ROOT).with_suffix("").parts
        if not parts[0].startswith(".") and parts[0] not in NOT_SHIPPED and parts[-1] != "__main__":
            out.append(".".join(["gradling", *(p for p in parts if p != "__init__")]))
    return out


@pytest.mark.parametrize("name", modules())
def test_examples(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    if name.startswith("gradling.interop."):
        pytest.importorskip("torch", reason="this module is about PyTorch")
    module = importlib.import_module(name)
    runner = doctest.DocTestRunner(
        optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE, verbose=False
    )
    report: list[str] = []
    for example in doctest.DocTestFinder(exclude_empty=True).find(module, name):
        held = getattr(module, example.name.rpartition(".")[2], None)
        home = getattr(inspect.unwrap(held), "__module__", name) if callable(held) else name
        if home == name:  # what is written elsewhere runs there, with the names it has there
            runner.run(example, out=report.append)
    assert runner.failures == 0, "".join(report)
