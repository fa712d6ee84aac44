"""How long to wait before something that failed is tried again."""

import random
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that double, with jitter, so that what failed together is not tried again together.

    Attributes:
        first: seconds of the first wait at most.
        longest: seconds of any wait at most.
        fraction: returns a number from 0 to 1.

    """

    first: float
    longest: float
    fraction: Callable[[], float] = random.random

    def seconds(self, failures: int) -> float:
        """Return how long to wait after so many failures in a row, 1 or more; half of it at least is certain."""
        wait = min(self.longest, self.first * 2.0 ** min(failures - 1, 30))
        return wait * (0.5 + self.fraction() / 2)
