"""Runs a step in a process of its own that is killed at a chosen point: an instruction of SQLite, or a request."""

import contextlib
import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opensips_scheduler import schema


@dataclass(slots=True)
class Countdown:
    """Kills this process at the n-th point; counts only, when n is None."""

    left: int | None
    passed: int = 0

    def point(self, *_: Any, **__: Any) -> None:
        """Pass a point."""
        self.passed += 1
        if self.left is not None and self.passed >= self.left:
            os.kill(os.getpid(), signal.SIGKILL)


@contextlib.contextmanager
def sqlite_points(countdown: Countdown, instructions: int) -> Iterator[None]:
    """Pass a point at each statement, and after every so many instructions of SQLite's machine."""
    connect = schema.connect

    def watched(path: Path, *, create: bool = False) -> sqlite3.Connection:
        connection = connect(path, create=create)
        connection.set_trace_callback(countdown.point)
        connection.set_progress_handler(countdown.point, instructions)
        return connection

    schema.connect = watched
    try:
        yield
    finally:
        schema.connect = connect


def points_of(step: Callable[[Countdown], object]) -> int:
    """Return how many points a step passes when nobody kills it."""
    countdown = Countdown(None)
    step(countdown)
    return countdown.passed


def is_killed(step: Callable[[Countdown], object], at: int) -> bool:
    """Run a step in a copy of this process that is killed at a point; return whether it was, before it was done."""
    child = os.fork()
    if child == 0:
        try:
            step(Countdown(at))
        except BaseException:  # noqa: BLE001 - the parent tells that the child neither was killed nor did its step
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return os.WTERMSIG(status) == signal.SIGKILL
    assert os.WEXITSTATUS(status) == 0, "the step failed"
    return False
