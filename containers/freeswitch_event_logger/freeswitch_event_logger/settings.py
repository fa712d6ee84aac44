"""The sidecar's environment, read once into a value."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from switch_app.environment import Environment
from switch_app.errors import InvalidSetting
from switch_app.freeswitch.event_socket import EventSocketAddress

EVENTS: Final = frozenset(
    {
        "CHANNEL_ANSWER",
        "CHANNEL_BRIDGE",
        "CHANNEL_CALLSTATE",
        "CHANNEL_CREATE",
        "CHANNEL_DESTROY",
        "CHANNEL_HANGUP",
        "CHANNEL_HANGUP_COMPLETE",
        "CHANNEL_HOLD",
        "CHANNEL_ORIGINATE",
        "CHANNEL_OUTGOING",
        "CHANNEL_PARK",
        "CHANNEL_PROGRESS",
        "CHANNEL_PROGRESS_MEDIA",
        "CHANNEL_STATE",
        "CHANNEL_UNBRIDGE",
        "CHANNEL_UNHOLD",
        "CHANNEL_UNPARK",
        "CHANNEL_UUID",
        "CODEC",
        "FAILURE",
        "MEDIA_BUG_START",
        "MEDIA_BUG_STOP",
        "MODULE_LOAD",
        "MODULE_UNLOAD",
        "RECORD_START",
        "RECORD_STOP",
        "SHUTDOWN",
        "STARTUP",
        "TRAP",
    }
)
"""The events that may be logged. FreeSWITCH ignores a name that it does not know, so a wrong one is found here. Those
that carry what callers say or press (`DTMF`, `MESSAGE`) are none of them."""

_EVENTS: Final = "CHANNEL_CREATE,CHANNEL_ANSWER,CHANNEL_HANGUP_COMPLETE"
_LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that the environment tells the sidecar.

    Attributes:
        event_socket: FreeSWITCH's.
        platform_url: of the platform's services API.
        platform_username: ours there.
        platform_password_parameter: the SSM parameter that holds our password there.
        platform_password_region: the parameter's region.
        records: the directory that call data records wait in.
        records_age_maximum: seconds that one may wait there before this counts as unwell.
        heartbeat_seconds: between two call heartbeats.
        service: the ECS service, the metrics' dimension.
        events: names of the events that are logged, beside heartbeats.
        session_seconds: between two lines with the count of sessions.
        metrics_seconds: between two lines of the other metrics.
        health_port: of `GET /health`, on 127.0.0.1.
        drain_seconds: how long calls and records may go on once the sidecar is to end.
        log_level: from which level on is logged.

    """

    event_socket: EventSocketAddress
    platform_url: str
    platform_username: str
    platform_password_parameter: str
    platform_password_region: str
    records: Path
    records_age_maximum: float
    heartbeat_seconds: float
    service: str
    events: tuple[str, ...]
    session_seconds: float
    metrics_seconds: float
    health_port: int
    drain_seconds: float
    log_level: str

    @classmethod
    def from_environment(cls, variables: Mapping[str, str]) -> "Settings":
        """Read the settings.

        Raises:
            InvalidSetting: naming the variable that is missing or wrong.

        """
        read = Environment(variables)
        host, port = read.host_and_port("EVENT_SOCKET_HOST", "127.0.0.1:8021")
        storage = read.path("FS_STORAGE_DIRECTORY", "/var/lib/freeswitch/storage")
        return cls(
            event_socket=EventSocketAddress(host, port, read.text("EVENT_SOCKET_PASSWORD")),
            platform_url=read.url("CALL_PLATFORM_HOST"),
            platform_username=read.text("CALL_PLATFORM_USERNAME", "services"),
            platform_password_parameter=read.text("CALL_PLATFORM_PASSWORD_PARAMETER"),
            platform_password_region=read.text(
                "CALL_PLATFORM_PASSWORD_PARAMETER_REGION", read.text("AWS_DEFAULT_REGION")
            ),
            records=read.path("CALL_DATA_RECORDS_DIRECTORY", str(storage / "call_data_records")),
            records_age_maximum=read.seconds("CALL_DATA_RECORDS_AGE_MAXIMUM", 300, 1, 86_400),
            heartbeat_seconds=read.seconds("CALL_STATUS_HEARTBEAT_INTERVAL_SECONDS", 30, 0.1, 600),
            service=read.text("SERVICE_NAME", "switch"),
            events=_events(read.text("EVENT_LOG_EVENTS", _EVENTS)),
            session_seconds=read.seconds("SESSION_COUNT_INTERVAL", 20, 0.1, 300),
            metrics_seconds=read.seconds("METRICS_INTERVAL", 60, 0.1, 3600),
            health_port=read.port("HEALTHCHECK_PORT", 8080),
            drain_seconds=read.seconds("DRAIN_TIMEOUT", 110, 0, 172_800),
            log_level=read.one_of("LOG_LEVEL", "INFO", _LOG_LEVELS),
        )


def _events(value: str) -> tuple[str, ...]:
    """Read names separated by commas; `none` for no event."""
    if value == "none":
        return ()
    names = tuple(dict.fromkeys(name.strip() for name in value.split(",")))
    for name in names:
        if name not in EVENTS:
            raise InvalidSetting(f"environment variable EVENT_LOG_EVENTS has {name!r}, which is no event to be logged")
    return names
