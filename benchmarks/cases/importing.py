"""How long ``import gradling`` takes, in fresh interpreters."""

from __future__ import annotations

import os
import subprocess
import sys

from ..case import Case, Step

PROGRAM = "from time import perf_counter as t; a = t(); import {}; print(t() - a)"


def importing(name: str) -> Step:
    # from bytecode, as installed packages have it: the first run, for warming up, compiles
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", PROGRAM.format(name)]

    def step() -> float:
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
        return float(done.stdout)

    return step


CASES = (
    Case("import", "import", {"gradling": lambda: importing("gradling"),
         "numpy": lambda: importing("numpy")}, {"numpy": 1.4}, rounds=20, block=0.0),
)  # fmt: skip
