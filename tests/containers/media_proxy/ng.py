"""A client of rtpengine's NG protocol, as far as the tests speak it: a cookie and a bencoded dictionary, over UDP."""

import itertools
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

Value = str | Sequence["Value"] | Mapping[str, "Value"]


def encode(value: Value) -> bytes:
    """Return a value in bencoding, which sorts a dictionary by its keys."""
    if isinstance(value, str):
        text = value.encode()
        return b"%d:%s" % (len(text), text)
    if isinstance(value, Mapping):
        return b"d" + b"".join(encode(key) + encode(value[key]) for key in sorted(value)) + b"e"
    return b"l" + b"".join(map(encode, value)) + b"e"


class NgClient:
    """Asks the rtpengine at an address, as a context."""

    def __init__(self, address: str, port: int = 2223) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(3)
        self._socket.connect((address, port))
        self._cookies = itertools.count(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, **arguments: Value) -> str:
        """Send a command (`call_id` stands for `call-id`) and return what is answered, without the cookie."""
        cookie = f"test-{next(self._cookies)}"
        command = {name.replace("_", "-"): value for name, value in arguments.items()}
        self._socket.send(cookie.encode() + b" " + encode(command))
        returned, _, answer = self._socket.recv(65_535).decode().partition(" ")
        assert returned == cookie
        return answer


@dataclass(frozen=True)
class Media:
    """Where a session description wants its audio sent."""

    address: str
    port: int

    @classmethod
    def of(cls, description: str) -> Self:
        """Read it from SDP, or from an answer that has SDP in it."""
        address = re.search(r"^c=IN IP4 (\S+)", description, re.MULTILINE)
        port = re.search(r"^m=audio (\d+) ", description, re.MULTILINE)
        assert address, description
        assert port, description
        return cls(address[1], int(port[1]))

    def description(self) -> str:
        """Return SDP that wants PCMU audio here."""
        return (
            f"v=0\r\no=- 1 1 IN IP4 {self.address}\r\ns=-\r\nc=IN IP4 {self.address}\r\nt=0 0\r\n"
            f"m=audio {self.port} RTP/AVP 0\r\n"
        )
