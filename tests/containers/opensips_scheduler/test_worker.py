"""A step that fails is tried again, later and later, at moments that nobody shares; told to end, it ends at once."""

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensips_scheduler.worker import BACKOFF_CAP_SECONDS, Worker


class Step:
    def __init__(self, failures: int) -> None:
        self.failures, self.done = failures, 0

    def __call__(self) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError("no way there")
        self.done += 1


@given(st.floats(0, 3600), st.integers(1, 5_000))
def test_waits_grow_and_are_bounded(interval: float, failures: int) -> None:
    worker = Worker("test", Step(failures), interval, threading.Event())
    for _ in range(min(failures, 20)):
        assert 0 < worker._once() <= BACKOFF_CAP_SECONDS


def test_waits_are_jittered() -> None:
    def waits() -> list[float]:
        worker = Worker("test", Step(8), 0.5, threading.Event())
        return [worker._once() for _ in range(8)]

    assert waits() != waits()
    assert len(set(waits())) == 8


def test_what_fails_is_told_once_and_cleared_by_success(caplog: pytest.LogCaptureFixture) -> None:
    worker = Worker("test", step := Step(3), 0.5, threading.Event())
    for _ in range(3):
        worker._once()
    condition = worker.condition
    assert (condition.error, condition.failures) == ("ConnectionError: no way there", 3)
    assert condition.error_type is ConnectionError
    assert [record.message for record in caplog.records] == ["step failed"]
    assert worker._once() == 0.5
    assert (condition.error, condition.failures, condition.error_type, step.done) == (None, 0, None, 1)


def test_told_to_end_while_it_waits_it_ends_at_once() -> None:
    stopping = threading.Event()
    worker = Worker("test", step := Step(0), 3600, stopping)
    worker.start()
    while not step.done:
        time.sleep(0.01)
    began = time.monotonic()
    stopping.set()
    assert worker.join(5)
    assert time.monotonic() - began < 1


def test_a_step_that_does_not_end_is_told() -> None:
    stopping, release = threading.Event(), threading.Event()
    worker = Worker("test", release.wait, 1, stopping)
    worker.start()
    stopping.set()
    assert not worker.join(0.05)
    release.set()
    assert worker.join(5)
