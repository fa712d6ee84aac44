"""Whatever happens in whatever order, file and table come to say the same."""

import contextlib
import sqlite3
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opensips_scheduler import schema
from opensips_scheduler.contacts import Contacts
from opensips_scheduler.routing_database import RoutingDatabase
from opensips_scheduler.rows import RowBuilder
from routing import Address, ChangeSet, Registration, Table
from routing.reader import Page
from tests.containers.opensips_scheduler.conftest import PASSWORD

# --- the journal: a table of addresses and every change of it

SOURCES = tuple(f"192.0.2.{number}" for number in range(4))
WRITES = st.lists(st.tuples(st.sampled_from(SOURCES), st.none() | st.integers(1, 3)), max_size=30)
LOOKS = st.lists(
    st.tuples(st.sampled_from(["follow", "again", "compare", "restart"]), st.integers(0, 30), st.integers(1, 5)),
    max_size=12,
)


def state_at(writes: list[tuple[str, int | None]], position: int) -> dict[str, int]:
    """Return the table after some writes."""
    state: dict[str, int] = {}
    for source, group in writes[:position]:
        if group is None:
            state.pop(source, None)
        else:
            state[source] = group
    return state


def changes(writes: list[tuple[str, int | None]], after: int, to: int, head: int) -> ChangeSet:
    """Return what the journal tells of the changes after a position; rows are read later, and may be newer."""
    state, keys = state_at(writes, head), {source for source, _ in writes[after:to]}
    put = {key: Address(key, state[key]) for key in keys if key in state}
    return ChangeSet(Table.ADDRESSES, to, put, frozenset(keys - set(put)))


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(WRITES, LOOKS)
def test_following_comparing_and_repeating_in_any_order_end_in_the_table_s_state(
    writes: list[tuple[str, int | None]], looks: list[tuple[str, int, int]]
) -> None:
    head = len(writes)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "routing.db"
        database = RoutingDatabase(path, RowBuilder(PASSWORD))
        database.replace(Table.ADDRESSES, 0, [])
        for look, point, limit in looks:
            seen = min(point, head)  # how far the writer has come at this look
            position = database.position(Table.ADDRESSES)
            assert position is not None
            if look == "restart":
                database.close()
                database = RoutingDatabase(path, RowBuilder(PASSWORD))
            elif look == "compare":
                rows = tuple(Address(*row) for row in state_at(writes, max(seen, position)).items())
                database.replace(Table.ADDRESSES, max(seen, position), [Page(rows), Page(rows)])
            else:
                start = position if look == "follow" else max(position - limit, 0)
                to = min(start + limit, head)
                database.apply(changes(writes, start, max(to, position), max(seen, to, position)))
        position = database.position(Table.ADDRESSES) or 0
        database.apply(changes(writes, position, head, head))
        with contextlib.closing(sqlite3.connect(path)) as connection:
            found = dict(connection.execute("SELECT ip, grp FROM address"))
        assert found == state_at(writes, head)
        assert database.position(Table.ADDRESSES) == head
        again = database.apply(changes(writes, 0, head, head))
        assert again.changed == 0  # what is known needs no reload
        database.close()


# --- contacts: what OpenSIPS does to its table, and when the scheduler gets round to telling it

CONTACTS = st.sampled_from(["sip:1", "sip:2", "sip:3"])
USERS = st.sampled_from(["user1", "user2"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("register"), USERS, CONTACTS, st.integers(1, 9)),
        st.tuples(st.just("refresh"), USERS, CONTACTS, st.integers(1, 9)),
        st.tuples(st.just("leave"), USERS, CONTACTS, st.just(0)),
        st.tuples(st.just("move"), USERS, CONTACTS, st.just(0)),
        st.tuples(st.sampled_from(["send", "fail", "restart"]), st.just(""), st.just(""), st.just(0)),
    ),
    max_size=25,
)
STATEMENTS = {
    "refresh": "UPDATE location SET expires = :expires WHERE username = :user AND contact = :contact",
    "leave": "DELETE FROM location WHERE username = :user AND contact = :contact",
    "move": "UPDATE OR IGNORE location SET contact = 'sip:9' WHERE username = :user AND contact = :contact",
}


class Registrations:
    """A registrations table, which may be out of reach after part of a batch was written."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], int | None] = {}
        self.reachable = True

    def write(self, contacts: Mapping[tuple[str, str], Registration | None]) -> None:
        for number, (key, contact) in enumerate(contacts.items()):
            if not self.reachable and number == 1:
                raise TimeoutError
            self.rows.pop(key, None)
            if contact is not None:
                self.rows[contact.username, contact.contact_id] = contact.expires
        if not self.reachable:
            raise TimeoutError


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_contacts_come_to_be_what_opensips_has_whatever_fails_when(steps: list[tuple[str, str, str, int]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path, table = Path(directory) / "gateway.db", Registrations()
        schema.create_gateway_database(path)
        opensips = sqlite3.connect(path, isolation_level=None)
        contacts: Any = Contacts(path, "gateway", table)  # type: ignore[arg-type]
        for step, user, contact, expires in steps:
            if step == "restart":
                contacts.close()
                contacts = Contacts(path, "gateway", table)  # type: ignore[arg-type]
            elif step in ("send", "fail"):
                table.reachable = step == "send"
                with contextlib.suppress(TimeoutError):
                    contacts.send()
            elif step == "register":
                values = {"user": user, "contact": contact}
                opensips.execute(STATEMENTS["leave"], values)
                opensips.execute(
                    "INSERT INTO location (username, contact, last_modified, expires, callid, cseq) VALUES"
                    " (:user, :contact, '2026-01-01 00:00:00', :expires, 'x', 1)",
                    {**values, "expires": expires},
                )
            else:
                values = {"user": user, "contact": contact}
                opensips.execute(STATEMENTS[step], {**values, "expires": expires} if step == "refresh" else values)
        table.reachable = True
        while contacts.send():
            pass
        rows = opensips.execute("SELECT username, max(expires) FROM location GROUP BY username, contact").fetchall()
        assert sorted((user, expires) for (user, _), expires in table.rows.items()) == sorted(rows)
        opensips.close()
        contacts.close()
