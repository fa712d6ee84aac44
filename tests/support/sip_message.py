"""A SIP message as text (RFC 3261, section 7), for peers of tests: what was said is read, not interpreted."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_TAG = re.compile(r";\s*tag=([^;\s>]+)")
_URI = re.compile(r"<([^>]+)>")


@dataclass(frozen=True)
class Message:
    """A SIP message that was sent or received.

    Attributes:
        direction: `sent` or `received`.
        text: all of it.
        source: address and port that it came from, where that is known.

    """

    direction: str
    text: str
    source: tuple[str, int] = ("", 0)

    @property
    def first_line(self) -> str:
        """Request line or status line."""
        return self.text.split("\r\n", 1)[0].split("\n", 1)[0]

    @property
    def request_uri(self) -> str:
        """Return where a request goes."""
        return self.first_line.split(" ")[1]

    def headers(self, name: str) -> list[str]:
        """Return the values of a header, in their order; several in one line stay one."""
        head = self.text.replace("\r\n", "\n").split("\n\n", 1)[0]
        found = re.findall(rf"^{re.escape(name)}[ \t]*:[ \t]*(.*)$", head, re.MULTILINE | re.IGNORECASE)
        return [value.strip() for value in found]

    def header(self, name: str) -> str:
        """Return the value of a header that is there once; fail otherwise."""
        values = self.headers(name)
        assert len(values) == 1, f"{name} is {values} in\n{self.text}"
        return values[0]

    def tag(self, name: str) -> str:
        """Return the tag of From or To, or an empty string."""
        found = _TAG.search(self.header(name))
        return found[1] if found else ""

    @property
    def contact(self) -> str:
        """The URI of the Contact."""
        found = _URI.search(self.header("Contact"))
        assert found, f"no URI is the Contact of\n{self.text}"
        return found[1]

    @property
    def routes(self) -> list[str]:
        """Every Record-Route of it, one an entry."""
        return [route.strip() for value in self.headers("Record-Route") for route in value.split(",")]

    @property
    def body(self) -> str:
        """What follows the headers."""
        return self.text.replace("\r\n", "\n").partition("\n\n")[2]


def build(first_line: str, headers: Sequence[tuple[str, str]], body: str = "") -> str:
    """Return the text of a message; a body is a session description."""
    content = body.replace("\n", "\r\n")
    lines = [first_line, *(f"{name}: {value}" for name, value in headers)]
    if body:
        lines.append("Content-Type: application/sdp")
    lines.append(f"Content-Length: {len(content.encode())}")
    return "\r\n".join([*lines, "", content])


def audio(address: str, port: int, version: int = 1, direction: str = "sendrecv") -> str:
    """Return a session description of G.711 A-law audio at an address (RFC 4566)."""
    return (
        f"v=0\no=peer 1 {version} IN IP4 {address}\ns=-\nc=IN IP4 {address}\nt=0 0\n"
        f"m=audio {port} RTP/AVP 8\na=rtpmap:8 PCMA/8000\na={direction}\n"
    )


def audio_address(message: Message) -> tuple[str, int]:
    """Return where a message's session description wants audio sent."""
    address = re.search(r"^c=IN IP4 (\S+)$", message.body, re.MULTILINE)
    port = re.search(r"^m=audio (\d+) ", message.body, re.MULTILINE)
    if address is None or port is None:
        raise AssertionError(f"no audio is described in\n{message.text}")
    return address[1], int(port[1])
