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
BASES = {"Module", "RNNBase", "RNNCellBase"}
HOLDERS = {"ModuleDict", "ModuleList", "ParameterDict", "ParameterList"}  # compute nothing
LEARNT_ON_VALUES = {"MLP", "Layer", "Neuron", "TensorMLP", "TensorLayer", "TensorNeuron"}
# What says that a page has thought of numbers that are huge, tiny, equal or missing.
STEADY = re.compile(
    r"eps|1e-|stable|overflow|finite|exact|scale|variance|bound|largest|subtract|keeps|logarithm|"
    r"\b[Nn]a[Nn]|-inf|slope|within|from 0 to 1|rounded|explode|does not vanish|no care"
)
DELICATE = re.compile(  # that take an exponential, a logarithm, a root or a quotient, or many steps
    r"CrossEntropy|NLL|BCE|KLDiv|Cosine|Triplet|SoftMargin|Norm|Softm|LogS|Softplus|Sigmoid|^[CS]?ELU|"
    r"Attention|Transformer|Cell$|^RNN$|LSTM|GRU|Encoding|PairwiseDistance"
)


def page(name: str) -> str:
    """The page of a layer, with that of the layer it says it is a form of."""
    text = getattr(nn, name).__doc__ or ""
    if re.search(r"[13]d$", name) and "Drop" not in name:  # one page for 1, 2 and 3 axes
        family = name[:-2] + "2d"
        if text.startswith(f"``{family}``"):
            text += getattr(nn, family).__doc__
    return text


@pytest.mark.parametrize("name", sorted(set(LAYERS) - BASES))
def test_every_layer_has_a_page_with_an_example(name: str) -> None:
    assert ">>> " in page(name), f"{name}: add an example that runs"


@pytest.mark.parametrize("name", sorted(set(LAYERS) - BASES - HOLDERS - LEARNT_ON_VALUES))
def test_every_layer_says_how_its_gradients_come_about(name: str) -> None:
    assert re.search(r"Backward( [a-z ]+)?:", page(name)), (
        f"{name}: derive the backward in a few lines"
    )


@pytest.mark.parametrize("name", sorted(filter(DELICATE.search, LAYERS)))
def test_every_delicate_layer_says_what_keeps_it_stable(name: str) -> None:
    assert STEADY.search(page(name)), f"{name}: say what keeps it stable"


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
