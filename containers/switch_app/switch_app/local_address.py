"""The address that others reach this machine at."""

import socket

from switch_app.errors import InvalidSetting


def default_route_address() -> str:
    """Return the IPv4 address that packets to the internet leave from.

    Only the routing table is asked, nothing is sent: a UDP socket that is connected sends no packet. 192.0.2.1 is a
    documentation address (RFC 5737), which no host has. A host's name may stand for a loopback address, or for several.

    Raises:
        InvalidSetting: when there is no default route.

    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            raise InvalidSetting(
                "environment variable HOST_ADDRESS is not set, and this machine has no default route that would tell"
            ) from None
        return str(probe.getsockname()[0])
