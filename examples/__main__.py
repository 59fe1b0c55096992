"""Run the chapters: ``python -m examples [NAME ...] [--fast] [--out DIR] [--write]``.

Each notebook is executed by a kernel of the Python that runs this. What it prints and draws goes
to ``--out`` as a notebook and as a page; ``--write`` puts it into the notebooks themselves.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
CELL_FILE = re.compile(r"\S*ipykernel_\d+\S*?\.py")
NEEDED = 'the chapters need a kernel: pip install ".[examples]"'


def chapters() -> dict[str, Path]:
    """The notebooks by name, in reading order."""
    return {path.stem: path for path in sorted(FOLDER.glob("[0-9]*.ipynb"))}


def chosen(names: list[str]) -> list[Path]:
    """Notebooks by number ("3"), by name, or by a part of it; all of them if none is named."""
    known = chapters()
    found = []
    for name in names:
        wanted = f"{int(name):02d}-" if name.isdigit() else name
        matching = [path for stem, path in known.items() if wanted in stem]
        if not matching:
            raise SystemExit(f"no chapter is called {name!r}; there are {', '.join(known)}")
        found += matching
    return found or list(known.values())


def execute(path: Path, *, fast: bool) -> Any:
    """The notebook with what its cells print and draw now. An error in a cell ends it."""
    try:
        import nbformat
        from nbclient import NotebookClient
    except ImportError as error:
        raise SystemExit(NEEDED) from error
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=1800, resources={"metadata": {"path": FOLDER}}, kernel_name="python3"
    )
    client.execute(env={**os.environ, "GRADLING_FAST": "1" if fast else ""})
    return tidied(notebook)


def tidied(notebook: Any) -> Any:
    """Without what differs from run to run for no reason: times, ids, the kernel's file names."""
    for place, cell in enumerate(notebook.cells):
        cell.metadata.clear()
        cell["id"] = f"cell-{place}"
        for output in cell.get("outputs", ()):
            if "text" in output:
                text = CELL_FILE.sub("this notebook", output["text"])
                output["text"] = text.replace(str(FOLDER.parent), "gradling")
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return notebook


def as_page(notebook: Any) -> str:
    """The notebook as one HTML file."""
    from nbconvert import HTMLExporter

    page, _ = HTMLExporter(embed_images=True).from_notebook_node(notebook)
    return str(page)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m examples", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="chapters; all if left out")
    parser.add_argument("--fast", action="store_true", help="fewer steps and smaller data")
    parser.add_argument("--out", type=Path, default=Path("gradling-examples"), metavar="DIR")
    parser.add_argument("--write", action="store_true", help="keep the results in the notebooks")
    parser.add_argument("--list", action="store_true", help="name the chapters and stop")
    options = parser.parse_args(arguments)
    paths = chosen(options.names)
    if options.list:
        print("\n".join(path.stem for path in paths))
        return 0
    if options.write and options.fast:
        parser.error("--write keeps full runs; leave out --fast")
    options.out.mkdir(parents=True, exist_ok=True)
    failed = 0
    for path in paths:
        began = time.perf_counter()
        print(f"{path.stem} ...", end=" ", flush=True)
        try:
            notebook = execute(path, fast=options.fast)
        except Exception as error:  # a cell failed: say which, go on with the next chapter
            failed += 1
            print(f"failed\n{error}", file=sys.stderr)
            continue
        keep(notebook, options.out / path.name)
        if options.write:
            keep(notebook, path)
        print(f"{time.perf_counter() - began:.1f} s")
    print(f"results are in {options.out}/")
    return 1 if failed else 0


def keep(notebook: Any, path: Path) -> None:
    import nbformat

    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    if path.parent != FOLDER:
        path.with_suffix(".html").write_text(as_page(notebook), encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
