"""Standard output that never makes anybody wait: what a log driver does not take is dropped, and counted."""

import queue
import threading
from typing import Final, TextIO

_LINES: Final = 10_000
"""That wait at most: some minutes of a busy switch."""


class LogStream:
    """A stream whose writes return at once; a thread of its own hands them on.

    Args:
        stream: where it all goes.
        lines: how many writes may wait.

    """

    def __init__(self, stream: TextIO, lines: int = _LINES) -> None:
        self._stream = stream
        self._queue: queue.Queue[str | None] = queue.Queue(lines)
        self._lock = threading.Lock()
        self._dropped = 0
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def write(self, text: str) -> int:
        """Take a text, a line or several; it is written as a whole, or dropped."""
        try:
            self._queue.put_nowait(text)
        except queue.Full:
            self._drop()
        return len(text)

    def take_dropped(self) -> int:
        """Return how many were dropped since this was asked last."""
        with self._lock:
            dropped, self._dropped = self._dropped, 0
        return dropped

    def end(self, seconds: float) -> None:
        """Write what waits, as far as there is time. What is written after this is lost."""
        try:
            self._queue.put(None, timeout=seconds)
        except queue.Full:
            return
        self._thread.join(seconds)

    def _run(self) -> None:
        while (text := self._queue.get()) is not None:
            try:
                self._stream.write(text)
                if self._queue.empty():
                    self._stream.flush()
            except (OSError, ValueError):  # nobody reads it any more, or it is closed
                self._drop()

    def _drop(self) -> None:
        with self._lock:
            self._dropped += 1
