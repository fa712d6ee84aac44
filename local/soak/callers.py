"""Places calls of every kind, at random times, and notes each in the ledger."""

import asyncio
import itertools
import random
import time
from collections.abc import Awaitable, Callable

from local.errors import LocalError, StepFailed
from local.soak.ledger import Placed
from local.soak.parties import ANSWERS, BUSY, HANGS_UP, Answering, Parties, forget
from local.soak.truth import Truth
from local.voice.steps.stage import hears, within
from local.voice.system import VoiceSystem
from tests.support.phone import Phone, PhoneCall
from tests.support.speech_codec import tone
from tests.support.wav_bytes import wav

_ANSWER_SECONDS, _END_SECONDS, _LEG_SECONDS = 10.0, 15.0, 12.0
_HEARD_TONE = 1300
_FIRST_NUMBER = 7_000_001
_SPOKEN = tone(440, 1.0)
_CALLING_NUMBER = "85516701722"


class Callers:
    """Those who place calls.

    Args:
        voice: what they call through.
        truth: which switches the platform may ask for a call.
        parties: who they are.
        chosen: draws kinds and times.

    Attributes:
        calls: every call that was placed.
        keys: the keys that were pressed into a Gather, by the call's sid.
        recorded: sids of calls that were recorded and went as they should.

    """

    def __init__(self, voice: VoiceSystem, truth: Truth, parties: Parties, chosen: random.Random) -> None:
        self._voice, self._truth, self._parties, self._chosen = voice, truth, parties, chosen
        self._numbers = itertools.count(_FIRST_NUMBER)
        self._tasks: set[asyncio.Task[None]] = set()
        self.calls: list[Placed] = []
        self.keys: dict[str, str] = {}
        self.recorded: set[str] = set()
        documents = voice.customer
        heard = documents.audio("heard", wav(tone(_HEARD_TONE, 1.5)))
        documents.write("done", "<Hangup/>")
        documents.write("gathered", "<Say>Thank you</Say>")
        self._documents = {
            name: documents.write(name, verbs)
            for name, verbs in {
                "say": '<Say>Hello</Say><Pause length="1"/>',
                "gather": '<Gather numDigits="2" action="gathered.xml"><Say>Please press two keys</Say></Gather>',
                "record": '<Record maxLength="6" finishOnKey="#" playBeep="false" action="done.xml"/>',
                "dial": f'<Dial action="done.xml"><Number>{HANGS_UP}</Number></Dial>',
                "busy": f'<Dial action="done.xml"><Number>{BUSY}</Number></Dial>',
                "play": f"<Play>{heard}</Play>",
            }.items()
        }
        voice.platform.set_routing(host=parties.party.phone.address)
        self._kinds: dict[str, tuple[int, Callable[[Placed], Awaitable[None]]]] = {
            "carrier: Say": (4, self._say),
            "carrier: Gather": (4, self._gather),
            "carrier: Record": (3, self._record),
            "carrier: Dial": (3, self._dial),
            "carrier: Dial, busy": (1, self._busy),
            "client calls": (3, self._client_calls),
            "client is called": (2, self._client_is_called),
            "carrier is called": (2, self._carrier_is_called),
            "stranger": (1, self._stranger),
            "client, wrong password": (1, self._guesser),
        }
        """How often each kind is drawn, and what it is."""

    async def run(self, seconds: float, rate: float) -> None:
        """Place calls for some seconds, so many a second, and wait for the last one's end."""
        begin = time.monotonic()
        due = begin
        first = list(self._kinds)
        weights = [weight for weight, _ in self._kinds.values()]
        while due < begin + seconds:
            kind = first.pop() if first else self._chosen.choices(list(self._kinds), weights)[0]
            self.go_on(kind, self._kinds[kind][1])
            due += self._chosen.expovariate(rate)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        await self.end()

    async def end(self) -> None:
        """Wait for the last call's end."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    def go_on(self, kind: str, act: Callable[[Placed], Awaitable[None]]) -> "asyncio.Task[None]":
        """Have a call placed, and noted."""
        task = asyncio.create_task(self._note(kind, act))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _note(self, kind: str, act: Callable[[Placed], Awaitable[None]]) -> None:
        placed = Placed(str(next(self._numbers)), kind, time.monotonic())
        self.calls.append(placed)
        try:
            await act(placed)
        except (LocalError, AssertionError, OSError) as error:  # what the call saw instead
            placed.problem = f"{type(error).__name__}: {error}"
        placed.ended = time.monotonic()

    # --- kinds

    async def _say(self, placed: Placed) -> None:
        await self._carrier_call(placed, "say", _until_the_end)

    async def _gather(self, placed: Placed) -> None:
        keys = f"{self._chosen.randrange(100):02}"

        async def press(call: PhoneCall) -> None:
            await within("the prompt", _ANSWER_SECONDS, call.until_heard(0.5, _ANSWER_SECONDS))
            call.press(keys)
            await _until_the_end(call)
            self.keys[placed.sid] = keys

        await self._carrier_call(placed, "gather", press)

    async def _record(self, placed: Placed) -> None:
        async def speak(call: PhoneCall) -> None:
            call.say(_SPOKEN)
            await asyncio.sleep(1.5)
            call.press("#")
            await _until_the_end(call)
            self.recorded.add(placed.sid)

        await self._carrier_call(placed, "record", speak)

    async def _dial(self, placed: Placed) -> None:
        await self._carrier_call(placed, "dial", _until_the_end)

    async def _busy(self, placed: Placed) -> None:
        """Call somebody who is busy: the call itself is answered when the Dial is over, or ends without."""
        await self._carrier_call(placed, "busy", _until_the_end)

    async def _client_calls(self, placed: Placed) -> None:
        client = self._chosen.choice(list(self._parties.clients.values()))
        await self._voice_url(placed.number, "play")
        gateway = self._voice.client_gateway.address
        # Its name is no number; the platform wants the one that it calls from.
        number = {"Remote-Party-ID": f"<sip:+{_CALLING_NUMBER}@{gateway}>"}
        call = await client.phone.call(gateway, placed.number, number)

        async def hear(call: PhoneCall) -> None:
            await hears(call, _HEARD_TONE)
            await _until_the_end(call)

        await self._through(client.phone, call, placed, hear)

    async def _client_is_called(self, placed: Placed) -> None:
        name, client = self._chosen.choice(list(self._parties.clients.items()))
        await self._originate(placed, client, username=name, destination=ANSWERS)

    async def _carrier_is_called(self, placed: Placed) -> None:
        party = self._parties.party
        await self._originate(placed, party, host=party.phone.address, destination=ANSWERS)

    async def _stranger(self, placed: Placed) -> None:
        await self.refused_call(placed, self._parties.stranger, 403, "403: no permission")

    async def _guesser(self, placed: Placed) -> None:
        phone = self._parties.guesser
        await self.refused_call(placed, phone, 407, "407: wrong password", self._voice.client_gateway.address)

    # --- what they share

    async def answered_call(self, placed: Placed, phone: Phone) -> None:
        """Call from somebody who may, and hear Say."""
        await self._voice_url(placed.number, "say")
        call = await phone.call(self._voice.public_gateway.address, placed.number)
        await self._through(phone, call, placed, _until_the_end)

    async def refused_call(self, placed: Placed, phone: Phone, status: int, reason: str, gateway: str = "") -> None:
        """Call from somebody who may not."""
        call = await phone.call(gateway or self._voice.public_gateway.address, placed.number)
        try:
            found = await within("an answer of the gateway", _ANSWER_SECONDS, call.final)
        finally:
            forget(phone, call)
        if found != status:
            call.hang_up()
            raise StepFailed(f"answered {found}, not {status}")
        placed.refused = reason

    async def _carrier_call(self, placed: Placed, document: str, then: Callable[[PhoneCall], Awaitable[None]]) -> None:
        phone = self._chosen.choice(self._parties.carriers)
        await self._voice_url(placed.number, document)
        call = await phone.call(self._voice.public_gateway.address, placed.number)
        await self._through(phone, call, placed, then)

    async def _through(
        self, phone: Phone, call: PhoneCall, placed: Placed, then: Callable[[PhoneCall], Awaitable[None]]
    ) -> None:
        """Have a call answered, and go on; hang up if it does not go so."""
        try:
            await _answered(call)
            placed.sid = call.answers(200)[0].header("X-Somleng-CallSid")
            await then(call)
        except BaseException:
            if call.final.done():
                call.hang_up()
            else:
                call.cancel()
            raise
        finally:
            forget(phone, call)

    async def _originate(self, placed: Placed, callee: Answering, **routing: str) -> None:
        """Have the platform ask a switch that runs for a call, and the callee hear something."""
        name = self._chosen.choice(sorted(self._truth.switches))
        switch = next(each for each in self._voice.switches if each.name == name)
        placed.switch = switch.address
        url = self._documents["play"]
        made = await asyncio.to_thread(self._voice.platform.make_call, switch.url, f"+{ANSWERS}", url, **routing)
        placed.sid = made["sid"]
        leg = await callee.leg(placed.sid, _LEG_SECONDS)
        await within("the callee to answer", _ANSWER_SECONDS, leg.final)
        await hears(leg, _HEARD_TONE)
        await _until_the_end(leg)

    async def _voice_url(self, number: str, document: str) -> None:
        await asyncio.to_thread(self._voice.platform.set_number, number, self._documents[document])


async def _answered(call: PhoneCall) -> None:
    status = await within("an answer", _ANSWER_SECONDS, call.final)
    if status != 200:
        raise StepFailed(f"answered {status}")


async def _until_the_end(call: PhoneCall) -> None:
    await within("the end of the call", _END_SECONDS, call.ended.wait())
