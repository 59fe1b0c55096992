"""What README.md says is true: its programs run, its commands are those of .ci/run."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("program", blocks("python"), ids=lambda p: p.splitlines()[0])
def test_programs_print_what_they_say(
    program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(program, "README.md", "exec"), {"__name__": "readme"})
    promised = re.findall(r"^print\(.*\)  # (.*)$", program, flags=re.MULTILINE)
    assert promised and out.getvalue().splitlines() == promised
    for name in re.findall(r'\.save\("(.*?)"\)', program):
        assert (tmp_path / name).stat().st_size > 0


def test_the_examples_are_ten_lines_of_work() -> None:
    for program in blocks("python"):
        lines = [x for x in program.splitlines() if x and not x.startswith(("from ", "import "))]
        assert len(lines) <= 10


def test_the_picture_is_of_the_program() -> None:
    scope: dict[str, object] = {"viz": None}
    program = blocks("python")[0].split("viz.draw")[0]
    with contextlib.redirect_stdout(io.StringIO()):
        exec(program, scope)
    picture = (ROOT / "docs" / "images" / "expression.svg").read_text(encoding="utf-8")
    y, a, b = (scope[name] for name in "yab")
    for number in (y.data, a.grad, b.grad):  # type: ignore[attr-defined]
        assert f"{number:.4g}" in picture or f"{number:.4f}" in picture
    for label in ("relu", "tanh", "grad"):
        assert f">{label}</" in picture


def test_two_commands_set_everything_up_and_ci_runs_the_second() -> None:
    tour, tests = (block.strip() for block in blocks("sh"))
    assert "\n" not in tour + tests
    assert tour.endswith("-m gradling") and "[plot,testing]" in tour
    assert "\n" + tests + "\n" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_folders_and_files_that_are_named_exist() -> None:
    named = re.findall(r"^\| `([\w./]+?)/?` \|", README, flags=re.MULTILINE)
    named += re.findall(r"\]\(([\w./]+)\)", README)
    assert len(named) > 8
    for name in named:
        assert (ROOT / name).exists(), f"README.md names {name}, which is not there"
    shipped = {p.parent.name for p in ROOT.glob("*/__init__.py")} - {"utils"}
    assert shipped <= set(named), "the table of folders must name every package"
