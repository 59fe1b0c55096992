"""``x.new_zeros(2, 3)`` and its kind: new tensors in the dtype of another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .tensor import Tensor


def _maker(name: str) -> Any:
    def method(self: Tensor, *size: Any, dtype: Any = None, **options: Any) -> Tensor:
        from . import creation

        wanted = self._data.dtype if dtype is None else dtype
        made: Tensor = getattr(creation, name)(*size, dtype=wanted, **options)
        return made

    method.__name__ = method.__qualname__ = f"new_{name}"
    method.__doc__ = (
        f"``{name}(*size)`` in the dtype of this tensor, where ``dtype`` does not say another."
    )
    return method


new_zeros, new_ones, new_empty = _maker("zeros"), _maker("ones"), _maker("empty")
new_full, new_tensor = _maker("full"), _maker("tensor")
