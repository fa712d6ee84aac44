"""A SIP peer (carrier, client or switch) that a test leads message by message, over UDP.

It does what SIPp cannot: digests of SHA-256, both sides of a call within one test, requests that break the rules.
"""

import re
import socket
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Self

from tests.support.sip_message import Message, build

_SECONDS = 4.0
_ECHOED = ("Via", "From", "To", "Call-ID", "CSeq")
"""What a response repeats of its request (RFC 3261, section 8.2.6)."""
Headers = Sequence[tuple[str, str]]


class Peer:
    """A peer, as a context: while it lasts, it listens.

    Args:
        address: where it is.
        port: see `address`.
        says: what it takes its own address for; behind NAT, that is not where it is.
        answers_options: whether it answers OPTIONS by itself, as a switch does.
        reaches: the address to send to instead of an address that is known outside only.

    """

    def __init__(
        self,
        address: str,
        port: int = 5060,
        *,
        says: str | None = None,
        answers_options: bool = False,
        reaches: Mapping[str, str] | None = None,
    ) -> None:
        self.address, self.port, self.says = address, port, says or address
        self.answers_options, self.reaches = answers_options, dict(reaches or {})
        self.options_seen = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, port))
        self._socket.settimeout(0.1)
        self._inbox: list[Message] = []
        self._arrived = threading.Condition()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        self._socket.close()

    def _listen(self) -> None:
        while not self._stopping.is_set():
            try:
                data, source = self._socket.recvfrom(65535)
            except TimeoutError:
                continue
            message = Message("received", data.decode(errors="replace"), source)
            if message.first_line.startswith("OPTIONS") and self.answers_options:
                self.options_seen += 1
                answer = build("SIP/2.0 200 OK", [(name, message.header(name)) for name in _ECHOED])
                self._socket.sendto(answer.encode(), source)
                continue
            with self._arrived:
                self._inbox.append(message)
                self._arrived.notify_all()

    def send(self, text: str | bytes, to: str, port: int = 5060) -> None:
        """Send a message as it is."""
        self._socket.sendto(text.encode() if isinstance(text, str) else text, (to, port))

    def receive(self, start: str, seconds: float = _SECONDS) -> Message:
        """Wait for a message whose first line starts so (`INVITE`, `SIP/2.0 200`), and take it."""
        deadline = time.monotonic() + seconds
        with self._arrived:
            while True:
                for message in self._inbox:
                    if message.first_line.startswith(start):
                        self._inbox.remove(message)
                        return message
                left = deadline - time.monotonic()
                if left <= 0:
                    arrived = "\n".join(each.text for each in self._inbox)
                    raise AssertionError(f"{self.address} waited {seconds} seconds for {start}; it has\n{arrived}")
                self._arrived.wait(left)

    def put_back(self, message: Message) -> None:
        """Have a message that was taken arrive again."""
        with self._arrived:
            self._inbox.insert(0, message)

    def received(self, start: str) -> list[Message]:
        """Return the messages that came and were not taken."""
        with self._arrived:
            return [message for message in self._inbox if message.first_line.startswith(start)]

    def request(self, method: str, uri: str, headers: Headers, to: tuple[str, int], body: str = "") -> None:
        """Send a request with a Via of its own, and Max-Forwards."""
        via = f"SIP/2.0/UDP {self.says}:{self.port};branch=z9hG4bK{uuid.uuid4().hex[:16]}"
        self.send(build(f"{method} {uri} SIP/2.0", [("Via", via), ("Max-Forwards", "70"), *headers], body), *to)

    def respond(self, request: Message, status: str, *, tag: str = "", headers: Headers = (), body: str = "") -> None:
        """Answer a request, to where it came from.

        Args:
            request: what is answered.
            status: such as `200 OK`.
            tag: this side's tag, where the request has none in To.
            headers: further headers.
            body: session description.

        """
        echoed = [(name, value) for name in (*_ECHOED, "Record-Route") for value in request.headers(name)]
        if tag and not request.tag("To"):
            echoed = [(name, f"{value};tag={tag}" if name == "To" else value) for name, value in echoed]
        self.send(build(f"SIP/2.0 {status}", [*echoed, *headers], body), *request.source)


class Leg:
    """One side of a dialog (RFC 3261, section 12): what later requests need.

    Args:
        peer: whose side it is.
        call_id: Call-ID.
        local: From of the requests that this side sends, with its tag.
        remote: To of these.
        target: the other side's Contact.
        routes: the route set, in the order in which this side sends it.
        cseq: the number of this side's last request.

    """

    def __init__(
        self, peer: Peer, call_id: str, local: str, remote: str, target: str, routes: Sequence[str] = (), cseq: int = 1
    ) -> None:
        self.peer, self.call_id, self.local, self.remote = peer, call_id, local, remote
        self.target, self.routes, self.cseq = target, list(routes), cseq

    @classmethod
    def of_caller(cls, peer: Peer, answer: Message) -> Self:
        """Return the caller's side, as its INVITE's answer says."""
        number = int(answer.header("CSeq").split()[0])
        ends = answer.header("From"), answer.header("To")
        return cls(peer, answer.header("Call-ID"), *ends, answer.contact, answer.routes[::-1], number)

    @classmethod
    def of_callee(cls, peer: Peer, invite: Message, tag: str) -> Self:
        """Return the callee's side, as the INVITE says that it answers with a tag."""
        ends = f"{invite.header('To')};tag={tag}", invite.header("From")
        return cls(peer, invite.header("Call-ID"), *ends, invite.contact, invite.routes, 0)

    @property
    def next_hop(self) -> tuple[str, int]:
        """Where the next request is sent."""
        found = re.search(r"sips?:(?:[^@;>]*@)?([^:;>]+)(?::(\d+))?", self.routes[0] if self.routes else self.target)
        assert found, (self.routes, self.target)
        return self.peer.reaches.get(found[1], found[1]), int(found[2] or 5060)

    def send(self, method: str, *, headers: Headers = (), body: str = "", cseq: int | None = None) -> None:
        """Send a request within the dialog; an ACK has the number of its INVITE, anything else the next."""
        if cseq is None:
            self.cseq += method != "ACK"
        number = cseq or self.cseq
        own = [("Route", route) for route in self.routes]
        own += [("From", self.local), ("To", self.remote), ("Call-ID", self.call_id), ("CSeq", f"{number} {method}")]
        if method in ("INVITE", "UPDATE"):
            own.append(("Contact", f"<sip:peer@{self.peer.says}:{self.peer.port}>"))
        self.peer.request(method, self.target, [*own, *headers], self.next_hop, body)

    def reaches(self, other: "Leg", method: str, *, headers: Headers = (), body: str = "") -> Message:
        """Send a request, have the other side answer it with 200, and return what the other side was sent."""
        self.send(method, headers=headers, body=body)
        request = other.peer.receive(method)
        other.peer.respond(request, "200 OK")
        self.peer.receive("SIP/2.0 200")
        return request
