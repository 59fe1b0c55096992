"""Comparing, choosing, clipping: ops that decide where a gradient goes."""

from __future__ import annotations

from math import inf

from ..op import REAL, TRUTH, WHOLE, Op, Pin, row

where: Op = row(
    "where", "condition a b",
    vjp=(
        None,
        lambda g, y, condition, a, b: where(condition, g, 0.0),
        lambda g, y, condition, a, b: where(condition, 0.0, g),
    ),
    domain=(TRUTH, REAL, REAL),
    why="The gradient follows the branch that was taken; the other gets 0.",
)  # fmt: skip
sign = row(
    "sign", "x",
    vjp=(lambda g, y, x: where(True, 0.0, g),),
    domain=(REAL.without(0.0),),
    pinned=(Pin((0.0,), (0.0,), "flat on both sides"),),
    why="Flat on both sides of its jump. nan has sign 0, so that abs passes nothing back to it.",
)  # fmt: skip
floor = row(
    "floor", "x",
    vjp=(lambda g, y, x: where(True, 0.0, g),),
    domain=(WHOLE,),
    why="A staircase: flat wherever it has a slope.",
)  # fmt: skip
maximum = row(
    "maximum", "a b",
    vjp=(
        lambda g, y, a, b: where(a < b, 0.0, where(a == b, g / 2, g)),
        lambda g, y, a, b: where(b < a, 0.0, where(a == b, g / 2, g)),
    ),
    domain=(REAL, REAL),
    pinned=(Pin((1.0, 1.0), (0.5, 0.5), "a tie shares the gradient evenly"),),
    why="The larger operand takes the gradient; a tie is split evenly. So maximum(x, 0) passes one "
    "half at 0, where relu passes 0.",
)  # fmt: skip
minimum = row(
    "minimum", "a b",
    vjp=(
        lambda g, y, a, b: where(a > b, 0.0, where(a == b, g / 2, g)),
        lambda g, y, a, b: where(b > a, 0.0, where(a == b, g / 2, g)),
    ),
    domain=(REAL, REAL),
    pinned=(Pin((1.0, 1.0), (0.5, 0.5), "a tie shares the gradient evenly"),),
    why="The smaller operand takes the gradient; a tie is split evenly.",
)  # fmt: skip
clamp = row(
    "clamp", "x low high",
    vjp=(
        lambda g, y, x, low, high: where((x >= low) & (x <= high), g, 0.0),
        lambda g, y, x, low, high: where((x < low) & ((low < high) | (high == inf)), g, 0.0),
        lambda g, y, x, low, high: where((x > high) | (high < low), g, 0.0),
    ),
    domain=(REAL, REAL, REAL),
    pinned=(
        Pin((0.0, 0.0, 1.0), (1.0, 0.0, 0.0), "a parameter at the lower bound is not stranded"),
        Pin((1.0, 0.0, 1.0), (1.0, 0.0, 0.0), "a parameter at the upper bound is not stranded"),
    ),
    why="Inside the bounds, and on them, x itself; outside, the bound that holds it.",
)  # fmt: skip
nan_to_num = row(
    "nan_to_num", "x", params={"nan": 0.0, "posinf": None, "neginf": None},
    vjp=(lambda g, y, x, nan, posinf, neginf: where(isfinite(x), g, 0.0),),
    domain=(REAL,),
    why="Replaced entries are constants; the others are themselves.",
)  # fmt: skip


def _test(name: str, args: str, symbol: str, why: str) -> None:
    operands = len(args.split())
    row(
        name, args, symbol=symbol, result="bool",
        vjp=(None,) * operands, domain=(REAL,) * operands, why=why,
    )  # fmt: skip


_TRUTH = "A truth value: no derivative."
for _name, _symbol in [
    ("eq", "=="), ("ne", "!="), ("lt", "<"), ("le", "<="), ("gt", ">"), ("ge", ">="),
    ("logical_and", "and"), ("logical_or", "or"), ("logical_xor", "xor"),
]:  # fmt: skip
    _test(_name, "a b", _symbol, _TRUTH)
for _name in ("logical_not", "isnan", "isinf", "isfinite"):
    _test(_name, "x", _name, _TRUTH)

from ..op import TABLE  # noqa: E402

isfinite: Op = TABLE["isfinite"]
