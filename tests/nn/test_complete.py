"""Nothing is offered without an example, or in one of its two forms only."""

from __future__ import annotations

import inspect
import re

import pytest

from gradling import nn

LAYERS = [
    name
    for name in nn.__all__
    if inspect.isclass(getattr(nn, name)) and issubclass(getattr(nn, name), nn.Module)
]
PAGES = {  # the files whose layers each have a page of their own
    "activation", "classes", "containers", "distance", "dropout", "embedding", "linear", "margins",
    "mlp", "module", "rectifiers", "regression", "softmax",
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_every_layer_has_a_page_with_an_example(name: str) -> None:
    layer = getattr(nn, name)
    if layer.__module__.rpartition(".")[2] in PAGES:
        assert ">>> " in (layer.__doc__ or ""), f"{name}: add an example that runs"


def plain(name: str) -> str:
    return name.lower().replace("_", "")


@pytest.mark.parametrize("name", [n for n in nn.functional.__all__ if n.endswith("_loss")])
def test_every_loss_has_a_module(name: str) -> None:
    assert plain(name) in map(plain, LAYERS)


@pytest.mark.parametrize("file", ["activation", "rectifiers", "softmax", "dropout", "embedding"])
def test_every_layer_has_its_function(file: str) -> None:
    functions = set(map(plain, nn.functional.__all__))
    for name in LAYERS:
        layer = getattr(nn, name)
        if layer.__module__ == f"gradling.nn.{file}":
            assert plain(name) in functions or re.sub(r"\d[dD]$", "", plain(name)) in functions
