"""What is done with a tensor's numbers outside of any op, said to the tape that listens."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ..engine.modes import mode
from .node import Array

T = TypeVar("T")


def read(how: str) -> None:
    """Say that ``how`` is about to look at a tensor's numbers, and Python to go by what it sees."""
    tape = mode().tape
    if tape is not None:
        tape.read(how)


def filled_with(array: Array) -> Array:
    """An array whose entries follow from plain numbers alone, said to be one."""
    tape = mode().tape
    if tape is not None:
        tape.filled_with(array)
    return array


def prepared(function: Callable[..., T], *args: object) -> T:
    """``function(*args)`` of arrays, for an op to take as a parameter: labels found, a mask drawn.

    It must go by its arguments alone, but for random numbers, and change none.
    """
    found = function(*args)
    tape = mode().tape
    if tape is not None:
        tape.prepared(function, args, found)
    return found


def checked(function: Callable[..., None], *args: object) -> None:
    """``function(*args)`` of arrays, which raises where their numbers are not what an op can do
    with, and is to be run again whenever the op is."""
    function(*args)
    tape = mode().tape
    if tape is not None:
        tape.checked(function, args)
