"""A SIP phone, of asyncio: it calls and is called, registers, hears, speaks and presses keys.

A port of SIP, and one of audio (G.711 µ-law) for each call.
"""

import asyncio
import itertools
import random
import re
import socket
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, Self

from tests.support.phone_credentials import Credentials
from tests.support.sip_message import Message, build
from tests.support.speech_codec import decode, encode

_FRAME = 160
_ECHOED = ("Via", "From", "To", "Call-ID", "CSeq")
"""What an answer repeats of its request (RFC 3261, section 8.2.6)."""
_SILENCE = encode([0] * _FRAME)


def status_of(message: Message) -> int:
    """Return the status of an answer; 0 for a request."""
    return int(message.first_line.split()[1]) if message.first_line.startswith("SIP/2.0") else 0


def socket_of(address: str, port: int) -> socket.socket:
    """Return a socket of UDP at an address of this machine."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setblocking(False)
    made.bind((address, port))
    return made


class Conversation(Protocol):
    """What has a Call-ID of its own: a call, or a registration."""

    def take(self, message: Message) -> None:
        """Take a message that came for it."""
        ...

    def close(self) -> None:
        """Let go of what it holds."""
        ...


class Phone(asyncio.DatagramProtocol):
    """A phone, as an asynchronous context.

    Args:
        address: where it is; its SIP port is 5060.
        credentials: what it answers a challenge with; None for a phone that does not.
        open_socket: makes its sockets; by default those of this machine.

    """

    def __init__(
        self,
        address: str,
        credentials: Credentials | None = None,
        open_socket: Callable[[str, int], socket.socket] = socket_of,
    ) -> None:
        self.address, self.credentials, self.open_socket = address, credentials, open_socket
        self.calls: dict[str, Conversation] = {}
        self.incoming: asyncio.Queue[PhoneCall] = asyncio.Queue()
        self.rtp_ports = itertools.count(40000, 2)
        self._transport: asyncio.DatagramTransport | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, sock=self.open_socket(self.address, 5060))
        return self

    async def __aexit__(self, *_: object) -> None:
        for call in self.calls.values():
            call.close()
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, peer: tuple[str, int]) -> None:
        message = Message("received", data.decode(), peer)
        call = self.calls.get(message.header("Call-ID"))
        if call is None:
            if message.first_line.startswith("OPTIONS"):
                echoed = [(name, value) for name in _ECHOED for value in message.headers(name)]
                self.send(build("SIP/2.0 200 OK", echoed), peer)
            if not message.first_line.startswith("INVITE"):
                return
            call = PhoneCall(self, message.header("Call-ID"), peer)
            self.calls[call.identifier] = call
            self.incoming.put_nowait(call)
            call.take(message)
            return
        call.take(message)

    async def call(
        self, host: str, user: str, headers: Mapping[str, str] | None = None, port: int = 5060
    ) -> "PhoneCall":
        """Call somebody; return at once."""
        call = PhoneCall(self, f"{random.getrandbits(64):x}@{self.address}", (host, port))
        self.calls[call.identifier] = call
        await call.invite(user, headers or {})
        return call

    async def next_call(self, seconds: float = 5.0) -> "PhoneCall":
        """Return the next call that comes."""
        return await asyncio.wait_for(self.incoming.get(), seconds)

    def send(self, text: str, peer: tuple[str, int]) -> None:
        """Send a message."""
        assert self._transport is not None
        self._transport.sendto(text.encode(), peer)


class PhoneCall(asyncio.DatagramProtocol):
    """A call of a phone's.

    Attributes:
        messages: what came, in order.
        heard: samples that came, 8 kHz.
        keys: keys that came (RFC 4733).
        final: the final status of the call's INVITE: what was answered to us, or by us.
        ended: set when it is over, whoever ended it.

    """

    def __init__(self, phone: Phone, identifier: str, peer: tuple[str, int]) -> None:
        self.phone, self.identifier, self.peer = phone, identifier, peer
        self.messages: list[Message] = []
        self.heard: list[int] = []
        self.keys = ""
        self.final: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.progress = asyncio.Event()
        self.ended = asyncio.Event()
        self.is_caller = False
        self._tag = f"{random.getrandbits(32):x}"
        self._branch = f"z9hG4bK{random.getrandbits(64):x}"
        self._user = phone.credentials.username if phone.credentials else "phone"
        self._routes: list[str] = []
        self._invite_number = 1
        self._challenges = 0
        self._local, self._remote, self._target = "", "", ""
        self._headers: Mapping[str, str] = {}
        self._sequence = 1
        self._rtp: asyncio.DatagramTransport | None = None
        self._rtp_peer: tuple[str, int] | None = None
        self._sending: asyncio.Future[None] | None = None
        self._to_send: list[bytes] = []
        self._events: list[tuple[int, bytes]] = []
        self._last_event = -1

    # --- what it does

    async def invite(self, user: str, headers: Mapping[str, str]) -> None:
        """Ask for a call."""
        self.is_caller, self._user, self._headers = True, user, headers
        await self._open_media()
        self._target = f"sip:{user}@{self.peer[0]}:{self.peer[1]}"
        known = self.phone.credentials
        # A client's identity is its name at the gateway.
        own = f"{known.username}@{self.peer[0]}" if known else f"+85512234567@{self.phone.address}"
        self._local = f"<sip:{own}>;tag={self._tag}"
        self._remote = f"<{self._target}>"
        self._request("INVITE", self._branch, self._sdp(), headers)

    def ring(self) -> None:
        """Answer 180."""
        self._respond(self.messages[0], "180 Ringing")

    async def answer(self) -> None:
        """Answer 200."""
        await self._open_media()
        self._listen_to(self.messages[0].body)
        self._respond(self.messages[0], "200 OK", self._sdp())
        self.final.set_result(200)

    def refuse(self, status: str) -> None:
        """Refuse, `486 Busy Here`."""
        self._respond(self.messages[0], status)
        self.final.set_result(int(status.split()[0]))
        self.ended.set()

    def respond_once(self, status: str, headers: Sequence[tuple[str, str]]) -> None:
        """Answer with some headers, such as a challenge; the caller may ask again."""
        self._respond(self.messages[0], status, headers=headers)

    def hang_up(self) -> None:
        """Send BYE."""
        self._sequence += 1
        self._request("BYE", f"z9hG4bK{random.getrandbits(64):x}")
        self.ended.set()

    def cancel(self) -> None:
        """Send CANCEL."""
        self._request("CANCEL", self._branch)

    def press(self, keys: str) -> None:
        """Press keys, one after the other, each for 100 ms and 60 ms apart."""
        for key in keys:
            code = "0123456789*#ABCD".index(key)
            for number in range(5):
                self._events.append((101, struct.pack("!BBH", code, 10, (number + 1) * _FRAME)))
            for _ in range(3):
                self._events.append((101, struct.pack("!BBH", code, 0x80 | 10, 6 * _FRAME)))
            self._events += [(0, _SILENCE)] * 3

    def say(self, samples: list[int]) -> None:
        """Speak samples, 8 kHz."""
        for begin in range(0, len(samples) - _FRAME + 1, _FRAME):
            self._to_send.append(encode(samples[begin : begin + _FRAME]))

    def fall_silent(self) -> None:
        """Send no audio any more, as a phone that has lost its network."""
        if self._sending is not None:
            self._sending.cancel()

    def answers(self, status: int) -> list[Message]:
        """Return the answers of a status that came."""
        return [message for message in self.messages if status_of(message) == status]

    async def until_heard(self, seconds: float, limit: float = 5.0) -> list[int]:
        """Wait for so much audio from now on, and return it."""
        begin = len(self.heard)
        wanted = begin + int(seconds * 8000)
        async with asyncio.timeout(limit):
            while len(self.heard) < wanted:
                await asyncio.sleep(0.02)
        return self.heard[begin:wanted]

    # --- what comes

    def take(self, message: Message) -> None:
        """Take a message of this call's."""
        self.messages.append(message)
        method = message.first_line.split()[0]
        if status_of(message):
            self._take_answer(message)
        elif method == "INVITE":
            if len(self.messages) == 1:
                self._local = f"{message.header('To')};tag={self._tag}"
                self._remote = message.header("From")
                self._target = message.contact
                self._routes = message.routes
                self._respond(message, "100 Trying")
        elif method in ("BYE", "CANCEL"):
            self._respond(message, "200 OK")
            if method == "CANCEL" and not self.final.done():
                self._respond(self.messages[0], "487 Request Terminated")
                self.final.set_result(487)
            self.ended.set()
        elif method != "ACK":
            self._respond(message, "200 OK")

    def _take_answer(self, message: Message) -> None:
        if "INVITE" not in message.header("CSeq"):
            return
        if status_of(message) < 200:
            if status_of(message) > 100:
                self._remote = message.header("To")
                self.progress.set()
            self._listen_to(message.body)
            return
        if status_of(message) in (401, 407) and self._answer_challenge(message):
            return
        self._remote = message.header("To")
        if status_of(message) == 200:
            self._target, self._routes = message.contact, message.routes[::-1]
            self._listen_to(message.body)
            self._request("ACK", f"z9hG4bK{random.getrandbits(64):x}")
        else:
            self._request("ACK", self._branch)
            self.ended.set()
        if not self.final.done():
            self.final.set_result(status_of(message))

    def _answer_challenge(self, message: Message) -> bool:
        """Ask again with credentials, once, if the phone has any; return whether it does."""
        self._challenges += 1
        if self.phone.credentials is None or self._challenges > 1:
            return False
        remote, self._remote = self._remote, message.header("To")
        self._request("ACK", self._branch)
        self._remote = remote
        self._branch = f"z9hG4bK{random.getrandbits(64):x}"
        self._sequence = self._invite_number = self._sequence + 1
        own = self.phone.credentials.answer(message, "INVITE", self._target)
        self._request("INVITE", self._branch, self._sdp(), {**self._headers, **own})
        return True

    # --- messages

    def _request(self, method: str, branch: str, body: str = "", headers: Mapping[str, str] | None = None) -> None:
        target = self._target if method not in ("CANCEL",) else f"sip:{self._user}@{self.peer[0]}:{self.peer[1]}"
        own = [
            ("Via", f"SIP/2.0/UDP {self.phone.address}:5060;branch={branch};rport"),
            ("Max-Forwards", "70"),
            ("From", self._local),
            ("To", self._remote),
            ("Call-ID", self.identifier),
            ("CSeq", f"{self._invite_number if method in ('ACK', 'CANCEL') else self._sequence} {method}"),
            *(("Route", route) for route in self._routes),
            ("Contact", f"<sip:phone@{self.phone.address}:5060>"),
        ]
        self.phone.send(build(f"{method} {target} SIP/2.0", [*own, *(headers or {}).items()], body), self.peer)

    def _respond(self, request: Message, status: str, body: str = "", headers: Sequence[tuple[str, str]] = ()) -> None:
        to = request.header("To") if request.tag("To") else f"{request.header('To')};tag={self._tag}"
        own = [*(("Via", value) for value in request.headers("Via")), ("From", request.header("From")), ("To", to)]
        own += [(name, request.header(name)) for name in ("Call-ID", "CSeq")]
        own += [("Record-Route", value) for value in request.headers("Record-Route")]
        own += [("Contact", f"<sip:phone@{self.phone.address}:5060>"), *headers]
        self.phone.send(build(f"SIP/2.0 {status}", own, body), self.peer)

    def _sdp(self) -> str:
        assert self._rtp is not None
        port = self._rtp.get_extra_info("sockname")[1]
        return (
            f"v=0\no=phone 1 1 IN IP4 {self.phone.address}\ns=-\nc=IN IP4 {self.phone.address}\nt=0 0\n"
            f"m=audio {port} RTP/AVP 0 101\na=rtpmap:0 PCMU/8000\na=rtpmap:101 telephone-event/8000\n"
            "a=fmtp:101 0-16\na=ptime:20\na=sendrecv\n"
        )

    # --- media

    async def _open_media(self) -> None:
        loop = asyncio.get_running_loop()
        local = (self.phone.address, next(self.phone.rtp_ports))
        self._rtp, _ = await loop.create_datagram_endpoint(lambda: _Media(self), sock=self.phone.open_socket(*local))
        self._sending = asyncio.ensure_future(self._send_media())

    def _listen_to(self, body: str) -> None:
        address, port = (
            re.search(r"^c=IN IP4 (\S+)", body, re.MULTILINE),
            re.search(r"^m=audio (\d+)", body, re.MULTILINE),
        )
        if address and port:
            self._rtp_peer = (address[1], int(port[1]))

    async def _send_media(self) -> None:
        loop = asyncio.get_running_loop()
        due, timestamp, event_timestamp = loop.time(), 0, -1
        for number in itertools.count():
            payload, data, mark = 0, _SILENCE, 0
            if self._events:
                payload, data = self._events.pop(0)
                mark = 0x80 if payload == 101 and event_timestamp < 0 else 0
                event_timestamp = (timestamp if event_timestamp < 0 else event_timestamp) if payload == 101 else -1
            elif self._to_send:
                data = self._to_send.pop(0)
            stamp = event_timestamp if payload == 101 else timestamp
            if self._rtp is not None and self._rtp_peer is not None:
                head = struct.pack("!BBHII", 0x80, mark | payload, number & 0xFFFF, stamp & 0xFFFFFFFF, 4242)
                self._rtp.sendto(head + data, self._rtp_peer)
            timestamp += _FRAME
            due += 0.02
            await asyncio.sleep(max(0.0, due - loop.time()))

    def hear(self, packet: bytes) -> None:
        """Take a packet of audio, or of a key."""
        payload, data = packet[1] & 0x7F, packet[12:]
        if payload == 0:
            self.heard += decode(data)
        elif payload == 101 and data[1] & 0x80:
            stamp = struct.unpack("!I", packet[4:8])[0]
            if stamp != self._last_event:
                self._last_event = stamp
                self.keys += "0123456789*#ABCD"[data[0]]

    def close(self) -> None:
        """Send and hear nothing any more."""
        if self._sending is not None:
            self._sending.cancel()
        if self._rtp is not None:
            self._rtp.close()


class _Media(asyncio.DatagramProtocol):
    def __init__(self, call: PhoneCall) -> None:
        self._call = call

    def datagram_received(self, data: bytes, peer: tuple[str, int]) -> None:
        self._call.hear(data)
