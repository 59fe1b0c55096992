"""Entrants take turns; our number is compared with each other one's of the same round."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from .case import Case

ROOT = Path(__file__).resolve().parents[1]
# Seconds between turns. After a product a matrix library's threads go on looking for work, for a
# tenth of a second (OpenBLAS) or two (MKL), and would take a core from whoever has the next turn.
PAUSE = 0.25


def environment(threads: int) -> dict[str, str]:
    """The same number of threads for every library that asks the environment."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return {**os.environ, **dict.fromkeys(names, str(threads))}


class Entrant:
    """A worker process and what it said."""

    def __init__(self, case: Case, name: str, threads: int) -> None:
        self.values: list[float] = []
        self.facts: dict[str, Any] = {}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", case.name, name, str(threads)],
            cwd=ROOT, env=environment(threads), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        hello = self._answer()
        self.skip: str | None = hello.get("skip")
        self.steps: int = hello.get("steps", 1)

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            return {"skip": "its process ended; see its message above"}
        answer: dict[str, Any] = json.loads(line)
        return answer

    def turn(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"steps": self.steps}) + "\n")
        self.process.stdin.flush()
        answer = self._answer()
        if "skip" in answer:
            self.skip = answer["skip"]
            return
        self.values.append(answer["value"])
        self.facts.update(answer.get("facts", {}))

    def close(self) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(timeout=60)
        self.process.stdout.close()


def spread(values: list[float]) -> dict[str, float]:
    """The median, and between which numbers the middle half lies."""
    if len(values) < 2:
        return {"median": values[0], "low": values[0], "high": values[0]}
    low, _, high = quantiles(values, n=4, method="inclusive")
    return {"median": median(values), "low": low, "high": high}


def run(case: Case, threads: int, quick: bool = False) -> dict[str, Any]:
    """Measure a case.

    Returns:
        what goes into the JSON: medians and spreads by entrant, ratios by peer, reasons of those
        that were left out, and the profile of our step if a target is missed.
    """
    rounds = max(2, case.rounds // 5) if quick else case.rounds
    running = {name: Entrant(case, name, threads) for name in case.entrants}
    taking_part = {name: e for name, e in running.items() if e.skip is None}
    if case.us in taking_part:
        for _ in range(rounds):
            for entrant in taking_part.values():
                time.sleep(PAUSE)
                entrant.turn()
    for entrant in running.values():
        entrant.close()
    return summary(case, running, threads, rounds)


def summary(case: Case, running: dict[str, Entrant], threads: int, rounds: int) -> dict[str, Any]:
    measured = {name: e for name, e in running.items() if e.values and e.skip is None}
    found: dict[str, Any] = {
        "name": case.name, "title": case.title, "unit": case.unit, "us": case.us, "rounds": rounds,
        "entrants": {name: spread(e.values) for name, e in measured.items()},
        "facts": {name: e.facts for name, e in measured.items() if e.facts},
        "skipped": {name: e.skip for name, e in running.items() if e.skip is not None},
        "ratios": {},
    }  # fmt: skip
    if case.us not in measured:
        return found
    ours = measured[case.us].values
    for name, entrant in measured.items():
        if name != case.us:
            ratio = spread([a / b for a, b in zip(ours, entrant.values, strict=False)])
            target = case.targets.get(name)
            found["ratios"][name] = {**ratio, "target": target, "met": met(ratio, target)}
    if case.unit == "s" and any(r["met"] is False for r in found["ratios"].values()):
        found["profile"] = profile(case, threads)
    return found


def met(ratio: dict[str, float], target: float | None) -> bool | None:
    return None if target is None else ratio["median"] <= target


def profile(case: Case, threads: int) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.worker", "--profile", case.name],
        cwd=ROOT, env=environment(threads), text=True, stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows
