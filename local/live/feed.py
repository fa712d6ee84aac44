"""Carries what changes to whoever listens, as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).

A listener gets a snapshot first and patches after it. One that comes back says which event it had last; if what came
after that is still remembered, it gets that instead. One that does not take what it is sent is dropped: its browser
comes back by itself.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from local.live.model import Patch

_REMEMBERED: Final = 256
_WAITING_MAXIMUM: Final = 64


class Listener:
    """One connection. What it is to be sent waits in `queue`; None in it means that it is dropped."""

    def __init__(self, waiting: int) -> None:
        self.queue: asyncio.Queue[str | None] = asyncio.Queue(waiting + 1)
        self._waiting = waiting

    def send(self, text: str) -> bool:
        """Have something sent; return False when too much waits already."""
        if self.queue.qsize() >= self._waiting:
            return False
        self.queue.put_nowait(text)
        return True

    def drop(self) -> None:
        """Have it end, without what still waits."""
        while not self.queue.empty():
            self.queue.get_nowait()
        self.queue.put_nowait(None)


class Feed:
    """The listeners there are.

    Args:
        instance: tells this process's events from another's.
        snapshot: returns the whole, as of the last patch.
        clock: milliseconds since the epoch.
        remembered: how many patches a listener that comes back may have missed.
        waiting: how many may wait for one listener.

    """

    def __init__(
        self,
        instance: str,
        snapshot: Callable[[], dict[str, Any]],
        clock: Callable[[], int],
        *,
        remembered: int = _REMEMBERED,
        waiting: int = _WAITING_MAXIMUM,
    ) -> None:
        self._instance, self._snapshot, self._clock = instance, snapshot, clock
        self._waiting = waiting
        self._number = 0
        self._patches: deque[tuple[int, str]] = deque(maxlen=remembered)
        self._listeners: set[Listener] = set()

    def __len__(self) -> int:
        return len(self._listeners)

    def publish(self, patch: Patch) -> None:
        """Tell everybody what changed."""
        self._number += 1
        text = self._event("patch", {**patch, "now": self._clock()})
        self._patches.append((self._number, text))
        for listener in tuple(self._listeners):
            if not listener.send(text):
                self.leave(listener)
                listener.drop()

    def join(self, last_event: str | None = None) -> Listener:
        """Have a listener, which is told at once what it does not have.

        Args:
            last_event: the identifier of the last event that it had.

        """
        missed = self._missed(last_event)
        listener = Listener(max(self._waiting, len(missed)))
        for text in missed:
            listener.send(text)
        self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """Tell a listener nothing more."""
        self._listeners.discard(listener)

    def close(self) -> None:
        """Drop everybody."""
        for listener in tuple(self._listeners):
            self.leave(listener)
            listener.drop()

    def _missed(self, last_event: str | None) -> list[str]:
        instance, _, text = (last_event or "").rpartition("-")
        if instance == self._instance and text.isascii() and text.isdecimal() and len(text) < 16:
            had = int(text)
            missed = [event for number, event in self._patches if number > had]
            if had <= self._number and len(missed) == self._number - had:
                return missed
        return [self._event("snapshot", {"rows": self._snapshot(), "now": self._clock()})]

    def _event(self, kind: str, value: dict[str, Any]) -> str:
        # JSON has no line break outside of strings, and escapes those within.
        return (
            f"id: {self._instance}-{self._number}\nevent: {kind}\ndata: {json.dumps(value, separators=(',', ':'))}\n\n"
        )
