"""The switch app beside a FreeSWITCH."""

from collections.abc import Mapping

from local import servers
from local.containers.container import CONTAINERS, Container, python_environment, python_module


def switch_app(address: str, port: int, settings: Mapping[str, str]) -> Container:
    """Return the app's container.

    Args:
        address: where its HTTP API listens.
        port: see `address`.
        settings: where it finds everything else.

    """
    environment = {
        **python_environment(CONTAINERS / "switch_app"),
        "HTTP_ADDRESS": address,
        "AHN_CORE_HTTP_PORT": str(port),
        **settings,
    }
    url = f"http://{address}:{port}/health_checks"
    return Container("app", python_module("switch_app"), environment, lambda: servers.answers(url), url)
