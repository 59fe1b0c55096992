"""The tables that the code prints of itself are true."""

from __future__ import annotations

import numpy as np
import pytest

import gradling.nn  # noqa: F401  (adds its rows to the table)
from gradling.engine import TABLE
from gradling.testing import coverage, subgradients

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


TORCH = {
    "clamp": "clamp", "nan_to_num": None, "softshrink": "nn.functional.softshrink",
    "hardshrink": "nn.functional.hardshrink", "hardtanh": "nn.functional.hardtanh",
    "hardsigmoid": "nn.functional.hardsigmoid", "hardswish": "nn.functional.hardswish",
    "leaky_relu": "nn.functional.leaky_relu", "elu": "nn.functional.elu",
    "celu": "nn.functional.celu", "selu": "nn.functional.selu", "prelu": "nn.functional.prelu",
    "relu": "relu", "threshold": "nn.functional.threshold", "xlogy": "special.xlogy",
}  # fmt: skip


@pytest.mark.parametrize("op, at", sorted({(s.op, s.at) for s in PINS}))
def test_stated_subgradients_equal_those_of_pytorch(op, at):
    torch = pytest.importorskip("torch")
    fn = torch
    for part in (TORCH.get(op, op) or "").split("."):
        fn = getattr(fn, part)
    operands = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in at]
    out = fn(*operands, *TABLE[op].defaults)
    if out.requires_grad:
        out.backward()
    stated = [s.stated for s in PINS if (s.op, s.at) == (op, at)]
    theirs = [0.0 if x.grad is None else x.grad.item() for x in operands]
    for mine, other in zip(stated, theirs, strict=True):
        # Where PyTorch gives NaN (logaddexp of two infinities), a number may be stated.
        assert mine == pytest.approx(other, rel=1e-12, nan_ok=True) or np.isnan(other)


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
