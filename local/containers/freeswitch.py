"""FreeSWITCH."""

from collections.abc import Mapping
from pathlib import Path

from local.containers.container import CONTAINERS, Container, inherited, script_is_content

_FOLDER = CONTAINERS / "freeswitch"


def freeswitch(
    directory: Path, address: str, app: str, password: str, settings: Mapping[str, str] | None = None
) -> Container:
    """Return FreeSWITCH's container.

    Args:
        directory: for its files, all of them; its path must be short.
        address: where it listens, also for the event socket, and what peers know it by.
        app: host and port that it hands calls over at.
        password: of the event socket.
        settings: further environment.

    """
    environment = {
        **inherited("FREESWITCH", "FREESWITCH_MODULES", "LD_LIBRARY_PATH"),
        "FS_STATE_DIRECTORY": str(directory / "state"),
        "FS_DATABASE_DIRECTORY": str(directory / "databases"),
        "CALL_DATA_RECORDS_DIRECTORY": str(directory / "records"),
        "FS_LISTEN_ADDRESS": address,
        "FS_NAT_GATEWAY_IP": address,
        "FS_NAT_INSTANCE_IP": address,
        "FS_EVENT_SOCKET_LISTEN_ADDRESS": address,
        "FS_EVENT_SOCKET_PASSWORD": password,
        "FS_SWITCH_APP_ADDRESS": app,
        "FS_STOP_DELAY": "0",
        **(settings or {}),
    }
    check = _FOLDER / "healthcheck.sh"
    return Container(
        "freeswitch",
        [str(_FOLDER / "entrypoint.sh")],
        environment,
        lambda: script_is_content(check, environment),
    )
