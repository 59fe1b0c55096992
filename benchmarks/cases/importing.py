"""How long ``import gradling`` takes, in fresh interpreters."""

from __future__ import annotations

import subprocess
import sys

from ..case import Case, Step

PROGRAM = "from time import perf_counter as t; a = t(); import {}; print(t() - a)"


def importing(name: str) -> Step:
    def step() -> float:
        command = [sys.executable, "-c", PROGRAM.format(name)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return float(done.stdout)

    return step


CASES = (
    Case("import", "import", {"gradling": lambda: importing("gradling"),
         "numpy": lambda: importing("numpy")}, {"numpy": 1.4}, rounds=20, block=0.0),
)  # fmt: skip
