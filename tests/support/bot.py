"""A voice bot: a WebSocket server that speaks the Media Streams protocol, as customers' programs do."""

import asyncio
import base64
import json
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Self

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.typing import Subprotocol

from tests.support.speech_codec import decode, encode


class BotStream:
    """A stream that came to a bot.

    Attributes:
        messages: what came, parsed; all but the media messages.
        media: the content of each media message.
        closed: set when it is over.
        request_headers: of the handshake.

    """

    def __init__(self, socket: ServerConnection) -> None:
        self.socket = socket
        self.messages: list[dict[str, Any]] = []
        self.media: list[dict[str, Any]] = []
        self.closed = asyncio.Event()
        assert socket.request is not None
        self.request_headers = socket.request.headers
        self._changed = asyncio.Event()

    @property
    def sid(self) -> str:
        """The stream's identifier, once it has started."""
        return str(self.messages[1]["streamSid"])

    def events(self) -> list[str]:
        """Return the names of the messages but media's."""
        return [str(message["event"]) for message in self.messages]

    def heard(self, track: str = "inbound") -> list[int]:
        """Return the samples of a track."""
        return decode(b"".join(base64.b64decode(one["payload"]) for one in self.media if one["track"] == track))

    async def until(self, condition: Callable[[], object], seconds: float = 5.0) -> None:
        """Wait until something that came makes a condition true."""
        async with asyncio.timeout(seconds):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def until_event(self, name: str, seconds: float = 5.0) -> dict[str, Any]:
        """Wait for a message, and return the last of its kind."""
        await self.until(lambda: name in self.events(), seconds)
        return [message for message in self.messages if message["event"] == name][-1]

    async def say(self, samples: Sequence[int]) -> None:
        """Have the caller hear samples, all sent at once."""
        await self.play(base64.b64encode(encode(samples)).decode())

    async def play(self, payload: str) -> None:
        """Have the caller hear a payload."""
        await self.send({"event": "media", "media": {"payload": payload}})

    async def mark(self, name: str) -> None:
        """Ask to be told when all was heard."""
        await self.send({"event": "mark", "mark": {"name": name}})

    async def clear(self) -> None:
        """Have what was not heard forgotten."""
        await self.send({"event": "clear"})

    async def send(self, message: dict[str, Any]) -> None:
        """Send a message."""
        await self.socket.send(json.dumps({**message, "streamSid": self.sid}))

    async def read(self) -> None:
        """Take what comes, until it is over."""
        async for text in self.socket:
            message = json.loads(text)
            (self.media if message["event"] == "media" else self.messages).append(
                message["media"] if message["event"] == "media" else message
            )
            self._changed.set()


async def _listen(stream: BotStream) -> None:
    """Say nothing."""
    await stream.closed.wait()


class Bot:
    """A bot, as an asynchronous context.

    Args:
        act: what it does with each stream, which is closed when that returns; by default it listens.
        tls: its certificate; None for no TLS.

    Attributes:
        streams: those that came.

    """

    def __init__(
        self, act: Callable[[BotStream], Awaitable[None]] = _listen, tls: ssl.SSLContext | None = None
    ) -> None:
        self._act, self._tls = act, tls
        self._server: Server | None = None
        self.streams: asyncio.Queue[BotStream] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        self._server = await serve(
            self._serve,
            "127.0.0.1",
            0,
            ssl=self._tls,
            subprotocols=[Subprotocol("audio.somleng.org")],
            max_size=None,
            close_timeout=0.5,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    @property
    def port(self) -> int:
        """Where it is, on 127.0.0.1."""
        assert self._server is not None
        return int(next(iter(self._server.sockets)).getsockname()[1])

    @property
    def url(self) -> str:
        """Where it is."""
        return f"{'wss' if self._tls else 'ws'}://127.0.0.1:{self.port}/audio"

    async def next_stream(self, seconds: float = 5.0) -> BotStream:
        """Return the next stream, started."""
        stream = await asyncio.wait_for(self.streams.get(), seconds)
        await stream.until_event("start", seconds)
        return stream

    async def _serve(self, socket: ServerConnection) -> None:
        stream = BotStream(socket)
        self.streams.put_nowait(stream)
        reading = asyncio.ensure_future(stream.read())
        reading.add_done_callback(lambda _: stream.closed.set())
        acting = asyncio.ensure_future(self._act(stream))
        try:
            await asyncio.wait([acting, reading], return_when=asyncio.FIRST_COMPLETED)
        finally:
            acting.cancel()
            await socket.close()
            await asyncio.gather(acting, reading, return_exceptions=True)
