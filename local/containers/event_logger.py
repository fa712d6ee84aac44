"""The event logger beside a FreeSWITCH."""

from collections.abc import Mapping
from pathlib import Path

from local import servers
from local.containers.container import CONTAINERS, Container, python_environment, python_module


def event_logger(records: Path, event_socket: str, password: str, port: int, settings: Mapping[str, str]) -> Container:
    """Return the event logger's container.

    Args:
        records: where call data records wait.
        event_socket: host and port of FreeSWITCH's.
        password: FreeSWITCH's.
        port: where on 127.0.0.1 it tells its health.
        settings: where the platform is, and everything else.

    """
    folders = CONTAINERS / "freeswitch_event_logger", CONTAINERS / "switch_app"
    environment = {
        **python_environment(*folders),
        "CALL_DATA_RECORDS_DIRECTORY": str(records),
        "EVENT_SOCKET_HOST": event_socket,
        "EVENT_SOCKET_PASSWORD": password,
        "HEALTHCHECK_PORT": str(port),
        **settings,
    }
    url = f"http://{servers.HOST}:{port}/health"
    return Container(
        "event-logger",
        python_module("freeswitch_event_logger"),
        environment,
        lambda: servers.answers(f"{url}/event_socket"),
        url,
    )
