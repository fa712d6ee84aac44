"""The media proxy: rtpengine."""

from collections.abc import Mapping

from local.containers.container import CONTAINERS, Container, inherited, script_is_content

_FOLDER = CONTAINERS / "media_proxy"


def media_proxy(
    address: str, public: str, advertised: str | None = None, settings: Mapping[str, str] | None = None
) -> Container:
    """Return the media proxy's container, which leaves no session time to end.

    Args:
        address: where it is controlled, and its side of the switches.
        public: its side of the clients.
        advertised: what clients know that side by, if it is another address.
        settings: further environment.

    """
    environment = {
        **inherited("RTPENGINE"),
        "PRIVATE_ADDRESS": address,
        "PUBLIC_ADDRESS": public,
        "ADVERTISED_ADDRESS": advertised or public,
        "DRAIN_TIMEOUT": "0",
        **(settings or {}),
    }
    check = _FOLDER / "healthcheck.sh"
    return Container(
        "media-proxy",
        [str(_FOLDER / "entrypoint.sh")],
        environment,
        lambda: script_is_content(check, environment),
    )
