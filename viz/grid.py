"""A grid of experiments: two factors, a cell for every pair of their settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .boundary import plot_boundary

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Record = Mapping[str, Any]
Cell = Callable[[Record, Any], Any]


def plot_grid(
    results: Iterable[Record],
    *,
    rows: str,
    columns: str,
    cell: Cell | None = None,
    score: str | None = "accuracy",
    axes: Any = None,
) -> Any:
    """Draw experiments in a grid over any two of their settings.

    Args:
        results: records, one a run, as ``gradling.train.sweep`` returns them.
        rows, columns: the two factors: names of settings that every record has.
        cell: a function ``(record, ax)`` that draws one run, such as ``boundary_cell(X, y)``; None
            shades the cell by its score.
        score: the name of a result written over each cell; None for none.
        axes: an array of axes (rows, columns) to draw into; new ones if None.

    A run that failed says so, and one that is missing leaves its cell empty.

    Returns:
        The axes, an array (rows, columns), in the order in which the settings appear.

    Raises:
        ValueError: there is no record, two records are in one cell, or ``axes`` has another shape.
        KeyError: a record lacks a factor, or no record has the score.

    >>> results = [{"lr": lr, "width": w, "accuracy": lr * w} for lr in (0.1, 0.2) for w in (1, 2)]
    >>> plot_grid(results, rows="lr", columns="width").shape
    (2, 2)
    """
    import numpy as np

    cells, down, across = _by_place(list(results), rows, columns)
    scores = {place: _score(record, score) for place, record in cells.items()}
    if score is not None and all(value is None for value in scores.values()):
        known = dict.fromkeys(name for record in cells.values() for name in record)
        raise KeyError(f"plot_grid: no run has {score!r}; there are {', '.join(known)}")
    grid = _axes(axes, len(down), len(across))
    finite = [value for value in scores.values() if value is not None and np.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    for (i, j), ax in np.ndenumerate(grid):
        record, number = cells.get((i, j)), scores.get((i, j))
        ax.set_xticks([])
        ax.set_yticks([])
        if record is None or record.get("error"):
            ax.text(0.5, 0.5, "failed" if record else "no run", ha="center", va="center",
                    color="#9a3412" if record else "#57606a", transform=ax.transAxes)  # fmt: skip
        elif cell is not None:
            cell(record, ax)
            _bare(ax)
        elif number is not None:
            ax.imshow([[number]], cmap="Blues", vmin=low - 0.2 * (high - low), vmax=high + 1e-12,
                      extent=(0, 1, 0, 1), aspect="auto", alpha=0.8)  # fmt: skip
        if number is not None:
            ax.set_title(f"{number:.4g}", fontsize="medium")
        if j == 0:
            ax.set_ylabel(f"{rows} = {down[i]}")
        if i == len(down) - 1:
            ax.set_xlabel(f"{columns} = {across[j]}")
    return grid


def boundary_cell(X: Any, y: Any, *, model: str = "model", threshold: float = 0.0) -> Cell:
    """A cell for ``plot_grid`` that draws the boundary of the model in each record.

    Args:
        X, y, threshold: as for ``plot_boundary``.
        model: the name of the result that holds the trained model (or any function of points).
    """

    def draw(record: Record, ax: Axes) -> None:
        if model not in record:
            raise KeyError(
                f"boundary_cell: the record has no {model!r}; let the run return it, "
                f"{{{model!r}: trained, ...}}"
            )
        plot_boundary(record[model], X, y, ax, threshold=threshold, resolution=60)

    return draw


def _by_place(
    records: list[Record], rows: str, columns: str
) -> tuple[dict[tuple[int, int], Record], list[Any], list[Any]]:
    """Records by (row, column), and the settings of the rows and of the columns."""
    if not records:
        raise ValueError("plot_grid: there is no run to draw")
    for record in records:
        for factor in (rows, columns):
            if factor not in record:
                raise KeyError(
                    f"plot_grid: a run has no {factor!r}; there are {', '.join(map(str, record))}"
                )
    down, across = (
        [*dict.fromkeys(record[factor] for record in records)] for factor in (rows, columns)
    )
    cells: dict[tuple[int, int], Record] = {}
    for record in records:
        place = down.index(record[rows]), across.index(record[columns])
        if place in cells:
            raise ValueError(
                f"plot_grid: several runs have {rows}={record[rows]!r} and "
                f"{columns}={record[columns]!r}; choose among the other settings first, e.g. "
                "results.where(seed=0)"
            )
        cells[place] = record
    return cells, down, across


def _score(record: Record, score: str | None) -> float | None:
    value = None if score is None else record.get(score)
    return float(value) if isinstance(value, (int, float)) else None


def _axes(axes: Any, rows: int, columns: int) -> Any:
    import numpy as np

    from .curves import pyplot

    if axes is None:
        size = (1 + 2.1 * columns, 0.6 + 2.2 * rows)
        return pyplot().subplots(rows, columns, squeeze=False, layout="constrained", figsize=size)[
            1
        ]
    grid = np.asarray(axes, dtype=object)
    if grid.shape != (rows, columns):
        raise ValueError(
            f"plot_grid: expected axes of shape ({rows}, {columns}), got {grid.shape}; "
            "pyplot.subplots(rows, columns, squeeze=False) makes them"
        )
    return grid


def _bare(ax: Axes) -> None:
    """Cells are too small for ticks and legends of their own."""
    legend = ax.get_legend()
    if legend is not None:
        legend.remove()
    ax.set(xticks=[], yticks=[], xlabel="", ylabel="")
