"""One connection to an event socket, either way round: commands with their answers, and events as they come."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from switch_app.errors import EventSocketError, MediaServerError
from switch_app.freeswitch.messages import Event, Message, Parser, command

logger = logging.getLogger(__name__)


class Connection(asyncio.Protocol):
    """A connection: what a transport tells, taken without a task in between. It is made where an event loop runs.

    Args:
        on_event: called with each event, in their order; it must not wait.
        on_made: called with this when there is a connection; it must not wait.

    Attributes:
        on_event: the same; whoever has it changed gets what comes from then on.
        greeted: done when FreeSWITCH has asked for the password.

    """

    def __init__(
        self, on_event: Callable[[Event], None], on_made: "Callable[[Connection], None] | None" = None
    ) -> None:
        loop = asyncio.get_running_loop()
        self.on_event, self._on_made = on_event, on_made
        self.greeted: asyncio.Future[None] = loop.create_future()
        self._closed: asyncio.Future[None] = loop.create_future()
        self._waiting: deque[asyncio.Future[Message]] = deque()
        self._parser = Parser()
        self._transport: asyncio.WriteTransport | None = None

    # --- what the transport tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's are no subclass
        if self._on_made is not None:
            self._on_made(self)

    def data_received(self, data: bytes) -> None:
        """Take some bytes. What is not the protocol closes the connection."""
        if self.closed:
            return
        try:
            for message in self._parser.feed(data):
                self._take(message)
        except EventSocketError as error:
            logger.error("event socket is closed for what it said", extra={"reason": str(error)})  # noqa: TRY400
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Take notice that the other side has closed it, or that it broke."""
        if exc is not None and not self.closed:
            logger.info("event socket is lost", extra={"reason": str(exc)})
        self.close()

    # --- what is done with it

    @property
    def closed(self) -> bool:
        """Whether nothing more will come."""
        return self._closed.done()

    async def wait_closed(self) -> None:
        """Return when nothing more will come."""
        await asyncio.shield(self._closed)

    def when_closed(self, call: Callable[[], None]) -> None:
        """Have something called soon after nothing more will come; it must not wait."""
        self._closed.add_done_callback(lambda _: call())

    def close(self) -> None:
        """Close it; every command without an answer has failed then. Nothing happens when it is closed."""
        if self.closed:
            return
        self._closed.set_result(None)
        if self._transport is not None:
            self._transport.close()
        futures: list[asyncio.Future[Any]] = [*self._waiting, self.greeted]
        for future in futures:
            if not future.done():
                future.set_exception(MediaServerError("the event socket is closed"))
                future.exception()  # whoever waits for it gets it, and nobody may
        self._waiting.clear()

    def write(self, *commands: bytes) -> "Sequence[asyncio.Future[Message]]":
        """Send commands in one piece, and return what is done with the answer of each, whatever it is. None waits for
        the one before.

        Raises:
            MediaServerError: when the connection is closed. Where it is closed before an answer, that future has it.

        """
        if self.closed or self._transport is None:
            raise MediaServerError("the event socket is closed")
        loop = asyncio.get_running_loop()
        # Whoever is cancelled while it waits leaves its place in the row: the answer comes all the same.
        answers: list[asyncio.Future[Message]] = [loop.create_future() for _ in commands]
        self._waiting.extend(answers)
        self._transport.write(b"".join(commands))
        return answers

    async def commands(self, *lines: str) -> list[Message]:
        """Send commands that must all succeed, in one piece, and return their answers. None waits for the one before.

        Raises:
            MediaServerError: when one does not, naming it.

        """
        answers = [await answer for answer in self.write(*map(command, lines))]
        for line, message in zip(lines, answers, strict=True):
            _require(line, message)
        return answers

    async def command(self, line: str, headers: Mapping[str, str] | None = None, body: str = "") -> Message:
        """Send a command that must succeed.

        Raises:
            MediaServerError: when it does not, naming the command.

        """
        message = await self.write(command(line, headers, body))[0]
        _require(line, message)
        return message

    async def api(self, line: str) -> str:
        """Run an API command and return its output; one that begins with `-ERR` is returned, too.

        Raises:
            MediaServerError: when the connection is closed before the answer.

        """
        return (await self.write(command(f"api {line}"))[0]).reply

    # ---

    def _take(self, message: Message) -> None:
        kind = message.content_type
        if kind == "text/event-plain":
            self.on_event(message.event())
        elif kind in ("command/reply", "api/response"):
            if not self._waiting:
                raise EventSocketError("an answer came to no command")
            answer = self._waiting.popleft()
            if not answer.done():
                answer.set_result(message)
        elif kind == "auth/request":
            if not self.greeted.done():
                self.greeted.set_result(None)
        elif kind == "text/rude-rejection":
            raise EventSocketError("FreeSWITCH does not let this address log in (FS_EVENT_SOCKET_NETWORKS)")
        elif kind != "text/disconnect-notice":
            raise EventSocketError(f"a message is of kind {kind[:60]!r}")


def _require(line: str, message: Message) -> None:
    """Raise when a command was refused."""
    if message.reply.startswith("-ERR"):
        word = " ".join(line.split()[:2]) if line.startswith(("api", "bgapi")) else line.split()[0]
        raise MediaServerError(f"FreeSWITCH refuses {word}: {message.reply.partition(' ')[2]}")
