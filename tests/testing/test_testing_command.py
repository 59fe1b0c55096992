"""``python -m gradling.testing`` prints the tables and the exercises."""

from __future__ import annotations

import pytest

from gradling.testing.__main__ import main


def test_tables(capsys):
    assert main(["subgradients"]) == 0
    assert "relu" in capsys.readouterr().out
    assert main(["subgradients", "--markdown"]) == 0
    assert capsys.readouterr().out.startswith("| op | at |")
    assert main(["teeth", "tanh", "floor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["op", "tanh", "floor"]
    mutants, convicted, equivalent, survived = map(int, lines[2].split()[1:5])
    assert (mutants, survived) == (convicted + equivalent, 0)
    assert equivalent == 2, "a zero rule, scaled or negated, is the rule"


def test_exercise(capsys):
    assert main(["exercise", "3", "--check", "--answer"]) == 0
    shown = capsys.readouterr().out
    for part in ("Exercise 3", "lambda g, y", "WRONG", "it should be"):
        assert part in shown


def test_no_command():
    with pytest.raises(SystemExit):
        main([])
