"""The reverse proxy in front of a switch app."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from local.containers.container import CONTAINERS, Container, inherited, script_is_content

_FOLDER = CONTAINERS / "nginx"
ADMINISTRATORS_PATH = "/usr/sbin:/usr/local/sbin"
"""Where Debian puts programs that a PATH of somebody else than root does not lead to."""
PROGRAM = shutil.which("nginx") or shutil.which("nginx", path=ADMINISTRATORS_PATH)


def nginx(state: Path, address: str, port: int, app: str, settings: Mapping[str, str] | None = None) -> Container:
    """Return nginx's container.

    Args:
        state: STATE_DIRECTORY.
        address: where it listens.
        port: see `address`.
        app: host and port of the app.
        settings: further environment.

    """
    environment = {
        **inherited(),
        "NGINX_PROGRAM": PROGRAM or "nginx",
        "STATE_DIRECTORY": str(state),
        "HTTP_ADDRESS": address,
        "HTTP_PORT": str(port),
        "APP_ADDRESS": app,
        **(settings or {}),
    }
    check = _FOLDER / "healthcheck.sh"
    return Container(
        "nginx",
        [str(_FOLDER / "entrypoint.sh")],
        environment,
        lambda: script_is_content(check, environment),
        f"http://{address}:{port}/nginx_health",
    )
