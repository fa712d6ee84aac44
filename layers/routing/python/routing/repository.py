"""Writes to the routing tables, each in one transaction with its entry in the change journal."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from routing.attribute_values import Value, WireItem, decode, encode
from routing.changes import Change, Stored
from routing.errors import WriteConflict
from routing.journal import JournalEntry, Operation, head_key, order_key
from routing.retry import Backoff
from routing.tables import Table, TableNames

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TRANSACTION_MAXIMUM = 100
"""Actions in one DynamoDB write transaction."""

_READ_MAXIMUM = 25
"""Items in one transactional read. DynamoDB takes 100; moto holds to the 25 that it took until 2022."""

_ACTIONS_PER_KEY = 3  # the row, its order item, its journal entry

_CONFLICTS = frozenset({"ConditionalCheckFailed", "TransactionConflict", "TransactionInProgress"})
_THROTTLES = frozenset({"ThrottlingError", "ProvisionedThroughputExceeded"})
"""Reasons that another try may not meet. A cancelled transaction is nothing that the client itself tries again."""

_Address = tuple[Table, str]


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What a write came to.

    Attributes:
        changed: keys whose row or order item changed.
        transactions: write transactions that it took; 0 when nothing changed.
        requests: all requests to DynamoDB, retries included.

    """

    changed: tuple[tuple[Table, str], ...] = ()
    transactions: int = 0
    requests: int = 0

    def __add__(self, other: "WriteResult") -> "WriteResult":
        return WriteResult(
            self.changed + other.changed,
            self.transactions + other.transactions,
            self.requests + other.requests,
        )


class RoutingRepository:
    """The writers' half of the routing tables.

    Args:
        client: a low-level DynamoDB client.
        names: DynamoDB's names of the tables.
        clock: seconds since the epoch.
        backoff: makes the waits between tries of one transaction.

    """

    def __init__(
        self,
        client: "DynamoDBClient",
        names: TableNames,
        *,
        clock: Callable[[], float] = time.time,
        backoff: Callable[[], Backoff] = lambda: Backoff(time.monotonic, time.sleep),
    ) -> None:
        self._client = client
        self._names = names
        self._clock = clock
        self._backoff = backoff

    def write(self, changes: Iterable[Change]) -> WriteResult:
        """Apply `changes` in order, in as few transactions as DynamoDB's limit allows.

        Changes of one key are folded into one. Where nothing changes, nothing is written: that costs one read.

        Raises:
            WriteConflict: when other writers kept winning, or DynamoDB kept throttling, until the time limit.
            botocore.exceptions.ClientError: when DynamoDB refuses. Earlier transactions of the call stay written;
                applying the same changes again is harmless.

        """
        by_address: dict[_Address, list[Change]] = {}
        for change in changes:
            by_address.setdefault((change.table, change.key), []).append(change)
        result = WriteResult()
        for batch in _batches(by_address):
            result += self._write_batch({address: by_address[address] for address in batch})
        return result

    def stored(self, table: Table, key: str) -> Stored:
        """Return what is stored for a key at one moment: what a change of it would be decided on."""
        return self._read([(table, key)])[0][table, key]

    def rows_of_tasks(self, table: Table) -> Iterator[dict[str, Value]]:
        """Yield every row of `table` that a task made, tombstones included, by a consistent scan of a small table."""
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._names[table],
            ConsistentRead=True,
            FilterExpression="attribute_exists(task_arn)",
        )
        for page in pages:
            yield from (decode(item) for item in page["Items"])

    def rows_of_task(self, table: Table, task_arn: str) -> list[dict[str, Value]]:
        """Return the rows that one task made, tombstones included."""
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._names[table],
            ConsistentRead=True,
            FilterExpression="task_arn = :task_arn",
            ExpressionAttributeValues=encode({":task_arn": task_arn}),
        )
        return [decode(item) for page in pages for item in page["Items"]]

    def _write_batch(self, batch: dict[_Address, list[Change]]) -> WriteResult:
        backoff = self._backoff()
        requests = 0
        while True:
            requests += 1
            try:
                stored, heads = self._read(list(batch))
                wanted = self._decide(batch, stored)
                if not wanted:
                    return WriteResult(requests=requests)
                requests += 1
                self._commit(stored, wanted, heads)
                return WriteResult(tuple(wanted), 1, requests)
            except ClientError as error:
                reasons = _cancellation_reasons(error)
                if not reasons or not reasons <= _CONFLICTS | _THROTTLES:
                    raise
                if not backoff.wait(slowly=bool(reasons & _THROTTLES)):
                    tables = ", ".join(sorted({table.value for table, _ in batch}))
                    told = ", ".join(sorted(reasons))
                    raise WriteConflict(f"{tables}: cancelled again and again ({told}); nothing was written") from error

    def _decide(self, batch: dict[_Address, list[Change]], stored: dict[_Address, Stored]) -> dict[_Address, Stored]:
        now = int(self._clock())
        wanted = {}
        for address, changes in batch.items():
            value = stored[address]
            for change in changes:
                value = change.apply(value, now)
            if value != stored[address]:
                wanted[address] = value
        return wanted

    def _read(self, addresses: Sequence[_Address]) -> tuple[dict[_Address, Stored], dict[Table, int]]:
        """Read heads, rows and order items.

        What a later request returns may be newer than the heads, never older: if a row changed in between, so did
        its head, and the write's condition fails.
        """
        journal = self._names[Table.ROUTING_CHANGES]
        tables = sorted({table for table, _ in addresses}, key=lambda table: table.value)
        gets: list[tuple[str, WireItem]] = [(journal, head_key(table)) for table in tables]
        for table, key in addresses:
            gets.append((self._names[table], encode({table.key: key})))
            gets.append((journal, order_key(table, key)))
        items = self._get(gets)
        heads = {table: int((next(items) or {}).get("head", 0)) for table in tables}  # type: ignore[arg-type]
        stored = {}
        for address in addresses:
            row, order = next(items), next(items)
            stored[address] = Stored(row, None if order is None else _without_key(order))
        return stored, heads

    def _get(self, gets: Sequence[tuple[str, WireItem]]) -> Iterator[dict[str, Value] | None]:
        for start in range(0, len(gets), _READ_MAXIMUM):
            response = self._client.transact_get_items(
                TransactItems=[
                    {"Get": {"TableName": name, "Key": key}} for name, key in gets[start : start + _READ_MAXIMUM]
                ]
            )
            for answer in response["Responses"]:
                yield decode(answer["Item"]) if answer.get("Item") else None

    def _commit(self, stored: dict[_Address, Stored], wanted: dict[_Address, Stored], heads: dict[Table, int]) -> None:
        now = int(self._clock())
        journal = self._names[Table.ROUTING_CHANGES]
        moved = dict.fromkeys((table for table, _ in wanted), 0)
        actions: list[dict[str, Any]] = []
        for (table, key), value in wanted.items():
            before = stored[table, key]
            if value.row != before.row:
                actions.append(self._row_action(table, key, value))
            if value.order != before.order and value.order is not None:
                item = {**order_key(table, key), **encode(value.order)}
                actions.append({"Put": {"TableName": journal, "Item": item}})
            moved[table] += 1
            operation = Operation.PUT if value.is_visible else Operation.DELETE
            entry = JournalEntry(table, heads[table] + moved[table], key, operation)
            actions.append(
                {
                    "Put": {
                        "TableName": journal,
                        "Item": encode(entry.to_item(now)),
                        "ConditionExpression": "attribute_not_exists(seq)",
                    }
                }
            )
        actions += [_move_head(journal, table, heads[table], count) for table, count in moved.items()]
        self._client.transact_write_items(TransactItems=actions)  # type: ignore[arg-type]

    def _row_action(self, table: Table, key: str, value: Stored) -> dict[str, Any]:
        if value.row is None:
            return {"Delete": {"TableName": self._names[table], "Key": encode({table.key: key})}}
        return {"Put": {"TableName": self._names[table], "Item": encode(value.row)}}


def _move_head(journal: str, table: Table, head: int, count: int) -> dict[str, Any]:
    return {
        "Update": {
            "TableName": journal,
            "Key": head_key(table),
            "UpdateExpression": "SET head = :moved",
            "ConditionExpression": "head = :head" if head else "attribute_not_exists(head)",
            "ExpressionAttributeValues": encode({":moved": head + count} | ({":head": head} if head else {})),
        }
    }


def _without_key(order: dict[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in order.items() if name not in ("table", "seq")}


def _batches(addresses: Iterable[_Address]) -> Iterator[list[_Address]]:
    """Split keys into as few batches as fit into one transaction each, heads included."""
    batch: list[_Address] = []
    tables: set[Table] = set()
    for table, key in addresses:
        if (len(batch) + 1) * _ACTIONS_PER_KEY + len(tables | {table}) > TRANSACTION_MAXIMUM:
            yield batch
            batch, tables = [], set()
        batch.append((table, key))
        tables.add(table)
    if batch:
        yield batch


def _cancellation_reasons(error: ClientError) -> frozenset[str]:
    """Return why DynamoDB cancelled a transaction; nothing when it refused for another cause."""
    response: Any = error.response
    if response["Error"]["Code"] == "TransactionInProgressException":
        return frozenset({"TransactionInProgress"})
    if response["Error"]["Code"] != "TransactionCanceledException":
        return frozenset()
    return frozenset(reason.get("Code", "None") for reason in response.get("CancellationReasons", [])) - {"None"}
