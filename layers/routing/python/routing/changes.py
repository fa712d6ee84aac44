"""What writers may ask of the tables, each as a pure decision over what is stored.

Messages and events arrive at least once and in any order, so no change is "do this": each says what it knows and when
it became true, and `apply` decides what the row must be now. Two kinds of order are kept:

- `routing.task_changes`: rows made from ECS tasks are ordered by the task;
- `routing.message_changes`: addresses and subscribers are ordered by when the platform sent the message about them.

What a decision must remember beyond the row is its *order item*, kept beside the change journal. A row that a task's
end removed stays as a tombstone (`removed`), so that a late RUNNING of that task does not bring it back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from routing.attribute_values import Value
from routing.tables import Table


@dataclass(frozen=True, slots=True)
class Stored:
    """What DynamoDB holds for one key.

    Attributes:
        row: the row, perhaps a tombstone; None when there is none.
        order: what earlier changes left to be remembered; None when nothing.

    """

    row: Mapping[str, Value] | None = None
    order: Mapping[str, Value] | None = None

    @property
    def is_visible(self) -> bool:
        """Whether readers see the row: it is there and is no tombstone."""
        return self.row is not None and not is_tombstone(self.row)


def is_tombstone(row: Mapping[str, Value]) -> bool:
    """Tell whether a row only remembers that it was removed."""
    return row.get("removed") is True


class Change(Protocol):
    """Something a writer knows about one row."""

    @property
    def table(self) -> Table:
        """The table of the row."""
        ...

    @property
    def key(self) -> str:
        """The key of the row."""
        ...

    def apply(self, stored: Stored, now: int) -> Stored:
        """Return what must be stored, given what is; the same object when nothing changes.

        Args:
            stored: what is stored for the key.
            now: seconds since the epoch, for expiry times.

        """
        ...
