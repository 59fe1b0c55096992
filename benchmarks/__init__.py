"""How fast gradling is, against what else could be used: ``python -m benchmarks``, in the checkout.

A case (``cases/``) sets up the same work for several entrants. Each entrant runs in a process of
its own (``worker.py``), all with the same data, dtype and number of threads; they take turns, a
block of steps each (``measure.py``), so that a busy machine slows all of them alike.
"""
