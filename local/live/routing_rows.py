"""Reads the routing tables, attribute by attribute: what is not asked for never comes into this process.

So no digest of the subscribers table does: `ProjectionExpression` names what is read. Of subscribers only the number is
asked.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from local.live import fields
from local.live.rows import Domain, MediaProxy, Permission, Registration, Row, TableState, Target
from routing import JOURNALED_TABLES, RoutingReader, Table, TableNames
from routing.attribute_values import Value, decode, encode

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_ROWS_MAXIMUM: Final = 300
_CHANGES_MAXIMUM: Final = 40
_ATTRIBUTES: Final[Mapping[Table, tuple[str, ...]]] = {
    Table.LOAD_BALANCER_TARGETS: ("dst_uri", "group_id", "resource", "region", "task_arn", "removed"),
    Table.MEDIA_PROXIES: ("socket", "set_id", "task_arn", "removed"),
    Table.DOMAINS: ("domain", "task_arn", "removed"),
    Table.ADDRESSES: ("source_ip", "group_id"),
    Table.REGISTRATIONS: ("username", "contact_id", "contact", "received", "gateway", "expires"),
    Table.SUBSCRIBERS: (),
}

Item = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class JournalChange:
    """A change that a journal tells of: its table, its number, its key and what was done."""

    table: Table
    number: int
    key: str
    operation: str


@dataclass(frozen=True, slots=True)
class TablesSeen:
    """What was read at one look.

    Attributes:
        rows: rows of the tables that were read, by kind and key.
        tables: the state of each of those tables.
        changes: what the journals tell since the last look.

    """

    rows: Mapping[type[Row], Mapping[str, Row]]
    tables: Mapping[str, TableState]
    changes: list[JournalChange] = field(default_factory=list)


class RoutingRows:
    """The tables: those whose journal moved are read again, and registrations, which have none, each time.

    Args:
        client: a low-level DynamoDB client.
        names: DynamoDB's names of the tables.
        clock: seconds since the epoch.

    """

    def __init__(self, client: "DynamoDBClient", names: TableNames, clock: Callable[[], float]) -> None:
        self._client, self._names, self._clock = client, names, clock
        self._reader = RoutingReader(client, names)
        self._heads: dict[Table, int] = {}

    def read(self) -> TablesSeen:
        """Return what is different since the last look; the first time, everything."""
        heads = self._reader.positions()
        rows: dict[type[Row], dict[str, Row]] = {}
        tables: dict[str, TableState] = {}
        changes: list[JournalChange] = []
        for table in (*JOURNALED_TABLES, Table.REGISTRATIONS):
            head = heads.get(table)
            if head is not None and self._heads.get(table) == head:
                continue
            count = self._read_table(table, rows)
            tables[table.value] = TableState(table.value, count, head)
        for table, head in heads.items():
            # When the changes before the first look were, the journal does not say.
            before = self._heads.get(table, head)
            if before < head:
                changes += self._changes(table, max(before, head - _CHANGES_MAXIMUM))
        self._heads = heads
        return TablesSeen(rows, tables, changes)

    def _read_table(self, table: Table, rows: dict[type[Row], dict[str, Row]]) -> int:
        if table is Table.SUBSCRIBERS:
            pages = self._client.get_paginator("scan").paginate(TableName=self._names[table], Select="COUNT")
            return sum(page["Count"] for page in pages)
        kind = _KINDS[table]
        found = rows[kind] = {}
        count = 0
        for item in self._scan(table):
            key, row = self._row(table, item)
            if row is None:
                continue
            count += getattr(row, "state", "") != "removed"
            if len(found) < _ROWS_MAXIMUM:
                found[key] = row
        return count

    def _scan(self, table: Table) -> Iterator[Item]:
        names = {f"#{index}": attribute for index, attribute in enumerate(_ATTRIBUTES[table])}
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._names[table],
            ConsistentRead=True,
            ProjectionExpression=", ".join(names),
            ExpressionAttributeNames=names,
        )
        for page in pages:
            yield from map(decode, page["Items"])

    def _row(self, table: Table, item: Item) -> tuple[str, Row | None]:
        state = "removed" if item.get("removed") is True else "in use"
        task = fields.task(item.get("task_arn"))
        row: Row
        match table:
            case Table.LOAD_BALANCER_TARGETS:
                uri, resource = fields.socket_uri(item.get("dst_uri")), fields.name(item.get("resource"))
                group, region = fields.number(item.get("group_id")), fields.identifier(item.get("region"))
                row = Target(uri, group or 0, resource, region, task, state)
                return uri, row if uri else None
            case Table.MEDIA_PROXIES:
                socket = fields.socket_uri(item.get("socket"))
                row = MediaProxy(socket, fields.number(item.get("set_id")) or 0, task, state)
                return socket, row if socket else None
            case Table.DOMAINS:
                domain = fields.identifier(item.get("domain"))
                return domain, Domain(domain, task, state) if domain else None
            case Table.ADDRESSES:
                source = fields.network(item.get("source_ip"))
                return source, Permission(source, fields.number(item.get("group_id")) or 0) if source else None
            case _:
                return self._registration(item)

    def _registration(self, item: Item) -> tuple[str, Row | None]:
        expires = fields.number(item.get("expires")) or None
        # DynamoDB removes what has expired days late.
        if expires is not None and expires <= self._clock():
            return "", None
        username = fields.identifier(item.get("username"))
        address = fields.sip_address(item.get("received")) or fields.sip_address(item.get("contact"))
        row = Registration(username, address, fields.identifier(item.get("gateway")), expires and expires * 1000)
        return f"{username} {address} {row.gateway}", row if username else None

    def _changes(self, table: Table, after: int) -> Iterator[JournalChange]:
        answer = self._client.query(
            TableName=self._names[Table.ROUTING_CHANGES],
            ConsistentRead=True,
            KeyConditionExpression="#table = :table AND seq > :after",
            ProjectionExpression="seq, #key, #operation",
            ExpressionAttributeNames={"#table": "table", "#key": "key", "#operation": "operation"},
            ExpressionAttributeValues=encode({":table": table.value, ":after": after}),
            Limit=_CHANGES_MAXIMUM,
        )
        for item in map(decode, answer["Items"]):
            operation = fields.one_of(item.get("operation"), ("put", "delete"))
            yield JournalChange(table, fields.number(item["seq"]) or 0, fields.identifier(item.get("key")), operation)


_KINDS: Final[Mapping[Table, type[Row]]] = {
    Table.LOAD_BALANCER_TARGETS: Target,
    Table.MEDIA_PROXIES: MediaProxy,
    Table.DOMAINS: Domain,
    Table.ADDRESSES: Permission,
    Table.REGISTRATIONS: Registration,
}
