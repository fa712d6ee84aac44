"""Carries the contacts that OpenSIPS holds into the registrations table, and back into a gateway that starts anew.

OpenSIPS writes each contact to its file as it registers, refreshes, expires or leaves. Triggers note which contact it
was, in the same transaction (`schema`); what became of it is read from the file when it is sent. So no change is lost,
and neither order nor repetition matters: the last state of the file is what is written in the end.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from opensips_scheduler import schema
from opensips_scheduler.contact_identifiers import ContactIdentifiers
from routing import Registration, RegistrationReader, RegistrationWriter, contact_id

_WAITING: Final = "SELECT count(*) FROM contact_change WHERE username <> ''"

_BATCH: Final = 500
"""Changes that are taken at a time."""

_RESTORED: Final = 1
"""What the file's user version says after contacts were restored into it."""

_COLUMNS: Final = "username, contact, received, socket, user_agent, last_modified, expires"


class Contacts:
    """The contacts of one gateway.

    Args:
        path: OpenSIPS's file; its tables are made where they are missing.
        gateway: the name that this gateway keeps when it is replaced: the address that clients know it by.
        writer: the registrations table.

    Attributes:
        waiting: changes that were not written when last looked at.

    Raises:
        sqlite3.DatabaseError: when the file is corrupt.

    """

    def __init__(self, path: Path, gateway: str, writer: RegistrationWriter) -> None:
        schema.create_gateway_database(path)
        self._connection = schema.connect(path)
        self._gateway, self._writer = gateway, writer
        self.waiting = 0

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def send(self) -> int:
        """Write the contacts that changed since the last time; return how many. What fails is sent again next time."""
        query = "SELECT seq, username, contact FROM contact_change WHERE username <> '' ORDER BY seq LIMIT ?"
        changes = self._connection.execute(query, (_BATCH,)).fetchall()
        (self.waiting,) = self._connection.execute(_WAITING).fetchone()
        if not changes:
            return 0
        wanted = {
            (username, contact_id(self._gateway, username, contact)): self._current(username, contact)
            for _, username, contact in changes
        }
        self._writer.write(wanted)
        # A contact that changed meanwhile has a change of its own beyond this number. The last row stays, emptied,
        # until there is a later one: numbers are given out from it on, and none is given out twice.
        last = changes[-1][0]
        self._connection.execute("UPDATE contact_change SET username = '', contact = '' WHERE seq = ?", (last,))
        self._connection.execute("DELETE FROM contact_change WHERE seq < ?", (last,))
        self.waiting -= len(changes)
        return len(wanted)

    def _current(self, username: str, contact: str) -> Registration | None:
        query = f"SELECT {_COLUMNS} FROM location WHERE username = ? AND contact = ? ORDER BY expires DESC LIMIT 1"  # noqa: S608
        row = self._connection.execute(query, (username, contact)).fetchone()
        return None if row is None else _registration(self._gateway, row)


def _registration(gateway: str, row: tuple[str, str, str | None, str | None, str | None, str, int]) -> Registration:
    username, contact, received, socket, user_agent, last_modified, expires = row
    return Registration(
        username=username,
        contact_id=contact_id(gateway, username, contact),
        contact=contact,
        socket=socket or "",
        received=received or None,
        user_agent=user_agent or None,
        gateway=gateway,
        # OpenSIPS writes the machine's local time, without a zone.
        last_modified=int(time.mktime(time.strptime(last_modified, "%Y-%m-%d %H:%M:%S"))),
        expires=expires,
    )


def restore(
    path: Path, reader: RegistrationReader, gateway: str, socket: str, clock: Callable[[], float] = time.time
) -> int:
    """Put the contacts that a gateway of this name held into a new file; return how many.

    It is done before OpenSIPS starts, which then takes the rows for its own. The socket is this gateway's: the one that
    held them listened on another address. It is done once in the life of a file.

    Args:
        path: the file; its tables are made where they are missing.
        reader: the registrations table.
        gateway: see `Contacts`.
        socket: where OpenSIPS listens, `udp:10.0.0.1:5060`.
        clock: seconds since the epoch.

    """
    schema.create_gateway_database(path)
    connection = schema.connect(path)
    try:
        connection.execute("BEGIN IMMEDIATE")
        if connection.execute("PRAGMA user_version").fetchone() == (_RESTORED,):
            connection.execute("ROLLBACK")
            return 0
        contacts, identifiers = reader.contacts_of_gateway(gateway, clock()), ContactIdentifiers()
        restored = connection.executemany(
            "INSERT INTO location (contact_id, username, contact, received, socket, user_agent, last_modified, expires,"
            " callid, cflags, cseq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)",
            ((identifiers.next(contact.username), *_restored_row(contact, socket)) for contact in contacts),
        ).rowcount
        connection.execute(f"PRAGMA user_version = {_RESTORED}")
        connection.execute("COMMIT")
        return max(restored, 0)
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    finally:
        connection.close()


def _restored_row(contact: Registration, socket: str) -> tuple[object, ...]:
    """Return the columns that `restore` writes, without the first."""
    return (
        contact.username,
        contact.contact,
        contact.received,
        socket,
        contact.user_agent or "",
        time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(contact.last_modified)),
        contact.expires or 0,
        f"restored-{contact.contact_id}",
        # A contact behind NAT is pinged, which this flag says (nat_bflag of the gateway's configuration).
        "NAT" if contact.received else None,
    )
