"""What a function may not do at the edges of its domain, whatever its formula."""

from __future__ import annotations

from itertools import product

import numpy as np

from .scalar import EDGES
from .subject import Case, Subject, broken, run


def finite_edges(subject: Subject, count: int = 1) -> None:
    """At zeros, huge and tiny numbers, infinities and NaN it does not raise, and a finite value at
    finite operands has no NaN for a gradient."""
    grid = EDGES if count < 3 else EDGES[::3]
    for numbers in product(grid, repeat=count):
        case = Case(tuple(np.asarray(x) for x in numbers))
        try:
            value, found = run(subject, case)
        except Exception as error:
            said = f"raises {type(error).__name__}: {error}"
            raise broken("finite_edges", subject, case, said) from error
        if np.all(np.isfinite(value)) and np.all(np.isfinite(numbers)):
            for g in found:
                if g is not None and np.any(np.isnan(g)):
                    said = f"its value is {value.tolist()}, a gradient is NaN"
                    raise broken("finite_edges", subject, case, said, ["out.backward()"])
