"""A client registers, calls in and is called: behind a router of its own where this machine allows that."""

import asyncio
import re
import socket
import time
from collections.abc import Callable

from local.errors import StepFailed
from local.steps import Step
from local.voice.documents import Documents
from local.voice.steps.stage import Stage, has_tone, hears, samples_of, within
from routing import Table
from tests.support.phone import Phone, socket_of
from tests.support.phone_credentials import Credentials
from tests.support.queue_events import DIGESTS
from tests.support.registration import Registration
from tests.support.sip_message import Message, audio_address
from tests.support.speech_codec import tone
from tests.support.wav_bytes import wav

_USER, _PASSWORD = "user1", "password"
"""What the digests of the message are of."""
_IN, _OUT = "1300", "out"
_NUMBER = "85516701722"
_LOW, _HIGH, _OTHER = 440, 1300, 600


class ClientSteps:
    """The steps; the phone is the same in all."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._phone: Phone | None = None

    def steps(self) -> list[Step]:
        """Return the steps in their order."""
        step = self._stage.step
        behind = "from behind a router" if self._stage.voice.without_nat is None else "without a router"
        return [
            step("A client's credentials, and a wrong password", self._credentials),
            step(f"The client registers {behind}", self._register),
            step("It calls in through the media proxy", self._call_in),
            step("The platform calls it", self._call_out),
        ]

    async def _credentials(self) -> str:
        await self._stage.send_job("CreateOpenSIPSSubscriberJob", {"username": _USER, **DIGESTS})
        await self._stage.until(
            "the credentials", lambda: self._stage.system.keys(Table.SUBSCRIBERS), lambda keys: keys == [_USER]
        )
        stranger = self._stage.voice.hosts.address()
        async with Phone(stranger, Credentials(_USER, "guessed")) as phone:
            registration = Registration(phone, self._gateway)
            status = await within("an answer to the REGISTER", 5, registration.attempt())
            call = await phone.call(self._gateway, _IN)
            refused = await within("an answer to the INVITE", 5, call.final)
            if (status, refused) != (401, 407) or 200 in registration.answers or call.answers(200):
                raise StepFailed(f"REGISTER is answered {registration.answers}, INVITE {refused}")
        if contacts := self._stage.voice.client_gateway.contacts(_USER):
            raise StepFailed(f"the gateway has the contacts {contacts}")
        answers = ", ".join(map(str, registration.answers))
        return f"REGISTER with a wrong password: {answers}; INVITE: 407, {refused}; never a 200"

    async def _register(self) -> str:
        nat = self._stage.voice.nat
        address = nat.client if nat else self._stage.voice.hosts.address()
        opener: Callable[[str, int], socket.socket] = nat.namespace.udp_socket if nat else socket_of
        self._phone = await Phone(address, Credentials(_USER, _PASSWORD), opener).__aenter__()
        # The credentials are in the table; the gateway has them when its scheduler has looked, twice a second.
        statuses: list[int] = []
        while not statuses or (statuses[-1] != 200 and len(statuses) < 20):
            registration = Registration(self._phone, self._gateway)
            statuses.append(await within("an answer to the REGISTER", 5, registration.attempt()))
            await asyncio.sleep(0.1)
        if statuses[-1] != 200:
            raise StepFailed(f"REGISTER is answered {statuses}")
        (contact,) = await self._stage.until("the contact", lambda: self._stage.voice.client_gateway.contacts(_USER))
        outside = nat.router if nat else address
        if f"sip:{outside}:" not in contact:
            raise StepFailed(f"the contact is {contact}, not one at {outside}")
        name = self._stage.system.table_names[Table.REGISTRATIONS]
        scan = self._stage.system.dynamodb.scan
        rows = await self._stage.until(
            "the registration's row", lambda: [each for each in scan(TableName=name)["Items"] if outside in str(each)]
        )
        if nat is None:
            return f"{address} is registered, and in {len(rows)} row; no router: {self._stage.voice.without_nat}"
        return f"{address} is registered as {contact.removeprefix('sip:')} (masqueraded), and in {len(rows)} row"

    async def _call_in(self) -> str:
        phone = self._registered
        prompt = self._documents.audio("welcome", wav(tone(_HIGH, 1.5)))
        verbs = f'<Play>{prompt}</Play><Record maxLength="2" playBeep="false" action="left.xml"/>'
        self._documents.write("left", "<Hangup/>")
        self._stage.voice.platform.set_number(_IN, self._documents.write("client", verbs))
        began = time.monotonic()
        # Its name is no number; the platform wants the one that it calls from.
        number = {"Remote-Party-ID": f"<sip:+{_NUMBER}@{self._gateway}>"}
        call = await phone.call(self._gateway, _IN, number)
        status = await within("the call to be answered", 8, call.final)
        if status != 200:
            raise StepFailed(f"the call is answered {status}")
        seconds = time.monotonic() - began
        answer = call.answers(200)[0]
        self._through_media_proxy(answer)
        await hears(call, _HIGH)
        call.say(tone(_LOW, 4))
        await within("the end of the call", 10, call.ended.wait())
        sid = answer.header("X-Somleng-CallSid")
        _, content = await self._stage.recording_of(sid)
        if not has_tone(_LOW, samples_of(content)):
            raise StepFailed("what the client said is not in the recording")
        (told,) = [
            each for each in self._stage.voice.platform.told("inbound_calls") if each.get("client_identifier") == _USER
        ]
        await self._stage.record_of(sid)
        media = audio_address(answer)
        source = told["source_ip"]
        return f"answered after {seconds:.2f} s; audio both ways by {media[0]}:{media[1]}; told as from {source}"

    async def _call_out(self) -> str:
        phone, voice = self._registered, self._stage.voice
        hello = self._documents.audio("hello", wav(tone(_OTHER, 1.5)))
        self._documents.write("answered", "<Hangup/>")
        verbs = f'<Play>{hello}</Play><Record maxLength="2" playBeep="false" action="answered.xml"/>'
        url = self._documents.write(_OUT, verbs)
        began = time.monotonic()
        made = await asyncio.to_thread(
            voice.platform.make_call, voice.switches[0].url, f"+{_NUMBER}", url, username=_USER, destination=_NUMBER
        )
        call = await within("the client to be called", 8, phone.next_call())
        seconds = time.monotonic() - began
        invite = call.messages[0]
        self._through_media_proxy(invite)
        if f"<sip:{self._gateway}:5060;" not in invite.headers("Record-Route")[0]:
            raise StepFailed(f"the INVITE came past the client gateway: {invite.headers('Record-Route')}")
        call.ring()
        await call.answer()
        await hears(call, _OTHER)
        call.say(tone(_LOW, 4))
        await within("the end of the call", 10, call.ended.wait())
        _, content = await self._stage.recording_of(made["sid"])
        if not has_tone(_LOW, samples_of(content)):
            raise StepFailed("what the client said is not in the recording")
        record = await self._stage.record_of(made["sid"])
        events = await self._stage.until(
            "the call's events", lambda: voice.platform.events_of(made["id"]), lambda told: "completed" in told
        )
        if record.get("sip_term_status") != "200" or events != ["ringing", "answered", "completed"]:
            raise StepFailed(f"recorded with {record.get('sip_term_status')}; the platform was told {events}")
        number = re.search(r"sip:([^; ]+)", invite.first_line)
        return (
            f"POST /calls to INVITE at {number[1] if number else invite.first_line} {seconds:.2f} s; "
            f"{', '.join(events)}; audio both ways"
        )

    async def leave(self) -> None:
        """Let go of the phone."""
        phone, self._phone = self._phone, None
        if phone is not None:
            await phone.__aexit__()

    def _through_media_proxy(self, message: Message) -> None:
        address, _ = audio_address(message)
        if address != self._stage.voice.media_proxy_public:
            raise StepFailed(f"the client is to send its audio to {address}, which is not the media proxy")

    @property
    def _registered(self) -> Phone:
        if self._phone is None:
            raise StepFailed("the client did not register")
        return self._phone

    @property
    def _gateway(self) -> str:
        return self._stage.voice.client_gateway.address

    @property
    def _documents(self) -> Documents:
        return self._stage.voice.customer
