"""A switch that is a target no longer stays known by its address, for as long as one of its calls may live."""

import contextlib
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opensips_scheduler import former_targets
from opensips_scheduler.event_sockets import EventSockets
from opensips_scheduler.follower import Follower
from opensips_scheduler.loaded_rows import LOADED
from opensips_scheduler.reloads import Reloads
from opensips_scheduler.routing_database import RoutingDatabase
from opensips_scheduler.rows import SQL_TABLES, RowBuilder
from routing import ChangeSet, PutTaskRow, RemoveTaskRow, RoutingReader, RoutingRepository, Table, TaskStamp
from routing.reader import Page
from tests.containers.opensips_scheduler.conftest import PASSWORD, Commands, target

TARGETS = Table.LOAD_BALANCER_TARGETS
SIX_HOURS = 6 * 3600


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "routing.db"


def opened(path: Path, clock: Clock) -> RoutingDatabase:
    return RoutingDatabase(path, RowBuilder(PASSWORD), clock)


def rows(path: Path) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        query = "SELECT dst_uri, group_id, resources, probe_mode, attrs FROM load_balancer ORDER BY dst_uri"
        return connection.execute(query).fetchall()


def put(database: RoutingDatabase, position: int, *numbers: int) -> int:
    records = {target(number).key: target(number) for number in numbers}
    return database.apply(ChangeSet(TARGETS, position, records, frozenset())).changed


def remove(database: RoutingDatabase, position: int, *numbers: int) -> int:
    removed = frozenset(target(number).key for number in numbers)
    return database.apply(ChangeSet(TARGETS, position, {}, removed)).changed


FORMER = ("sip:10.0.0.1:5060", former_targets.GROUP, "gw=0", 0, None)
PRESENT = ("sip:10.0.0.1:5060", 1, f"gw=fs://:{PASSWORD}@10.0.0.1:8021", 2, "10.0.0.1:8021")


def test_a_removed_target_takes_no_calls_and_stays_known(path: Path, clock: Clock) -> None:
    with contextlib.closing(opened(path, clock)) as database:
        put(database, 1, 1)
        assert rows(path) == [PRESENT]
        assert remove(database, 2, 1) == 1
        assert rows(path) == [FORMER]
        assert (database.count(TARGETS), database.keys(TARGETS), database.former_targets) == (0, set(), 1)
        assert remove(database, 2, 1) == 0  # told once more, it needs no reload


def test_an_address_that_is_a_target_again_is_one_at_once(path: Path, clock: Clock) -> None:
    with contextlib.closing(opened(path, clock)) as database:
        put(database, 1, 1)
        remove(database, 2, 1)
        assert put(database, 3, 1) == 1
        assert rows(path) == [PRESENT]
        clock.now += SIX_HOURS + 1
        assert database.purge_former_targets() == 0
        assert (database.count(TARGETS), database.former_targets) == (1, 0)


@pytest.mark.parametrize("in_pages", [True, False])
def test_a_whole_comparison_neither_forgets_it_nor_begins_its_time_anew(
    in_pages: bool, path: Path, clock: Clock
) -> None:
    with contextlib.closing(opened(path, clock)) as database:
        put(database, 1, 1, 2)
        if in_pages:
            assert database.replace(TARGETS, 2, [Page((target(2),))]).changed == 1
        else:
            remove(database, 2, 1)
        clock.now += SIX_HOURS - 1
        assert database.replace(TARGETS, 2, [Page((target(2),))]).changed == 0
        assert database.purge_former_targets() == 0
    with contextlib.closing(opened(path, clock)) as database:
        assert (rows(path)[0], database.former_targets) == (FORMER, 1)
        clock.now += 1
        assert database.purge_former_targets() == 1
        assert [row[0] for row in rows(path)] == [target(2).key]


def test_a_clock_that_was_put_back_does_not_keep_it_for_ever(path: Path, clock: Clock) -> None:
    with contextlib.closing(opened(path, clock)) as database:
        put(database, 1, 1)
        remove(database, 2, 1)
        clock.now -= 1_000_000
        assert database.purge_former_targets() == 0
        clock.now += SIX_HOURS
        assert database.purge_former_targets() == 1


def test_it_is_not_asked_for_statistics(path: Path, clock: Clock) -> None:
    with contextlib.closing(opened(path, clock)) as database:
        put(database, 1, 1)
        remove(database, 2, 1)
    asked: list[str] = []

    def ask(sockets: Any) -> set[str]:
        asked.extend(sockets)
        return set(sockets)

    event_sockets = EventSockets(path, ask)
    assert not event_sockets.check(RowBuilder(PASSWORD, event_sockets.answers).resources)
    assert (asked, rows(path)) == ([], [FORMER])


def test_what_opensips_reads_back_is_compared_with_it(path: Path, clock: Clock) -> None:
    with contextlib.closing(opened(path, clock)) as database:
        put(database, 1, 1)
        remove(database, 2, 1)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        found = LOADED[TARGETS].of_file(connection)
    assert found == {("sip:10.0.0.1:5060", f"group {former_targets.GROUP}, resource gw")}


def test_the_follower_has_opensips_reload_when_it_goes(
    reader: RoutingReader, repository: RoutingRepository, reloads: Reloads, commands: Commands, path: Path, clock: Clock
) -> None:
    with contextlib.closing(opened(path, clock)) as database:
        follower = Follower(reader, database, reloads, tuple(SQL_TABLES))
        follower.compare()
        stamp = TaskStamp("task-a", 3, 1_000)
        repository.write([PutTaskRow(target(1), stamp)])
        follower.follow()
        repository.write([RemoveTaskRow(TARGETS, target(1).key, TaskStamp("task-a", 4, 1_000))])
        follower.follow()
        reloads.run()
        commands.take()
        assert (follower.progress.rows[TARGETS], follower.progress.former_targets) == (0, 1)
        follower.follow()
        reloads.run()
        assert commands.take() == []
        clock.now += SIX_HOURS
        follower.follow()
        reloads.run()
        assert (commands.take(), follower.progress.former_targets) == (["lb_reload"], 0)


NUMBERS = st.sets(st.integers(1, 4))
STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "remove", "compare", "restart", "wait"]), NUMBERS, st.integers(0, SIX_HOURS)),
    max_size=20,
)


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_targets_are_those_of_the_table_and_former_ones_those_that_left_within_six_hours(
    steps: list[tuple[str, set[int], int]],
) -> None:
    clock, table, left = Clock(), set[int](), dict[int, float]()
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "routing.db"
        database = opened(path, clock)
        for step, numbers, seconds in steps:
            before = set(table)
            if step == "put":
                table |= numbers
                put(database, 1, *numbers)
            elif step == "remove":
                table -= numbers
                remove(database, 1, *numbers)
            elif step == "compare":
                table = set(numbers)
                database.replace(TARGETS, 1, [Page(tuple(target(number) for number in numbers))])
            elif step == "restart":
                database.close()
                database = opened(path, clock)
            else:
                clock.now += seconds
            database.purge_former_targets()
            left |= dict.fromkeys(before - table, clock.now)
            left = {n: at for n, at in left.items() if n not in table and clock.now - at < SIX_HOURS}
            found = {row[0]: row[1] for row in rows(path)}
            assert {uri for uri, group in found.items() if group == 1} == {target(n).key for n in table}
            assert {uri for uri, group in found.items() if group != 1} == {target(n).key for n in left}
            assert database.count(TARGETS) == len(table)
        database.close()
