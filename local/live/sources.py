"""Where the page reads: names and addresses of a running system, written down by whoever started it; no secrets.

Credentials, which the emulator does not look at, come from the environment, as for any AWS client.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from routing import Table, TableNames


class LogKind(StrEnum):
    """Which program wrote a log, and so how its lines are read."""

    SWITCH_APP = "switch_app"
    EVENT_LOGGER = "event_logger"
    SCHEDULER = "scheduler"
    OPENSIPS = "opensips"
    FREESWITCH = "freeswitch"
    EMULATOR = "emulator"
    """It repeats what functions log, which is read from their logs: of this one only its own lines count."""
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class LogFile:
    """What a process prints.

    Attributes:
        process: what the process is called, for people.
        kind: which program it is.
        path: the file.
        switch: for the parts of a switch task, the task's name: that of a `SwitchSource`.

    """

    process: str
    kind: LogKind
    path: str
    switch: str | None = None


@dataclass(frozen=True, slots=True)
class GatewaySource:
    """A gateway.

    Attributes:
        name: what it is called, for people.
        kind: `public` or `client`.
        health_url: its scheduler's `GET /health`.
        management_socket: OpenSIPS's datagram socket (`mi.sock` in its state directory); answers come to one beside it.
            None where there is none to ask.

    """

    name: str
    kind: str
    health_url: str
    management_socket: str | None = None


@dataclass(frozen=True, slots=True)
class SwitchSource:
    """A switch task: its name, for people, and its IP address, by which targets name it."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything that is read.

    Attributes:
        region: of AWS.
        endpoint: URL of the AWS emulator; None for AWS itself.
        tables: DynamoDB's names of the routing tables, by `routing.Table`'s value.
        queues: URLs of queues that are counted, by what they are called.
        functions: names of the Lambda functions whose logs are read, by what they are called.
        platform_url: the call platform, asked for the capacities that it was told; None for none.
        gateways: the gateways.
        switches: the switch tasks.
        logs: logs of processes.

    """

    region: str
    endpoint: str | None = None
    tables: Mapping[str, str] = field(default_factory=dict)
    queues: Mapping[str, str] = field(default_factory=dict)
    functions: Mapping[str, str] = field(default_factory=dict)
    platform_url: str | None = None
    gateways: tuple[GatewaySource, ...] = ()
    switches: tuple[SwitchSource, ...] = ()
    logs: tuple[LogFile, ...] = ()

    @property
    def table_names(self) -> TableNames:
        """The tables' names as the routing layer takes them."""
        return TableNames(tuple((Table(name), actual) for name, actual in self.tables.items()))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `write` wrote.

        Raises:
            OSError: when there is no such file.
            ValueError: when it is not what `write` writes.

        """
        value: dict[str, Any] = json.loads(path.read_text())
        try:
            return cls(
                **{
                    **value,
                    "gateways": tuple(GatewaySource(**each) for each in value.get("gateways", ())),
                    "switches": tuple(SwitchSource(**each) for each in value.get("switches", ())),
                    "logs": tuple(LogFile(**{**each, "kind": LogKind(each["kind"])}) for each in value.get("logs", ())),
                }
            )
        except (TypeError, KeyError) as error:
            raise ValueError(f"{path}: {error}") from error

    def write(self, path: Path) -> None:
        """Write it as JSON, in one piece. What it names need not be there yet."""
        scratch = path.with_suffix(".new")
        scratch.write_text(json.dumps(asdict(self), indent=2))
        scratch.replace(path)
