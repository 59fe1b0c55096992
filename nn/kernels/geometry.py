"""Where the taps of a sliding kernel fall, in any number of dimensions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

Sizes = tuple[int, ...]
Pads = tuple[tuple[int, int], ...]  # (before, after) per axis; negative: cut off
Slices = tuple[slice, ...]


@dataclass(frozen=True, slots=True)
class Geometry:
    """Sizes that the forms of one convolution share, per spatial axis.

    Output position i meets input position ``i * stride + tap * dilation - padding[0]`` at each tap.
    """

    size: Sizes  # of the input
    out: Sizes  # of the output
    kernel: Sizes
    stride: Sizes
    dilation: Sizes
    padding: Pads
    groups: int

    @property
    def reach(self) -> Sizes:
        """How much input one output position spans."""
        return tuple([(k - 1) * d + 1 for k, d in zip(self.kernel, self.dilation, strict=True)])

    @property
    def whole(self) -> Sizes:
        """Size of the padded input, or of as much of it as outputs reach, whichever is larger."""
        return tuple(
            [
                max(n + lo + hi, (o - 1) * s + span)
                for n, (lo, hi), o, s, span in zip(
                    self.size, self.padding, self.out, self.stride, self.reach, strict=True
                )
            ]
        )

    @property
    def inner(self) -> Slices:
        """Where in the padded input (*whole) the input itself lies."""
        return tuple(
            [slice(lo, lo + n) for n, (lo, _) in zip(self.size, self.padding, strict=True)]
        )

    def taps(self) -> Iterator[tuple[Sizes, Slices]]:
        """Every tap, with the places of the padded input (*whole) that the outputs meet there."""
        for tap in product(*map(range, self.kernel)):
            yield (
                tap,
                tuple(
                    [
                        slice(t * d, t * d + (o - 1) * s + 1, s)
                        for t, d, o, s in zip(
                            tap, self.dilation, self.out, self.stride, strict=True
                        )
                    ]
                ),
            )

    def meetings(self, lines: slice | None = None) -> Iterator[tuple[Sizes, Slices, Slices]]:
        """Every tap that meets input, with the input's places and the outputs that meet them.

        Outputs are those of ``lines`` of the first axis, counted from its start.
        """
        axes = [self._axis(axis, lines if axis == 0 else None) for axis in range(len(self.size))]
        for tap in product(*map(range, self.kernel)):
            met = [axis[t] for axis, t in zip(axes, tap, strict=True)]
            if all(met):
                yield tap, tuple([m[0] for m in met if m]), tuple([m[1] for m in met if m])

    def _axis(self, axis: int, lines: slice | None) -> list[tuple[slice, slice] | None]:
        """Per tap of one axis: where input and outputs meet, if anywhere."""
        n, s, d = self.size[axis], self.stride[axis], self.dilation[axis]
        lo = self.padding[axis][0]
        start, stop = (0, self.out[axis]) if lines is None else (lines.start, lines.stop)
        found: list[tuple[slice, slice] | None] = []
        for t in range(self.kernel[axis]):
            first = max(start, -((t * d - lo) // s))  # the first output at or after input 0
            last = min(stop - 1, (n - 1 + lo - t * d) // s)
            if first > last:
                found.append(None)
                continue
            place = first * s + t * d - lo
            found.append(
                (
                    slice(place, place + (last - first) * s + 1, s),
                    slice(first - start, last - start + 1),
                )
            )
        return found


@lru_cache(maxsize=4096)
def geometry(
    size: Sizes, kernel: Sizes, stride: Sizes, padding: Pads, dilation: Sizes, groups: int
) -> Geometry:
    """The geometry of sliding ``kernel`` over ``size``; ``out`` is below 1 where it does not
    fit.
    """
    out = tuple(
        (n + lo + hi - (k - 1) * d - 1) // s + 1
        for n, k, s, (lo, hi), d in zip(size, kernel, stride, padding, dilation, strict=True)
    )
    return Geometry(size, out, kernel, stride, dilation, padding, groups)


@lru_cache(maxsize=4096)
def mirrored(how: Geometry) -> Geometry:
    """The geometry of the gradient to the input at stride 1: a convolution with the kernel turned
    round.
    """
    padding = tuple(
        (span - 1 - lo, size + lo - out)
        for span, size, out, (lo, _) in zip(how.reach, how.size, how.out, how.padding, strict=True)
    )
    return Geometry(how.out, how.size, how.kernel, how.stride, how.dilation, padding, how.groups)
