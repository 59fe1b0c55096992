"""A drawing shows itself, saves itself, and says what to do where it cannot."""

from __future__ import annotations

import gc
import os
import stat
import struct
from xml.etree import ElementTree

import pytest

from gradling.engine import Value
from gradling.viz import Drawing, RenderError, TooLarge, draw, render


@pytest.fixture
def drawing():
    x = Value(3.0, label="x")
    y = x * x
    y.backward()
    return draw(y)


def only_pure():
    """The program that pip installs; these tests are about it where they ask for pdf."""
    found = render.program()
    return found is not None and os.path.basename(found).startswith("graphviz-pure")


@pytest.mark.parametrize(
    ("suffix", "start"),
    [
        ("svg", b"<svg "),
        ("png", b"\x89PNG\r\n\x1a\n"),
        ("jpg", b"\xff\xd8"),
        ("dot", b"digraph gradling {"),
        ("gv", b"digraph gradling {"),
        ("mmd", b"flowchart LR"),
        ("mermaid", b"flowchart LR"),
        ("md", b"```mermaid\nflowchart LR"),
        ("txt", b"*          data 9  grad 1"),
        ("json", b"{"),
    ],
)
def test_the_suffix_names_the_format(drawing, tmp_path, suffix, start):
    path = drawing.save(tmp_path / f"graph.{suffix}")
    assert path == tmp_path / f"graph.{suffix}"
    assert path.read_bytes().startswith(start)
    assert drawing.save(str(path).replace(suffix, suffix.upper())).exists()


def test_an_unknown_suffix_lists_the_known(drawing, tmp_path):
    for name in ("graph.bmp3", "graph"):
        with pytest.raises(ValueError, match=r"expected a suffix of \.svg, \.png.*\.json"):
            drawing.save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_named(drawing, tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder"):
        drawing.save(tmp_path / "nowhere" / "graph.txt")


def test_files_appear_whole_or_not_at_all(drawing, tmp_path, monkeypatch):
    path = drawing.save(tmp_path / "graph.txt")
    before = path.read_bytes()

    def fail(*arguments):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        drawing.save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no permission bits to compare")
def test_files_have_the_usual_permissions(drawing, tmp_path):
    (tmp_path / "usual").touch()
    path = drawing.save(tmp_path / "graph.txt")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((tmp_path / "usual").stat().st_mode)


def test_a_drawing_is_of_its_moment(tmp_path):
    x = Value(3.0, label="x")
    drawing = draw(x * 2)
    x.data = 5.0
    assert "data 3" in drawing.text() and "data 5" not in drawing.svg()


def test_notebooks_get_html_svg_and_text(drawing):
    bundle = drawing._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", "image/svg+xml"}
    assert bundle["text/plain"] == str(drawing)
    assert "max-height" in bundle["text/html"] and "width:100%" in bundle["text/html"]
    ElementTree.fromstring(bundle["image/svg+xml"])


def test_print_shows_a_tree_and_repr_a_line(drawing):
    assert str(drawing).splitlines()[-1] == "1 op"
    assert repr(drawing) == "<Drawing of 1 op in 2 boxes>"


def test_several_outputs_may_come_as_arguments_or_list():
    x = Value(1.0)
    a, b = x + 1, x * 2
    assert draw(a, b).text() == draw([a, b]).text() == draw((a, b)).text()


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: draw(), ValueError, "needs something to draw"),
        (lambda: draw([]), ValueError, "needs something to draw"),
        (lambda: draw(3), TypeError, "takes Values and Tensors, got int"),
        (lambda: draw(Value(1.0), budget=2), ValueError, "at least 4, got 2"),
        (lambda: draw(Value(1.0), direction="RL"), ValueError, "expected 'LR' or 'TB', got 'RL'"),
    ],
)
def test_bad_arguments_are_named(call, error, match):
    with pytest.raises(error, match=match):
        call()


@pytest.mark.parametrize("enabled", [True, False])
def test_the_garbage_collector_is_left_as_it_was(enabled):
    was = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        draw(Value(1.0))
        with pytest.raises(TypeError):
            draw("no value")
        assert gc.isenabled() == enabled
    finally:
        (gc.enable if was else gc.disable)()


# Programs ----------------------------------------------------------------------------------------


@pytest.fixture
def no_program(monkeypatch):
    monkeypatch.setattr(render, "program", lambda: None)


def test_without_a_program_the_error_names_the_remedy_and_the_dot_file(
    drawing, tmp_path, no_program
):
    with pytest.raises(RenderError, match="pip install graphviz-pure") as caught:
        drawing.save(tmp_path / "graph.svg")
    assert str(tmp_path / "graph.dot") in str(caught.value)
    assert (tmp_path / "graph.dot").read_text() == drawing.dot
    assert not (tmp_path / "graph.svg").exists()


def test_without_a_program_a_notebook_gets_text(drawing, no_program):
    bundle = drawing._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html"}
    assert bundle["text/html"].startswith("<pre>*          data 9")
    assert drawing._repr_svg_() is None


def test_formats_without_layout_need_no_program(drawing, tmp_path, no_program):
    for suffix in ("dot", "mmd", "md", "txt", "json"):
        assert drawing.save(tmp_path / f"graph.{suffix}").exists()


@pytest.mark.parametrize(
    ("system", "word"), [("darwin", "brew"), ("win32", "winget"), ("linux", "apt")]
)
def test_the_remedy_fits_the_system(system, word, monkeypatch):
    monkeypatch.setattr("sys.platform", system)
    assert f"`{word} install graphviz`" in render.remedy()


def test_the_program_is_found_off_the_path(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert only_pure()


def test_a_program_set_in_the_graphviz_package_comes_first(monkeypatch):
    from graphviz.backend import dot_command

    monkeypatch.setattr(dot_command, "DOT_BINARY", render.program())
    assert render.program() == dot_command.DOT_BINARY


def test_pdf_without_a_system_dot_says_what_to_install(drawing, tmp_path):
    if not only_pure():
        assert drawing.save(tmp_path / "graph.pdf").read_bytes().startswith(b"%PDF")
        return
    with pytest.raises(RenderError, match="cannot write pdf.*svg and png work now"):
        drawing.save(tmp_path / "graph.pdf")
    assert (tmp_path / "graph.dot").exists()


def test_a_layout_that_takes_too_long_is_given_up(drawing):
    with pytest.raises(RenderError, match="more than 1e-06 s; draw it with a smaller budget"):
        render.render(drawing.dot, "svg", seconds=1e-6)


def test_what_the_program_complains_about_is_passed_on():
    with pytest.raises(RenderError, match="failed to write svg: .*syntax error"):
        render.render("digraph {", "svg")


def test_a_png_is_sharp_and_never_too_large_to_open(drawing, tmp_path, monkeypatch):
    width, height = struct.unpack(">II", drawing.png()[16:24])
    points = render.size(drawing.svg())
    assert (width, height) == pytest.approx([side * 2 for side in points], abs=4)
    monkeypatch.setattr(render, "WIDEST", 300)
    width, height = struct.unpack(">II", drawing.png()[16:24])
    assert max(width, height) <= 304
    monkeypatch.setattr(render, "WIDEST", 50)
    with pytest.raises(TooLarge):
        drawing.png()
    with pytest.warns(UserWarning, match=r"too large to open; wrote .*graph\.svg instead"):
        assert drawing.save(tmp_path / "graph.png") == tmp_path / "graph.svg"
    assert not (tmp_path / "graph.png").exists()


def test_equal_drawings_compare_equal(drawing):
    assert Drawing(drawing.graph) == drawing


def test_a_picture_too_slow_to_lay_out_becomes_coarser_and_says_so(monkeypatch):
    x, y = Value(1.0, label="x"), Value(2.0)
    for _ in range(60):
        y = (y * x).tanh() + x
    drawing = draw(y, budget=None)
    real, asked = render.render, []

    def slow(dot, form, seconds=None):
        asked.append(dot.count("label=<") - 1)
        if asked[-1] > 50:
            raise render.TooSlow("too slow")
        return real(dot, form)

    monkeypatch.setattr(render, "render", slow)
    svg = drawing.svg()
    assert asked[0] > 180 and asked[-1] <= 50
    assert "180 ops shown as " in svg
    assert "coarser than asked for: 182 boxes took too long to lay out" in svg
    assert drawing.png().startswith(b"\x89PNG")


def test_a_picture_that_no_coarseness_helps_is_given_up(drawing, monkeypatch, tmp_path):
    def slow(dot, form, seconds=None):
        raise render.TooSlow("laying out the graph took more than 0 s")

    monkeypatch.setattr(render, "render", slow)
    with pytest.raises(RenderError, match="took more than 0 s"):
        drawing.save(tmp_path / "graph.svg")
