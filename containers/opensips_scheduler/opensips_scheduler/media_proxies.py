"""Which media proxies OpenSIPS may use: those of the table that answer.

OpenSIPS would find out by itself, but at the price of calls: a proxy that is silent holds up the worker that asks it,
and a proxy that comes up late stays disabled. So the proxies are asked here, over rtpengine's own control protocol, and
only those that answer come into OpenSIPS's file.

A proxy is in two sets: in the table's own, for new calls, and alone in one numbered by the lower three bytes of its
address, by which OpenSIPS finds the proxy of a call that it has. A proxy that leaves the table leaves the first at once
and the second when it no longer answers: its calls end where they began.
"""

import selectors
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from opensips_scheduler import schema
from opensips_scheduler.errors import UnusableRow
from opensips_scheduler.rows import check_host_port
from routing import MediaProxy

MISSES_ALLOWED: Final = 3
"""Pings in a row that a proxy in use may leave unanswered; packets do get lost."""

_PING: Final = b"d7:command4:pinge"
_PONG: Final = b"4:pong"


def parse_socket(value: str) -> tuple[str, int]:
    """Return the address and the port of `udp:<IPv4 address>:<port>`.

    Raises:
        UnusableRow: when it is none.

    """
    scheme, _, address = value.partition(":")
    if scheme != "udp" or "[" in address:
        raise UnusableRow(f"socket is {value!r}, not udp:<IPv4 address>:<port>")
    return check_host_port("socket", address)


def own_set(value: str) -> int:
    """Return the number of the set that a proxy is alone in."""
    _, second, third, fourth = (int(part) for part in parse_socket(value)[0].split("."))
    return second << 16 | third << 8 | fourth


def ping(sockets: Iterable[str], seconds: float) -> set[str]:
    """Ask proxies whether they are there, all at once, and return those that answer in time."""
    waiting = set(sockets)
    answered: set[str] = set()
    with selectors.DefaultSelector() as selector:
        for proxy in waiting:
            asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            asking.setblocking(False)
            selector.register(asking, selectors.EVENT_READ, proxy)
            try:
                # Connected, so that nobody else's datagram counts, and a closed port is told at once.
                asking.connect(parse_socket(proxy))
                asking.send(b"ping " + _PING)
            except OSError:
                continue
        deadline = time.monotonic() + seconds
        while answered != waiting and (left := deadline - time.monotonic()) > 0:
            for ready, _ in selector.select(left):
                try:
                    answer = ready.fileobj.recv(2048)  # type: ignore[union-attr]
                except OSError:
                    selector.unregister(ready.fileobj)
                    ready.fileobj.close()  # type: ignore[union-attr]
                    continue
                if answer.startswith(b"ping ") and _PONG in answer:
                    answered.add(str(ready.data))
            if not selector.get_map():
                break
        for key in list(selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
    return answered


@dataclass(slots=True)
class MediaProxies:
    """Keeps OpenSIPS's table of proxies to those that answer.

    Attributes:
        path: OpenSIPS's file.
        ask: pings proxies and returns those that answer.
        listed: the proxies of the routing table, by socket; None until they were read, and so long what was written
            earlier is left alone.

    """

    path: Path
    ask: Callable[[Iterable[str]], set[str]]
    listed: Mapping[str, MediaProxy] | None = None
    _misses: dict[str, int] = field(default_factory=dict)
    _in_file: set[tuple[str, int]] = field(default_factory=set)

    def check(self) -> bool:
        """Ask every proxy, write the sets, and tell whether they changed, so that OpenSIPS must read them."""
        listed = self.listed
        if listed is None:
            return False
        written = self._written()
        known = {proxy for proxy, _ in written}
        answering = self.ask(known | set(listed))
        for proxy in known | set(listed):
            self._misses[proxy] = 0 if proxy in answering else self._misses.get(proxy, 0) + 1
        usable = {proxy for proxy in known if self._misses[proxy] < MISSES_ALLOWED} | answering
        wanted = {(proxy, own_set(proxy)) for proxy in usable}
        wanted |= {(proxy, row.set_id) for proxy, row in listed.items() if proxy in usable}
        for proxy in set(self._misses) - known - set(listed):
            del self._misses[proxy]
        if wanted != written:
            self._write(written - wanted, wanted - written)
        self._in_file = wanted
        return wanted != written

    def usable(self) -> set[str]:
        """Return the proxies that take new calls, as of the last check."""
        listed = {(proxy, row.set_id) for proxy, row in (self.listed or {}).items()}
        return {proxy for proxy, _ in self._in_file & listed}

    def _written(self) -> set[tuple[str, int]]:
        connection = schema.connect(self.path)
        try:
            return set(connection.execute("SELECT socket, set_id FROM rtpengine"))
        finally:
            connection.close()

    def _write(self, gone: Iterable[tuple[str, int]], new: Iterable[tuple[str, int]]) -> None:
        connection = schema.connect(self.path)
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("DELETE FROM rtpengine WHERE socket = ? AND set_id = ?", gone)
            connection.executemany("INSERT INTO rtpengine (socket, set_id) VALUES (?, ?)", new)
            connection.execute("COMMIT")
        finally:
            connection.close()
