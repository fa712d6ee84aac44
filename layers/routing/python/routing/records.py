"""The rows of the routing tables as values, checked when they are made."""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from routing.attribute_values import Value
from routing.errors import InvalidRecord
from routing.fields import check_number, check_text, normalise_source_ip
from routing.tables import Table

_HEX = re.compile(r"[0-9a-f]+")
_USERNAME_MAXIMUM = 255


@dataclass(frozen=True, slots=True)
class TaskStamp:
    """Which ECS task a row was made from, and at what point of that task's life.

    Attributes:
        arn: the task's ARN.
        version: the task's version (`detail.version`), which ECS increments with every change of the task.
        started_at: when the task began to run, milliseconds since the epoch; None when the event did not say. Of two
            tasks that had one address, the one that started later is the one that has it: their running times cannot
            overlap.

    """

    arn: str
    version: int
    started_at: int | None = None


class _Row:
    """What the records share: conversion to and from an item."""

    table: ClassVar[Table]
    __slots__ = ()

    @property
    def key(self) -> str:
        """The value of the table's partition key."""
        return str(getattr(self, self.table.key))

    def to_item(self) -> dict[str, Value]:
        """Return the row as an item, its task stamp as `task_*` attributes."""
        item: dict[str, Value] = {}
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if isinstance(value, TaskStamp):
                item |= task_attributes(value)
            elif value is not None:
                item[field.name] = value
        return item

    @classmethod
    def from_item(cls, item: Mapping[str, Value]) -> Self:
        """Make the row of an item, ignoring attributes that it does not know.

        Raises:
            InvalidRecord: naming the attribute that is missing or wrong.

        """
        values: dict[str, object] = {}
        for field in dataclasses.fields(cls):  # type: ignore[arg-type]
            if field.name == "task":
                values["task"] = task_stamp(item)
            elif field.name in item:
                values[field.name] = item[field.name]
            elif field.default is dataclasses.MISSING:
                raise InvalidRecord(f"{cls.table.value}: attribute {field.name} is missing")
        return cls(**values)


def task_attributes(task: TaskStamp) -> dict[str, Value]:
    """Return the attributes that a task's stamp has in a row."""
    attributes: dict[str, Value] = {"task_arn": task.arn, "task_version": task.version}
    if task.started_at is not None:
        attributes["task_started_at"] = task.started_at
    return attributes


def task_stamp(item: Mapping[str, Value]) -> TaskStamp | None:
    """Return the stamp of the task that a row was made from, None for a row that no task made."""
    arn = item.get("task_arn")
    if arn is None:
        return None
    version, started_at = item.get("task_version"), item.get("task_started_at")
    return TaskStamp(
        str(arn),
        version if isinstance(version, int) else 0,
        started_at if isinstance(started_at, int) else None,
    )


@dataclass(frozen=True, slots=True)
class LoadBalancerTarget(_Row):
    """One SIP address of a FreeSWITCH task, to which the gateways send calls.

    Attributes:
        dst_uri: SIP URI, `sip:10.0.0.1:5060`.
        group_id: load-balancing group, that of the region.
        resource: `gw` for the SIP port, `gwalt` for the alternative one.
        event_socket: host:port of FreeSWITCH's event socket, without a password.
        probe_mode: OpenSIPS's probing mode; 2 probes all the time.
        region: AWS region of the task.
        task: the task behind it.

    """

    table: ClassVar[Table] = Table.LOAD_BALANCER_TARGETS
    dst_uri: str
    group_id: int
    resource: str
    event_socket: str
    probe_mode: int
    region: str
    task: TaskStamp | None = None

    def __post_init__(self) -> None:
        check_text("dst_uri", self.dst_uri)
        check_number("group_id", self.group_id)
        if self.resource not in ("gw", "gwalt"):
            raise InvalidRecord(f"resource is {self.resource!r}, not gw or gwalt")
        check_text("event_socket", self.event_socket)
        check_number("probe_mode", self.probe_mode)
        check_text("region", self.region)


@dataclass(frozen=True, slots=True)
class Address(_Row):
    """A carrier's source address and the group of the region that its calls go to.

    Attributes:
        source_ip: an IPv4 or IPv6 address or a CIDR; it is normalised (`2001:DB8::1/128` becomes `2001:db8::1`).
        group_id: load-balancing group.

    """

    table: ClassVar[Table] = Table.ADDRESSES
    source_ip: str
    group_id: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "source_ip", normalise_source_ip(self.source_ip))
        check_number("group_id", self.group_id)


@dataclass(frozen=True, slots=True)
class Subscriber(_Row):
    """A SIP client's credentials: digests of `username:realm:password`, never the password.

    Attributes:
        username: the SIP user.
        ha1: MD5, 32 hexadecimal characters.
        ha1_sha256: SHA-256, 64 hexadecimal characters.
        ha1_sha512t256: what the platform sends for SHA-512-256: 64 hexadecimal characters, half of a SHA-512.

    """

    table: ClassVar[Table] = Table.SUBSCRIBERS
    username: str
    ha1: str = dataclasses.field(repr=False)
    ha1_sha256: str = dataclasses.field(repr=False)
    ha1_sha512t256: str = dataclasses.field(repr=False)

    def __post_init__(self) -> None:
        check_username(self.username)
        for name, length in (("ha1", 32), ("ha1_sha256", 64), ("ha1_sha512t256", 64)):
            digest = getattr(self, name)
            # The value stays out of the message: it may be a credential, however malformed.
            if not isinstance(digest, str) or len(digest) != length or not _HEX.fullmatch(digest.lower()):
                raise InvalidRecord(f"{name} of subscriber {self.username} is not {length} hexadecimal characters")
            object.__setattr__(self, name, digest.lower())


def check_username(username: object) -> str:
    """Return a SIP user name that can be a key and a dictionary entry of OpenSIPS, or raise InvalidRecord."""
    text = check_text("username", username)
    if len(text) > _USERNAME_MAXIMUM or any(character.isspace() or not character.isprintable() for character in text):
        raise InvalidRecord(
            f"username {text[:_USERNAME_MAXIMUM]!r} is too long or has white space or control characters"
        )
    return text


@dataclass(frozen=True, slots=True)
class Domain(_Row):
    """A host name or address that the client gateways answer for; permanent when no task made it."""

    table: ClassVar[Table] = Table.DOMAINS
    domain: str
    task: TaskStamp | None = None

    def __post_init__(self) -> None:
        check_text("domain", self.domain)


@dataclass(frozen=True, slots=True)
class MediaProxy(_Row):
    """An rtpengine's control socket (`udp:10.0.0.1:2223`) and the set it belongs to."""

    table: ClassVar[Table] = Table.MEDIA_PROXIES
    socket: str
    set_id: int
    task: TaskStamp | None = None

    def __post_init__(self) -> None:
        check_text("socket", self.socket)
        check_number("set_id", self.set_id)


@dataclass(frozen=True, slots=True)
class Registration(_Row):
    """A contact that a SIP client registered (RFC 3261, section 10).

    Attributes:
        username: user part of the address of record.
        contact_id: our own identifier of the contact.
        contact: the Contact URI.
        socket: the gateway's socket that it came in on (`udp:10.10.0.20:6060`).
        received: where the REGISTER really came from, for a client behind NAT.
        user_agent: what the client calls itself.
        gateway: which gateway holds the contact.
        last_modified: when it was last refreshed, seconds since the epoch.
        expires: when it ends, seconds since the epoch; None or 0 for a contact without end.

    """

    table: ClassVar[Table] = Table.REGISTRATIONS
    username: str
    contact_id: str
    contact: str
    socket: str
    received: str | None = None
    user_agent: str | None = None
    gateway: str | None = None
    last_modified: int = 0
    expires: int | None = None

    def is_current(self, now: float) -> bool:
        """Tell whether the contact may still be dialled at `now` (seconds since the epoch)."""
        return not self.expires or self.expires > now


Record = LoadBalancerTarget | Address | Subscriber | Domain | MediaProxy
"""A row of one of the journaled tables."""

RECORD_TYPES: dict[Table, type[Record]] = {
    record.table: record for record in (LoadBalancerTarget, Address, Subscriber, Domain, MediaProxy)
}
