"""Vectors to be learnt for symbols."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from . import functional as F
from . import init
from .linear import blank
from .module import Module
from .parameter import Parameter


class Embedding(Module):
    """A table of ``num_embeddings`` vectors, looked up by index: (...) -> (..., embedding_dim).

    Args:
        num_embeddings: number of rows.
        embedding_dim: size of each.
        padding_idx: a row that starts at 0 and gets no gradient; negative counts from the end.
        max_norm: rows that are looked up and longer are shortened to this, in place, before use.
        norm_type: the p of that length.
        scale_grad_by_freq: divide a row's gradient by how often it is looked up in the batch.
        sparse: accepted for PyTorch's sake; gradients are dense.
        generator: what the start values are drawn from.

    ``weight`` (num_embeddings, embedding_dim) starts from the normal distribution. Backward: the
    look-up is a product with one-hot rows, so each row of the table gets the sum of the gradients
    of the places that looked it up, and all others 0. Bengio et al., "A neural probabilistic
    language model" (2003).

    >>> import gradling
    >>> Embedding(10, 3)(gradling.tensor([[1, 2], [4, 5]])).shape
    (2, 2, 3)
    """

    weight: Parameter

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        generator: Any = None,
    ) -> None:
        super().__init__()
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise ValueError(
                    f"Embedding: padding_idx {padding_idx} is not one of the {num_embeddings} rows"
                )
            padding_idx %= num_embeddings
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = padding_idx
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.sparse = sparse
        if _weight is None:
            self.weight = blank(num_embeddings, embedding_dim, dtype=dtype)
            self.reset_parameters(generator)
        else:
            if _weight.shape != (num_embeddings, embedding_dim):
                raise ValueError(
                    f"Embedding: the weight {_weight.shape} must be of shape "
                    f"({num_embeddings}, {embedding_dim})"
                )
            self.weight = Parameter(_weight)
        self.weight.requires_grad_(not _freeze)

    def reset_parameters(self, generator: Any = None) -> None:
        """Draw the table anew."""
        init.normal_(self.weight, generator=generator)
        if self.padding_idx is not None:
            self.weight._data[self.padding_idx] = 0

    def forward(self, input: Tensor) -> Tensor:
        return F.embedding(
            input,
            self.weight,
            self.padding_idx,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
        )

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Embedding:
        """An embedding with this table, which is not learnt further unless ``freeze=False``."""
        if embeddings.ndim != 2:
            raise ValueError(f"from_pretrained: expected a matrix, got shape {embeddings.shape}")
        rows, dim = embeddings.shape
        return cls(
            rows,
            dim,
            padding_idx=padding_idx,
            max_norm=max_norm,
            norm_type=norm_type,
            scale_grad_by_freq=scale_grad_by_freq,
            sparse=sparse,
            _weight=embeddings,
            _freeze=freeze,
        )

    def extra_repr(self) -> str:
        parts = [str(self.num_embeddings), str(self.embedding_dim)]
        if self.padding_idx is not None:
            parts.append(f"padding_idx={self.padding_idx}")
        if self.max_norm is not None:
            parts.append(f"max_norm={self.max_norm}")
        if self.norm_type != 2:
            parts.append(f"norm_type={self.norm_type}")
        if self.scale_grad_by_freq:
            parts.append("scale_grad_by_freq=True")
        return ", ".join(parts)
