"""For the documentation generator: examples in docstrings are code, though no heading says so."""

from __future__ import annotations

import re
from typing import Any

import griffe

# from a line that begins with >>> to the next blank line
EXAMPLE = re.compile(r"^>>> .*(?:\n(?!\s*$).*)*", flags=re.MULTILINE)


def fenced(text: str) -> str:
    """Docstring text with every example in a code block.

    >>> print(fenced("A sum:\\n\\n>>> 1 + 1\\n2"))
    A sum:
    <BLANKLINE>
    ```pycon
    >>> 1 + 1
    2
    ```
    """
    return EXAMPLE.sub(lambda found: f"```pycon\n{found[0]}\n```", text)


class Doctests(griffe.Extension):
    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = fenced(obj.docstring.value)
