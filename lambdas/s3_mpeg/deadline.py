"""How long this invocation may still work."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from lambdas.s3_mpeg.errors import Cause, ConversionError

_RESERVE = 45.0
_RESERVE_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment after which only clearing up is allowed.

    Attributes:
        at: the moment, in seconds of `clock`.
        clock: a monotonic clock in seconds.

    """

    at: float
    clock: Callable[[], float] = field(default=time.monotonic)

    @classmethod
    def before_end_of(cls, remaining_milliseconds: int, clock: Callable[[], float] = time.monotonic) -> "Deadline":
        """Return the deadline of an invocation that Lambda ends in so many milliseconds.

        45 seconds, or a fifth if that is less, are kept for ending what is under way: a read that waits for S3
        until its timeout, all attempts at replacing it, then the encoder, then the multipart upload.
        """
        remaining = remaining_milliseconds / 1000
        return cls(clock() + remaining - min(_RESERVE, remaining * _RESERVE_SHARE), clock)

    def remaining(self) -> float:
        """Return the seconds left, not below zero."""
        return max(0.0, self.at - self.clock())

    def check(self) -> None:
        """Raise ConversionError (OUT_OF_TIME) once the moment has come."""
        if not self.remaining():
            raise ConversionError(Cause.OUT_OF_TIME, "the invocation ends before the recording is converted")
