"""``Value``: one number that remembers how it was made.

Every operation stores, beside its result, the operands it came from and the local derivative
towards each: ``edges`` is the flat tuple ``(operand, derivative, operand, derivative, …)``.
Backward (``walk.py``) then is multiplying along edges and adding where paths meet: the chain rule.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .floats import power
from .modes import mode
from .op import TABLE, Ieee, Op

Number = float | int
_ADD, _SUB, _MUL, _POW, _RELU = (TABLE[name] for name in ("add", "sub", "mul", "pow", "relu"))
_new = object.__new__


def slope(op: Op, place: int, y: float, call: tuple[Any, ...]) -> float:
    """The local derivative towards operand ``place``: the table's rule for a gradient of 1."""
    rule = op.vjp[place]
    if rule is None:
        return 0.0
    try:
        return float(rule(1.0, y, *call))
    except ArithmeticError:  # a pole: once more with IEEE division
        exact = (Ieee(a) if isinstance(a, float) else a for a in call)
        return float(rule(Ieee(1.0), Ieee(y), *exact))


def _unary(name: str) -> Callable[[Value], Value]:
    op = TABLE[name]
    kernel = op.on[float]

    def method(self: Value) -> Value:
        if mode().plain:
            x = self.data
            y = kernel(x)
            return _result(y, (self, slope(op, 0, y, (x,))), op)
        return apply(op, (self,))

    method.__name__ = name
    method.__doc__ = op.why
    return method


def _binary(name: str, reflected: bool = False) -> Callable[[Value, Any], Any]:
    op = TABLE[name]
    kernel = op.on[float]

    def method(self: Value, other: Any) -> Any:
        if (other.__class__ is float or other.__class__ is int) and mode().plain:
            x, c = self.data, float(other)
            call = (c, x) if reflected else (x, c)
            data = kernel(*call)
            y = _result(data, (self, slope(op, int(reflected), data, call)), op)
            y._call = (c, self) if reflected else (self, c)
            return y
        if not isinstance(other, Value):
            other = _operand(other)
            if other is NotImplemented:
                return NotImplemented
            if other.__class__ is not float:
                return kinds.over_array(op, self, other, reflected)
        return apply(op, (other, self) if reflected else (self, other))

    method.__name__ = name
    method.__doc__ = op.why
    return method


def _function(name: str) -> Callable[[Value, Any], Value]:
    """As ``_binary``, for methods: there is nobody else to ask about an operand unknown here."""
    operation = _binary(name)

    def method(self: Value, other: Any) -> Value:
        _given(name, other)
        return operation(self, other)  # type: ignore[no-any-return]

    method.__name__ = name
    method.__doc__ = operation.__doc__
    return method


def _comparison(name: str) -> Callable[[Value, Any], Any]:
    compare = TABLE[name].on[float]

    def method(self: Value, other: Any) -> Any:
        if not isinstance(other, Value):
            other = _operand(other)
            if other.__class__ is not float:
                return NotImplemented
            outcome = compare(self.data, other)
        else:
            outcome = compare(self.data, other.data)
        tape = mode().tape
        if tape is not None:
            tape.compared(name, self, other, outcome)
        return outcome

    return method


class Value:
    """One number in a computation, with its gradient.

    Args:
        data: the number; ints and NumPy scalars become floats.
        label: a name for pictures.

    >>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    >>> y = (a * b + a**2).tanh()
    >>> y.backward()
    >>> y.data, a.grad, b.grad  # doctest: +ELLIPSIS
    (-0.9640..., 0.0706..., 0.1413...)
    """

    __slots__ = ("data", "_grad", "edges", "op", "_call", "label", "pending", "__weakref__")
    __array_ufunc__ = None  # NumPy operands leave the operation to us

    data: float
    _grad: float | None  # None: no gradient was computed
    edges: tuple[Any, ...]
    op: Op | None  # None for a leaf
    _call: tuple[Any, ...] | None  # operands and parameters, where they are more than the inputs
    label: str | None
    pending: int  # within backward: results that still owe it a gradient

    def __init__(
        self,
        data: Any,
        edges: tuple[Any, ...] = (),
        op: Op | None = None,
        call: tuple[Any, ...] | None = None,
        label: str | None = None,
    ) -> None:
        self.data = data if data.__class__ is float else _number(data)
        self._grad = None
        self.edges = edges
        self.op = op
        self._call = call
        self.label = label
        self.pending = 0

    # What it was made of -------------------------------------------------------------------------

    @property
    def inputs(self) -> tuple[Value, ...]:
        """The Values it was computed from, in order: ``x * x`` has ``x`` twice."""
        return self.edges[::2]

    @property
    def partials(self) -> tuple[float, ...]:
        """The local derivative towards each of ``inputs``."""
        return self.edges[1::2]

    @property
    def args(self) -> tuple[Value | float, ...]:
        """All operands in order, constants as plain floats."""
        if self._call is None:
            return self.inputs
        return self._call[: self.op.arity(len(self._call))] if self.op else ()

    @property
    def params(self) -> tuple[Any, ...]:
        """What else the op was called with (a slope, a threshold)."""
        call = self._call
        return call[self.op.arity(len(call)) :] if call and self.op else ()

    @property
    def _prev(self) -> set[Value]:
        return set(self.inputs)

    @property
    def _op(self) -> str:
        return self.op.symbol if self.op else ""

    # Gradients -----------------------------------------------------------------------------------

    @property
    def grad(self) -> float:
        """The gradient of what ``backward()`` was called on; 0.0 while there is none."""
        return 0.0 if self._grad is None else self._grad

    @grad.setter
    def grad(self, gradient: Any) -> None:
        self._grad = None if gradient is None else _number(gradient)

    def zero_grad(self) -> None:
        """Forget the gradient."""
        self._grad = None

    def backward(self, gradient: float = 1.0) -> None:
        """Add the gradient of this number to every leaf it was computed from.

        Inner numbers hold the gradient of this call alone, so a second call adds exactly once more
        to the leaves. ``gradient`` scales everything: the slope of a final result by this number.

        Raises:
            ValueError: ``gradient`` is not finite.
        """
        walk.backward(self, gradient)

    # Arithmetic ----------------------------------------------------------------------------------
    # Sums, products and relu are most of any graph: they spell out the slopes that the table gives.

    def __add__(self, other: Any) -> Value:
        if other.__class__ is Value and mode().plain:
            return _result(self.data + other.data, (self, 1.0, other, 1.0), _ADD)
        return _add(self, other)  # type: ignore[no-any-return]  # Any: it may be NotImplemented

    def __mul__(self, other: Any) -> Value:
        if other.__class__ is Value and mode().plain:
            a, b = self.data, other.data
            return _result(a * b, (self, b, other, a), _MUL)
        return _mul(self, other)  # type: ignore[no-any-return]

    def __sub__(self, other: Any) -> Value:
        if other.__class__ is Value and mode().plain:
            return _result(self.data - other.data, (self, 1.0, other, -1.0), _SUB)
        return _sub(self, other)  # type: ignore[no-any-return]

    def __pow__(self, other: Any) -> Value:
        if (other.__class__ is int or other.__class__ is float) and mode().plain:
            x, n = self.data, float(other)
            y = _result(power(x, n), (self, n * power(x, n - 1.0) if n else 0.0), _POW)
            y._call = (self, n)
            return y
        return _pow(self, other)  # type: ignore[no-any-return]

    def relu(self) -> Value:
        """x where positive, else 0 (with slope 0 there, and at 0)."""
        if mode().plain:
            x = self.data
            if x <= 0.0:
                return _result(0.0, (self, 0.0), _RELU)
            return _result(x, (self, 1.0), _RELU)
        return apply(_RELU, (self,))

    def __pos__(self) -> Value:
        return self

    __radd__ = _binary("add", reflected=True)
    __rmul__ = _binary("mul", reflected=True)
    __rsub__ = _binary("sub", reflected=True)
    __truediv__ = _binary("div")
    __rtruediv__ = _binary("div", reflected=True)
    __rpow__ = _binary("pow", reflected=True)
    __floordiv__ = _binary("floor_divide")
    __rfloordiv__ = _binary("floor_divide", reflected=True)
    __mod__ = _binary("remainder")
    __rmod__ = _binary("remainder", reflected=True)
    __neg__, __abs__ = _unary("neg"), _unary("abs")

    exp, exp2, expm1 = _unary("exp"), _unary("exp2"), _unary("expm1")
    log, log1p, log2, log10 = _unary("log"), _unary("log1p"), _unary("log2"), _unary("log10")
    sqrt, rsqrt, square, reciprocal = (
        _unary("sqrt"), _unary("rsqrt"), _unary("square"), _unary("reciprocal"),
    )  # fmt: skip
    sin, cos, tan = _unary("sin"), _unary("cos"), _unary("tan")
    asin, acos, atan = _unary("asin"), _unary("acos"), _unary("atan")
    sinh, cosh, tanh = _unary("sinh"), _unary("cosh"), _unary("tanh")
    asinh, acosh, atanh = _unary("asinh"), _unary("acosh"), _unary("atanh")
    sigmoid, silu, erf = _unary("sigmoid"), _unary("silu"), _unary("erf")
    logsigmoid = _unary("logsigmoid")
    floor, ceil, trunc, round = _unary("floor"), _unary("ceil"), _unary("trunc"), _unary("round")
    sign, abs, neg = _unary("sign"), _unary("abs"), _unary("neg")
    maximum, minimum = _function("maximum"), _function("minimum")
    fmod, atan2, hypot = _function("fmod"), _function("atan2"), _function("hypot")

    def leaky_relu(self, negative_slope: float = 0.01) -> Value:
        return apply(TABLE["leaky_relu"], (self,), (negative_slope,))

    def elu(self, alpha: float = 1.0) -> Value:
        return apply(TABLE["elu"], (self,), (alpha,))

    def gelu(self, approximate: str = "none") -> Value:
        if approximate not in ("none", "tanh"):
            raise ValueError(f"gelu: approximate must be 'none' or 'tanh', got {approximate!r}")
        return apply(TABLE["gelu"], (self,), (approximate,))

    def softplus(self, beta: float = 1.0, threshold: float = 20.0) -> Value:
        return apply(TABLE["softplus"], (self,), (beta, threshold))

    def clamp(self, min: Any = None, max: Any = None) -> Value:
        """The nearest number in [min, max]; the slope is 1 inside and on the bounds."""
        if min is None and max is None:
            raise ValueError("clamp: expected min, max or both, got neither")
        low = float("-inf") if min is None else _given("clamp", min)
        high = float("inf") if max is None else _given("clamp", max)
        return apply(TABLE["clamp"], (self, low, high))

    # As a number ---------------------------------------------------------------------------------

    __lt__, __le__ = _comparison("lt"), _comparison("le")
    __gt__, __ge__ = _comparison("gt"), _comparison("ge")
    __eq__ = _comparison("eq")
    __ne__ = _comparison("ne")
    __hash__ = object.__hash__  # two numbers of equal size are still two places in a graph

    def __float__(self) -> float:
        if mode().tape is not None:
            mode().tape.taken(self, "float(v)")
        return float(self.data)  # data is the user's to write, an int too

    def __int__(self) -> int:
        if mode().tape is not None:
            mode().tape.taken(self, "int(v)")
        return int(self.data)

    def __bool__(self) -> bool:
        return self != 0.0  # type: ignore[no-any-return]

    def item(self) -> float:
        if mode().tape is not None:
            mode().tape.taken(self, "v.item()")
        return self.data

    def detach(self) -> Value:
        """The same number without its history."""
        made = Value(self.data, label=self.label)
        if mode().tape is not None:
            mode().tape.cut(made, None, (self,))
        if mode().watch is not None:
            cuts.CUTS.put(made, cuts.Cut("detach", "detach", sites.user_line(), (self,)))
        return made

    def __repr__(self) -> str:
        grad = "-" if self._grad is None else repr(self._grad)
        label = f", label={self.label!r}" if self.label else ""
        return f"Value(data={self.data!r}, grad={grad}{label})"

    def __format__(self, spec: str) -> str:
        return format(self.data, spec) if spec else repr(self)

    def __copy__(self) -> Value:
        made = Value(self.data, self.edges, self.op, self._call, self.label)
        made._grad = self._grad
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Value:
        return copies.deep_copy(self, memo)

    def __reduce__(self) -> tuple[Any, ...]:
        return copies.reduce(self)


def _result(data: float, edges: tuple[Any, ...], op: Op) -> Value:
    """As ``Value(data, edges, op)``, at two thirds of the cost: calling a class has its price."""
    y: Value = _new(Value)
    y.data = data
    y._grad = None
    y.edges = edges
    y.op = op
    y._call = None
    y.label = None
    y.pending = 0
    return y


def apply(op: Op, operands: tuple[Value | float, ...], params: tuple[Any, ...] = ()) -> Value:
    """Run ``op`` on Values and floats, recording an edge to every Value."""
    call = tuple([a.data if isinstance(a, Value) else a for a in operands]) + params
    data = op.on[float](*call)
    now = mode()
    if not now.grad:
        y = Value(data)
        if now.tape is not None:
            now.tape.cut(y, op, operands + params)
    else:
        edges: list[Any] = []
        joint = None if op.joint is None else op.joint((True,) * len(call), 1.0, data, call)
        for place, operand in enumerate(operands):
            if isinstance(operand, Value):
                edges += (operand, joint[place] if joint else slope(op, place, data, call))
        y = Value(data, tuple(edges), op if edges else None)
        if len(edges) < 2 * len(operands) or params:
            y._call = (*operands, *params)
    if now.watched:
        anomaly.watched(op, y, operands + params, now)
    return y


_add, _sub, _mul, _pow = _binary("add"), _binary("sub"), _binary("mul"), _binary("pow")


def _number(data: Any) -> float:
    if isinstance(data, (str, bytes, Value)):
        ours = isinstance(data, Value)
        remedy = "use it as it is, or .detach() it" if ours else "convert it first"
        raise TypeError(f"Value: expected a number, got {type(data).__name__} {data!r}; {remedy}")
    try:
        return float(data)
    except (TypeError, ValueError):
        shape = getattr(data, "shape", None)
        kind = f"an array of shape {shape}" if shape else f"{type(data).__name__}"
        raise TypeError(
            f"Value: expected one number, got {kind}; a Value holds one number, "
            "gradling.tensor(...) holds many"
        ) from None


def _operand(other: Any) -> Any:
    """A constant operand as a float; arrays as they are; NotImplemented for anything else."""
    if isinstance(other, (float, int)):
        return float(other)
    if isinstance(other, Value):
        return other
    shape = getattr(other, "shape", None)
    if shape is None or hasattr(other, "requires_grad"):
        return NotImplemented
    return float(other) if shape == () else other


def _given(name: str, number: Any) -> Value | float:
    found = _operand(number)
    if not isinstance(found, (float, Value)):
        raise TypeError(f"{name}: expected a number or a Value, got {type(number).__name__}")
    return found


from . import anomaly, copies, cuts, kinds, sites, walk  # noqa: E402  (they need Value)
