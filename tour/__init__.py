"""The tour: everything the library is for, once, on real input, in about twenty seconds.

`python -m gradling` runs it. A chapter is a function of a `Guide` in a file of its own.
"""

from .cli import main

__all__ = ["main"]
