"""Tells the platform regularly which calls are alive; one that it does not hear of for 15 minutes ends there."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

from switch_app.backoff import Backoff
from switch_app.counts import Count, uncounted
from switch_app.errors import MediaServerError, PlatformRefused, PlatformUnavailable

logger = logging.getLogger(__name__)

AT_ONCE: Final = 500
"""Channels in one request."""

_BACKOFF: Final = Backoff(first=1.0, longest=10.0)


class _Platform(Protocol):
    async def send_call_heartbeats(self, call_ids: Sequence[str]) -> None:
        """Tell which calls are alive."""
        ...


class CallHeartbeats:
    """Call heartbeats, one every so often. What cannot be told until the next one is due is dropped: that one tells
    more truly.

    Args:
        channels: returns the uuids of all channels; raises MediaServerError when it cannot.
        platform: what is told.
        interval: seconds between two.
        backoff: how long to wait when the platform does not listen.
        fraction: returns a number from 0 to 1: how much of an interval passes before the first, so that switches that
            were started together do not tell together.
        count: counts `CallHeartbeatFailed`.

    Attributes:
        problem: why the last one failed; None when it did not.

    """

    def __init__(
        self,
        channels: Callable[[], Awaitable[Sequence[str]]],
        platform: _Platform,
        interval: float,
        *,
        backoff: Backoff = _BACKOFF,
        fraction: Callable[[], float] = random.random,
        count: Count = uncounted,
    ) -> None:
        self._channels, self._platform, self._interval = channels, platform, interval
        self._backoff, self._fraction, self._count = backoff, fraction, count
        self.problem: str | None = None

    async def run(self) -> None:
        """Send one after the other, until this is cancelled."""
        clock = asyncio.get_running_loop().time
        await asyncio.sleep(self._fraction() * self._interval)
        while True:
            due = clock() + self._interval
            await self.beat()
            await asyncio.sleep(max(0.0, due - clock()))

    async def beat(self) -> None:
        """Send one; it ends when the next one is due, whatever became of it."""
        try:
            async with asyncio.timeout(self._interval):
                uuids = await self._channels()
                for begin in range(0, len(uuids), AT_ONCE):
                    await self._send(uuids[begin : begin + AT_ONCE])
        except (MediaServerError, PlatformRefused) as error:
            self._fail(str(error))
        except TimeoutError:
            self._fail(self.problem or "no answer before the next one is due")
        else:
            self.problem = None

    async def _send(self, uuids: Sequence[str]) -> None:
        failures = 0
        while True:
            try:
                await self._platform.send_call_heartbeats(uuids)
            except PlatformUnavailable as error:
                failures += 1
                self.problem = str(error)
                await asyncio.sleep(self._backoff.seconds(failures))
            else:
                return

    def _fail(self, reason: str) -> None:
        self.problem = reason
        self._count("CallHeartbeatFailed")
        logger.warning("a call heartbeat is not delivered", extra={"reason": reason})
