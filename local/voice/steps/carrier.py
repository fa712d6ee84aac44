"""A carrier calls: refused, permitted, led through a menu and recorded, connected, and talked to by a bot."""

import asyncio
import time

from local.errors import StepFailed
from local.mp3 import seconds_of
from local.steps import Step
from local.voice.documents import Documents
from local.voice.steps.stage import SCENARIOS, Stage, has_tone, hears, samples_of, within
from tests.support.bot import Bot
from tests.support.phone import Phone, PhoneCall
from tests.support.sipp import Sipp
from tests.support.speech_codec import loudness, tone
from tests.support.wav_bytes import wav

_MENU, _DIAL, _STREAM, _HELLO = "1200", "1201", "1202", "1203"
_CALLEE = "85510551006"
_LOW, _HIGH = 440, 1300
_SPOKEN = 300
"""Root of the mean square that speech has and silence has not."""
_MP3_TOLERANCE = 0.25


class CarrierSteps:
    """The steps.

    Args:
        stage: where they happen.
        address: the carrier's.

    """

    def __init__(self, stage: Stage, address: str) -> None:
        self._stage, self._address = stage, address
        self._hosts = stage.voice.hosts

    def steps(self) -> list[Step]:
        """Return the steps in their order."""
        step = self._stage.step
        return [
            step("A carrier that nobody permitted calls", self._forbidden),
            step("Its permission comes through the queue", self._permitted),
            step("It hears Say, presses keys, is recorded", self._menu),
            step("Its Dial joins a second party", self._dial),
            step("A bot talks to it over a media stream", self._stream),
        ]

    async def _forbidden(self) -> str:
        gateway = self._stage.voice.public_gateway
        scenario = SCENARIOS / "gateways" / "scenarios" / "carrier_gets_403.xml"
        sipp = Sipp(
            scenario, self._stage.scratch, self._address, remote=f"{gateway.address}:5060", keys={"number": _HELLO}
        )
        with sipp:
            await asyncio.to_thread(sipp.wait)
        (answer,) = sipp.received("SIP/2.0 403")
        if self._stage.voice.platform.told("inbound_calls"):
            raise StepFailed("the platform was told of a call that was refused")
        return f"SIPp at {self._address} is answered {answer.first_line}; the platform is not asked"

    async def _permitted(self) -> str:
        self._document(_HELLO, '<Say>Hello</Say><Pause length="1"/>')
        async with Phone(self._address) as phone:
            began = time.monotonic()
            await self._stage.send_job("CreateOpenSIPSPermissionJob", self._address, {"group_id": 1})
            refused = 0
            while time.monotonic() < began + 10:
                call = await phone.call(self._gateway, _HELLO)
                if await within("an answer of the gateway", 8, call.final) == 200:
                    seconds = time.monotonic() - began
                    call.hang_up()
                    return f"permission to first answered call {seconds:.2f} s; {refused} calls before it got 403"
                refused += 1
                await asyncio.sleep(0.02)
        raise StepFailed("the carrier is still refused after 10 seconds")

    async def _menu(self) -> str:
        record = self._documents.write("record", '<Record maxLength="10" finishOnKey="#" action="recorded.xml"/>')
        self._documents.write("recorded", "<Say>Good bye</Say><Hangup/>")
        prompt = "<Say>Please press two keys, any that you like</Say>"
        self._document(_MENU, f'<Gather numDigits="2" action="{record}">{prompt}</Gather>')
        async with Phone(self._address) as phone:
            call = await self._answered(phone, _MENU)
            sid = call.answers(200)[0].header("X-Somleng-CallSid")
            if loudness((await call.until_heard(0.8))[1600:]) < _SPOKEN:
                raise StepFailed("the prompt is not heard")
            call.press("42")
            (gathered,) = await self._stage.until("the digits", lambda: self._documents.requests("record"))
            await asyncio.sleep(0.8)  # the beep
            call.say(tone(_LOW, 1.5))
            await asyncio.sleep(1.6)
            call.press("#")
            (recorded,) = await self._stage.until("the end of it", lambda: self._documents.requests("recorded"))
            await within("the end of the call", 8, call.ended.wait())
        key, content = await self._stage.recording_of(sid)
        samples = samples_of(content)
        if gathered["parameters"]["Digits"] != "42" or not has_tone(_LOW, samples):
            raise StepFailed(f"digits {gathered['parameters']['Digits']}; tone recorded: {has_tone(_LOW, samples)}")
        began = time.monotonic()
        mp3 = self._stage.system.scratch("recording.mp3")
        mp3.write_bytes(await self._stage.object_of(key.removesuffix(".wav") + ".mp3"))
        seconds, wav_seconds = seconds_of(mp3), len(samples) / 8000
        if abs(seconds - wav_seconds) > _MP3_TOLERANCE:
            raise StepFailed(f"the WAV plays {wav_seconds:.2f} s and the MP3 {seconds:.2f} s")
        await self._ended(sid, "200")
        told = recorded["parameters"]["RecordingDuration"]
        return (
            f"Digits=42; WAV of {wav_seconds:.2f} s (RecordingDuration={told}), MP3 of {seconds:.2f} s beside it "
            f"{time.monotonic() - began:.1f} s later"
        )

    async def _dial(self) -> str:
        callee_address = self._hosts.address()
        self._stage.voice.platform.set_routing(host=callee_address)
        self._documents.write("dialled", "<Hangup/>")
        self._document(_DIAL, f'<Dial action="dialled.xml"><Number>{_CALLEE}</Number></Dial>')
        async with Phone(self._address) as phone, Phone(callee_address) as other:
            call = await phone.call(self._gateway, _DIAL)
            callee = await within("the callee to be called", 8, other.next_call())
            callee.ring()
            await callee.answer()
            await within("the carrier to be answered", 5, call.final)
            call.say(tone(_LOW, 3))
            callee.say(tone(_HIGH, 3))
            await asyncio.gather(hears(call, _HIGH), hears(callee, _LOW))
            callee.hang_up()
            await within("the end of the call", 8, call.ended.wait())
        (form,) = await self._stage.until("the end of the Dial", lambda: self._documents.requests("dialled"))
        child = form["parameters"]["DialCallSid"]
        status = form["parameters"]["DialCallStatus"]
        if status != "completed" or callee.messages[0].header("X-Somleng-CallSid") != child:
            raise StepFailed(f"the Dial is {status}, of call {child}")
        await self._ended(child, "200")
        await self._ended(call.answers(200)[0].header("X-Somleng-CallSid"), "200")
        return f"both hear each other; DialCallStatus={status}, a data record each"

    async def _stream(self) -> str:
        async with Bot() as bot, Phone(self._address) as phone:
            after = self._documents.audio("after", wav(tone(1700, 1.0)))
            self._document(_STREAM, f'<Connect><Stream url="{bot.url}"/></Connect><Play>{after}</Play>')
            call = await self._answered(phone, _STREAM)
            stream = await within("the stream", 8, bot.next_stream())
            call.say(tone(_LOW, 1.5))
            await stream.until(lambda: has_tone(_LOW, stream.heard()[-4000:]), 5)
            began = time.monotonic()
            await stream.say(tone(600, 1))
            milliseconds = 1000 * (await hears(call, 600))
            await stream.mark("said")
            await stream.until_event("mark")
            call.press("7")
            digit = (await stream.until_event("dtmf"))["dtmf"]["digit"]
            seconds = time.monotonic() - began
            await stream.socket.close()
            await hears(call, 1700)
            await within("the end of the call", 8, call.ended.wait())
        told = [event["event"]["type"] for event in self._stage.voice.platform.told("media_stream_events")]
        if digit != "7" or told[-1] != "disconnect":
            raise StepFailed(f"digit {digit}; the platform was told {told}")
        return (
            f"each hears the other (the bot is recognised after {milliseconds:.0f} ms), mark and key after "
            f"{seconds:.1f} s; then the document goes on"
        )

    # --- what they share

    @property
    def _gateway(self) -> str:
        return self._stage.voice.public_gateway.address

    @property
    def _documents(self) -> Documents:
        return self._stage.voice.customer

    def _document(self, number: str, verbs: str) -> None:
        self._stage.voice.platform.set_number(number, self._documents.write(number, verbs))

    async def _answered(self, phone: Phone, number: str) -> PhoneCall:
        call = await phone.call(self._gateway, number)
        status = await within(f"the answer to {number}", 8, call.final)
        if status != 200:
            raise StepFailed(f"{number} is answered {status}")
        return call

    async def _ended(self, sid: str, status: str) -> None:
        record = await self._stage.record_of(sid)
        if record.get("sip_term_status") != status:
            raise StepFailed(f"call {sid} is recorded with {record.get('sip_term_status')}, not {status}")
