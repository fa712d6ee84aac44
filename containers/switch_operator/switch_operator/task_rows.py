"""The rows that ECS tasks make: live ones, tombstones, and those that no reader understands."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.services.container_service import ContainerService
from lambdas.services.ecs_tasks import Phase
from lambdas.services.errors import ServicesError
from routing import RoutingReader, RoutingRepository, Stored, Table, TaskStamp, is_tombstone, task_stamp
from routing.reader import RejectedRow
from switch_operator.task_arns import cluster_of, region_of

UNKNOWN_TO_ECS = "unknown to ECS"
"""ECS forgets a task about an hour after its end."""


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A row.

    Attributes:
        key: the table's key.
        attributes: its other attributes, without those of the task.
        task: the task that made it; None for a permanent row.
        removed: whether it is a tombstone, which only remembers the task's end.
        expires: when a tombstone may go, seconds since the epoch.

    """

    key: str
    attributes: dict[str, Any]
    task: TaskStamp | None
    removed: bool
    expires: int | None

    @classmethod
    def of(cls, table: Table, item: dict[str, Any]) -> "TaskRow":
        """Read a row's item."""
        own = {table.key, "removed", "expires", "task_arn", "task_version", "task_started_at"}
        attributes = {name: value for name, value in item.items() if name not in own}
        expires = item.get("expires")
        return cls(str(item[table.key]), attributes, task_stamp(item), is_tombstone(item), expires)

    def document(self, table: Table) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            table.key: self.key,
            **self.attributes,
            "task_arn": self.task.arn if self.task else None,
            "task_version": self.task.version if self.task else None,
            "task_started_at": self.task.started_at if self.task else None,
            "removed": self.removed,
            "expires": self.expires,
        }


@dataclass(frozen=True, slots=True)
class TaskTable:
    """A table's rows, by key, the live ones first, and the rows that gateways skip."""

    rows: tuple[TaskRow, ...]
    rejected: tuple[RejectedRow, ...]


def read(reader: RoutingReader, repository: RoutingRepository, table: Table, *, tombstones: bool) -> TaskTable:
    """Read a table."""
    snapshot = reader.snapshot(table)
    live = [TaskRow.of(table, dict(record.to_item())) for _, record in sorted(snapshot.records.items())]
    gone = []
    if tombstones:
        items = [dict(item) for item in repository.rows_of_tasks(table) if is_tombstone(item)]
        gone = sorted((TaskRow.of(table, item) for item in items), key=lambda row: row.key)
    return TaskTable((*live, *gone), snapshot.rejected)


def of_stored(table: Table, stored: Stored) -> TaskRow | None:
    """Return the row that is stored for a key, tombstone or not."""
    return None if stored.row is None else TaskRow.of(table, dict(stored.row))


def phases(container_service: ContainerService, task_arns: Iterable[str]) -> dict[str, str]:
    """Ask ECS what becomes of tasks, in the region of each.

    Returns:
        By ARN `starting`, `running`, `stopping`, `UNKNOWN_TO_ECS`, or why ECS could not be asked.

    """
    by_cluster: dict[tuple[str, str], list[str]] = {}
    found: dict[str, str] = {}
    for arn in set(task_arns):
        region, cluster = region_of(arn), cluster_of(arn)
        if region is None or cluster is None:
            found[arn] = "cannot be asked for: its ARN names no region or no cluster"
        else:
            by_cluster.setdefault((region, cluster), []).append(arn)
    for (region, cluster), arns in by_cluster.items():
        try:
            tasks = container_service.describe_tasks(region, cluster, sorted(arns))
        except (ClientError, BotoCoreError, ServicesError) as error:
            found |= dict.fromkeys(arns, f"cannot be asked for: {error}")
            continue
        states = {task.stamp.arn: task.phase.value for task in tasks}
        found |= {arn: states.get(arn, UNKNOWN_TO_ECS) for arn in arns}
    return found


def is_gone(phase: str) -> bool:
    """Tell whether ECS says for certain that a task takes no calls any more."""
    return phase in (UNKNOWN_TO_ECS, Phase.STOPPING.value)
