"""NumPy's own functions on tensors: recorded where this package has the same one, otherwise refused
for tensors in a graph, whose gradient would be lost, and computed on plain arrays for the others.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from ..engine.modes import mode
from . import edits, trees
from .in_graph import InGraph
from .node import Array
from .reading import read

Function = Callable[..., Any]
# These write to files or to other memory, or only look: no gradient is lost by using arrays.
_OUTPUT = {
    "savetxt",
    "save",
    "savez",
    "savez_compressed",
    "array2string",
    "array_repr",
    "array_str",
}


class NumPyProtocol(InGraph):
    """What ``Tensor`` inherits to be used by NumPy."""

    __slots__ = ()

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """``np.exp(t)``, ``array * t``, ``np.add.reduce(t, axis=0)``."""
        name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
        out = kwargs.pop("out", None)
        function = _ufuncs().get((ufunc, method))
        if function is not None and (not kwargs or _takes(function, inputs, kwargs)):
            result = function(*inputs, **kwargs)
        else:
            given = kwargs if out is None else {**kwargs, "out": out}
            return _on_arrays(f"np.{name}", getattr(ufunc, method), inputs, given)
        if out is None:
            return result
        results = result if isinstance(result, tuple) else (result,)
        stored = [_stored(f"np.{name}", place, y) for place, y in zip(out, results, strict=True)]
        return tuple(stored) if isinstance(result, tuple) else stored[0]

    def __array_function__(self, func: Function, types: Any, args: Any, kwargs: Any) -> Any:
        """``np.sum(t, axis=0)``, ``np.concatenate([array, t])``, ``np.linalg.norm(t)``."""
        from .numpy_functions import FUNCTIONS

        name = f"{func.__module__.replace('numpy', 'np')}.{func.__name__}"
        function = FUNCTIONS.get(func)
        out = kwargs.get("out")
        given = {key: value for key, value in kwargs.items() if key != "out"}
        if function is None or not _takes(function, args, given):
            return _on_arrays(name, func, args, kwargs)
        result = function(*args, **given)
        return result if out is None else _stored(name, out, result)

    def __dlpack__(self, **options: Any) -> Any:
        """Memory for other libraries, without copying: ``torch.from_dlpack(t)``.

        Raises:
            BufferError: for a tensor in a graph, which could not see what is done to its memory.
        """
        if self._node is not None:
            raise BufferError(
                "__dlpack__: this tensor is in a graph, which could not see what another library "
                "does with it; hand over x.detach()"
            )
        read("dlpack")
        if self._data.flags.writeable:
            edits.expose(self._data)
        return self._data.__dlpack__(**{k: v for k, v in options.items() if v is not None})

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._data.__dlpack_device__()


def from_dlpack(ext_tensor: Any) -> Any:
    """A tensor on the memory of another library's array, without copying.

    A change made on either side is seen on the other. Memory that is handed over as read-only stays
    so.

    >>> import numpy as np
    >>> from_dlpack(np.arange(3.0))
    tensor([0., 1., 2.], dtype=float64)
    """
    from .dtypes import SUPPORTED
    from .tensor import Tensor

    if not hasattr(ext_tensor, "__dlpack__"):
        raise TypeError(
            f"from_dlpack: expected something with __dlpack__, got {type(ext_tensor).__name__}; "
            "use gradling.tensor or from_numpy"
        )
    array = np.from_dlpack(ext_tensor)
    if array.dtype not in SUPPORTED:
        raise TypeError(f"from_dlpack: there are no tensors of {array.dtype}; convert it first")
    edits.expose(array)
    return Tensor(array)


@lru_cache(maxsize=1)
def _ufuncs() -> dict[tuple[np.ufunc, str], Function]:
    """Which function serves a ufunc: read off the array kernels of the table, which are ufuncs."""
    from ..engine import TABLE
    from .numpy_functions import UFUNCS
    from .record import elementwise

    def serve(op: Any) -> Function:
        count = len(op.args)

        def function(*operands: Any, dtype: Any = None) -> Any:
            assert len(operands) == count
            return elementwise(op, operands if dtype is None else _converted(operands, dtype))

        return function

    found = {
        (kernel, "__call__"): serve(op)
        for op in TABLE.values()
        if float in op.on and isinstance(kernel := op.on.get(Array), np.ufunc)
    }
    return found | UFUNCS


def _converted(operands: tuple[Any, ...], dtype: Any) -> tuple[Any, ...]:
    from .creation import as_tensor

    return tuple([as_tensor(x).to(np.dtype(dtype)) for x in operands])


def _takes(function: Function, args: Any, kwargs: Any) -> bool:
    """Is this a way of calling that our function knows?"""
    try:
        inspect.signature(function).bind(*args, **kwargs)
    except TypeError:
        return False
    return True


def _tensors(tree: Any) -> Iterator[InGraph]:
    for x in trees.leaves(tree):
        if isinstance(x, InGraph):
            yield x


def _on_arrays(name: str, func: Function, args: Any, kwargs: Any) -> Any:
    """``func`` of plain arrays, unless a gradient would be lost without a word."""
    tracked = mode().grad and any(x._node is not None for x in _tensors((args, kwargs)))
    for memory in _tensors(kwargs.get("out", ())):
        edits.note(memory._data)
    args, kwargs = trees.mapped(_plain, (tuple(args), kwargs))
    if not tracked:
        return func(*args, **kwargs)
    short = name.rpartition(".")[2]
    writes = short in ("at", "copyto", "put", "place", "putmask", "fill_diagonal", "put_along_axis")
    result = NotImplemented if writes else func(*args, **kwargs)
    if short in _OUTPUT or not any(_is_float(x) for x in trees.leaves(result)):
        return result
    raise TypeError(
        f"{name}: there is no derivative for this call, and a tensor in it is in a graph, which "
        f"would end here. Use {name}(t.detach().numpy(), ...) if no gradient is needed, or an "
        "operation of gradling's own"
    )


def _plain(x: Any) -> Any:
    return np.asarray(x) if isinstance(x, InGraph) else x


def _is_float(x: Any) -> bool:
    if isinstance(x, (np.ndarray, np.generic)):
        return x.dtype.kind in "fcO"
    return x is NotImplemented or isinstance(x, float)


def _stored(name: str, out: Any, result: Any) -> Any:
    """``out=``: written to an array, which takes no graph along, or kept in a tensor."""
    from .inplace import assign

    if isinstance(out, InGraph):
        return assign(out, result, f"{name}(out=)")  # type: ignore[arg-type]
    if mode().grad and isinstance(result, InGraph) and result._node is not None:
        raise TypeError(
            f"{name}: the result is in a graph, and an array cannot hold that; leave out= away "
            "(array += t becomes array = array + t), or use t.detach()"
        )
    np.copyto(out, np.asarray(result), casting="same_kind")
    return out
