"""What a row of a routing table is in OpenSIPS's files, checked so that OpenSIPS can use it.

OpenSIPS answers OK to a reload and skips what it cannot use, with a line in its log only; a host name in a target would
have it resolve DNS before the reload ends. So both are refused here, by name.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from opensips_scheduler import former_targets
from opensips_scheduler.errors import InvalidSetting, UnusableRow
from routing import Address, Domain, LoadBalancerTarget, MediaProxy, Record, Subscriber, Table
from routing.fields import normalise_source_ip

_HOST_PORT = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[0-9.]+):(?P<port>[0-9]{1,5})")
_DOMAIN = re.compile(r"[A-Za-z0-9.:_-]{1,253}|\[[0-9a-fA-F:.]+\]")
_PASSWORD = re.compile(r"[A-Za-z0-9._~!$*+-]{1,128}")
_GROUP_MAXIMUM: Final = 32_767
"""OpenSIPS reads the group of an address into a short."""


@dataclass(frozen=True, slots=True)
class SqlTable:
    """Where the rows of a routing table go.

    Attributes:
        name: OpenSIPS's table.
        key: the columns that identify a row.
        columns: every column that is written, the key's first.
        reload: the management command that has OpenSIPS read the table; None where it reads it at each request.
        present: which rows are the routing table's, where OpenSIPS's table has others, too.

    """

    name: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    reload: str | None
    present: str = "TRUE"


SQL_TABLES: Final[Mapping[Table, SqlTable]] = {
    Table.LOAD_BALANCER_TARGETS: SqlTable(
        "load_balancer",
        ("dst_uri",),
        ("dst_uri", "group_id", "resources", "probe_mode", "attrs", "former_since"),
        "lb_reload",
        former_targets.PRESENT,
    ),
    Table.ADDRESSES: SqlTable("address", ("ip", "mask"), ("ip", "mask", "grp"), "address_reload"),
    Table.SUBSCRIBERS: SqlTable("subscriber", ("username",), ("username", "ha1", "ha1_sha256", "ha1_sha512t256"), None),
    Table.DOMAINS: SqlTable("domain", ("domain",), ("domain",), "domain_reload"),
}
"""The tables that are written as they are. Media proxies are not among them: they are written as they answer."""

FAIL_CLOSED: Final = frozenset({Table.ADDRESSES, Table.SUBSCRIBERS})
"""Tables whose unusable rows lose their earlier state, too: what lets somebody in must be what the table says now. In
the others the last good state of the row stays, so that a writer's mistake does not empty the load balancer."""


class RowBuilder:
    """Turns records into rows.

    Args:
        event_socket_password: what OpenSIPS tells FreeSWITCH's event socket; it stands in a URL.
        answers: tells whether an event socket answers; none is asked where it is None.

    Raises:
        InvalidSetting: for a password that cannot stand in OpenSIPS's URL as it is.

    """

    def __init__(self, event_socket_password: str, answers: Callable[[str], bool] | None = None) -> None:
        if not _PASSWORD.fullmatch(event_socket_password):
            raise InvalidSetting(
                "FS_EVENT_SOCKET_PASSWORD is empty, too long, or has characters other than letters, digits and ._~!$*+-"
            )
        self._password, self._answers = event_socket_password, answers

    def row(self, record: Record) -> tuple[object, ...]:
        """Return the values of the columns of a record's table.

        Raises:
            UnusableRow: naming the attribute that OpenSIPS could not use.

        """
        match record:
            case LoadBalancerTarget():
                return self._target(record)
            case Address():
                if record.group_id > _GROUP_MAXIMUM:
                    raise UnusableRow(f"group_id is {record.group_id}, more than {_GROUP_MAXIMUM}")
                return (*key_of(Table.ADDRESSES, record.source_ip), record.group_id)
            case Subscriber():
                return record.username, record.ha1, record.ha1_sha256, record.ha1_sha512t256
            case Domain():
                if not _DOMAIN.fullmatch(record.domain):
                    raise UnusableRow(f"domain is {record.domain!r}, not a host name or an address")
                return (record.domain,)
            case MediaProxy():
                raise UnusableRow("media proxies are written as they answer")

    def _target(self, target: LoadBalancerTarget) -> tuple[object, ...]:
        scheme, _, address = target.dst_uri.partition(":")
        if scheme != "sip":
            raise UnusableRow(f"dst_uri is {target.dst_uri!r}, not sip:<address>:<port>")
        check_host_port("dst_uri", address)
        check_host_port("event_socket", target.event_socket)
        resources = self.resources(target.resource, target.event_socket)
        return target.dst_uri, target.group_id, resources, target.probe_mode, target.event_socket, None

    def resources(self, name: str, event_socket: str) -> str:
        """Return what a target has of a resource: what its switch reports, or nothing free while it does not answer."""
        answers = self._answers is None or self._answers(event_socket)
        return f"{name}=fs://:{self._password}@{event_socket}" if answers else f"{name}=0"


def resource_name(resources: str) -> str:
    """Return the name in what `RowBuilder.resources` made."""
    return resources.partition("=")[0]


def key_of(table: Table, key: str) -> tuple[object, ...]:
    """Return the values of the key columns of the row with that key in the routing table.

    Raises:
        UnusableRow: when nothing that was ever written can have that key.

    """
    if table is not Table.ADDRESSES:
        return (key,)
    try:
        network = ipaddress.ip_network(normalise_source_ip(key))
    except ValueError as error:
        raise UnusableRow(str(error)) from None
    return str(network.network_address), network.prefixlen


def check_host_port(name: str, value: str) -> tuple[str, int]:
    """Return the address and the port of `<address>:<port>`, an IPv6 address in brackets.

    Raises:
        UnusableRow: naming the attribute, when it is none; a host name is none, for it would have to be resolved.

    """
    match = _HOST_PORT.fullmatch(value)
    if match is None or not 0 < int(match["port"]) < 65_536:
        raise UnusableRow(f"{name} is {value!r}, not <address>:<port>")
    try:
        ipaddress.ip_address(match["host"].strip("[]"))
    except ValueError:
        raise UnusableRow(f"{name} is {value!r}, whose host is no IP address") from None
    return match["host"], int(match["port"])
