"""The gateways' half: whole copies that correspond to a journal position, and what changed after one."""

import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from routing import (
    Address,
    Change,
    DeleteAddress,
    MediaProxy,
    PositionTooOld,
    PutAddress,
    PutTaskRow,
    RemoveTaskRow,
    RoutingReader,
    RoutingRepository,
    Table,
    TaskStamp,
)
from routing.attribute_values import encode
from tests.support.routing_tables import NAMES, RequestCounter, atomic_requests, journal


def put(ip: str, sent_at: int = 1, group_id: int = 1) -> PutAddress:
    return PutAddress(Address(ip, group_id), sent_at)


@pytest.fixture
def repository(dynamodb: Any) -> RoutingRepository:
    return RoutingRepository(dynamodb, NAMES)


@pytest.fixture
def reader(dynamodb: Any) -> RoutingReader:
    return RoutingReader(dynamodb, NAMES)


@pytest.fixture
def one_request_at_a_time() -> Iterator[None]:
    with atomic_requests():
        yield


def test_nothing_changed_in_five_tables_costs_one_request(dynamodb: Any, reader: RoutingReader) -> None:
    counter = RequestCounter(dynamodb)
    assert set(reader.positions().values()) == {0}
    assert counter.operations == ["BatchGetItem"]


def test_an_empty_table_is_at_position_zero(reader: RoutingReader) -> None:
    snapshot = reader.snapshot(Table.ADDRESSES)
    assert (snapshot.position, dict(snapshot.records)) == (0, {})
    assert reader.changes_after(Table.ADDRESSES, 0).position == 0


def test_changes_after_a_position(repository: RoutingRepository, reader: RoutingReader) -> None:
    repository.write([put("10.0.0.1"), put("10.0.0.2")])
    position = reader.snapshot(Table.ADDRESSES).position
    repository.write([put("10.0.0.3", 2)])
    repository.write([DeleteAddress("10.0.0.1", 2), put("10.0.0.2", 2, group_id=9)])
    changes = reader.changes_after(Table.ADDRESSES, position)
    assert changes.position == 5
    assert dict(changes.put) == {"10.0.0.3": Address("10.0.0.3", 1), "10.0.0.2": Address("10.0.0.2", 9)}
    assert changes.removed == {"10.0.0.1"}
    assert reader.changes_after(Table.ADDRESSES, changes.position).put == {}


def test_changes_come_in_portions(repository: RoutingRepository, reader: RoutingReader) -> None:
    repository.write([put(f"10.0.0.{n}") for n in range(25)])
    position, seen = 0, set[str]()
    while (changes := reader.changes_after(Table.ADDRESSES, position, limit=10)).position != position:
        assert len(changes.put) <= 10
        position, seen = changes.position, seen | set(changes.put)
    assert (position, len(seen)) == (25, 25)


def test_a_tombstone_is_no_row(repository: RoutingRepository, reader: RoutingReader) -> None:
    key = "udp:10.0.0.1:2223"
    repository.write([PutTaskRow(MediaProxy(key, 0), TaskStamp("arn", 1))])
    repository.write([RemoveTaskRow(Table.MEDIA_PROXIES, key, TaskStamp("arn", 2))])
    assert reader.snapshot(Table.MEDIA_PROXIES).records == {}
    assert reader.changes_after(Table.MEDIA_PROXIES, 0).removed == {key}


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_a_gap_in_the_journal_asks_for_a_whole_read(
    dynamodb: Any, repository: RoutingRepository, reader: RoutingReader, lost: int
) -> None:
    for sent_at in (1, 2, 3):
        repository.write([put("10.0.0.1", sent_at, group_id=sent_at)])
    key = encode({"table": "addresses", "seq": lost})
    dynamodb.delete_item(TableName=NAMES[Table.ROUTING_CHANGES], Key=key)
    with pytest.raises(PositionTooOld, match=f"change {lost} is no longer"):
        reader.changes_after(Table.ADDRESSES, 0)
    assert reader.changes_after(Table.ADDRESSES, 3).position == 3
    assert reader.snapshot(Table.ADDRESSES).position == 3


def test_a_position_that_the_journal_never_reached_asks_for_a_whole_read(reader: RoutingReader) -> None:
    with pytest.raises(PositionTooOld, match="before position 7"):
        reader.changes_after(Table.ADDRESSES, 7)


def test_a_bad_row_is_named_and_the_rest_is_read(
    dynamodb: Any, repository: RoutingRepository, reader: RoutingReader
) -> None:
    repository.write([put("10.0.0.1"), put("10.0.0.2")])
    dynamodb.put_item(TableName=NAMES[Table.ADDRESSES], Item=encode({"source_ip": "10.0.0.2"}))
    snapshot = reader.snapshot(Table.ADDRESSES)
    assert set(snapshot.records) == {"10.0.0.1"}
    assert [(row.key, row.reason) for row in snapshot.rejected] == [
        ("10.0.0.2", "addresses: attribute group_id is missing")
    ]
    changes = reader.changes_after(Table.ADDRESSES, 0)
    assert set(changes.put) == {"10.0.0.1"}
    assert changes.removed == frozenset()
    assert [row.key for row in changes.rejected] == ["10.0.0.2"]


def test_a_table_larger_than_a_page_is_read_whole(dynamodb: Any, reader: RoutingReader) -> None:
    for index in range(30):
        padding = {"source_ip": f"10.0.0.{index}", "group_id": 1, "padding": "x" * 100_000}
        dynamodb.put_item(TableName=NAMES[Table.ADDRESSES], Item=encode(padding))
    pages = list(reader.pages(Table.ADDRESSES))
    assert len(pages) > 1
    assert sum(len(page.records) for page in pages) == 30


def test_a_snapshot_among_writers_is_exactly_what_the_journal_says_up_to_its_position(
    dynamodb: Any, reader: RoutingReader, one_request_at_a_time: None
) -> None:
    stop, errors = threading.Event(), list[Exception]()

    def churn(worker: int) -> None:
        mine = RoutingRepository(boto3.client("dynamodb"), NAMES)
        try:
            for sent_at in range(1, 400):
                ip = f"10.0.{worker}.{sent_at % 7}"
                change: Change = DeleteAddress(ip, sent_at) if sent_at % 3 == 0 else put(ip, sent_at)
                mine.write([change])
                if stop.wait(0.002):
                    return
        except Exception as error:  # noqa: BLE001 - shown by the assertion below
            errors.append(error)

    threads = [threading.Thread(target=churn, args=(worker,)) for worker in range(3)]
    for thread in threads:
        thread.start()
    snapshots = [reader.snapshot(Table.ADDRESSES) for _ in range(8)]
    stop.set()
    for thread in threads:
        thread.join(30)
    assert not errors
    _, entries = journal(Table.ADDRESSES)
    for snapshot in snapshots:
        last = {key: operation for seq, key, operation in entries if seq <= snapshot.position}
        assert set(snapshot.records) == {key for key, operation in last.items() if operation == "put"}


# --- what operators look at


def test_keys_are_read_without_the_rest_of_their_rows(repository: RoutingRepository, reader: RoutingReader) -> None:
    stamp = TaskStamp("task", 1)
    repository.write([PutTaskRow(MediaProxy(f"udp:10.0.0.{n}:2223", 0), stamp) for n in (2, 1, 3)])
    repository.write([RemoveTaskRow(Table.MEDIA_PROXIES, "udp:10.0.0.3:2223", TaskStamp("task", 2))])
    assert reader.keys(Table.MEDIA_PROXIES) == ["udp:10.0.0.1:2223", "udp:10.0.0.2:2223"]
    assert reader.keys(Table.SUBSCRIBERS) == []


def test_entries_tell_when_changes_were_made(dynamodb: Any, reader: RoutingReader) -> None:
    moments = iter([1_000, 1_000, 2_000, 2_000, 3_000, 3_000])
    repository = RoutingRepository(dynamodb, NAMES, clock=lambda: next(moments))
    for change in (put("10.0.0.1"), put("10.0.0.2"), DeleteAddress("10.0.0.1", 5)):
        repository.write([change])
    entries = reader.entries(Table.ADDRESSES, 2, 3)
    assert [(entry.seq, entry.key, entry.operation, entry.at) for entry in entries] == [
        (2, "10.0.0.2", "put", 2_000),
        (3, "10.0.0.1", "delete", 3_000),
    ]
    assert len(reader.entries(Table.ADDRESSES, -5, 9)) == 3  # the head is no entry


def test_what_is_stored_for_a_key_is_the_row_and_its_order(repository: RoutingRepository) -> None:
    repository.write([put("10.0.0.1", sent_at=7), DeleteAddress("10.0.0.1", 8)])
    stored = repository.stored(Table.ADDRESSES, "10.0.0.1")
    assert stored.row is None
    assert stored.order is not None
    assert stored.order["presence_at"] == 8
    assert repository.stored(Table.ADDRESSES, "10.0.0.2").order is None
