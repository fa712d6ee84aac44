"""Contacts go from OpenSIPS's file into the registrations table, and back into a fresh gateway."""

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from opensips_scheduler import schema
from opensips_scheduler.contacts import Contacts, restore
from opensips_scheduler.schema import is_corrupt
from routing import Registration, RegistrationReader, RegistrationWriter, Table
from tests.support.routing_tables import NAMES, rows

GATEWAY = "203.0.113.7"
NOW = int(time.time())


class OpenSips:
    """Writes contacts as OpenSIPS does: each in a transaction of its own, from a process of its own."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, timeout=5)

    def close(self) -> None:
        self._connection.close()

    def execute(self, statement: str, *values: object) -> None:
        with self._connection:
            self._connection.execute(statement, values)

    def register(self, username: str, contact: str, expires: int = NOW + 600) -> None:
        modified = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(NOW))
        self.execute(
            "INSERT INTO location (username, contact, received, socket, user_agent, last_modified, expires, callid,"
            " cseq) VALUES (?, ?, 'sip:198.51.100.9:1024', 'udp:10.0.0.5:5060', 'Phone', ?, ?, 'x', 1)",
            username,
            contact,
            modified,
            expires,
        )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gateway.db"


@pytest.fixture
def contacts(path: Path, dynamodb: Any) -> Iterator[Contacts]:
    opened = Contacts(path, GATEWAY, RegistrationWriter(dynamodb, NAMES))
    yield opened
    opened.close()


@pytest.fixture
def opensips(contacts: Contacts, path: Path) -> Iterator[OpenSips]:
    opened = OpenSips(path)
    yield opened
    opened.close()


def registered() -> dict[str, tuple[object, ...]]:
    return {str(row["contact"]): (row["username"], row["expires"]) for row in rows(Table.REGISTRATIONS)}


def test_a_contact_is_written_as_a_dial_string_needs_it(contacts: Contacts, opensips: OpenSips, dynamodb: Any) -> None:
    opensips.register("user1", "sip:user1@192.168.1.75:5060")
    assert contacts.send() == 1
    (found,) = RegistrationReader(dynamodb, NAMES).current_contacts("user1", NOW)
    assert (found.contact, found.received) == ("sip:user1@192.168.1.75:5060", "sip:198.51.100.9:1024")
    assert (found.socket, found.user_agent, found.gateway) == ("udp:10.0.0.5:5060", "Phone", GATEWAY)
    assert (found.last_modified, found.expires) == (NOW, NOW + 600)


def test_refresh_expiry_and_removal_follow(contacts: Contacts, opensips: OpenSips) -> None:
    for number in (1, 2, 3):
        opensips.register("user1", f"sip:{number}")
    assert contacts.send() == 3
    opensips.execute("UPDATE location SET expires = ? WHERE contact = 'sip:1'", NOW + 900)
    opensips.execute("DELETE FROM location WHERE contact = 'sip:2'")
    opensips.execute("UPDATE location SET contact = 'sip:4' WHERE contact = 'sip:3'")
    assert contacts.send() == 4
    assert registered() == {"sip:1": ("user1", NOW + 900), "sip:4": ("user1", NOW + 600)}
    assert contacts.send() == 0


def test_many_changes_of_one_contact_are_one_write(contacts: Contacts, opensips: OpenSips) -> None:
    opensips.register("user1", "sip:1")
    for seconds in range(20):
        opensips.execute("UPDATE location SET expires = ?", NOW + seconds)
    assert contacts.send() == 1
    assert registered() == {"sip:1": ("user1", NOW + 19)}


def test_what_could_not_be_sent_is_sent_by_the_next_scheduler(
    contacts: Contacts, opensips: OpenSips, path: Path, dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    opensips.register("user1", "sip:1")
    with monkeypatch.context() as offline:

        def fail(**_: Any) -> None:
            raise EndpointConnectionError(endpoint_url="https://dynamodb")

        offline.setattr(dynamodb, "batch_write_item", fail)
        with pytest.raises(EndpointConnectionError):
            contacts.send()
    assert registered() == {}
    successor = Contacts(path, GATEWAY, RegistrationWriter(dynamodb, NAMES))
    assert successor.send() == 1
    successor.close()
    assert set(registered()) == {"sip:1"}


def test_more_than_a_batch_arrives_whole(contacts: Contacts, opensips: OpenSips) -> None:
    for number in range(60):
        opensips.register(f"user{number}", f"sip:{number}")
    contacts.send()
    assert len(registered()) == 60


def test_a_fresh_gateway_has_the_contacts_of_the_one_that_it_replaces(
    contacts: Contacts, opensips: OpenSips, tmp_path: Path, dynamodb: Any
) -> None:
    opensips.register("user1", "sip:1")
    opensips.register("user2", "sip:2", expires=NOW - 5)
    contacts.send()
    other = Registration("user3", "x", "sip:3", "udp:10.0.0.6:5060", gateway="203.0.113.8", expires=NOW + 600)
    RegistrationWriter(dynamodb, NAMES).write({("user3", "x"): other})
    fresh, reader = tmp_path / "fresh.db", RegistrationReader(dynamodb, NAMES)
    assert restore(fresh, reader, GATEWAY, "udp:10.0.0.99:5060") == 1
    connection = sqlite3.connect(fresh)
    found = connection.execute("SELECT username, contact, received, socket, expires FROM location").fetchall()
    connection.close()
    assert found == [("user1", "sip:1", "sip:198.51.100.9:1024", "udp:10.0.0.99:5060", NOW + 600)]
    assert restore(fresh, reader, GATEWAY, "udp:10.0.0.99:5060") == 0


def test_restored_contacts_are_told_with_the_new_socket(
    contacts: Contacts, opensips: OpenSips, tmp_path: Path, dynamodb: Any
) -> None:
    opensips.register("user1", "sip:1")
    contacts.send()
    fresh, reader = tmp_path / "fresh.db", RegistrationReader(dynamodb, NAMES)
    restore(fresh, reader, GATEWAY, "udp:10.0.0.99:5060")
    successor = Contacts(fresh, GATEWAY, RegistrationWriter(dynamodb, NAMES))
    assert successor.send() == 1
    successor.close()
    (found,) = reader.current_contacts("user1", NOW)
    assert found.socket == "udp:10.0.0.99:5060"


@pytest.mark.parametrize(("content", "corrupt"), [(b"no database at all, however long it is" * 50, True), (b"", False)])
def test_a_corrupt_file_is_told_from_a_new_one(path: Path, content: bytes, corrupt: bool) -> None:
    assert not is_corrupt(path)
    path.write_bytes(content)
    assert is_corrupt(path) is corrupt


def test_no_number_of_a_change_is_given_out_twice(tmp_path: Path, dynamodb: Any) -> None:
    """Another scheduler may still be at work on the numbers that it read: it must not forget a later change."""
    path = tmp_path / "gateway.db"
    contacts = Contacts(path, "203.0.113.7", RegistrationWriter(dynamodb, NAMES))
    numbers = set()
    with contextlib.closing(schema.connect(path)) as connection:
        for turn in range(3):
            connection.execute("INSERT INTO contact_change (username, contact) VALUES ('user1', ?)", (f"sip:{turn}",))
            query = "SELECT max(seq) FROM contact_change"
            numbers.add(connection.execute(query).fetchone())
            assert contacts.send() == 1
            assert contacts.send() == 0
    assert len(numbers) == 3
    contacts.close()
