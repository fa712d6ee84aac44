"""Follows the journal: what changed in the routing tables comes into the file, and OpenSIPS is told to read it."""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from opensips_scheduler.reloads import Reloads
from opensips_scheduler.routing_database import Applied, RoutingDatabase
from opensips_scheduler.rows import SQL_TABLES
from routing import PositionTooOld, RoutingReader, Table
from routing.reader import RejectedRow

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Progress:
    """What the follower has done, for whoever asks about its health.

    Attributes:
        read_at: when the tables were last known to be as DynamoDB has them, seconds of the clock; None before that.
        behind: changes of the journal that were not applied at the last look.
        positions: how far the journal of each table is applied.
        rows: rows of each table.
        skipped: rows that could not be used, by table and key, with the reason.
        former_targets: switches that are known only for the calls that they may still have.

    """

    read_at: float | None = None
    behind: int = 0
    positions: dict[Table, int] = field(default_factory=dict)
    rows: dict[Table, int] = field(default_factory=dict)
    skipped: dict[tuple[Table, str], str] = field(default_factory=dict)
    former_targets: int = 0

    def forget(self, table: Table, *keys: str) -> None:
        """Rows were written anew; whether they can be used shows again."""
        for key in keys:
            self.skipped.pop((table, key), None)

    def keep_skipped(self, table: Table, keys: set[str]) -> None:
        """A table was read whole, and only these of its rows could not be used."""
        self.forget(table, *(key for of, key in list(self.skipped) if of is table and key not in keys))

    def skip(self, row: RejectedRow) -> bool:
        """Note a row that could not be used; return whether that is news."""
        known = self.skipped.get((row.table, row.key))
        self.skipped[row.table, row.key] = row.reason
        return known != row.reason


class Follower:
    """Keeps one gateway's file true to the routing tables.

    Each step may fail anywhere, at any time: rows and position change together, and a reload that a change needs is due
    until it has happened.

    Args:
        reader: the routing tables.
        database: OpenSIPS's file.
        reloads: is told which reloads a change needs.
        tables: the tables that this kind of gateway uses.
        on_skip: is told of each row that could not be used, once.
        clock: seconds.

    """

    def __init__(
        self,
        reader: RoutingReader,
        database: RoutingDatabase,
        reloads: Reloads,
        tables: tuple[Table, ...],
        *,
        on_skip: Callable[[RejectedRow], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reader, self._database, self._reloads = reader, database, reloads
        self._tables, self._on_skip, self._clock = tables, on_skip, clock
        self.progress = Progress()

    def follow(self) -> int:
        """Apply what changed since the last time; return how many rows are different now.

        Where nothing changed it costs one request. A table that was never copied, or whose journal no longer reaches
        back, is read whole.
        """
        heads = self._reader.positions(self._tables)
        changed = sum(self._follow_table(table, heads[table]) for table in self._tables)
        with self._reload_if_interrupted(Table.LOAD_BALANCER_TARGETS):
            if self._database.purge_former_targets():
                self._require_reload(Table.LOAD_BALANCER_TARGETS)
        self.progress.former_targets = self._database.former_targets
        self.progress.behind = 0
        self.progress.read_at = self._clock()
        return changed

    def compare(self) -> int:
        """Read every table whole and heal what differs, whatever the journal says; return how many rows did."""
        changed = sum(self._copy(table) for table in self._tables)
        self.progress.read_at = self._clock()
        return changed

    def _follow_table(self, table: Table, head: int) -> int:
        position = self._database.position(table)
        if position is None:
            return self._copy(table)
        changed = 0
        try:
            while position != head:  # ahead of the head, too: the journal says that it never came so far
                self.progress.behind = max(head - position, 0)
                changes = self._reader.changes_after(table, position, head=head)
                self.progress.forget(table, *changes.put, *changes.removed)
                with self._reload_if_interrupted(table):
                    changed += self._note(table, self._database.apply(changes))
                position = changes.position
            self.progress.positions[table] = position
        except PositionTooOld as error:
            logger.warning("table is read whole", extra={"table": table.value, "reason": str(error)})
            return changed + self._copy(table)
        return changed

    def _copy(self, table: Table) -> int:
        # The position first: what changes while the pages are read comes again with the journal, which does no harm.
        position = self._reader.position(table)
        with self._reload_if_interrupted(table):
            applied = self._database.replace(table, position, self._reader.pages(table))
        self.progress.positions[table] = position
        self.progress.keep_skipped(table, {row.key for row in applied.skipped})
        return self._note(table, applied)

    @contextlib.contextmanager
    def _reload_if_interrupted(self, table: Table) -> Iterator[None]:
        """Have the reload due when an error leaves it open whether the rows changed."""
        try:
            yield
        except BaseException:
            self._require_reload(table)
            raise

    def _require_reload(self, table: Table) -> None:
        command = SQL_TABLES[table].reload
        if command is not None:
            self._reloads.require(command)

    def _note(self, table: Table, applied: Applied) -> int:
        if applied.changed:
            self._require_reload(table)
        for row in applied.skipped:
            if self.progress.skip(row):
                logger.error("row skipped", extra={"table": table.value, "key": row.key, "reason": row.reason})
                if self._on_skip is not None:
                    self._on_skip(row)
        self.progress.rows[table] = self._database.count(table)
        return applied.changed
