"""``einsum`` and ``tensordot``: sums of products over named axes.

Every pair of operands is contracted by one row, ``einsum``, whose gradients are contractions
again. Before it come diagonals (a label twice in one operand) and sums (a label that nobody else
needs).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from .arguments import all_tensors, said, whole
from .arranging import diagonal
from .errors import DtypeError, ShapeError, normal_dims
from .record import apply
from .rows import linalg as rows

if TYPE_CHECKING:
    from .tensor import Tensor

Labels = list[Any]  # one per axis: a letter or number, or ("...", k), the k-th last of an ellipsis


def einsum(*args: Any) -> Tensor:
    """Sums of products by Einstein's convention: ``einsum("ij,jk->ik", a, b)`` is ``a @ b``.

    Axes with one label run together. Labels right of ``->`` stay, in that order; the others are
    summed up. Without ``->`` labels that come once stay, in alphabetic order. ``...`` stands for
    any number of axes, which broadcast. A label twice in one operand takes its diagonal. Also
    ``einsum(a, [0, 1], b, [1, 2], [0, 2])``, with lists of numbers in place of letters.

    Raises:
        ShapeError: a size that disagrees with another of the same label, labels that do not match
            an operand's axes, an output label that no operand has.

    >>> import gradling
    >>> x = gradling.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> gradling.einsum("ij->j", x).tolist(), gradling.einsum("ii", x).item()
    ([4.0, 6.0], 5.0)
    """
    operands, terms, out = _read(args)
    for i, x in enumerate(operands):
        if not hasattr(x, "_data"):
            raise TypeError(f"einsum: expected tensors, got {said(x)} as operand {i}")
    labels = [_expanded(term, x._data.ndim, i) for i, (term, x) in enumerate(zip(terms, operands))]  # noqa: B905
    wanted = _implied(labels) if out is None else _output(out, labels)
    return contract("einsum", operands, labels, wanted)


def _read(args: tuple[Any, ...]) -> tuple[list[Any], list[Labels], Labels | None]:
    """Operands, the labels of each, and those of the result (None: to be worked out)."""
    if not args or (isinstance(args[0], str) and len(args) == 1):
        raise ValueError('einsum: expected an equation and operands: einsum("ij,jk->ik", a, b)')
    if not isinstance(args[0], str):
        odd = len(args) % 2 == 1
        pairs = args[: len(args) - odd]
        return (
            list(pairs[::2]),
            [list(term) for term in pairs[1::2]],
            list(args[-1]) if odd else None,
        )
    operands = args[1:]
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    left, arrow, right = args[0].replace(" ", "").partition("->")
    terms = [_letters(term, args[0]) for term in left.split(",")]
    if len(terms) != len(operands):
        raise ShapeError(
            f"einsum: {args[0]!r} describes {len(terms)} operands, but {len(operands)} were given"
        )
    return list(operands), terms, _letters(right, args[0]) if arrow else None


def _letters(term: str, equation: str) -> Labels:
    labels: Labels = []
    rest = term
    while rest:
        if rest.startswith("..."):
            labels.append(Ellipsis)
            rest = rest[3:]
        elif rest[0].isascii() and rest[0].isalpha():
            labels.append(rest[0])
            rest = rest[1:]
        else:
            raise ShapeError(
                f"einsum: {rest[0]!r} in {equation!r} is no label; use letters and '...'"
            )
    if labels.count(Ellipsis) > 1:
        raise ShapeError(f"einsum: '...' comes twice in {term!r}")
    return labels


def _expanded(term: Labels, ndim: int, place: int) -> Labels:
    """A label for every axis of an operand."""
    if Ellipsis not in term:
        if len(term) != ndim:
            raise ShapeError(
                f"einsum: operand {place} has {ndim} axes, but {len(term)} labels ({_said(term)}); "
                "'...' stands for axes without labels"
            )
        return term
    count = ndim - len(term) + 1
    if count < 0:
        raise ShapeError(
            f"einsum: operand {place} has {ndim} axes, fewer than the labels {_said(term)} need"
        )
    at = term.index(Ellipsis)
    return [*term[:at], *[("...", k) for k in range(count, 0, -1)], *term[at + 1 :]]


def _dots(labels: Iterable[Labels]) -> Labels:
    """The axes that ellipses stand for, first to last."""
    found = {label for term in labels for label in term if isinstance(label, tuple)}
    return sorted(found, key=lambda label: -int(label[1]))


def _implied(labels: list[Labels]) -> Labels:
    every = [label for term in labels for label in term if not isinstance(label, tuple)]
    return [*_dots(labels), *sorted(label for label in set(every) if every.count(label) == 1)]


def _output(out: Labels, labels: list[Labels]) -> Labels:
    known = {label for term in labels for label in term}
    for label in out:
        if label is not Ellipsis and label not in known:
            raise ShapeError(f"einsum: output label {label!r} is in no operand")
        if out.count(label) > 1:
            raise ShapeError(
                f"einsum: output label {label!r} comes twice; diag_embed makes diagonals"
            )
    if Ellipsis not in out:
        return out
    at = out.index(Ellipsis)
    return [*out[:at], *_dots(labels), *out[at + 1 :]]


def _said(labels: Labels) -> str:
    parts = ["..." if x is Ellipsis or isinstance(x, tuple) else str(x) for x in labels]
    return "".join(parts) if all(isinstance(x, str) for x in labels) else f"[{', '.join(parts)}]"


def contract(name: str, operands: Sequence[Tensor], labels: list[Labels], out: Labels) -> Tensor:
    """The sum over all labels that are not in ``out`` of the product of the operands."""
    _one_dtype(name, operands)
    once = [_without_repeats(name, x, term) for x, term in zip(operands, labels, strict=True)]
    sizes = _sizes(name, once)
    parts = [_without_ones(x, term, sizes) for x, term in once]
    while len(parts) > 1:
        i, j = _cheapest(parts, out, sizes)
        second, first = parts.pop(j), parts.pop(i)
        needed = {*out, *(label for _, term in parts for label in term)}
        parts.insert(0, _pair(first, second, needed))
    x, term = parts[0]
    x, term = _summed(x, term, set(out))
    for label in out:
        if label not in term:  # every operand had size 1 along it
            x, term = x.unsqueeze(-1), [*term, label]
    order = tuple([term.index(label) for label in out])
    return x if order == tuple(range(len(order))) else x.permute(order)


def _one_dtype(name: str, operands: Sequence[Tensor]) -> None:
    dtypes = dict.fromkeys(x._data.dtype for x in operands)
    if len(dtypes) > 1:
        raise DtypeError(
            f"{name}: expected operands of one dtype, got {', '.join(map(str, dtypes))}; convert "
            "with .to(dtype)"
        )


def _sizes(name: str, parts: list[tuple[Tensor, Labels]]) -> dict[Any, int]:
    sizes: dict[Any, int] = {}
    for place, (x, term) in enumerate(parts):
        for label, n in zip(term, x._data.shape, strict=True):
            if n != sizes.setdefault(label, n) and n != 1:
                if sizes[label] != 1:
                    raise ShapeError(
                        f"{name}: label {_said([label])!r} has size {sizes[label]} in one operand "
                        f"and {n} in operand {place}, {x.shape}; they must be equal or 1"
                    )
                sizes[label] = n
    return sizes


def _without_repeats(name: str, x: Tensor, term: Labels) -> tuple[Tensor, Labels]:
    """Diagonals of the axes that share a label."""
    for label in dict.fromkeys(term):
        while term.count(label) > 1:
            a = term.index(label)
            b = term.index(label, a + 1)
            shape = x._data.shape
            if shape[a] != shape[b]:
                raise ShapeError(
                    f"{name}: label {_said([label])!r} comes twice in one operand, with sizes "
                    f"{shape[a]} and {shape[b]}"
                )
            x = diagonal(x, 0, a, b)
            term = [*(other for k, other in enumerate(term) if k not in (a, b)), label]
    return x, term


def _without_ones(x: Tensor, term: Labels, sizes: dict[Any, int]) -> tuple[Tensor, Labels]:
    """Axes of size 1 that broadcast need not be there at all."""
    dims = tuple([k for k, label in enumerate(term) if x._data.shape[k] != sizes[label]])
    if not dims:
        return x, term
    return x.squeeze(dims), [label for k, label in enumerate(term) if k not in dims]


def _cheapest(
    parts: list[tuple[Tensor, Labels]], out: Labels, sizes: dict[Any, int]
) -> tuple[int, int]:
    """The pair whose product has the fewest entries."""
    best, least = (0, 1), float("inf")
    for i in range(len(parts)):
        for j in range(i + 1, len(parts)):
            others = {*out, *(s for k, (_, t) in enumerate(parts) if k not in (i, j) for s in t)}
            count = 1.0
            for label in {*parts[i][1], *parts[j][1]} & others:
                count *= sizes[label]
            if count < least:
                best, least = (i, j), count
    return best


def _pair(
    first: tuple[Tensor, Labels], second: tuple[Tensor, Labels], needed: set[Any]
) -> tuple[Tensor, Labels]:
    a, ia = _summed(*first, needed | set(second[1]))
    b, ib = _summed(*second, needed | set(ia))
    out = [label for label in dict.fromkeys([*ia, *ib]) if label in needed]
    number = {label: k for k, label in enumerate(dict.fromkeys([*ia, *ib]))}
    numbers = tuple([tuple([number[label] for label in term]) for term in (ia, ib, out)])
    return apply(rows.einsum, (a, b), numbers), out


def _summed(x: Tensor, term: Labels, kept: set[Any]) -> tuple[Tensor, Labels]:
    """The sum over labels that are not kept."""
    dims = tuple([k for k, label in enumerate(term) if label not in kept])
    if not dims:
        return x, term
    return x.sum(dims, dtype=x._data.dtype), [label for label in term if label in kept]


def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """Products summed over pairs of axes: the last ``dims`` of ``a`` with the first of ``b``, or
    two lists.

    >>> import gradling
    >>> gradling.tensordot(gradling.ones(2, 3, 4), gradling.ones(3, 4, 5), 2).shape
    (2, 5)
    """
    left, right = a._data.ndim, b._data.ndim
    if isinstance(dims, (tuple, list)):
        of_a, of_b = [
            normal_dims("tensordot", d, n) for d, n in zip(dims, (left, right), strict=True)
        ]
    else:
        count = whole("tensordot", "dims", getattr(dims, "_data", dims))
        if not 0 <= count <= min(left, right):
            raise ShapeError(
                f"tensordot: expected dims from 0 to {min(left, right)} for shapes {a.shape} and "
                f"{b.shape}, got {count}"
            )
        of_a, of_b = tuple(range(left - count, left)), tuple(range(count))
    if len(of_a) != len(of_b):
        raise ShapeError(f"tensordot: expected as many axes on both sides, got {of_a} and {of_b}")
    ia: Labels = list(range(left))
    ib: Labels = list(range(left, left + right))
    for i, j in zip(of_a, of_b, strict=True):
        ib[j] = i
    out = [k for k in ia if k not in of_a] + [k for k in ib if k not in of_a]
    return contract("tensordot", (a, b), [ia, ib], out)


def inner(input: Tensor, other: Tensor) -> Tensor:
    """Products summed over the last axis of both; numbers multiply."""
    all_tensors("inner", input=input, other=other)
    if not input._data.ndim or not other._data.ndim:
        return input * other
    if input._data.shape[-1] != other._data.shape[-1]:
        raise ShapeError(
            f"inner: expected last axes of one size, got shapes {input.shape} and {other.shape}"
        )
    return tensordot(input, other, ([-1], [-1]))
