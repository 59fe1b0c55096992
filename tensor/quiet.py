"""IEEE results without NumPy's warnings: a log of 0 is -inf, silently, as in any tensor library."""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import Any

import numpy as np


class Errstate:
    """``np.errstate(all="ignore")`` as a set/reset pair, should NumPy hide its context variable."""

    def set(self, _: object) -> Any:
        state = np.errstate(all="ignore")
        state.__enter__()
        return state

    def reset(self, state: Any) -> None:
        state.__exit__(None, None, None)


silence: ContextVar[Any] | Errstate
IGNORE: Any
try:  # np.errstate costs as much as two small ops; the context variable beneath it a seventh
    from numpy._core import umath

    silence, IGNORE = umath._extobj_contextvar, umath._make_extobj(all="ignore")
except (ImportError, AttributeError):
    silence, IGNORE = Errstate(), None


class Quiet:
    """Context manager form, for blocks that run many kernels."""

    __slots__ = ("token",)
    token: Token[Any]

    def __enter__(self) -> None:
        self.token = silence.set(IGNORE)

    def __exit__(self, *exc: object) -> None:
        silence.reset(self.token)
