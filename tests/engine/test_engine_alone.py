"""The engine needs Python alone: loaded without the rest of the package, it never imports NumPy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import gradling

PROGRAM = """
import importlib, sys, types
parent = types.ModuleType("gradling")
parent.__path__ = [sys.argv[1]]
sys.modules["gradling"] = parent
from gradling.engine import Value, grad, no_grad
x = Value(2)
y = (x * x + 3 ** x).tanh() + sum([x, x]) + max(x, Value(1))
y.backward()
grad(y, x, create_graph=True)
with no_grad():
    x + 1
import copy, pickle
copy.deepcopy(y), pickle.loads(pickle.dumps(y)), repr(y)
loaded = {name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names)
print(sorted(loaded - {"__main__", "gradling"} - before))
print(sorted(name for name in sys.modules if name.startswith("gradling.")
             and not name.startswith("gradling.engine")))
"""


def test_the_engine_loads_no_numpy() -> None:
    # what the interpreter itself loads at start (editable installs, .pth files) is not ours
    start = "import sys; before = {n.partition('.')[0] for n in sys.modules}\n"
    folder = str(Path(gradling.__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", start + PROGRAM, folder], capture_output=True, text=True, check=False
    )
    assert done.stdout == "[]\n[]\n", done.stderr
