"""The change journal under contention, on an emulator that takes requests from several processes at once."""

import multiprocessing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from local import servers
from routing import Address, MediaProxy, PutAddress, PutTaskRow, RoutingReader, RoutingRepository, Table, TaskStamp
from tests.support.routing_tables import NAMES, create_tables

pytestmark = pytest.mark.e2e

_WRITERS = 6
_WRITES = 12


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[str]:
    """URL of an emulator with the routing tables."""
    port = servers.free_port()
    server = servers.aws_emulator(tmp_path, port)
    server.start()
    try:
        server.wait_until_ready(30)
        url = f"http://{servers.HOST}:{port}"
        create_tables(client(url))
        yield url
    finally:
        server.stop()


def client(endpoint: str) -> Any:
    return boto3.client(
        "dynamodb",
        endpoint_url=endpoint,
        region_name=servers.REGION,
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


def write(endpoint: str, writer: int) -> None:
    """Write rows of this writer's own, and each time one row that all writers quarrel about."""
    repository = RoutingRepository(client(endpoint), NAMES)
    for turn in range(_WRITES):
        shared = MediaProxy("udp:10.9.9.9:2223", turn)
        repository.write(
            [
                PutAddress(Address(f"10.{writer}.0.{turn}", writer), sent_at=1 + turn),
                PutTaskRow(shared, TaskStamp(f"task-{writer}", turn, 1_000 + writer)),
            ]
        )


def test_writers_in_several_processes_leave_no_gap_and_a_follower_sees_every_change_once(endpoint: str) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write, args=(endpoint, number)) for number in range(_WRITERS)]
    for process in writers:
        process.start()
    reader = RoutingReader(client(endpoint), NAMES)
    position, seen, rounds = 0, dict[str, int](), 0
    while any(process.is_alive() for process in writers) or position < reader.position(Table.ADDRESSES):
        changes = reader.changes_after(Table.ADDRESSES, position)
        position, rounds = changes.position, rounds + 1
        for key in changes.put:
            seen[key] = seen.get(key, 0) + 1
    for process in writers:
        process.join()
    assert [process.exitcode for process in writers] == [0] * _WRITERS
    wanted = {f"10.{writer}.0.{turn}" for writer in range(_WRITERS) for turn in range(_WRITES)}
    assert position == len(wanted)
    assert seen == dict.fromkeys(wanted, 1)
    assert rounds > 1, "the follower came too late to follow"
    snapshot = reader.snapshot(Table.ADDRESSES)
    assert (snapshot.position, set(snapshot.records)) == (position, wanted)
    _check_journal(endpoint)


def _check_journal(endpoint: str) -> None:
    """Read the journal itself: every number from 1 to the head, once, for both tables."""
    reader = RoutingReader(client(endpoint), NAMES)
    for table in (Table.ADDRESSES, Table.MEDIA_PROXIES):
        answer = client(endpoint).query(
            TableName=NAMES[Table.ROUTING_CHANGES],
            KeyConditionExpression="#table = :table AND seq > :head",
            ExpressionAttributeNames={"#table": "table"},
            ExpressionAttributeValues={":table": {"S": table.value}, ":head": {"N": "0"}},
        )
        numbers = [int(item["seq"]["N"]) for item in answer["Items"]]
        assert numbers == list(range(1, reader.position(table) + 1))


def test_the_quarrelled_row_ends_as_the_task_that_started_last_says(endpoint: str) -> None:
    for writer in (2, 0, 1):
        write(endpoint, writer)
    (row,) = RoutingReader(client(endpoint), NAMES).snapshot(Table.MEDIA_PROXIES).records.values()
    assert isinstance(row, MediaProxy)
    assert row.task is not None
    assert (row.task.arn, row.set_id) == ("task-2", _WRITES - 1)
