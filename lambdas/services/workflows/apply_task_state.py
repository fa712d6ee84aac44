"""An ECS task started or stopped: make the gateways' tables true to it."""

from enum import Enum

from aws_lambda_powertools import Logger

from lambdas.services.capacity_queue import CapacityQueue
from lambdas.services.container_service import ContainerService
from lambdas.services.ecs_tasks import Phase, TaskState
from lambdas.services.errors import AddressNotFound
from lambdas.services.jobs import CapacityChange
from lambdas.services.settings import Settings
from lambdas.services.task_rows import TaskAddress, TaskRows
from routing import Change, PutTaskRow, RemoveTaskRow, RoutingRepository, Table

logger = Logger(child=True)


class Outcome(Enum):
    """What an event came to."""

    IGNORED = "ignored"
    UNCHANGED = "unchanged"
    CHANGED = "changed"


class ApplyTaskState:
    """Applies one task's state to the tables.

    Args:
        settings: groups, ports and regions.
        repository: where rows go.
        container_service: where instances' addresses come from.
        queue: where capacity changes are left.

    """

    def __init__(
        self,
        settings: Settings,
        repository: RoutingRepository,
        container_service: ContainerService,
        queue: CapacityQueue,
    ) -> None:
        self._settings = settings
        self._rows = TaskRows(settings)
        self._repository = repository
        self._container_service = container_service
        self._queue = queue

    def call(self, task: TaskState) -> Outcome:
        """Apply a state; a late or repeated one changes nothing.

        Raises:
            UnknownRegion: when a task of ours runs where REGION_DATA knows no region.
            AddressNotFound: when a running task's address cannot be found.

        """
        table = self._rows.table(task)
        if table is None:
            return Outcome.IGNORED
        _ = self._settings.regions[task.region]
        if task.phase is Phase.STARTING or (task.phase is Phase.RUNNING and not self._rows.is_reachable(task)):
            return Outcome.IGNORED
        changes = self._start(task) if task.phase is Phase.RUNNING else self._stop(task, table)
        result = self._repository.write(changes)
        if self._rows.is_switch(task):
            # Even when nothing changed: if leaving this message is what failed the last time, this is the retry.
            self._queue.put(CapacityChange(task.region, task.cluster_arn, task.group.removeprefix("service:")))
        return Outcome.CHANGED if result.changed else Outcome.UNCHANGED

    def _start(self, task: TaskState) -> list[Change]:
        address = TaskAddress(None)
        if self._rows.needs_instance(task):
            instance = self._container_service.address_of(task)
            address = TaskAddress(instance.private_ip, instance.public_ip)
        return [PutTaskRow(record, task.stamp) for record in self._rows.records(task, address)]

    def _stop(self, task: TaskState, table: Table) -> list[Change]:
        """Remove the rows found by the task's ARN and remember its end at every address that it may have had."""
        rows = self._repository.rows_of_task(table, task.stamp.arn)
        keys = {str(row[table.key]) for row in rows}
        address = TaskAddress(None)
        if not keys and self._rows.needs_instance(task):
            # Its RUNNING has not come yet, or it never ran. Where it would have been has to be remembered.
            try:
                instance = self._container_service.address_of(task)
                address = TaskAddress(instance.private_ip, instance.public_ip)
            except AddressNotFound as error:
                logger.info("stopped task has no rows and no address", task_arn=task.stamp.arn, reason=str(error))
        keys |= {record.key for record in self._rows.records(task, address)}
        return [RemoveTaskRow(table, key, task.stamp) for key in sorted(keys)]
