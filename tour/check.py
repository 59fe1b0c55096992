"""Chapter 5: are the gradients right? Drawn at random, measured, and judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from .. import testing
from .guide import Guide

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "tanh(x * y)": lambda x, y: (x * y).tanh(),
    "exp(x) / (1 + y**2)": lambda x, y: x.exp() / (1 + y**2),
    "(sin(x) - y).sum()": lambda x, y: (x.sin() - y).sum(),
    "softplus by hand: log(1 + exp(x)) * y": lambda x, y: (1 + x.exp()).log() * y,
}


def run(guide: Guide) -> None:
    """Check true gradients on inputs that hypothesis draws, and catch a planted wrong one."""
    guide.chapter("Are the gradients right?")
    points = list(draw(guide))
    for name, function in FUNCTIONS.items():
        reports = [testing.check_gradients(function, *point) for point in points]
        wrong = [report for report in reports if not report]
        if wrong:
            guide.fail(f"the gradient of {name}\n{wrong[0]}")
        else:
            guide.tell(f"{name}: {reports[0].verdict} at all of {len(points)} pairs of inputs")

    planted = testing.check_gradients(
        np.tanh, np.array([0.3, -1.2]), grad_fn=lambda x: 1.001 * (1 - np.tanh(x) ** 2)
    )
    guide.tell(
        f"a gradient of tanh, planted a thousandth too large: {planted.verdict}. The evidence:"
    )
    guide.show_code(str(planted))
    if planted:
        guide.fail("a wrong gradient passed the check")


def draw(guide: Guide) -> Iterator[tuple[Any, Any]]:
    """Draw pairs of tensors that broadcast together: with hypothesis, or else a few by NumPy."""
    count = 10 if guide.quick else 40
    try:
        import hypothesis
        from hypothesis.configuration import set_hypothesis_home_dir
    except ImportError:
        guide.tell(
            "inputs are drawn by NumPy, of shapes (3, 1) and (2,): those that search for trouble "
            'need hypothesis. Install the extra "testing"'
        )
        random = np.random.default_rng(guide.seed)
        return ((random.normal(size=(3, 1)), random.normal(size=2)) for _ in range(count))
    pairs: list[tuple[Any, Any]] = []

    @hypothesis.seed(guide.seed)
    @hypothesis.settings(max_examples=count, deadline=None, database=None)
    @hypothesis.given(testing.broadcastable_tensors(2))
    def collect(pair: tuple[Any, Any]) -> None:
        pairs.append(pair)

    with TemporaryDirectory() as folder:  # hypothesis would make one where the user stands
        set_hypothesis_home_dir(folder)
        collect()
    guide.tell("inputs are drawn by hypothesis: shapes that broadcast, sizes 0 and 1 included")
    return iter(pairs)
