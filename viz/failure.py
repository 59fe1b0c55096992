"""An exception and the graph up to it: what had been computed when an op failed.

Nothing is prepared for that while all is well. The operands are found afterwards, among the local
variables of the frames that the exception passed through.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from types import FrameType, TracebackType
from typing import Any

from .draw import Drawing, longest
from .fold import fold
from .read import read
from .spec import Edge, Node
from .words import shape_text

BUDGET = 14  # boxes: a picture of a failure is read in a hurry
LINES = 24  # of text, under a traceback
_PACKAGE = __name__.partition(".")[0]


def draw_failure(error: BaseException | None = None) -> Drawing:
    """The graph up to the op that ``error`` came from, which is marked.

    Errors raised inside a module bring it along, as ``error.graph`` and as a note under their
    traceback; for others call this: in a debugger, in ``except``, or after the fact.

    Args:
        error: an exception that was raised; by default the last one that nobody caught.

    Raises:
        ValueError: there is none, or no tensor was at hand where it was raised.

    >>> import gradling
    >>> x = gradling.ones(2, 3, requires_grad=True)
    >>> try:
    ...     x.exp() @ x
    ... except ValueError as error:
    ...     print(draw_failure(error))  # doctest: +ELLIPSIS
    matmul (failed here)...
    ├─ exp...
    │  └─ leaf...
    └─ leaf...
    up to the ShapeError · 2 ops
    """
    error = error or getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)
    if error is None:
        raise ValueError("draw_failure() needs an exception: none was left uncaught")
    frames = _frames(error.__traceback__)
    name, operands = _failed(frames)
    if not operands:
        raise ValueError(f"draw_failure: no tensor was at hand where {error!r} was raised")
    reading = read(operands, _model(frames))
    nodes = [replace(node, result=False) for node in reading.graph.nodes]
    at = {id(source): node.id for source, node in zip(reading.sources, nodes, strict=True)}
    scope = str(getattr(error, "in_module", ""))
    key = f"n{len(nodes)}"
    ids = [at[id(source)] for source in _sources(reading.sources, operands)]
    failed = Node(
        key,
        "op",
        op=name,
        operands=tuple(str(place) for place in range(len(ids))),
        notes=("failed here", " and ".join(shape_text(one.shape) for one in operands)),
        scope=scope,
        result=True,
        failed=True,
        count=1,
    )
    reading.graph = replace(
        reading.graph,
        nodes=(*nodes, failed),
        edges=(*reading.graph.edges, *(Edge(one, key, at) for at, one in enumerate(ids))),
        ops=reading.graph.ops + 1,
    )
    reading.sources.append(_Nothing())
    folded = fold(reading.graph, BUDGET)
    graph = reading.moment(folded).fill(folded)
    title = f"up to the {type(error).__name__}"
    return Drawing(graph, title, "LR" if longest(graph) <= BUDGET // 2 else "TB")


class _Nothing:
    """The result that never was."""

    shape, grad = (), None


def _sources(sources: list[Any], operands: list[Any]) -> Iterator[Any]:
    by_array = {id(one.content): one for one in sources if hasattr(one, "content")}
    for operand in operands:
        yield operand._node if operand._node is not None else by_array[id(operand._data)]


def _frames(trace: TracebackType | None) -> list[FrameType]:
    """The frames that an exception passed through, outermost first."""
    frames: list[FrameType] = []
    while trace is not None:
        frames.append(trace.tb_frame)
        trace = trace.tb_next
    return frames


def _model(frames: list[FrameType]) -> Any:
    """The outermost module that was running, whose parameters have names."""
    running = (frame.f_locals.get("self") for frame in frames)
    return next((one for one in running if hasattr(one, "named_parameters")), None)


def _failed(frames: list[FrameType]) -> tuple[str, list[Any]]:
    """Name and operands of what failed: an op's, or whatever the innermost tensors were."""
    for frame in reversed(frames):
        op: Any = frame.f_locals.get("op")
        if hasattr(op, "vjp") and (found := _tensors(frame)):
            return op.name if op.name.startswith("conv") else op.symbol, found
    for frame in reversed(frames):
        if found := _tensors(frame):
            return frame.f_code.co_name, found
    return "", []


def _tensors(frame: FrameType) -> list[Any]:
    """Tensors among the arguments of a frame, in order, else among all its variables."""
    names = frame.f_code.co_varnames[: frame.f_code.co_argcount]
    given = [frame.f_locals[name] for name in names if name in frame.f_locals]
    return list(_flat(given)) or list(_flat(list(frame.f_locals.values())))


def _flat(things: list[Any]) -> Iterator[Any]:
    for thing in things:
        if isinstance(thing, tuple | list):
            yield from (one for one in thing if _is_tensor(one))
        elif _is_tensor(thing):
            yield thing


def _is_tensor(thing: Any) -> bool:
    return hasattr(type(thing), "_node") and hasattr(thing, "_data")


def attach(error: Exception) -> None:
    """Let ``error`` carry the graph: as a note, as ``error.graph``, in a notebook as a picture.

    Whatever goes wrong here must not take the place of the error itself.
    """
    try:
        drawing = draw_failure(error)
        if drawing.graph.ops < 2:
            return  # nothing had been computed: the error says it all
        lines = str(drawing).splitlines()
        if len(lines) > LINES:
            lines[LINES - 1 : -1] = [f"… {len(lines) - LINES} lines more in error.graph"]
        error.add_note("\n".join(["the graph up to it:", *lines]))
        error.graph = drawing  # type: ignore[attr-defined]
        if "IPython" in sys.modules:
            _show_in_notebook(error, drawing)
    except Exception:
        return


def _show_in_notebook(error: Exception, drawing: Drawing) -> None:
    from IPython import get_ipython  # type: ignore[import-not-found,unused-ignore]

    shell = get_ipython()
    if not hasattr(shell, "kernel"):
        return

    def shown() -> Any:
        from IPython.display import display  # type: ignore[import-not-found,unused-ignore]

        show: Any = display
        show(drawing)
        return shell.InteractiveTB.structured_traceback(type(error), error, error.__traceback__)

    error._render_traceback_ = shown  # type: ignore[attr-defined]
