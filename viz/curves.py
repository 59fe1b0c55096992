"""Training curves. Functions take and return matplotlib axes.

matplotlib is imported when the first plot is drawn; without a display it draws to memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from matplotlib.axes import Axes

    Floats = npt.NDArray[np.float64]

# Okabe and Ito's colours, neighbours far apart; lines also differ in dashes, points in marks.
COLORS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#000000")
DASHES = ("-", "--", "-.", ":")


def plot_loss(losses: Iterable[Any], ax: Axes | None = None, *, label: str = "loss") -> Axes:
    """Draw one loss per step.

    Args:
        losses: numbers, one-element Tensors or Values, in the order of the steps. A loss that is
            not finite leaves a gap, and the title says how many there are.
        ax: axes to draw into; new ones if None.
        label: what the numbers are.

    Raises:
        ValueError: there is no loss to draw, or a loss is not a single number.

    >>> ax = plot_loss([2.3, 1.1, 0.7])
    >>> ax.get_ylabel()
    'loss'
    """
    return plot_history({label: losses}, ax)


def plot_history(history: Any, ax: Axes | None = None) -> Axes:
    """Draw every series of a training history over its steps.

    Args:
        history: what ``gradling.train.fit`` returns; a mapping of names to sequences of numbers;
            an object whose ``history`` is one; or a sequence of mappings, one per step, where a
            name that is missing leaves a gap.
        ax: axes to draw into; new ones if None.

    Raises:
        TypeError: ``history`` is none of these.
        ValueError: there is nothing to draw, or an entry is not a single number.

    >>> ax = plot_history({"loss": [2.0, 1.0], "accuracy": [0.4, 0.8]})
    >>> [line.get_label() for line in ax.lines]
    ['loss', 'accuracy']
    """
    import numpy as np

    series = {str(name): numbers(name, values) for name, values in _series(history).items()}
    if not any(len(values) for values in series.values()):
        raise ValueError("there is nothing to plot: expected at least one number, got none")
    ax = axes(ax)
    lost = 0
    for place, (name, values) in enumerate(series.items()):
        finite = np.isfinite(values)
        lost += int(np.sum(~finite))
        ax.plot(
            np.arange(1, len(values) + 1),
            np.where(finite, values, np.nan),
            DASHES[place % len(DASHES)],
            marker="o" if finite.sum() == 1 else "",
            color=COLORS[place % len(COLORS)],
            label=name,
            linewidth=1.5,
        )
    ax.set_xlabel("epoch" if getattr(history, "records", None) else "step")
    if len(series) == 1:
        ax.set_ylabel(next(iter(series)))
    else:
        ax.legend(loc="center right", frameon=False)
    if lost:
        ax.set_title(f"{lost} not finite: gaps in the line", fontsize="medium")
    ax.grid(alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _series(history: Any) -> Mapping[Any, Iterable[Any]]:
    if hasattr(history, "records"):  # what train.fit gives; what is no curve stays out
        rows = [_curves(record) for record in history.records]
        history = rows or [{"loss": number} for number in history.batch_losses]
    history = getattr(history, "history", history)
    if isinstance(history, Mapping):
        return history
    if isinstance(history, Sequence) and all(isinstance(row, Mapping) for row in history):
        names = dict.fromkeys(name for row in history for name in row)
        return {name: [row.get(name, float("nan")) for row in history] for name in names}
    raise TypeError(
        "plot_history() takes a mapping of names to numbers, or a list of such mappings, one per "
        f"step; got {type(history).__name__}; for a plain list of losses use plot_loss()"
    )


def _curves(record: Mapping[str, Any]) -> dict[str, float]:
    return {
        name: value
        for name, value in record.items()
        if name not in ("epoch", "lr", "seconds") and isinstance(value, (int, float))
    }


def numbers(name: Any, values: Iterable[Any]) -> Floats:
    """Plain floats from numbers, Values and one-element Tensors."""
    import numpy as np

    plain = []
    for step, value in enumerate(values):
        number = getattr(value, "_data", getattr(value, "data", value))
        array = np.asarray(value if isinstance(number, memoryview) else number, dtype=np.float64)
        if array.size != 1:
            raise ValueError(
                f"{name}: expected one number per step, step {step + 1} has shape {array.shape}; "
                "reduce it, e.g. with .mean()"
            )
        plain.append(float(array.reshape(())))
    return np.array(plain, dtype=np.float64)


def axes(ax: Axes | None) -> Axes:
    """``ax``, or new axes."""
    return pyplot().subplots(layout="constrained")[1] if ax is None else ax


def pyplot() -> Any:
    """matplotlib's pyplot, or what to install for it."""
    try:
        from matplotlib import pyplot as found
    except ImportError as error:
        raise ImportError(
            "plots need matplotlib, which is not installed: pip install 'gradling[plot]'"
        ) from error
    return found
