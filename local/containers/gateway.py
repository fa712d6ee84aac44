"""A gateway's OpenSIPS."""

from collections.abc import Mapping
from pathlib import Path

from local.containers.container import CONTAINERS, Container, inherited, script_is_content

_FOLDER = CONTAINERS / "gateway"


def gateway(kind: str, state: Path, address: str, settings: Mapping[str, str] | None = None) -> Container:
    """Return a gateway's container, of a size for one machine.

    Args:
        kind: `public` or `client`.
        state: STATE_DIRECTORY, which it shares with its scheduler; its path must be short.
        address: where it listens, and what peers know it by.
        settings: further environment, such as RING_TIMEOUT.

    """
    environment = {
        **inherited("OPENSIPS", "OPENSIPS_MODULES"),
        "STATE_DIRECTORY": str(state),
        "SIP_LISTEN_ADDRESS": address,
        "SIP_ADVERTISED_ADDRESS": address,
        "SIP_WORKERS": "2",
        "SHARED_MEMORY_MEGABYTES": "64",
        "DRAIN_TIMEOUT": "0",
        **(settings or {}),
    }
    check = _FOLDER / "healthcheck.sh"
    return Container(
        f"{kind}-gateway",
        [str(_FOLDER / "entrypoint.sh"), kind],
        environment,
        lambda: script_is_content(check, environment),
    )
