"""Where FreeSWITCH hands calls over: one connection a call, as long as the call lasts."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final

from switch_app.errors import CallEnded, MediaServerError
from switch_app.freeswitch.channel import LOST, Channel, to_the_end
from switch_app.freeswitch.connection import Connection
from switch_app.freeswitch.messages import Event

logger = logging.getLogger(__name__)

_LINGER_SECONDS: Final = 10
"""How long FreeSWITCH keeps the connection of a call that has ended, to tell how."""

_START: Final = (
    "connect",
    f"linger {_LINGER_SECONDS}",
    "myevents",
    # What comes with them and no channel takes: two events of three, each of ten kilobytes.
    "nixevent CHANNEL_APPLICATION CHANNEL_BRIDGE CHANNEL_CREATE CHANNEL_DATA CHANNEL_DESTROY CHANNEL_EXECUTE "
    "CHANNEL_ORIGINATE CHANNEL_OUTGOING CHANNEL_PARK CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA CHANNEL_STATE "
    "CHANNEL_UNBRIDGE CHANNEL_UNPARK CHANNEL_UUID DETECTED_SPEECH NOTALK TALK",
)
"""What begins a call, all at once: FreeSWITCH reads one after the other."""

_START_SECONDS: Final = 5.0
_CANCEL_SECONDS: Final = 3.0


class HandoverServer:
    """Takes calls while it is started.

    Args:
        address: host and port that it listens on.
        take: runs a call to its end; the call is hung up when this returns or raises.
        ended: told of each call's channel when nothing more will be heard of it.
        told: called with each event of a call's channel, after the channel has it.

    """

    def __init__(
        self,
        address: tuple[str, int],
        take: Callable[[Channel], Awaitable[None]],
        ended: Callable[[Channel], None],
        told: Callable[[Event], None],
    ) -> None:
        self._address, self._take, self._ended, self._told = address, take, ended, told
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begin to listen; nothing happens when it does."""
        if self._server is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(self._connection, *self._address)

    async def close(self) -> None:
        """Take no more calls, and end those that there are."""
        if self._server is not None:
            self._server.close()
        while self._tasks:
            for task in list(self._tasks):
                task.cancel()
            # One that waits with a limit may lose its cancellation to what it waits for (Python before 3.12).
            await asyncio.wait(self._tasks, timeout=_CANCEL_SECONDS)

    def _connection(self) -> Connection:
        early: list[Event] = []  # what comes in one piece with the answer to `connect`
        return Connection(early.append, lambda connection: self._accept(connection, early))

    def _accept(self, connection: Connection, early: Sequence[Event]) -> None:
        task = asyncio.ensure_future(self._serve(connection, early))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, connection: Connection, early: Sequence[Event]) -> None:
        channel: Channel | None = None
        try:
            async with asyncio.timeout(_START_SECONDS):
                start, *_ = await connection.commands(*_START)
            channel = Channel(connection, start.as_event())
            connection.when_closed(channel.lose)
            connection.on_event = partial(self._take_event, channel)
            for event in early:
                self._take_event(channel, event)
            await self._run(channel)
            async with asyncio.timeout(_LINGER_SECONDS):
                await channel.completed.wait()
        except (MediaServerError, TimeoutError) as error:
            # A caller who hangs up at once is gone before it is taken.
            logger.info("call is not taken", extra={"reason": str(error)})
        finally:
            connection.close()
            if channel is not None:
                channel.lose()
                self._ended(channel)

    def _take_event(self, channel: Channel, event: Event) -> None:
        channel.take(event)
        self._told(event)

    async def _run(self, channel: Channel) -> None:
        cause = "NORMAL_CLEARING"
        try:
            await self._take(channel)
        except CallEnded:
            return
        except asyncio.CancelledError:
            # The app ends before its calls do.
            await to_the_end(self._hangup(channel, LOST))
            raise
        except Exception:
            # One call's failure is its own; what it was is in the log.
            logger.exception("call failed", extra={"call_uuid": channel.uuid})
            cause = LOST
        await self._hangup(channel, cause)

    async def _hangup(self, channel: Channel, cause: str) -> None:
        with contextlib.suppress(CallEnded):
            await channel.hangup(cause)
