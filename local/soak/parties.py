"""Who calls and is called: carriers, a party that answers, and registered clients."""

import asyncio
import hashlib
import socket
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any, Self

from local.errors import StepFailed
from local.voice.system import VoiceSystem
from tests.support.phone import Phone, PhoneCall, socket_of
from tests.support.phone_credentials import Credentials
from tests.support.registration import Registration
from tests.support.speech_codec import tone

ANSWERS, HANGS_UP, BUSY = "85510551006", "85510551007", "85510551008"
"""Numbers of the party that answers: what it does when it is called at them."""
REALM, PASSWORD = "somleng.org", "password"
_CARRIERS, _CLIENTS = 3, 3
_TALK_SECONDS = 1.2
_LEG_SECONDS = 25.0
_LATE_SECONDS = 3.0
"""That a call is known for after its end, as what was sent before may still come."""
_REGISTERED_ANEW_SECONDS = 240.0
_TONE = tone(600, 1.0)


def digests(username: str) -> dict[str, str]:
    """Return the digests of a client's credentials, as the platform sends them."""
    text = f"{username}:{REALM}:{PASSWORD}".encode()
    return {
        "md5_password": hashlib.md5(text, usedforsecurity=False).hexdigest(),
        "sha256_password": hashlib.sha256(text).hexdigest(),
        "sha512_password": hashlib.sha512(text).hexdigest()[:64],
    }


def forget(phone: Phone, call: PhoneCall) -> None:
    """Have a phone hold nothing of a call any more, once nothing can come of it."""

    def drop() -> None:
        call.close()
        phone.calls.pop(call.identifier, None)

    asyncio.get_running_loop().call_later(_LATE_SECONDS, drop)


class Answering:
    """A phone that answers whoever calls it.

    Attributes:
        legs: the calls that came, by the sid that they told.

    """

    def __init__(self, phone: Phone) -> None:
        self.phone = phone
        self.legs: dict[str, PhoneCall] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Answer until it is cancelled."""
        while True:
            call = await self.phone.incoming.get()
            task = asyncio.create_task(self._take(call))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def leg(self, sid: str, seconds: float) -> PhoneCall:
        """Return the call of a sid once it comes.

        Raises:
            StepFailed: when it does not.

        """
        try:
            async with asyncio.timeout(seconds):
                while sid not in self.legs:
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise StepFailed(f"nobody was called for {seconds:g} seconds") from None
        return self.legs[sid]

    async def _take(self, call: PhoneCall) -> None:
        invite = call.messages[0]
        self.legs[invite.header("X-Somleng-CallSid")] = call
        if BUSY in invite.first_line:
            call.refuse("486 Busy Here")
        else:
            call.ring()
            await asyncio.sleep(0.1)
            if not call.final.done():
                await call.answer()
                call.say(_TONE)
            if HANGS_UP in invite.first_line:
                await asyncio.sleep(_TALK_SECONDS)
                if not call.ended.is_set():
                    call.hang_up()
        try:
            await asyncio.wait_for(call.ended.wait(), _LEG_SECONDS)
        except TimeoutError:  # its switch was killed, or the ledger says what else
            call.hang_up()
        forget(self.phone, call)


class Parties:
    """Everybody with a phone, as an asynchronous context.

    Args:
        voice: what they are connected to.

    Attributes:
        carriers: addresses that call, once they are permitted.
        stranger: one that never is.
        party: answers calls of switches.
        clients: those who register, by user name; each answers calls.
        guesser: has the name of a client, and not its password.

    """

    def __init__(self, voice: VoiceSystem) -> None:
        self._voice = voice
        hosts = voice.hosts
        self.carriers = [Phone(hosts.address()) for _ in range(_CARRIERS)]
        self.stranger = Phone(hosts.address())
        self.party = Answering(Phone(hosts.address()))
        self.clients = {name: Answering(self._client(name, number)) for number, name in enumerate(_names())}
        self.guesser = Phone(hosts.address(), Credentials(next(iter(self.clients)), "guessed"))
        self._stack = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        answering = [self.party, *self.clients.values()]
        for phone in (*self.carriers, self.stranger, self.guesser, *(each.phone for each in answering)):
            await self._stack.enter_async_context(phone)
        for each in answering:
            self._go_on(each.serve())
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._stack.aclose()

    async def register(self, seconds: float) -> None:
        """Register the clients, and keep them registered.

        Raises:
            StepFailed: when one is refused for so long.

        """
        for each in self.clients.values():
            statuses: list[int] = []
            async with asyncio.timeout(seconds):
                while not statuses or statuses[-1] != 200:
                    statuses.append(await self._register(each.phone))
                    await asyncio.sleep(0.2)
        self._go_on(self._register_anew())

    async def _register_anew(self) -> None:
        while True:
            await asyncio.sleep(_REGISTERED_ANEW_SECONDS)
            for each in self.clients.values():
                await self._register(each.phone)

    async def _register(self, phone: Phone) -> int:
        registration = Registration(phone, self._voice.client_gateway.address)
        try:
            return await registration.attempt()
        except TimeoutError:
            raise StepFailed(f"a REGISTER of {phone.address} is not answered") from None

    def _client(self, name: str, number: int) -> Phone:
        """Return a client's phone: the first is behind NAT where this machine allows that."""
        nat = self._voice.nat if number == 0 else None
        opener: Callable[[str, int], socket.socket] = nat.namespace.udp_socket if nat else socket_of
        address = nat.client if nat else self._voice.hosts.address()
        return Phone(address, Credentials(name, PASSWORD), opener)

    def _go_on(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(coroutine))


def _names() -> list[str]:
    return [f"soak{number}" for number in range(1, _CLIENTS + 1)]
