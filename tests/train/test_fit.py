"""The loop: it learns, stops, resumes to the bit, and says what is wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradling
from gradling import nn
from gradling.data import DataLoader, TensorDataset
from gradling.engine import Value
from gradling.optim import SGD, Adam
from gradling.optim.lr_scheduler import OneCycleLR, ReduceLROnPlateau, StepLR
from gradling.train import (
    Callback,
    EarlyStopping,
    NonFiniteLoss,
    evaluate,
    fit,
    lr_find,
    overfit_one_batch,
    predict,
)


def points(n: int = 96) -> tuple[Any, Any]:
    draw = np.random.default_rng(0)
    X = draw.standard_normal((n, 2)).astype("float32")
    return X, (X[:, 0] * X[:, 1] > 0).astype("int64")


def net(seed: int = 0, dropout: float = 0.0) -> Any:
    gradling.manual_seed(seed)
    return nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Dropout(dropout), nn.Linear(16, 2))


def bits(model: Any) -> list[bytes]:
    return [p.detach().numpy().tobytes() for p in model.parameters()]


class TinyScalarNet:
    """A perceptron of Values."""

    def __init__(self) -> None:
        self.w = [Value(0.1), Value(-0.2), Value(0.0)]

    def __call__(self, x: list[float]) -> Value:
        return self.w[0] * x[0] + self.w[1] * x[1] + self.w[2]

    def parameters(self) -> list[Value]:
        return self.w


def test_it_learns_and_records() -> None:
    X, y = points()
    history = fit(
        net(), (X, y), val=(X, y), epochs=60, optimizer=lambda p: Adam(p, lr=0.03),
        metrics=["accuracy"], progress=False,
    )  # fmt: skip
    assert history["accuracy"][-1] > 0.9
    assert len(history["val_loss"]) == len(history) == 60
    assert history.best("val_loss")["val_accuracy"] > 0.9
    assert len(history.batch_losses) == 60 * 3
    assert history.stopped is None


def test_nets_of_values_train_too() -> None:
    X, _ = points(40)
    y = np.where(X[:, 0] > X[:, 1], 1, -1)
    model = TinyScalarNet()
    history = fit(
        model, (X, y), val=(X, y), epochs=10, optimizer=lambda p: SGD(p, lr=0.3),
        metrics=["accuracy"], progress=False,
    )  # fmt: skip
    assert history["val_accuracy"][-1] > 0.9
    assert predict(model, X[:3]).shape == (3,)


def test_the_same_seed_gives_the_same_bits() -> None:
    runs = []
    for _ in range(2):
        model = net(3, dropout=0.3)
        history = fit(model, points(), epochs=3, progress=False)
        runs.append((bits(model), history["loss"]))
    assert runs[0] == runs[1]


def test_accumulated_batches_equal_one_large_one() -> None:
    X, y = points(60)
    data = TensorDataset(X, y)
    small, large = net(), net()
    fit(small, DataLoader(data, batch_size=10), epochs=1, accumulate=6, progress=False,
        optimizer=lambda p: SGD(p, lr=0.1))  # fmt: skip
    fit(large, DataLoader(data, batch_size=60), epochs=1, progress=False,
        optimizer=lambda p: SGD(p, lr=0.1))  # fmt: skip
    for a, b in zip(small.parameters(), large.parameters(), strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-4, atol=1e-6)


def test_a_last_group_of_batches_that_is_not_full_counts_by_its_size() -> None:
    X, y = points(30)
    data = TensorDataset(X, y)
    grouped, alone = net(), net()
    fit(grouped, DataLoader(data, batch_size=10), epochs=1, accumulate=2, progress=False,
        optimizer=lambda p: SGD(p, lr=0.1))  # fmt: skip
    fit(alone, (X[:20], y[:20]), epochs=1, progress=False, batch_size=20,
        optimizer=lambda p: SGD(p, lr=0.1))  # fmt: skip
    fit(alone, (X[20:], y[20:]), epochs=1, progress=False, batch_size=10,
        optimizer=lambda p: SGD(p, lr=0.1))  # fmt: skip
    for a, b in zip(grouped.parameters(), alone.parameters(), strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-4, atol=1e-6)


def test_clipping_bounds_the_step() -> None:
    model = net()
    before = np.concatenate([p.detach().numpy().ravel() for p in model.parameters()])
    X, y = points(32)
    fit(model, (X * 1000, y), epochs=1, batch_size=32, clip_grad_norm=0.5, progress=False,
        optimizer=lambda p: SGD(p, lr=1.0))  # fmt: skip
    after = np.concatenate([p.detach().numpy().ravel() for p in model.parameters()])
    assert 0 < np.linalg.norm(after - before) <= 0.5 + 1e-4


def test_schedules_per_epoch_per_step_and_on_plateau() -> None:
    epochs = fit(net(), points(), epochs=4, progress=False, scheduler=lambda o: StepLR(o, 2, 0.1))
    assert epochs["lr"] == pytest.approx([1e-3, 1e-3, 1e-4, 1e-4])
    steps = fit(
        net(), points(), epochs=2, progress=False, schedule_per="step",
        scheduler=lambda o: OneCycleLR(o, 0.1, 7),
    )  # fmt: skip
    assert steps["lr"][0] != steps["lr"][1]
    stuck = fit(
        net(), points(), epochs=4, progress=False, optimizer=lambda p: SGD(p, lr=1e-12),
        scheduler=lambda o: ReduceLROnPlateau(o, patience=0, eps=0.0),
    )  # fmt: skip
    assert stuck["lr"][-1] < 1e-12


def test_early_stopping_returns_the_best_weights() -> None:
    X, y = points()
    scores: list[float] = []
    kept: list[list[bytes]] = []

    class Watch(Callback):
        def after_epoch(self, run: Any) -> None:
            scores.append(run.history[-1]["val_loss"])
            kept.append(bits(run.model))

    model = net()
    history = fit(
        model, (X[:16], y[:16]), val=(X[16:], y[16:]), epochs=300, progress=False,
        optimizer=lambda p: Adam(p, lr=0.1), callbacks=[Watch(), EarlyStopping(patience=3)],
    )  # fmt: skip
    assert history.stopped == "early"
    assert len(history) < 300
    assert bits(model) == kept[int(np.argmin(scores))]


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
@pytest.mark.parametrize("stop_after", [4, 7, 9])
def test_a_resumed_run_equals_an_uninterrupted_one(
    tmp_path: Path, suffix: str, stop_after: int
) -> None:
    class Interrupt(Callback):
        def after_step(self, run: Any) -> None:
            if run.step == stop_after:
                raise KeyboardInterrupt

    def go(callback: Callback, **options: Any) -> tuple[Any, Any]:
        model = net(1, dropout=0.2)
        history = fit(
            model, points(), val=points(), epochs=4, progress=False, metrics=["accuracy"],
            scheduler=lambda o: StepLR(o, 2), callbacks=[callback], **options,
        )  # fmt: skip
        return model, history

    whole, record = go(Callback())
    path = tmp_path / f"run{suffix}"
    _, cut = go(Interrupt(), checkpoint=path, checkpoint_every=2)
    assert cut.stopped == "interrupt"
    again, rest = go(Callback(), checkpoint=path, checkpoint_every=2, resume=True)
    assert bits(again) == bits(whole)
    for column in ("loss", "accuracy", "val_loss", "val_accuracy", "lr"):
        assert rest[column] == record[column]
    assert rest.batch_losses == record.batch_losses


def test_ctrl_c_keeps_model_and_history() -> None:
    class Interrupt(Callback):
        def after_step(self, run: Any) -> None:
            if run.step == 5:
                raise KeyboardInterrupt

    model = net()
    before = bits(model)
    history = fit(model, points(), epochs=50, callbacks=[Interrupt()], progress=False)
    assert history.stopped == "interrupt"
    assert len(history.batch_losses) == 5
    assert bits(model) != before


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_waits_for_the_end_of_the_batch() -> None:
    model = net()
    steps: list[int] = []

    class Signal(nn.Module):
        """Presses Ctrl-C in the middle of a forward pass."""

        def __init__(self) -> None:
            super().__init__()
            self.inner, self.calls = model, 0

        def forward(self, x: Any) -> Any:
            self.calls += 1
            if self.calls == 4:
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(0.01)
            return self.inner(x)

    class Watch(Callback):
        def after_step(self, run: Any) -> None:
            steps.append(run.step)

    before = signal.getsignal(signal.SIGINT)
    history = fit(Signal(), points(), epochs=9, callbacks=[Watch()], progress=False)
    assert history.stopped == "interrupt"
    assert steps == [1, 2, 3, 4] and len(history.batch_losses) == 4
    assert signal.getsignal(signal.SIGINT) is before


def test_a_run_killed_while_writing_resumes_from_the_last_whole_checkpoint(tmp_path: Path) -> None:
    program = tmp_path / "run.py"
    program.write_text(
        textwrap.dedent("""
        import sys, numpy as np, gradling
        from gradling import nn
        from gradling.train import fit
        gradling.manual_seed(0)
        model = nn.Sequential(nn.Linear(2, 600), nn.Tanh(), nn.Linear(600, 600), nn.Linear(600, 2))
        draw = np.random.default_rng(0)
        X = draw.standard_normal((64, 2)).astype("float32")
        y = (X[:, 0] > 0).astype("int64")
        fit(model, (X, y), epochs=int(sys.argv[2]), checkpoint=sys.argv[1], checkpoint_every=1,
            resume=True)
        print("whole")
        """)
    )
    path = tmp_path / "run.npz"
    command = [sys.executable, str(program), str(path)]
    for attempt in range(3):
        process = subprocess.Popen([*command, "100000"], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.3 + 0.013 * attempt)  # somewhere in the middle of writing, as likely as not
        process.send_signal(signal.SIGKILL)
        process.wait()
        state = gradling.load(path)
        assert state["step"] >= 1
    done = subprocess.run(
        [*command, str(state["epoch"] + 1)], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.endswith("whole\n")
    assert f"epoch {state['epoch'] + 1}/" in done.stdout


class TestBadInput:
    def test_lengths_that_disagree(self) -> None:
        X, y = points()
        with pytest.raises(ValueError, match="96|95"):
            fit(net(), (X, y[:-1]), progress=False)

    def test_an_empty_data_set(self) -> None:
        X, y = points()
        with pytest.raises(ValueError, match="empty"):
            fit(net(), (X[:0], y[:0]), progress=False)

    def test_no_model(self) -> None:
        with pytest.raises(TypeError, match="parameters"):
            fit(lambda x: x, points(), progress=False)
        with pytest.raises(ValueError, match="has no parameters"):
            fit(nn.Sequential(nn.Tanh()), points(), progress=False)

    def test_a_loss_that_is_no_number(self) -> None:
        with pytest.raises(TypeError, match="one number"):
            fit(net(), points(), loss=lambda p, t: p, progress=False)
        with pytest.raises(ValueError, match="no loss is named 'mes'"):
            fit(net(), points(), loss="mes", progress=False)

    def test_a_metric_that_does_not_exist(self) -> None:
        with pytest.raises(ValueError, match="no metric is named 'acc'"):
            fit(net(), points(), metrics=["acc"], progress=False)

    def test_nan_names_the_op_and_keeps_the_weights(self) -> None:
        class Bad(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.fc = nn.Linear(2, 2)
                self.calls = 0

            def forward(self, x: Any) -> Any:
                self.calls += 1
                y = self.fc(x)
                return y if self.calls < 4 else (y - y.abs() - 1).log()

        model = Bad()
        weights: list[list[bytes]] = []

        class Watch(Callback):
            def after_step(self, run: Any) -> None:
                weights.append(bits(run.model))

        with pytest.raises(NonFiniteLoss, match=r"log.*made.*NaN") as caught:
            fit(model, points(), epochs=5, callbacks=[Watch()], progress=False)
        assert bits(model) == weights[-1]
        assert caught.value.history.stopped == "nan"
        assert len(caught.value.history.batch_losses) == 3

    def test_a_checkpoint_of_another_model_changes_nothing(self, tmp_path: Path) -> None:
        path = tmp_path / "run.npz"
        fit(net(), points(), epochs=1, checkpoint=path, progress=False)
        other = nn.Sequential(nn.Linear(2, 5), nn.Linear(5, 2))
        before, kept = bits(other), path.read_bytes()
        with pytest.raises(ValueError, match="another model"):
            fit(other, points(), epochs=2, checkpoint=path, resume=True, progress=False)
        assert bits(other) == before
        assert path.read_bytes() == kept

    @pytest.mark.parametrize("state", [{"format": 1}, {"format": 0, "weights": [1.0]}])
    def test_a_file_that_is_no_checkpoint_is_refused(self, tmp_path: Path, state: Any) -> None:
        path = tmp_path / "run.npz"
        gradling.save(state, path)
        with pytest.raises(ValueError, match="is no checkpoint of fit"):
            fit(net(), points(), epochs=2, checkpoint=path, resume=True, progress=False)

    def test_a_checkpoint_of_another_optimizer_changes_nothing(self, tmp_path: Path) -> None:
        path = tmp_path / "run.npz"
        fit(net(), points(), epochs=1, checkpoint=path, progress=False)
        model = net(5)
        before = bits(model)
        with pytest.raises(ValueError, match="it has Adam and none, this run has SGD and none"):
            fit(model, points(), epochs=2, checkpoint=path, resume=True, progress=False,
                optimizer=lambda p: SGD(p, lr=0.1))  # fmt: skip
        with pytest.raises(ValueError, match="this run has Adam and StepLR"):
            fit(model, points(), epochs=2, checkpoint=path, resume=True, progress=False,
                scheduler=lambda o: StepLR(o, 2))  # fmt: skip
        assert bits(model) == before

    def test_an_optimizer_without_parameters_or_with_one_twice(self) -> None:
        model = net()
        used_up = model.parameters()
        list(used_up)
        with pytest.raises(ValueError, match="generator can be used up only once"):
            fit(model, points(), optimizer=lambda p: SGD(used_up, lr=0.1), progress=False)
        with pytest.raises(ValueError, match="got no parameters"):
            SGD([], lr=0.1)
        weight = model[0].weight
        with pytest.raises(ValueError, match="in another group"):
            SGD([{"params": [weight]}, {"params": [weight]}], lr=0.1)

    def test_a_sampler_out_of_range(self) -> None:
        loader = DataLoader(TensorDataset(*points(10)), batch_size=2, sampler=[0, 1, 2, 10])
        model = net()
        with pytest.raises(IndexError, match="10"):
            fit(model, loader, progress=False)

    def test_a_metric_of_the_wrong_shape_comes_before_the_step(self) -> None:
        with pytest.raises(ValueError, match="differ in shape"):
            fit(net(), points(), metrics=["mae"], progress=False)

    def test_a_gradient_that_is_nan_under_a_loss_that_is_not(self) -> None:
        model = nn.Linear(2, 1)
        X = np.ones((4, 2), np.float32)
        before = bits(model)
        with pytest.raises(NonFiniteLoss, match="gradient of weight is no longer finite"):
            fit(model, (X, X[:, :1]), loss=lambda p, t: (p * 0).sqrt().sum(), progress=False)
        assert bits(model) == before

    def test_nan_in_a_batch_leaves_what_modules_remember(self) -> None:
        class Remembers(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.fc = nn.Linear(2, 2)
                self.mean = nn.Buffer(gradling.zeros(2))

            def forward(self, x: Any) -> Any:
                self.mean._data[...] = 0.9 * self.mean._data + 0.1 * x.detach().numpy().mean(0)
                return self.fc(x)

        X, y = points(64)
        X[40] = np.nan
        model = Remembers()
        with pytest.raises(NonFiniteLoss):
            fit(model, DataLoader(TensorDataset(X, y), batch_size=16), progress=False)
        assert np.isfinite(model.mean.numpy()).all()
        assert (model.mean.numpy() != 0).all()

    def test_a_damaged_checkpoint_is_named(self, tmp_path: Path) -> None:
        path = tmp_path / "run.npz"
        fit(net(), points(), epochs=1, checkpoint=path, progress=False)
        path.write_bytes(path.read_bytes()[:-100])
        with pytest.raises(ValueError, match="truncated or damaged"):
            fit(net(), points(), epochs=2, checkpoint=path, resume=True, progress=False)

    @pytest.mark.parametrize(
        "options",
        [
            {"epochs": -1},
            {"accumulate": 0},
            {"schedule_per": "batch"},
            {"resume": True},
            {"batch_size": 0},
        ],
    )
    def test_arguments_out_of_range(self, options: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="expected|must be|need"):
            fit(net(), points(), progress=False, **options)


def test_evaluate_and_predict_restore_every_mode() -> None:
    model = net(dropout=0.5)
    model.train()
    model[2].eval()
    X, y = points()
    first = evaluate(model, (X, y), metrics=["accuracy"])
    assert first == evaluate(model, (X, y), metrics=["accuracy"])
    assert predict(model, X).shape == (96, 2)
    assert [m.training for m in model.modules()].count(False) == 1
    assert not predict(model, X).requires_grad


def test_predictions_for_inputs_data_sets_and_loaders_are_the_same() -> None:
    X, y = points(20)
    model = net()
    whole = predict(model, X)
    pairs = TensorDataset(X, y)
    for given in (X.tolist(), gradling.from_numpy(X), pairs, DataLoader(pairs, 7)):
        found = predict(model, given, batch_size=6)
        np.testing.assert_allclose(found.numpy(), whole.numpy(), rtol=0, atol=1e-6)
    assert predict(model, X[:0]).shape == (0, 2)
    with pytest.raises(ValueError, match="gave no batch"):
        predict(model, iter(()))
    with pytest.raises(TypeError, match="expected a DataLoader, a data set or arrays"):
        predict(model, 3)


def test_lr_find_leaves_everything_as_it_was() -> None:
    X, y = points()
    model = net(dropout=0.5)
    optimizer = Adam(model.parameters(), lr=0.5)
    loader = DataLoader(TensorDataset(X, y), batch_size=16, shuffle=True)
    fit(model, loader, epochs=1, optimizer=optimizer, progress=False)
    state = [gradling.get_rng_state().tolist(), bits(model), repr(optimizer.state_dict())]
    result = lr_find(model, loader, optimizer=optimizer)
    assert [gradling.get_rng_state().tolist(), bits(model), repr(optimizer.state_dict())] == state
    assert result.suggestion is not None
    assert 1e-6 < result.suggestion < 10


def test_overfitting_one_batch_tells_a_sound_net_from_a_miswired_one() -> None:
    X, y = points()
    assert overfit_one_batch(net(), (X, y))[-1] < 0.05
    cut_off = net()
    wrong = overfit_one_batch(
        cut_off, (X, y), loss=lambda p, t: nn.functional.cross_entropy(p * 0, t) + 0 * p.sum()
    )
    assert wrong[-1] > 0.6


def test_progress_is_plain_lines_when_it_is_not_a_terminal(capsys: Any) -> None:
    fit(net(), points(), epochs=2)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == ["1/2", "2/2"]
    assert os.linesep not in "".join(lines)


# Optimizers that look at the loss several times a step
# ------------------------------------------------------------------------------------


def curve() -> tuple[Any, Any]:
    x = gradling.linspace(-1, 1, 24, dtype=gradling.float64).reshape(-1, 1)
    return x, (3 * x).sin()


def bent() -> Any:
    gradling.manual_seed(0)
    return nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1)).double()


def newton(params: Any) -> Any:
    return gradling.optim.LBFGS(params, line_search_fn="strong_wolfe")


def test_lbfgs_is_given_its_closure() -> None:
    by_hand, fitted = bent(), bent()
    x, y = curve()
    optimizer = newton(by_hand.parameters())

    def closure() -> Any:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(by_hand(x), y)
        loss.backward()
        return loss

    for _ in range(5):
        optimizer.step(closure)
    history = fit(
        fitted, gradling.data.DataLoader(gradling.data.TensorDataset(x, y), 24),
        epochs=5, optimizer=newton, loss="mse", progress=False,
    )  # fmt: skip
    assert history["loss"][-1] < 1e-3
    for p, q in zip(by_hand.parameters(), fitted.parameters(), strict=True):
        np.testing.assert_array_equal(p.numpy(), q.numpy())


def test_lbfgs_trains_nets_of_values() -> None:
    from gradling.nn.scalar import MLP

    gradling.manual_seed(0)
    X, y = gradling.data.xor(16, seed=0)
    model = MLP(2, [4, 1])
    history = fit(model, (X, y), epochs=3, batch_size=16, optimizer=newton, progress=False)
    assert history["loss"][-1] < history["loss"][0] / 2


def test_batches_cannot_be_accumulated_for_lbfgs() -> None:
    model, before = bent(), bent()
    with pytest.raises(ValueError, match="leave accumulate at 1"):
        fit(model, curve(), optimizer=newton, accumulate=2, progress=False)
    for p, q in zip(model.parameters(), before.parameters(), strict=True):
        np.testing.assert_array_equal(p.numpy(), q.numpy())


def test_a_search_that_diverges_keeps_the_weights() -> None:
    model, before = bent().float(), bent().float()
    with pytest.raises(NonFiniteLoss, match=r"weights are as they were.*strong_wolfe"):
        fit(
            model, tuple(x.float() for x in curve()), batch_size=24, progress=False,
            optimizer=lambda params: gradling.optim.LBFGS(params, lr=1e300),
        )  # fmt: skip
    for p, q in zip(model.parameters(), before.parameters(), strict=True):
        np.testing.assert_array_equal(p.numpy(), q.numpy())


def test_trial_steps_take_lbfgs() -> None:
    model = bent()
    losses = gradling.train.overfit_one_batch(model, curve(), steps=5, optimizer=newton)
    assert losses[-1] < losses[0] / 10
