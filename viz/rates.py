"""Learning rates: what a schedule will do, and which one to start from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .curves import COLORS, DASHES, axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_schedule(schedule: Any, steps: int, ax: Axes | None = None, *, label: str = "") -> Axes:
    """Draw the learning rate of every step from 0 to ``steps - 1``; nothing is stepped.

    Args:
        schedule: one of ``gradling.optim.lr_scheduler``, of which every parameter group is drawn;
            or a function from the step to a learning rate.
        steps: how many to draw.
        ax: axes to draw into; new ones if None. Called again with the same axes, it compares.
        label: what the schedule is called in the legend; its class or function if left out.

    Raises:
        TypeError: the schedule does not follow from the step alone, or is no schedule.
        ValueError: there is no step to draw.

    >>> ax = plot_schedule(lambda step: 0.1 * 0.5 ** (step // 10), 30, label="halved")
    >>> ax.lines[0].get_ydata()[[0, 10]].tolist()
    [0.1, 0.05]
    """
    if steps < 1:
        raise ValueError(f"plot_schedule: expected at least 1 step, got {steps}")
    name = label or getattr(schedule, "__name__", type(schedule).__name__)
    lines = []
    for group, rate in enumerate(_rates(schedule)):
        rates = [float(rate(step)) for step in range(steps)]
        lines.append((rates, name if group == 0 else f"{name}, group {group}"))
    ax = axes(ax)
    for rates, text in lines:
        place = len(ax.lines)
        ax.plot(
            range(steps), rates, DASHES[place % len(DASHES)], color=COLORS[place % len(COLORS)],
            label=text, linewidth=1.5,
        )  # fmt: skip
    ax.set_xlabel("step")
    ax.set_ylabel("learning rate")
    ax.legend(loc="upper right", frameon=True, framealpha=0.9, fontsize="small")
    _plain_look(ax)
    return ax


def _rates(schedule: Any) -> list[Any]:
    """A function from step to learning rate for every group."""
    if hasattr(schedule, "lr_at"):
        groups = len(schedule.optimizer.param_groups)
        return [lambda step, group=group: schedule.lr_at(step, group) for group in range(groups)]
    if callable(schedule):
        return [schedule]
    if hasattr(schedule, "step"):
        raise TypeError(
            f"plot_schedule: a {type(schedule).__name__} does not follow from the step alone; plot "
            'the "lr" that training recorded: plot_history({"lr": history["lr"]})'
        )
    raise TypeError(
        "plot_schedule: expected a schedule or a function of the step, got "
        f"{type(schedule).__name__}"
    )


def plot_lr_find(result: Any, ax: Axes | None = None) -> Axes:
    """Draw the loss over the learning rate, and mark the suggestion.

    Args:
        result: what ``gradling.train.lr_find`` returned (``lrs``, ``losses``, ``smoothed``,
            ``suggestion``).
        ax: axes to draw into; new ones if None.

    >>> from gradling.train import LRFinderResult
    >>> rates = [10.0**-k for k in range(9, 0, -1)]
    >>> ax = plot_lr_find(LRFinderResult(rates, [2, 2, 2, 1.9, 1.5, 1.0, 0.5, 0.6, 3]))
    >>> ax.get_xscale()
    'log'
    """
    ax = axes(ax)
    ax.plot(
        result.lrs, result.losses, color="#9aa4ae", linewidth=1, alpha=0.8, label="loss of a batch"
    )
    ax.plot(result.lrs, result.smoothed, color=COLORS[0], linewidth=2, label="smoothed")
    if result.suggestion is not None:
        at = min(range(len(result.lrs)), key=lambda i: abs(result.lrs[i] - result.suggestion))
        ax.axvline(result.suggestion, color=COLORS[4], linestyle="--", linewidth=1)
        ax.plot(
            [result.suggestion], [result.smoothed[at]], "o", color=COLORS[4],
            label=f"suggestion: {result.suggestion:.2g}",
        )  # fmt: skip
    ax.set_xscale("log")
    low, high = min(result.smoothed), max(result.smoothed[: max(1, len(result.lrs) // 3)])
    room = (high - low) or 1.0
    ax.set_ylim(low - 0.3 * room, high + room)  # where it diverges it would flatten all the rest
    ax.set_xlabel("learning rate")
    ax.set_ylabel("loss")
    ax.legend(frameon=False, loc="lower left")
    _plain_look(ax)
    return ax


def _plain_look(ax: Axes) -> None:
    ax.grid(alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
