"""Killed at any point, the scheduler leaves a file from which the next one makes what the tables say.

No reload that OpenSIPS needs is lost either, nor a contact.
"""

import json
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from opensips_scheduler import schema
from opensips_scheduler.contacts import Contacts
from opensips_scheduler.event_sockets import EventSockets
from opensips_scheduler.follower import Follower
from opensips_scheduler.media_proxies import MediaProxies
from opensips_scheduler.reloads import Reloads
from opensips_scheduler.routing_database import RoutingDatabase
from opensips_scheduler.rows import SQL_TABLES, RowBuilder
from routing import (
    AddPermanentDomain,
    Address,
    DeleteAddress,
    Domain,
    MediaProxy,
    PutAddress,
    PutSubscriber,
    PutTaskRow,
    Registration,
    RemoveTaskRow,
    RoutingReader,
    RoutingRepository,
    Subscriber,
    Table,
    TaskStamp,
)
from tests.containers.opensips_scheduler.conftest import PASSWORD, RELOADS, target
from tests.containers.opensips_scheduler.killing import Countdown, is_killed, points_of, sqlite_points
from tests.support.queue_events import DIGESTS
from tests.support.routing_tables import NAMES

NOW = 1_000_000.0
STAMP = TaskStamp("task-a", 3, 1_000)
DIGEST = DIGESTS["md5_password"], DIGESTS["sha256_password"], DIGESTS["sha512_password"]
TABLES = tuple(SQL_TABLES)
RELOADED = {"lb_reload": "load_balancer", "address_reload": "address", "domain_reload": "domain"}
INSTRUCTIONS = 40


def content(path: Path, *tables: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of some tables, without the numbers that SQLite gave them."""
    connection = sqlite3.connect(path)
    try:
        queries = {table: f"SELECT * FROM {table}" for table in tables}  # noqa: S608
        return {table: sorted(tuple(row[1:]) for row in connection.execute(queries[table])) for table in tables}
    finally:
        connection.close()


class Memory:
    """What OpenSIPS has loaded, which outlives the scheduler: it reads its file with each reload."""

    def __init__(self, directory: Path) -> None:
        self.database, self.path = directory / "routing.db", directory / "memory.json"

    def call(self, method: str, parameters: dict[str, Any] | None = None) -> Any:
        loaded = self.loaded()
        loaded[RELOADED[method]] = [list(row) for row in content(self.database, RELOADED[method])[RELOADED[method]]]
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(loaded))
        part.replace(self.path)
        return "OK"

    def loaded(self) -> dict[str, Any]:
        return dict(json.loads(self.path.read_text())) if self.path.exists() else {}


def scheduler_step(directory: Path, dynamodb: Any, *, whole: bool) -> Callable[[Countdown], None]:
    """Return one life of the scheduler: it starts, copies or follows, and has OpenSIPS reload."""

    def step(countdown: Countdown) -> None:
        reader = RoutingReader(dynamodb, NAMES)
        dynamodb.meta.events.register("before-send.dynamodb", countdown.point, unique_id="countdown")
        try:
            with sqlite_points(countdown, INSTRUCTIONS):
                database = RoutingDatabase(directory / "routing.db", RowBuilder(PASSWORD), lambda: NOW)
                reloads = Reloads(Memory(directory), RELOADS)
                follower = Follower(reader, database, reloads, TABLES)
                if whole:
                    follower.compare()
                follower.follow()
                reloads.run()
                database.close()
        finally:
            dynamodb.meta.events.unregister("before-send.dynamodb", unique_id="countdown")

    return step


def change_everything(repository: RoutingRepository) -> None:
    """Write, replace and remove rows of every table, usable and not."""
    repository.write([PutTaskRow(target(number), STAMP) for number in (3, 4)])
    repository.write([RemoveTaskRow(Table.LOAD_BALANCER_TARGETS, target(1).key, replace(STAMP, version=4))])
    repository.write([PutTaskRow(target(2, event_socket="nowhere"), replace(STAMP, version=4))])
    repository.write([PutAddress(Address("192.0.2.1", 70_000), 3), PutAddress(Address("198.51.100.0/24", 1), 2)])
    repository.write([DeleteAddress("192.0.2.0/28", 2)])
    repository.write([PutSubscriber(Subscriber("user1", *DIGEST), 1), AddPermanentDomain(Domain("sip.example.org"))])


@pytest.mark.parametrize("whole", [False, True], ids=["follow", "copy"])
def test_killed_at_any_statement_instruction_or_request_nothing_is_lost(
    dynamodb: Any, tmp_path: Path, whole: bool
) -> None:
    repository = RoutingRepository(dynamodb, NAMES)
    repository.write([PutTaskRow(target(number), STAMP) for number in (1, 2)])
    repository.write([PutAddress(Address(source, 2), 1) for source in ("192.0.2.0/28", "192.0.2.1")])
    before, expected = tmp_path / "before", tmp_path / "expected"
    before.mkdir()
    scheduler_step(before, dynamodb, whole=True)(Countdown(None))
    change_everything(repository)
    shutil.copytree(before, expected)
    points = points_of(scheduler_step(expected, dynamodb, whole=whole))
    tables = tuple(sql.name for sql in SQL_TABLES.values())
    right = content(expected / "routing.db", *tables)
    assert len(right["load_balancer"]) == 4  # one keeps its last good state, one is a target no longer
    assert right["address"] != content(before / "routing.db", "address")["address"]
    killed = 0
    for point in range(1, points + 1):
        directory = tmp_path / "victim"
        shutil.copytree(before, directory)
        step = scheduler_step(directory, dynamodb, whole=whole)
        killed += is_killed(step, point)
        step(Countdown(None))  # the next scheduler
        assert content(directory / "routing.db", *tables) == right, f"killed at {point} of {points}"
        memory = Memory(directory).loaded()
        loaded = {table: [tuple(row) for row in rows] for table, rows in memory.items()}
        assert loaded == {table: right[table] for table in RELOADED.values()}, f"killed at {point} of {points}"
        shutil.rmtree(directory)
    assert killed == points > 50


class Store:
    """A registrations table in a directory, which outlives the scheduler."""

    def __init__(self, directory: Path, countdown: Countdown | None = None) -> None:
        self._directory, self._countdown = directory, countdown
        directory.mkdir(exist_ok=True)

    def write(self, contacts: Mapping[tuple[str, str], Registration | None]) -> None:
        for (_, identifier), contact in contacts.items():
            if self._countdown is not None:
                self._countdown.point()
            path = self._directory / identifier
            if contact is None:
                path.unlink(missing_ok=True)
            else:
                path.write_text(f"{contact.username} {contact.contact} {contact.expires}")

    def content(self) -> set[str]:
        return {path.read_text() for path in self._directory.iterdir()}


def test_killed_at_any_point_every_contact_is_told_in_the_end(tmp_path: Path) -> None:
    before = tmp_path / "before"
    before.mkdir()
    schema.create_gateway_database(before / "gateway.db")
    connection = sqlite3.connect(before / "gateway.db")
    with connection:
        connection.executemany(
            "INSERT INTO location (username, contact, last_modified, expires, callid, cseq) VALUES"
            " (?, ?, '2026-01-01 00:00:00', 9, 'x', 1)",
            [("user1", "sip:1"), ("user1", "sip:2"), ("user2", "sip:3")],
        )
    Contacts(before / "gateway.db", "gateway", Store(before / "store")).send()  # type: ignore[arg-type]
    with connection:
        connection.execute("DELETE FROM location WHERE contact = 'sip:1'")
        connection.execute("UPDATE location SET expires = 10 WHERE contact = 'sip:2'")
        connection.execute(
            "INSERT INTO location (username, contact, last_modified, expires, callid, cseq) VALUES"
            " ('user2', 'sip:4', '2026-01-01 00:00:00', 11, 'x', 1)"
        )
    connection.close()
    right = {"user1 sip:2 10", "user2 sip:3 9", "user2 sip:4 11"}

    def step_in(directory: Path) -> Callable[[Countdown], None]:
        def step(countdown: Countdown) -> None:
            with sqlite_points(countdown, INSTRUCTIONS):
                contacts = Contacts(directory / "gateway.db", "gateway", Store(directory / "store", countdown))  # type: ignore[arg-type]
                contacts.send()
                contacts.close()

        return step

    shutil.copytree(before, tmp_path / "expected")
    points = points_of(step_in(tmp_path / "expected"))
    assert Store(tmp_path / "expected" / "store").content() == right
    for point in range(1, points + 1):
        directory = tmp_path / "victim"
        shutil.copytree(before, directory)
        assert is_killed(step_in(directory), point)
        step_in(directory)(Countdown(None))
        assert Store(directory / "store").content() == right, f"killed at {point} of {points}"
        # What stays is emptied: numbers are given out from it on.
        assert set(content(directory / "gateway.db", "contact_change")["contact_change"]) == {("", "")}
        shutil.rmtree(directory)


def test_killed_while_proxies_and_event_sockets_are_written_the_next_look_sets_them_right(tmp_path: Path) -> None:
    before, proxy = tmp_path / "before", "udp:10.0.1.2:2223"
    before.mkdir()
    schema.create_routing_database(before / "routing.db")
    connection = sqlite3.connect(before / "routing.db")
    with connection:
        connection.execute(
            "INSERT INTO load_balancer (group_id, dst_uri, resources, attrs) VALUES (1, 'sip:x', 'gw=0', ?)",
            ("10.0.0.1:8021",),
        )
        connection.execute("INSERT INTO rtpengine (socket, set_id) VALUES ('udp:10.0.1.9:2223', 0)")
    connection.close()

    def step_in(directory: Path) -> Callable[[Countdown], None]:
        def step(countdown: Countdown) -> None:
            with sqlite_points(countdown, INSTRUCTIONS):
                event_sockets = EventSockets(directory / "routing.db", set)
                event_sockets.check(RowBuilder(PASSWORD, event_sockets.answers).resources)
                proxies = MediaProxies(directory / "routing.db", lambda sockets: set(sockets) & {proxy})
                proxies.listed = {proxy: MediaProxy(proxy, 0)}
                for _ in range(3):
                    proxies.check()

        return step

    shutil.copytree(before, tmp_path / "expected")
    points = points_of(step_in(tmp_path / "expected"))
    right = content(tmp_path / "expected" / "routing.db", "load_balancer", "rtpengine")
    assert [row[0] for row in right["rtpengine"]] == [proxy, proxy]
    for point in range(1, points + 1):
        directory = tmp_path / "victim"
        shutil.copytree(before, directory)
        assert is_killed(step_in(directory), point)
        step_in(directory)(Countdown(None))
        assert content(directory / "routing.db", "load_balancer", "rtpengine") == right, f"killed at {point}"
        shutil.rmtree(directory)
