"""How NumPy is asked to compute inside kernels and rules.

IEEE results without warnings: a log of 0 is -inf, silently, as in any tensor library.

And a smaller buffer. An operation on parts of arrays, or with an operand that is broadcast, runs
over one stretch of memory after the other; where such a stretch is shorter than NumPy's buffer, of
8192 entries, NumPy copies it there first. With 2048 it does so less often: the product of two
(16, 2048) out of (16, 4096) takes 5 us instead of 13, a step of an LSTM 7 % less. With 1024 casts
and short stretches cost more: a ResNet 3 %.
"""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import Any

import numpy as np


class Errstate:
    """``np.errstate(all="ignore")`` as a set/reset pair, should NumPy hide its context variable.

    (The buffer then stays as it is: to change it would cost more calls than it saves.)
    """

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

    silence, IGNORE = umath._extobj_contextvar, umath._make_extobj(all="ignore", bufsize=2048)
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
