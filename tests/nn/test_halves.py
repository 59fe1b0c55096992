"""Kernels in two threads: the same bits as in one, errors heard, safe among other threads."""

from __future__ import annotations

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import gradling
from gradling.nn import functional as F
from gradling.nn.kernels import halves


class Library:
    """A matrix library that may use two threads, as threadpoolctl describes one."""

    count = 2

    def get_num_threads(self) -> int:
        return self.count

    def set_num_threads(self, count: int) -> None:
        self.count = count


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    found = Library()
    monkeypatch.setattr(halves, "_libraries", lambda: [found])
    return found


def step(seed: int = 0) -> list[Any]:
    """Convolutions of every way, batch norm: outputs and gradients."""
    rng = np.random.default_rng(seed)

    def normal(*shape: int) -> gradling.Tensor:
        values = rng.normal(size=shape).astype(np.float32)
        return gradling.tensor(values, requires_grad=True)

    image, thin, single = normal(32, 3, 18, 18), normal(8, 3, 3, 3), normal(32, 8, 1, 1)
    wide, narrow = normal(32, 32, 3, 3), normal(40, 32, 3, 3)
    ones, zeros = gradling.ones(32), gradling.zeros(32)
    y = F.conv2d(F.conv2d(image, thin), single)
    y = F.conv2d(y, wide, padding=1)
    y = F.batch_norm(y, None, None, ones, zeros, training=True)
    y = F.conv2d(y, narrow, stride=2, padding=1)
    y = F.max_pool2d(F.conv2d(y, normal(8, 40, 2, 2)), 2)
    (y * y).sum().backward()
    return [y.detach().numpy(), *(t.grad.numpy() for t in (image, thin, single, wide, narrow))]


def test_two_threads_give_the_bits_of_one(library: Library) -> None:
    """Parts follow from the shapes, whoever computes them."""
    seen = set()
    original = halves._all

    def watched(*arguments: Any) -> None:
        seen.add(threading.current_thread().name.split("_")[0])
        original(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(halves, "_all", watched)
        two = step()
    assert "gradling-kernels" in seen and len(seen) == 2
    assert library.count == 2
    with halves._second.free:  # taken: kernels work alone
        one = step()
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)


def test_many_threads_at_once(library: Library) -> None:
    """One of them has the second thread, the others work alone; all get what is theirs."""
    expected = [step(seed) for seed in range(3)]
    with ThreadPoolExecutor(3) as pool:
        for seed, found in enumerate(pool.map(step, range(3))):
            for a, b in zip(found, expected[seed], strict=True):
                np.testing.assert_array_equal(a, b)
    assert library.count == 2


@pytest.mark.parametrize("bad", [0, 1])
def test_an_error_in_either_thread_is_raised(library: Library, bad: int) -> None:
    done = []

    def work(part: int) -> None:
        assert library.count == 1  # while parts run side by side, each product has one thread
        if part == bad:
            raise ValueError(f"part {part}")
        done.append(part)

    with pytest.raises(ValueError, match=f"part {bad}"):
        halves.share(work, [0, 1])
    assert done == [1 - bad] and library.count == 2
    halves.share(done.append, [7, 8])
    assert sorted(done[1:]) == [7, 8]


@pytest.mark.skipif(os.name == "nt", reason="signals are sent to a thread here")
def test_ctrl_c_waits_for_the_other_part_however_often(library: Library) -> None:
    """And the next job waits for its own parts, not for what is left of the interrupted one."""
    begun, ended, heard = threading.Event(), threading.Event(), threading.Event()

    def stop(*_: Any) -> None:
        heard.set()
        raise KeyboardInterrupt

    def interrupt() -> None:
        begun.wait()
        for _ in range(3):
            heard.clear()
            while not heard.wait(0.02):  # a lock does not hear what comes just before it waits
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
        ended.set()

    def work(part: int) -> None:
        if part == 1:
            begun.set()
            ended.wait()
            time.sleep(0.05)
            done.append(part)

    done: list[int] = []
    before = signal.signal(signal.SIGUSR1, stop)
    try:
        threading.Thread(target=interrupt).start()
        with pytest.raises(KeyboardInterrupt):
            halves.share(work, [0, 1])
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert done == [1] and library.count == 2
    halves.share(lambda part: work(part) or done.append(part), [2, 1])
    assert sorted(done) == [1, 1, 1, 2]


def test_shares_within_shares_run_in_order(library: Library) -> None:
    out: dict[int, list[int]] = {0: [], 1: []}
    halves.share(lambda part: halves.share(out[part].append, [1, 2, 3]), [0, 1])
    assert out == {0: [1, 2, 3], 1: [1, 2, 3]}


def test_warnings_stay_silenced_in_the_second_thread(library: Library) -> None:
    with np.errstate(over="ignore"):
        halves.share(lambda part: np.exp(np.float32(part)), [1000, 1001, 1002])


def test_one_thread_asked_for_is_one_thread(library: Library) -> None:
    library.count = 1
    names = set()
    halves.share(lambda part: names.add(threading.current_thread().name), [0, 1])
    assert names == {threading.current_thread().name}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_process_has_a_thread_of_its_own(library: Library) -> None:
    halves.share(abs, [0, 1])
    with halves._second.free:  # held by another thread at the moment of the fork
        child = os.fork()
        if child == 0:
            done: list[int] = []
            halves.share(done.append, [0, 1])
            os._exit(0 if sorted(done) == [0, 1] and halves._second.thread else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("count, sizes", [(5, [2, 3]), (2, [1, 1]), (1, [1]), (0, [0])])
def test_cut(count: int, sizes: list[int]) -> None:
    assert [some.stop - some.start for some in halves.cut(count)] == sizes


@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_total(count: int) -> None:
    found = halves.total(lambda power: np.full(3, 10.0**power), range(count))
    assert found.tolist() == [sum(10**power for power in range(count))] * 3
