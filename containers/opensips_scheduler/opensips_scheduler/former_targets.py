"""Switches that are targets no longer, and whose calls go on.

A switch that is told to stop leaves the table of targets at once, and may have live calls for hours. One of them may
dial a client: the gateway must know the switch by its address then, as it does while it is a target. So its row stays
in OpenSIPS's file, in a group that no call asks for, without statistics and without probes, for as long as the longest
call.
"""

import sqlite3
from collections.abc import Iterable
from typing import Final

GROUP: Final = 2**31 - 1
"""The group of former targets. An address's group is below it, so that no call is balanced over them."""

KEPT_SECONDS: Final = 6 * 3600.0
"""A dialog's longest life (`default_timeout` of the gateways' configuration): afterwards no call is left."""

PRESENT: Final = "former_since IS NULL"
"""The rows of OpenSIPS's table that are targets."""

_KEEP = """
    UPDATE load_balancer
    SET group_id = ?, resources = substr(resources, 1, instr(resources, '=')) || '0', probe_mode = 0, attrs = NULL,
        former_since = ?
    WHERE dst_uri = ? AND former_since IS NULL
"""


def keep(connection: sqlite3.Connection, dst_uris: Iterable[str], now: float) -> None:
    """Have targets be targets no longer; one that is none already stays as it is.

    Args:
        connection: OpenSIPS's file, in a transaction.
        dst_uris: the targets.
        now: seconds since the epoch.

    """
    connection.executemany(_KEEP, [(GROUP, now, dst_uri) for dst_uri in dst_uris])


def purge(connection: sqlite3.Connection, now: float) -> int:
    """Forget those whose last call is over for certain; return how many.

    One that left in the future, by a clock that was put back since, would never go: it is kept from now on at most.

    Args:
        connection: OpenSIPS's file; one statement writes.
        now: seconds since the epoch.

    """
    connection.execute("UPDATE load_balancer SET former_since = ? WHERE former_since > ?", (now, now))
    return connection.execute("DELETE FROM load_balancer WHERE former_since <= ?", (now - KEPT_SECONDS,)).rowcount


def count(connection: sqlite3.Connection) -> int:
    """Return how many there are."""
    (number,) = connection.execute("SELECT count(former_since) FROM load_balancer").fetchone()
    return int(number)
