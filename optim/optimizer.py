"""What all optimizers share: parameter groups, state, and a step over flat arrays.

An algorithm is a file of its own: its formula, its paper, and ``update(p, g, state, group)``, in
which ``p`` and ``g`` are the parameters and gradients of a whole group as flat arrays, changed in
place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from ..engine import Value, enable_grad
from ..tensor import Tensor
from ..tensor.node import Array
from ..tensor.quiet import Quiet
from ..tensor.reading import read
from .flat import Flat, Parameter, Slots, flatten

Group = dict[str, Any]
Hook = Callable[..., Any]


class Removable:
    """What registering a hook gives: ``remove()`` takes it away."""

    def __init__(self, hooks: list[Hook], hook: Hook) -> None:
        self._hooks, self._hook = hooks, hook
        hooks.append(hook)

    def remove(self) -> None:
        if self._hook in self._hooks:
            self._hooks.remove(self._hook)


class Optimizer:
    """Base of all optimizers.

    Args:
        params: parameters (Tensors that require grad, or Values), or dicts ``{"params": [...],
            "lr": …}`` with options of their own, or ``(name, parameter)`` pairs.
        defaults: the options of groups that do not set them.

    Raises:
        ValueError: no parameters, a parameter twice, an option out of range.
        TypeError: something that is no parameter.
    """

    # State that is one number per parameter; all other state has an entry per parameter entry.
    numbers: ClassVar[tuple[str, ...]] = ()
    # Whether ``step`` cannot do without a closure, because it looks at the loss several times.
    needs_closure: ClassVar[bool] = False

    def __init__(self, params: Iterable[Any], defaults: Mapping[str, Any]) -> None:
        self.defaults = dict(defaults)
        self.param_groups: list[Group] = []
        self._flats: list[list[Flat]] = []
        self._before: list[Hook] = []
        self._after: list[Hook] = []
        if isinstance(params, (Tensor, Value)):
            raise TypeError(
                f"{self._name}: expected an iterable of parameters, got one "
                f"{type(params).__name__}; put it in a list"
            )
        if callable(getattr(params, "parameters", None)):
            raise TypeError(
                f"{self._name}: got the model itself, a {type(params).__name__}; pass "
                "model.parameters()"
            )
        if not isinstance(params, Iterable):
            raise TypeError(
                f"{self._name}: expected an iterable of parameters, got {type(params).__name__}"
            )
        given = list(params)
        if not given:
            raise ValueError(
                f"{self._name}: got no parameters. A generator can be used up only once (pass "
                "list(model.parameters())); layers register when they are attributes of a Module "
                "whose __init__ calls super().__init__()"
            )
        for group in given if isinstance(given[0], Mapping) else [{"params": given}]:
            self.add_param_group(group)

    @property
    def _name(self) -> str:
        return type(self).__name__

    # Groups --------------------------------------------------------------------------------------

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Take in more parameters, with options of their own."""
        if not isinstance(param_group, Mapping) or "params" not in param_group:
            raise TypeError(
                f"{self._name}: a group must be a dict with 'params', got {param_group!r}"
            )
        params = param_group["params"]
        pairs: list[Any] = [params] if isinstance(params, (Tensor, Value)) else list(params)
        if not pairs:
            raise ValueError(
                f"{self._name}: a group has no parameters; a generator can be used up only once: "
                "pass a list"
            )
        group = {**self.defaults, **param_group}
        group["params"] = [p[1] if isinstance(p, tuple) else p for p in pairs]
        if isinstance(pairs[0], tuple):
            group["param_names"] = [p[0] for p in pairs]
        self._check_params(group["params"])
        self.check_options(group)
        self.param_groups.append(group)
        self._flats.append(flatten(group["params"]))
        for flat in self._flats[-1]:
            self._prepare(flat, group)

    def _check_params(self, params: list[Any]) -> None:
        taken = {id(p) for group in self.param_groups for p in group["params"]}
        for place, p in enumerate(params):
            if not isinstance(p, (Tensor, Value)):
                raise TypeError(
                    f"{self._name}: parameter {place} is a {type(p).__name__}; expected Tensors or "
                    "Values"
                )
            if isinstance(p, Tensor) and not p.is_leaf:
                raise ValueError(
                    f"{self._name}: parameter {place} is the result of {p.grad_fn}, not a leaf: "
                    "nothing would collect its gradient; use p.detach().requires_grad_()"
                )
            if isinstance(p, Tensor) and p.dtype.kind != "f":
                raise TypeError(
                    f"{self._name}: parameter {place} is {p.dtype}; only floats can be stepped"
                )
            if id(p) in taken:
                raise ValueError(
                    f"{self._name}: parameter {place} is given twice (or is in another group "
                    "already); it would be stepped twice: list each once"
                )
            taken.add(id(p))

    def check_options(self, group: Group) -> None:
        """Raise if an option of a group is out of range (algorithms extend this)."""
        known = set(self.defaults) | {"params", "param_names", "initial_lr"}
        unknown = [name for name in group if name not in known and name not in _SCHEDULER_KEYS]
        if unknown:
            raise TypeError(
                f"{self._name}: unknown option {unknown[0]!r}; there are "
                f"{', '.join(sorted(self.defaults))}"
            )
        for name in ("lr", "weight_decay", "eps", "momentum"):
            value = group.get(name, 0.0)
            if isinstance(value, str) or not hasattr(value, "__float__"):
                raise TypeError(f"{self._name}: {name} must be a number, got {value!r}")
            if not np.isfinite(float(value)) or value < 0:
                raise ValueError(f"{self._name}: expected {name} >= 0, got {value}")
        betas = group.get("betas", (0.0, 0.0))
        if not isinstance(betas, (tuple, list)) or len(betas) != 2:
            raise TypeError(f"{self._name}: betas must be a pair of numbers, got {betas!r}")
        for place, beta in enumerate(betas):
            if not 0.0 <= beta < 1.0:
                raise ValueError(f"{self._name}: expected betas[{place}] in [0, 1), got {beta}")

    # Steps ---------------------------------------------------------------------------------------

    def update(self, p: Array, g: Array, state: Slots, group: Group) -> None:
        """One step of the algorithm on flat arrays, in place; ``g`` may be overwritten."""
        raise TypeError(f"{self._name} must define update(p, g, state, group)")

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move every parameter that has a gradient; ``closure`` recomputes the loss first and is
        returned."""
        loss = None
        for hook in self._before:
            hook(self, (closure,), {})
        if closure is not None:
            with enable_grad():
                loss = closure()
        self._refresh()
        with Quiet():
            for group, flats in zip(self.param_groups, self._flats, strict=True):
                for flat in flats:
                    self._step_flat(flat, group)
        for hook in self._after:
            hook(self, (closure,), {})
        return loss

    def _refresh(self) -> None:
        """Lay out anew what has another dtype or shape by now, as after ``model.double()``."""
        if all(flat.fits() for flats in self._flats for flat in flats):
            return
        kept = self.state_dict()
        for n, (p, flat, i) in enumerate(self._entries()):
            remembered = kept["state"].get(n, {}).values()
            now = getattr(p, "shape", ())
            if now != tuple(flat.shapes[i]) and any(isinstance(x, Tensor) for x in remembered):
                raise RuntimeError(
                    f"{self._name}: parameter {n} had shape {tuple(flat.shapes[i])} when it was "
                    f"stepped last and has {now} now, which its state does not fit; make a new "
                    "optimizer of the parameters as they are"
                )
        self._flats = [flatten(group["params"]) for group in self.param_groups]
        for group, flats in zip(self.param_groups, self._flats, strict=True):
            for flat in flats:
                self._prepare(flat, group)
        self.load_state_dict(kept)

    def _step_flat(self, flat: Flat, group: Group) -> None:
        if not flat.settled:
            flat.adopt()
        present = flat.gather()
        moved = False
        for first, last in flat.runs(present):
            state = flat.slots(first, last)
            span = slice(state.first, state.last)
            self.update(flat.data[span], flat.grad[span], state, group)
            flat.share_numbers(first, last)
            moved = True
        if moved:
            flat.publish()

    def _prepare(self, flat: Flat, group: Group) -> None:
        """Set up state that does not start at zero."""

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients, or set them to 0."""
        read("zero_grad()")
        for group in self.param_groups:
            for p in group["params"]:
                clear(p, set_to_none)

    def register_step_pre_hook(self, hook: Hook) -> Removable:
        """Call ``hook(optimizer, args, kwargs)`` before every step."""
        return Removable(self._before, hook)

    def register_step_post_hook(self, hook: Hook) -> Removable:
        """Call ``hook(optimizer, args, kwargs)`` after every step."""
        return Removable(self._after, hook)

    def __repr__(self) -> str:
        lines = [f"{self._name} ("]
        for number, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {number}")
            lines += [
                f"    {k}: {v}"
                for k, v in sorted(group.items())
                if k not in ("params", "param_names")
            ]
        return "\n".join([*lines, ")"])

    # State ---------------------------------------------------------------------------------------

    def _entries(self) -> list[tuple[Parameter, Flat, int]]:
        """Every parameter in the order of the groups, with where its state lies."""
        places = {
            id(p): (p, flat, i)
            for flats in self._flats
            for flat in flats
            for i, p in enumerate(flat.params)
        }
        return [places[id(p)] for group in self.param_groups for p in group["params"]]

    @property
    def state(self) -> dict[Parameter, dict[str, Any]]:
        """What has been remembered of each parameter that was stepped (views: changes take
        effect)."""
        return {p: found for p, flat, i in self._entries() if (found := self._state_of(flat, i))}

    def _state_of(self, flat: Flat, i: int) -> dict[str, Any]:
        if not flat.steps[i]:
            return {}
        found: dict[str, Any] = {"step": float(flat.steps[i]), **flat.numbers[i]}
        for name, whole in flat.state.items():
            found[name] = Tensor(whole[flat.starts[i] : flat.ends[i]].reshape(flat.shapes[i]))
        return found

    def state_dict(self) -> dict[str, Any]:
        """Options and state, laid out as PyTorch's: parameters by number; copies, so it may be
        kept."""
        entries = self._entries()
        number = {id(p): n for n, (p, _, _) in enumerate(entries)}
        state = {}
        for n, (_, flat, i) in enumerate(entries):
            found = self._state_of(flat, i)
            if found:
                state[n] = {k: v.clone() if isinstance(v, Tensor) else v for k, v in found.items()}
        groups = [
            {**group, "params": [number[id(p)] for p in group["params"]]}
            for group in self.param_groups
        ]
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over options and state (also PyTorch's own); nothing changes if anything does not
        fit.

        Raises:
            ValueError: other groups, other parameters, or state of another shape.
        """
        groups, entries = state_dict["param_groups"], self._entries()
        sizes = [len(group["params"]) for group in groups]
        have = [len(group["params"]) for group in self.param_groups]
        if sizes != have:
            raise ValueError(
                f"load_state_dict: expected groups of {have} parameters, got {sizes}: this state "
                "belongs to another model or another grouping"
            )
        foreign = {k for group in groups for k in group} - set(self.defaults) - _LOADED_KEYS
        lacking = [k for k in self.defaults if all(k not in group for group in groups)]
        if foreign and lacking:
            raise ValueError(
                f"load_state_dict: this state is of another optimizer: it has {min(foreign)!r}, "
                f"which {self._name} does not know, and lacks {lacking[0]!r}"
            )
        numbers = [n for group in groups for n in group["params"]]
        incoming = {}
        for (_, flat, i), n in zip(entries, numbers, strict=True):
            found = dict(state_dict["state"].get(n, {}))
            for name, value in found.items():
                shape = tuple(np.shape(value))
                own = value is None or name == "step" or name in self.numbers
                if not own and shape != tuple(flat.shapes[i]):
                    raise ValueError(
                        f"load_state_dict: {name} of parameter {n} has shape {shape}, the "
                        f"parameter has {tuple(flat.shapes[i])}"
                    )
            incoming[n] = found
        for (_, flat, i), n in zip(entries, numbers, strict=True):
            self._load_entry(flat, i, incoming[n])
        for group, new in zip(self.param_groups, groups, strict=True):
            group.update({k: v for k, v in new.items() if k not in ("params", "param_names")})

    def _load_entry(self, flat: Flat, i: int, found: dict[str, Any]) -> None:
        flat.steps[i] = int(_number(found.pop("step", 1 if found else 0)))
        flat.numbers[i] = {}
        for whole in flat.state.values():
            whole[flat.starts[i] : flat.ends[i]] = 0
        for name, value in found.items():
            if value is None:
                continue
            if name in self.numbers:
                flat.numbers[i][name] = _number(value)
            else:
                flat.array(name)[flat.starts[i] : flat.ends[i]] = np.asarray(value).reshape(-1)


_SCHEDULER_KEYS = {"max_lr", "min_lr", "max_momentum", "min_momentum", "base_momentum", "swa_lr"}
# What PyTorch's states have besides the options of the algorithm is no sign of another one.
_LOADED_KEYS = _SCHEDULER_KEYS | {
    "params", "param_names", "initial_lr",
    "foreach", "fused", "capturable", "differentiable", "decoupled_weight_decay", "maximize",
}  # fmt: skip


def _number(value: Any) -> float:
    return float(value.item() if hasattr(value, "item") else value)


def clear(p: Parameter, set_to_none: bool) -> None:
    """Drop one gradient, or zero it in place."""
    if isinstance(p, Value):
        p._grad = None if set_to_none else 0.0
    elif p._node is not None and p._node.grad is not None:
        if set_to_none:
            p._node.grad = None
        else:
            held = p._node.grad if p._node.grad.__class__ is Array else p._node.grad._data
            held[...] = 0
