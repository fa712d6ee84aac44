"""A thread that does one thing again and again, and never ends because of an error."""

import logging
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass

logger = logging.getLogger(__name__)

BACKOFF_CAP_SECONDS = 5.0
_SHORTEST_BACKOFF_SECONDS = 0.1


@dataclass(slots=True)
class Condition:
    """How a worker does.

    Attributes:
        error: what went wrong last; None when the last time went well.
        failures: how often in a row it went wrong.
        error_type: the class of what went wrong last.

    """

    error: str | None = None
    failures: int = 0
    error_type: type[Exception] | None = None


class Worker:
    """Repeats a step until it is told to stop.

    Args:
        name: what it does, for people.
        step: does it once. What it raises is reported, and the step tried again after a wait of exponential growth with
            full jitter, so that many gateways do not come back to AWS at the same moment.
        interval: seconds between two steps that go well.
        stopping: set when the process is to end.

    """

    def __init__(self, name: str, step: Callable[[], object], interval: float, stopping: threading.Event) -> None:
        self.name, self.condition = name, Condition()
        self._step, self._interval, self._stopping = step, interval, stopping
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self, seconds: float) -> bool:
        """Wait until it has ended; return whether it did in time."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._stopping.wait(self._once())

    def _once(self) -> float:
        """Do the step, and return how long to wait before the next."""
        condition = self.condition
        try:
            self._step()
        except Exception as error:
            condition.failures += 1
            message = f"{type(error).__name__}: {error}"
            if message != condition.error:
                logger.exception("step failed", extra={"worker": self.name, "reason": message})
            condition.error, condition.error_type = message, type(error)
            interval = max(self._interval, _SHORTEST_BACKOFF_SECONDS)
            bound = min(BACKOFF_CAP_SECONDS, interval * 2.0 ** min(condition.failures, 10))
            return random.uniform(min(interval, bound) / 2, bound)  # noqa: S311
        if condition.error is not None:
            logger.info("step succeeds again", extra={"worker": self.name, "failures": condition.failures})
        condition.error, condition.error_type, condition.failures = None, None, 0
        return self._interval
