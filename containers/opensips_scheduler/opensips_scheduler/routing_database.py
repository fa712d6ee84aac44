"""The file that OpenSIPS routes by, and how far the journal has got into it. Both change in one transaction."""

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from opensips_scheduler import former_targets, schema
from opensips_scheduler.errors import UnusableRow
from opensips_scheduler.rows import FAIL_CLOSED, SQL_TABLES, RowBuilder, SqlTable, key_of
from routing import ChangeSet, Record, Table
from routing.reader import Page, RejectedRow


@dataclass(frozen=True, slots=True)
class Applied:
    """What a change of the file came to.

    Attributes:
        changed: how many rows are different now; nothing needs a reload when none is.
        skipped: rows that could not be used, with the reason.

    """

    changed: int
    skipped: tuple[RejectedRow, ...] = field(default=())


class RoutingDatabase:
    """The routing rows as OpenSIPS reads them.

    Args:
        path: the file; its tables are made where they are missing.
        rows: turns records into rows.
        clock: seconds since the epoch.

    Raises:
        sqlite3.DatabaseError: when the file is corrupt.

    """

    def __init__(self, path: Path, rows: RowBuilder, clock: Callable[[], float] = time.time) -> None:
        schema.create_routing_database(path)
        self._connection = schema.connect(path)
        self._rows, self._clock = rows, clock

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def position(self, table: Table) -> int | None:
        """Return how far a table's journal has been applied; None for a table that was never copied whole."""
        query = "SELECT position FROM journal_position WHERE name = ?"
        found = self._connection.execute(query, (table.value,)).fetchone()
        return None if found is None else int(found[0])

    def count(self, table: Table) -> int:
        """Return how many rows of the routing table OpenSIPS can read."""
        sql = SQL_TABLES[table]
        query = f"SELECT count(*) FROM {sql.name} WHERE {sql.present}"  # noqa: S608
        (number,) = self._connection.execute(query).fetchone()
        return int(number)

    def keys(self, table: Table) -> set[tuple[object, ...]]:
        """Return the key columns of every row."""
        sql = SQL_TABLES[table]
        query = f"SELECT {', '.join(sql.key)} FROM {sql.name} WHERE {sql.present}"  # noqa: S608
        return set(self._connection.execute(query))

    @property
    def former_targets(self) -> int:
        """How many switches are known only for the calls that they may still have."""
        return former_targets.count(self._connection)

    def purge_former_targets(self) -> int:
        """Forget the switches whose last call is over for certain; return how many rows that were."""
        if not self.former_targets:
            return 0
        with self._transaction():
            return former_targets.purge(self._connection, self._clock())

    def apply(self, changes: ChangeSet) -> Applied:
        """Apply what changed after the position, and move the position, in one transaction."""
        table = changes.table
        skipped = list(changes.rejected)
        put = self._usable(table, changes.put, skipped)
        removed = set(changes.removed)
        if table in FAIL_CLOSED:
            removed |= {row.key for row in skipped}
        with self._transaction():
            before = self._connection.total_changes
            self._delete(table, _keys(table, removed))
            self._upsert(SQL_TABLES[table], put)
            changed = self._connection.total_changes - before
            self._set_position(table, changes.position)
        return Applied(changed, tuple(skipped))

    def replace(self, table: Table, position: int, pages: Iterable[Page]) -> Applied:
        """Make the table what the pages say, and set the position, in one transaction.

        The pages are gathered in a temporary table first, so that memory stays bounded and the file is locked only for
        the difference. Rows that are as they should be are not touched.
        """
        sql = SQL_TABLES[table]
        skipped: list[RejectedRow] = []
        columns = ", ".join(sql.columns)
        execute = self._connection.execute
        execute("PRAGMA temp_store = FILE")
        execute(f"CREATE TEMP TABLE IF NOT EXISTS incoming_{sql.name} AS SELECT {columns} FROM {sql.name} LIMIT 0")  # noqa: S608
        execute(f"CREATE UNIQUE INDEX IF NOT EXISTS temp.key_{sql.name} ON incoming_{sql.name} ({', '.join(sql.key)})")
        execute(f"DELETE FROM incoming_{sql.name}")  # noqa: S608
        marks = ", ".join("?" * len(sql.columns))
        for page in pages:
            page_skipped = list(page.rejected)
            rows = self._usable(table, {record.key: record for record in page.records}, page_skipped)
            skipped += page_skipped
            with self._transaction():
                insert = f"INSERT OR REPLACE INTO incoming_{sql.name} ({columns}) VALUES ({marks})"  # noqa: S608
                self._connection.executemany(insert, rows)
        kept = set() if table in FAIL_CLOSED else set(_keys(table, {row.key for row in skipped}))
        with self._transaction():
            before = self._connection.total_changes
            key = ", ".join(sql.key)
            gone = execute(
                f"SELECT {key} FROM {sql.name} WHERE {sql.present} EXCEPT SELECT {key} FROM incoming_{sql.name}"  # noqa: S608
            )
            self._delete(table, [row for row in gone if row not in kept])
            new = execute(f"SELECT {columns} FROM incoming_{sql.name} EXCEPT SELECT {columns} FROM {sql.name}")  # noqa: S608
            self._upsert(sql, new)
            changed = self._connection.total_changes - before
            self._set_position(table, position)
        execute(f"DELETE FROM incoming_{sql.name}")  # noqa: S608
        return Applied(changed, tuple(skipped))

    def _usable(
        self, table: Table, records: Mapping[str, Record], skipped: list[RejectedRow]
    ) -> list[tuple[object, ...]]:
        rows = []
        for key, record in records.items():
            try:
                rows.append(self._rows.row(record))
            except UnusableRow as error:
                skipped.append(RejectedRow(table, key, str(error)))
        return rows

    def _delete(self, table: Table, keys: Iterable[tuple[object, ...]]) -> None:
        if table is Table.LOAD_BALANCER_TARGETS:
            former_targets.keep(self._connection, (str(dst_uri) for (dst_uri,) in keys), self._clock())
            return
        sql = SQL_TABLES[table]
        condition = " AND ".join(f"{column} = ?" for column in sql.key)
        self._connection.executemany(f"DELETE FROM {sql.name} WHERE {condition}", keys)  # noqa: S608

    def _upsert(self, sql: SqlTable, rows: Iterable[tuple[object, ...]]) -> None:
        """Write rows; one that is there as it should be is not touched, and not counted."""
        columns, marks = ", ".join(sql.columns), ", ".join("?" * len(sql.columns))
        others = [column for column in sql.columns if column not in sql.key]
        statement = f"INSERT INTO {sql.name} ({columns}) VALUES ({marks}) ON CONFLICT ({', '.join(sql.key)}) DO "  # noqa: S608
        if others:
            statement += "UPDATE SET " + ", ".join(f"{column} = excluded.{column}" for column in others)
            statement += " WHERE " + " OR ".join(f"{column} IS NOT excluded.{column}" for column in others)
        else:
            statement += "NOTHING"
        self._connection.executemany(statement, rows)

    def _set_position(self, table: Table, position: int) -> None:
        statement = "INSERT OR REPLACE INTO journal_position (name, position) VALUES (?, ?)"
        self._connection.execute(statement, (table.value, position))

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")


def _keys(table: Table, keys: Iterable[str]) -> list[tuple[object, ...]]:
    """Return key columns; a key that no row can have needs no deletion."""
    found = []
    for key in keys:
        with contextlib.suppress(UnusableRow):
            found.append(key_of(table, key))
    return found
