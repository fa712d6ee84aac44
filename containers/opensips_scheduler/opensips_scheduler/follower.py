"""Follows the journal: what changed in the routing tables comes into the file, and OpenSIPS is told to read it."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from opensips_scheduler.routing_database import Applied, RoutingDatabase
from opensips_scheduler.rows import SQL_TABLES
from routing import PositionTooOld, RoutingReader, Table

logger = logging.getLogger(__name__)


class Commands(Protocol):
    """Where management commands go."""

    def call(self, method: str) -> object:
        """Run a command."""
        ...


@dataclass(slots=True)
class Progress:
    """What the follower has done, for whoever asks about its health.

    Attributes:
        read_at: when the tables were last known to be as DynamoDB has them, seconds of the clock; None before that.
        behind: changes of the journal that were not applied at the last look.
        rows: rows of each table.
        skipped: rows that could not be used, by table and key, with the reason.
        reload_seconds: how long the last reload of each command took.

    """

    read_at: float | None = None
    behind: int = 0
    rows: dict[Table, int] = field(default_factory=dict)
    skipped: dict[tuple[Table, str], str] = field(default_factory=dict)
    reload_seconds: dict[str, float] = field(default_factory=dict)


class Follower:
    """Keeps one gateway's file true to the routing tables.

    Each step may fail anywhere, at any time: rows and position change together, and a reload that did not happen stays
    due. After a restart of either side every reload is due, for nobody knows what OpenSIPS has read.

    Args:
        reader: the routing tables.
        database: OpenSIPS's file.
        commands: OpenSIPS.
        tables: the tables that this kind of gateway uses.
        clock: seconds.

    """

    def __init__(
        self,
        reader: RoutingReader,
        database: RoutingDatabase,
        commands: Commands,
        tables: tuple[Table, ...],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reader, self._database, self._commands = reader, database, commands
        self._tables, self._clock = tables, clock
        self._reloads_due: dict[str, None] = {}
        self.progress = Progress()
        self.reload_everything()

    def reload_everything(self) -> None:
        """Have every reload due: OpenSIPS, or this process, was restarted."""
        commands = (SQL_TABLES[table].reload for table in self._tables)
        self._reloads_due |= dict.fromkeys(command for command in commands if command is not None)

    def follow(self) -> int:
        """Apply what changed since the last time; return how many rows are different now.

        Where nothing changed it costs one request. A table that was never copied, or whose journal no longer reaches
        back, is read whole.
        """
        heads = self._reader.positions(self._tables)
        changed = sum(self._follow_table(table, heads[table]) for table in self._tables)
        self.progress.behind = 0
        self.progress.read_at = self._clock()
        return changed

    def compare(self) -> int:
        """Read every table whole and heal what differs, whatever the journal says; return how many rows did."""
        changed = sum(self._copy(table) for table in self._tables)
        self.progress.read_at = self._clock()
        return changed

    def reload(self) -> None:
        """Run the reloads that are due. One that fails stays due, and those after it.

        Raises:
            Unreachable: when OpenSIPS does not answer.
            ManagementError: when it refuses.

        """
        for command in list(self._reloads_due):
            began = time.perf_counter()
            self._commands.call(command)
            self.progress.reload_seconds[command] = time.perf_counter() - began
            del self._reloads_due[command]

    @property
    def reloads_due(self) -> tuple[str, ...]:
        """The reloads that OpenSIPS has not answered yet."""
        return tuple(self._reloads_due)

    def _follow_table(self, table: Table, head: int) -> int:
        position = self._database.position(table)
        if position is None:
            return self._copy(table)
        changed = 0
        try:
            while position != head:  # ahead of the head, too: the journal says that it never came so far
                self.progress.behind = max(head - position, 0)
                changes = self._reader.changes_after(table, position, head=head)
                for key in (*changes.put, *changes.removed):
                    self.progress.skipped.pop((table, key), None)
                changed += self._note(table, self._database.apply(changes))
                position = changes.position
        except PositionTooOld as error:
            logger.warning("table is read whole", extra={"table": table.value, "reason": str(error)})
            return changed + self._copy(table)
        return changed

    def _copy(self, table: Table) -> int:
        # The position first: what changes while the pages are read comes again with the journal, which does no harm.
        position = self._reader.position(table)
        applied = self._database.replace(table, position, self._reader.pages(table))
        for known in [known for known in self.progress.skipped if known[0] is table]:
            del self.progress.skipped[known]
        return self._note(table, applied)

    def _note(self, table: Table, applied: Applied) -> int:
        command = SQL_TABLES[table].reload
        if applied.changed and command is not None:
            self._reloads_due[command] = None
        for row in applied.skipped:
            self.progress.skipped[row.table, row.key] = row.reason
            logger.error("row skipped", extra={"table": table.value, "key": row.key, "reason": row.reason})
        self.progress.rows[table] = self._database.count(table)
        return applied.changed
