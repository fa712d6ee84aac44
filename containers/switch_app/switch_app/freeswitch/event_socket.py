"""The connection to FreeSWITCH as a whole: kept, made again when it is lost. It tells what happens to channels."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import uuid4

from switch_app.backoff import Backoff
from switch_app.errors import MediaServerError
from switch_app.freeswitch.connection import Connection
from switch_app.freeswitch.messages import Event

logger = logging.getLogger(__name__)

EVENTS: Final = (
    "CHANNEL_CREATE CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA CHANNEL_ANSWER CHANNEL_BRIDGE CHANNEL_HANGUP_COMPLETE "
    "BACKGROUND_JOB"
)

_CONNECT_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class EventSocketAddress:
    """Where FreeSWITCH listens, and what it wants to know.

    Attributes:
        host, port: of its event socket.
        password: it has no repr.

    """

    host: str
    port: int
    password: str = field(repr=False)


class EventSocket:
    """FreeSWITCH's event socket, kept connected while `run` runs.

    Args:
        address: where it is.
        on_event: called with each event of a channel, in their order; it must not wait.
        on_connect: awaited when a connection is there, the first and each after it.
        on_loss: called when the connection is lost; it must not wait.
        delays: seconds until the next attempt to connect: the first, and how many at most; it doubles in between, with
            jitter.
        events: names of the events that are wanted, separated by spaces.
        filters: headers and their values, such as `Call-Direction outbound`, one of which an event must have; none to
            have all of these events.

    """

    def __init__(
        self,
        address: EventSocketAddress,
        on_event: Callable[[Event], None],
        on_connect: Callable[[], Awaitable[None]],
        on_loss: Callable[[], None],
        delays: tuple[float, float] = (0.2, 5.0),
        events: str = EVENTS,
        filters: Sequence[str] = (),
    ) -> None:
        self._address, self._on_event, self._on_connect, self._on_loss = address, on_event, on_connect, on_loss
        self._backoff, self._events, self._filters = Backoff(*delays), events, tuple(filters)
        self._connection: Connection | None = None
        self._jobs: dict[str, asyncio.Future[str]] = {}
        self._problem = "it has not been connected yet"

    @property
    def connection(self) -> Connection:
        """The connection as it is now.

        Raises:
            MediaServerError: saying why there is none.

        """
        if self._connection is None or self._connection.closed:
            raise MediaServerError(f"FreeSWITCH is not reached: {self._problem}")
        return self._connection

    async def run(self) -> None:
        """Keep it connected, until this is cancelled."""
        failures = 1
        while True:
            try:
                await self._serve()
                failures = 1
            except (OSError, TimeoutError, MediaServerError) as error:
                if str(error) != self._problem:
                    logger.warning("FreeSWITCH is not reached", extra={"reason": str(error)})
                self._problem = str(error) or type(error).__name__
            await asyncio.sleep(self._backoff.seconds(failures))
            failures += 1

    async def api(self, line: str) -> str:
        """Run an API command and return its output.

        Raises:
            MediaServerError: when FreeSWITCH is not reached.

        """
        return await self.connection.api(line)

    async def background(self, line: str) -> str:
        """Run an API command that takes time, and return its output when it is done.

        Raises:
            MediaServerError: when FreeSWITCH is not reached, or is lost before it is done.

        """
        job = str(uuid4())
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._jobs[job] = future
        try:
            await self.connection.command(f"bgapi {line}", {"Job-UUID": job})
            return await future
        finally:
            self._jobs.pop(job, None)

    async def _serve(self) -> None:
        async with asyncio.timeout(_CONNECT_SECONDS):
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: Connection(self._take), self._address.host, self._address.port
            )
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await self._log_in(connection)
            self._connection = connection
            self._problem = "the connection was lost"
            logger.info("FreeSWITCH is reached")
            await self._on_connect()
            await connection.wait_closed()
            logger.warning("FreeSWITCH is lost")
        finally:
            connection.close()
            if self._connection is connection:
                self._connection = None
                self._fail_jobs()
                self._on_loss()

    async def _log_in(self, connection: Connection) -> None:
        await connection.greeted
        await connection.command(f"auth {self._address.password}")
        filters = [f"filter {one}" for one in self._filters]
        await connection.commands(*filters, f"event plain {self._events}")

    def _take(self, event: Event) -> None:
        if event.name != "BACKGROUND_JOB":
            self._on_event(event)
            return
        # Those of other clients of this FreeSWITCH come, too.
        future = self._jobs.get(event.headers.get("Job-UUID", ""))
        if future is not None and not future.done():
            future.set_result(event.body.strip())

    def _fail_jobs(self) -> None:
        for future in self._jobs.values():
            if not future.done():
                future.set_exception(MediaServerError("FreeSWITCH was lost before it was done"))
                future.exception()
        self._jobs.clear()
