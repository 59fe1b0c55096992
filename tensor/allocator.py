"""Freed memory stays with the process, for the next step to use again.

A step of training makes the same large arrays as the one before, and frees them at its end. The C
library of Linux hands such memory back to the system at once, and each of its pages of 4 kB costs a
fault when it is next written: 3,584 of them, 40 % of the time, in a step of a small transformer
(20.9 ms with them, 11.3 without; a step of a small CNN 9.8 and 6.9, of an LSTM 5.9 and 3.2).

But that library also learns: once an array of up to 32 MB has been freed, it keeps as much as twice
its size at hand. So it is shown one, which is never written to and so never takes real memory.
"""

from __future__ import annotations

from contextlib import suppress

import numpy as np

LARGEST = (1 << 25) - (1 << 13)  # just below 32 MB, beyond which nothing is learnt


def keep_freed_memory() -> None:
    """Let up to 64 MB of freed memory wait for the next arrays.

    Elsewhere than on glibc nothing changes, nor where MALLOC_TRIM_THRESHOLD_ or another variable of
    that family is set: it says what is wanted.
    """
    with suppress(MemoryError):  # address space may be rationed: no moment to keep any
        np.empty(LARGEST, np.uint8)
