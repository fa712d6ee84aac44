"""Writes through DynamoDB: one transaction each, a journal without gap or repetition, few requests."""

import threading
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from routing import (
    Address,
    Change,
    DeleteAddress,
    DeleteSubscriber,
    LoadBalancerTarget,
    MediaProxy,
    PutAddress,
    PutSubscriber,
    PutTaskRow,
    RemoveTaskRow,
    RoutingRepository,
    Subscriber,
    Table,
    TaskStamp,
    WriteConflict,
)
from routing.retry import Backoff
from tests.support.routing_tables import NAMES, RequestCounter, all_rows, atomic_requests, create_tables, journal, rows

NOW = 1_700_000_000


def repository(client: Any) -> RoutingRepository:
    return RoutingRepository(client, NAMES, clock=lambda: NOW)


def put_address(index: int, sent_at: int = 1) -> PutAddress:
    return PutAddress(Address(f"10.0.{index // 250}.{index % 250}", 1), sent_at)


def put_subscriber(name: str) -> PutSubscriber:
    return PutSubscriber(Subscriber(name, "a" * 32, "b" * 64, "c" * 64), 1)


def test_a_write_is_one_read_and_one_transaction(dynamodb: Any) -> None:
    counter = RequestCounter(dynamodb)
    result = repository(dynamodb).write([put_address(1)])
    assert counter.operations == ["TransactGetItems", "TransactWriteItems"]
    assert (result.transactions, result.requests, len(result.changed)) == (1, 2, 1)
    assert rows(Table.ADDRESSES) == [{"source_ip": "10.0.0.1", "group_id": 1}]
    assert journal(Table.ADDRESSES) == (1, [(1, "10.0.0.1", "put")])


def test_a_change_expires_from_the_journal_after_a_day(dynamodb: Any) -> None:
    repository(dynamodb).write([put_address(1)])
    changes = [item for item in all_rows(Table.ROUTING_CHANGES) if item["table"] == "addresses" and item["seq"] == 1]
    assert changes == [{"table": "addresses", "seq": 1, "key": "10.0.0.1", "operation": "put", "expires": NOW + 86_400}]


def test_nothing_changed_costs_one_read_and_leaves_the_journal_alone(dynamodb: Any) -> None:
    repository(dynamodb).write([put_address(1)])
    counter = RequestCounter(dynamodb)
    result = repository(dynamodb).write([put_address(1), put_address(1)])
    assert counter.operations == ["TransactGetItems"]
    assert (result.changed, result.transactions) == ((), 0)
    assert journal(Table.ADDRESSES)[0] == 1


def test_a_mixed_batch_is_one_transaction(dynamodb: Any) -> None:
    counter = RequestCounter(dynamodb)
    changes: list[Change] = [put_address(n) for n in range(8)]
    changes += [put_subscriber("user1"), DeleteSubscriber("user2", 1), DeleteAddress("10.0.0.1", 2)]
    repository(dynamodb).write(changes)
    assert counter.operations == ["TransactGetItems", "TransactWriteItems"]
    assert [row["username"] for row in rows(Table.SUBSCRIBERS)] == ["user1"]
    assert [row["source_ip"] for row in rows(Table.ADDRESSES)] == [f"10.0.0.{n}" for n in range(8) if n != 1]
    head, entries = journal(Table.ADDRESSES)
    assert head == 8
    assert entries[1] == (2, "10.0.0.1", "delete")
    assert journal(Table.SUBSCRIBERS) == (2, [(1, "user1", "put"), (2, "user2", "delete")])


@pytest.mark.parametrize(("count", "transactions"), [(33, 1), (34, 2), (66, 2), (67, 3)])
def test_a_large_batch_takes_as_few_transactions_as_fit(dynamodb: Any, count: int, transactions: int) -> None:
    result = repository(dynamodb).write([put_address(n) for n in range(count)])
    assert result.transactions == transactions
    assert len(rows(Table.ADDRESSES)) == count
    head, entries = journal(Table.ADDRESSES)
    assert [seq for seq, _, _ in entries] == list(range(1, count + 1))
    assert head == count


def test_a_removed_task_row_stays_as_a_tombstone(dynamodb: Any) -> None:
    key, task = "udp:10.0.0.1:2223", TaskStamp("arn:task", 3, 1_000)
    repository(dynamodb).write([PutTaskRow(MediaProxy(key, 0), task)])
    repository(dynamodb).write([RemoveTaskRow(Table.MEDIA_PROXIES, key, TaskStamp("arn:task", 4, 1_000))])
    assert rows(Table.MEDIA_PROXIES) == []
    assert [row["removed"] for row in all_rows(Table.MEDIA_PROXIES)] == [True]
    assert journal(Table.MEDIA_PROXIES) == (2, [(1, key, "put"), (2, key, "delete")])
    repository(dynamodb).write([PutTaskRow(MediaProxy(key, 0), task)])
    assert rows(Table.MEDIA_PROXIES) == []
    assert journal(Table.MEDIA_PROXIES)[0] == 2


def test_the_rows_of_a_task_are_found_by_its_arn(dynamodb: Any) -> None:
    def target(ip: str, task: str) -> PutTaskRow:
        record = LoadBalancerTarget(f"sip:{ip}:5060", 1, "gw", f"{ip}:8021", 2, "ap-southeast-1")
        return PutTaskRow(record, TaskStamp(task, 1))

    repository(dynamodb).write([target("10.0.0.1", "a"), target("10.0.0.2", "b"), target("10.0.0.3", "a")])
    found = repository(dynamodb).rows_of_task(Table.LOAD_BALANCER_TARGETS, "a")
    assert sorted(str(row["dst_uri"]) for row in found) == ["sip:10.0.0.1:5060", "sip:10.0.0.3:5060"]


def test_what_dynamodb_refuses_for_good_is_raised_at_once(dynamodb: Any) -> None:
    dynamodb.delete_table(TableName=NAMES[Table.ADDRESSES])
    counter = RequestCounter(dynamodb)
    with pytest.raises(ClientError):
        repository(dynamodb).write([put_address(1)])
    assert len(counter.operations) == 1


def test_a_writer_that_never_wins_gives_up_and_has_written_nothing(dynamodb: Any) -> None:
    """Another writer moves the head between every read and write of this one."""
    other = boto3.client("dynamodb")
    rival = repository(other)
    moves = iter(range(1_000))
    reads: list[None] = []

    def interfere(**_: Any) -> None:
        reads.append(None)
        rival.write([put_subscriber(f"rival{next(moves)}")])

    dynamodb.meta.events.register("after-call.dynamodb.TransactGetItems", interfere)
    ticks = iter(range(1_000))
    stubborn = RoutingRepository(
        dynamodb, NAMES, backoff=lambda: Backoff(lambda: float(next(ticks)), lambda _: None, limit=5)
    )
    with pytest.raises(WriteConflict, match="subscribers"):
        stubborn.write([put_subscriber("user1")])
    assert len(reads) > 2
    assert "user1" not in [row["username"] for row in rows(Table.SUBSCRIBERS)]
    dynamodb.meta.events.unregister("after-call.dynamodb.TransactGetItems", interfere)
    stubborn.write([put_subscriber("user1")])
    head, entries = journal(Table.SUBSCRIBERS)
    assert [seq for seq, _, _ in entries] == list(range(1, head + 1))
    assert len(rows(Table.SUBSCRIBERS)) == head


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    writers=st.lists(
        st.lists(
            st.lists(st.tuples(st.sampled_from(["put", "delete"]), st.integers(0, 5)), min_size=1, max_size=3),
            min_size=1,
            max_size=3,
        ),
        min_size=2,
        max_size=6,
    )
)
def test_concurrent_writers_leave_no_gap_and_no_duplicate(
    aws_environment: None, writers: list[list[list[tuple[str, int]]]]
) -> None:
    with mock_aws(), atomic_requests():
        client = boto3.client("dynamodb")
        create_tables(client)
        barrier = threading.Barrier(len(writers))
        errors: list[Exception] = []
        sent_at = iter(range(1, 10_000))
        jobs: list[list[list[Change]]] = [
            [
                [
                    put_address(n, next(sent_at)) if kind == "put" else DeleteAddress(f"10.0.0.{n}", next(sent_at))
                    for kind, n in write
                ]
                for write in writes
            ]
            for writes in writers
        ]

        def run(batches: list[list[Change]]) -> None:
            mine = RoutingRepository(boto3.client("dynamodb"), NAMES, clock=lambda: NOW)
            barrier.wait()
            try:
                for batch in batches:
                    mine.write(batch)
            except Exception as error:  # noqa: BLE001 - shown by the assertion below
                errors.append(error)

        threads = [threading.Thread(target=run, args=(batches,)) for batches in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert not errors
        head, entries = journal(Table.ADDRESSES)
        assert [seq for seq, _, _ in entries] == list(range(1, head + 1))
        # Replaying the journal gives exactly the rows that are there, which are those of the order of sending.
        replayed: dict[str, str] = {key: operation for _, key, operation in entries}
        present = {row["source_ip"] for row in rows(Table.ADDRESSES)}
        assert present == {key for key, operation in replayed.items() if operation == "put"}
        last: dict[str, Change] = {}
        for change in sorted((c for w in jobs for b in w for c in b), key=lambda c: c.sent_at):  # type: ignore[attr-defined]
            last[change.key] = change
        assert present == {key for key, change in last.items() if isinstance(change, PutAddress)}
