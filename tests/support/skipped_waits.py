"""Skips the waits of this process: a pause before a retry takes no time, and is counted as if it had."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch


class SkippedWaits:
    """What was waited.

    Attributes:
        seconds: all waits together.
        number: how many there were.

    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self.number = 0

    def sleep(self, seconds: float) -> None:
        """Take a wait for done."""
        self.seconds += seconds
        self.number += 1


@contextmanager
def skipped_waits() -> Iterator[SkippedWaits]:
    """Skip `time.sleep` meanwhile, and move `time.monotonic` on by what was skipped."""
    waits, monotonic = SkippedWaits(), time.monotonic
    with (
        patch.object(time, "sleep", waits.sleep),
        patch.object(time, "monotonic", lambda: monotonic() + waits.seconds),
    ):
        yield waits
