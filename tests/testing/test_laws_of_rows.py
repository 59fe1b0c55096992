"""Every row of the table obeys every law. Adding a row adds its tests; nothing here is a list."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

import gradling.nn  # noqa: F401  (adds its rows to the table)
from gradling.engine import TABLE
from gradling.testing.cases import cases_of, subject, without_case
from gradling.testing.laws import LAWS, ROW_LAWS, Case, LawBroken

# These evaluate the function dozens of times, or one number after another. Each gets this part of
# the profile's examples: of 50, the 25 of "gradient" convict every mutant that test_teeth.py leaves
# to it (most within 2, all within 22), and curvature costs ten times what a slope does.
MEASURED = {"gradient": 2, "complex_gradient": 2, "second": 5, "unrolled": 5}
MOST = settings().max_examples
# The deep profile has every law judge every example. To draw one takes as long as to judge it, so
# there each is drawn once for all laws.
GROUPS = (
    {"all": list(LAWS)}
    if MOST >= 1000
    else {"exact": [law for law in LAWS if law not in MEASURED], **{m: [m] for m in MEASURED}}
)


def examples(group):
    return MOST if group == "all" else max(10, MOST // MEASURED.get(group, 2))


def test_every_row_has_a_case():
    assert without_case() == [], "add these to testing/cases/"


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("name", TABLE)
def test_laws(name, group):
    laws = [LAWS[law] for law in GROUPS[group] if law != "complex_gradient" or TABLE[name].analytic]
    if not laws:
        return

    @settings(max_examples=examples(group))
    @given(cases_of(name))
    def hold(case):
        for law in laws:
            law(subject(name), case)

    hold()


@pytest.mark.parametrize("law", ROW_LAWS)
@pytest.mark.parametrize("name", TABLE)
def test_row_law(name, law):
    ROW_LAWS[law](subject(name))


def test_sums_that_cancel_may_round_as_their_terms_do():
    """0.03 is left of terms of 4 here, which strided memory adds in another order."""
    a = np.array([1.75, 2.5, -0.20859664697858005, 0.875])
    b = np.array([2.125, -1.125, -2.875, -1.75])
    for law in ("layouts", "value"):
        LAWS[law](subject("dot"), Case((a, b)))
    off = replace(subject("dot"), reference=lambda a, b: np.asarray(np.sum(a * b) + 1e-12))
    with pytest.raises(LawBroken, match="expected"):
        LAWS["value"](off, Case((a, b)))
