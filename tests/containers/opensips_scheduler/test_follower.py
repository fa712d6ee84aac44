"""What is written to the routing tables comes into OpenSIPS's file, and just the reloads that it needs are run."""

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from opensips_scheduler.errors import Unreachable
from opensips_scheduler.follower import Follower
from opensips_scheduler.reloads import Reloads
from opensips_scheduler.routing_database import RoutingDatabase
from opensips_scheduler.rows import SQL_TABLES, RowBuilder
from routing import (
    AddPermanentDomain,
    Address,
    DeleteAddress,
    Domain,
    PutAddress,
    PutSubscriber,
    PutTaskRow,
    RemoveTaskRow,
    RoutingReader,
    RoutingRepository,
    Subscriber,
    Table,
    TaskStamp,
)
from tests.containers.opensips_scheduler.conftest import PASSWORD, Commands, target
from tests.support.queue_events import DIGESTS
from tests.support.routing_tables import NAMES, RequestCounter

STAMP = TaskStamp("task-a", 3, 1_000)
DIGEST = DIGESTS["md5_password"], DIGESTS["sha256_password"], DIGESTS["sha512_password"]


def rows(database: RoutingDatabase, query: str, directory: Path) -> list[tuple[object, ...]]:
    """Read the file as another process does."""
    connection = sqlite3.connect(directory / "routing.db")
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def test_each_table_is_written_as_opensips_reads_it(
    follower: Follower,
    reloads: Reloads,
    repository: RoutingRepository,
    database: RoutingDatabase,
    commands: Commands,
    reader: RoutingReader,
    tmp_path: Path,
) -> None:
    repository.write(
        [
            PutTaskRow(target(1), STAMP),
            PutAddress(Address("192.0.2.0/28", 2), 1),
            PutAddress(Address("2001:DB8::1", 2), 1),
            PutSubscriber(Subscriber("user1", *DIGEST), 1),
            AddPermanentDomain(Domain("sip.example.org")),
        ]
    )
    assert follower.follow() == 5
    reloads.run()
    assert sorted(commands.take()) == ["address_reload", "domain_reload", "lb_reload"]
    target_row = (1, "sip:10.0.0.1:5060", f"gw=fs://:{PASSWORD}@10.0.0.1:8021", 2, "10.0.0.1:8021")
    assert follower.progress.positions == reader.positions(tuple(follower.progress.positions))
    assert follower.progress.positions[Table.LOAD_BALANCER_TARGETS] == 1
    query = "SELECT group_id, dst_uri, resources, probe_mode, attrs FROM load_balancer"
    assert rows(database, query, tmp_path) == [target_row]
    found = rows(database, "SELECT grp, ip, mask, port, proto FROM address ORDER BY mask", tmp_path)
    assert found == [(2, "192.0.2.0", 28, 0, "any"), (2, "2001:db8::1", 128, 0, "any")]
    query = "SELECT username, ha1, ha1_sha256, ha1_sha512t256 FROM subscriber"
    assert rows(database, query, tmp_path) == [("user1", *DIGEST)]
    assert rows(database, "SELECT domain FROM domain", tmp_path) == [("sip.example.org",)]


def test_only_what_changed_is_reloaded(
    follower: Follower, reloads: Reloads, repository: RoutingRepository, commands: Commands
) -> None:
    repository.write([PutSubscriber(Subscriber("user1", *DIGEST), 1)])
    assert follower.follow() == 1
    reloads.run()
    assert commands.take() == []
    repository.write([PutAddress(Address("192.0.2.1", 1), 1)])
    follower.follow()
    reloads.run()
    assert commands.take() == ["address_reload"]


def test_nothing_new_costs_one_request_and_no_reload(
    follower: Follower, reloads: Reloads, commands: Commands, dynamodb: Any
) -> None:
    counter = RequestCounter(dynamodb)
    assert follower.follow() == 0
    reloads.run()
    assert (counter.operations, commands.take()) == (["BatchGetItem"], [])


def test_what_is_removed_leaves_the_file(
    follower: Follower, repository: RoutingRepository, database: RoutingDatabase
) -> None:
    repository.write([PutTaskRow(target(1), STAMP), PutAddress(Address("192.0.2.0/28", 2), 1)])
    follower.follow()
    repository.write([RemoveTaskRow(Table.LOAD_BALANCER_TARGETS, target(1).key, replace(STAMP, version=4))])
    repository.write([DeleteAddress("192.0.2.0/28", 2)])
    assert follower.follow() == 2
    assert database.count(Table.LOAD_BALANCER_TARGETS) == database.count(Table.ADDRESSES) == 0


def test_a_reload_that_opensips_does_not_answer_stays_due(
    follower: Follower, reloads: Reloads, repository: RoutingRepository, commands: Commands
) -> None:
    repository.write([PutTaskRow(target(1), STAMP)])
    commands.reachable = False
    follower.follow()
    with pytest.raises(Unreachable):
        reloads.run()
    assert reloads.due == ("lb_reload",)
    commands.reachable = True
    reloads.run()
    assert commands.take() == ["lb_reload"]
    assert reloads.due == ()


def test_a_bad_row_is_skipped_by_name_and_the_rest_is_applied(
    follower: Follower, repository: RoutingRepository, database: RoutingDatabase
) -> None:
    unresolved = target(2, dst_uri="sip:switch.example.org:5060")
    port = target(3, event_socket="10.0.0.3:99999")
    repository.write([PutTaskRow(each, STAMP) for each in (target(1), unresolved, port)])
    follower.follow()
    assert database.keys(Table.LOAD_BALANCER_TARGETS) == {("sip:10.0.0.1:5060",)}
    reasons = follower.progress.skipped
    assert set(reasons) == {(Table.LOAD_BALANCER_TARGETS, each.key) for each in (unresolved, port)}
    assert "99999" in reasons[Table.LOAD_BALANCER_TARGETS, port.key]


def test_a_target_that_turns_bad_stays_as_it_was_and_an_address_does_not(
    follower: Follower, repository: RoutingRepository, database: RoutingDatabase
) -> None:
    repository.write([PutTaskRow(target(1), STAMP), PutAddress(Address("192.0.2.1", 1), 1)])
    follower.follow()
    broken = target(1, event_socket="nowhere")
    repository.write([PutTaskRow(broken, replace(STAMP, version=4)), PutAddress(Address("192.0.2.1", 70_000), 2)])
    for heal in (follower.follow, follower.compare):
        heal()
        assert database.keys(Table.LOAD_BALANCER_TARGETS) == {("sip:10.0.0.1:5060",)}
        assert database.keys(Table.ADDRESSES) == set()
        assert len(follower.progress.skipped) == 2


def test_a_row_that_is_mended_is_no_longer_reported(follower: Follower, repository: RoutingRepository) -> None:
    repository.write([PutTaskRow(target(1, event_socket="nowhere"), STAMP)])
    follower.follow()
    repository.write([PutTaskRow(target(1), replace(STAMP, version=4))])
    follower.follow()
    assert follower.progress.skipped == {}


def test_a_journal_that_no_longer_reaches_back_has_the_table_read_whole(
    follower: Follower, repository: RoutingRepository, database: RoutingDatabase, dynamodb: Any
) -> None:
    repository.write([PutTaskRow(target(1), STAMP)])
    follower.follow()
    for number in (2, 3):
        repository.write([PutTaskRow(target(number), STAMP)])
    key = {"table": {"S": Table.LOAD_BALANCER_TARGETS.value}, "seq": {"N": "2"}}
    dynamodb.delete_item(TableName=NAMES[Table.ROUTING_CHANGES], Key=key)
    assert follower.follow() == 2
    assert database.count(Table.LOAD_BALANCER_TARGETS) == 3
    assert database.position(Table.LOAD_BALANCER_TARGETS) == 3


def test_the_comparison_heals_what_no_journal_tells(
    follower: Follower,
    reloads: Reloads,
    repository: RoutingRepository,
    database: RoutingDatabase,
    commands: Commands,
    tmp_path: Path,
) -> None:
    repository.write([PutTaskRow(target(number), STAMP) for number in (1, 2)])
    follower.follow()
    reloads.run()
    commands.take()
    other = sqlite3.connect(tmp_path / "routing.db")
    with other:
        other.execute("DELETE FROM load_balancer WHERE dst_uri LIKE '%.1:%'")
        other.execute("UPDATE load_balancer SET group_id = 9")
        other.execute("INSERT INTO address (ip, mask, grp) VALUES ('198.51.100.1', 32, 1)")
    other.close()
    assert follower.follow() == 0
    assert follower.compare() == 3
    reloads.run()
    assert sorted(commands.take()) == ["address_reload", "lb_reload"]
    assert database.keys(Table.LOAD_BALANCER_TARGETS) == {("sip:10.0.0.1:5060",), ("sip:10.0.0.2:5060",)}
    assert database.count(Table.ADDRESSES) == 0
    assert follower.compare() == 0


def test_another_password_comes_into_every_target_with_the_comparison(
    reader: RoutingReader, repository: RoutingRepository, reloads: Reloads, tmp_path: Path
) -> None:
    repository.write([PutTaskRow(target(1), STAMP)])
    for password in ("first", "second"):
        database = RoutingDatabase(tmp_path / "routing.db", RowBuilder(password))
        assert Follower(reader, database, reloads, tuple(SQL_TABLES)).compare() == 1
        query = "SELECT resources FROM load_balancer"
        assert rows(database, query, tmp_path) == [(f"gw=fs://:{password}@10.0.0.1:8021",)]
        database.close()


def test_rows_and_position_change_together_or_not_at_all(
    follower: Follower, repository: RoutingRepository, database: RoutingDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that dies between the two leaves neither; the next one applies the change again."""
    repository.write([PutTaskRow(target(1), STAMP)])
    with monkeypatch.context() as broken:
        broken.setattr(database, "_set_position", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            follower.follow()
    assert (database.count(Table.LOAD_BALANCER_TARGETS), database.position(Table.LOAD_BALANCER_TARGETS)) == (0, 0)
    assert follower.follow() == 1
