"""Tells the platform things in the background: in their order for each call, and again when it does not listen."""

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from switch_app.backoff import Backoff
from switch_app.counts import Count, uncounted
from switch_app.errors import OutcomeUnknown, PlatformRefused, PlatformUnavailable

logger = logging.getLogger(__name__)

CAPACITY: Final = 10_000
"""Notifications that wait at most: some minutes of a busy switch."""

_BACKOFF: Final = Backoff(first=0.5, longest=30.0)


@dataclass(slots=True, eq=False)
class _Notification:
    number: int
    key: str
    name: str
    send: Callable[[], Awaitable[None]]
    failures: int = 0


class Notifier:
    """Notifications on their way.

    Those of one key are sent one after the other: the next one only when the platform has taken, or refused, the one
    before. Other keys go on meanwhile. Nothing waits for it; when there is no more room, the oldest one is dropped.

    Args:
        capacity: how many may wait.
        workers: how many are sent at once.
        backoff: how long one that failed waits.
        count: counts `NotificationDropped` and `NotificationRefused`.

    """

    def __init__(
        self,
        capacity: int = CAPACITY,
        workers: int = 8,
        backoff: Backoff = _BACKOFF,
        count: Count = uncounted,
    ) -> None:
        self._capacity, self._worker_count, self._backoff, self._count = capacity, workers, backoff, count
        self._queues: dict[str, deque[_Notification]] = {}
        self._waiting: OrderedDict[int, _Notification] = OrderedDict()  # oldest first; not those being sent
        self._ready: asyncio.Queue[str] = asyncio.Queue()  # a key is in it, with a worker, or with a timer: once
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._workers: list[asyncio.Task[None]] = []
        self._empty = asyncio.Event()
        self._empty.set()
        self._number = 0
        self._is_closed = False

    def __len__(self) -> int:
        """Return how many are on their way."""
        return sum(len(queue) for queue in self._queues.values())

    def start(self) -> None:
        """Begin to send."""
        self._workers = [asyncio.create_task(self._work()) for _ in range(self._worker_count)]

    def put(self, key: str, name: str, send: Callable[[], Awaitable[None]]) -> None:
        """Take a notification; return at once.

        Args:
            key: what its order is kept with.
            name: what it is called in logs.
            send: sends it; raises `PlatformUnavailable` when it is to be called again, `OutcomeUnknown` and
                `PlatformRefused` when not.

        """
        if self._is_closed:
            self._lose(_Notification(0, key, name, send), "the app ends")
            return
        if len(self._waiting) >= self._capacity:
            self._drop_oldest()
        self._number += 1
        notification = _Notification(self._number, key, name, send)
        self._waiting[notification.number] = notification
        self._empty.clear()
        queue = self._queues.get(key)
        if queue is None:
            self._queues[key] = deque([notification])
            self._ready.put_nowait(key)
        else:
            queue.append(notification)

    async def close(self, seconds: float) -> None:
        """Take no more, send what waits as long as there is time, and end. What is left then is logged and lost."""
        self._is_closed = True
        for key in list(self._timers):  # there is no later: what failed is tried at once
            self._timers.pop(key).cancel()
            self._ready.put_nowait(key)
        try:
            async with asyncio.timeout(seconds):
                await self._empty.wait()
        except TimeoutError:
            for queue in self._queues.values():
                for notification in queue:
                    self._lose(notification, "the app ends")
        for timer in self._timers.values():
            timer.cancel()
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)

    async def _work(self) -> None:
        while True:
            key = await self._ready.get()
            queue = self._queues[key]
            if not queue:  # what was in it was dropped
                self._forget(key)
                continue
            notification = queue[0]
            self._waiting.pop(notification.number, None)
            if await self._is_over(notification):
                queue.popleft()
                if queue:
                    self._ready.put_nowait(key)
                else:
                    self._forget(key)
                continue
            self._waiting[notification.number] = notification
            self._waiting.move_to_end(notification.number, last=False)
            delay = self._backoff.seconds(notification.failures)
            self._timers[key] = asyncio.get_running_loop().call_later(delay, self._wake, key)

    async def _is_over(self, notification: _Notification) -> bool:
        """Send one; return whether there is nothing more to do about it."""
        try:
            await notification.send()
        except OutcomeUnknown as error:
            self._lose(notification, str(error))
        except PlatformUnavailable:
            notification.failures += 1
            return False
        except PlatformRefused as error:
            self._count("NotificationRefused")
            fields = {"notification": notification.name, "key": notification.key, "reason": str(error)}
            logger.warning("the platform refuses a notification", extra=fields)
        except Exception:  # a fault of ours must not end the worker, and with it every other call's notifications
            self._count("NotificationDropped")
            fields = {"notification": notification.name, "key": notification.key}
            logger.exception("a notification cannot be sent", extra=fields)
        return True

    def _wake(self, key: str) -> None:
        del self._timers[key]
        self._ready.put_nowait(key)

    def _drop_oldest(self) -> None:
        _, notification = self._waiting.popitem(last=False)
        key = notification.key
        self._queues[key].remove(notification)
        self._lose(notification, "too many wait")
        timer = self._timers.pop(key, None)
        if timer is not None:  # it was the one that had failed; the next of its key has not
            timer.cancel()
            self._ready.put_nowait(key)

    def _lose(self, notification: _Notification, reason: str) -> None:
        self._count("NotificationDropped")
        fields = {"notification": notification.name, "key": notification.key, "reason": reason}
        logger.error("a notification is dropped", extra=fields)

    def _forget(self, key: str) -> None:
        del self._queues[key]
        if not self._queues:
            self._empty.set()
