"""The function's environment, read once into a value."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from lambdas.services.errors import InvalidSetting
from lambdas.services.regions import Regions
from routing import TableNames


@dataclass(frozen=True, slots=True)
class SwitchPorts:
    """Where a switch listens: SIP, SIP for carriers of the alternative media address, event socket."""

    sip: int
    sip_alternative: int
    event_socket: int


@dataclass(frozen=True, slots=True)
class CallPlatformSettings:
    """How to reach the platform's services API. The password itself stays in SSM."""

    host: str
    username: str
    password_parameter: str


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that the environment tells the function.

    Attributes:
        tables: DynamoDB's names of the routing tables.
        switch_group: the ECS task group of switches, `service:<name>`; the other two likewise.
        media_proxy_group: see `switch_group`.
        client_gateway_group: see `switch_group`.
        switch_ports: ports of a switch.
        media_proxy_ng_port: port of a media proxy's control protocol.
        regions: the regions that events may come from.
        ecs_clusters: the clusters that the reconcile asks; empty for every cluster of a region.
        queue_url: the queue that feeds this function.
        call_platform: the platform's services API.

    """

    tables: TableNames
    switch_group: str
    media_proxy_group: str
    client_gateway_group: str
    switch_ports: SwitchPorts
    media_proxy_ng_port: int
    regions: Regions
    ecs_clusters: tuple[str, ...]
    queue_url: str
    call_platform: CallPlatformSettings

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings.

        Raises:
            InvalidSetting: naming the variable that is missing or wrong.
            routing.errors.MissingSetting: naming the table variable that is missing.

        """

        def text(name: str) -> str:
            value = environment.get(name, "")
            if not value:
                raise InvalidSetting(f"environment variable {name} is not set")
            return value

        def port(name: str, default: int) -> int:
            value = environment.get(name) or str(default)
            if not value.isdecimal() or not 0 < int(value) < 65_536:
                raise InvalidSetting(f"environment variable {name} is {value!r}, not a port")
            return int(value)

        return cls(
            tables=TableNames.from_environment(environment),
            switch_group=text("SWITCH_GROUP"),
            media_proxy_group=text("MEDIA_PROXY_GROUP"),
            client_gateway_group=text("CLIENT_GATEWAY_GROUP"),
            switch_ports=SwitchPorts(
                port("FS_SIP_PORT", 5060), port("FS_SIP_ALTERNATIVE_PORT", 5080), port("FS_EVENT_SOCKET_PORT", 8021)
            ),
            media_proxy_ng_port=port("MEDIA_PROXY_NG_PORT", 2223),
            regions=Regions.parse(text("REGION_DATA")),
            ecs_clusters=tuple(
                name for part in environment.get("ECS_CLUSTERS", "").split(",") if (name := part.strip())
            ),
            queue_url=text("QUEUE_URL"),
            call_platform=CallPlatformSettings(
                _checked_host(text("CALL_PLATFORM_HOST")),
                text("CALL_PLATFORM_USERNAME"),
                text("CALL_PLATFORM_PASSWORD_PARAMETER"),
            ),
        )


def _checked_host(url: str) -> str:
    """Return the platform's base URL; a password must not travel in the clear beyond this machine."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidSetting(f"CALL_PLATFORM_HOST is {url!r}, not a URL like https://services.example.org")
    if parts.username or parts.password:
        raise InvalidSetting("CALL_PLATFORM_HOST holds credentials; they belong in SSM")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise InvalidSetting(f"CALL_PLATFORM_HOST is {url!r}; only a loopback host may be reached without TLS")
    return url.rstrip("/")


def is_loopback(hostname: str) -> bool:
    """Tell whether a host is this machine."""
    # lvh.me and its subdomains resolve to 127.0.0.1; the platform's development setup uses them.
    if hostname == "localhost" or hostname.endswith((".localhost", ".lvh.me")):
        return True
    try:
        return ipaddress.ip_address(hostname).is_loopback
    except ValueError:
        return False
