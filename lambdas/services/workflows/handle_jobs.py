"""Work off a batch of jobs: rows in as few transactions as fit, then what must be told to the platform."""

from collections.abc import Sequence

from lambdas.services.jobs import CapacityChange, Job
from lambdas.services.workflows.notify_capacity import NotifyCapacity
from routing import RoutingRepository

Failures = dict[int, Exception]
"""Why jobs failed, by their position in the batch."""


class HandleJobs:
    """Works off jobs.

    Args:
        repository: where rows go.
        notify_capacity: tells the platform of capacity.

    """

    def __init__(self, repository: RoutingRepository, notify_capacity: NotifyCapacity) -> None:
        self._repository = repository
        self._notify_capacity = notify_capacity

    def call(self, jobs: Sequence[Job]) -> Failures:
        """Do the jobs and return which failed; those are to be retried, the others are done."""
        failures: Failures = {}
        changes = {index: job for index, job in enumerate(jobs) if not isinstance(job, CapacityChange)}
        try:
            self._repository.write(changes.values())
        except Exception as error:  # noqa: BLE001 - every job that shared the write is retried by the queue
            failures |= dict.fromkeys(changes, error)
        return failures | self._notify(jobs)

    def _notify(self, jobs: Sequence[Job]) -> Failures:
        """Tell the platform once of each region, however many messages ask for it: the count is of now."""
        askers: dict[CapacityChange, list[int]] = {}
        for index, job in enumerate(jobs):
            if isinstance(job, CapacityChange):
                askers.setdefault(job, []).append(index)
        failures: Failures = {}
        for change, indexes in askers.items():
            try:
                self._notify_capacity.call(change)
            except Exception as error:  # noqa: BLE001 - reported as failed, so retried by the queue
                failures |= dict.fromkeys(indexes, error)
        return failures
