"""``lift``: a program written on single numbers, run for a whole batch as array operations."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..engine import Value
from ..engine.modes import mode
from ..engine.walk import accumulate
from ..tensor import Tensor
from ..tensor.function import Function
from ..tensor.trees import form
from ..tensor.trees import leaves as tree_leaves
from .arguments import Call
from .places import Array, Bank
from .program import read
from .recording import LiftError, Recording, parameters_of
from .trace import Trace

WAYS = 64  # through one program


class Lifted:
    """What ``lift`` gives: called with arrays of samples, it answers with tensors.

    It has the ``parameters()`` of the module it was made of, so that optimizers and ``fit`` take
    it.
    """

    takes_batches = True  # for the training loop: a net of Values that is called like a module

    def __init__(self, fn: Callable[..., Any], in_dims: Any = 0) -> None:
        if not callable(fn):
            raise TypeError(
                f"lift: expected a function or a module of Values, got {type(fn).__name__}"
            )
        if hasattr(fn, "parameters") and any(isinstance(p, Tensor) for p in fn.parameters()):
            raise TypeError(
                f"lift: {type(fn).__name__} works on tensors already, whole batches at once; lift "
                "takes programs on Values, such as nn.MLP"
            )
        self.fn, self.in_dims = fn, in_dims
        self.training = True
        self._ways: dict[Any, list[Trace]] = {}
        self._recording = threading.Lock()

    def __call__(self, *args: Any) -> Any:
        call = Call(args, self.in_dims)
        parts = self._run(call)
        return _answer(call, parts)

    def _run(self, call: Call) -> list[_Part]:
        """Each sample by the way it goes; ways that are not known yet are recorded."""
        known = self._ways.setdefault(call.key, [])
        waiting: Array = np.arange(call.samples)
        parts: list[_Part] = []
        tried = 0
        while True:
            ways = list(known)
            for trace in ways[tried:]:
                waiting = self._try(trace, call, waiting, parts)
                if not waiting.size:
                    return parts
            tried = len(ways)
            with self._recording:
                if len(known) == tried:  # nobody else has recorded meanwhile
                    known.append(self._record(call, waiting, tried))

    def _try(self, trace: Trace, call: Call, rows: Array, parts: list[_Part]) -> Array:
        """Run ``rows`` by one way; those that keep to it are done, the others remain."""
        numbers = np.array([p.data for p in trace.parameters], float)
        batched = call.batched if rows.size == call.samples else call.batched[:, rows]
        bank, kept = trace.run(numbers, call.shared, batched)
        kept = np.broadcast_to(kept, rows.shape)
        if not kept.all():
            bank = Bank(bank.shared, bank.batched[:, kept])
        if kept.any():
            parts.append(_Part(trace, rows[kept], bank))
        left: Array = rows[~kept]
        return left

    def _record(self, call: Call, rows: Array, known: int) -> Trace:
        if known >= WAYS:
            raise LiftError(
                f"lift: the samples took more than {WAYS} ways through the function: comparisons "
                "decide differently for almost each; write the choice as an op (relu, maximum, "
                "clamp), or run the function on Values"
            )
        if not rows.size:
            raise ValueError("lift: the first call needs at least one sample, to record one run")
        first = Recording(self.fn, call.sample(rows[0]))
        again = Recording(self.fn, call.sample(rows[-1]))
        if again.outcomes() != first.outcomes():
            again = Recording(self.fn, call.sample(rows[0]))
        parameters = parameters_of(first, again)
        program = read(first, parameters, call.flags)
        return Trace(program, call.flags, form(first.out))

    # As a model -----------------------------------------------------------------------------------

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """As the lifted module gives them; of a function, the Values that its runs have met."""
        if hasattr(self.fn, "named_parameters"):
            yield from self.fn.named_parameters()
            return
        met = dict.fromkeys(
            p for ways in self._ways.values() for way in ways for p in way.parameters
        )
        yield from ((p.label or f"value.{i}", p) for i, p in enumerate(met))

    def parameters(self) -> list[Value]:
        return [p for _, p in self.named_parameters()]

    def zero_grad(self) -> None:
        for p in self.parameters():
            p.zero_grad()

    def train(self, mode: bool = True) -> Lifted:
        self.training = mode
        return self

    def eval(self) -> Lifted:
        return self.train(False)

    def __reduce__(self) -> tuple[Any, ...]:
        return Lifted, (self.fn, self.in_dims)  # a copy records anew: its Values are copies too

    def __repr__(self) -> str:
        return f"Lifted({self.fn!r})"


class _Part(NamedTuple):
    """Samples that went one way, and all numbers on it."""

    trace: Trace
    rows: Array
    bank: Bank


# Results ------------------------------------------------------------------------------------------


class _Plan:
    """How the rows of results become tensors: one for a Value or a list, several for a tuple."""

    def __init__(self, tree: Any) -> None:
        self.several = isinstance(tree, tuple)
        self.branches = list(tree) if self.several else [tree]
        self.counts = [len(list(tree_leaves(branch))) for branch in self.branches]
        self.shapes = [_shape(branch) for branch in self.branches]

    def arrays(self, out: Array) -> list[Array]:
        """(results, samples…) as an array (samples…, *shape) for each."""
        found, start = [], 0
        for count, shape in zip(self.counts, self.shapes, strict=True):
            rows = out[start : start + count]
            found.append(rows.T.reshape(*out.shape[1:], *shape) if shape else rows[0])
            start += count
        return found

    def rows(self, gradients: Sequence[Array], samples: tuple[int, ...]) -> Array:
        """The reverse of ``arrays``."""
        parts = [
            g.reshape(*samples, count).T for g, count in zip(gradients, self.counts, strict=True)
        ]
        return np.concatenate(parts)


def _shape(tree: Any) -> tuple[int, ...]:
    if not isinstance(tree, list):
        if tree is not None:
            raise LiftError(
                "lift: a result must be a Value or a list of them (lists of equal length may nest),"
                f" got {type(tree).__name__}; a tuple gives several results, not within one"
            )
        return ()
    shapes = {_shape(branch) for branch in tree}
    if len(shapes) != 1:
        raise LiftError(
            "lift: a list of results becomes an array, so its entries must be alike; return a "
            "tuple for results of different shape"
        )
    return (len(tree), *shapes.pop())


def _answer(call: Call, parts: list[_Part]) -> Any:
    plan = _Plan(parts[0].trace.form)
    for part in parts:
        if part.trace.form != parts[0].trace.form:
            raise LiftError("lift: samples that take different ways must give results of one shape")
    samples = (call.samples,) if call.many else ()
    found = [part.trace.out(part.bank) for part in parts]
    if len(parts) == 1 and (found[0].ndim == 2 or not call.many):
        whole = found[0].reshape(sum(plan.counts), *samples)
    elif call.many:
        whole = np.empty((sum(plan.counts), call.samples))
        for part, rows in zip(parts, found, strict=True):
            whole[:, part.rows] = rows if rows.ndim == 2 else rows[:, None]
    arrays = plan.arrays(whole)
    values = parts[0].trace.followed
    if len(parts) > 1:
        values = list(dict.fromkeys(p for part in parts for p in part.trace.followed))
    tensors = [x for x in call.args if isinstance(x, Tensor)]
    if not mode().grad or not (values or any(x.requires_grad for x in tensors)):
        made = [Tensor(np.array(a)) for a in arrays]
    else:
        held = _Held(call, parts, plan, samples, values, arrays)
        flat = Tensor(np.zeros(len(values))).requires_grad_()  # there to receive the gradient
        flat.register_hook(lambda g: accumulate(values, g._data.tolist()))
        made = list(_Replay.apply(held, flat, *tensors))
    return tuple(made) if plan.several else made[0]


class _Held(NamedTuple):
    call: Call
    parts: list[_Part]
    plan: _Plan
    samples: tuple[int, ...]
    values: list[Value]
    arrays: list[Array]

    def gradients(self, gs: Sequence[Array]) -> tuple[Array, list[Array]]:
        """By the parameters, and by each argument."""
        rows = self.plan.rows(gs, self.samples)
        if len(self.parts) == 1:
            trace, _, bank = self.parts[0]
            of_values, *of_inputs = trace.backward(bank, rows)
            return of_values, self.call.split(*of_inputs)
        place = {v: i for i, v in enumerate(self.values)}
        total = np.zeros(len(self.values))
        shared = np.zeros(self.call.shared.shape)
        batched = np.zeros(self.call.batched.shape)
        for trace, mine, bank in self.parts:
            g = rows[:, mine] if self.samples else rows
            of_values, of_shared, of_batched = trace.backward(bank, g)
            total[[place[v] for v in trace.followed]] += of_values
            shared += of_shared
            batched[:, mine] += of_batched
        return total, self.call.split(shared, batched)


class _Replay(Function):
    """The lifted program as one node of the graph of tensors."""

    @staticmethod
    def forward(ctx: Any, held: _Held, flat: Tensor, *tensors: Tensor) -> tuple[Tensor, ...]:
        ctx.held = held
        return tuple(Tensor(np.array(a)) for a in held.arrays)

    @staticmethod
    def backward(ctx: Any, *gs: Tensor) -> tuple[Any, ...]:
        if mode().grad:  # backward itself is to be differentiated
            raise RuntimeError(
                "lift: a lifted program can be differentiated once; take second derivatives of the "
                "function on Values (engine.grad with create_graph=True), and lift those"
            )
        held: _Held = ctx.held
        flat, arguments = held.gradients([g._data.astype(np.float64) for g in gs])
        pairs = zip(held.call.args, arguments, strict=True)
        of_tensors = [
            Tensor(g.astype(x.dtype)) if x.dtype.kind == "f" else None
            for x, g in pairs
            if isinstance(x, Tensor)
        ]
        return (None, Tensor(flat), *of_tensors)


def lift(fn: Callable[..., Any], in_dims: Any = 0) -> Lifted:
    """Run a program on Values for a whole batch at once: write it scalar, run it vectorised.

    The function is recorded once, as it treats one sample; sums, products and ops of one kind then
    run together as array operations, forward and backward, for all samples. ``backward()`` on what
    comes of the result adds to ``.grad`` of every Value that the function uses, as it would have
    done without lifting.

    Args:
        fn: a function of numbers and (nested) lists of numbers, or a module on Values like
            ``nn.MLP``. It returns a Value, a list of them, or a tuple of several such results.
        in_dims: the axis that counts the samples, of all arguments or of each (a tuple); None: the
            argument is the same for all samples, as plain numbers always are.

    Returns:
        a function of arrays or tensors that gives float64 tensors: (N,) for a Value, (N, n) for a
        list of n. Without any argument that differs by sample, () and (n,).

    What the function uses beyond its arguments is either a Value, read anew at each call (one that
    was computed outside is computed again, from what it was made of), or a constant as it was when
    it was recorded (``.data`` of a Value, too). A comparison of Values is checked for every sample:
    those for which it decides otherwise are recorded and run apart.

    Raises:
        LiftError: (a TypeError) the function reads a number out of the graph (``float(v)``), gives
            something else than Values, or two runs of it differ in what the graph does not show.

    >>> import gradling
    >>> from gradling import nn
    >>> net = nn.MLP(2, [8, 1], seed=0)
    >>> batch = gradling.lift(net)
    >>> X = gradling.tensor([[0.5, -1.0], [2.0, 0.25], [1.0, 1.0]])
    >>> scores = batch(X)
    >>> scores.shape, abs(scores[1].item() - net([2.0, 0.25]).data) < 1e-12
    ((3,), True)
    >>> loss = (1 - scores).relu().mean()
    >>> loss.backward()
    >>> len([p for p in net.parameters() if p.grad != 0]) > 0
    True
    """
    return Lifted(fn, in_dims)
