"""Calls that the platform asks for, each of which is made once, however often it is asked for."""

import asyncio
import logging
import uuid
from collections import OrderedDict
from dataclasses import replace
from typing import Final

from switch_app.billing import billing_variables
from switch_app.call_properties import CallProperties, RoutingParameters
from switch_app.calls.call_register import CallRegister
from switch_app.calls.calls import Calls
from switch_app.calls.live_calls import LiveCall, LiveCalls
from switch_app.errors import MediaServerError, PlatformRefused
from switch_app.services import CallDataRecords, Routes
from switch_app.telephony import CallEvent, CallEventKind, Telephony

logger = logging.getLogger(__name__)

_REMEMBERED_MAXIMUM: Final = 10_000
"""Calls that have ended and whose sid is still known; at most 120 calls a switch last at once."""

_SILENCE_SECONDS: Final = 30.0

_TEMPORARILY_UNAVAILABLE: Final = 480


class Originations:
    """Makes calls.

    Args:
        telephony: what rings.
        routes: how a call leaves.
        register: who is told of a call that cannot be made,
        records: and where its record is noted.
        live_calls: where calls are kept while they last.
        calls: what gives up a call of which nothing is heard.
        ring_seconds: how long a callee may take to answer.
        remembered: how many sids are known of calls that have ended.
        silence_seconds: how long after the ringing should have ended a call is given up of which nothing is told.

    """

    def __init__(
        self,
        telephony: Telephony,
        routes: Routes,
        register: CallRegister,
        records: CallDataRecords,
        live_calls: LiveCalls,
        calls: Calls,
        ring_seconds: int,
        remembered: int = _REMEMBERED_MAXIMUM,
        silence_seconds: float = _SILENCE_SECONDS,
    ) -> None:
        self._telephony = telephony
        self._routes = routes
        self._register = register
        self._records = records
        self._live_calls = live_calls
        self._calls = calls
        self._ring_seconds = ring_seconds
        self._remembered = remembered
        self._silence_seconds = silence_seconds
        self._hangups: set[asyncio.Task[None]] = set()
        self._made: OrderedDict[str, asyncio.Task[str]] = OrderedDict()

    async def originate(self, properties: CallProperties, routing: RoutingParameters) -> str:
        """Begin a call and return the channel's identifier, as soon as there is one.

        Asked for again with the same sid, while or after it is made, it returns the same. One that failed is made anew.

        Raises:
            MediaServerError: when no leg could be made.
            PlatformUnavailable: when nobody can tell where the client is that is to be called.

        """
        task = self._made.get(properties.sid)
        if task is None:
            task = asyncio.create_task(self._make(properties, routing), name=f"originate {properties.sid}")
            self._made[properties.sid] = task
            task.add_done_callback(lambda done: self._forget_failed(properties.sid, done))
            self._forget_oldest()
        # Who asks may go away; the call is made all the same, and they will ask again.
        return await asyncio.shield(task)

    async def _make(self, properties: CallProperties, routing: RoutingParameters) -> str:
        with self._live_calls.expecting():
            return await self._begin(properties, routing)

    async def _begin(self, properties: CallProperties, routing: RoutingParameters) -> str:
        try:
            leg = await self._routes.leg(
                routing,
                properties.sid,
                properties.sender,
                account_sid=properties.account_sid,
                carrier_sid=properties.carrier_sid,
            )
        except PlatformRefused as error:
            return self._fail(properties, str(error))
        charged = billing_variables(
            properties.billing,
            carrier_sid=properties.carrier_sid,
            account_sid=properties.account_sid,
            destination=routing.destination,
        )
        leg = replace(leg, variables={**leg.variables, **charged})
        live = LiveCall(leg.uuid, properties)
        # What happens to the leg may be told before this hears that there is one.
        self._live_calls.add(live)
        try:
            await self._telephony.originate(leg, self._ring_seconds)
        except BaseException:
            self._live_calls.remove(live)
            raise
        asyncio.get_running_loop().call_later(
            self._ring_seconds + self._silence_seconds, self._give_up_unanswered, live
        )
        logger.info("call originated", extra={"call_sid": properties.sid, "call_uuid": leg.uuid})
        return leg.uuid

    def _fail(self, properties: CallProperties, reason: str) -> str:
        """Complete a call that can never be made. An error would have the platform ask for it again and again."""
        channel = str(uuid.uuid4())
        logger.warning(
            "call cannot be made", extra={"call_sid": properties.sid, "call_uuid": channel, "reason": reason}
        )
        self._records.note_unreached(properties.sid, "NO_ROUTE_DESTINATION", _TEMPORARILY_UNAVAILABLE)
        variables = {"sip_term_status": str(_TEMPORARILY_UNAVAILABLE)}
        self._register.note_call_event(CallEvent(CallEventKind.COMPLETED, channel, variables))
        return channel

    def _give_up_unanswered(self, live: LiveCall) -> None:
        """Complete a call whose ringing should have ended long ago, if nothing was told of it."""
        if live.is_answered or live.is_completed or live.is_running:
            return
        self._calls.give_up(live)
        hangup = asyncio.create_task(self._hang_up(live.uuid))
        self._hangups.add(hangup)
        hangup.add_done_callback(self._hangups.discard)

    async def _hang_up(self, channel: str) -> None:
        try:
            await self._telephony.hangup(channel)
        except MediaServerError as error:
            logger.warning("call not hung up", extra={"call_uuid": channel, "reason": str(error)})

    def _forget_failed(self, sid: str, done: asyncio.Task[str]) -> None:
        if done.cancelled() or done.exception() is not None:
            self._made.pop(sid, None)

    def _forget_oldest(self) -> None:
        """Forget those that ended longest ago, and none that lasts."""
        excess = len(self._made) - self._remembered
        if excess <= 0:
            return
        ended = [sid for sid, task in self._made.items() if task.done() and self._live_calls.get(task.result()) is None]
        for sid in ended[:excess]:
            del self._made[sid]
