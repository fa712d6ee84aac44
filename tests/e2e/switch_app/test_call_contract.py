"""Real FreeSWITCH keeps the contract of calls, with phones as caller and callees."""

import asyncio
import uuid
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from switch_app.call import AudioFile, Call, Leg
from switch_app.freeswitch.telephony import FreeSwitch
from tests.containers.switch_app.call_contract import CallContract
from tests.e2e.switch_app.conftest import Handler
from tests.support.freeswitch import FreeSwitchProcess
from tests.support.phone import Phone, PhoneCall
from tests.support.speech_codec import loudness, tone


class _World:
    second, slack = 1.0, 0.3

    def __init__(self, address: str, handler: Handler, caller: Phone, callees: Phone, directory: Path) -> None:
        self._address, self._handler, self._caller, self._callees = address, handler, caller, callees
        self._directory = directory
        self._ends: dict[str, PhoneCall] = {}
        self._acts: set[asyncio.Task[None]] = set()

    async def call(self) -> Call:
        end = await self._caller.call(self._address, "1234")
        call = await self._handler.next_call()
        self._ends[call.uuid] = end
        return call

    async def press(self, call: Call, digits: str) -> None:
        self._ends[call.uuid].press(digits)
        await asyncio.sleep(0.25 * len(digits) + 0.15)

    async def talk(self, call: Call, seconds: float) -> None:
        self._ends[call.uuid].say(tone(440, seconds))

    async def hang_up(self, call: Call) -> None:
        self._ends[call.uuid].hang_up()

    def audio(self, seconds: float) -> AudioFile:
        path = self._directory / f"{seconds}.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(b"".join(sample.to_bytes(2, "little", signed=True) for sample in tone(440, seconds)))
        return AudioFile(path)

    def leg(self, kind: str) -> Leg:
        user = kind.replace(" ", "-")
        profile = "none" if kind == "unreachable" else "nat_gateway"
        return Leg(str(uuid.uuid4()), f"{user}@{self._callees.address}", profile, "1000", str(uuid.uuid4()))

    async def legs_there_are(self) -> int:
        await asyncio.sleep(0.1)  # BYE and CANCEL are on their way
        return sum(not call.ended.is_set() for call in self._callees.calls.values())

    async def hears_sound(self, call: Call) -> bool:
        await asyncio.sleep(0.1)
        return loudness(self._ends[call.uuid].heard[-400:]) > 500

    async def be_called(self) -> None:
        """Do as whoever is called would."""
        while True:
            call = await self._callees.incoming.get()
            task = asyncio.ensure_future(self._act(call))
            self._acts.add(task)
            task.add_done_callback(self._acts.discard)

    async def _act(self, call: PhoneCall) -> None:
        user = call.messages[0].request_uri.partition(":")[2].partition("@")[0]
        if user == "busy":
            call.refuse("486 Busy Here")
            return
        call.ring()
        if user.startswith("answers"):
            await asyncio.sleep(1)
            if not call.ended.is_set():
                await call.answer()
        if user == "answers-and-leaves":
            await asyncio.sleep(2)
            if not call.ended.is_set():
                call.hang_up()


class TestFreeSwitchCall(CallContract):
    @pytest.fixture
    async def world(
        self,
        freeswitch_process: FreeSwitchProcess,
        telephony: FreeSwitch,
        handler: Handler,
        phone: Phone,
        other_phone: Phone,
        tmp_path: Path,
    ) -> AsyncIterator[_World]:
        world = _World(freeswitch_process.address, handler, phone, other_phone, tmp_path)
        called = asyncio.ensure_future(world.be_called())
        yield world
        called.cancel()
