"""Pictures of computations, and of training.

``draw(y)`` shows the graph that made ``y``; ``plot_loss``, ``plot_history`` and ``plot_boundary``
draw what training did. Graphs go through plain data (``spec``), are folded to a readable size
(``fold``) and written as DOT, SVG, PNG, Mermaid, text or JSON.
"""

from .boundary import plot_boundary
from .curves import plot_history, plot_loss
from .draw import Drawing, draw
from .render import RenderError, TooLarge
from .spec import Cluster, Edge, Graph, Node, Summary

__all__ = [
    "Cluster",
    "Drawing",
    "Edge",
    "Graph",
    "Node",
    "RenderError",
    "Summary",
    "TooLarge",
    "draw",
    "plot_boundary",
    "plot_history",
    "plot_loss",
]
