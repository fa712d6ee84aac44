"""FreeSWITCH's own event socket, as far as the switch app logs in and commands: a peer that a test leads.

What it says to what was seen with FreeSWITCH 1.10.12; `tests/e2e/switch_app` runs the same code against the real one.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Self
from urllib.parse import quote


class FakeFreeSwitch:
    """An event socket, as an asynchronous context.

    Args:
        password: what a client must know.

    Attributes:
        port: where it listens, on 127.0.0.1.
        commands: lines of the commands that came, of all connections.
        answer: returns the output of an API command.
        logins: how many have logged in.

    """

    def __init__(self, password: str = "secret") -> None:
        self.password = password
        self.port = 0
        self.commands: list[str] = []
        self.jobs: list[str] = []
        self.answer: Callable[[str], str] = lambda _: "+OK"
        self.greeting = b"Content-Type: auth/request\n\n"
        self.logins = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def listen(self) -> None:
        """Listen, on the same port as before."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listen no more, and close every connection."""
        if self._server is not None:
            self._server.close()
        self.drop()
        await asyncio.sleep(0)

    def drop(self) -> None:
        """Close every connection."""
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    def send(self, data: bytes) -> None:
        """Send bytes as they are to everybody."""
        for writer in self._writers:
            writer.write(data)

    def tell(self, name: str, headers: Mapping[str, str] | None = None, body: str = "") -> None:
        """Send an event."""
        values = {"Event-Name": name, **(headers or {})}
        inner = "".join(f"{key}: {quote(value)}\n" for key, value in values.items())
        inner += f"Content-Length: {len(body.encode())}\n\n{body}" if body else "\n"
        self.send(f"Content-Length: {len(inner.encode())}\nContent-Type: text/event-plain\n\n{inner}".encode())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        writer.write(self.greeting)
        try:
            while True:
                line, *rest = (await reader.readuntil(b"\n\n")).decode().strip().split("\n")
                self.commands.append(line)
                writer.write(self._reply(line, dict(header.split(": ", 1) for header in rest)))
        except (asyncio.IncompleteReadError, ConnectionError):
            self._writers.discard(writer)

    def _reply(self, line: str, headers: Mapping[str, str]) -> bytes:
        word, _, argument = line.partition(" ")
        text = "+OK"
        if word == "auth":
            text = "+OK accepted" if argument == self.password else "-ERR invalid"
            self.logins += argument == self.password
        elif word == "api":
            output = self.answer(argument).encode()
            return f"Content-Type: api/response\nContent-Length: {len(output)}\n\n".encode() + output
        elif word == "bgapi":
            self.jobs.append(headers["Job-UUID"])
        return f"Content-Type: command/reply\nReply-Text: {text}\n\n".encode()
