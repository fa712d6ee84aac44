"""WebSockets without a network: a test plays the other side of each."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from switch_app.errors import FetchFailed


class FakeWebSocket:
    """The app's end of a WebSocket, and the other side's as the test has it.

    Args:
        url, headers: what it was opened with.

    Attributes:
        received: what the other side got, parsed.
        takes: whether the other side takes what is sent.

    """

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self.url, self.headers = url, headers
        self.received: list[dict[str, Any]] = []
        self.close_code: int | None = None
        self.takes = asyncio.Event()
        self.takes.set()
        self._incoming: asyncio.Queue[str | None] = asyncio.Queue()
        self.on_message: Callable[[dict[str, Any]], None] = lambda message: None

    # --- the other side

    def say(self, message: Mapping[str, Any] | str) -> None:
        """Send the app a message."""
        self._incoming.put_nowait(message if isinstance(message, str) else json.dumps(message))

    def leave(self, code: int = 1000) -> None:
        """Close it from the other side."""
        self.close_code = code
        self._incoming.put_nowait(None)

    def events(self, *leaving_out: str) -> list[str]:
        """Return the names of the messages that came."""
        return [message["event"] for message in self.received if message["event"] not in leaving_out]

    # --- the app's end

    async def send(self, text: str) -> None:
        await self.takes.wait()
        if self.close_code is not None:
            raise ConnectionResetError("it is closed")
        message = json.loads(text)
        self.received.append(message)
        self.on_message(message)

    async def receive(self) -> str | None:
        return await self._incoming.get()

    async def close(self) -> None:
        self.close_code = self.close_code or 1000


@dataclass
class FakeWebSockets:
    """What opens them.

    Attributes:
        failure: why none is opened; None when it is.
        seconds: how long it takes.
        other_side: called with each that was opened, to play its other side.
        opened: those that were.

    """

    failure: str | None = None
    seconds: float = 0.0
    other_side: Callable[[FakeWebSocket], None] = lambda socket: None
    opened: list[FakeWebSocket] = field(default_factory=list)

    async def connect(self, url: str, headers: Mapping[str, str]) -> FakeWebSocket:
        await asyncio.sleep(self.seconds)
        if self.failure is not None:
            raise FetchFailed(self.failure)
        socket = FakeWebSocket(url, headers)
        self.opened.append(socket)
        self.other_side(socket)
        return socket
