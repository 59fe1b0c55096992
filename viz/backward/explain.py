"""``explain(loss, w)``: a gradient as what it is, a sum over paths of products of slopes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from math import fsum, isfinite
from typing import Any

from ...engine import Value, history
from ..words import number, tally
from .formulas import Naming, formula, latex_name, latex_number
from .paths import Descent, Path, Totals
from .picture import MOST, Arrow, Box, Picture, keys, too_many
from .places import expected, line_of, short

LONG = 12  # factors of a path that are written out; the middle of longer ones is left out


def explain(
    loss: Any, w: Any, *, index: Any = None, share: float = 0.95, most: int = 10
) -> Explanation:
    """The gradient of ``loss`` by one number, as a sum over paths.

    Every path from the loss down to ``w`` contributes the product of the slopes along it; the sum
    of all is the gradient that ``backward()`` gives. The largest are listed until they carry
    ``share`` of the sum of all sizes; the others are counted and summed without being listed,
    however many there are.

    Args:
        loss: a Value, or a tensor with one entry.
        w: a Value that it was computed from, or a tensor.
        index: which entry of a tensor ``w``; may be left out where it has only one.
        share: list paths until they carry this part of the whole, between 0 and 1.
        most: list no more than so many.

    Raises:
        TypeError: not Values or Tensors, or one of each.
        ValueError: share or most out of range; a loss of several numbers; an entry not chosen; a
            tensor that the loss was not made of. For tensors also as ``viz.zoom``.

    >>> from gradling.engine import Value
    >>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    >>> loss = a * b + a * a
    >>> loss.label = "loss"
    >>> print(explain(loss, a))
    d loss / d a = 1, the sum over 3 paths
    3 of 3 paths carry 100 %; opposite signs cancel all but 14 % of it
    <BLANKLINE>
      1.  -3  43 %  = 1 · -3
            1   loss = v2 + v3
            -3  v2 = a * b
      2.  2   29 %  = 1 · 2
            1   loss = v2 + v3
            2   v3 = a * a
      3.  2   29 %  = 1 · 2
            1   loss = v2 + v3
            2   v3 = a * a
    """
    expected("explain", "loss", loss)
    expected("explain", "w", w)
    if not 0 <= share <= 1:
        raise ValueError(f"explain: expected share between 0 and 1, got {share}")
    if most < 1:
        raise ValueError(f"explain: expected most of at least 1, got {most}")
    if isinstance(loss, Value) and isinstance(w, Value):
        return Explanation.of(loss, w, share, most)
    if isinstance(loss, Value) or isinstance(w, Value):
        raise TypeError("explain: expected loss and w to be both Values or both Tensors")
    from .zooming import zoom

    try:
        return zoom(loss, params={"w": w}).explain(w, index, share=share, most=most)
    except KeyError:
        raise ValueError(
            "explain: no path leads from the loss to this tensor; why_no_grad(w, loss) says why"
        ) from None


def entry_of(function: str, array: Any, index: Any) -> Any:
    """One entry of an array of Values.

    Raises:
        ValueError: there are several and none was chosen, or too few indices;
        IndexError: there is none such.
    """
    if index is None:
        if array.size != 1:
            raise ValueError(
                f"{function}: this tensor has {array.size} entries; choose one of shape "
                f"{array.shape}, by its index"
            )
        return array.reshape(-1)[0]
    place = index if isinstance(index, tuple) else (index,)
    if len(place) != array.ndim:
        raise ValueError(
            f"{function}: expected {array.ndim} indices into shape {array.shape}, got {index!r}"
        )
    return array[place]


@dataclass(frozen=True, eq=False)
class Explanation:
    """A gradient by its paths.

    Args:
        loss, w: the Values at both ends.
        gradient: the sum over all paths.
        count: how many paths there are; ``nonzero``: how many of them have no factor 0.
        mass: the sum of the sizes of all contributions.
        paths: the listed ones, the largest first.
        share: which part of ``mass`` the listed ones carry.
        rest: what all the others add up to.
    """

    loss: Value
    w: Value
    gradient: float
    count: int
    nonzero: int
    mass: float
    paths: tuple[Path, ...]
    share: float
    rest: float
    _descent: Descent = field(repr=False)
    _name: Naming = field(repr=False)

    @classmethod
    def of(
        cls, loss: Value, w: Value, share: float, most: int, names: dict[int, str] | None = None
    ) -> Explanation:
        descent = Descent(loss, w)
        total = descent.total
        paths: list[Path] = []
        carried = 0.0
        for path in islice(descent.largest_first(), min(most, total.nonzero or most)):
            if paths and carried >= share * total.mass:
                break
            paths.append(path)
            carried += abs(path.product)
        none_left = len(paths) >= total.nonzero  # but for paths with a factor 0
        rest = 0.0 if none_left else total.gradient - fsum(path.product for path in paths)
        part = min(carried / total.mass, 1.0) if total.mass and isfinite(total.mass) else 1.0
        return cls(
            loss, w, total.gradient, total.count, total.nonzero, total.mass,
            tuple(paths), part, rest, descent, Naming(history(loss), names),
        )  # fmt: skip

    def all_paths(self) -> Iterator[Path]:
        """Every path, the largest first, as long as you ask for more."""
        return self._descent.largest_first()

    # As text --------------------------------------------------------------------------------------

    @property
    def headline(self) -> str:
        """
        >>> from gradling.engine import Value
        >>> x = Value(3.0)
        >>> explain(x * x, x).headline
        '2 of 2 paths carry 100 %'
        """
        if not self.count:
            return "no path"
        words = "paths carry" if self.count != 1 else "path carries"
        listed = f"{len(self.paths)} of {_many(self.count)}"
        return f"{listed} {words} {_percent(self.share)}"

    def __str__(self) -> str:
        name = self._name
        ends = f"d {name(self.loss)} / d {name(self.w)}" if self.count else "the gradient"
        if not self.count:
            return f"{ends} is 0: no path leads from the loss to it; why_no_grad says more"
        paths = "path" if self.count == 1 else "paths"
        dead = self.count - self.nonzero
        zero = f", {_many(dead)} of them with a factor 0" if dead else ""
        lines = [
            f"{ends} = {number(self.gradient)}, the sum over {_many(self.count)} {paths}{zero}",
            self.headline + self._cancelling(),
            "",
        ]
        widest = max((len(number(s)) for path in self.paths for s in path.slopes), default=0)
        for at, path in enumerate(self.paths, 1):
            lines += self._listed(at, path, widest)
        others = self.count - len(self.paths)
        if others:
            words = "the other one" if others == 1 else f"the other {_many(others)} together"
            lines.append(f"  {words}: {number(self.rest)}")
        return "\n".join(lines)

    def _cancelling(self) -> str:
        if not self.mass or not isfinite(self.mass) or abs(self.gradient) > 0.5 * self.mass:
            return ""
        left = _percent(abs(self.gradient) / self.mass)
        return f"; opposite signs cancel all but {left} of it"

    def _listed(self, at: int, path: Path, widest: int) -> Iterator[str]:
        part = _percent(abs(path.product) / self.mass) if self.mass else "0 %"
        shown = list(_shortened(path))
        factors = " · ".join("…" if step is None else number(step[1]) for step in shown)
        yield f"{at:3}.  {number(path.product):<{widest}}  {part}  = {factors or '1'}"
        for step in shown:
            if step is None:
                yield f"{'':8}…  {len(path.slopes) - LONG} more"
                continue
            place, slope = step
            line = line_of(place)
            made = f"{self._name(place)} = {formula(place, self._name)}"
            where = f"   {short(line)}" if line else ""
            yield f"{'':8}{number(slope):<{widest}}  {made}{where}".rstrip()

    # As LaTeX -------------------------------------------------------------------------------------

    def latex(self) -> str:
        r"""The sum, for a page that knows ``aligned``: each factor below the slope that it is.

        >>> from gradling.engine import Value
        >>> x, y = Value(3.0, label="x"), Value(2.0, label="y")
        >>> print(explain(x * y, x).latex())
        \begin{aligned}
        \frac{\partial v_{2}}{\partial x} &= 2 \\
        &= \underbrace{\overset{\frac{\partial v_{2}}{\partial x}}{2}}_{2}
        \end{aligned}
        """
        top = f"\\frac{{\\partial {self._tex(self.loss)}}}{{\\partial {self._tex(self.w)}}}"
        rows = [f"{top} &= {latex_number(self.gradient)}"]
        for at, path in enumerate(self.paths):
            product = " \\cdot ".join(self._factors(path)) or "1"
            sign = "&= " if at == 0 else "&\\quad + "
            rows.append(f"{sign}\\underbrace{{{product}}}_{{{latex_number(path.product)}}}")
        others = self.count - len(self.paths)
        if others:
            words = f"\\text{{ {_many(others)} more path{'s' * (others > 1)}}}"
            rows.append(f"&\\quad + \\underbrace{{\\cdots}}_{{{latex_number(self.rest)},{words}}}")
        return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"

    def _factors(self, path: Path) -> Iterator[str]:
        lower = dict(zip(map(id, path.places), path.places[1:], strict=False))
        for step in _shortened(path):
            if step is None:
                yield "\\cdots"
                continue
            place, slope = step
            ends = (self._tex(place), self._tex(lower[id(place)]))
            fraction = "\\frac{{\\partial {}}}{{\\partial {}}}".format(*ends)
            factor = latex_number(slope)
            if slope < 0 or "cdot" in factor:
                factor = f"\\left({factor}\\right)"
            yield f"\\overset{{{fraction}}}{{{factor}}}"

    def _tex(self, place: Value) -> str:
        return latex_name(self._name(place))

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    # As a picture ---------------------------------------------------------------------------------

    def picture(self) -> Picture:
        """The graph between both ends: listed paths in colour, as wide as what they carry.

        Where that has too many numbers to be read, the listed paths alone.

        Raises:
            ValueError: even these have too many.
        """
        flow = self._flow()
        places = _history(self._descent)
        if len(places) > MOST:
            used = {id(place) for path in self.paths for place in path.places}
            places = [place for place in places if id(place) in used]
        if len(places) > MOST:
            raise ValueError(too_many(len(places), "what is listed") + "; list fewer paths")
        key, on_path = keys(places), {id(p) for path in self.paths for p in path.places}
        boxes = tuple(self._box(p, key[id(p)], id(p) in on_path) for p in places)
        arrows: list[Arrow] = []
        for place in places:
            for port, child, slope in self._descent.steps(place):
                if id(child) in key:
                    part = flow.get((id(place), port), 0.0)
                    arrows.append(
                        Arrow(
                            f"e{len(arrows)}",
                            key[id(child)],
                            key[id(place)],
                            number(slope, 3),
                            "hot" if part else "faint",
                            1 + 5 * part,
                        )
                    )
        title = f"d {self._name(self.loss)} / d {self._name(self.w)} = {number(self.gradient)}"
        return Picture(boxes, tuple(arrows), title, f"{title}: {self.headline}.")

    def _flow(self) -> dict[tuple[int, int], float]:
        """What the listed paths carry through each edge, as a part of the whole."""
        flow: dict[tuple[int, int], float] = {}
        for path in self.paths:
            part = abs(path.product) / self.mass if self.mass and isfinite(self.mass) else 0.0
            for place, port in zip(path.places, path.ports, strict=False):
                flow[id(place), port] = flow.get((id(place), port), 0.0) + (part or 1e-3)
        return flow

    def _box(self, place: Value, key: str, listed: bool) -> Box:
        role = "result" if place is self.loss else "leaf" if place.op is None else "value"
        made = formula(place, self._name)
        lines = (*([made] if made else []), f"data {number(place.data)}")
        total = self._descent.totals[place]
        lines = (*lines, f"d/d {self._name(self.w)} = {number(total.gradient)}")
        end = place is self.w or place is self.loss
        mark = "hot" if end and listed else "" if listed else "faint"
        return Box(key, role, self._name(place), lines, mark, line_of(place))

    def _repr_svg_(self) -> str | None:
        try:
            return self.picture()._repr_svg_()
        except ValueError:
            return None


def _history(descent: Descent) -> list[Value]:
    """The places between both ends, operands first."""
    if descent.root not in descent.totals:
        return []
    return list(descent.totals)


def _shortened(path: Path) -> Iterator[tuple[Value, float] | None]:
    """(place, slope) of each step; None once, for a middle that is left out."""
    steps = list(zip(path.places, path.slopes, strict=False))
    if len(steps) <= LONG:
        yield from steps
        return
    yield from steps[: LONG - LONG // 2]
    yield None
    yield from steps[-(LONG // 2) :]


def _many(count: int) -> str:
    """
    >>> _many(1842), _many(2**200)
    ('1 842', '1.607e60')
    """
    return tally(count) if count < 10**12 else f"{Decimal(count):.3e}".replace("e+", "e")


def _percent(part: float) -> str:
    """
    >>> [_percent(x) for x in (1.0, 0.9999, 0.971, 0.0004, 0.0)]
    ['100 %', '>99 %', '97 %', '<1 %', '0 %']
    """
    if part > 0.995 and part < 1 - 1e-12:
        return ">99 %"
    if 0 < part < 0.005:
        return "<1 %"
    return f"{100 * part:.0f} %"


__all__ = ["Explanation", "Path", "Totals", "explain"]
