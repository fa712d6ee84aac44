"""What OpenSIPS says that it has loaded, and what the file holds, in one form, so that they can be compared.

A row is named as people know it: `sip:10.0.0.1:5060`, `192.0.2.0/28`, `sip.example.org`, `udp:10.0.0.1:2223`. It comes
with what must be equal beside the name: a group, a resource, a set.
"""

import ipaddress
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from opensips_scheduler.rows import resource_name
from routing import Table

LoadedRow = tuple[str, str]
"""The name, and what belongs to it."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """How a table is read back.

    Attributes:
        reload: the command that has OpenSIPS read it.
        dumps: the commands that tell what it has.
        parse: takes the rows out of an answer.
        query: reads the same columns from the file.
        row: makes a row of the columns.

    """

    reload: str
    dumps: tuple[str, ...]
    parse: Callable[[Any], Iterator[LoadedRow]]
    query: str
    row: Callable[..., LoadedRow]

    def of_file(self, connection: sqlite3.Connection) -> set[LoadedRow]:
        """Return the rows of the file."""
        return {self.row(*columns) for columns in connection.execute(self.query)}


def _target(uri: str, group: int, resource: str) -> LoadedRow:
    return uri, f"group {group}, resource {resource}"


def _targets(answer: Any) -> Iterator[LoadedRow]:
    for each in answer["Destinations"]:
        for resource in each["Resources"]:
            yield _target(each["uri"], each["group"], resource["name"])


def _address(ip: str, mask: int | str, group: int) -> LoadedRow:
    try:
        if isinstance(mask, str) and not mask.isdecimal():
            # subnet_dump has the mask written out; address_dump and the file have the length of the prefix.
            mask = int(ipaddress.ip_address(mask)).bit_count()
        name = str(ipaddress.ip_network(f"{ip}/{mask}", strict=False))
    except ValueError:
        name = f"{ip}/{mask}"  # a row of the file that is none, which OpenSIPS drops
    return name, f"group {group}"


def _addresses(answer: Any) -> Iterator[LoadedRow]:
    for partition in answer["Partitions"]:
        for each in partition["Destinations"]:
            yield _address(each["ip"], each["mask"], each["grp"])


def _domains(answer: Any) -> Iterator[LoadedRow]:
    for each in answer["Domains"]:
        yield each["name"], ""


def _proxies(answer: Any) -> Iterator[LoadedRow]:
    for each in answer or ():  # null where OpenSIPS knows none
        for node in each["Nodes"]:
            yield node["url"], f"set {each['Set']}"


LOADED: Final[Mapping[Table, Loaded]] = {
    Table.LOAD_BALANCER_TARGETS: Loaded(
        "lb_reload",
        ("lb_list",),
        _targets,
        "SELECT dst_uri, group_id, resources FROM load_balancer",
        lambda uri, group, resources: _target(uri, group, resource_name(resources)),
    ),
    Table.ADDRESSES: Loaded(
        "address_reload",
        ("address_dump", "subnet_dump"),
        _addresses,
        "SELECT ip, mask, grp FROM address",
        _address,
    ),
    Table.DOMAINS: Loaded(
        "domain_reload", ("domain_dump",), _domains, "SELECT domain FROM domain", lambda name: (name, "")
    ),
    Table.MEDIA_PROXIES: Loaded(
        "rtpengine_reload",
        ("rtpengine_show",),
        _proxies,
        "SELECT socket, set_id FROM rtpengine",
        lambda name, number: (name, f"set {number}"),
    ),
}
"""Every table that OpenSIPS keeps in memory. Subscribers are not among them: it reads the file at each request."""
