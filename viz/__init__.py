"""Pictures of computations, and of training.

``draw(y)`` shows the graph that made ``y``; the ``plot_…`` functions draw what training did, on
matplotlib's axes. Graphs go through plain data (``spec``), are folded to a readable size
(``fold``) and written as DOT, SVG, PNG, Mermaid, text or JSON.
"""

from typing import TYPE_CHECKING

from ..engine.sites import tracing
from .animate import animate_boundary, frozen_boundary
from .boundary import plot_boundary
from .compare import diff
from .curves import plot_history, plot_loss
from .draw import Drawing, draw
from .failure import draw_failure
from .gradients import plot_gradient_flow, plot_update_ratios
from .grid import boundary_cell, plot_grid
from .images import plot_filters, plot_images
from .matrices import plot_attention, plot_confusion
from .network import Network, NetworkDrawing, draw_network, network
from .network_plot import animate_network, plot_network
from .rates import plot_lr_find, plot_schedule
from .render import RenderError, TooLarge
from .spec import Cluster, Edge, Graph, Node, Summary

if TYPE_CHECKING:
    from .backward.events import Event
    from .backward.explain import Explanation, explain
    from .backward.stepping import Steps, steps
    from .backward.why import Why, why_no_grad
    from .backward.zooming import Zoom, zoom

__all__ = [
    "Cluster",
    "Drawing",
    "Edge",
    "Event",
    "Explanation",
    "Graph",
    "Network",
    "NetworkDrawing",
    "Node",
    "RenderError",
    "Steps",
    "Summary",
    "TooLarge",
    "Why",
    "Zoom",
    "animate_boundary",
    "animate_network",
    "boundary_cell",
    "diff",
    "draw",
    "draw_failure",
    "draw_network",
    "explain",
    "frozen_boundary",
    "network",
    "plot_attention",
    "plot_boundary",
    "plot_confusion",
    "plot_filters",
    "plot_gradient_flow",
    "plot_grid",
    "plot_history",
    "plot_images",
    "plot_loss",
    "plot_lr_find",
    "plot_network",
    "plot_schedule",
    "plot_update_ratios",
    "steps",
    "tracing",
    "why_no_grad",
    "zoom",
]

# Loaded when first asked for: looking at backward is not what pictures wait for.
_LATER = {
    "Event": "events",
    "Explanation": "explain",
    "Steps": "stepping",
    "Why": "why",
    "Zoom": "zooming",
    "explain": "explain",
    "steps": "stepping",
    "why_no_grad": "why",
    "zoom": "zooming",
}


def __getattr__(name: str) -> object:
    if name in _LATER:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.backward.{_LATER[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
