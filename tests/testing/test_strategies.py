"""What the strategies draw: legal, wide enough, away from kinks, and printed as code that runs."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

import gradling
import gradling.testing as gt
from gradling import Tensor, Value
from gradling.engine.op import NONZERO, POSITIVE, REAL, UNIT, WHOLE
from gradling.testing.domains import GAP, pieces, sample
from gradling.testing.program import array_code, tensor_code

HUNT = settings(max_examples=2000, phases=[Phase.generate], derandomize=True, database=None)


def reaches(strategy, wish):
    try:
        find(strategy, wish, settings=HUNT)
    except NoSuchExample:
        return False
    return True


@pytest.mark.parametrize(
    "wish",
    [
        lambda s: s == (),
        lambda s: s == (0,),
        lambda s: s == (1,),
        lambda s: len(s) == 3 and 0 in s,
        lambda s: len(s) == 3 and 1 in s and max(s) > 1,
    ],
)
def test_shapes_reach_every_corner(wish):
    assert reaches(gt.shapes(), wish)


def test_shapes_shrink_to_ones_not_to_nothing():
    assert find(gt.shapes(), lambda s: len(s) == 2) == (1, 1)
    assert find(gt.shapes(), lambda s: 0 in s) == (0,)


@given(gt.shapes(min_dims=1, max_dims=2, min_side=2, max_side=3))
def test_shapes_keep_their_bounds(shape):
    assert len(shape) in (1, 2)
    assert set(shape) <= {2, 3}


@given(st.data())
def test_dims_are_what_reductions_take(data):
    shape = data.draw(gt.shapes())
    dim = data.draw(gt.dims(len(shape)))
    assert np.zeros(shape).sum(dim).ndim <= len(shape)


@pytest.mark.parametrize(
    "wish", [lambda d: d is None, lambda d: d == -1, lambda d: d == (1, 0), lambda d: d == (-1, 0)]
)
def test_dims_reach_every_form(wish):
    assert reaches(gt.dims(2), wish)


@given(st.data())
def test_indices_fit_their_shape(data):
    shape = data.draw(gt.shapes())
    index = data.draw(gt.indices(shape))
    np.zeros(shape)[index]


@pytest.mark.parametrize(
    "wish",
    [
        lambda i: None in i,
        lambda i: any(isinstance(p, slice) and p.step == 2 for p in i),
        lambda i: any(isinstance(p, list) and len(set(map(abs, p))) < len(p) > 1 for p in i),
        lambda i: any(isinstance(p, list) and p and p[0] is True for p in i),
        lambda i: any(type(p) is int and p < 0 for p in i),
    ],
)
def test_indices_reach_every_form(wish):
    def told_apart(index):
        return wish([p for p in index if not isinstance(p, np.ndarray)])

    assert reaches(gt.indices((3, 3)), told_apart)


@pytest.mark.parametrize("domain", [REAL, NONZERO, POSITIVE, UNIT, WHOLE, REAL.without(-1.0, 2.0)])
def test_numbers_keep_their_distance(domain):
    @given(gt.floats(domain))
    def kept(x):
        assert any(low <= x <= high for low, high in pieces(domain))
        assert all(abs(x - point) >= GAP for point in domain.avoid)

    kept()
    drawn = sample(domain, (500,), np.random.default_rng(0))
    assert all(any(low <= x <= high for low, high in pieces(domain)) for x in drawn)


def test_away_from_kinks():
    @given(gt.away_from_kinks(0.0, 1.0, low=-2.0, high=3.0))
    def kept(x):
        assert -2 <= x <= 3
        assert min(abs(x), abs(x - 1)) >= GAP

    kept()


def test_numbers_shrink_to_something_that_shows():
    """0 and 1 hide mistakes: x * x = x, and a lost factor of x leaves no trace."""
    assert find(gt.floats(), lambda x: True) not in (0.0, 1.0)
    assert reaches(gt.floats(), lambda x: x == 0.0)


@given(gt.dtypes().flatmap(lambda name: st.tuples(st.just(name), gt.arrays(dtype=name))))
def test_arrays_hold_their_dtype_exactly(pair):
    name, array = pair
    assert array.dtype == name
    assert np.all(np.isfinite(array))


@given(gt.tensors(domain=POSITIVE, dtype=gt.dtypes(), layout=gt.layouts()))
def test_tensors(x):
    assert isinstance(x, Tensor)
    assert x.requires_grad
    assert np.all(x.detach().numpy() > 0)


@pytest.mark.parametrize("layout", ["transposed", "strided", "reversed", "broadcast"])
def test_layouts_are_what_they_say(layout):
    x = gt.laid_out([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], layout)
    array = x.detach().numpy()
    assert not array.flags.c_contiguous
    if layout == "broadcast":
        assert not x._data.flags.writeable
        assert 0 in array.strides
    else:
        assert array.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert (min(array.strides) < 0) == (layout == "reversed")


def test_unknown_layout():
    with pytest.raises(ValueError, match="layout must be one of contiguous"):
        gt.laid_out([1.0], "sideways")


@given(gt.values(NONZERO))
def test_values(v):
    assert isinstance(v, Value)
    assert abs(v.data) >= GAP


@given(gt.broadcastable_tensors(3))
def test_broadcastable_tensors(xs):
    shape = np.broadcast_shapes(*(x.shape for x in xs))
    assert shape in [x.shape for x in xs]
    assert (xs[0] + xs[1] + xs[2]).shape == shape


@pytest.mark.parametrize(
    "wish",
    [
        lambda a, b: a == () and b != (),
        lambda a, b: 0 in a and 1 in b,
        lambda a, b: len(a) < len(b) and 1 in a,
        lambda a, b: a == b and len(a) == 2,
        lambda a, b: len(a) == len(b) == 2 and a != b and 1 in a,
    ],
)
def test_broadcastable_shapes_reach_every_kind(wish):
    assert reaches(gt.broadcastable_shapes(2), lambda pair: wish(*pair))


@given(gt.distinct(shape=(3, 4), gap=0.25))
def test_distinct(x):
    assert np.diff(np.sort(x.detach().numpy(), axis=None)).min() >= 0.25


@settings(max_examples=20, deadline=None)
@given(gt.modules(inputs=2, outputs=1))
def test_modules(model):
    assert model(gradling.ones(3, 2).double()).shape == (3, 1)


def run_again(code):
    scope = {"gradling": gradling}
    exec("import gradling.testing", scope)
    return eval(code, scope)


@given(gt.tensors(dtype=gt.dtypes(), layout=gt.layouts()))
def test_what_is_printed_runs_and_is_the_same(x):
    again = run_again(tensor_code(x))
    mine, other = x.detach().numpy(), again.detach().numpy()
    assert mine.dtype == other.dtype
    assert mine.tobytes() == other.tobytes()
    assert mine.strides == other.strides or mine.size <= 1
    assert again.requires_grad


UNUSUAL = [
    np.array([np.nan, np.inf, -np.inf, -0.0]),
    np.array([True]),
    np.array(3),
    np.array([1e-30, 1e30], dtype=np.float32),
]


@pytest.mark.parametrize("array", UNUSUAL, ids=str)
def test_unusual_numbers_are_printed_as_code(array):
    again = run_again(array_code(array)).numpy()
    assert again.dtype == array.dtype
    assert again.tobytes() == array.tobytes()


def test_a_failing_example_is_code():
    @settings(database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(x=gt.tensors(shape=(2,)))
    def fails(x):
        assert x.detach().numpy().sum() == 0.1

    with pytest.raises(AssertionError) as caught:
        fails()
    notes = "\n".join(caught.value.__notes__)
    assert "x=gradling.tensor([2.0, 2.0], dtype=gradling.float64, requires_grad=True)" in notes


def test_hypothesis_is_imported_only_for_drawing():
    code = (
        "import sys, gradling, gradling.testing as t, numpy as np\n"
        "assert t.check_gradients(np.sin, np.ones(2), grad_fn=np.cos)\n"
        "assert 'hypothesis' not in sys.modules\n"
        "sys.modules['hypothesis'] = None\n"
        "try: t.tensors\n"
        "except ModuleNotFoundError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'gradling[testing]'" in done.stdout


def test_nothing_else_imports_hypothesis():
    """Where it is used at all (the tour's property check), it is imported inside a function."""

    root = Path(gradling.__file__).parent
    for path in root.rglob("*.py"):
        part = path.relative_to(root).parts[0]
        if (
            part in ("testing", "tests", "docs", "examples", "benchmarks", "build")
            or part[0] == "."
        ):
            continue
        for node in ast.parse(path.read_text()).body:
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.startswith("hypothesis") for name in names), path
