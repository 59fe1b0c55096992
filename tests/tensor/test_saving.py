"""States saved and loaded: what went in comes out; what is damaged or hostile is refused."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import gradling

FORMATS = [".npz", ".safetensors"]
DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]

plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
tensors = st.sampled_from(DTYPES).flatmap(
    lambda d: hnp.arrays(d, hnp.array_shapes(min_dims=0, min_side=0, max_dims=3, max_side=3))
)
states = st.recursive(
    plain | tensors.map(gradling.tensor),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3)
    ),
    max_leaves=8,
)


def same(a: Any, b: Any) -> bool:
    if isinstance(a, gradling.Tensor):
        return (
            isinstance(b, gradling.Tensor)
            and a.dtype == b.dtype
            and a.shape == b.shape
            and a.numpy().tobytes() == b.numpy().tobytes()
        )
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("key", ["", "a\0b", "__gradling__", "a.b'", "�"])
def test_any_key_comes_back(suffix: str, key: str, tmp_path: Any) -> None:
    state = {key: gradling.ones(2), "a": {"b": gradling.zeros(1)}}
    nested = {key: {"": gradling.ones(1)}}
    for one in (state, {key: state[key]}, {key: state[key], "a\0b": gradling.zeros(3)}, nested):
        gradling.save(one, tmp_path / f"state{suffix}")
        assert same(one, gradling.load(tmp_path / f"state{suffix}"))


@pytest.mark.parametrize("suffix", FORMATS)
@given(state=states)
def test_what_went_in_comes_out(suffix: str, state: Any, tmp_path_factory: Any) -> None:
    path = tmp_path_factory.mktemp("s") / f"state{suffix}"
    gradling.save(state, path)
    assert same(state, gradling.load(path))


@pytest.mark.parametrize("suffix", FORMATS)
def test_layouts_do_not_matter(suffix: str, tmp_path: Path) -> None:
    x = gradling.arange(12).reshape(3, 4)
    gradling.save(
        {"t": x.T, "step": gradling.tensor(x.numpy()[::2, ::-1])}, tmp_path / f"s{suffix}"
    )
    found = gradling.load(tmp_path / f"s{suffix}")
    assert found["t"].tolist() == x.T.tolist()
    assert found["step"].tolist() == x.numpy()[::2, ::-1].tolist()


@pytest.mark.parametrize("suffix", FORMATS)
def test_equal_states_give_equal_bytes(suffix: str, tmp_path: Path) -> None:
    for name in ("a", "b"):
        gradling.save({"w": gradling.ones(3), "n": 1}, tmp_path / f"{name}{suffix}")
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("keep", [0.0, 0.3, 0.7, 0.99])
def test_truncated_files_are_refused(suffix: str, keep: float, tmp_path: Path) -> None:
    path = tmp_path / f"state{suffix}"
    gradling.save({"w": gradling.ones(100), "n": 1}, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(ValueError, match="truncated or damaged"):
        gradling.load(path)


def test_pickles_are_never_loaded(tmp_path: Path) -> None:
    mark = tmp_path / "ran"

    class Hostile:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(mark),)

    np.savez(tmp_path / "a.npz", w=np.array([Hostile()], dtype=object))
    (tmp_path / "b.npz").write_bytes(pickle.dumps(Hostile()))
    (tmp_path / "c.safetensors").write_bytes(pickle.dumps(Hostile()))
    for name in ("a.npz", "b.npz", "c.safetensors"):
        with pytest.raises(ValueError, match="cannot be read"):
            gradling.load(tmp_path / name)
    assert not mark.exists()


def test_what_cannot_be_saved_is_named_and_the_old_file_kept(tmp_path: Path) -> None:
    path = tmp_path / "state.npz"
    gradling.save({"w": 1}, path)
    before = path.read_bytes()
    with pytest.raises(TypeError, match=r"a function \(at model.act\)|function.*model.act"):
        gradling.save({"model": {"act": lambda x: x}}, path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["state.npz"]


def test_unknown_suffixes_and_folders(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\.safetensors or \.npz"):
        gradling.save({}, tmp_path / "state.pt")
    with pytest.raises(FileNotFoundError, match="create it first"):
        gradling.save({}, tmp_path / "missing" / "state.npz")
    with pytest.raises(FileNotFoundError):
        gradling.load(tmp_path / "missing.npz")


def test_names_that_meet_stay_apart(tmp_path: Path) -> None:
    state = {
        "a.b": gradling.ones(1),
        "a": {"b": gradling.zeros(2)},
        "__gradling__": gradling.ones(3),
    }
    gradling.save(state, tmp_path / "s.npz")
    assert same(state, gradling.load(tmp_path / "s.npz"))
