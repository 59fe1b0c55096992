"""``explain``: paths sum to the gradient, each is listed once, the largest first."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from math import fsum, inf, log2
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradling import ones
from gradling.engine import Value
from gradling.engine import grad as gradient_of
from gradling.viz import explain, tracing
from gradling.viz.backward.formulas import latex_name

EXACT = ("add", "sub", "scale", "neg", "relu")  # slopes are small whole numbers: sums are exact
ANY = (*EXACT, "mul", "tanh", "square")


def graphs(ops: tuple[str, ...]) -> st.SearchStrategy[tuple[Value, Value]]:
    """(result, leaf): each number is made of any two before it, so paths meet and part often."""
    step = st.tuples(st.sampled_from(ops), st.integers(0, 99), st.integers(0, 99))

    @st.composite
    def drawn(draw: Any) -> tuple[Value, Value]:
        numbers = draw(st.lists(st.integers(-3, 3), min_size=1, max_size=3))
        values = [Value(x) for x in numbers]
        for op, i, j in draw(st.lists(step, min_size=1, max_size=14)):
            a, b = values[-1 - i % min(4, len(values))], values[j % len(values)]
            if op in ("add", "sub", "mul"):
                made = getattr(a, f"__{op}__")(b)
            else:
                made = (
                    a * (j % 5 - 2)
                    if op == "scale"
                    else getattr(a, {"neg": "__neg__"}.get(op, op))()
                )
            values.append(made)
        return values[-1], values[0]

    return drawn()


def brute(node: Value, target: Value) -> list[float]:
    """The product along every path, by walking them all."""
    if node is target:
        return [1.0]
    found = []
    for child, slope in zip(node.inputs, node.partials, strict=True):
        found += [slope * product for product in brute(child, target)]
    return found


@given(graphs(EXACT))
def test_paths_sum_to_the_gradient_exactly(graph: tuple[Value, Value]) -> None:
    y, x = graph
    found = explain(y, x, share=1.0)
    products = [path.product for path in found.all_paths()]
    assert Counter(products) == Counter(brute(y, x))
    assert len(products) == found.count
    assert sum(product != 0 for product in products) == found.nonzero
    assert fsum(products) == found.gradient == gradient_of(y, x).data
    assert fsum(path.product for path in found.paths) + found.rest == found.gradient


@given(graphs(ANY))
def test_the_largest_come_first_and_each_path_is_a_path(graph: tuple[Value, Value]) -> None:
    y, x = graph
    found = explain(y, x)
    paths = list(itertools.islice(found.all_paths(), 300))
    sizes = [log2(abs(p.product)) if p.product else -inf for p in paths]
    assert all(a >= b - 1e-9 for a, b in itertools.pairwise(sizes))
    assert len({(tuple(map(id, p.places)), p.ports) for p in paths}) == len(paths)
    for path in paths:
        assert path.places[0] is y and path.places[-1] is x
        product = 1.0
        steps = zip(path.places, path.places[1:], path.ports, path.slopes, strict=False)
        for upper, lower, port, slope in steps:
            assert upper.inputs[port] is lower and upper.partials[port] == slope
            product *= slope
        assert product == path.product
    if found.count < 300:  # rounding: each product and each sum of the two ways to add up
        depth = max(len(path.slopes) for path in paths) if paths else 0
        allowed = 2**-52 * (depth + len(paths) + 30) * 4 * found.mass
        assert abs(fsum(p.product for p in paths) - gradient_of(y, x).data) <= allowed


def ladder(rungs: int) -> tuple[Value, Value]:
    x = y = Value(1.0, label="x")
    for _ in range(rungs):
        y = y * 0.5 + y * 0.25
    return y, x


def test_more_paths_than_atoms_are_counted_and_the_largest_found() -> None:
    y, x = ladder(300)
    found = explain(y, x, most=3)
    assert found.count == found.nonzero == 2**300
    assert found.gradient == pytest.approx(0.75**300, rel=1e-12)
    assert [p.product for p in found.paths] == [0.5**300, 0.5**299 * 0.25, 0.5**299 * 0.25]
    assert "3 of 2.037e90 paths carry <1 %" in str(found)


def test_as_many_equal_paths_as_there_are_do_not_slow_it_down() -> None:
    x = y = Value(1.0)
    for _ in range(500):
        y = y * 0.3 + y * 0.3  # slopes whose sums of logarithms round
    assert len(explain(y, x, most=50).paths) == 50


def test_it_lists_no_more_than_carry_the_share() -> None:
    x = Value(1.0, label="x")
    y = x * 90 + x * 8 + x * 2
    assert [p.product for p in explain(y, x).paths] == [90.0, 8.0]
    assert len(explain(y, x, share=0.9).paths) == 1
    assert len(explain(y, x, share=1.0).paths) == 3
    assert len(explain(y, x, share=1.0, most=2).paths) == 2
    found = explain(y, x, share=0.5)
    assert found.headline == "1 of 3 paths carry 90 %" and found.rest == 10.0
    assert "the other 2 together: 10" in str(found)


def test_factors_of_zero_come_last_and_are_counted() -> None:
    x = Value(-2.0, label="x")
    found = explain(x.relu() + x * 3, x)
    assert (found.count, found.nonzero, len(found.paths)) == (2, 1, 1)
    assert [p.product for p in found.all_paths()] == [3.0, 0.0]
    assert "1 of them with a factor 0" in str(found)


def test_ends_that_meet_and_ends_that_do_not() -> None:
    x, z = Value(2.0, label="x"), Value(1.0)
    assert explain(x, x).gradient == 1.0 and explain(x, x).count == 1
    none = explain(x * x, z)
    assert (none.count, none.gradient, none.paths) == (0, 0.0, ())
    assert "no path" in str(none) and none.headline == "no path"


def test_infinite_slopes_are_shown_first() -> None:
    x = Value(0.0, label="x")
    found = explain(x.log() + x * 3, x)
    assert found.gradient == inf and found.paths[0].product == inf
    assert "inf" in str(found) and "\\infty" in found.latex()


def test_the_text_names_lines_and_formulas() -> None:
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    with tracing():
        y = (a * b).tanh()
    text = str(explain(y, a))
    assert re.search(r"v2 = a \* b   test_viz_explain\.py:\d+", text)
    assert "v3 = tanh(v2)" in text


def test_latex_holds_any_label() -> None:
    x = Value(1.0, label="50% of $x_1 & {y}\\")
    text = explain(x * 2, x).latex()
    assert text.count("{") - text.count("\\{") == text.count("}") - text.count("\\}")
    assert latex_name("50%") == "\\text{50\\%}"
    assert explain(x * 2, x)._repr_latex_().startswith("$")


def test_the_picture_marks_what_is_listed(tmp_path: Path) -> None:
    x = Value(3.0, label="x <&>")
    y = x * x + x.relu() * 0.0
    found = explain(y, x)
    picture = found.picture()
    assert Counter(arrow.mark for arrow in picture.arrows) == {"hot": 3, "faint": 3}
    svg = picture.svg()
    ElementTree.fromstring(svg)
    assert svg == explain(y, x).picture().svg() and "6" in picture.title
    assert picture.save(tmp_path / "why.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match=r"suffix of \.svg"):
        picture.save(tmp_path / "why.gif")
    deep, bottom = ladder(400)
    with pytest.raises(ValueError, match="list fewer paths"):
        explain(deep, bottom).picture()


def test_mistakes_are_named() -> None:
    x = Value(1.0)
    with pytest.raises(TypeError, match="both Values or both Tensors"):
        explain(x, ones(1))
    with pytest.raises(TypeError, match="leave the graph"):
        explain(3.0, x)
    with pytest.raises(ValueError, match="share between 0 and 1"):
        explain(x, x, share=2)
    with pytest.raises(ValueError, match="at least 1"):
        explain(x, x, most=0)


def test_the_picture_of_the_docs_is_of_their_program() -> None:
    docs = Path(__file__).resolve().parents[2] / "docs"
    block = (docs / "backward.md").read_text(encoding="utf-8").split("```python\n")[1]
    scope: dict[str, Any] = {}
    exec("".join(f"{line[4:]}\n" for line in block.split("```")[0].splitlines()), scope)
    found = explain(scope["loss"], scope["a"])
    picture = (docs / "images" / "explain.svg").read_text(encoding="utf-8")
    texts = {element.text for element in ElementTree.fromstring(picture).iter()}
    for box in found.picture().boxes:
        assert {box.title, *box.lines} <= texts
    for name in ("steps.gif", "steps-page.png"):
        assert (docs / "images" / name).stat().st_size > 0
