"""Work off a batch of jobs: rows in as few transactions as fit, then what must be told to the platform."""

from collections.abc import Callable, Sequence
from typing import Final

from lambdas.services.errors import OutOfTime
from lambdas.services.jobs import CapacityChange, Job
from lambdas.services.workflows.notify_capacity import NotifyCapacity
from routing import RoutingRepository

Failures = dict[int, Exception]
"""Why jobs failed, by their position in the batch."""

_SHARE_TO_TELL: Final = 2 / 3
"""Of the invocation's time, what must be left for the platform to be told of one more region. An invocation that Lambda
ends fails its whole batch, with all that was done; and ECS, the platform and SSM are silent for 15, 13 and 6 seconds
before they are given up."""


class HandleJobs:
    """Works off jobs.

    Args:
        repository: where rows go.
        notify_capacity: tells the platform of capacity.

    """

    def __init__(self, repository: RoutingRepository, notify_capacity: NotifyCapacity) -> None:
        self._repository = repository
        self._notify_capacity = notify_capacity

    def call(self, jobs: Sequence[Job], seconds_left: Callable[[], float]) -> Failures:
        """Do the jobs and return which failed; those are to be retried, the others are done.

        Args:
            jobs: the jobs.
            seconds_left: tells how long the invocation may still take.

        """
        needed = seconds_left() * _SHARE_TO_TELL
        failures: Failures = {}
        changes = {index: job for index, job in enumerate(jobs) if not isinstance(job, CapacityChange)}
        try:
            self._repository.write(changes.values())
        except Exception as error:  # noqa: BLE001 - every job that shared the write is retried by the queue
            failures |= dict.fromkeys(changes, error)
        return failures | self._notify(jobs, lambda: seconds_left() >= needed)

    def _notify(self, jobs: Sequence[Job], has_time: Callable[[], bool]) -> Failures:
        """Tell the platform once of each region, however many messages ask for it: the count is of now."""
        askers: dict[CapacityChange, list[int]] = {}
        for index, job in enumerate(jobs):
            if isinstance(job, CapacityChange):
                askers.setdefault(job, []).append(index)
        failures: Failures = {}
        for change, indexes in askers.items():
            if not has_time():
                error = OutOfTime(f"no time is left to tell the capacity of {change.region}")
                failures |= dict.fromkeys(indexes, error)
                continue
            try:
                self._notify_capacity.call(change)
            except Exception as failure:  # noqa: BLE001 - reported as failed, so retried by the queue
                failures |= dict.fromkeys(indexes, failure)
        return failures
