"""The event socket's messages, as bytes: what is read and written, and no socket.

A message is header lines, an empty line, and as many bytes of body as `Content-Length` says. An event in plain form is
such a body, with header lines of its own whose values are percent-encoded.
https://developer.signalwire.com/freeswitch/FreeSWITCH-Explained/Modules/mod_event_socket_1048924/
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from switch_app.errors import EventSocketError
from switch_app.freeswitch.headers import Headers, Prefixed, decoded, read_headers

HEAD_MAXIMUM: Final = 1024 * 1024
"""Bytes of header lines. The answer to `connect` has every variable of a channel."""

BODY_MAXIMUM: Final = 4 * 1024 * 1024
"""Bytes of a body."""

_VARIABLE: Final = "variable_"


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it came.

    Attributes:
        headers: by name, as they stand. Of a name that comes twice the first counts.
        body: what follows them.

    """

    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def content_type(self) -> str:
        """What kind of message it is: `command/reply`, `api/response`, `text/event-plain`."""
        return self.headers.get("Content-Type", "")

    @property
    def reply(self) -> str:
        """What a command was answered: `+OK …`, `-ERR …`; of an API command the body."""
        if self.content_type == "api/response":
            return self.body.decode(errors="replace").strip()
        return self.headers.get("Reply-Text", "").strip()

    def event(self) -> "Event":
        """Return the event that its body is. Its lines, hundreds that FreeSWITCH made, are not looked at one by one.

        Raises:
            EventSocketError: when it is none.

        """
        head, separator, rest = self.body.partition(b"\n\n")
        headers = Headers(head, is_encoded=True)
        length = _length(headers)
        if not separator or len(rest) != length:
            raise EventSocketError(f"an event has {len(rest)} bytes of body and says {length}")
        return Event(headers, rest.decode(errors="replace"))

    def as_event(self) -> "Event":
        """Return the event that its headers are; the answer to `connect` is one."""
        return Event(decoded(self.headers))


class Event:
    """An event of FreeSWITCH's.

    Args:
        headers: by name, percent-decoded.
        body: its text, such as a background job's result.

    Attributes:
        headers, body: the same.
        name: `CHANNEL_ANSWER`.
        uuid: of which channel; empty for an event of none.

    """

    __slots__ = ("body", "headers", "name", "uuid")

    def __init__(self, headers: Mapping[str, str], body: str = "") -> None:
        self.headers, self.body = headers, body
        # Whoever gets an event looks at these, some of them often.
        self.name = headers.get("Event-Name", "")
        self.uuid = headers.get("Unique-ID", "")

    def variable(self, name: str) -> str:
        """Return a variable of the channel, empty where it has none."""
        return self.headers.get(_VARIABLE + name, "")

    @property
    def variables(self) -> Mapping[str, str]:
        """The variables of the channel."""
        return Prefixed(self.headers, _VARIABLE)


class Parser:
    """Makes messages of bytes, which may come in any pieces. What is too large, or is no message, is an error; nothing
    can be read after it."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._headers: Mapping[str, str] | None = None
        self._length = 0
        self._searched = 0

    def feed(self, data: bytes) -> Sequence[Message]:
        """Take some bytes and return the messages that are whole now.

        Raises:
            EventSocketError: when they are no messages.

        """
        self._buffer += data
        messages = []
        while self._headers is not None or (self._buffer and self._read_head()):
            if len(self._buffer) < self._length:
                break
            assert self._headers is not None  # noqa: S101
            messages.append(Message(self._headers, bytes(self._buffer[: self._length]) if self._length else b""))
            del self._buffer[: self._length]
            self._headers = None
        return messages

    def _read_head(self) -> bool:
        while self._buffer.startswith(b"\n"):
            del self._buffer[:1]
        end = self._buffer.find(b"\n\n", self._searched)
        if end > HEAD_MAXIMUM or (end < 0 and len(self._buffer) > HEAD_MAXIMUM):
            raise EventSocketError(f"a message has more than {HEAD_MAXIMUM} bytes of headers")
        if end < 0:
            self._searched = max(0, len(self._buffer) - 1)
            return False
        headers = read_headers(bytes(self._buffer[:end]))
        self._length = _length(headers)
        if self._length > BODY_MAXIMUM:
            raise EventSocketError(f"a message has {self._length} bytes of body, more than {BODY_MAXIMUM}")
        del self._buffer[: end + 2]
        self._headers, self._searched = headers, 0
        return True


def command(line: str, headers: Mapping[str, str] | None = None, body: str = "") -> bytes:
    """Return a command as bytes.

    Args:
        line: the command.
        headers: what follows it.
        body: any text; here no character has a meaning.

    Raises:
        EventSocketError: for a line break where it would begin another header or command.

    """
    lines = [line, *(f"{name}: {value}" for name, value in (headers or {}).items())]
    content = body.encode()
    if body:
        lines += ["content-type: text/plain", f"content-length: {len(content)}"]
    for one in lines:
        if "\n" in one or "\r" in one or "\0" in one:
            raise EventSocketError("a command has a line break within a line")
    return "\n".join(lines).encode() + b"\n\n" + content


def _length(headers: Mapping[str, str]) -> int:
    written = headers.get("Content-Length", "0")
    if not (written.isascii() and written.isdigit() and len(written) <= 10):
        raise EventSocketError(f"Content-Length is {written[:60]!r}")
    return int(written)
