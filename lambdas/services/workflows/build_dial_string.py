"""Where to send a call for a client that registered at a client gateway."""

import re
from collections.abc import Callable
from typing import TypedDict

from aws_lambda_powertools import Logger

from lambdas.services.errors import InvalidEvent
from lambdas.services.sip_uris import host_port
from routing import RegistrationReader

logger = Logger(child=True)

_DESTINATION = re.compile(r"[0-9A-Za-z+*#._-]{1,64}")
"""What may stand before the @ without escaping; it goes into a SIP URI as it is."""


class DialString(TypedDict):
    """The answer; both None when the client is not registered."""

    destination_address: str | None
    proxy_address: str | None


class BuildClientGatewayDialString:
    """Builds dial strings.

    Args:
        registrations: who is registered.
        clock: seconds since the epoch.

    """

    def __init__(self, registrations: RegistrationReader, clock: Callable[[], float]) -> None:
        self._registrations = registrations
        self._clock = clock

    def call(self, client_identifier: object, destination: object) -> DialString:
        """Return the destination at the client's newest contact, and the gateway that holds that contact.

        Raises:
            InvalidEvent: naming the parameter that is missing or wrong.

        """
        if not isinstance(client_identifier, str) or not client_identifier:
            raise InvalidEvent(f"client_identifier is {client_identifier!r}, not a non-empty string")
        if not isinstance(destination, str) or not _DESTINATION.fullmatch(destination):
            raise InvalidEvent(f"destination is {destination!r}, not a telephone number")
        for contact in self._registrations.current_contacts(client_identifier, self._clock()):
            # Behind NAT the Contact is of no use; the gateway noted where the REGISTER came from.
            address, proxy = host_port(contact.received or contact.contact), host_port(contact.socket)
            if address is None or proxy is None:
                logger.warning("contact cannot be dialled", username=client_identifier, contact_id=contact.contact_id)
                continue
            return {"destination_address": f"{destination}@{address}", "proxy_address": proxy}
        return {"destination_address": None, "proxy_address": None}
