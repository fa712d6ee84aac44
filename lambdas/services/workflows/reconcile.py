"""Compare the tables with what ECS runs, in every region, and heal both ways.

Events are lost when nothing that could tell is left: a rule that was disabled, a dead letter nobody redrove, a table
restored from a backup. Rows are read before ECS is asked, so a row that appears meanwhile is not mistaken for a
leftover; and a row goes only when ECS, asked for that very task, says that it is stopping or unknown.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from lambdas.services.capacity_queue import CapacityQueue
from lambdas.services.container_service import ContainerService
from lambdas.services.ecs_tasks import Phase, TaskState
from lambdas.services.errors import ReconcileFailed, ServicesError
from lambdas.services.jobs import CapacityChange
from lambdas.services.settings import Settings
from lambdas.services.task_rows import TaskAddress, TaskRows
from routing import (
    Change,
    PutTaskRow,
    RemoveTaskRow,
    RoutingError,
    RoutingRepository,
    Table,
    TaskStamp,
    is_tombstone,
    task_stamp,
)

logger = Logger(child=True)


@dataclass(frozen=True, slots=True)
class HealedRow:
    """A row that was missing, wrong, or left over."""

    table: Table
    key: str
    region: str


@dataclass(frozen=True, slots=True)
class _Row:
    """A visible row that a task made."""

    table: Table
    key: str
    task: TaskStamp


class Reconcile:
    """Reconciles.

    Args:
        settings: groups, ports, regions and clusters.
        repository: the tables.
        container_service: what ECS runs.
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

    def call(self) -> list[HealedRow]:
        """Return the rows that were healed.

        Raises:
            ReconcileFailed: naming the regions that could not be reconciled, after all others were.

        """
        by_region: dict[str, list[_Row]] = {}
        for row in self._task_rows():
            by_region.setdefault(_region_of(row.task.arn), []).append(row)
        healed: list[HealedRow] = []
        failures = []
        for region in self._settings.regions.members:
            try:
                healed += self._reconcile_region(region.identifier, by_region.pop(region.identifier, []))
            except (ServicesError, RoutingError, ClientError, BotoCoreError) as error:
                logger.exception("region not reconciled", region=region.identifier)
                failures.append(f"{region.identifier}: {type(error).__name__}: {error}")
        for region_name, rows in by_region.items():
            logger.warning("rows of a region that REGION_DATA does not list", region=region_name, rows=len(rows))
        if failures:
            raise ReconcileFailed("; ".join(failures))
        return healed

    def _task_rows(self) -> list[_Row]:
        rows = []
        for table in self._rows.tables:
            for item in self._repository.rows_of_tasks(table):
                task = task_stamp(item)
                if task is not None and not is_tombstone(item):
                    rows.append(_Row(table, str(item[table.key]), task))
        return rows

    def _reconcile_region(self, region: str, rows: Sequence[_Row]) -> list[HealedRow]:
        clusters = self._settings.ecs_clusters or tuple(self._container_service.clusters(region))
        running: dict[str, TaskState] = {}
        for cluster in clusters:
            for task in self._container_service.running_tasks(region, cluster):
                if self._rows.table(task) is not None and task.phase is Phase.RUNNING:
                    running[task.stamp.arn] = task
        changes: list[Change] = []
        wanted: dict[str, set[str]] = {}
        addresses = self._instance_addresses(region, running.values())
        for task in running.values():
            if not self._rows.is_reachable(task):
                continue
            if self._rows.needs_instance(task) and task.stamp.arn not in addresses:
                logger.warning("running task has no address", task_arn=task.stamp.arn)
                continue
            records = self._rows.records(task, addresses.get(task.stamp.arn, TaskAddress(None)))
            wanted[task.stamp.arn] = {record.key for record in records}
            changes += [PutTaskRow(record, task.stamp, observed=True) for record in records]
        stopped = self._stopped(region, clusters, [row for row in rows if row.task.arn not in running])
        for row in rows:
            if row.task.arn in stopped:
                changes.append(RemoveTaskRow(row.table, row.key, stopped[row.task.arn]))
            elif row.task.arn in wanted and row.key not in wanted[row.task.arn]:
                # The task runs, but not there: a port setting changed, or its instance's public address did.
                changes.append(RemoveTaskRow(row.table, row.key, running[row.task.arn].stamp))
        result = self._repository.write(changes)
        for table, key in result.changed:
            logger.warning("row healed", table=table.value, key=key, region=region)
        self._notify_capacity(region, clusters, running)
        return [HealedRow(table, key, region) for table, key in result.changed]

    def _instance_addresses(self, region: str, tasks: Iterable[TaskState]) -> dict[str, TaskAddress]:
        """Return the instances' addresses of those tasks that need them, by task ARN."""
        by_cluster: dict[str, dict[str, str]] = {}
        for task in tasks:
            if self._rows.needs_instance(task) and task.container_instance_arn is not None:
                by_cluster.setdefault(task.cluster_arn, {})[task.stamp.arn] = task.container_instance_arn
        addresses = {}
        for cluster, instances in by_cluster.items():
            found = self._container_service.instance_addresses(region, cluster, sorted(set(instances.values())))
            for task_arn, instance_arn in instances.items():
                if instance_arn in found:
                    addresses[task_arn] = TaskAddress(found[instance_arn].private_ip, found[instance_arn].public_ip)
        return addresses

    def _stopped(self, region: str, clusters: Sequence[str], rows: Sequence[_Row]) -> dict[str, TaskStamp]:
        """Return which of the rows' tasks are stopping or unknown to ECS, each with its newest stamp."""
        stopped = {row.task.arn: row.task for row in rows}
        for task_arn in list(stopped):
            cluster = _cluster_of(task_arn)
            for candidate in (cluster,) if cluster else clusters:
                for task in self._container_service.describe_tasks(region, candidate, [task_arn]):
                    if task.phase is Phase.STOPPING:
                        # No task that stops runs again, though the row may know a later version than this answer.
                        stopped[task_arn] = max(task.stamp, stopped[task_arn], key=lambda stamp: stamp.version)
                    else:
                        del stopped[task_arn]
        return stopped

    def _notify_capacity(self, region: str, clusters: Sequence[str], running: Mapping[str, TaskState]) -> None:
        """Have the platform told anew: of two counts that crossed on the way, the older may have come last."""
        with_switches = {task.cluster_arn for task in running.values() if self._rows.is_switch(task)}
        family = self._settings.switch_group.removeprefix("service:")
        for cluster in self._settings.ecs_clusters or [each for each in clusters if each in with_switches]:
            self._queue.put(CapacityChange(region, cluster, family))


def _region_of(task_arn: str) -> str:
    # arn:partition:ecs:region:account:task/cluster/id
    parts = task_arn.split(":")
    return parts[3] if len(parts) > 3 else ""


def _cluster_of(task_arn: str) -> str | None:
    """Return the cluster's name in a task's ARN; the short form of accounts that never opted in has none."""
    parts = task_arn.split("/")
    return parts[1] if len(parts) == 3 else None
