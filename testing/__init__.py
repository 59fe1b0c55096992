"""Property tests for gradients: checks with a verdict, hypothesis strategies, laws.

`check_gradients`, `check_module`, `gradcheck` need NumPy alone. What draws examples (`strategies`,
`check_op`) needs hypothesis, which is imported when one of them is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .check import check_gradients, check_problem
from .gradcheck import gradcheck, gradgradcheck
from .memory import laid_out, lay_out, upstream
from .models import check_module
from .networks import network
from .report import (
    GradientError,
    GradientNotFinite,
    KinkInGradient,
    NoisyGradient,
    Report,
    Verdict,
    WrongGradient,
)

if TYPE_CHECKING:
    from . import strategies
    from .laws import LAWS, Case, LawBroken, Subject
    from .planted_bugs import Exercise, exercise, exercises
    from .rule_mutants import Mutant, convict, mutants
    from .strategies import (
        arrays,
        away_from_kinks,
        broadcastable_shapes,
        broadcastable_tensors,
        dims,
        distinct,
        dtypes,
        floats,
        indices,
        layouts,
        modules,
        shapes,
        tensors,
        values,
    )
    from .tables import coverage, ops, subgradients, teeth
    from .trials import OpReport, check_op

__all__ = [
    "LAWS",
    "Case",
    "Exercise",
    "GradientError",
    "GradientNotFinite",
    "KinkInGradient",
    "LawBroken",
    "Mutant",
    "NoisyGradient",
    "OpReport",
    "Report",
    "Subject",
    "Verdict",
    "WrongGradient",
    "arrays",
    "away_from_kinks",
    "broadcastable_shapes",
    "broadcastable_tensors",
    "check_gradients",
    "check_module",
    "check_op",
    "check_problem",
    "convict",
    "coverage",
    "dims",
    "distinct",
    "dtypes",
    "exercise",
    "exercises",
    "floats",
    "gradcheck",
    "gradgradcheck",
    "indices",
    "laid_out",
    "lay_out",
    "layouts",
    "modules",
    "mutants",
    "network",
    "ops",
    "shapes",
    "strategies",
    "subgradients",
    "teeth",
    "tensors",
    "upstream",
    "values",
]

_DRAWN_BY = {
    ".strategies": """arrays away_from_kinks broadcastable_shapes broadcastable_tensors dims
        distinct dtypes floats indices layouts modules shapes tensors values""".split(),
    ".trials": ["OpReport", "check_op"],
    ".tables": ["coverage", "ops", "subgradients", "teeth"],
    ".planted_bugs": ["Exercise", "exercise", "exercises"],
    ".rule_mutants": ["Mutant", "convict", "mutants"],
    ".laws": ["LAWS", "Case", "LawBroken", "Subject"],
}
_DRAWING = {name: module for module, names in _DRAWN_BY.items() for name in names}


def __getattr__(name: str) -> Any:
    if name == "strategies":
        return import_module(".strategies", __name__)
    if name not in _DRAWING:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(_DRAWING[name], __name__), name)
    except ModuleNotFoundError as error:
        if error.name != "hypothesis":
            raise
        raise ModuleNotFoundError(
            f"gradling.testing.{name} draws examples with hypothesis, which is not installed:"
            " pip install 'gradling[testing]'",
            name="hypothesis",
        ) from None
