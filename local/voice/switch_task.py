"""A switch's task: nginx, the switch app, FreeSWITCH and the event logger, at one address as in one task on ECS."""

import time
from dataclasses import dataclass, replace
from pathlib import Path

from local import servers
from local.containers.container import Container
from local.containers.event_logger import event_logger
from local.containers.freeswitch import freeswitch
from local.containers.nginx import nginx
from local.containers.switch_app import switch_app
from local.processes import Server
from local.supervision import Supervisor
from local.voice.settings import VoiceSettings

_APP_PORT, _EVENT_SOCKET_PORT, _HANDOVER_PORT = 3000, 8021, 8084
_STOP_DELAY_SECONDS = 2
"""That FreeSWITCH stays at least, for calls that gateways still send; here they know within a second."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a task ended: exit status of each container, and seconds since it was told."""

    statuses: tuple[int, ...]
    seconds: float


class SwitchTask:
    """A switch's task.

    Args:
        name: of the task; its containers' names begin with it.
        directory: for its files; its path must be short.
        address: the task's.
        http_port: where nginx listens; the platform knows 80.
        settings: what all containers are told.

    """

    def __init__(self, name: str, directory: Path, address: str, http_port: int, settings: VoiceSettings) -> None:
        self.name, self.address = name, address
        self.url = f"http://{address}:{http_port}"
        for folder in ("storage", "records", "cache", "nginx"):
            (directory / folder).mkdir(parents=True)
        password = settings.event_socket_password
        handover, event_socket = f"{address}:{_HANDOVER_PORT}", f"{address}:{_EVENT_SOCKET_PORT}"
        records = directory / "records"
        shared = {**settings.aws, **settings.of_platform}
        logger = {**shared, "CALL_STATUS_HEARTBEAT_INTERVAL_SECONDS": "5", "SESSION_COUNT_INTERVAL": "5"}
        of_app = {
            **shared,
            "AHN_HTTP_USERNAME": settings.api_username,
            "AHN_HTTP_PASSWORD": settings.api_password,
            "CALL_DATA_RECORDS_DIRECTORY": str(records),
            "FS_CACHE_DIRECTORY": str(directory / "cache"),
            "FS_EVENT_SOCKET_HOST": address,
            "FS_EVENT_SOCKET_PASSWORD": password,
            "FS_RECORDINGS_BUCKET_NAME": settings.bucket,
            "FS_STORAGE_DIRECTORY": str(directory / "storage"),
            "FS_SWITCH_APP_ADDRESS": handover,
            "HOST_ADDRESS": address,
            "MEDIA_STREAMS_INSECURE": "true",  # the bot has no certificate here
            "PRIVATE_NETWORKS_ALLOWED": "127.0.0.0/8",
            "REGION": "hydrogen",
            "SERVICES_FUNCTION_ARN": settings.services_function,
        }
        delay = {"FS_STOP_DELAY": str(_STOP_DELAY_SECONDS), "FS_LOG_LEVEL": "warning"}
        port = servers.free_port()
        self._by_kind = {
            "event-logger": event_logger(records, event_socket, password, port, logger),
            "freeswitch": freeswitch(directory, address, handover, password, delay),
            "nginx": nginx(directory / "nginx", address, http_port, f"{address}:{_APP_PORT}"),
            "app": switch_app(address, _APP_PORT, of_app),
        }
        self.containers: list[Container] = [
            replace(container, name=f"{name}-{kind}") for kind, container in self._by_kind.items()
        ]
        self._servers: list[Server] = []

    def start(self, supervisor: Supervisor, logs: Path) -> None:
        """Start its containers, those first that others depend on."""
        self._servers = [container.server(logs) for container in self.containers]
        for server in self._servers:
            supervisor.start(server)

    def wait_until_healthy(self, supervisor: Supervisor, seconds: float) -> None:
        """Wait until every health check is content."""
        supervisor.wait_until_ready(seconds, *self._servers)

    def end(self, supervisor: Supervisor, seconds: float) -> Ended:
        """Tell each container to end once those that depend on it have ended, as ECS does.

        Raises:
            ServerFailed: when one takes longer than some seconds: ECS would kill it.

        """
        began = time.monotonic()
        statuses = tuple(supervisor.end(server, seconds) for server in reversed(self._servers))
        return Ended(statuses, time.monotonic() - began)
