"""``docs/benchmarks.md`` and its chart, from the JSON of one run."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from .table import HEAD, amount, rows

ROOT = Path(__file__).resolve().parents[1]
INTRO = """\
# How fast it is

Made by `python -m benchmarks --write`; none of these numbers is typed in. Every entrant does the
same work on the same data, in the same dtype and with the same number of threads, each in a process
of its own. They take turns, a block of steps each; a ratio is the median over rounds of our time to
theirs in the same round, with the middle half of the rounds and their number beside it. Below 1 we
are the faster ones.
"""


def write(run: dict[str, Any], folder: Path | None = None) -> Path:
    """Write the page and its chart; gives the page's path."""
    docs = ROOT / "docs" if folder is None else folder
    (docs / "images").mkdir(parents=True, exist_ok=True)
    chart(run["cases"], docs / "images" / "benchmarks.svg")
    path = docs / "benchmarks.md"
    path.write_text(page(run), encoding="utf-8")
    return path


def page(run: dict[str, Any]) -> str:
    """The page as Markdown."""
    m = run["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in m["versions"].items())
    parts = [
        INTRO,
        f"Measured on {m['date']}: {m['cpu']}, {m['cores']} cores, {m['threads']} threads, "
        f"{m['system']}, Python {m['python']}, load {m['load']} when it began; {versions}.\n",
        "![Our time as a share of each peer's](images/benchmarks.svg)\n",
        markdown(run["cases"]),
    ]
    told = [f"* {c['title']}: {sentence(c)}" for c in run["cases"] if c["facts"]]
    if told:
        parts.append("## By size\n\n" + "\n".join(told) + "\n")
    missed = [c for c in run["cases"] if any(r["met"] is False for r in c["ratios"].values())]
    if missed:
        parts.append(
            "## Where a target is missed\n\nAnd where the time goes there: own time by function, "
            "under the profiler, which makes many short calls look dearer than they are.\n"
        )
        parts += [explained(c) for c in missed]
    return "\n".join(parts)


def markdown(results: list[dict[str, Any]]) -> str:
    lines = [f"| {' | '.join(HEAD)} |", "|" + " --- |" * len(HEAD)]
    lines += [f"| {' | '.join(row)} |" for result in results for row in rows(result)]
    return "\n".join(lines) + "\n"


def sentence(result: dict[str, Any]) -> str:
    told = []
    for name, facts in result["facts"].items():
        per = amount(result["entrants"][name]["median"], result["unit"])
        told.append(f"{name}: {per}" + "".join(f", {v:.0f} {k}" for k, v in facts.items()))
    return "; ".join(told) + "."


def explained(result: dict[str, Any]) -> str:
    missed = {name: r for name, r in result["ratios"].items() if r["met"] is False}
    misses = ", ".join(
        f"{r['median']:.2f} of {name} (at most {r['target']:g})" for name, r in missed.items()
    )
    told = [f"{misses[:1].upper()}{misses[1:]}.", *(others(result, name) for name in missed)]
    lines = [f"### {result['title']}", "", " ".join(filter(None, told)), ""]
    if "profile" in result:
        lines += ["| share | where |", "| ---: | --- |"]
        lines += [f"| {row['share']:.0%} | `{row['where']}` |" for row in result["profile"]]
        lines.append("")
    return "\n".join(lines)


def others(result: dict[str, Any], peer: str) -> str:
    """What the other entrants reach against ``peer``."""
    times = {name: e["median"] for name, e in result["entrants"].items()}
    shares = [
        f"{name} {time / times[peer]:.2f}"
        for name, time in times.items()
        if name not in (peer, result["us"])
    ]
    return f"Of {peer}'s time the others take: {', '.join(shares)}." if shares else ""


def chart(results: list[dict[str, Any]], path: Path) -> None:
    """Ratios as dots on a logarithmic axis with the middle half as a bar; targets as ticks."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    lines = [(c, name, r) for c in results for name, r in c["ratios"].items()]
    figure = Figure(figsize=(9, 0.6 + 0.28 * max(len(lines), 1)), layout="constrained")
    axes: Any = figure.add_subplot()
    for place, (_, _, r) in enumerate(lines):
        color = {True: "tab:green", False: "tab:red", None: "tab:gray"}[r["met"]]
        axes.plot([r["low"], r["high"]], [place, place], color=color, lw=4, alpha=0.4)
        axes.plot(r["median"], place, "o", color=color)
        if r["target"] is not None:
            axes.plot(r["target"], place, "|", color="black", ms=12)
    axes.axvline(1, color="black", lw=0.5)
    axes.set_xscale("log")
    axes.set_yticks(range(len(lines)), [f"{c['title']} / {name}" for c, name, _ in lines], size=7)
    axes.invert_yaxis()
    axes.set_xlabel("our time (or memory) / theirs; | is what it must reach")
    with warnings.catch_warnings(), matplotlib.rc_context({"svg.hashsalt": "gradling"}):
        warnings.simplefilter("ignore")  # of fonts without a character
        figure.savefig(path, metadata={"Date": None})
