"""What fit is asked for: single wishes instead of lists, and each wrong one by its message."""

from __future__ import annotations

import signal
import warnings
from typing import Any

import pytest

import gradling
from gradling import nn, optim, train, viz
from gradling.nn import functional as F


def points() -> tuple[Any, Any]:
    gradling.manual_seed(0)
    return gradling.randn(8, 3), gradling.tensor([0, 1] * 4)


def net() -> nn.Linear:
    return nn.Linear(3, 2)


WRONG: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"optimizer": "adam"}, TypeError, r"an optimizer, or a function.*'adam'.*optim\.Adam"),
    ({"optimizer": optim.SGD(nn.Linear(2, 2).parameters(), lr=0.1)}, ValueError, "none of them"),
    ({"scheduler": "cosine"}, TypeError, r"a schedule, or a function.*'cosine'"),
    ({"epochs": "3"}, TypeError, "epochs must be a whole number, got str '3'"),
    ({"epochs": None}, TypeError, "epochs must be a whole number, got NoneType"),
    ({"epochs": 1.5}, ValueError, "epochs must be a whole number of at least 0, got 1.5"),
    ({"epochs": -1}, ValueError, "epochs must be .* at least 0, got -1"),
    ({"accumulate": 0.5}, ValueError, "accumulate must be .* at least 1, got 0.5"),
    ({"accumulate": "a"}, TypeError, "accumulate must be a whole number, got str"),
    ({"clip_grad_norm": -1.0}, ValueError, "clip_grad_norm must be above 0, got -1"),
    ({"clip_grad_norm": "1"}, TypeError, "clip_grad_norm must be a number, got str"),
    ({"callbacks": [3]}, TypeError, "expected Callbacks, got 3"),
    ({"callbacks": [train.EarlyStopping]}, TypeError, "the class EarlyStopping"),
    ({"loss": nn.CrossEntropyLoss}, TypeError, r"pass an object: CrossEntropyLoss\(\)"),
    ({"metrics": "acuracy"}, ValueError, "no metric is named 'acuracy'"),
]


@pytest.mark.parametrize(("wish", "kind", "message"), WRONG, ids=lambda x: str(x)[:40])
def test_a_wrong_wish_is_refused_before_anything_moves(
    wish: dict[str, Any], kind: type[Exception], message: str
) -> None:
    model = net()
    before = model.weight.clone()
    with pytest.raises(kind, match=message):
        train.fit(model, points(), progress=False, **wish)
    assert (model.weight == before).all()


def test_batches_that_come_once_are_refused_for_two_epochs() -> None:
    once = iter([points()])
    with pytest.raises(ValueError, match="only once.*epochs is 2"):
        train.fit(net(), once, epochs=2, progress=False)
    assert len(train.fit(net(), once, epochs=1, progress=False)) == 1


def test_one_metric_and_one_callback_stand_alone() -> None:
    class Counts(train.Callback):
        epochs = 0

        def after_epoch(self, run: Any) -> None:
            self.epochs += 1

    counts = Counts()
    for metric in ("accuracy", train.Accuracy()):
        history = train.fit(
            net(), points(), epochs=2, metrics=metric, callbacks=counts, progress=False
        )
        assert len(history["accuracy"]) == 2
    assert counts.epochs == 4


def test_lists_of_numbers_are_data() -> None:
    X, y = points()
    history = train.fit(net(), (X.tolist(), y.tolist()), epochs=1, progress=False)
    assert history["loss"][0] > 0


def test_a_history_draws_itself() -> None:
    X, y = points()
    history = train.fit(net(), (X, y), val=(X, y), epochs=3, metrics="accuracy", progress=False)
    for ax in (history.plot(), viz.plot_history(history)):
        assert [line.get_label() for line in ax.lines] == [
            "loss",
            "accuracy",
            "val_loss",
            "val_accuracy",
        ]
        assert list(ax.lines[0].get_ydata()) == history["loss"]
        assert ax.get_xlabel() == "epoch"


def test_data_of_nan_alone_is_named_without_a_warning() -> None:
    X, y = points()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(train.NonFiniteLoss, match="all NaN"):
            train.fit(net(), (X * float("nan"), y), loss=F.cross_entropy, progress=False)


def test_a_schedule_of_another_optimizer_is_refused() -> None:
    other = optim.SGD(nn.Linear(2, 2).parameters(), lr=0.1)
    with pytest.raises(ValueError, match="StepLR belongs to another optimizer"):
        train.fit(net(), points(), progress=False, scheduler=optim.lr_scheduler.StepLR(other, 1))


def test_a_checkpoint_of_another_schedule_changes_nothing(tmp_path: Any) -> None:
    L = optim.lr_scheduler

    def chain(length: int) -> Any:
        return lambda o: L.SequentialLR(
            o, [L.StepLR(o, 1) for _ in range(length)], list(range(1, length))
        )

    path = tmp_path / "run.npz"
    train.fit(net(), points(), progress=False, checkpoint=path, scheduler=chain(2))
    model = net()
    optimizer = optim.Adam(model.parameters())
    before = model.weight.clone()
    with pytest.raises(ValueError, match=r"run\.npz is a checkpoint of another"):
        train.fit(
            model, points(), epochs=2, progress=False, checkpoint=path, resume=True,
            optimizer=optimizer, scheduler=chain(3),
        )  # fmt: skip
    assert (model.weight == before).all()
    assert not optimizer.state


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_before_the_first_batch_gives_the_history() -> None:
    class Press(train.Callback):
        def before_fit(self, run: Any) -> None:
            signal.raise_signal(signal.SIGINT)

    history = train.fit(net(), points(), progress=False, callbacks=Press())
    assert history.stopped == "interrupt"
    assert history.batch_losses == []
