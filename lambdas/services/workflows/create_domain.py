"""Let the client gateways answer for a domain."""

import ipaddress
import re
from typing import TypedDict

from lambdas.services.errors import InvalidEvent
from routing import AddPermanentDomain, Domain, RoutingRepository

_HOST_NAME = re.compile(r"(?!.{254})(?:(?!-)[a-z0-9-]{1,63}(?<!-)\.)*(?!-)[a-z0-9-]{1,63}(?<!-)")
"""RFC 1123, section 2.1."""


class CreatedDomain(TypedDict):
    """The answer."""

    domain: str


class CreateDomain:
    """Adds domains that stay until somebody removes them."""

    def __init__(self, repository: RoutingRepository) -> None:
        self._repository = repository

    def call(self, domain: object) -> CreatedDomain:
        """Add a domain, in lower case; adding it again changes nothing.

        Raises:
            InvalidEvent: when it is no host name or IP address.

        """
        if not isinstance(domain, str) or not (_HOST_NAME.fullmatch(domain.lower()) or _is_address(domain)):
            raise InvalidEvent(f"domain is {domain!r}, not a host name or IP address")
        added = Domain(domain.lower())
        self._repository.write([AddPermanentDomain(added)])
        return {"domain": added.domain}


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
