"""Does what several ask for at the same time once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Work by key, begun by whoever asks first, and shared by all who ask while it goes on."""

    def __init__(self) -> None:
        self._running: dict[str, asyncio.Task[T]] = {}

    async def run(self, key: str, make: Callable[[], Awaitable[T]]) -> T:
        """Return what the work returns, or raise what it raises. Whoever is cancelled leaves it going on: what it makes
        is of use to others, now or later."""
        task = self._running.get(key)
        if task is None:
            task = asyncio.ensure_future(self._make(key, make))
            task.add_done_callback(_look_at)
            self._running[key] = task
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Break off whatever goes on."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _make(self, key: str, make: Callable[[], Awaitable[T]]) -> T:
        try:
            return await make()
        finally:
            del self._running[key]


def _look_at(task: "asyncio.Task[T]") -> None:
    """Take notice of what failed after everybody had left; who is still there gets it too."""
    if not task.cancelled():
        task.exception()
