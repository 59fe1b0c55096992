"""Every row of the table obeys every law. Adding a row adds its tests; nothing here is a list."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

import gradling.nn  # noqa: F401  (adds its rows to the table)
from gradling.engine import TABLE
from gradling.testing.cases import cases_of, subject, without_case
from gradling.testing.laws import LAWS, ROW_LAWS

# these evaluate the function dozens of times, or one number after another
MEASURED = ("gradient", "complex_gradient", "second", "unrolled")


def test_every_row_has_a_case():
    assert without_case() == [], "add these to testing/cases/"


@pytest.mark.parametrize("name", TABLE)
def test_exact_laws(name):
    @given(cases_of(name))
    def hold(case):
        for law in LAWS.keys() - set(MEASURED):
            LAWS[law](subject(name), case)

    hold()


@pytest.mark.parametrize("law", MEASURED)
@pytest.mark.parametrize("name", TABLE)
def test_measured_law(name, law):
    if law == "complex_gradient" and not TABLE[name].analytic:
        return

    @settings(max_examples=max(10, settings().max_examples // 2))
    @given(cases_of(name))
    def holds(case):
        LAWS[law](subject(name), case)

    holds()


@pytest.mark.parametrize("law", ROW_LAWS)
@pytest.mark.parametrize("name", TABLE)
def test_row_law(name, law):
    ROW_LAWS[law](subject(name))
