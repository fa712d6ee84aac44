"""Where FreeSWITCH hands calls over: one connection a call, as long as the call lasts."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
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
            self._server = await asyncio.start_server(self._accept, *self._address)

    async def close(self) -> None:
        """Take no more calls, and end those that there are."""
        if self._server is not None:
            self._server.close()
        while self._tasks:
            for task in list(self._tasks):
                task.cancel()
            # One that waits with a limit may lose its cancellation to what it waits for (Python before 3.12).
            await asyncio.wait(self._tasks, timeout=_CANCEL_SECONDS)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        channel: Channel | None = None
        early: list[Event] = []

        def take(event: Event) -> None:
            if channel is None:
                early.append(event)  # it came in one piece with the answer to `connect`
            else:
                channel.take(event)
                self._told(event)

        connection = Connection(reader, writer, take)
        running = asyncio.ensure_future(connection.run())
        try:
            start, *_ = await asyncio.wait_for(connection.commands(*_START), _START_SECONDS)
            channel = Channel(connection, start.as_event())
            running.add_done_callback(lambda _: channel.lose())
            for event in early:
                take(event)
            await self._run(channel)
            await asyncio.wait_for(channel.completed.wait(), _LINGER_SECONDS)
        except (MediaServerError, TimeoutError) as error:
            # A caller who hangs up at once is gone before it is taken.
            logger.info("call is not taken", extra={"reason": str(error)})
        finally:
            connection.close()
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
            if channel is not None:
                channel.lose()
                self._ended(channel)

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
