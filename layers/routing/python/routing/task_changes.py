"""Changes of rows that ECS tasks make: load balancer targets, media proxies and domains.

Within a task its version orders what is known; between two tasks that had one address, which of them started later.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from routing.attribute_values import Value
from routing.changes import Stored, is_tombstone
from routing.records import Domain, LoadBalancerTarget, MediaProxy, TaskStamp, task_attributes, task_stamp
from routing.tables import Table

TOMBSTONE_SECONDS = 24 * 3600
"""How long a removed task row is remembered: as long as EventBridge retries an event."""

_STOPPED_TASKS_MAXIMUM = 20


@dataclass(frozen=True, slots=True)
class PutTaskRow:
    """A task runs, so its row must be there, unless something newer is known.

    Attributes:
        record: the row, with the stamp of its task.
        observed: the task was just seen running by asking ECS, rather than told by an event that may be late; it may
            then undo a tombstone of the same version.

    """

    record: LoadBalancerTarget | Domain | MediaProxy
    task: TaskStamp
    observed: bool = False

    @property
    def table(self) -> Table:
        """The table of the row."""
        return self.record.table

    @property
    def key(self) -> str:
        """The key of the row."""
        return self.record.key

    def apply(self, stored: Stored, now: int) -> Stored:
        """See `Change.apply`."""
        row = replace(self.record, task=self.task).to_item()
        if stored.row is not None:
            owner = task_stamp(stored.row)
            if owner is None:
                return stored  # a permanent row is nobody's to take
            if owner.arn == self.task.arn:
                if self.task.version < owner.version:
                    return stored
                if is_tombstone(stored.row) and self.task.version == owner.version and not self.observed:
                    return stored
            elif _started_before(self.task, owner):
                return stored
        if self.task.arn in _stopped_tasks(stored) and not self.observed:
            return stored
        return stored if stored.row == row else replace(stored, row=row)


@dataclass(frozen=True, slots=True)
class RemoveTaskRow:
    """A task was told to stop or is gone, so the row it made goes, and is remembered as gone.

    The row of another task is never touched, even when it has the same key.
    """

    table: Table
    key: str
    task: TaskStamp

    def apply(self, stored: Stored, now: int) -> Stored:
        """See `Change.apply`."""
        if stored.row is None:
            return replace(stored, row=self._tombstone({}, now))
        owner = task_stamp(stored.row)
        if owner is None:
            return stored
        if owner.arn == self.task.arn:
            if is_tombstone(stored.row) or self.task.version < owner.version:
                return stored
            return replace(stored, row=self._tombstone(stored.row, now))
        if _started_before(self.task, owner):
            return stored  # a late RUNNING of this task will be refused for the same reason
        if self.task.arn in _stopped_tasks(stored):
            return stored
        if is_tombstone(stored.row):
            return replace(stored, row=self._tombstone({}, now))
        return self._remember_beside(stored, now)

    def _tombstone(self, row: Mapping[str, Value], now: int) -> dict[str, Value]:
        return (
            dict(row)
            | {self.table.key: self.key, "removed": True, "expires": now + TOMBSTONE_SECONDS}
            | task_attributes(self.task)
        )

    def _remember_beside(self, stored: Stored, now: int) -> Stored:
        stopped = _stopped_tasks(stored)
        # One address has few owners within a day; the bound only keeps the item small whatever happens.
        kept = frozenset(sorted(stopped)[: _STOPPED_TASKS_MAXIMUM - 1]) | {self.task.arn}
        return replace(stored, order={"stopped_tasks": kept, "expires": now + TOMBSTONE_SECONDS})


def _started_before(task: TaskStamp, other: TaskStamp) -> bool:
    return task.started_at is not None and other.started_at is not None and task.started_at < other.started_at


def _stopped_tasks(stored: Stored) -> frozenset[str]:
    members = (stored.order or {}).get("stopped_tasks")
    return members if isinstance(members, frozenset) else frozenset()


@dataclass(frozen=True, slots=True)
class AddPermanentDomain:
    """An operator's domain, which no task's end removes."""

    table: ClassVar[Table] = Table.DOMAINS
    domain: Domain

    @property
    def key(self) -> str:
        """The key of the row."""
        return self.domain.key

    def apply(self, stored: Stored, now: int) -> Stored:
        """See `Change.apply`."""
        row = self.domain.to_item()
        return stored if stored.row == row else replace(stored, row=row)
