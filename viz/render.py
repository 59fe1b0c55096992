"""From DOT to pictures, through the ``graphviz`` package.

The program is the system's ``dot`` where there is one, else the ``graphviz-pure`` that is installed
with this library: it writes svg, png and jpg, and leaves pdf and the rest to the system's.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

SECONDS = 6.0  # what a layout may take; then a coarser picture is laid out
DPI = 144
WIDEST = 16_000  # pixels; viewers give up soon above, Graphviz itself at 32 767


class RenderError(RuntimeError):
    """A picture could not be made; the message says what to do."""


class TooSlow(RenderError):
    """The layout took more time than it was given."""


class TooLarge(RenderError):
    """The picture has more pixels than a bitmap can hold."""


def program() -> str | None:
    """The Graphviz program that will be run, or None where there is none.

    A program set in ``graphviz.backend.dot_command.DOT_BINARY`` comes first, then the system's
    ``dot``, then ``graphviz-pure``: on the path, or beside the Python that is running.
    """
    from graphviz.backend import dot_command  # type: ignore[import-untyped]

    for name in dict.fromkeys((os.fspath(dot_command.DOT_BINARY), "dot")):
        if found := shutil.which(str(name)):
            return found
    for folder in (None, *_script_folders()):
        if found := shutil.which("graphviz-pure", path=folder):
            return found
    return None


def _script_folders() -> list[str]:
    """Where pip puts programs: a Python may run without its folder being on the path."""
    user = [scheme for scheme in sysconfig.get_scheme_names() if scheme.endswith("user")]
    folders = [sysconfig.get_path("scripts"), *(sysconfig.get_path("scripts", s) for s in user)]
    return [os.path.dirname(sys.executable), *folders]


def render(dot: str, form: str, seconds: float | None = None, dpi: int | None = None) -> bytes:
    """Lay out ``dot`` and draw it as ``form`` ("svg", "png", …).

    Raises:
        RenderError: no program was found, or it cannot write ``form``; ``TooSlow`` where the
            layout took more than ``seconds`` (``SECONDS`` if None).

    A png is as sharp as fits, or has ``dpi`` where that is said to fit.
    """
    seconds = SECONDS if seconds is None else seconds
    found = program()
    if found is None:
        raise RenderError(f"no Graphviz program was found to write {form}. {remedy()}")
    if form == "png":
        dpi = dpi or _dpi(found, dot, seconds)
        return _run(found, form, dot, seconds, [f"-Gdpi={dpi}"])
    return _run(found, form, dot, seconds)


def remedy(all_formats: bool = False) -> str:
    """What to type to get a program that draws, or one that draws all formats."""
    system = {
        "darwin": "`brew install graphviz`",
        "win32": "`winget install graphviz`",
    }.get(sys.platform, "`apt install graphviz` (Debian, Ubuntu) or `dnf install graphviz`")
    if all_formats:
        return system
    return f"Install one: `pip install graphviz-pure` for svg and png, or {system} for all formats"


def _run(found: str, form: str, dot: str, seconds: float, flags: list[str] | None = None) -> bytes:
    from graphviz.backend import dot_command, execute

    _, *arguments = dot_command.command("dot", form)
    command = [found, *map(os.fspath, arguments), *(flags or [])]
    try:
        done = execute.run_check(
            command, input=dot.encode(), capture_output=True, timeout=seconds, quiet=True
        )
    except subprocess.TimeoutExpired:
        raise TooSlow(
            f"laying out the graph took more than {seconds:g} s; draw it with a smaller budget"
        ) from None
    except subprocess.CalledProcessError as error:
        said = (error.stderr or b"").decode(errors="replace").strip()
        if "not recognized" in said:
            raise RenderError(
                f"{Path(found).name} cannot write {form}; svg and png work now. "
                f"For all formats: {remedy(True)}"
            ) from None
        raise RenderError(f"{Path(found).name} failed to write {form}: {said[:500]}") from error
    data: bytes = done.stdout
    return data


def _dpi(found: str, dot: str, seconds: float) -> int:
    """Sharp, as far as the picture stays within what a bitmap can hold."""
    width, height = size(_run(found, "svg", dot, seconds).decode())
    fits = int(72 * WIDEST / max(width, height, 1))
    if fits < 48:
        raise TooLarge(f"a png of {width:.0f} × {height:.0f} points would be too large to open")
    return min(DPI, fits)


def size(svg: str) -> tuple[float, float]:
    """Width and height in points, from the ``viewBox`` of an svg."""
    found = re.search(r'viewBox="[-\d.]+ [-\d.]+ ([\d.]+) ([\d.]+)"', svg)
    if found is None:
        raise RenderError("the Graphviz program wrote an svg without a viewBox")
    return float(found[1]), float(found[2])
