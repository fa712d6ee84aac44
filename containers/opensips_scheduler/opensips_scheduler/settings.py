"""The scheduler's environment, read once into a value."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from opensips_scheduler.addresses import default_route_address, instance_metadata_address
from opensips_scheduler.errors import InvalidSetting
from routing import Table, TableNames


class Kind(StrEnum):
    """Which gateway it is the sidecar of."""

    PUBLIC = "public"
    CLIENT = "client"


TABLES: Final[Mapping[Kind, tuple[Table, ...]]] = {
    Kind.PUBLIC: (Table.LOAD_BALANCER_TARGETS, Table.ADDRESSES),
    Kind.CLIENT: (Table.LOAD_BALANCER_TARGETS, Table.SUBSCRIBERS, Table.DOMAINS),
}
"""The tables that each gateway has copies of. The client gateway's media proxies are read beside them."""


@dataclass(frozen=True, slots=True)
class ScheduledCommand:
    """A management command that is run again and again.

    Attributes:
        method: its name.
        parameters: what it takes.
        interval: seconds between two runs.

    """

    method: str
    parameters: dict[str, Any]
    interval: float


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that the environment tells the scheduler.

    Attributes:
        kind: which gateway.
        state_directory: where it meets OpenSIPS: databases, management socket, sign of readiness.
        tables: DynamoDB's names of the routing tables.
        event_socket_password: FreeSWITCH's; it goes into OpenSIPS's file and nowhere else.
        gateway: the name that this gateway keeps when it is replaced; the advertised address if nothing else is said.
        service: the ECS service that this gateway is a task of, a dimension of metrics.
        socket: where OpenSIPS takes SIP, `udp:10.0.0.1:5060`.
        poll_interval: seconds between two looks at the journal.
        comparison_interval: seconds between two whole comparisons.
        metrics_interval: seconds between two looks at the metrics.
        commands: management commands to be run regularly.
        health_port: where `GET /health` is answered, on 127.0.0.1; 0 for a port that is free.

    """

    kind: Kind
    state_directory: Path
    tables: TableNames
    event_socket_password: str
    gateway: str
    service: str
    socket: str
    poll_interval: float
    comparison_interval: float
    metrics_interval: float
    commands: tuple[ScheduledCommand, ...]
    health_port: int

    @classmethod
    def from_environment(
        cls,
        environment: Mapping[str, str],
        local_address: Callable[[], str] = default_route_address,
        public_address: Callable[[], str] = instance_metadata_address,
    ) -> "Settings":
        """Read the settings.

        Args:
            environment: the variables.
            local_address: finds the address that OpenSIPS listens at, where none is said.
            public_address: finds the address that clients know, where EC2 is to be asked.

        Raises:
            InvalidSetting: naming the variable that is missing or wrong.
            routing.errors.MissingSetting: naming the table variable that is missing.

        """

        def text(name: str, default: str = "") -> str:
            value = environment.get(name) or default
            if not value:
                raise InvalidSetting(f"environment variable {name} is not set")
            return value

        def seconds(name: str, default: float) -> float:
            value = environment.get(name) or str(default)
            try:
                number = float(value)
            except ValueError:
                number = -1.0
            if not 0.05 <= number <= 86_400:
                raise InvalidSetting(f"environment variable {name} is {value!r}, not seconds from 0.05 to 86400")
            return number

        def port(name: str, default: int, least: int = 1) -> int:
            value = environment.get(name) or str(default)
            if not value.isdecimal() or not least <= int(value) < 65_536:
                raise InvalidSetting(f"environment variable {name} is {value!r}, not a port")
            return int(value)

        gateway = environment.get("GATEWAY_NAME") or text("SIP_ADVERTISED_ADDRESS")
        if gateway == "instance-metadata":
            # Asked here, too: a fleet has one task definition, and its gateways must not have one name.
            gateway = public_address()
        kind = environment.get("GATEWAY_KIND", "")
        if kind not in list(Kind):
            raise InvalidSetting(f"environment variable GATEWAY_KIND is {kind!r}, not public or client")
        needed = (*TABLES[Kind(kind)], Table.ROUTING_CHANGES)
        if kind == Kind.CLIENT:
            needed = (*needed, Table.MEDIA_PROXIES, Table.REGISTRATIONS)
        return cls(
            kind=Kind(kind),
            state_directory=Path(environment.get("STATE_DIRECTORY") or "/var/lib/opensips"),
            tables=TableNames.from_environment(environment, needed),
            event_socket_password=text("FS_EVENT_SOCKET_PASSWORD"),
            gateway=gateway,
            service=environment.get("SERVICE_NAME") or f"{kind}-gateway",
            socket=f"udp:{environment.get('SIP_LISTEN_ADDRESS') or local_address()}:{port('SIP_PORT', 5060)}",
            poll_interval=seconds("POLL_INTERVAL", 0.5),
            comparison_interval=seconds("COMPARISON_INTERVAL", 3600),
            metrics_interval=seconds("METRICS_INTERVAL", 60),
            commands=_commands(environment.get("MI_COMMANDS", "")),
            health_port=port("HEALTH_PORT", 8081, least=0),
        )


def _commands(value: str) -> tuple[ScheduledCommand, ...]:
    """Read a JSON list of `{"method": …, "parameters": {…}, "interval": seconds}`; empty for none."""
    if not value:
        return ()
    try:
        listed = json.loads(value)
        return tuple(_command(each) for each in listed)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InvalidSetting(
            f"environment variable MI_COMMANDS is no JSON list of objects with method and interval: {error}"
        ) from None


def _command(listed: dict[str, Any]) -> ScheduledCommand:
    method, interval, parameters = listed["method"], float(listed["interval"]), listed.get("parameters", {})
    if not isinstance(method, str) or not method or not isinstance(parameters, dict):
        raise ValueError(f"{listed} has no method, or parameters that are no object")
    if not 1 <= interval <= 86_400:
        raise ValueError(f"the interval of {method} is {interval}, not seconds from 1 to 86400")
    return ScheduledCommand(method, parameters, interval)
