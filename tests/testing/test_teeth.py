"""The kit bites: every wrong rule is convicted, every right one acquitted."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

import gradling.nn  # noqa: F401  (adds its rows to the table)
from gradling.engine import TABLE
from gradling.testing import exercise, exercises, mutants
from gradling.testing.cases import cases_of, subject, without_case
from gradling.testing.laws import LAWS
from gradling.testing.rule_mutants import Mutant, convict, planted
from gradling.testing.search import first_broken
from gradling.testing.sources import changes, rule_source
from gradling.testing.walk_mutants import WALK_MUTANTS, convict_walk, edited, planted_in_walk

CASED = [name for name in TABLE if name not in without_case() and TABLE[name].differentiable]


@pytest.mark.parametrize("name", CASED)
def test_every_mutant_is_convicted(name):
    found = [convict(mutant) for mutant in mutants(name)]
    assert [c.mutant for c in found if not c.killed and not c.equivalent] == []
    # A zero rule times 1.001 is itself; an additive mutant of it is not.
    assert any(c.killed for c in found if c.mutant.kind == "additive")


def test_the_table_is_put_right_again():
    row = TABLE["mul"]
    before = row.vjp, row.joint, row.kept
    with pytest.raises(ZeroDivisionError), planted(mutants("mul")[0]):
        assert row.vjp != before[0]
        raise ZeroDivisionError
    assert (row.vjp, row.joint, row.kept) == before


@pytest.mark.parametrize("mutant", WALK_MUTANTS, ids=lambda m: m.kind)
def test_every_broken_walk_is_noticed(mutant):
    assert convict_walk(mutant), f"no law notices: {mutant.kind}"


def test_a_walk_mutant_out_of_date_says_so():
    with pytest.raises(ValueError, match="bring WALK_MUTANTS up to date"):
        edited(convict_walk, "no such line", "")


@pytest.mark.parametrize("kind", ["= for += where paths meet", "= for += at a leaf"])
def test_the_state_machine_notices_a_broken_walk(kind):
    where = Path(__file__).with_name("test_state_machine.py")
    spec = importlib.util.spec_from_file_location("state_machine_under_test", where)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (mutant,) = [m for m in WALK_MUTANTS if m.kind == kind]
    quick = settings(max_examples=200, stateful_step_count=30, deadline=None, database=None,
                     derandomize=True, phases=[Phase.generate])  # fmt: skip
    with planted_in_walk(mutant), pytest.raises(AssertionError):
        run_state_machine_as_test(module.Graphs, settings=quick)


def test_shrunk_to_the_smallest_case():
    with planted(Mutant("exp", 0, "scaled", lambda g, y, x: g * y * 1.001)):
        found = first_broken(
            subject("exp"), cases_of("exp"), {"gradient": LAWS["gradient"]}, 50, shrink=True
        )
    assert found.case.operands[0].shape == ()
    assert "gradling.tensor(2.0, dtype=gradling.float64, requires_grad=True)" in str(found.error)


def test_source_of_a_rule():
    assert rule_source(TABLE["tanh"].vjp[0]) == "lambda g, y, x: g * (1 - y * y)"
    assert "def _silu_rule" in rule_source(TABLE["silu"].vjp[0])
    assert rule_source(len) is None
    kinds = {change.kind for change in changes(TABLE["matmul"].vjp[0])}
    assert {"missing transpose", "factors swapped"} <= kinds


def test_exercises():
    every = exercises()
    assert len(every) > 50
    for number in (1, 2, len(every)):
        bug = exercise(number)
        assert str(number) in str(bug)
        assert bug.check().verdict == "wrong"
        right = bug.op.vjp[bug.operand]
        assert bug.try_rule(right).verdict == "correct"
        assert rule_source(right) in bug.answer()
        assert rule_source(right) not in str(bug), "the answer is not given away"
    with pytest.raises(ValueError, match="numbered from 1"):
        exercise(0)
