"""The pages that the code writes say what the code says now."""

from __future__ import annotations

import re
from pathlib import Path

import gradling.nn  # noqa: F401  (adds its rows to the table)
from gradling.engine import TABLE
from gradling.testing import coverage, ops
from gradling.testing.__main__ import main
from gradling.testing.pages import PAGES, ops_page

DOCS = Path(__file__).resolve().parents[2] / "docs"
AGAIN = "run `python -m gradling.testing pages docs`"


def rows(page: str, head: str) -> list[list[str]]:
    """The cells of the table below a line that starts with ``head``."""
    lines = page[page.index(f"| {head}") :].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def test_the_table_of_ops_is_up_to_date():
    assert (DOCS / "ops.md").read_text(encoding="utf-8") == ops_page(), AGAIN
    assert {op.name for op in ops()} == set(TABLE)


def test_what_is_tested_is_up_to_date():
    """All but the counts of kills, which take minutes to count again."""
    page = (DOCS / "tested.md").read_text(encoding="utf-8")
    declared = {row.op: (row.kind, row.operands, str(row.laws)) for row in coverage(measure=False)}
    shown = {row[0]: (row[1], row[2], row[6]) for row in rows(page, "op | kind")}
    assert shown == declared, AGAIN
    measured = {cell for row in rows(page, "op | kind") for cell in row[3:6]}
    assert measured == {"checked", "f64 f32 f16", "-"}, "a derivative is broken, or was not tried"


def test_no_wrong_rule_survives_on_the_page():
    page = (DOCS / "tested.md").read_text(encoding="utf-8")
    kills = rows(page, "op | mutants")
    assert [row[0] for row in kills] == [n for n, op in TABLE.items() if op.differentiable], AGAIN
    for name, mutants, convicted, equivalent, survived, _ in kills:
        assert int(mutants) == int(convicted) + int(equivalent), name
        assert int(convicted) > 0, name
        assert survived == "0", name


def test_every_page_is_there_and_listed():
    listed = (DOCS / "index.md").read_text(encoding="utf-8")
    for name in PAGES:
        assert (DOCS / name).exists(), AGAIN
        assert f"({name})" in listed


def test_pages_are_written(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(PAGES, "tested.md", lambda: "quick\n")
    assert main(["pages", str(tmp_path)]) == 0
    assert (tmp_path / "ops.md").read_text(encoding="utf-8") == ops_page()
    assert str(tmp_path / "tested.md") in capsys.readouterr().out
