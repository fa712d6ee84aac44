"""A phone's registration at a gateway (RFC 3261, section 10)."""

import asyncio
import random
from collections.abc import Mapping

from tests.support.phone import Phone, status_of
from tests.support.sip_message import Message, build


class Registration:
    """A registration, or the attempt at one.

    Attributes:
        answers: statuses that came, in order; a challenge is one.

    """

    def __init__(self, phone: Phone, gateway: str, expires: int = 600) -> None:
        assert phone.credentials is not None
        self._phone, self._gateway, self._expires = phone, gateway, expires
        self._credentials = phone.credentials
        self._call_id = f"{random.getrandbits(64):x}@{phone.address}"
        self._tag = f"{random.getrandbits(32):x}"
        self._sequence = 0
        self._uri = f"sip:{gateway}"
        self._final: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.answers: list[int] = []

    async def attempt(self, seconds: float = 5.0) -> int:
        """Register, and return the final status."""
        self._phone.calls[self._call_id] = self
        self._request({})
        return await asyncio.wait_for(self._final, seconds)

    def take(self, message: Message) -> None:
        """Take an answer."""
        status = status_of(message)
        if status < 200:
            return
        self.answers.append(status)
        if status == 401 and len(self.answers) == 1:
            self._request(self._credentials.answer(message, "REGISTER", self._uri))
        elif not self._final.done():
            self._final.set_result(status)

    def close(self) -> None:
        """Hold nothing."""

    def _request(self, headers: Mapping[str, str]) -> None:
        self._sequence += 1
        identity = f"<sip:{self._credentials.username}@{self._gateway}>"
        own = [
            (
                "Via",
                f"SIP/2.0/UDP {self._phone.address}:5060;branch=z9hG4bK{random.getrandbits(64):x};rport",
            ),
            ("Max-Forwards", "70"),
            ("From", f"{identity};tag={self._tag}"),
            ("To", identity),
            ("Call-ID", self._call_id),
            ("CSeq", f"{self._sequence} REGISTER"),
            ("Contact", f"<sip:{self._credentials.username}@{self._phone.address}:5060>"),
            ("Expires", str(self._expires)),
            *headers.items(),
        ]
        self._phone.send(build(f"REGISTER {self._uri} SIP/2.0", own), (self._gateway, 5060))
