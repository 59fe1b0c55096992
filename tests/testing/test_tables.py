"""The tables that the code prints of itself are true."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gradling.engine import TABLE
from gradling.testing import coverage, ops, subgradients

PINS = list(subgradients())


def label(s):
    return f"{s.op} at {s.at} by {s.operand}"


@pytest.mark.parametrize("s", PINS, ids=label)
def test_stated_subgradients_lie_between_the_slopes(s):
    """Where a side has no slope (a jump, a pole, the edge of the domain) nothing can be said."""
    assert s.inside is not False


def test_every_pin_is_in_the_table():
    assert {s.op for s in PINS} == {name for name, op in TABLE.items() if op.pinned}


@pytest.mark.parametrize(
    "name, at, slopes",
    [("relu", (0.0,), (0, 1)), ("abs", (0.0,), (-1, 1)), ("maximum", (1.0, 1.0), (0, 1))],
)
def test_slopes_are_measured(name, at, slopes):
    (found,) = [s for s in PINS if s.op == name and s.at == at and s.operand in ("x", "a")]
    assert (found.left, found.right) == pytest.approx(slopes)


def test_coverage_knows_every_op_and_finds_none_broken():
    found = {row.op: row for row in coverage(examples=2)}
    assert set(found) == set(TABLE)
    for row in found.values():
        assert row.first in ("checked", "-"), row
        assert row.second in ("checked", "-"), row
        assert row.laws >= 12, row
    assert found["matmul"].operands == "a, b"
    assert found["tanh"].kind == "elementwise"
    assert found["eq"].operands == "-"


def test_tables_print_and_turn_into_markdown():
    table = coverage(measure=False)
    lines = str(table).splitlines()
    assert lines[0].split() == ["op", "kind", "by", "first", "second", "dtypes", "laws"]
    assert len(lines) == len(TABLE) + 1
    page = subgradients().markdown().splitlines()
    assert page[0].startswith("| op | at | by | stated")
    assert page[1].startswith("| --- |")
    assert len({line.count(" | ") for line in page}) == 1


@pytest.mark.parametrize(
    ("call", "table"),
    [
        ("ops()", ops),
        ("subgradients()", subgradients),
        ("coverage(measure=False)", lambda: coverage(measure=False)),
    ],
)
def test_a_table_is_whole_in_a_fresh_process(call, table):
    program = f"import gradling.testing as t; print(len(t.{call}))"
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert int(found.stdout) == len(table())
