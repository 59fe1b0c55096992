"""How wide a text is in Helvetica, the font for whose widths boxes are made.

A page may be read where neither Helvetica nor a font of its widths is installed; told how long a
text is meant to be, a viewer fits the letters of any font to it. Thousandths of the size of the
font, as Adobe publishes them for its core fonts.
"""

from __future__ import annotations

# from the space to the tilde
_PLAIN = (
    "278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 "
    "556 556 556 556 556 556 556 556 556 556 278 278 584 584 584 556 "
    "1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 "
    "667 778 722 667 611 722 667 944 667 667 611 278 278 278 469 556 "
    "333 556 556 500 556 556 278 556 556 222 222 500 222 833 556 556 "
    "556 556 333 500 278 556 500 722 500 500 500 334 260 334 584"
)
_BOLD = (
    "278 333 474 556 556 889 722 238 333 333 389 584 278 333 278 278 "
    "556 556 556 556 556 556 556 556 556 556 333 333 584 584 584 611 "
    "975 722 722 722 722 667 611 778 722 278 556 722 611 833 722 778 "
    "667 778 722 667 611 722 667 944 667 667 611 333 278 333 584 556 "
    "333 556 611 556 611 556 333 611 611 278 278 556 278 889 611 611 "
    "611 611 389 556 333 611 556 778 556 556 500 389 280 389 584"
)
_WIDTHS = {
    bold: {chr(32 + place): int(width) for place, width in enumerate(table.split())}
    for bold, table in ((False, _PLAIN), (True, _BOLD))
}


def width(text: str, size: float, *, bold: bool = False) -> float | None:
    """The width of ``text``, in the unit of ``size``; None where a letter's is not known.

    >>> width("loss", 10.0)
    17.78
    >>> width("∇f", 10.0) is None
    True
    """
    table = _WIDTHS[bold]
    if not all(letter in table for letter in text):
        return None
    return round(sum(table[letter] for letter in text) * size / 1000, 2)
