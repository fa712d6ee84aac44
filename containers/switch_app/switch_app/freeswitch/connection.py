"""One connection to an event socket, either way round: commands with their answers, and events as they come."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from switch_app.errors import EventSocketError, MediaServerError
from switch_app.freeswitch.messages import Event, Message, Parser, command

logger = logging.getLogger(__name__)

_READ_BYTES = 64 * 1024


class Connection:
    """A connection. `run` must run for anything to happen.

    Args:
        reader, writer: its streams.
        on_event: called with each event, in their order; it must not wait.

    Attributes:
        greeted: done when FreeSWITCH has asked for the password.
        closed: whether nothing more will come.

    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, on_event: Callable[[Event], None]
    ) -> None:
        self._reader, self._writer, self._on_event = reader, writer, on_event
        self._waiting: deque[asyncio.Future[Message]] = deque()
        self.greeted = asyncio.get_running_loop().create_future()
        self.closed = False

    async def run(self) -> None:
        """Read until the other side closes, or sends what is not the protocol. The connection is closed then, and every
        command without an answer has failed."""
        parser = Parser()
        try:
            while data := await self._reader.read(_READ_BYTES):
                for message in parser.feed(data):
                    self._take(message)
        except (ConnectionError, TimeoutError) as error:
            logger.info("event socket is lost", extra={"reason": str(error)})
        except EventSocketError as error:
            logger.error("event socket is closed for what it said", extra={"reason": str(error)})  # noqa: TRY400
        finally:
            self.close()

    def close(self) -> None:
        """Close it; nothing happens when it is closed."""
        self.closed = True
        self._writer.close()
        for future in [*self._waiting, self.greeted]:
            if not future.done():
                future.set_exception(MediaServerError("the event socket is closed"))
                future.exception()  # whoever waits for it gets it, and nobody may
        self._waiting.clear()

    async def send(self, line: str, headers: Mapping[str, str] | None = None, body: str = "") -> Message:
        """Send a command and return its answer, whatever it is.

        Raises:
            MediaServerError: when the connection is closed before the answer.

        """
        return await self._write([command(line, headers, body)])[0]

    async def commands(self, *lines: str) -> list[Message]:
        """Send commands that must all succeed, in one piece, and return their answers. None waits for the one before.

        Raises:
            MediaServerError: when one does not, naming it.

        """
        answers = [await answer for answer in self._write([command(line) for line in lines])]
        for line, message in zip(lines, answers, strict=True):
            _require(line, message)
        return answers

    async def command(self, line: str, headers: Mapping[str, str] | None = None, body: str = "") -> Message:
        """Send a command that must succeed.

        Raises:
            MediaServerError: when it does not, naming the command.

        """
        message = await self.send(line, headers, body)
        _require(line, message)
        return message

    async def api(self, line: str) -> str:
        """Run an API command and return its output; one that begins with `-ERR` is returned, too.

        Raises:
            MediaServerError: when the connection is closed before the answer.

        """
        return (await self.send(f"api {line}")).reply

    def _write(self, commands: Sequence[bytes]) -> list[asyncio.Future[Message]]:
        if self.closed:
            raise MediaServerError("the event socket is closed")
        loop = asyncio.get_running_loop()
        # Whoever is cancelled while it waits leaves its place in the row: the answer comes all the same.
        answers: list[asyncio.Future[Message]] = [loop.create_future() for _ in commands]
        self._waiting.extend(answers)
        self._writer.write(b"".join(commands))
        return answers

    def _take(self, message: Message) -> None:
        kind = message.content_type
        if kind == "text/event-plain":
            self._on_event(message.event())
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
