"""How calls leave: the leg that is dialled for what the platform says of a call."""

import uuid
from collections.abc import Callable, Collection
from typing import Final

from switch_app.call import Leg
from switch_app.call_properties import RoutingParameters
from switch_app.client_gateways import ClientGateways
from switch_app.errors import PlatformRefused
from switch_app.sip_addresses import is_address, is_host_port, is_profile
from switch_app.telephone_numbers import NumberFormat, digits_of, format_number

PROFILES: Final = ("nat_gateway", "uac_nat_instance", "test")
"""The SIP profiles that a trunk may name."""

_ANONYMOUS: Final = "anonymous"
_UNPROCESSABLE: Final = 422


def _new_uuid() -> str:
    return str(uuid.uuid4())


class PlatformRoutes:
    """Legs by the platform's routing parameters.

    Args:
        gateways: where registered clients are; None where there are no client gateways.
        profiles: the SIP profiles that there are.
        new_uuid: returns the identifier of a new channel.

    """

    def __init__(
        self,
        gateways: ClientGateways | None,
        profiles: Collection[str] = PROFILES,
        new_uuid: Callable[[], str] = _new_uuid,
    ) -> None:
        self._gateways, self._profiles, self._new_uuid = gateways, frozenset(profiles), new_uuid

    async def leg(
        self, routing: RoutingParameters, call_sid: str, sender: str, *, account_sid: str, carrier_sid: str
    ) -> Leg:
        """Return the leg to dial. No more of the call than its sid goes to a carrier.

        Raises:
            PlatformRefused: when the client that it is for is not registered, or its parameters lead nowhere.
            PlatformUnavailable: when nobody can tell where the client is.

        """
        if not is_profile(routing.sip_profile) or routing.sip_profile not in self._profiles:
            raise PlatformRefused(f"there is no SIP profile {routing.sip_profile!r}", _UNPROCESSABLE)
        address, proxy = await self._address(routing)
        if not is_address(address):
            raise PlatformRefused(f"{address!r} is no address that can be dialled", _UNPROCESSABLE)
        if proxy is not None and not is_host_port(proxy):
            raise PlatformRefused(f"{proxy!r} is no proxy that can be dialled through", _UNPROCESSABLE)
        return Leg(
            uuid=self._new_uuid(),
            address=address,
            profile=routing.sip_profile,
            caller_id=format_number(sender, _format_of(routing)) or _ANONYMOUS,
            call_sid=call_sid,
            proxy=proxy,
            headers={"X-Somleng-CallSid": call_sid},
        )

    async def _address(self, routing: RoutingParameters) -> tuple[str, str | None]:
        if routing.address is not None:
            return routing.address.removeprefix("sip:"), None
        # The plus comes before everything, the prefix too, and so is not the number's.
        number = format_number(routing.destination, NumberFormat(national=routing.national_dialing))
        prefix = ("+" if routing.plus_prefix else "") + digits_of(routing.dial_string_prefix or "")
        if routing.username is None:
            return f"{prefix}{number}@{routing.host or ''}", None
        if self._gateways is None:
            raise PlatformRefused("this switch has no client gateways", _UNPROCESSABLE)
        contact = await self._gateways.contact(routing.username, number)
        return prefix + contact.address, contact.proxy


def _format_of(routing: RoutingParameters) -> NumberFormat:
    return NumberFormat(national=routing.national_dialing, plus=routing.plus_prefix)
