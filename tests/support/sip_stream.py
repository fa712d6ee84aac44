"""A SIP peer over TCP (RFC 3261, section 18)."""

import socket
import time
from typing import Self

from tests.support.sip_calls import Client
from tests.support.sip_message import Message


class StreamPeer(Client):
    """A client or a carrier that has one connection to a gateway, as a context.

    Args:
        address: where it is.
        gateway: what it is connected to.
        says: what it takes its own address for.
        domain: see Client.

    """

    def __init__(self, address: str, gateway: str, *, says: str | None = None, domain: str | None = None) -> None:
        super().__init__(address, gateway, says=says, domain=domain)
        self._stream = _connect(address, gateway)
        self.port = self._stream.getsockname()[1]
        self._rest = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self._socket.close()

    def send(self, text: str | bytes, to: str, port: int = 5060) -> None:
        """Send over the connection, wherever it should go; the transport is named as TCP in Via and Contact."""
        data = text.encode() if isinstance(text, str) else text
        own = f"@{self.says}:{self.port}".encode()
        self._stream.sendall(data.replace(b"SIP/2.0/UDP", b"SIP/2.0/TCP").replace(own + b">", own + b";transport=tcp>"))

    def receive(self, start: str, seconds: float = 4.0) -> Message:
        """Return the next message whose first line starts so; those before it are dropped."""
        self._stream.settimeout(seconds)
        while True:
            message = self._next()
            if message.first_line.startswith(start):
                return message

    def _next(self) -> Message:
        """Take the next message from the stream; Content-Length says where it ends."""
        while b"\r\n\r\n" not in self._rest:
            self._read()
        head, end, _ = self._rest.partition(b"\r\n\r\n")
        length = len(head + end) + int(Message("received", head.decode()).header("Content-Length"))
        while len(self._rest) < length:
            self._read()
        text, self._rest = self._rest[:length], self._rest[length:]
        return Message("received", text.decode(), (self.address, self.port))

    def _read(self) -> None:
        data = self._stream.recv(65535)
        assert data, f"the connection is closed; before came {self._rest!r}"
        self._rest += data


def _connect(address: str, gateway: str) -> socket.socket:
    """Connect to a gateway; one that has just started listens a moment later to TCP than to UDP."""
    deadline = time.monotonic() + 2
    while True:
        try:
            return socket.create_connection((gateway, 5060), timeout=4, source_address=(address, 0))
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
