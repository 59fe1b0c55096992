"""Arrays that remember how they were made. The package itself can be called:
``gradling.tensor(data)``."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

from . import autograd, creation, dtypes
from .allocator import keep_freed_memory
from .creation import tensor as _tensor
from .node import Node
from .tensor import Tensor

__all__ = ["Node", "Tensor", "autograd", "creation", "dtypes"]


class _CallablePackage(ModuleType):
    """``gradling.tensor`` is this package and, called, PyTorch's factory."""

    def __call__(self, *args: Any, **kwargs: Any) -> Tensor:
        return _tensor(*args, **kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        # by name, as cloudpickle does with modules of the plain kind: a function in a notebook
        # that says gradling.tensor(…) goes to other processes with it
        return import_module, (self.__name__,)


sys.modules[__name__].__class__ = _CallablePackage
keep_freed_memory()
