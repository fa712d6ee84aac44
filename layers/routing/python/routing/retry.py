"""How long to wait before trying again."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Backoff:
    """Waits of exponential growth with full jitter, until a time limit is spent.

    Full jitter (a wait drawn evenly from zero to the current bound) makes writers that collided once unlikely to
    collide again: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/.

    Attributes:
        base: the first bound, seconds: about twice what a transaction takes, so that of two writers one is through.
        cap: the largest bound, seconds.
        slow: how many times longer the bounds are where DynamoDB, not a rival, is to be given time.
        limit: seconds from the first call after which no further wait is granted.
        clock: monotonic seconds.
        sleep: waits a number of seconds.
        uniform: draws evenly from an interval.

    """

    clock: Callable[[], float]
    sleep: Callable[[float], None]
    base: float = 0.02
    cap: float = 0.25
    slow: float = 16.0
    limit: float = 10.0
    uniform: Callable[[float, float], float] = random.uniform
    _attempt: int = field(default=0, init=False)
    _started: float | None = field(default=None, init=False)

    def wait(self, *, slowly: bool = False) -> bool:
        """Sleep before the next try; return False, without sleeping, when the limit is spent."""
        if self._started is None:
            self._started = self.clock()
        if self.clock() - self._started >= self.limit:
            return False
        bound = min(self.cap, self.base * 2.0 ** min(self._attempt, 20))
        self._attempt += 1
        self.sleep(self.uniform(0, bound * (self.slow if slowly else 1.0)))
        return True


def default_backoff() -> Backoff:
    """Return one that waits on this machine's clock."""
    return Backoff(time.monotonic, time.sleep)
