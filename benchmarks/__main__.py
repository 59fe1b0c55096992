"""The command: measure, print the table, and write the JSON or the page where asked to."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from . import measure, page, table
from .case import all_cases
from .facts import facts


def main(given: list[str] | None = None) -> int:
    cases = all_cases()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--case", action="append", metavar="NAME", help=f"one of {', '.join(cases)}"
    )
    parser.add_argument("--quick", action="store_true", help="a fifth of the rounds")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there")
    parser.add_argument(
        "--write", action="store_true", help="write docs/benchmarks.md and its chart"
    )
    parser.add_argument(
        "--from", dest="source", type=Path, metavar="FILE", help="results of --json"
    )
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="for every entrant")
    asked = parser.parse_args(given)
    unknown = [name for name in asked.case or () if name not in cases]
    if unknown:
        parser.error(f"no case {unknown[0]!r}; there are {', '.join(cases)}")
    if asked.source is not None:
        run: dict[str, Any] = json.loads(asked.source.read_text())
    else:
        run = {"machine": facts(asked.threads), "cases": []}
        for name in asked.case or cases:
            print(f"{name} …", file=sys.stderr, flush=True)
            run["cases"].append(measure.run(cases[name], asked.threads, asked.quick))
    print(table.text(run["cases"]))
    if asked.json is not None:
        asked.json.write_text(json.dumps(run, indent=1) + "\n")
    if asked.write:
        print(page.write(run))
    return 0


if __name__ == "__main__":
    sys.exit(main())
