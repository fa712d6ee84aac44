"""What OpenSIPS dropped is found by reading back what it has loaded."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from opensips_scheduler import schema
from opensips_scheduler.errors import ManagementError, NotRunning
from opensips_scheduler.loaded_rows import LOADED
from opensips_scheduler.management_interface import ManagementInterface
from opensips_scheduler.management_pipe import ManagementPipe
from opensips_scheduler.read_back import ReadBack
from opensips_scheduler.reloads import Reloads
from routing import Table
from tests.fakes.opensips import FakeOpensips

TARGETS, ADDRESSES = Table.LOAD_BALANCER_TARGETS, Table.ADDRESSES


class Looking:
    """A gateway whose file a test writes, and the one who looks at what OpenSIPS has of it."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "routing.db"
        schema.create_routing_database(self.path)
        self.opensips = FakeOpensips(directory)
        commands = ManagementInterface(directory / "mi.sock", directory / "mi-own.sock")
        self.reloads = Reloads(commands, ("lb_reload", "address_reload"))
        self.told: list[tuple[Table, str]] = []
        self.now = 0.0
        self.read_back = ReadBack(
            self.path,
            ManagementPipe(directory / "mi.fifo", directory / "mi-back"),
            {TARGETS: self.reloads, ADDRESSES: self.reloads},
            3600,
            on_dropped=lambda table, name: self.told.append((table, name)),
            clock=lambda: self.now,
        )

    def execute(self, statement: str, *values: object) -> None:
        connection = sqlite3.connect(self.path)
        with connection:
            connection.execute(statement, values)
        connection.close()

    def target(self, number: int, resources: str = "gw=0") -> None:
        statement = "INSERT OR REPLACE INTO load_balancer (group_id, dst_uri, resources) VALUES (1, ?, ?)"
        self.execute(statement, f"sip:10.0.0.{number}:5060", resources)

    def reload(self) -> None:
        self.reloads.require_all()
        self.reloads.run()

    def look(self) -> None:
        """Look as often as it takes to be sure."""
        self.read_back.step()
        self.read_back.step()

    def dropped(self, table: Table) -> list[str]:
        return sorted(name for name, _ in self.read_back.dropped.get(table, ()))


@pytest.fixture
def looking() -> Iterator[Looking]:
    directory = Path(tempfile.mkdtemp(prefix="read-back-"))
    made = Looking(directory)
    with made.opensips:
        yield made
    shutil.rmtree(directory)


def test_nothing_is_missed_where_everything_is_loaded(looking: Looking) -> None:
    looking.target(1)
    looking.execute("INSERT INTO address (ip, mask, grp) VALUES ('192.0.2.0', 28, 1), ('2001:db8::', 32, 2)")
    looking.reload()
    looking.look()
    assert (looking.dropped(TARGETS), looking.dropped(ADDRESSES), looking.told) == ([], [], [])


def test_a_dropped_row_is_named_once_and_cleared_when_it_is_mended(
    looking: Looking, caplog: pytest.LogCaptureFixture
) -> None:
    looking.target(1)
    looking.target(2, resources="gw")
    looking.reload()
    looking.read_back.step()
    assert looking.dropped(TARGETS) == []  # the file may have changed between the two looks
    looking.read_back.step()
    assert looking.dropped(TARGETS) == ["sip:10.0.0.2:5060"]
    looking.reload()
    looking.look()
    assert looking.told == [(TARGETS, "sip:10.0.0.2:5060")]
    assert [getattr(record, "key", None) for record in caplog.records] == ["sip:10.0.0.2:5060"]
    looking.target(2)
    looking.reload()
    looking.look()
    assert looking.dropped(TARGETS) == []


def test_a_row_that_was_loaded_with_another_group_is_missed_too(looking: Looking) -> None:
    looking.execute("INSERT INTO address (ip, mask, grp) VALUES ('192.0.2.1', 32, 1)")
    looking.reload()
    looking.execute("UPDATE address SET grp = 2")
    looking.look()
    assert looking.dropped(ADDRESSES) == ["192.0.2.1/32"]


def test_a_row_of_the_file_that_is_none_is_named_as_it_is(looking: Looking) -> None:
    looking.execute(
        "INSERT INTO address (ip, mask, grp) VALUES ('192.0.2.1', 99, 1), ('x', 32, 1), ('192.0.2.2', 32, 1)"
    )
    looking.reload()
    looking.look()
    assert looking.dropped(ADDRESSES) == ["192.0.2.1/99", "x/32"]


def test_nothing_is_asked_again_until_a_reload_or_the_interval(looking: Looking) -> None:
    looking.reload()
    looking.look()
    asked = looking.opensips.called("lb_list")
    looking.look()
    assert looking.opensips.called("lb_list") == asked
    looking.now = 3600
    looking.read_back.step()
    assert looking.opensips.called("lb_list") == asked + 1


def test_a_table_whose_reload_is_due_is_left_alone(looking: Looking) -> None:
    looking.reload()
    looking.target(1)
    looking.reloads.require("lb_reload")
    looking.look()
    assert looking.opensips.called("lb_list") == 0
    assert looking.opensips.called("address_dump") == 1


def test_what_opensips_still_has_and_the_file_has_not_is_reloaded(looking: Looking) -> None:
    looking.target(1)
    looking.reload()
    looking.execute("DELETE FROM load_balancer")  # and the reload was lost
    looking.look()
    assert looking.reloads.due == ("lb_reload",)
    looking.reloads.run()
    looking.look()
    assert looking.reloads.due == ()


def test_one_answer_that_is_not_understood_leaves_the_other_tables_looked_at(
    looking: Looking, monkeypatch: pytest.MonkeyPatch
) -> None:
    looking.reload()
    monkeypatch.setattr(looking.opensips, "_targets", [{"uri": "sip:10.0.0.1:5060"}])
    with pytest.raises(ManagementError, match="lb_list"):
        looking.read_back.step()
    assert looking.opensips.called("address_dump") == 1


def test_opensips_that_is_gone_is_an_error_and_keeps_what_was_found(looking: Looking) -> None:
    looking.target(1, resources="gw")
    looking.reload()
    looking.look()
    looking.opensips.stop()
    looking.now = 3600
    with pytest.raises(NotRunning):
        looking.read_back.step()
    assert looking.dropped(TARGETS) == ["sip:10.0.0.1:5060"]


@pytest.mark.parametrize("answer", [None, [], ""])
def test_no_media_proxies_are_no_error(answer: object) -> None:
    assert list(LOADED[Table.MEDIA_PROXIES].parse(answer)) == []
