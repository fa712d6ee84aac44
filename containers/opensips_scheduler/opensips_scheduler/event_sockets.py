"""Which switches' event sockets answer: only those are given to OpenSIPS as a source of statistics.

One process of OpenSIPS connects to all event sockets, one after the other, and holds a lock meanwhile that a reload of
the targets needs. A socket that neither answers nor refuses would hold up every reload, and every other switch's
statistics, for as long as a connection is waited for. So the sockets are asked here first, all at once. A switch whose
socket does not answer stays a target, without statistics: it counts as having no free capacity, and is taken when no
other has more.
"""

import logging
import selectors
import socket
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from opensips_scheduler import schema
from opensips_scheduler.rows import check_host_port, resource_name

logger = logging.getLogger(__name__)

MISSES_ALLOWED: Final = 3
"""Times in a row that a socket in use may leave unanswered: a busy switch may be slow once."""

_GREETING: Final = b"Content-Type: auth/request"
"""What FreeSWITCH sends first; one that does not let this address in sends `text/rude-rejection`."""


def ask(sockets: Iterable[str], seconds: float) -> set[str]:
    """Connect to event sockets, all at once, and return those whose switch greets in time."""
    answered: set[str] = set()
    with selectors.DefaultSelector() as selector:
        for event_socket in set(sockets):
            host, port = check_host_port("event_socket", event_socket)
            family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
            asking = socket.socket(family, socket.SOCK_STREAM)
            asking.setblocking(False)
            selector.register(asking, selectors.EVENT_READ, (event_socket, bytearray()))
            asking.connect_ex((host.strip("[]"), port))  # whatever goes wrong shows when it is read
        deadline = time.monotonic() + seconds
        while selector.get_map() and (left := deadline - time.monotonic()) > 0:
            for ready, _ in selector.select(left):
                name, received = ready.data
                try:
                    piece = ready.fileobj.recv(1024)  # type: ignore[union-attr]
                except OSError:
                    piece = b""
                received += piece
                if received.startswith(_GREETING):
                    answered.add(name)
                elif piece and _GREETING.startswith(received):
                    continue  # the rest of it is still to come
                selector.unregister(ready.fileobj)
                ready.fileobj.close()  # type: ignore[union-attr]
        for key in list(selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
    return answered


class EventSockets:
    """Keeps OpenSIPS's targets to statistics of switches that answer.

    Args:
        path: OpenSIPS's file. A target that has statistics there keeps them until its switch is found silent, so that
            a restart of this process changes nothing.
        ask: connects to event sockets and returns those that answer.

    Attributes:
        silent: the event sockets of targets that did not answer when they were asked last.

    """

    def __init__(self, path: Path, ask: Callable[[Iterable[str]], set[str]]) -> None:
        self._path, self._ask = path, ask
        self._misses: dict[str, int] = {}
        self._answering = {event_socket for _, resources, event_socket in self._targets() if "fs://" in resources}
        self.silent: frozenset[str] = frozenset()

    def answers(self, event_socket: str) -> bool:
        """Tell whether a switch's event socket answers; one that was never asked does not."""
        return event_socket in self._answering

    def check(self, resources: Callable[[str, str], str]) -> bool:
        """Ask every switch, write what changed, and tell whether anything did, so that OpenSIPS must read it.

        Args:
            resources: makes the column of a resource and an event socket, by what `answers` says.

        """
        targets = self._targets()
        sockets = {event_socket for _, _, event_socket in targets}
        answering = self._ask(sockets) if sockets else set()
        for each in sockets:
            self._misses[each] = 0 if each in answering else self._misses.get(each, 0) + 1
        kept = {each for each in self._answering & sockets if self._misses[each] < MISSES_ALLOWED}
        for each in (self._answering & sockets) - kept - answering:
            logger.warning("event socket does not answer", extra={"event_socket": each})
        for each in set(self._misses) - sockets:
            del self._misses[each]
        self._answering = kept | answering
        self.silent = frozenset(sockets - self._answering)
        wanted = [
            (resources(resource_name(written), event_socket), dst_uri, written)
            for dst_uri, written, event_socket in targets
        ]
        changed = [row for row in wanted if row[0] != row[2]]
        if changed:
            self._write(changed)
        return bool(changed)

    def _targets(self) -> list[tuple[str, str, str]]:
        connection = schema.connect(self._path)
        try:
            query = "SELECT dst_uri, resources, attrs FROM load_balancer WHERE attrs IS NOT NULL"
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def _write(self, rows: list[tuple[str, str, str]]) -> None:
        connection = schema.connect(self._path)
        try:
            connection.execute("BEGIN IMMEDIATE")
            # A row that was written anew meanwhile is seen to next time.
            connection.executemany(
                "UPDATE load_balancer SET resources = ? WHERE dst_uri = ? AND resources = ? AND attrs IS NOT NULL", rows
            )
            connection.execute("COMMIT")
        finally:
            connection.close()
