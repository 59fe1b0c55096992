"""``why_no_grad(w, loss)``: what kept a gradient from arriving, and the line that did it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...engine.cuts import CUTS, Cut
from . import lost
from .places import (
    below,
    called,
    expected,
    is_tensor,
    is_value,
    line_of,
    names_of,
    place_of,
)

TRACE = (
    "To see the line, run the forward pass again under `with gradling.viz.tracing():`, then ask "
    "again."
)
UNSEEN = (
    "What leaves no trace: .item(), float(), computing with NumPy, and indices (argmax, argsort)."
)
_WORDS = {
    "detach": ("detached", "was detached"),
    "numpy": ("detached", "went through NumPy (.numpy() leaves the graph)"),
    "copy": ("detached", "was copied by gradling.tensor(...), which starts a new leaf,"),
    "no_grad": ("no_grad", "was made under no_grad()"),
    "inference_mode": ("no_grad", "was made under inference_mode()"),
    "dtype": ("integer dtype", "became whole numbers or truth values, which have no gradient,"),
    "no derivative": ("no derivative", "went through an op without derivative"),
}
_REMEDY = {
    "detached": "Use the tensor itself there, or detach a copy that only you look at.",
    "no_grad": "Compute it outside of that block, or inside `with gradling.enable_grad():`.",
    "integer dtype": "Keep it floating on the way to the loss (.float() comes too late).",
    "no derivative": "Use something smooth in its place (softmax for argmax, say).",
}


@dataclass(frozen=True)
class Why:
    """Why a gradient is absent.

    Args:
        reason: ``"no path"``, ``"detached"``, ``"no_grad"``, ``"integer dtype"``,
            ``"no derivative"``, ``"another object"``, ``"requires_grad is False"``,
            ``"not kept"`` (a result, without ``retain_grad()``), ``"backward has not run"``;
            ``"present"`` where it is not absent at all.
        line: ``file:line`` of what is to blame, "" where there is none or nobody kept it.
        text: the finding, in a sentence or two.
        remedy: what to change.
        shared: the name of the nearest ancestor that both have, for ``"no path"``.
    """

    reason: str
    line: str
    text: str
    remedy: str = ""
    shared: str = ""

    def __str__(self) -> str:
        return f"{self.reason}: {self.text}" + (f"\n{self.remedy}" if self.remedy else "")


def why_no_grad(w: Any, loss: Any, *, model: Any = None) -> Why:
    """Why ``w.grad`` is absent after, or before, ``loss.backward()``.

    Args:
        w: the Value or Tensor without gradient.
        loss: what ``backward()`` is called on.
        model: the module that should hold ``w``: tells a parameter from one that replaced it.

    Lines are known of what ran under ``viz.tracing()``. Nothing is changed, and no gradient
    computed.

    Raises:
        TypeError: either is not a Value or Tensor.

    >>> import gradling
    >>> w = gradling.tensor([1.0, 2.0], requires_grad=True)
    >>> with gradling.viz.tracing():
    ...     loss = (w.detach() * gradling.ones(2, requires_grad=True)).sum()
    >>> why = why_no_grad(w, loss)
    >>> why.reason, why.line  # doctest: +ELLIPSIS
    ('detached', '...:...')
    >>> print(why_no_grad(w, (w * w).sum()))
    backward has not run: leaf (2,) is on a path to the loss, but no backward() has reached it since
    it was made or cleared.
    Call loss.backward().
    """
    expected("why_no_grad", "w", w)
    expected("why_no_grad", "loss", loss)
    names = names_of(model)
    return (
        _present(w)
        or _replaced(w, model)
        or _never(w, loss, names)
        or _outside(w, loss, names)
        or _reached(w, loss, names)
        or _cut_off(place_of(w), place_of(loss), names)
        or _look_alike(w, loss, names)
        or _no_path(place_of(w), place_of(loss), names)
    )


def _present(w: Any) -> Why | None:
    place = place_of(w)
    gradient = None if place is None else place._grad if is_value(place) else place.grad
    if gradient is None:
        return None
    return Why("present", "", f"{called(place)} has a gradient: {gradient}")


def _replaced(w: Any, model: Any) -> Why | None:
    """Is ``w`` what the model holds now?"""
    if model is None or not is_tensor(w):
        if model is None or any(p is w for p in model.parameters()):
            return None
        return Why(
            "another object",
            "",
            f"{called(w)} is none of the parameters that the model holds.",
            "Ask about model.parameters(); the optimizer needs those, too.",
        )
    held = dict(model.named_parameters())
    if any(p is w for p in held.values()) or not w.is_leaf:
        return None
    twins = [name for name, p in held.items() if lost.share_memory(p._data, w._data)]
    alike = twins or [name for name, p in held.items() if p.shape == w.shape]
    hint = f" Its {alike[0]} {'shares its memory' if twins else 'has its shape'}." * bool(alike)
    return Why(
        "another object",
        "",
        f"this tensor of shape {tuple(w.shape)} is not what the model holds: none of its "
        f"{len(held)} parameters is this object (replaced, copied or converted since?).{hint}",
        "Look it up again (model.get_parameter(name), or the attribute); an optimizer made before "
        "that has to be made again.",
    )


def _never(w: Any, loss: Any, names: Any) -> Why | None:
    """Tensors that can have no gradient, whatever the loss."""
    if not is_tensor(w) or w._node is not None:
        return None
    cut, kind = CUTS.get(w._data), w._data.dtype
    origin = lost.first(cut)
    at = "" if origin is None else f" at {origin.line}"
    if kind.kind != "f":
        return Why(
            "integer dtype",
            "" if origin is None else origin.line,
            f"this tensor is {kind}{at}: only floating numbers have gradients.",
            "Convert it with .float() and call requires_grad_() before the forward pass.",
        )
    if origin is not None:
        return _by(origin, "this tensor")
    if w._base == "inference":
        return Why(
            "no_grad",
            "",
            f"this tensor was made under inference_mode(). {TRACE}",
            _REMEDY["no_grad"],
        )
    leaf = lost.sharer(w._data, [] if place_of(loss) is None else below(place_of(loss)))
    if leaf is not None:
        return Why(
            "detached",
            "",
            "this tensor has requires_grad=False, and its memory is that of "
            f"{called(leaf, names)}, which is in the graph: it was detached from it "
            "(.detach(), .data).",
            "Ask that one for its gradient.",
        )
    return Why(
        "requires_grad is False",
        "",
        f"this tensor of shape {tuple(w.shape)} has requires_grad=False, so no graph knows it.",
        "Call requires_grad_() on it before the forward pass (a parameter: nn.Parameter(w)). Was "
        f"it computed from something with gradient? {TRACE}",
    )


def _outside(w: Any, loss: Any, names: Any) -> Why | None:
    """Is the loss itself in no graph?"""
    place = place_of(loss)
    if place is not None and (place.op is not None or place is place_of(w)):
        return None
    cut = lost.of_leaf(place) if place is not None else CUTS.get(loss._data)
    origin = lost.first(cut)
    if origin is not None:
        return _by(origin, "the loss")
    if is_tensor(loss) and loss._data.dtype.kind != "f":
        return Why(
            "integer dtype",
            "",
            f"the loss is {loss._data.dtype}: only floating numbers have gradients. {TRACE}",
            _REMEDY["integer dtype"],
        )
    if place is not None:
        return Why("no path", "", "the loss is a leaf: nothing was computed to make it.")
    return Why(
        "no path",
        "",
        "the loss is in no graph: it was made under no_grad(), or nothing it was made of requires "
        f"a gradient. {TRACE}",
    )


def _reached(w: Any, loss: Any, names: Any) -> Why | None:
    """There is a path: then it is a matter of what was called when."""
    place, root = place_of(w), place_of(loss)
    if not any(lower is place for lower in below(root)):
        return None
    name = called(place, names)
    if is_tensor(w) and place.op is not None and not place.noted("retain"):
        return Why(
            "not kept",
            line_of(place),
            f"{name} is a result, not a leaf: backward() passes its gradient on without keeping "
            "it.",
            "Call .retain_grad() on it before backward().",
        )
    if is_tensor(loss) and getattr(root, "saved", ()) is None:
        return Why(
            "backward has not run",
            "",
            f"{name} is on a path to the loss, but the graph was freed by an earlier backward().",
            "Compute the loss again.",
        )
    call = "loss.backward()" if is_value(loss) or loss._data.size == 1 else "loss.sum().backward()"
    return Why(
        "backward has not run",
        "",
        f"{name} is on a path to the loss, but no backward() has reached it since it was made or "
        "cleared.",
        f"Call {call}.",
    )


def _cut_off(place: Any, root: Any, names: Any) -> Why | None:
    """A path with gaps that were watched while they came about."""
    gaps = lost.path(root, place)
    if not gaps:
        return None
    first, *more = [cut for cut in gaps if cut.how] or gaps
    again = "".join(f" It is cut once more at {cut.line} ({cut.op})." for cut in more)
    return _by(first, f"what {called(place, names)} leads to", again)


def _by(cut: Cut, what: str, more: str = "") -> Why:
    reason, happened = _WORDS.get(cut.how, ("detached", "left the graph"))
    op = "" if cut.op in ("detach", "numpy", "tensor") else f" (op {cut.op})"
    return Why(reason, cut.line, f"{what} {happened} at {cut.line}{op}.{more}", _REMEDY[reason])


def _look_alike(w: Any, loss: Any, names: Any) -> Why | None:
    """Without notes: the same memory, or the same name, met under another identity."""
    found = below(place_of(loss))
    if is_tensor(w):
        leaf = lost.sharer(w._data, found)
        if leaf is not None:
            return Why(
                "another object",
                "",
                f"the loss depends on {called(leaf, names)}, which has the same memory but is "
                "another leaf (made by nn.Parameter(w), .data or .detach().requires_grad_()).",
                "Ask that one for its gradient, or use this one in the forward pass.",
            )
        user = lost.constant_user(w._data, found)
        if user is not None:
            return Why(
                "detached",
                line_of(user),
                f"{called(user, names)} uses the memory of this tensor as a constant: it came "
                f"through .detach(), .data or .numpy(). {'' if line_of(user) else TRACE}".rstrip(),
                _REMEDY["detached"],
            )
    twin = next((p for p in found if p.op is None and w.label and p.label == w.label), None)
    if twin is None:
        return None
    return Why(
        "another object",
        "",
        f"the loss depends on a leaf labelled {called(twin, names)!r} that is another object "
        "(a detached copy, or one that was made anew?).",
        "Ask that one for its gradient, or use this one in the forward pass.",
    )


def _no_path(place: Any, root: Any, names: Any) -> Why:
    shared = lost.nearest_shared(place, root)
    leaves = [called(p, names) for p in below(root) if p.op is None]
    listed = ", ".join(leaves[:6]) + (f" and {len(leaves) - 6} more" if len(leaves) > 6 else "")
    text = f"nothing that the loss was made of leads to {called(place, names)}"
    if shared is not None:
        name = called(shared, names)
        at = f" (made at {line_of(shared)})" if line_of(shared) else ""
        text += f"; the nearest ancestor that both have is {name}{at}"
    else:
        name = ""
        text += f"; the loss depends on {listed or 'no leaf'}"
    return Why(
        "no path",
        line_of(place),
        f"{text}.",
        "Use it in the forward pass. Should it be in there already? "
        + (UNSEEN if line_of(root) else TRACE),
        name,
    )
