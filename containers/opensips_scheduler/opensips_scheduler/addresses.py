"""The addresses of the machine, found as the gateway beside the scheduler finds its own (its `address.sh`)."""

import os
import socket
import urllib.request
from typing import Final

from opensips_scheduler.errors import InvalidSetting

_SECONDS: Final = 2.0
_TRIES: Final = 3
_SESSION_SECONDS: Final = "60"


def default_route_address() -> str:
    """Return the IPv4 address that packets to the internet leave from.

    Only the routing table is asked, nothing is sent: a UDP socket that is connected sends no packet. 192.0.2.1 is a
    documentation address (RFC 5737), which no host has.

    Raises:
        InvalidSetting: when there is no default route.

    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            raise InvalidSetting(
                "environment variable SIP_LISTEN_ADDRESS is not set, and this machine has no default route that"
                " would tell"
            ) from None
        return str(probe.getsockname()[0])


def instance_metadata_address() -> str:
    """Return the public address that EC2 maps to this instance, asked with a session token (IMDSv2).

    Raises:
        InvalidSetting: when the instance has none, or does not tell.

    """
    endpoint = os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") or "http://169.254.169.254"
    # No proxy: the metadata service is this machine's own.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def ask(path: str, method: str, headers: dict[str, str]) -> str:
        request = urllib.request.Request(f"{endpoint.rstrip('/')}/latest/{path}", method=method, headers=headers)  # noqa: S310
        with opener.open(request, timeout=_SECONDS) as answer:
            return str(answer.read(256).decode().strip())

    for attempt in range(_TRIES):
        try:
            token = ask("api/token", "PUT", {"X-aws-ec2-metadata-token-ttl-seconds": _SESSION_SECONDS})
            return ask("meta-data/public-ipv4", "GET", {"X-aws-ec2-metadata-token": token})
        except OSError as error:
            if attempt == _TRIES - 1:
                raise InvalidSetting(
                    "environment variable SIP_ADVERTISED_ADDRESS is instance-metadata, but the instance has no public"
                    f" address or does not tell: {error}"
                ) from None
    raise AssertionError("the last try returns or raises")
