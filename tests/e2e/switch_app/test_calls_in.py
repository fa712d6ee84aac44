"""Calls that come in: what the caller is answered, what is heard, and the one record that counts (contract C2)."""

import asyncio
import subprocess
import uuid
import wave
from pathlib import Path

import imageio_ffmpeg
import pytest

from switch_app.call import AudioFile, Beep, Call, DialRequest, Leg, RecordRequest, Rejection, Silence, Speech
from switch_app.freeswitch.event_socket import EventSocket
from switch_app.freeswitch.telephony import FreeSwitch
from tests.e2e.switch_app.app_world import settings_of
from tests.e2e.switch_app.conftest import Handler, record_of
from tests.support.freeswitch import NAT_INSTANCE_IP, FreeSwitchProcess
from tests.support.phone import Phone, PhoneCall
from tests.support.speech_codec import loudness, share_of, tone


class Caller:
    """Calls, and has the platform take the call."""

    def __init__(self, process: FreeSwitchProcess, handler: Handler, phone: Phone) -> None:
        self.sid = str(uuid.uuid4())
        self.headers = {"X-Somleng-CallSid": self.sid}
        self._process, self._handler, self._phone = process, handler, phone

    async def call(self, *, port: int = 5060) -> tuple[PhoneCall, Call]:
        end = await self._phone.call(self._process.address, "1234", {"X-Src-Ip": "192.0.2.1"}, port)
        call = await self._handler.next_call()
        variables = {"record_cdr": "true", "somleng_call_sid": self.sid, "cgr_reqtype": "*none"}
        await call.progress(variables, self.headers)
        return end, call

    async def answered(self) -> tuple[PhoneCall, Call]:
        end, call = await self.call()
        await call.answer(self.headers)
        await asyncio.wait_for(end.final, 2)
        return end, call

    async def record(self) -> dict[str, str]:
        return await record_of(self._process, self.sid)


@pytest.fixture
async def caller(
    freeswitch_process: FreeSwitchProcess, telephony: FreeSwitch, handler: Handler, phone: Phone
) -> Caller:
    return Caller(freeswitch_process, handler, phone)


async def test_an_answered_call(caller: Caller, handler: Handler, freeswitch_process: FreeSwitchProcess) -> None:
    end, call = await caller.call()
    assert call.variables["sip_h_X-Src-Ip"] == "192.0.2.1"
    assert call.variables["direction"] == "inbound"
    await call.answer(caller.headers)
    assert await asyncio.wait_for(end.final, 2) == 200
    for answer in (*end.answers(183), *end.answers(200)):
        assert answer.header("X-Somleng-CallSid") == caller.sid
        assert "X-Somleng-AccountSid" not in answer.text
        assert f"c=IN IP4 {freeswitch_process.address}\n" in answer.body
    assert len(end.answers(183)) == len(end.answers(200)) == 1
    end.hang_up()
    record = await caller.record()
    assert (record["sip_term_status"], record["direction"]) == ("200", "inbound")
    assert record["sip_rh_X-Somleng-CallSid"] == record["somleng_call_sid"] == caller.sid
    await handler.until_completed(call.uuid)
    assert handler.kinds(call.uuid) == ["answered", "completed"]


async def test_a_call_by_the_alternative_port_says_the_nat_instance(caller: Caller) -> None:
    end, call = await caller.call(port=5080)
    await call.answer(caller.headers)
    await asyncio.wait_for(end.final, 2)
    (answer,) = end.answers(200)
    assert f"c=IN IP4 {NAT_INSTANCE_IP}\n" in answer.body
    # A gateway reaches the switch at the switch's own address.
    assert NAT_INSTANCE_IP not in answer.contact
    await call.hangup()


@pytest.mark.parametrize(
    ("rejection", "status"),
    [(Rejection.DECLINE, 603), (Rejection.BUSY, 486), (Rejection.UNAVAILABLE, 503)],
)
async def test_a_refused_call(caller: Caller, rejection: Rejection, status: int) -> None:
    end, call = await caller.call()
    await call.reject(rejection, caller.headers)
    assert await asyncio.wait_for(end.final, 2) == status
    assert end.answers(status)[0].header("X-Somleng-CallSid") == caller.sid
    record = await caller.record()
    assert (record["sip_term_status"], record["answer_epoch"]) == (str(status), "0")


async def test_a_call_that_the_platform_does_not_want_has_no_record_that_counts(
    freeswitch_process: FreeSwitchProcess, telephony: FreeSwitch, handler: Handler, phone: Phone
) -> None:
    before = set(freeswitch_process.records.iterdir())
    end = await phone.call(freeswitch_process.address, "4444")
    call = await handler.next_call()
    await call.reject(Rejection.FORBIDDEN, {})
    assert await asyncio.wait_for(end.final, 2) == 403
    async with asyncio.timeout(3):
        while not (new := set(freeswitch_process.records.iterdir()) - before):
            await asyncio.sleep(0.02)
    assert "record_cdr" not in new.pop().read_text()


async def test_a_caller_who_leaves_before_the_answer(caller: Caller) -> None:
    end, call = await caller.call()
    end.cancel()
    assert await asyncio.wait_for(call.wait_until_ended(), 2) == "ORIGINATOR_CANCEL"
    record = await caller.record()
    assert (record["sip_term_status"], record["answer_epoch"]) == ("487", "0")


async def test_a_call_that_we_end_before_the_answer(caller: Caller) -> None:
    end, call = await caller.call()
    await call.hangup()
    assert await asyncio.wait_for(end.final, 2) == 480
    assert (await caller.record())["sip_term_status"] == "480"


async def test_a_caller_who_is_lost_ends_in_time(caller: Caller) -> None:
    end, call = await caller.call()
    await call.set_variables({"media_timeout": "1000"})  # the dialplan has five minutes
    await call.answer(caller.headers)
    await asyncio.sleep(0.2)
    end.fall_silent()
    assert await asyncio.wait_for(call.wait_until_ended(), 4) == "MEDIA_TIMEOUT"
    assert (await caller.record())["sip_term_status"] == "200"


async def test_a_call_to_the_port_for_calls_out_is_refused(
    freeswitch_process: FreeSwitchProcess, telephony: FreeSwitch, phone: Phone
) -> None:
    end = await phone.call(freeswitch_process.address, "1234", port=5081)
    assert await asyncio.wait_for(end.final, 2) == 403


# --- audio


async def test_a_beep_is_heard_and_ends(caller: Caller) -> None:
    end, call = await caller.answered()
    begin = len(end.heard)
    await call.play([Beep()])
    await asyncio.sleep(0.1)
    heard = end.heard[begin:]
    loud = [n for n in range(0, len(heard) - 160, 160) if loudness(heard[n : n + 160]) > 1000]
    assert 0.2 <= len(loud) * 160 / 8000 <= 0.35
    assert share_of(1000, heard[loud[0] + 160 : loud[0] + 1120]) > 0.9
    assert loudness(await end.until_heard(0.2)) < 100
    await call.hangup()


async def test_music_of_either_format_is_heard(caller: Caller, tmp_path: Path) -> None:
    end, call = await caller.answered()
    sound = tmp_path / "sound.wav"
    with wave.open(str(sound), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"".join(sample.to_bytes(2, "little", signed=True) for sample in tone(900, 1.0)))
    music = tmp_path / "music.mp3"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-i", str(sound), str(music)]
    await asyncio.to_thread(subprocess.run, command, check=True)
    for path in (sound, music):
        playing = asyncio.ensure_future(call.play([AudioFile(path)]))
        await asyncio.sleep(0.3)
        assert share_of(900, await end.until_heard(0.3)) > 0.9
        await asyncio.wait_for(playing, 3)
    await call.hangup()


async def test_speech_is_heard_and_is_no_command(caller: Caller, freeswitch_process: FreeSwitchProcess) -> None:
    end, call = await caller.answered()
    mark = freeswitch_process.directory / "mark"
    text = f"Hello | it's \"me\"; ${{system(touch {mark})}} $${{x}} %[a=b] 'quoted\n\nContent-Length: 5 ឃ"
    speaking = asyncio.ensure_future(call.play([Speech("kal", text)]))
    assert loudness((await end.until_heard(1.2))[1600:]) > 300
    speaking.cancel()
    await asyncio.wait({speaking})
    assert not mark.exists()
    await call.play([Speech("slt", " \n "), Silence(0.1)])
    await call.hangup()


async def test_a_caller_hears_silence_while_nothing_is_played_and_while_recorded(
    caller: Caller, freeswitch_process: FreeSwitchProcess
) -> None:
    end, call = await caller.answered()
    assert loudness(await end.until_heard(0.3)) < 100
    path = freeswitch_process.directory / f"{uuid.uuid4()}.wav"
    recording = asyncio.ensure_future(call.record(RecordRequest(path, 5, None, "#")))
    await asyncio.sleep(0.2)
    assert loudness(await end.until_heard(0.3)) < 100
    end.press("#")
    assert (await asyncio.wait_for(recording, 3)).digit == "#"
    await call.hangup()


async def test_a_caller_is_sent_keys(caller: Caller) -> None:
    end, call = await caller.answered()
    await call.send_digits("1w2#")
    await asyncio.sleep(0.1)
    assert end.keys == "12#"
    await call.hangup()


async def test_two_who_are_joined_hear_each_other(caller: Caller, other_phone: Phone) -> None:
    end, call = await caller.answered()
    leg = Leg(
        str(uuid.uuid4()), f"1@{other_phone.address}", "nat_gateway", "1000", str(uuid.uuid4()), send_digits="w12"
    )
    dialling = asyncio.ensure_future(call.dial(DialRequest([leg], 10, 20)))
    callee = await other_phone.next_call()
    callee.ring()
    ringing = await end.until_heard(1.0)
    assert share_of(440, ringing) + share_of(480, ringing) > 0.8
    await callee.answer()
    await asyncio.sleep(1.5)
    assert callee.keys == "12"
    end.say(tone(700, 1.0))
    callee.say(tone(1300, 1.0))
    await asyncio.sleep(0.3)
    heard = await asyncio.gather(end.until_heard(0.3), callee.until_heard(0.3))
    assert share_of(1300, heard[0]) > 0.8
    assert share_of(700, heard[1]) > 0.8
    callee.hang_up()
    result = await asyncio.wait_for(dialling, 5)
    assert (result.joined, result.hung_up) == (0, False)
    await call.hangup()


async def test_a_leg_that_rings_out_has_a_record_that_says_so(
    caller: Caller, other_phone: Phone, freeswitch_process: FreeSwitchProcess
) -> None:
    _, call = await caller.answered()
    leg = Leg(str(uuid.uuid4()), f"1@{other_phone.address}", "nat_gateway", "1000", str(uuid.uuid4()))
    dialling = asyncio.ensure_future(call.dial(DialRequest([leg], 1, 20)))
    callee = await other_phone.next_call()
    callee.ring()
    assert "X-Somleng-CallSid" in callee.messages[0].text
    assert caller.sid not in callee.messages[0].text
    result = await asyncio.wait_for(dialling, 5)
    assert [(leg.reached, leg.sip_status) for leg in result.legs] == [(True, None)]
    record = await record_of(freeswitch_process, leg.call_sid)
    assert (record["sip_term_status"], record["answer_epoch"]) == ("480", "0")
    await call.hangup()


async def test_a_call_that_is_over_is_no_session_any_more(
    caller: Caller, freeswitch_process: FreeSwitchProcess
) -> None:
    """Otherwise the calls of the last seconds would take the room of new ones."""
    _, call = await caller.answered()
    await call.hangup()
    await caller.record()
    connected = asyncio.Event()

    async def connect() -> None:
        connected.set()

    socket = EventSocket(settings_of(freeswitch_process).event_socket, lambda _: None, connect, lambda: None)
    running = asyncio.ensure_future(socket.run())
    try:
        async with asyncio.timeout(3):
            await connected.wait()
            while "\n0 session(s) - peak" not in await socket.api("status"):
                await asyncio.sleep(0.05)
    finally:
        running.cancel()
