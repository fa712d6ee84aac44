"""Makes the routing tables in an emulated DynamoDB, and reads them as the tests want to see them."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import boto3
import botocore.client

from routing.attribute_values import Value, decode
from routing.tables import Table, TableNames

SORT_KEYS = {Table.REGISTRATIONS: ("contact_id", "S"), Table.ROUTING_CHANGES: ("seq", "N")}

NAMES = TableNames(tuple((table, f"test-{table.value}") for table in Table))

ENVIRONMENT = {table.environment_variable: NAMES[table] for table in Table}


def create_tables(client: Any) -> None:
    """Create all seven tables."""
    for table in Table:
        keys = [(table.key, "S", "HASH")]
        if table in SORT_KEYS:
            keys.append((*SORT_KEYS[table], "RANGE"))
        client.create_table(
            TableName=NAMES[table],
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, kind, _ in keys],
            KeySchema=[{"AttributeName": name, "KeyType": role} for name, _, role in keys],
        )


def client() -> Any:
    """Return a DynamoDB client of the emulated region."""
    return boto3.client("dynamodb", region_name=os.environ["AWS_DEFAULT_REGION"])


def all_rows(table: Table) -> list[dict[str, Value]]:
    """Return every item of a table, tombstones included, in the order of their keys."""
    pages = client().get_paginator("scan").paginate(TableName=NAMES[table], ConsistentRead=True)
    rows = [decode(item) for page in pages for item in page["Items"]]
    return sorted(rows, key=lambda row: str(row[table.key]))


def rows(table: Table) -> list[dict[str, Value]]:
    """Return what readers see of a table."""
    return [row for row in all_rows(table) if not row.get("removed")]


def journal(table: Table) -> tuple[int, list[tuple[int, str, str]]]:
    """Return a table's head and its changes as (seq, key, operation)."""
    items = [item for item in all_rows(Table.ROUTING_CHANGES) if item["table"] == table.value]
    head = next((int(item["head"]) for item in items if item["seq"] == 0), 0)  # type: ignore[arg-type]
    changes = sorted((int(i["seq"]), str(i["key"]), str(i["operation"])) for i in items if i["seq"] != 0)  # type: ignore[arg-type]
    return head, changes


def clear(*tables: Table) -> None:
    """Remove every item of some tables."""
    for table in tables:
        names = [table.key, *SORT_KEYS.get(table, ())[:1]]
        for page in client().get_paginator("scan").paginate(TableName=NAMES[table]):
            for item in page["Items"]:
                client().delete_item(TableName=NAMES[table], Key={name: item[name] for name in names})


class RequestCounter:
    """Counts the requests that a client sends, by operation, retries included."""

    def __init__(self, client: Any) -> None:
        self.operations: list[str] = []
        client.meta.events.register("before-send.dynamodb", self._count)

    def _count(self, event_name: str, **_: Any) -> None:
        self.operations.append(event_name.rsplit(".", 1)[1])


@contextmanager
def atomic_requests() -> Iterator[None]:
    """Let threads' requests follow one another, as DynamoDB's transactions do.

    When a transaction fails, moto puts back copies of the tables that it made before, and so loses whatever another
    thread's request wrote in between.
    """
    lock, send = threading.Lock(), botocore.client.BaseClient._make_api_call  # type: ignore[attr-defined]

    def send_alone(*args: Any, **kwargs: Any) -> Any:
        with lock:
            return send(*args, **kwargs)

    with patch.object(botocore.client.BaseClient, "_make_api_call", send_alone):
        yield
