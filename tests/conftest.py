"""Settings that every test shares."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import gradling
from gradling.testing.plugin import load_profile

ROOT = Path(__file__).resolve().parents[1]


class RootIsAFolder:
    """Collect the root of the repository as a plain folder.

    It holds an `__init__.py`, since it is the package. pytest would take it for a package of tests
    and import the whole library a second time, under the name of the checkout's folder.
    """

    @pytest.hookimpl(tryfirst=True)
    def pytest_collect_directory(
        self, path: Path, parent: pytest.Collector
    ) -> pytest.Collector | None:
        return pytest.Dir.from_parent(parent, path=path) if path == ROOT else None


@pytest.fixture(autouse=True)
def the_same_numbers_every_time() -> None:
    """Start values, dropout and shuffles from one seed: what fails once fails again."""
    gradling.manual_seed(0)


@pytest.fixture(autouse=True)
def no_figure_is_left_open() -> Iterator[None]:
    """matplotlib keeps every figure that is not closed, and warns of the twenty-first."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture(autouse=True)
def a_busy_machine_still_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """A layout gets minutes here: one that is given up shows text, which no test means to see."""
    monkeypatch.setattr("gradling.viz.render.SECONDS", 120.0)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C raises, also where the tests run in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets, too large for the repository: $GRADLING_TEST_DATA names it."""
    folder = Path(os.environ.get("GRADLING_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "t10k-images-idx3-ubyte.gz").exists():
        pytest.skip(f"no real data in {folder}; set GRADLING_TEST_DATA to the folder that has it")
    return folder


def pytest_configure(config: pytest.Config) -> None:
    if getattr(config.option, "numprocesses", None):
        # Workers share the cores: products on two threads each wait for one another, up to tenfold.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    load_profile(config, default="ci")
    # An object, not this file's own hook: pytest does not ask a conftest about folders above it.
    config.pluginmanager.register(RootIsAFolder())
