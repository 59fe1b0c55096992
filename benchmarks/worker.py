"""One entrant in a process of its own: sets up, warms up, then runs a block whenever it is told.

Speaks JSON lines with ``measure.py``: ``{"steps": n}`` in, ``{"value": seconds a step}`` out.
"""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

from .case import Skip, all_cases

STATUS = Path("/proc/self/status")


def resident(field: str) -> int:
    """Bytes from the process's status: VmRSS now, VmHWM at the highest."""
    for line in STATUS.read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    raise Skip(f"no {field} on this system")


def peak_of(setup: Any, library: str) -> int:
    """Bytes that setting up and three steps need beyond the imported library, at the highest."""
    if not STATUS.exists():
        raise Skip("peak memory is read from /proc, which is not here")
    __import__(library)
    gc.collect()
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the highest starts again from here
    step = setup()
    for _ in range(3):
        step()
    return resident("VmHWM") - before


def serve(case_name: str, entrant: str, threads: int, out: Any) -> None:
    case = all_cases()[case_name]

    def say(**message: Any) -> None:
        out.write(json.dumps(message) + "\n")
        out.flush()

    try:
        if entrant == "torch":
            import torch

            torch.set_num_threads(threads)
        if case.unit == "bytes":
            say(ready=True, steps=1)
            for _ in sys.stdin:
                say(value=peak_of(case.entrants[entrant], entrant))
            return
        step = case.entrants[entrant]()
        steps = warm(step, case.block)
    except (ImportError, Skip) as reason:
        say(skip=reason.msg if isinstance(reason, ImportError) else str(reason))
        return
    say(ready=True, steps=steps)
    for line in sys.stdin:
        say(**run(step, json.loads(line)["steps"]))


def warm(step: Any, block: float) -> int:
    """How many steps make a block, after enough of them to be warm."""
    step()
    start = perf_counter()
    step()
    once = max(perf_counter() - start, 1e-7)
    steps = max(1, min(100_000, round(block / once)))
    for _ in range(min(steps, 200)):
        step()
    start = perf_counter()
    for _ in range(min(steps, 20)):
        step()
    return max(1, round(block / max((perf_counter() - start) / min(steps, 20), 1e-7)))


def run(step: Any, steps: int) -> dict[str, Any]:
    gc.collect()
    for _ in range(steps // 10):  # awake again, after a pause and other entrants' turns
        step()
    start = perf_counter()
    for _ in range(steps):
        answer = step()
    value = (perf_counter() - start) / steps
    if isinstance(answer, tuple):
        return {"value": answer[0], "facts": answer[1]}
    return {"value": answer if isinstance(answer, float) else value}


def profile_of(case_name: str, seconds: float = 1.0) -> list[dict[str, Any]]:
    """Where our time goes: own time by function, the largest first, as shares."""
    import cProfile
    import pstats

    case = all_cases()[case_name]
    step = case.entrants[case.us]()
    step()
    profile = cProfile.Profile()
    start = perf_counter()
    while perf_counter() - start < seconds:
        profile.runcall(step)
    stats: Any = pstats.Stats(profile)
    rows = [(own, where) for where, (_, _, own, _, _) in stats.stats.items()]
    total = sum(own for own, _ in rows) or 1.0
    found = []
    for own, (file, line, name) in sorted(rows, reverse=True)[:8]:
        parts = Path(file).parts[-2:]
        place = name if file == "~" else f"{'/'.join(parts)}:{line} {name}"
        found.append({"where": place, "share": own / total})
    return found


if __name__ == "__main__":
    # what a step prints must not get between our lines
    answers, sys.stdout = sys.stdout, sys.stderr
    if sys.argv[1] == "--profile":
        answers.write(json.dumps(profile_of(sys.argv[2])) + "\n")
    else:
        serve(sys.argv[1], sys.argv[2], int(sys.argv[3]), answers)
