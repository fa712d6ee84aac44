"""What the platform has done to calls that live."""

import logging
from typing import Final

from switch_app.calls.live_calls import LiveCalls
from switch_app.interpreter import Update
from switch_app.telephony import Telephony

logger = logging.getLogger(__name__)

_NORMAL: Final = "NORMAL_CLEARING"

CANCEL: Final = "MANAGER_REQUEST"
"""The cause of a call that the platform ends before it is answered: that makes it canceled and not just unanswered
(contract C2). An end for any other reason has another cause."""


class CallControl:
    """Changes and ends calls.

    Args:
        live_calls: the calls there are.
        telephony: what they are calls of.

    """

    def __init__(self, live_calls: LiveCalls, telephony: Telephony) -> None:
        self._live_calls = live_calls
        self._telephony = telephony

    def update(self, uuid: str, update: Update) -> bool:
        """Have a call do something else, whatever it does now; tell whether there is such a call."""
        live = self._live_calls.get(uuid)
        if live is None:
            return False
        live.update(update)
        logger.info("call updated", extra={"call_sid": live.sid, "call_uuid": uuid})
        return True

    async def hangup(self, uuid: str) -> bool:
        """End a call, answered or not; tell whether there was one.

        Raises:
            MediaServerError: when the media server cannot be told.

        """
        live = self._live_calls.get(uuid)
        cause = CANCEL if live is not None and not live.is_answered else _NORMAL
        was_there = await self._telephony.hangup(uuid, cause)
        if was_there:
            logger.info("call hung up", extra={"call_uuid": uuid, "cause": cause})
        return was_there
