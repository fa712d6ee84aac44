"""The scheduler beside a gateway."""

from collections.abc import Mapping
from pathlib import Path

from local import servers
from local.containers.container import CONTAINERS, Container, python_environment, python_module
from local.run_directory import ROOT

_FOLDERS = ROOT / "layers" / "routing" / "python", CONTAINERS / "opensips_scheduler"


def scheduler(kind: str, state: Path, address: str, health_port: int, settings: Mapping[str, str]) -> Container:
    """Return the container of a gateway's scheduler.

    Args:
        kind: `public` or `client`.
        state: STATE_DIRECTORY, which it shares with OpenSIPS.
        address: where OpenSIPS listens.
        health_port: where on 127.0.0.1 it tells its health.
        settings: the tables' names, where AWS is, FS_EVENT_SOCKET_PASSWORD, and what else differs.

    """
    environment = {
        **python_environment(*_FOLDERS),
        "GATEWAY_KIND": kind,
        "GATEWAY_NAME": address,
        "STATE_DIRECTORY": str(state),
        "SIP_LISTEN_ADDRESS": address,
        "HEALTH_PORT": str(health_port),
        **settings,
    }
    url = f"http://{servers.HOST}:{health_port}/health"
    return Container(
        f"{kind}-scheduler", python_module("opensips_scheduler"), environment, lambda: servers.answers(url), url
    )
