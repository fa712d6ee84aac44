"""What should be in the tables: kept by whoever starts tasks and sends jobs, with no word from the system itself."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

from routing import Table

Rows = dict[str, str]
"""What a table should hold: keys, and what must be equal beside them."""
_SIP_PORTS = {5060: "gw", 5080: "gwalt"}
_CONTROL_PORT = 2223


@dataclass
class Truth:
    """The truth.

    Attributes:
        group: of switches in this region.
        switches: addresses of those that run, by name.
        media_proxies: addresses of those that run, by task.
        gateways: addresses of the client gateways that run, by task.
        addresses: who may call, with the group.
        subscribers: the MD5 digest of each.

    """

    group: int = 1
    switches: dict[str, str] = field(default_factory=dict)
    media_proxies: dict[str, str] = field(default_factory=dict)
    gateways: dict[str, list[str]] = field(default_factory=dict)
    addresses: dict[str, int] = field(default_factory=dict)
    subscribers: dict[str, str] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def rows(self, table: Table) -> Rows:
        """Return what a table should hold.

        Raises:
            KeyError: for a table that nothing is known of.

        """
        with self._lock:
            return {
                Table.LOAD_BALANCER_TARGETS: {
                    f"sip:{address}:{port}": f"group {self.group}, {resource}"
                    for address in self.switches.values()
                    for port, resource in _SIP_PORTS.items()
                },
                Table.MEDIA_PROXIES: {f"udp:{each}:{_CONTROL_PORT}": "" for each in self.media_proxies.values()},
                Table.DOMAINS: {address: "" for gateway in self.gateways.values() for address in gateway},
                Table.ADDRESSES: {address: f"group {group}" for address, group in self.addresses.items()},
                Table.SUBSCRIBERS: dict(self.subscribers),
            }[table]

    def permit(self, address: str, group: int) -> None:
        """An address may call."""
        with self._lock:
            self.addresses[address] = group

    def forbid(self, address: str) -> None:
        """An address may not call any more."""
        with self._lock:
            self.addresses.pop(address, None)

    def subscribe(self, username: str, digest: str) -> None:
        """A client has credentials."""
        with self._lock:
            self.subscribers[username] = digest

    def unsubscribe(self, username: str) -> None:
        """A client has none any more."""
        with self._lock:
            self.subscribers.pop(username, None)

    def switch_runs(self, name: str, address: str) -> None:
        """A switch takes calls."""
        with self._lock:
            self.switches[name] = address

    def switch_ends(self, name: str) -> None:
        """A switch takes no new calls."""
        with self._lock:
            del self.switches[name]


def differences(wanted: Rows, found: Rows) -> list[str]:
    """Return what is in one and not in the other, a line each."""
    lines = [f"{key} is missing" for key in sorted(wanted.keys() - found.keys())]
    lines += [f"{key} should not be there" for key in sorted(found.keys() - wanted.keys())]
    both: Iterable[str] = sorted(wanted.keys() & found.keys())
    lines += [f"{key} has {found[key]}, not {wanted[key]}" for key in both if wanted[key] != found[key]]
    return lines
