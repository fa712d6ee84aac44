"""Runs coroutines on a clock that jumps to the next thing that is due: an hour of a call takes a millisecond, and what
happens when is exact."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class NothingLeft(Exception):
    """Everybody waits for something that nothing will bring about: a deadlock."""


class _Selector(selectors.DefaultSelector):
    """Waits for no time: it moves the clock instead."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise NothingLeft
            self.now += max(timeout, 0.0)
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._clock = _Selector()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end. It may use no threads and no sockets.

    Raises:
        NothingLeft: when it can never end.

    """
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(work)
