"""What the page shows, as rows. Their fields are the list of what may leave this process: nothing else does.

Each text of a row is an identifier, an address or a word of a known set, checked by `fields.py` where it is read, or a
literal of this project's code. Nobody's number, no digest, password, token, pressed key or free text is among them.
Times are milliseconds since the epoch.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Target:
    """A load-balancer target.

    Attributes:
        uri: where a switch takes calls.
        group: load-balancing group.
        resource: `gw` or `gwalt`.
        region: AWS region.
        task: the end of the task's ARN.
        state: `in use`; `silent` when a gateway gets no answer; `removed` when only a tombstone is left.
        calls: calls that the gateways count there; None when none was asked.
        limit: calls that it may have.

    """

    uri: str
    group: int
    resource: str
    region: str
    task: str
    state: str
    calls: int | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class MediaProxy:
    """An rtpengine: its control socket, its set, and how many client gateways have it in use."""

    socket: str
    set_id: int
    task: str
    state: str
    gateways: int | None = None


@dataclass(frozen=True, slots=True)
class Domain:
    """A name that client gateways answer for; `task` is empty for a permanent one."""

    domain: str
    task: str
    state: str


@dataclass(frozen=True, slots=True)
class Permission:
    """An address or network that may call without a password, and the group that its calls go to."""

    source: str
    group: int


@dataclass(frozen=True, slots=True)
class Registration:
    """A registered client: user name, where it is reached, by which gateway, until when."""

    username: str
    address: str
    gateway: str
    expires: int | None


@dataclass(frozen=True, slots=True)
class TableState:
    """A routing table: rows that readers see, and its journal's head (None for a table without a journal)."""

    table: str
    rows: int
    head: int | None


@dataclass(frozen=True, slots=True)
class Position:
    """How far a gateway has come in the journal of a table."""

    table: str
    position: int


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway, by what its scheduler and its OpenSIPS say.

    Attributes:
        name: for people.
        kind: `public` or `client`.
        state: `serving`, `stale`, `not ready` or `not reached`.
        age: whole seconds since its file was known to be as the tables are; None before that.
        lag: changes of the journal that it has not applied.
        positions: how far it is, by table.
        calls: dialogs that it has; None when OpenSIPS did not say.
        refused: requests and calls that it refused since OpenSIPS started.
        contacts_waiting: changes of contacts that are not in DynamoDB yet; None for a gateway without contacts.
        troubles: what is not as it should be, in words of this project.

    """

    name: str
    kind: str
    state: str
    age: int | None = None
    lag: int | None = None
    positions: tuple[Position, ...] = ()
    calls: int | None = None
    refused: int | None = None
    contacts_waiting: int | None = None
    troubles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Switch:
    """A switch task: what FreeSWITCH's last heartbeat said."""

    name: str
    address: str
    sessions: int | None = None
    maximum: int | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A call, or a leg that a call dialled.

    Attributes:
        id: of this row.
        sid: the platform's identifier; empty while it is not known.
        uuid: FreeSWITCH's channel; empty while it is at a gateway only.
        parent: the channel that dialled this leg; empty for a call of its own.
        direction: `inbound`, `outbound`, or empty.
        gateway: the gateway that it passes; empty for none that is known.
        switch: the switch that has it; empty while none has.
        stage: `gateway`, `switch`, `verb` or `ended`.
        verb: the verb that runs, or ran last.
        verbs: the last verbs, the present one included.
        is_answered: whether it was answered.
        began: when it was first seen.
        since: when it came to its stage or verb.
        cause: why it ended; empty while it lives.
        status: SIP status that it ended with; None when nobody said.

    """

    id: str
    sid: str
    uuid: str
    parent: str
    direction: str
    gateway: str
    switch: str
    stage: str
    verb: str
    verbs: tuple[str, ...]
    is_answered: bool
    began: int
    since: int
    cause: str = ""
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Capacity:
    """What the platform was told last that a region can take."""

    region: str
    capacity: int


@dataclass(frozen=True, slots=True)
class Queue:
    """How many messages wait in a queue, and how many are being handled."""

    name: str
    waiting: int
    in_flight: int


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened.

    Attributes:
        at: when.
        source: who says so: a process, a function or a table.
        what: what happened, in words of this project.
        subject: what it happened to.
        is_warning: whether somebody should look at it.

    """

    at: int
    source: str
    what: str
    subject: str
    is_warning: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """An error that a process or function logged, once for all of the same place and message.

    Attributes:
        at: when it was logged last.
        first: when it was logged first.
        process: who logged it.
        level: as it wrote it.
        place: logger, module or file that it came from.
        message: a literal of this project's code; empty where the text is another's, which stays in the log.
        subject: what it is about: identifiers.
        log: where it is written in full: file and line, or log group.
        count: how often it was logged.

    """

    at: int
    first: int
    process: str
    level: str
    place: str
    message: str
    subject: str
    log: str
    count: int


@dataclass(frozen=True, slots=True)
class Unread:
    """Something that the page cannot read at present, and the type of the error."""

    source: str
    error: str


Row = (
    Target
    | MediaProxy
    | Domain
    | Permission
    | Registration
    | TableState
    | Gateway
    | Switch
    | Call
    | Capacity
    | Queue
    | Event
    | Problem
    | Unread
)

COLLECTIONS: Final[dict[type[Row], str]] = {
    Target: "targets",
    MediaProxy: "media_proxies",
    Domain: "domains",
    Permission: "permissions",
    Registration: "registrations",
    TableState: "tables",
    Gateway: "gateways",
    Switch: "switches",
    Call: "calls",
    Capacity: "capacities",
    Queue: "queues",
    Event: "events",
    Problem: "problems",
    Unread: "unread",
}
"""Every kind of row, and what its collection is called on the wire."""
