"""Every example in the pages of docs/ runs as it stands."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

PAGES = [
    page
    for page in sorted((Path(__file__).resolve().parents[2] / "docs").rglob("*.md"))
    if ">>> " in page.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_example_of_the_page_runs(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    failed, tried = doctest.testfile(str(page), module_relative=False, optionflags=flags)
    assert failed == 0
    assert tried > 0
