"""Every row of the table obeys every law. Adding a row adds its tests; nothing here is a list."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

import gradling.nn  # noqa: F401  (adds its rows to the table)
from gradling.engine import TABLE
from gradling.testing.cases import cases_of, subject, without_case
from gradling.testing.laws import LAWS, ROW_LAWS

# These evaluate the function dozens of times, or one number after another. Each gets this part of
# the profile's examples: of 50, the 25 of "gradient" convict every mutant that test_teeth.py leaves
# to it (most within 2, all within 22), and curvature costs ten times what a slope does.
MEASURED = {"gradient": 2, "complex_gradient": 2, "second": 5, "unrolled": 5}


def fewer(part):
    """Part of the examples of the profile; all 1,000 of the deep one."""
    most = settings().max_examples
    return most if most >= 1000 else max(10, most // part)


def test_every_row_has_a_case():
    assert without_case() == [], "add these to testing/cases/"


@pytest.mark.parametrize("name", TABLE)
def test_exact_laws(name):
    @settings(max_examples=fewer(2))
    @given(cases_of(name))
    def hold(case):
        for law in LAWS.keys() - MEASURED.keys():
            LAWS[law](subject(name), case)

    hold()


@pytest.mark.parametrize("law", MEASURED)
@pytest.mark.parametrize("name", TABLE)
def test_measured_law(name, law):
    if law == "complex_gradient" and not TABLE[name].analytic:
        return

    @settings(max_examples=fewer(MEASURED[law]))
    @given(cases_of(name))
    def holds(case):
        LAWS[law](subject(name), case)

    holds()


@pytest.mark.parametrize("law", ROW_LAWS)
@pytest.mark.parametrize("name", TABLE)
def test_row_law(name, law):
    ROW_LAWS[law](subject(name))
