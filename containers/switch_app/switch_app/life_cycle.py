"""How a switch ends without taking its calls with it."""

import asyncio
import logging
from typing import Final

from switch_app.calls.live_calls import LiveCalls
from switch_app.errors import Draining, MediaServerError
from switch_app.telephony import Telephony

logger = logging.getLogger(__name__)

_HANGUP_SECONDS: Final = 5.0
"""For the calls that are cut off to be over, and their ends told."""

SYSTEM_SHUTDOWN: Final = "SYSTEM_SHUTDOWN"
"""The cause of calls that are cut off."""


class LifeCycle:
    """Whether this switch takes new calls.

    Args:
        live_calls: the calls there are.
        telephony: what takes new ones.
        drain_seconds: how long live calls may go on once it is to end.
        hangup_seconds: how long it may take to end those that went on for longer.

    """

    def __init__(
        self,
        live_calls: LiveCalls,
        telephony: Telephony,
        drain_seconds: float,
        hangup_seconds: float = _HANGUP_SECONDS,
    ) -> None:
        self._live_calls = live_calls
        self._telephony = telephony
        self._drain_seconds = drain_seconds
        self._hangup_seconds = hangup_seconds
        self._is_draining = False

    @property
    def is_draining(self) -> bool:
        """Whether it is to end."""
        return self._is_draining

    async def check(self) -> None:
        """Return when new calls are taken.

        Raises:
            Draining: when they are not.

        """
        if self._is_draining:
            raise Draining(f"draining, {len(self._live_calls)} calls are live")

    async def drain(self, at_once: asyncio.Event) -> bool:
        """Take no new call, and return when the last one is over; tell whether none was cut off.

        Args:
            at_once: when it is set, calls are cut off without waiting any longer.

        """
        self._is_draining = True
        logger.info("draining", extra={"live_calls": len(self._live_calls), "seconds": self._drain_seconds})
        try:
            await self._telephony.refuse_new_calls()
        except MediaServerError as error:
            # Then it takes no calls either way.
            logger.warning("the media server was not told to refuse calls", extra={"reason": str(error)})
        if await self._is_idle_within(self._drain_seconds, at_once):
            logger.info("drained")
            return True
        await self._cut_off()
        return False

    async def _is_idle_within(self, seconds: float, at_once: asyncio.Event) -> bool:
        waits = [asyncio.ensure_future(event.wait()) for event in (self._live_calls.idle, at_once)]
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        return self._live_calls.idle.is_set()

    async def _cut_off(self) -> None:
        for call in self._live_calls:
            logger.warning("call cut off: this switch ends", extra={"call_sid": call.sid, "call_uuid": call.uuid})
            try:
                await self._telephony.hangup(call.uuid, SYSTEM_SHUTDOWN)
            except MediaServerError as error:
                logger.warning("call not hung up", extra={"call_uuid": call.uuid, "reason": str(error)})
        try:
            async with asyncio.timeout(self._hangup_seconds):
                await self._live_calls.idle.wait()
        except TimeoutError:
            logger.warning("calls are left behind", extra={"live_calls": len(self._live_calls)})
