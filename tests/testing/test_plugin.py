"""The pytest plugin: profiles by option or environment, and the evidence under a failure."""

from __future__ import annotations

from configparser import ConfigParser
from importlib.metadata import entry_points
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

PLUGIN = "gradling.testing.plugin"
FAILING = """
    import numpy as np
    from gradling.testing import check_gradients

    def test_tanh():
        assert check_gradients(np.tanh, np.array([0.5]), grad_fn=lambda x: 1 - np.tanh(x))
"""

SHOWS_PROFILE = """
    from hypothesis import settings

    def test_profile():
        now = settings()
        print("profile", now.max_examples, now.deadline, now.derandomize, now.print_blob)
"""


@pytest.fixture
def run(pytester, monkeypatch):
    monkeypatch.delenv("GRADLING_PROFILE", raising=False)
    monkeypatch.delenv("CI", raising=False)
    # pytest of the inner run must not read the settings of this checkout
    pytester.makeini("[pytest]\n")

    def run(source, *options):
        pytester.makepyfile(source)
        # An install from before the entry point was written does not load it by itself.
        found = [e.value for e in entry_points(group="pytest11")]
        loaded = () if PLUGIN in found else ("-p", PLUGIN)
        return pytester.runpytest_subprocess(*loaded, "-s", *options)

    return run


@pytest.mark.parametrize(
    "name, shown", [("dev", "10 None False True"), ("ci", "50 None True True"),
                    ("deep", "1000 None False True")],
)  # fmt: skip
def test_profiles(run, name, shown):
    done = run(SHOWS_PROFILE, f"--gradling-profile={name}")
    done.stdout.fnmatch_lines([f"*profile {shown}*"])


def test_profile_from_the_environment(run, monkeypatch):
    monkeypatch.setenv("GRADLING_PROFILE", "dev")
    run(SHOWS_PROFILE).stdout.fnmatch_lines(["*profile 10 None*"])
    monkeypatch.setenv("GRADLING_PROFILE", "leisurely")
    done = run(SHOWS_PROFILE)
    assert done.ret != 0
    done.stderr.fnmatch_lines(["*must be one of ci, deep, dev; got 'leisurely'*"])


def test_a_seed_draws_other_examples_than_ci_does_by_itself(run):
    done = run(SHOWS_PROFILE, "--gradling-profile=ci", "--hypothesis-seed=7")
    done.stdout.fnmatch_lines(["*profile 50 None False True*"])


def test_without_being_asked_it_changes_nothing(run):
    run(SHOWS_PROFILE).stdout.fnmatch_lines(["*profile 100 *False*"])


def test_a_failed_check_shows_its_page(run):
    done = run(FAILING)
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines([
        "*the last check that was not correct*",
        "gradient of tanh: WRONG",
        "*claimed*",
        "*remainder order 1.0*",
    ])  # fmt: skip


def test_a_raised_page_is_not_shown_twice(run):
    source = FAILING.replace("assert check", "check").replace(
        "np.tanh(x))", "np.tanh(x)).assert_correct()"
    )
    done = run(source)
    done.assert_outcomes(failed=1)
    assert "the last check" not in done.stdout.str()


def test_pytest_finds_it_by_itself():
    """setup.cfg declares the entry point (read there: an old install would not know)."""
    config = ConfigParser()
    config.read(Path(__file__).resolve().parents[2] / "setup.cfg")
    assert PLUGIN in config["options.entry_points"]["pytest11"]


def test_passing_tests_show_nothing(run):
    done = run(FAILING.replace("1 - np.tanh(x)", "1 - np.tanh(x) ** 2"))
    done.assert_outcomes(passed=1)
    assert "gradient of" not in done.stdout.str()
