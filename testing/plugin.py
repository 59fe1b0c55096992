"""The pytest plugin: hypothesis profiles for gradient tests, and the evidence of failed checks.

Installed with gradling, so pytest finds it by itself. It changes nothing until asked to:

* ``pytest --gradling-profile=dev`` (10 examples), ``ci`` (50, the same ones every time) or ``deep``
  (1000); the environment variable ``GRADLING_PROFILE`` does the same. All of them have no deadline
  and let examples be drawn slowly, since a slow machine is not a wrong gradient, keep failing
  examples and print how to repeat them.
  ``ci`` with a ``--hypothesis-seed`` draws the examples of that seed instead of its own.
* A test that fails after a gradient check shows the check's page below the traceback, also where it
  said no more than ``assert check_gradients(f, x)``.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any

import pytest

from .report import Report, watched

PROFILES: dict[str, dict[str, Any]] = {
    "dev": {"max_examples": 10},
    "ci": {"max_examples": 50, "derandomize": True},
    "deep": {"max_examples": 1000},
}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("gradling")
    group.addoption(
        "--gradling-profile",
        choices=sorted(PROFILES),
        default=None,
        help="hypothesis profile for gradient tests: dev, ci or deep (or GRADLING_PROFILE)",
    )


def pytest_configure(config: pytest.Config) -> None:
    load_profile(config)


def load_profile(config: pytest.Config, default: str | None = None) -> None:
    """Load the profile that the option or the environment names, else ``default``.

    A conftest that wants a profile without being asked calls this in its ``pytest_configure``.
    """
    asked = config.getoption("--gradling-profile", None)
    wanted = asked or os.environ.get("GRADLING_PROFILE") or default
    if wanted is None:
        return
    if wanted not in PROFILES:
        known = ", ".join(sorted(PROFILES))
        raise pytest.UsageError(f"GRADLING_PROFILE must be one of {known}; got {wanted!r}")
    try:
        from hypothesis import HealthCheck, settings
    except ModuleNotFoundError:
        if asked:
            raise pytest.UsageError(
                "--gradling-profile needs hypothesis: pip install 'gradling[testing]'"
            ) from None
        return
    chosen = dict(PROFILES[wanted])
    if config.getoption("--hypothesis-seed", None) is not None:
        chosen["derandomize"] = False  # which would draw the same examples whatever the seed
    # by default a machine that stalls while examples are drawn fails the test
    patient: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
    name = f"gradling-{wanted}"
    settings.register_profile(name, print_blob=True, **patient, **chosen)
    settings.load_profile(name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Remember the checks of this test that were found wanting."""
    doubted: list[Report] = []
    item.stash[_DOUBTED] = doubted
    with watched(doubted):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the page of the last such check under the failure, unless the failure shows it."""
    report = yield
    doubted = item.stash.get(_DOUBTED, [])
    if call.when == "call" and report.failed and doubted:
        page = str(doubted[-1])
        shown = str(call.excinfo.value) if call.excinfo is not None else ""
        if page.splitlines()[0] not in shown:
            report.sections.append(("gradling: the last check that was not correct", page))
    return report


_DOUBTED = pytest.StashKey[list[Report]]()
