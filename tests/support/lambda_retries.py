"""Invokes a function as Lambda does with an event that nobody waits for: again when it fails, and then gives up."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

RETRIES = 2
"""eventsRetries of cdk.json."""


@dataclass
class LambdaRetries:
    """A function behind Lambda's queue of events.

    Attributes:
        function: takes an event.
        failures: events that it failed on to the last, which are in the failures queue.
        invocations: how often it was invoked.

    """

    function: Callable[[dict[str, Any]], Any]
    failures: list[dict[str, Any]] = field(default_factory=list)
    invocations: int = 0

    def put(self, event: dict[str, Any]) -> None:
        """Hand an event over."""
        for _ in range(1 + RETRIES):
            self.invocations += 1
            try:
                self.function(event)
            except Exception:  # noqa: BLE001, S112 - whatever it is, Lambda tries again
                continue
            return
        self.failures.append(event)
