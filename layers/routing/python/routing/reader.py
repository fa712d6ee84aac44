"""The readers' half of the routing tables: copy them whole, then follow their change journal."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from routing.attribute_values import Value, decode, encode
from routing.changes import is_tombstone
from routing.errors import InvalidRecord, PositionTooOld
from routing.journal import DatedEntry, head_key
from routing.records import RECORD_TYPES, Record
from routing.retry import Backoff, default_backoff
from routing.tables import JOURNALED_TABLES, Table, TableNames

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb import DynamoDBClient

_BATCH_GET_MAXIMUM = 100
_SNAPSHOT_ROUNDS = 20
DEFAULT_CHANGES_LIMIT = 1_000
"""Changes that one call returns at most; the rest comes with the next call."""


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that is not what its table holds; readers go on without it."""

    table: Table
    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a table."""

    records: tuple[Record, ...]
    rejected: tuple[RejectedRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A whole table.

    Attributes:
        table: the table.
        position: the journal position that it corresponds to: it holds every change up to there. Were the table
            written to all the time while it was read, it may hold some later ones too, which applying again does
            not change.
        records: the rows by key, tombstones left out.
        rejected: rows that could not be read.

    """

    table: Table
    position: int
    records: Mapping[str, Record]
    rejected: tuple[RejectedRow, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """What became of the rows that changed after a position.

    Attributes:
        table: the table.
        position: the position after these changes; ask for what is after it next.
        put: rows that are there now, by key.
        removed: keys that have no row now.
        rejected: changed rows that could not be read; whoever holds an earlier state of them decides what to do.

    """

    table: Table
    position: int
    put: Mapping[str, Record]
    removed: frozenset[str]
    rejected: tuple[RejectedRow, ...] = ()


class RoutingReader:
    """Reads tables consistently with their journal.

    Args:
        client: a low-level DynamoDB client.
        names: DynamoDB's names of the tables.
        backoff: makes the waits before asking again for keys that DynamoDB left unprocessed.

    """

    def __init__(
        self, client: "DynamoDBClient", names: TableNames, *, backoff: "Callable[[], Backoff] | None" = None
    ) -> None:
        self._client = client
        self._names = names
        self._backoff = backoff or default_backoff

    def positions(self, tables: tuple[Table, ...] = JOURNALED_TABLES) -> dict[Table, int]:
        """Return the journal's position of each table, in one request: the whole price of "nothing changed"."""
        journal = self._names[Table.ROUTING_CHANGES]
        items = self._get(journal, [head_key(table) for table in tables])
        heads = {str(item["table"]): item["head"] for item in items}
        return {table: int(heads.get(table.value, 0)) for table in tables}  # type: ignore[arg-type]

    def position(self, table: Table) -> int:
        """Return the journal's position of one table."""
        return self.positions((table,))[table]

    def pages(self, table: Table) -> Iterator[Page]:
        """Yield the whole table page by page (at most 1 MB each), tombstones left out.

        To follow on without holding the table in memory: take `position` first, apply the pages, then the changes
        after that position.
        """
        pages = self._client.get_paginator("scan").paginate(TableName=self._names[table], ConsistentRead=True)
        for page in pages:
            yield _parse(table, (decode(item) for item in page["Items"]))

    def keys(self, table: Table) -> list[str]:
        """Return the keys of a table's visible rows, in order, without reading anything else of them.

        Of the subscribers no digest leaves DynamoDB so.
        """
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._names[table],
            ConsistentRead=True,
            Select="SPECIFIC_ATTRIBUTES",
            ProjectionExpression="#key" if table is Table.SUBSCRIBERS else "#key, removed",
            ExpressionAttributeNames={"#key": table.key},
        )
        items = (decode(item) for page in pages for item in page["Items"])
        return sorted(str(item[table.key]) for item in items if not is_tombstone(item))

    def entries(self, table: Table, first: int, last: int) -> list[DatedEntry]:
        """Return the journal's entries `first` to `last` of a table that have not expired, in their order."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._names[Table.ROUTING_CHANGES],
            ConsistentRead=True,
            KeyConditionExpression="#table = :table AND seq BETWEEN :first AND :last",
            ExpressionAttributeNames={"#table": "table"},
            ExpressionAttributeValues=encode({":table": table.value, ":first": max(first, 1), ":last": last}),
        )
        return [DatedEntry.from_item(decode(item)) for page in pages for item in page["Items"]]

    def snapshot(self, table: Table) -> Snapshot:
        """Read a whole table and the journal position that it corresponds to.

        The scan of a table is not of one moment; what changed meanwhile is read again until the journal stood still
        around a read.
        """
        position = self.position(table)
        records: dict[str, Record] = {}
        rejected: dict[str, RejectedRow] = {}
        for page in self.pages(table):
            records |= {record.key: record for record in page.records}
            rejected |= {row.key: row for row in page.rejected}
        for _ in range(_SNAPSHOT_ROUNDS):
            changes = self.changes_after(table, position)
            if changes.position == position:
                break
            position = changes.position
            for key in (*changes.removed, *changes.put, *(row.key for row in changes.rejected)):
                records.pop(key, None)
                rejected.pop(key, None)
            records |= changes.put
            rejected |= {row.key: row for row in changes.rejected}
        return Snapshot(table, position, records, tuple(rejected.values()))

    def changes_after(
        self, table: Table, position: int, *, head: int | None = None, limit: int = DEFAULT_CHANGES_LIMIT
    ) -> ChangeSet:
        """Return what became of the rows that changed after `position`.

        Args:
            table: the table.
            position: a position that this reader returned earlier.
            head: the table's position as `positions` just returned it, which saves a request.
            limit: how many changes to take at most.

        Raises:
            PositionTooOld: when the journal does not hold every change after `position` (they expire after 24 hours),
                or never reached it (the tables were replaced). Read the table whole.

        """
        if head is None:
            head = self.position(table)
        if head == position:
            return ChangeSet(table, position, {}, frozenset())
        if head < position:
            raise PositionTooOld(f"{table.value}: the journal ends at {head}, before position {position}")
        last = min(head, position + limit)
        keys = self._changed_keys(table, position, last)
        page = _parse(table, self._rows(table, keys))
        put = {record.key: record for record in page.records}
        bad = {row.key for row in page.rejected}
        return ChangeSet(
            table,
            last,
            put,
            frozenset(key for key in keys if key not in put and key not in bad),
            page.rejected,
        )

    def _changed_keys(self, table: Table, position: int, last: int) -> list[str]:
        """Return the keys of changes `position` + 1 to `last`, each once, or raise PositionTooOld at a gap."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._names[Table.ROUTING_CHANGES],
            ConsistentRead=True,
            KeyConditionExpression="#table = :table AND seq BETWEEN :first AND :last",
            ExpressionAttributeNames={"#table": "table"},
            ExpressionAttributeValues=encode({":table": table.value, ":first": position + 1, ":last": last}),
        )
        keys: dict[str, None] = {}
        expected = position + 1
        for page in pages:
            for item in map(decode, page["Items"]):
                if item["seq"] != expected:
                    break
                keys[str(item["key"])] = None
                expected += 1
        if expected <= last:
            raise PositionTooOld(f"{table.value}: change {expected} is no longer in the journal")
        return list(keys)

    def _rows(self, table: Table, keys: list[str]) -> Iterator[dict[str, Value]]:
        for start in range(0, len(keys), _BATCH_GET_MAXIMUM):
            batch = [encode({table.key: key}) for key in keys[start : start + _BATCH_GET_MAXIMUM]]
            yield from self._get(self._names[table], batch)

    def _get(self, name: str, keys: list[dict[str, Any]]) -> list[dict[str, Value]]:
        backoff = self._backoff()
        items: list[dict[str, Value]] = []
        request: Any = {name: {"Keys": keys, "ConsistentRead": True}}
        while True:
            response = self._client.batch_get_item(RequestItems=request)
            items += [decode(item) for item in response["Responses"].get(name, [])]
            request = response.get("UnprocessedKeys")
            if not request:
                return items
            if not backoff.wait():
                raise TimeoutError(f"DynamoDB keeps leaving keys of {name} unprocessed")


def _parse(table: Table, items: "Iterator[dict[str, Value]] | map[dict[str, Value]]") -> Page:
    records: list[Record] = []
    rejected: list[RejectedRow] = []
    for item in items:
        if is_tombstone(item):
            continue
        try:
            records.append(RECORD_TYPES[table].from_item(item))
        except InvalidRecord as error:
            rejected.append(RejectedRow(table, str(item.get(table.key, "")), str(error)))
    return Page(tuple(records), tuple(rejected))
