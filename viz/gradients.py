"""Whether gradients arrive, and how far steps move the weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .boundary import _plain
from .curves import COLORS, DASHES, axes

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from matplotlib.axes import Axes

    Floats = npt.NDArray[np.float64]


def plot_gradient_flow(model: Any, ax: Axes | None = None) -> Axes:
    """Draw the mean and the largest size of every parameter's gradient, from input to output.

    Call it after ``backward()``. Bars that shrink towards the input show gradients that vanish,
    bars that grow show ones that explode; a parameter that nothing arrives at is marked ("no
    gradient" where none was computed, "all zero" for one that is zero everywhere, "not finite").

    Args:
        model: a module on Tensors, or on Values (whose parameters count by layer).
        ax: axes to draw into; new ones if None.

    Raises:
        TypeError: ``model`` has no parameters().
        ValueError: it has no parameters, or none of them has a gradient.

    >>> import gradling
    >>> model = gradling.nn.Linear(2, 1)
    >>> model(gradling.ones(3, 2)).sum().backward()
    >>> [label.get_text() for label in plot_gradient_flow(model).get_xticklabels()]
    ['weight', 'bias']
    """
    import numpy as np

    found = [(name, _gradient(parts)) for name, parts in parameters_by_name(model)]
    if all(gradient is None for _, gradient in found):
        raise ValueError("plot_gradient_flow: no parameter has a gradient; call backward() first")
    means, tops, marks = [], [], []
    for _, gradient in found:
        size = np.abs(gradient) if gradient is not None and gradient.size else np.zeros(1)
        finite = bool(np.isfinite(size).all())
        means.append(float(size.mean()) if finite else 0.0)
        tops.append(float(size.max()) if finite else 0.0)
        mark = "no gradient" if gradient is None else "" if tops[-1] else "all zero"
        marks.append(mark if finite else "not finite")
    ax = axes(ax)
    places = np.arange(len(found))
    ax.bar(places, tops, width=0.8, color=COLORS[5], label="largest |gradient|")
    ax.bar(places, means, width=0.5, color=COLORS[0], label="mean |gradient|")
    if any(tops):
        ax.set_yscale("log")
        ax.set_ylim(min(size for size in means if size) / 3, max(tops) * 2)
    for place, mark in enumerate(marks):
        if mark:
            ax.axvspan(place - 0.5, place + 0.5, color="#f7dcc9", zorder=0)
            ax.text(
                place, 0.03, mark, rotation=90, ha="center", va="bottom", color="#9a3412",
                transform=ax.get_xaxis_transform(),
            )  # fmt: skip
    ax.set_xticks(places, [name for name, _ in found], rotation=90)
    ax.set_ylabel("|gradient|")
    ax.legend(loc="upper right", frameon=True, framealpha=0.9, fontsize="small")
    ax.grid(alpha=0.3, axis="y")
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def plot_update_ratios(ratios: Any, ax: Axes | None = None) -> Axes:
    """Draw how far each step moved each parameter, relative to its size.

    The ratio is ‖change‖ / ‖weights‖ of one step. About 1e-3 (dashed) is healthy: much less, and a
    parameter hardly learns; much more, and it is thrown about.

    Args:
        ratios: a ``gradling.train.UpdateRatios`` callback after training; or a mapping of names to
            one ratio a step.
        ax: axes to draw into; new ones if None.

    Raises:
        ValueError: no step was recorded.

    >>> ax = plot_update_ratios({"weight": [1e-2, 1e-3], "bias": [1e-3, 1e-4]})
    >>> ax.get_yscale()
    'log'
    """
    import numpy as np

    series: Mapping[str, Any] = getattr(ratios, "ratios", ratios)
    steps = getattr(ratios, "steps", None)
    if not any(len(values) for values in series.values()):
        raise ValueError("plot_update_ratios: no step was recorded; train first")
    ax = axes(ax)
    for place, (name, values) in enumerate(series.items()):
        sizes = np.asarray(values, dtype=np.float64)
        ax.plot(
            np.arange(1, len(sizes) + 1) if steps is None else steps,
            np.where(np.isfinite(sizes) & (sizes > 0), sizes, np.nan),
            DASHES[place // len(COLORS) % len(DASHES)],
            marker="o" if len(sizes) == 1 else "",
            color=COLORS[place % len(COLORS)],
            linewidth=1.2,
            label=str(name),
        )
    ax.axhline(1e-3, color="#57606a", linestyle="--", linewidth=1)
    ax.set_yscale("log")
    ax.set_xlabel("step")
    ax.set_ylabel("‖change‖ / ‖weights‖")
    ax.legend(loc="upper right", frameon=True, framealpha=0.9, fontsize="small")
    ax.grid(alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def parameters_by_name(model: Any) -> Iterator[tuple[str, list[Any]]]:
    """Named parameters in order; the single numbers of a net of Values joined by layer."""
    if not callable(getattr(model, "parameters", None)):
        raise TypeError(f"expected a model with parameters(), got {type(model).__name__}")
    if hasattr(model, "named_parameters"):
        pairs = list(model.named_parameters())
    else:
        pairs = [(str(i), p) for i, p in enumerate(model.parameters())]
    if not pairs:
        raise ValueError(f"this {type(model).__name__} has no parameters")
    joined: dict[str, list[Any]] = {}
    for name, parameter in pairs:
        if hasattr(parameter, "edges"):  # a Value
            name = ".".join(name.split(".")[:2]) if hasattr(model, "named_parameters") else "all"
        joined.setdefault(name, []).append(parameter)
    yield from joined.items()


def _gradient(parts: list[Any]) -> Floats | None:
    """The gradients of some parameters as one flat array; None where there is none at all."""
    import numpy as np

    held = [p._grad if hasattr(p, "edges") else p.grad for p in parts]
    if all(gradient is None for gradient in held):
        return None
    flat = [
        np.asarray(0.0 if gradient is None else _plain(gradient), dtype=np.float64).reshape(-1)
        for gradient in held
    ]
    return np.concatenate(flat)
