"""SIP messages (RFC 3261): built, parsed and answered as values; nothing here knows a socket."""

from dataclasses import dataclass
from itertools import count

MAGIC_COOKIE = "z9hG4bK"
"""What a branch begins with (RFC 3261, section 8.1.1.7)."""

_COMPACT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length"}
_COPIED = ("via", "record-route", "from", "to", "call-id", "cseq")
_numbers = count(1)


@dataclass(frozen=True)
class SipMessage:
    """A request or an answer.

    Attributes:
        first_line: request line or status line.
        fields: the headers with their values, in their order.
        body: what follows them.

    """

    first_line: str
    fields: tuple[tuple[str, str], ...]
    body: bytes = b""

    @property
    def method(self) -> str:
        """The method of a request, or of the request that an answer is to."""
        if self.is_answer:
            return self.header("CSeq").split()[1]
        return self.first_line.split(" ", 1)[0]

    @property
    def is_answer(self) -> bool:
        """Whether it is an answer."""
        return self.first_line.startswith("SIP/2.0 ")

    @property
    def status(self) -> int:
        """The status code of an answer; 0 for a request."""
        return int(self.first_line.split(" ", 2)[1]) if self.is_answer else 0

    @property
    def uri(self) -> str:
        """The URI of a request."""
        return self.first_line.split(" ", 2)[1]

    def headers(self, name: str) -> list[str]:
        """Return the values of a header, in their order."""
        return [value for found, value in self.fields if _full(found) == _full(name)]

    def header(self, name: str) -> str:
        """Return the first value of a header.

        Raises:
            KeyError: when it is not there.

        """
        for value in self.headers(name):
            return value
        raise KeyError(f"no {name} in {self.first_line!r}")

    def encode(self) -> bytes:
        """Return it as it is sent, with the length of its body."""
        lines = [self.first_line, *(f"{name}: {value}" for name, value in self.fields)]
        lines += [f"Content-Length: {len(self.body)}", "", ""]
        return "\r\n".join(lines).encode() + self.body


def parse(datagram: bytes) -> SipMessage:
    """Return the message in a datagram.

    Raises:
        ValueError: when it is none.

    """
    head, _, body = datagram.partition(b"\r\n\r\n")
    first_line, *lines = head.decode().replace("\r\n ", " ").replace("\r\n\t", " ").split("\r\n")
    if "SIP/2.0" not in first_line:
        raise ValueError(f"no SIP message: {first_line[:80]!r}")
    fields = tuple((name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines))
    return SipMessage(first_line, tuple(field for field in fields if _full(field[0]) != "content-length"), body)


def new_request(
    method: str,
    uri: str,
    *,
    address: str,
    port: int = 5060,
    caller: str = "sip:caller@192.0.2.1",
    fields: tuple[tuple[str, str], ...] = (),
    body: bytes = b"",
) -> SipMessage:
    """Return a request outside of a dialog, with a Call-ID, a tag and a branch that no other has.

    Args:
        method: `INVITE`, `REGISTER`, ...
        uri: where it is addressed to.
        address: what it is sent from.
        port: the same.
        caller: the URI of its From.
        fields: further headers.
        body: of the type that `fields` say.

    """
    number = next(_numbers)
    first = (
        ("Via", f"SIP/2.0/UDP {address}:{port};rport;branch={MAGIC_COOKIE}-{address}-{port}-{number}"),
        ("Max-Forwards", "70"),
        ("From", f"<{caller}>;tag={number}"),
        ("To", f"<{uri}>"),
        ("Call-ID", f"{number}-{port}@{address}"),
        ("CSeq", f"1 {method}"),
        ("Contact", f"<sip:{address}:{port}>"),
    )
    return SipMessage(f"{method} {uri} SIP/2.0", (*first, *fields), body)


def answer(
    request: SipMessage,
    status: int,
    reason: str,
    *,
    tag: str,
    fields: tuple[tuple[str, str], ...] = (),
    body: bytes = b"",
) -> SipMessage:
    """Return the answer to a request; the tag is the answering side's, and is not added to a To that has one."""
    copied = []
    for name, value in request.fields:
        if _full(name) in _COPIED:
            tagged = _full(name) == "to" and ";tag=" not in value
            copied.append((name, f"{value};tag={tag}" if tagged else value))
    return SipMessage(f"SIP/2.0 {status} {reason}", (*copied, *fields), body)


def acknowledge_refusal(invite: SipMessage, refusal: SipMessage) -> SipMessage:
    """Return the ACK of a final answer that is no 2xx: it is of the INVITE's own transaction (section 17.1.1.3)."""
    kept = [(name, value) for name, value in invite.fields if _full(name) in ("via", "route", "from", "call-id")]
    number = invite.header("CSeq").split()[0]
    return SipMessage(
        f"ACK {invite.uri} SIP/2.0",
        (*kept, ("To", refusal.header("To")), ("CSeq", f"{number} ACK"), ("Max-Forwards", "70")),
    )


def _full(name: str) -> str:
    """Return a header's name in small letters, its compact form written out."""
    return _COMPACT.get(name.lower(), name.lower())
