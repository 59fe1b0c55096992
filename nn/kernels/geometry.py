"""Where the taps of a sliding kernel fall, in any number of dimensions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

Sizes = tuple[int, ...]
Pads = tuple[tuple[int, int], ...]  # (before, after) per axis; negative: cut off


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
        return tuple((k - 1) * d + 1 for k, d in zip(self.kernel, self.dilation, strict=True))

    @property
    def whole(self) -> Sizes:
        """Size of the padded input, or of as much of it as outputs reach, whichever is larger."""
        return tuple(
            max(n + lo + hi, (o - 1) * s + span)
            for n, (lo, hi), o, s, span in zip(
                self.size, self.padding, self.out, self.stride, self.reach, strict=True
            )
        )

    @property
    def inner(self) -> tuple[slice, ...]:
        """Where in the padded input (N, *whole, C) the input itself lies."""
        return tuple(slice(lo, lo + n) for n, (lo, _) in zip(self.size, self.padding, strict=True))

    def taps(self) -> Iterator[tuple[Sizes, tuple[slice, ...]]]:
        """Every tap, with the places of the padded input (N, *whole, C) that the outputs meet
        there.
        """
        for tap in product(*map(range, self.kernel)):
            yield (
                tap,
                (
                    slice(None),
                    *(
                        slice(t * d, t * d + (o - 1) * s + 1, s)
                        for t, d, o, s in zip(
                            tap, self.dilation, self.out, self.stride, strict=True
                        )
                    ),
                ),
            )


@lru_cache(maxsize=4096)
def geometry(
    size: Sizes, kernel: Sizes, stride: Sizes, padding: Pads, dilation: Sizes, groups: int
) -> Geometry:
    """The geometry of sliding ``kernel`` over ``size``; axes where it does not fit have ``out`` <=
    0.
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
