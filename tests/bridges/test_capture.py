"""capture: the numbers of the function itself, and nothing of it stale."""

from __future__ import annotations

import copy
import inspect
import itertools
import random
import threading
import time
import warnings
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gradling
from gradling import nn
from gradling.bridges import CaptureError
from gradling.engine import TABLE
from gradling.nn import functional as F
from gradling.tensor.trees import leaves
from gradling.testing.cases import cases_of
from gradling.train import fit

RNG = np.random.default_rng(0)


def normal(*shape, dtype="float32"):
    return gradling.tensor(RNG.standard_normal(shape).astype(dtype))


def labels(count, classes):
    return gradling.tensor(RNG.integers(0, classes, count))


def trusted(captured):
    return captured._plans[0].trusted


def counted(fn):
    """``fn``, and how often it was run."""
    calls = []

    def run(*args):
        calls.append(1)
        return fn(*args)

    run.__module__ = __name__
    return run, calls


class Reader(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.cells = kind(3, 4, batch_first=True)
        self.head = nn.Linear(4, 3)

    def forward(self, x):
        return self.head(self.cells(x)[0][:, -1])


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = [nn.Linear(4, 4) for _ in range(2)]
        self.head = nn.Linear(4, 3)

    def forward(self, x):
        for layer in self.layers:
            x = x + layer(x).relu() * 0.5 - x.mean()
        return self.head(x)


MODELS = {
    "mlp": (lambda: nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)), (5, 4)),
    "residual": (Residual, (5, 4)),
    "norms": (
        lambda: nn.Sequential(nn.LayerNorm(4), nn.GELU(), nn.RMSNorm(4), nn.Linear(4, 3)), (5, 4),
    ),
    "cnn": (
        lambda: nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.AvgPool2d(2),
            nn.Flatten(), nn.Linear(16, 3),
        ), (5, 1, 8, 8),
    ),
    "batch norm, evaluating": (
        lambda: nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 3)).eval(), (5, 4),
    ),
    "rnn": (lambda: Reader(nn.RNN), (5, 6, 3)),
    "lstm": (lambda: Reader(nn.LSTM), (5, 6, 3)),
    "gru": (lambda: Reader(nn.GRU), (5, 6, 3)),
    "transformer": (
        lambda: nn.Sequential(
            nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True), nn.Flatten(),
            nn.Linear(24, 3),
        ), (5, 6, 4),
    ),
    "embedding": (
        lambda: nn.Sequential(nn.Embedding(9, 4), nn.Flatten(), nn.Linear(12, 3)), (5, 3),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_the_numbers_are_those_of_the_function(name):
    make, shape = MODELS[name]
    model = make()
    run, calls = counted(lambda x, t: F.cross_entropy(model(x), t))
    loss_of = gradling.capture(lambda x, t: F.cross_entropy(model(x), t))
    for _ in range(5):
        x = labels(shape, 9) if name == "embedding" else normal(*shape)
        t = labels(5, 3)
        model.zero_grad()
        loss = loss_of(x, t)
        loss.backward()
        found = [p.grad.numpy().copy() for p in model.parameters()]
        model.zero_grad()
        wanted = run(x, t)
        wanted.backward()
        assert loss.item() == wanted.item()
        for g, p in zip(found, model.parameters(), strict=True):
            np.testing.assert_array_equal(g, p.grad.numpy())
    assert trusted(loss_of)


@pytest.mark.parametrize("name", TABLE)
@settings(max_examples=3)
@given(data=st.data())
def test_every_op_is_captured_as_it_is(name, data):
    case = data.draw(cases_of(name))
    op = TABLE[name]
    leaves_of = [
        gradling.Tensor(x).requires_grad_() if x.dtype.kind == "f" else gradling.Tensor(x)
        for x in case.operands
    ]
    captured = gradling.capture(lambda *xs: op(*xs, *case.params).clone())
    for _ in range(3):
        try:
            found = captured(*leaves_of)
        except CaptureError:
            return
        wanted = op(*leaves_of, *case.params)
        np.testing.assert_array_equal(found.numpy(), wanted.numpy())
        assert found.requires_grad == wanted.requires_grad
        if wanted.requires_grad:
            g = gradling.Tensor(np.cos(np.arange(wanted.numel())).reshape(wanted.shape)).to(
                wanted.dtype
            )
            follow = [x for x in leaves_of if x.requires_grad]
            for a, b in zip(
                gradling.autograd.grad(found, follow, g, allow_unused=True),
                gradling.autograd.grad(wanted, follow, g, allow_unused=True),
                strict=True,
            ):
                assert (a is None) == (b is None)
                if a is not None:
                    np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12, atol=1e-12)


HEADS = nn.MultiheadAttention(8, 2, batch_first=True)
LATER = nn.Transformer.generate_square_subsequent_mask(5) < 0
WRITER = gradling.models.GPT(9, 5, n_layer=2, n_head=2, n_embd=8)
READER = gradling.models.LeNet5()
CAPTURED = gradling.capture(nn.Linear(2, 2))
COMMON = {
    "a language model": (WRITER, lambda: (labels((3, 5), 9),)),
    "a captured one": (gradling.capture(lambda x: CAPTURED(x) * 2), lambda: (normal(3, 2),)),
    "a network": (READER, lambda: (normal(2, 1, 28, 28),)),
    "attention": (lambda x: HEADS(x, x, x)[0], lambda: (normal(2, 5, 8),)),
    "attention without weights": (
        lambda x: HEADS(x, x, x, need_weights=False)[0], lambda: (normal(2, 5, 8),),
    ),
    "a mask": (
        lambda x: (x @ x.mT).masked_fill(LATER, float("-inf")).softmax(-1),
        lambda: (normal(2, 5, 8),),
    ),
    "accuracy": (
        lambda x, t: (x.argmax(1) == t).float().mean(), lambda: (normal(5, 3), labels(5, 3)),
    ),
    "weight decay": (
        lambda x: READER(x).sum() + sum((p * p).sum() for p in READER.parameters()) * 1e-3,
        lambda: (normal(2, 1, 28, 28),),
    ),
    "detach": (lambda x: (x - x.mean().detach()) / x.std().detach(), lambda: (normal(5, 4),)),
    "parts": (
        lambda x: sum(part.sum() * k for k, part in enumerate(x.chunk(2, -1))),
        lambda: (normal(5, 4),),
    ),
    "literals": (lambda x: x * gradling.tensor([1.0, 2.0]) + np.sqrt(2), lambda: (normal(3, 2),)),
    "probabilities": (lambda p, t: F.binary_cross_entropy(p.sigmoid(), t.sigmoid()),
                      lambda: (normal(4), normal(4))),
}  # fmt: skip


@pytest.mark.parametrize("name", COMMON)
def test_common_code_is_captured(name):
    fn, draw = COMMON[name]
    captured = gradling.capture(fn)
    for _ in range(4):
        args = draw()
        alike(captured(*args), fn(*args))
    assert trusted(captured)


# Front ends may look at numbers outside of any op: every function that takes such arguments is
# called with numbers of other sizes and signs, in which such a look would show.
OTHERS = (1.0, 1.0, 10.0, 0.01, -3.0)
ARGUMENTS = {
    "x": lambda s: (real(s),),
    "x, y": lambda s: (real(s), real(s)),
    "x, 1": lambda s: (real(s), 1),
    "x, labels": lambda s: (real(s), labels(3, 3)),
    "labels": lambda s: (labels(3, 3),),
    "x, 0, places": lambda s: (real(s), 0, labels((3, 3), 3)),
    "x, mask, y": lambda s: (real(s), real(s) > 0, real(s)),
    "images, 2": lambda s: (gradling.tensor(RNG.standard_normal((2, 2, 4, 4)) * s), 2),
}
RANDOM = {
    "dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout",
    "bernoulli", "poisson", "normal", "rand_like", "randn_like", "randint_like", "rrelu",
    "gumbel_softmax", "multinomial",
}  # fmt: skip
NOT_MEANT = {"capture", "lift", "unroll", "save", "load", "seed", "manual_seed", "__format__"}


def real(scale):
    return gradling.tensor(RNG.standard_normal((3, 3)) * scale).requires_grad_()


def front_ends():
    found = {}
    for space in (gradling, gradling.linalg, F, gradling.Tensor):
        for name in dir(space):
            fn = getattr(space, name)
            known = name in RANDOM | NOT_MEANT or name.endswith("_") and not name.endswith("__")
            if name.startswith("_") and space is not gradling.Tensor or known:
                continue
            if callable(fn) and not inspect.isclass(fn) and not name.startswith("set_"):
                found.setdefault(id(fn), (name, fn))
    return list(found.values())


def alike(a, b):
    for x, y in itertools.zip_longest(leaves(a), leaves(b)):
        if not isinstance(x, gradling.Tensor):
            assert x == y or x != x
            continue
        assert (x.dtype, x.requires_grad) == (y.dtype, y.requires_grad)
        np.testing.assert_array_equal(x.detach().numpy(), y.detach().numpy())


@pytest.mark.parametrize("arguments", ARGUMENTS)
def test_no_front_end_leaves_anything_stale(arguments):
    count = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, fn in front_ends():
            captured = gradling.capture(lambda *args, fn=fn: fn(*args))
            for scale in OTHERS:
                args = ARGUMENTS[arguments](scale)
                try:
                    wanted = fn(*args)
                except Exception:  # such arguments are not for it
                    break
                if not any(isinstance(x, gradling.Tensor) for x in leaves(wanted)):
                    break
                try:
                    found = captured(*args)
                except CaptureError:
                    break
                try:
                    alike(found, wanted)
                except AssertionError as error:
                    raise AssertionError(f"{name}({arguments}) at scale {scale}") from error
                count += trusted(captured)
    assert count > 5, "nothing was captured: the test has no teeth"


def test_masks_are_drawn_anew():
    model = nn.Sequential(nn.Linear(4, 50), nn.Dropout(0.5), nn.Linear(50, 3))
    captured = gradling.capture(model)
    x = normal(5, 4)
    outs = [tuple(captured(x).flatten().tolist()) for _ in range(6)]
    assert trusted(captured) and len(set(outs)) == 6
    gradling.manual_seed(3)
    first = captured(x)
    gradling.manual_seed(3)
    np.testing.assert_array_equal(model(x).detach().numpy(), first.detach().numpy())


# What may change ----------------------------------------------------------------------------------

SCALE = 1.0


class Base(nn.Module):
    offset = 0.0


class Scaled(Base):
    factor = 1.0
    table = {"shift": 0.0}

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 2)
        self.list = [1.0]
        self.drop = nn.Dropout(0.5).eval()
        self.exponent = 1
        self.names = nn.Buffer(gradling.ones(2))

    @property
    def power(self):
        return self.exponent

    def forward(self, x):
        y = self.drop(self.linear(x)) * self.factor + self.table["shift"] + self.offset
        return (y * self.list[0] * helper() * SCALE * self.names) ** self.power


def helper(times=1.0):
    return STATE["gain"] * times + helper.extra


helper.extra = 0.0


STATE = {"gain": 1.0}


def set_attribute(m):
    m.factor = 3.0


def set_class_attribute(m):
    Scaled.factor = 4.0


def set_in_dict(m):
    m.table["shift"] = 5.0


def set_in_list(m):
    m.list[0] = 7.0


def set_global(m):
    global SCALE
    SCALE = 2.0


def set_in_global_dict(m):
    STATE["gain"] = 9.0


def set_behind_a_property(m):
    m.exponent = 2


def edit_buffer(m):
    m.names[1] = 3.0


def replace_data(m):
    m.linear.weight.data = normal(2, 3)


def set_attribute_of_a_base(m):
    Base.offset = 3.0


def override(m):
    Scaled.offset = 8.0


def set_default(m):
    helper.__defaults__ = (2.0,)


def set_function_attribute(m):
    helper.extra = 5.0


def set_by_vars(m):
    vars(m)["factor"] = 6.0


def train(m):
    m.train()
    m.drop.p = 0.0


def replace_layer(m):
    m.linear = nn.Linear(3, 2)


def replace_parameter(m):
    m.linear.weight = nn.Parameter(normal(2, 3))


def freeze(m):
    m.linear.weight.requires_grad_(False)


def edit_parameter(m):
    with gradling.no_grad():
        m.linear.weight.mul_(2.0)


def load(m):
    m.load_state_dict({k: v * 2 for k, v in m.state_dict().items()})


def optimize(m):
    optimizer = gradling.optim.SGD(m.parameters(), lr=0.1)
    m(gradling.ones(4, 3)).sum().backward()
    optimizer.step()
    m.zero_grad()


CHANGES = [
    set_attribute, set_class_attribute, set_in_dict, set_in_list, set_global, set_in_global_dict,
    set_behind_a_property, edit_buffer, set_by_vars, replace_data, set_attribute_of_a_base,
    override, set_default, set_function_attribute, train, replace_layer, replace_parameter, freeze,
    edit_parameter, load, optimize,
]  # fmt: skip


@pytest.fixture
def before(monkeypatch):
    """What the changes of shared things are undone to."""
    monkeypatch.setattr(Scaled, "factor", 1.0)
    monkeypatch.setattr(Scaled, "table", {"shift": 0.0})
    monkeypatch.setitem(STATE, "gain", 1.0)
    monkeypatch.setitem(globals(), "SCALE", 1.0)
    monkeypatch.setattr(Base, "offset", 0.0)
    monkeypatch.setattr(helper, "__defaults__", (1.0,))
    monkeypatch.setattr(helper, "extra", 0.0)
    yield
    if "offset" in vars(Scaled):
        del Scaled.offset


@pytest.mark.parametrize("change", CHANGES)
def test_what_has_changed_is_noticed(change, before):
    model, x = Scaled(), normal(4, 3)
    captured = gradling.capture(model)
    for _ in range(3):
        captured(x)
    assert trusted(captured)
    was = captured(x).detach().numpy().copy()
    change(model)
    for _ in range(4):
        found, wanted = captured(x), model(x)
        np.testing.assert_array_equal(found.detach().numpy(), wanted.detach().numpy())
        grads = [
            gradling.autograd.grad(y.sum(), list(model.parameters()), allow_unused=True)
            for y in (found, wanted)
            if all(p.requires_grad for p in model.parameters())
        ]
        for a, b in zip(*grads, strict=True) if grads else ():
            np.testing.assert_array_equal(a.numpy(), b.numpy())
    assert trusted(captured)
    assert change in (freeze, train, replace_parameter) or not np.array_equal(was, found.tolist())


def test_modes_dtypes_shapes_and_values_have_recordings_of_their_own():
    model = nn.Linear(3, 2)
    captured = gradling.capture(lambda x, k=1.0: model(x) * k)
    alternatives = [
        lambda: captured(gradling.ones(4, 3)),
        lambda: captured(gradling.ones(5, 3)),
        lambda: captured(gradling.ones(5, 3, requires_grad=True)),
        lambda: captured(gradling.ones(4, 3), 2.0),
        lambda: captured(gradling.ones(4, 3), 3),
    ]
    for _ in range(4):
        found = [make() for make in alternatives]
    assert [y.shape for y in found] == [(4, 2), (5, 2), (5, 2), (4, 2), (4, 2)]
    np.testing.assert_allclose(found[4].tolist(), found[0].detach().numpy() * 3, rtol=1e-6)
    assert len(captured._plans) == 5 and all(plan.trusted for plan in captured._plans)
    for _ in range(3):
        with gradling.no_grad():
            assert not captured(gradling.ones(4, 3)).requires_grad
        with gradling.inference_mode():
            assert not captured(gradling.ones(4, 3)).requires_grad
        assert captured(gradling.ones(4, 3)).requires_grad
        assert captured(gradling.ones(4, 3), k=2.0).requires_grad
    model.double()
    for _ in range(3):
        assert captured(gradling.ones(4, 3, dtype=gradling.float64)).dtype is gradling.float64


def test_the_function_runs_twice_and_then_no_more():
    calls = []
    model = nn.Linear(2, 1)

    def loss_of(x):
        print("running")
        return model(x).sum()

    captured = gradling.capture(loss_of)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("builtins.print", calls.append)
        for _ in range(5):
            captured(gradling.ones(3, 2))
    assert len(calls) == 2


# What is refused ----------------------------------------------------------------------------------

WEIGHT = gradling.ones(3, requires_grad=True)
NORM = nn.BatchNorm1d(3)
DICE, STREAM = random.Random(0), iter(range(1000))
NUMBERS = np.random.default_rng(0)
OPTIMIZER = gradling.optim.SGD([WEIGHT], lr=0.1)


def edits(x):
    x.add_(1)
    return x * 2


def imports(x):
    from numpy.random import rand

    return x * rand()


class Config:
    n = 3


CONFIG, COUNT, ARRAY = Config(), {"n": 0}, np.ones(3, np.float32)
HOOKED = nn.Linear(3, 1)
HOOKED.register_forward_hook(lambda module, args, out: out * 2)


DETACHED, HOLDER = WEIGHT.detach(), nn.Linear(1, 1)
RECORD = np.zeros(1, dtype=[("a", "f4")])[0]


def swallowing(x):
    try:
        factor = x.sum().item()
    except TypeError:
        factor = 1.0
    return x * factor


def counting(x):
    COUNT["n"] += 1
    return x * 2


def draws_in_place(x):
    return x * gradling.rand(3)


def steps(x):
    loss = (x * WEIGHT).sum()
    loss.backward()
    return loss


def backs(x):
    y = x * WEIGHT
    y.retain_grad()
    return y.sum()


REFUSED = {
    "item": (lambda x: x * x.sum().item(), "item"),
    "float": (lambda x: x * float(x.sum()), "item"),
    "truth": (lambda x: x if x.sum() > 0 else -x, "truth"),
    "numpy": (lambda x: x * x.numpy().max(), "numpy"),
    "NumPy's function": (lambda x: x * np.median(x), "numpy"),
    "tolist": (lambda x: x * x.tolist()[0], "tolist"),
    "where": (lambda x: x[gradling.where(x > 0)[0]], r"where\(condition\)"),
    "nonzero": (lambda x: x * len(x.nonzero()), "nonzero"),
    "equal": (lambda x: x * gradling.equal(x, x), "equal"),
    "random tensor": (draws_in_place, "a random tensor"),
    "random number": (lambda x: x * DICE.random(), "DICE"),
    "random module": (lambda x: x * random.random(), "module random"),
    "NumPy's random": (lambda x: x * np.random.rand(), "random"),
    "imported inside": (imports, "numpy.random"),
    "text": (lambda x: x * float(f"{x.sum():.3f}"), "text"),
    "by name": (lambda x: x * getattr(WEIGHT, "ndim"), "getattr"),  # noqa: B009
    "identity": (lambda x: x if x is WEIGHT else x * 2, "'is'"),
    "another object": (lambda x: x * CONFIG.n, "CONFIG"),
    "grad": (lambda x: x * 2 if WEIGHT.grad is None else x, "grad"),
    "zero_grad": (lambda x: OPTIMIZER.zero_grad() or x * 1, "OPTIMIZER"),
    "NumPy's array": (lambda x: x * ARRAY, "no op made"),
    "hooks": (lambda x: HOOKED(x), "hooks"),
    "itself": (counting, "COUNT.n itself"),
    "results in one memory": (lambda x: ((y := x * 2), y[:2]), "memory"),
    "masks": (lambda x: x[x > 0].mean(), "mask"),
    "hook on an argument": (lambda x: x.register_hook(lambda g: g * 2) and x * 2, "register_hook"),
    "two in one array": (lambda x: x * WEIGHT.detach() + 0 * DETACHED.sum(), "share one array"),
    "swallowed": (swallowing, "item"),
    "a key": (lambda x: x * {x: 2.0}.get(x, 1.0), "key"),
    "a set": (lambda x: x * len({1, 2}), "a set"),
    "by text": (lambda x: x * HOLDER.__dict__["factor"], "__dict__"),
    "a file": (lambda x: x * gradling.load("nowhere.npz")["s"], "load"),
    "a record": (lambda x: x * float(RECORD["a"]), "RECORD"),
    "NumPy's settings": (
        lambda x: x * np.get_printoptions()["precision"],
        "can reach",
    ),
    "unused draws": (lambda x: gradling.randn(3) is None or x * 2, "random tensor"),
    "NumPy's generator": (lambda x: x * float(NUMBERS.random()), "NUMBERS"),
    "time": (lambda x: x * time.perf_counter(), "module time"),
    "iterator": (lambda x: x * sum(STREAM), "STREAM"),
    "edit": (edits, "in place"),
    "batch norm": (lambda x: NORM(x.reshape(1, 3).expand(2, 3)), "in place"),
    "backward": (steps, r"backward\(\)"),
    "optimizer": (lambda x: OPTIMIZER.step() or x * 1, "OPTIMIZER"),
    "hook": (backs, "retain_grad"),
    "view": (lambda x: x.reshape(3, 1), "view"),
    "made inside": (lambda x: x * gradling.from_numpy(np.ones(3, np.float32)), "no op made"),
    "a constant": (lambda x: gradling.tensor([1.0]), "no op made"),
    "no tensors": (lambda x: len, "must return tensors"),
    "global": (lambda x: x * globals()["SCALE"], "globals"),
    "opened": (lambda x: x * len(list(open("nowhere"))), "open"),  # noqa: SIM115
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_followed_is_refused(name):
    fn, message = REFUSED[name]
    captured = gradling.capture(fn)
    with warnings.catch_warnings(), pytest.raises(CaptureError, match=message):
        warnings.simplefilter("ignore")
        WEIGHT.grad = gradling.ones(3)
        for _ in range(3):
            captured(gradling.tensor([1.0, 2.0, -0.5], requires_grad=name != "numpy"))


def test_what_changes_all_the_time_is_named():
    holder = {"n": 0}
    captured = gradling.capture(lambda x: x * holder["n"])
    with pytest.raises(CaptureError, match=r"holder\.n has changed at each"):
        for _ in range(30):
            holder["n"] += 1
            captured(gradling.ones(3))
    assert holder["n"] > 10


ODD = itertools.cycle([1.0, 2.0])


def test_what_others_have_put_into_our_modules_is_followed(monkeypatch):
    monkeypatch.setattr(F, "relu", lambda x, odd=ODD: x * next(odd))
    with pytest.raises(CaptureError, match="cycle"):
        captured = gradling.capture(lambda x: F.relu(x))
        for _ in range(3):
            captured(gradling.ones(2))


def test_names_of_the_users_do_not_meet_those_of_the_source():
    for name in ("g_0", "part_1", "kept", "gradients", "mul_2", "asarray", "_", "lambda", "x0"):
        model = nn.Module()
        setattr(model, name, nn.Parameter(gradling.tensor([5.0, 7.0])))
        weight = vars(model)[name]
        scope = {"F": F, name: weight} if name != "lambda" else {"F": F, "held": weight}
        f = eval(f"lambda x: (x * {name if name != 'lambda' else 'held'}).sum()", scope)
        captured = ready(f, gradling.ones(2, requires_grad=True))
        x = gradling.ones(2, requires_grad=True)
        captured(x).backward()
        assert x.grad.tolist() == [5.0, 7.0]


def test_layers_of_the_library_are_followed_into_what_is_overridden():
    class Layer(nn.TransformerEncoderLayer):
        def _feed_forward(self, *args, **kwargs):
            return super()._feed_forward(*args, **kwargs) * SCALES[0]

    class Leaky(nn.LeakyReLU):
        negative_slope = property(lambda self: SCALES[0], lambda self, value: None)

    for model, x in ((Layer(4, 2, 8, dropout=0.0), normal(2, 3, 4)), (Leaky(), normal(3))):
        SCALES[0] = 1.0
        captured = ready(model, x)
        for scale in (1.0, 0.5, -0.0, 0.0):
            SCALES[0] = scale
            np.testing.assert_array_equal(captured(x).detach().numpy(), model(x).detach().numpy())


SCALES = [1.0]


def test_plain_values_are_told_apart_as_they_compute():
    keys, table = {0.0: 1}, np.arange(4.0).reshape(2, 2)
    f = ready(lambda x: [1 / (x * k) for k in keys][0] + float(table[0, 1]), gradling.ones(1))
    keys.clear()
    keys[-0.0] = 1
    assert f(gradling.ones(1)).tolist() == [float("-inf")]
    keys.clear()
    keys[1.0] = 1
    table[:] = table.T.copy()
    assert f(gradling.ones(1)).tolist() == [3.0]


# As a part of graphs ------------------------------------------------------------------------------


def ready(fn, *args):
    captured = gradling.capture(fn)
    for _ in range(2):
        captured(*args)
    assert trusted(captured)
    return captured


def test_training_is_the_same_step_by_step():
    x, y = normal(20, 2), normal(20, 1)
    for make in (
        lambda ps: gradling.optim.SGD(ps, lr=0.1, momentum=0.9),
        lambda ps: gradling.optim.Adam(ps, lr=0.01),
    ):
        nets = [nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1)) for _ in range(2)]
        nets[1].load_state_dict(nets[0].state_dict())
        captured = gradling.capture(lambda x, y, net=nets[0]: F.mse_loss(net(x), y))
        losses = []
        for net, loss_of in (
            (nets[0], captured), (nets[1], lambda x, y, net=nets[1]: F.mse_loss(net(x), y)),
        ):  # fmt: skip
            optimizer = make(net.parameters())
            schedule = gradling.optim.lr_scheduler.StepLR(optimizer, 5, 0.5)
            found = []
            for _ in range(20):
                optimizer.zero_grad()
                loss = loss_of(x, y)
                loss.backward()
                optimizer.step()
                schedule.step()
                found.append(loss.item())
            losses.append(found)
        assert losses[0] == losses[1] and trusted(captured)


def test_a_captured_module_is_trained_by_fit():
    model = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
    captured = gradling.capture(model)
    x, y = normal(40, 2), normal(40, 1)
    loader = gradling.data.DataLoader(gradling.data.TensorDataset(x, y), batch_size=10)
    history = fit(
        captured, loader, loss="mse", optimizer=gradling.optim.Adam(model.parameters(), lr=0.05),
        epochs=8, val=loader,
    )  # fmt: skip
    assert history["loss"][-1] < history["loss"][0]
    assert [n for n, _ in captured.named_parameters()] == [n for n, _ in model.named_parameters()]


def test_gradients_add_up_and_graphs_are_freed_as_usual():
    w = gradling.tensor([2.0, 3.0], requires_grad=True)
    f = ready(lambda x: (x * w).sum(), gradling.ones(2))
    loss = f(gradling.tensor([1.0, 4.0]))
    loss.backward()
    loss.backward()
    assert w.grad.tolist() == [2.0, 8.0]
    other = f(gradling.ones(2)) * 2 + loss
    w.grad = None
    other.backward(retain_graph=False)
    assert w.grad.tolist() == [3.0, 6.0]
    with pytest.raises(RuntimeError, match="was freed by the first"):
        other.backward()


def test_two_results_in_use_at_once():
    w = gradling.tensor([2.0, 3.0], requires_grad=True)
    f = ready(lambda x: (x * w).tanh(), gradling.ones(2))
    a, b = f(gradling.tensor([0.1, 0.2])), f(gradling.tensor([0.3, -0.1]))
    (a * b).sum().backward()
    found, w.grad = w.grad.tolist(), None
    parts = [(gradling.tensor(v) * w).tanh() for v in ([0.1, 0.2], [0.3, -0.1])]
    (parts[0] * parts[1]).sum().backward()
    assert found == w.grad.tolist()


def test_edits_before_backward_are_noticed():
    w = gradling.tensor([2.0, 3.0], requires_grad=True)
    f = ready(lambda x: (x * w).tanh(), gradling.ones(2))
    y = f(gradling.ones(2))
    with gradling.no_grad():
        w.add_(1.0)
    with pytest.raises(RuntimeError, match="changed afterwards"):
        y.sum().backward()
    y = f(gradling.ones(2))
    y.detach().add_(1.0)
    with pytest.raises(RuntimeError, match="changed afterwards"):
        y.sum().backward()


@pytest.mark.parametrize("name", ["mlp", "norms", "lstm", "transformer", "embedding"])
def test_second_derivatives(name):
    make, shape = MODELS[name]
    model = make().double()
    x = labels(shape, 9) if name == "embedding" else normal(*shape, dtype="float64")
    t = labels(5, 3)

    def penalty(loss_of):
        grads = gradling.autograd.grad(loss_of(x, t), list(model.parameters()), create_graph=True)
        total = sum((g * g).sum() for g in grads)
        return gradling.autograd.grad(total, list(model.parameters()))

    plain = lambda x, t: F.cross_entropy(model(x), t)  # noqa: E731
    for a, b in zip(penalty(ready(plain, x, t)), penalty(plain), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-9, atol=1e-12)


def test_masks_of_the_forward_pass_serve_second_derivatives():
    w = gradling.tensor(RNG.standard_normal(50), requires_grad=True)
    f = ready(lambda x: (F.dropout(x * w) ** 3).sum(), gradling.ones(50, dtype=gradling.float64))
    y = f(gradling.ones(50, dtype=gradling.float64))
    (g,) = gradling.autograd.grad(y, [w], create_graph=True)
    (h,) = gradling.autograd.grad(g.sum(), [w])
    np.testing.assert_allclose((h * w).tolist(), (g * 2).tolist(), rtol=1e-12)


def test_several_results():
    w = gradling.tensor([2.0, 3.0], requires_grad=True)

    def fn(x):
        y = x * w
        return {"y": y, "sums": (y.sum(), (y > 1).sum()), "none": None, "y again": y.detach()}

    f = ready(fn, gradling.ones(2))
    found, wanted = f(gradling.tensor([3.0, 0.1])), fn(gradling.tensor([3.0, 0.1]))
    alike(found, wanted)
    assert list(found) == list(wanted)
    loss = found["sums"][0] + (found["y"] * gradling.tensor([1.0, 10.0])).sum()
    loss.backward()
    assert w.grad.tolist() == pytest.approx([6.0, 1.1])
    (g,) = gradling.autograd.grad(found["y"].sum(), [w], create_graph=True)
    np.testing.assert_allclose(g.tolist(), [3.0, 0.1])


def test_one_tensor_in_several_places():
    w = gradling.tensor([2.0, 3.0], requires_grad=True)
    f = ready(lambda x, y: (x * y * w).sum(), w, w)
    for x, y in ((w, w), (gradling.ones(2, requires_grad=True), w)):
        w.grad = None
        f(x, y).backward()
        found, w.grad = w.grad.tolist(), None
        (x * y * w).sum().backward()
        assert found == w.grad.tolist()


def test_results_that_are_arguments():
    f = gradling.capture(lambda x, y: (x, y * 2))
    x, y = gradling.ones(2, requires_grad=True), gradling.ones(2)
    for _ in range(4):
        a, b = f(x, y)
        assert a.requires_grad and b.tolist() == [2.0, 2.0]
        a.sum().backward()


def test_errors_are_those_of_the_function():
    f = ready(lambda x, t: F.cross_entropy(x, t), normal(4, 3), labels(4, 3))
    with pytest.raises(IndexError, match=r"target\[2\] is 7, and there are 3 classes"):
        f(normal(4, 3), gradling.tensor([0, 1, 7, 2]))


def test_labels_that_are_ignored_come_and_go():
    f = ready(lambda x, t: F.cross_entropy(x, t), normal(4, 3), labels(4, 3))
    for t in ([0, -100, 2, 1], [-100] * 4, [1, 1, 2, 0]):
        x, t = normal(4, 3).requires_grad_(), gradling.tensor(t)
        found, wanted = f(x, t), F.cross_entropy(x, t)
        np.testing.assert_array_equal(found.item(), wanted.item())
        for a, b in zip(
            gradling.autograd.grad(found, [x]), gradling.autograd.grad(wanted, [x]), strict=True
        ):
            np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_it_steps_aside_for_those_who_look():
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh())
    f = ready(model, gradling.ones(4, 2))
    with gradling.autograd.detect_anomaly(), pytest.raises(RuntimeError, match="tanh|linear"):
        f(gradling.full((4, 2), float("nan"))).sum().backward()
    assert len(gradling.unroll(lambda x: f(x), gradling.ones(1, 2)).out) == 1


def test_threads_share_it():
    model = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))
    f = gradling.capture(model)
    wrong = []

    def work(seed):
        for k in range(50):
            x = gradling.tensor(np.random.default_rng(seed * 100 + k).standard_normal((4, 3)))
            x = x.float()
            if f(x).tolist() != model(x).tolist():
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_copies_are_functions_of_copies():
    model = nn.Linear(2, 1)
    f = ready(model, gradling.ones(3, 2))
    g = copy.deepcopy(f)
    with gradling.no_grad():
        g.fn.weight.zero_()
        g.fn.bias.zero_()
    assert g(gradling.ones(3, 2)).tolist() == [[0.0]] * 3
    assert f(gradling.ones(3, 2)).tolist() == model(gradling.ones(3, 2)).tolist()


def test_nothing_of_a_recorded_run_is_kept():
    f = gradling.capture(nn.Sequential(nn.Linear(4, 4), nn.Tanh()))
    first = f(gradling.ones(2, 4))
    node = weakref.ref(first._node)
    del first
    assert node() is None


def test_the_source_can_be_read():
    f = ready(lambda x: F.relu(x).sum(), gradling.ones(3, requires_grad=True))
    lines = f.source.splitlines()
    assert lines[0] == "def forward(x0):" and "relu_" in lines[1]
    compile(f.source, "source", "exec")
    assert "Captured(" in repr(f)
    with pytest.raises(TypeError, match="expected a function"):
        gradling.capture(3)
