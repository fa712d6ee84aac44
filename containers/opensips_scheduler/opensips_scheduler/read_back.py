"""Finds what OpenSIPS dropped: it answers OK to a reload and skips what it cannot use, with a line in its log only."""

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from opensips_scheduler import schema
from opensips_scheduler.errors import ManagementError, SchedulerError
from opensips_scheduler.loaded_rows import LOADED, LoadedRow
from opensips_scheduler.reloads import Commands, Reloads
from routing import Table

logger = logging.getLogger(__name__)


class ReadBack:
    """Compares what OpenSIPS has loaded with what its file holds, after each reload and from time to time.

    The file may change between the two looks, so a difference counts when the next look finds it again.

    Args:
        path: OpenSIPS's file.
        commands: OpenSIPS, by a way that carries long answers.
        reloads: who runs the reloads of each table that is read back.
        interval: seconds after which a table is looked at even if it was not reloaded.
        on_dropped: is told of each row that OpenSIPS does not have, once.
        clock: seconds.

    """

    def __init__(
        self,
        path: Path,
        commands: Commands,
        reloads: Mapping[Table, Reloads],
        interval: float,
        *,
        on_dropped: Callable[[Table, str], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path, self._commands, self._reloads, self._interval = path, commands, reloads, interval
        self._on_dropped, self._clock = on_dropped, clock
        self._looked_at: dict[Table, tuple[int, float]] = {}
        self._suspected: dict[Table, set[LoadedRow]] = {}
        self._healed: dict[Table, set[LoadedRow]] = {}
        self.dropped: dict[Table, frozenset[LoadedRow]] = {}

    def step(self) -> None:
        """Look at the tables that are due.

        Raises:
            Unreachable: when OpenSIPS does not answer.
            ManagementError: when it refuses, or what it answers is not understood. The other tables were looked at.

        """
        failure: SchedulerError | None = None
        for table, reloads in self._reloads.items():
            command = LOADED[table].reload
            done, now = reloads.done.get(command, 0), self._clock()
            looked_done, looked_at = self._looked_at.get(table, (-1, now))
            due = done != looked_done or bool(self._suspected.get(table)) or now - looked_at >= self._interval
            if not due or done == 0 or command in reloads.due:
                continue
            try:
                self._look(table)
            except SchedulerError as error:
                failure = failure or error
            else:
                self._looked_at[table] = (done, now)
        if failure is not None:
            raise failure

    def _look(self, table: Table) -> None:
        """Compare one table."""
        loaded = LOADED[table]
        answers = [(dump, self._commands.call(dump)) for dump in loaded.dumps]
        found: set[LoadedRow] = set()
        for dump, answer in answers:
            try:
                found |= set(loaded.parse(answer))
            except (KeyError, TypeError, ValueError) as error:
                raise ManagementError(f"{dump}: the answer is not understood: {error!r}") from error
        connection = schema.connect(self._path)
        try:
            wanted = loaded.of_file(connection)
        finally:
            connection.close()
        differing = wanted ^ found
        known = self.dropped.get(table, frozenset())
        certain = differing & (self._suspected.get(table, set()) | known)
        # Only what is new needs another look; what was found before is looked at with the next reload.
        self._suspected[table] = differing - certain
        self._tell_dropped(table, frozenset(certain & wanted))
        self._heal(table, certain - wanted)

    def _tell_dropped(self, table: Table, dropped: frozenset[LoadedRow]) -> None:
        known = self.dropped.get(table, frozenset())
        self.dropped[table] = dropped
        for name, detail in sorted(dropped - known):
            extra = {"table": table.value, "key": name, "detail": detail}
            logger.error("row is not in use: OpenSIPS dropped it", extra=extra)
            if self._on_dropped is not None:
                self._on_dropped(table, name)
        for name, detail in sorted(known - dropped):
            logger.info("row is no longer missed", extra={"table": table.value, "key": name, "detail": detail})

    def _heal(self, table: Table, surplus: set[LoadedRow]) -> None:
        """Have what OpenSIPS still has and the file no longer holds reloaded: once, for it did answer a reload."""
        new = surplus - self._healed.get(table, set())
        self._healed[table] = surplus
        if new:
            logger.warning("OpenSIPS has rows that its file does not", extra={"table": table.value, "rows": len(new)})
            self._reloads[table].require(LOADED[table].reload)
