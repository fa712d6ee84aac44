"""A call that comes in: told to the platform, and refused or taken as it says."""

import logging
from typing import Final

from switch_app.billing import billing_variables
from switch_app.call import Call, Rejection
from switch_app.call_platform.client import InboundCall
from switch_app.call_properties import CallProperties
from switch_app.calls.call_register import CallRegister
from switch_app.calls.live_calls import LiveCall
from switch_app.errors import CallEnded, PlatformRefused, PlatformUnavailable
from switch_app.services import CallDataRecords, headers_of

logger = logging.getLogger(__name__)

_CALLEE: Final = "sip_h_X-Somleng-Callee-Identity"
_CALLER: Final = "sip_h_X-Somleng-Caller-Identity"
_SOURCE: Final = "sip_h_X-Src-Ip"
_CLIENT: Final = "sip_h_X-Somleng-Client-Identifier"
_STORED: Final = ("sip_from_host", "sip_to_host", "sip_network_ip", "sip_via_host")

_ORIGINATOR_CANCEL: Final = 487


class Incoming:
    """Takes calls in.

    Args:
        register: where they are told.
        records: where the record of one is noted that ended while it was told.
        host: this machine's IP address, where the platform reaches the HTTP API.
        region: the alias of the region that this is.

    """

    def __init__(self, register: CallRegister, records: CallDataRecords, host: str, region: str) -> None:
        self._register = register
        self._records = records
        self._host = host
        self._region = region

    async def take(self, call: Call, live: LiveCall) -> CallProperties | None:
        """Tell the platform of a call and return what it says; None when the call was refused.

        What the platform refuses is answered with 403. Where the platform cannot be asked it is 503: the gateway tries
        another switch then, which may reach it, and the carrier learns that it is not about the number.

        Raises:
            CallEnded: when the caller has left meanwhile.

        """
        variables = call.variables
        missing = [name for name in (_CALLEE, _CALLER, _SOURCE) if not variables.get(name)]
        if missing:
            # Every gateway sets them, so this came past the gateways.
            logger.warning(
                "call refused: it came through no gateway", extra={"call_uuid": call.uuid, "missing": missing}
            )
            await call.reject(Rejection.FORBIDDEN, {})
            return None
        inbound = InboundCall(
            to=variables[_CALLEE],
            sender=variables[_CALLER],
            external_id=call.uuid,
            host=self._host,
            source_ip=variables[_SOURCE],
            region=self._region,
            client_identifier=variables.get(_CLIENT) or None,
            variables={name: variables.get(name, "") for name in _STORED},
        )
        try:
            properties = await self._register.create_inbound_call(inbound)
        except PlatformRefused as error:
            logger.info("call refused by the platform", extra={"call_uuid": call.uuid, "reason": str(error)})
            await call.reject(Rejection.FORBIDDEN, {})
            return None
        except PlatformUnavailable as error:
            logger.warning("call refused: no platform", extra={"call_uuid": call.uuid, "reason": str(error)})
            await call.reject(Rejection.UNAVAILABLE, {})
            return None
        live.properties = properties
        await self._mark(call, properties)
        return properties

    async def _mark(self, call: Call, properties: CallProperties) -> None:
        """Have the call's record count from here on, and the caller know that the call is on its way."""
        variables = {
            "record_cdr": "true",
            "somleng_call_sid": properties.sid,
            **billing_variables(
                properties.billing,
                carrier_sid=properties.carrier_sid,
                account_sid=properties.account_sid,
                destination=properties.to,
            ),
        }
        try:
            await call.progress(variables, headers_of(properties))
        except CallEnded as ended:
            # The platform has the call and FreeSWITCH's record of it does not count: nothing else would complete it.
            self._records.note_unreached(properties.sid, ended.cause, _ORIGINATOR_CANCEL)
            raise
