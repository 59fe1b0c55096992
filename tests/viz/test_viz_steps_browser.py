"""The page of steps in a real browser: slider, keys, breakpoints; no network, no complaint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import gradling
from gradling.engine import Value
from gradling.viz import render, steps, tracing


def sample() -> Value:
    a, b = Value(2.0, label="a"), Value(-3.0, label='b <i>"&')
    with tracing():
        h = (a * b + a * a).tanh()
        loss = (h * a * 0.5 + a.relu()) ** 2 + b.relu() * a
    loss.label = "loss"
    return loss


@pytest.fixture
def page(browser: Any, tmp_path: Path) -> Any:
    return browser.open(steps(sample()).save(tmp_path / "steps.html"))


def at(page: Any) -> int:
    return int(page.js("document.getElementById('slider').value"))


def grad(page: Any, name: str) -> str:
    rows = page.js(
        "[...document.querySelectorAll('#grads tbody tr')].map(r=>"
        "[r.querySelector('th').textContent,r.querySelector('.grad').textContent])"
    )
    return str(dict(rows)[name])


def test_keys_and_slider_move_the_step(page: Any) -> None:
    walk = steps(sample())
    last = len(walk)
    assert at(page) == 1
    for key, expected in [
        ("ArrowRight", 2), ("ArrowRight", 3), ("ArrowLeft", 2), ("End", last), ("ArrowRight", last),
        ("PageUp", last - 3), ("Home", 1), ("ArrowLeft", 1), ("PageDown", 2),
    ]:  # fmt: skip
        page.key(key)
        assert at(page) == expected, key
    page.js("document.getElementById('slider').value=15;"
            "document.getElementById('slider').dispatchEvent(new Event('input'))")  # fmt: skip
    assert page.js("document.getElementById('count').textContent") == f"step 15 of {last}"
    assert (
        page.js("document.querySelector('#now .head').textContent")
        == str(walk).splitlines()[14].split("  ", 1)[1].strip()
    )
    assert not page.outside and not page.problems


def test_every_step_says_what_python_says(page: Any) -> None:
    walk = steps(sample())
    state: dict[str, str] = {}
    for place, event in enumerate(walk):
        page.js(f"show({place})")
        if event.to is not None:
            state[walk.name(event.to)] = page.js(f"steps[{place}].after")
        for name, text in state.items():
            assert grad(page, name) == text
        for name in walk.absent(place):
            assert grad(page, name) == "–"  # never 0
        assert page.js("document.querySelectorAll('#picture .edge.hot').length") == (
            event.phase == "backward"
        )
    drawn = page.js("[...document.querySelectorAll('#picture g.node')].map(g=>"
                    "[...g.querySelectorAll('text')].map(t=>t.textContent))")  # fmt: skip
    assert {texts[0]: texts[-1] for texts in drawn} == {
        name: f"grad {text}" for name, text in state.items()
    }
    assert not page.problems


def test_a_breakpoint_at_the_second_contribution(page: Any) -> None:
    walk = steps(sample())
    a = next(place for place in walk.places if place.label == "a")
    assert page.js("document.getElementById('who').selectedOptions[0].textContent") == "a"
    page.key("c")
    assert at(page) - 1 == walk.when(a, 2)
    page.js("document.getElementById('nth').value=4")
    page.click("#go")
    assert at(page) - 1 == walk.when(a, 4)
    page.click("#steps li:nth-child(3)")
    assert at(page) == 3


def test_playing_goes_on_and_pauses(page: Any) -> None:
    page.key(" ")
    assert page.js("document.getElementById('play').textContent") == "pause"
    page.js("new Promise(done=>setTimeout(done,1000))")
    page.key(" ")
    assert at(page) == 2
    assert page.js("document.getElementById('play').textContent") == "play"


@pytest.mark.parametrize("dark", [False, True])
def test_light_and_dark(browser: Any, dark: bool) -> None:
    page = browser.open(steps(sample()).html(), dark=dark)
    page.key("End")
    ink, paper = page.js(
        "[getComputedStyle(document.body).color,getComputedStyle(document.body).backgroundColor]"
    )
    bright = {name: sum(map(int, text[4:-1].split(","))) for name, text in
              (("ink", ink), ("paper", paper))}  # fmt: skip
    assert (bright["ink"] > bright["paper"]) is dark
    assert not page.problems and not page.outside


def test_without_scripts_everything_is_listed(browser: Any) -> None:
    walk = steps(sample())
    page = browser.open(walk.html(), scripts=False)
    assert page.js("document.getElementById('controls').hidden") is True
    assert "all steps are listed" in page.js("document.getElementById('plain').textContent")
    assert page.js("document.querySelectorAll('#steps li').length") == len(walk)
    assert grad(page, "loss") == "1" and grad(page, "a") == "1.220"


def test_without_a_picture_the_rest_still_works(
    browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render, "program", lambda: None)
    content = steps(sample()).html()
    assert "No picture: no Graphviz program was found" in content
    page = browser.open(content)
    page.key("End")
    page.key("ArrowLeft")
    assert grad(page, 'b <i>"&') == "0.2928" and not page.problems


def test_thousands_of_steps(browser: Any) -> None:
    x = y = Value(1.0, label="x")
    for _ in range(900):
        y = y * 1.0 + x
    page = browser.open(steps(y).html())
    page.key("End")
    assert grad(page, "x") == "901" and not page.problems


def test_tensors_too(browser: Any) -> None:
    x = gradling.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    x.label = "x"
    walk = steps(((x @ x).tanh() * x).mean())
    page = browser.open(walk.html())
    page.key("End")
    assert grad(page, "x") == str(walk).rsplit("→", 1)[1].split(" (")[0].strip()
    assert not page.problems and not page.outside
