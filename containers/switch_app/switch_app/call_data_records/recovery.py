"""What becomes of the calls of a Dial that a process before this one left without a record."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final, Protocol

from switch_app.call_data_records.owed import OwedCall
from switch_app.call_data_records.unrecorded import UnrecordedCalls
from switch_app.errors import MediaServerError

logger = logging.getLogger(__name__)

_SETTLE_SECONDS: Final = 1.0
"""How long a channel must not have been there: one that was only just ordered comes within this."""


class Channels(Protocol):
    """The media server's channels."""

    async def wait_until_ready(self) -> None:
        """Return when it has been reached."""
        ...

    async def has_channel(self, uuid: str) -> bool:
        """Whether there is a channel whose record is still to be written.

        Raises:
            MediaServerError: when nobody can tell.

        """
        ...


async def recover(
    calls: Sequence[OwedCall], channels: Channels, records: UnrecordedCalls, settle_seconds: float = _SETTLE_SECONDS
) -> None:
    """Have a record written for each call that nobody else will write one of.

    The media server writes those of the legs that it has, which it ends when the app is gone. So this waits until a
    call's channel is no more; what has no record then never had a channel, or died with the media server.

    Args:
        calls: those that an earlier process left.
        channels: where their channels may be.
        records: where their records are written.
        settle_seconds: how long a channel must not have been there.

    """
    if not calls:
        return
    await channels.wait_until_ready()
    waiting = list(calls)
    while waiting:
        gone = await _gone(waiting, channels)
        await asyncio.sleep(settle_seconds)
        gone = await _gone(gone, channels)
        for call in gone:
            waiting.remove(call)
            await records.write_owed(call)
    logger.info("calls that an earlier process left are accounted for", extra={"calls": len(calls)})


async def _gone(calls: Sequence[OwedCall], channels: Channels) -> Sequence[OwedCall]:
    try:
        return [call for call in calls if not await channels.has_channel(call.channel)]
    except MediaServerError as error:
        logger.warning("nobody can tell whether calls are over", extra={"reason": str(error)})
        return []
