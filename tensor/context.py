"""``ctx``: what the forward of a ``Function`` leaves to its backward."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

from ..engine import Op
from ..engine.op import REAL
from .node import Array, Bundle, Node

if TYPE_CHECKING:
    from .tensor import Tensor

pick = Op(
    "output", "x", params={"index": 0},
    vjp=(lambda g, y, x, index: Bundle({index: g}),),
    domain=(REAL,),
    why="One of several results: its gradient is bundled with those of the others.",
)  # fmt: skip


class Context:
    """Handed to ``forward`` and ``backward``; attributes of any other name are free to use.

    ``needs_input_grad`` says, for each argument of forward, whether it wants a gradient.
    """

    needs_input_grad: tuple[bool, ...]

    def __init__(self, arguments: list[Any]) -> None:
        self._is_tensor = tuple([hasattr(a, "_data") for a in arguments])
        self.needs_input_grad = tuple([getattr(a, "_node", None) is not None for a in arguments])
        self._asked: tuple[Tensor | None, ...] = ()
        self._constant: tuple[Any, ...] = ()
        self._materialize = True
        self._saved: Saved | None = None

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep tensors: arguments, results, others. Backward refuses if they were edited since."""
        for place, x in enumerate(tensors):
            if x is not None and not hasattr(x, "_data"):
                raise TypeError(
                    f"save_for_backward: expected tensors or None, got {type(x).__name__} in place "
                    f"{place}; keep other things as attributes: ctx.name = ..."
                )
        self._asked = tensors

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """In backward: what ``save_for_backward`` was given."""
        if self._saved is None:
            raise RuntimeError("saved_tensors: they are there once forward is done, in backward")
        return self._saved.tensors()

    def mark_non_differentiable(self, *outputs: Tensor) -> None:
        """These results get no gradient (whole numbers never do)."""
        self._constant = outputs

    def set_materialize_grads(self, value: bool) -> None:
        """With False, backward gets None, not zeros, for a result that was not used."""
        self._materialize = bool(value)

    def mark_dirty(self, *tensors: Tensor) -> None:
        raise RuntimeError(
            "mark_dirty: a Function cannot edit its arguments in place here; work on x.clone() and "
            "return that"
        )


class Saved:
    """The results of one call of a Function, and what it keeps for backward.

    The node holds the context, so this refers to the node weakly: a graph has no cycles.
    """

    def __init__(self, several: bool, outputs: list[Any], arrays: list[Array | None]) -> None:
        self.several = several
        self.outputs = outputs  # while the node is being made
        self.arrays = arrays  # per result; afterwards only of those that are kept
        self.specs = [None if a is None else (a.shape, a.dtype) for a in arrays]
        self.entries: list[Any] = []  # (array, node), or the place of a result, or None
        self.node: ref[Node] | None = None

    def join(self, op: Op, ctx: Context, operands: list[Tensor], scope: str) -> Node:
        """Make the Function's node, holding what is kept so that later edits of it are noticed."""
        held = dict.fromkeys(range(len(operands)))
        others: list[Array] = []
        for x in ctx._asked:
            result = next((i for i, out in enumerate(self.outputs) if out is x), None)
            operand = next((i for i, given in enumerate(operands) if given is x), None)
            if x is None or (operand is None and result is not None):
                self.entries.append(result)
                continue
            self.entries.append((x._data, x._node))
            if operand is None:
                others.append(x._data)
            else:
                held[operand] = x._data
        kept = {entry for entry in self.entries if entry.__class__ is int}
        shown = next(a for a in self.arrays if a is not None)
        self.arrays = [a if i in kept else None for i, a in enumerate(self.arrays)]
        mine = [a for a in self.arrays if a is not None]
        y = None if self.several or not mine else mine[0]
        inputs = tuple([x._node for x in operands])
        node = Node(op, inputs, (y, *held.values()), (ctx,), shown, scope)
        if self.several:
            others += mine
            shapes = tuple([spec[0] for spec in self.specs if spec is not None])
            node.shape = shapes
        if others:
            node.note("also saved", others)
        self.node, self.outputs = ref(node), []
        return node

    def tensors(self) -> tuple[Any, ...]:
        from .tensor import Tensor

        found: list[Any] = []
        for entry in self.entries:
            if entry is None:
                found.append(None)
            elif entry.__class__ is int:
                array = self.arrays[entry]
                assert array is not None and self.node is not None
                found.append(Tensor(array, self.place(entry, array, self.node())))
            else:
                found.append(Tensor(*entry))
        return tuple(found)

    def place(self, result: int, array: Array, node: Node | None) -> Node | None:
        """The node of a result: the Function's own, or one that picks it from several."""
        if node is None or array.dtype.kind != "f":
            return None
        if not self.several:
            return node
        return Node(pick, (node,), (None, None), (result,), array, node.scope)
