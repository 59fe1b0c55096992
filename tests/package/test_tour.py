"""`python -m gradling`, run as a user runs it: in an empty folder, into a pipe."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from gradling.tour import cli, digits
from gradling.tour.guide import Guide
from gradling.tour.page import write_page


def run(folder: Path, *arguments: str, without: str = "") -> subprocess.CompletedProcess[str]:
    program = (
        f"import sys\nfor name in {without.split()!r}: sys.modules[name] = None\n"
        "from gradling.tour import main\nraise SystemExit(main(sys.argv[1:]))"
    )
    start = ["-c", program] if without else ["-m", "gradling"]
    return subprocess.run(
        [sys.executable, "-W", "error", *start, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.alts: list[str] = []

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        found = dict(attributes)
        self.targets += [found[name] for name in ("src", "href") if name in found]
        self.alts += [found["alt"]] if tag == "img" else []


@pytest.fixture(scope="module")
def toured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("empty")
    done = run(folder, "--quick")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert [p.name for p in folder.iterdir()] == ["gradling-tour"]
    return folder / "gradling-tour", done.stdout


def test_it_writes_what_it_says(toured: tuple[Path, str]) -> None:
    folder, said = toured
    named = set(re.findall(r"wrote gradling-tour/(\S+)", said)) | {"index.html"}
    assert named == {p.name for p in folder.iterdir()}
    assert {"expression.svg", "digits-graph.svg", "moons-boundary.png", "digits-loss.png"} <= named
    for name in named:
        data = (folder / name).read_bytes()
        if name.endswith(".svg"):
            assert data.startswith(b"<svg") and data.rstrip().endswith(b"</svg>")
        elif name.endswith(".png"):
            assert data.startswith(b"\x89PNG") and len(data) > 5000
    assert "open gradling-tour/index.html" in said.splitlines()[-1]


def test_the_page_shows_every_picture_and_needs_no_network(toured: tuple[Path, str]) -> None:
    folder, _ = toured
    page = (folder / "index.html").read_text(encoding="utf-8")
    links = Links()
    links.feed(page)
    assert set(links.targets) == {p.name for p in folder.iterdir()} - {"index.html"}
    assert "http" not in page and "url(" not in page and "@import" not in page
    assert all(links.alts) and "prefers-color-scheme: dark" in page


def test_progress_comes_as_lines(toured: tuple[Path, str]) -> None:
    _, said = toured
    assert len(re.findall(r"^   step +\d+/\d+  loss \d", said, flags=re.MULTILINE)) >= 6
    chapters = re.findall(r"^(\d)\. ", said, flags=re.MULTILINE)
    assert chapters == ["1", "2", "3", "4", "5"]
    assert "\r" not in said


def test_the_seed_decides_everything(toured: tuple[Path, str], tmp_path: Path) -> None:
    folder, said = toured

    def numbers(text: str) -> list[str]:
        timeless = re.sub(r"[\d.]+ (ms|s|times)\b", "", text)
        return re.findall(r"(?:loss|accuracy|right on) [\d.]+", timeless)

    again = run(tmp_path, "--quick", "--seed", "0", "--out", "gradling-tour").stdout
    assert numbers(again) == numbers(said) != []
    for picture in folder.glob("*.svg"):
        assert picture.read_bytes() == (tmp_path / "gradling-tour" / picture.name).read_bytes()
    other = run(tmp_path, "--quick", "--seed", "1", "--out", "other").stdout
    assert numbers(other) != numbers(said)


def test_without_the_extras_it_says_what_it_leaves_out(tmp_path: Path) -> None:
    done = run(tmp_path, "--quick", "--out", "bare", without="matplotlib hypothesis")
    assert done.returncode == 0, done.stdout + done.stderr
    left_out = re.findall(r"left out (\S+\.png)", done.stdout)
    assert left_out and "moons-boundary.png" in left_out
    assert 'needs matplotlib. Install the extra "plot"' in done.stdout
    assert 'Install the extra "testing"' in done.stdout
    assert not list((tmp_path / "bare").glob("*.png"))
    assert "left out" in (tmp_path / "bare" / "index.html").read_text(encoding="utf-8")


def test_help_and_bad_arguments(tmp_path: Path) -> None:
    done = run(tmp_path, "--help")
    assert done.returncode == 0
    for option in ("--out", "--seed", "--quick"):
        assert option in done.stdout
    for bad in ("-1", "x", "1.5"):
        done = run(tmp_path, "--seed", bad)
        assert done.returncode == 2
        assert f"expected a whole number of at least 0, got '{bad}'" in done.stderr
    (tmp_path / "file").write_text("in the way")
    done = run(tmp_path, "--out", "file")
    assert done.returncode == 2 and "cannot make the folder file" in done.stderr
    assert (tmp_path / "file").read_text() == "in the way"


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_digits_are_read(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guide = Guide(tmp_path, seed, quick=False)
    monkeypatch.setattr(guide, "plot", lambda *_: None)
    digits.run(guide)
    assert guide.failures == []
    accuracy = re.search(r"right on ([\d.]+)% of 360 digits", " ".join(guide.chapters[0].said))
    assert accuracy and float(accuracy[1]) >= 95


def test_a_failure_is_told_and_ends_with_status_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(guide: Guide) -> None:
        guide.chapter("A station")
        guide.fail("the gradient is off")

    monkeypatch.setattr(cli, "CHAPTERS", [broken])
    assert cli.main(["--out", str(tmp_path / "out")]) == 1
    assert "NOT AS IT SHOULD BE: the gradient is off" in capsys.readouterr().out.splitlines()[-1]


def test_a_stop_by_hand_ends_with_status_130(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(guide: Guide) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "CHAPTERS", [stopped])
    assert cli.main(["--out", str(tmp_path)]) == 130


def test_the_page_escapes_what_it_shows(tmp_path: Path) -> None:
    guide = Guide(tmp_path, 0, quick=True)
    guide.chapter("<script>alert(1)</script>")
    guide.tell("a < b & c")
    guide.show_code('x = "<b>"')

    class Drawing:
        def save(self, path: Path) -> Path:
            path.write_text("<svg/>")
            return path

    guide.draw(Drawing(), 'odd "name" #1.svg', 'a "quoted" caption')
    page = write_page(guide).read_text(encoding="utf-8")
    assert "<script>" not in page and "a &lt; b &amp; c" in page and "<b>" not in page
    links = Links()
    links.feed(page)
    assert links.targets == ["odd%20%22name%22%20%231.svg"] * 2
    assert links.alts == ['a "quoted" caption']
