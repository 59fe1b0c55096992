"""Methods that are given lists where they expect tensors say so."""

from __future__ import annotations

import pytest

import gradling

LIST = [[1.0, 2.0], [3.0, 4.0]]
METHODS = [name for name in dir(gradling.Tensor) if not name.startswith("_")]
FREE = ["atleast_1d", "atleast_2d", "atleast_3d", "broadcast_tensors", "cartesian_prod", "meshgrid"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", METHODS)
def test_no_method_speaks_of_its_insides(name: str) -> None:
    x = gradling.tensor(LIST)
    for given in ((LIST,), ([1.0, 2.0],), (LIST, LIST), (None,), ("a",), (0, [1.0])):
        try:
            getattr(x.clone(), name)(*given)
        except AttributeError as error:
            pytest.fail(f"{name}{given}: {error}")
        except Exception as error:  # any other says what it expects
            assert "_data" not in str(error)


@pytest.mark.parametrize(
    "name",
    ["isclose", "allclose", "equal", "kron", "inner", "outer", "dot", "bmm", "type_as", "view_as",
     "reshape_as", "expand_as"],
)  # fmt: skip
def test_the_word_is_that_of_the_free_functions(name: str) -> None:
    with pytest.raises(TypeError, match=rf"^{name}: expected .*tensors?, got list .*wrap it"):
        getattr(gradling.tensor(LIST), name)([1.0, 2.0])


@pytest.mark.parametrize("name", FREE)
def test_numbers_in_a_list_are_no_tensors(name: str) -> None:
    for given in ([1.0, 2.0], LIST):
        with pytest.raises(TypeError, match=f"^{name}: expected each of tensors to be a tensor"):
            getattr(gradling, name)(given)
