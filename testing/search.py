"""Look for a case that breaks a law, with hypothesis, outside of any test function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis.strategies import SearchStrategy

from .laws.subject import Case, LawBroken, Subject, broken

Law = Callable[[Subject, Case], None]


@dataclass(frozen=True)
class Found:
    """A broken law with its smallest case: the law's name, the error, the case."""

    law: str
    error: BaseException
    case: Case


def first_broken(
    subject: Subject,
    strategy: SearchStrategy[Case],
    laws: Mapping[str, Law],
    examples: int,
    shrink: bool = False,
    seed: int | None = None,
) -> Found | None:
    """The first law that some case breaks, with the smallest such case when ``shrink`` is on."""
    last: list[Found] = []

    @_quiet(examples, shrink)
    @given(strategy)
    def trial(case: Case) -> None:
        for name, law in laws.items():
            try:
                law(subject, case)
            except LawBroken as error:
                last.append(Found(name, error, case))
                raise
            except Exception as error:
                said = f"{type(error).__name__}: {error}"
                last.append(Found("crash", broken(name, subject, case, said), case))
                raise

    try:
        trial()
    except Exception:
        if not last:
            raise
        return last[-1]
    return None


def draw(strategy: SearchStrategy[Any], count: int) -> list[Any]:
    """Some examples of a strategy, always the same ones."""
    found: list[Any] = []

    @_quiet(count, False)
    @given(strategy)
    def collect(case: Any) -> None:
        found.append(case)

    collect()
    return found


def _quiet(examples: int, shrink: bool) -> settings:
    phases = (Phase.generate, Phase.shrink) if shrink else (Phase.generate,)
    return settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=True,
        phases=phases,
        verbosity=Verbosity.quiet,
        report_multiple_bugs=False,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )
