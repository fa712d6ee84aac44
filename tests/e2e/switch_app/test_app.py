"""The whole app with real FreeSWITCH: documents run on calls that phones hear, and the platform is told."""

import asyncio
import io
import uuid
import wave

import aiohttp
import boto3
import pytest

from tests.containers.switch_app.switch import CALL
from tests.containers.switch_app.whole_app import BUCKET
from tests.e2e.switch_app.app_world import ADDRESS, World
from tests.fakes.customer_server import Reply, twiml
from tests.support.speech_codec import loudness, share_of, tone
from tests.support.wav_bytes import wav


async def test_a_menu_that_records(world: World) -> None:
    gathered = world.customer.url + "/gathered"
    world.customer.reply("/gathered", twiml('<Record action="/recorded" maxLength="10" finishOnKey="#"/>'))
    world.customer.reply("/recorded", twiml('<Say voice="woman">Bye</Say><Hangup/>'))
    end = await world.call(
        f'<Gather numDigits="2" action="{gathered}"><Say>Please press two keys, any that you like</Say></Gather>'
    )
    assert await asyncio.wait_for(end.final, 3) == 200
    (call,) = world.platform.calls.values()
    assert end.answers(200)[0].header("X-Somleng-CallSid") == call.sid
    assert loudness((await end.until_heard(0.8))[1600:]) > 300
    end.press("42")
    await world.until(lambda: "/gathered" in world.customer.paths())
    assert world.form("/gathered")["Digits"] == "42"
    await asyncio.sleep(0.7)  # the beep
    end.say(tone(600, 1.0))
    await asyncio.sleep(1.0)
    end.press("#")
    await world.until(lambda: "/recorded" in world.customer.paths())
    form = world.form("/recorded")
    assert (form["Digits"], int(form["RecordingDuration"]) in (1, 2)) == ("#", True)
    await asyncio.wait_for(end.ended.wait(), 5)
    record = await world.record(call.sid)
    assert (record["sip_term_status"], record["direction"]) == ("200", "inbound")
    await world.until(lambda: call.events == ["answered", "completed"])
    await world.until(lambda: [each for each in world.platform.recordings.values() if "raw_recording_url" in each])
    (recording,) = world.platform.recordings.values()
    key = recording["raw_recording_url"].split("/", 3)[3]
    stored = boto3.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    with wave.open(io.BytesIO(stored)) as file:
        assert 1.0 <= file.getnframes() / file.getframerate() <= 3.0


async def test_a_caller_who_is_connected(world: World) -> None:
    world.platform.routing = {"host": world.callee.address}
    world.customer.reply("/dialled", twiml("<Hangup/>"))
    end = await world.call('<Dial action="/dialled"><Number>85510551006</Number></Dial>')
    callee = await world.callee.next_call()
    callee.ring()
    await callee.answer()
    callee.say(tone(1300, 1.5))
    await asyncio.sleep(0.4)
    assert share_of(1300, await end.until_heard(0.4)) > 0.8
    await asyncio.sleep(0.6)
    callee.hang_up()
    await asyncio.wait_for(end.ended.wait(), 5)
    (child,) = world.platform.outbound_calls
    form = world.form("/dialled")
    assert (form["DialCallStatus"], form["DialCallSid"]) == ("completed", child["sid"])
    assert int(form["DialCallDuration"]) in (1, 2)
    (parent,) = (sid for sid in world.platform.calls if sid != child["sid"])
    assert (await world.record(child["sid"]))["sip_term_status"] == "200"
    assert (await world.record(parent))["sip_term_status"] == "200"
    assert callee.messages[0].header("X-Somleng-CallSid") == child["sid"]


async def test_a_caller_whose_callee_is_busy(world: World) -> None:
    world.platform.routing = {"host": world.callee.address}
    world.customer.reply("/dialled", twiml("<Hangup/>"))
    end = await world.call('<Dial action="/dialled">85510551006</Dial>')
    (await world.callee.next_call()).refuse("486 Busy Here")
    await asyncio.wait_for(end.ended.wait(), 5)
    (child,) = world.platform.outbound_calls
    assert world.form("/dialled")["DialCallStatus"] == "busy"
    assert (await world.record(child["sid"]))["sip_term_status"] == "486"


async def test_a_call_that_is_rejected(world: World) -> None:
    end = await world.call("<Reject/>")
    assert await asyncio.wait_for(end.final, 3) == 603
    (call,) = world.platform.calls.values()
    assert end.answers(603)[0].header("X-Somleng-CallSid") == call.sid
    assert (await world.record(call.sid))["sip_term_status"] == "603"


async def test_a_number_that_the_platform_does_not_know(world: World) -> None:
    world.platform.numbers["1"] = {}
    headers = {
        "X-Src-Ip": "192.0.2.10",
        "X-Somleng-Caller-Identity": "+85512234567",
        "X-Somleng-Callee-Identity": "4444",
    }
    end = await world.caller.call(world.switch, "4444", headers)
    assert await asyncio.wait_for(end.final, 3) == 403


VERBS = {
    "say": "<Say>A text that is quite long so that it is being spoken when the change comes to it</Say>",
    "pause": '<Pause length="60"/>',
    "gather": '<Gather timeout="60"/>',
    "record": '<Record timeout="60" playBeep="false"/>',
    "dial": "<Dial>85510551006</Dial>",
    "play": "<Play>{url}/music.wav</Play>",
}


@pytest.mark.parametrize("verb", list(VERBS))
async def test_a_change_takes_effect_in_the_middle_of_a_verb(world: World, verb: str) -> None:
    world.customer.reply("/music.wav", Reply(wav(tone(500, 20.0)), headers=[("Content-Type", "audio/wav")]))
    world.customer.reply("/tone.wav", Reply(wav(tone(1700, 5.0)), headers=[("Content-Type", "audio/wav")]))
    second = world.customer.reply("/second", twiml(f"<Play>{world.customer.url}/tone.wav</Play>"))
    world.platform.routing = {"host": world.callee.address}
    identifier, end = await world.make_call(VERBS[verb].format(url=world.customer.url))
    other = await world.callee.next_call() if verb == "dial" else None
    if other is not None:
        other.ring()
    await asyncio.sleep(0.4)
    await world.request("PATCH", f"/calls/{identifier}", {"voice_url": second, "voice_method": "POST"})
    await world.until(lambda: "/second" in world.customer.paths(), 1.5)
    await asyncio.sleep(0.4)
    assert share_of(1700, await end.until_heard(0.3)) > 0.8
    if other is not None:
        assert other.ended.is_set()
    await world.request("DELETE", f"/calls/{identifier}", {})
    await asyncio.wait_for(end.ended.wait(), 2)
    (call,) = (call for call in world.platform.calls.values() if call.external_id == identifier)
    assert (await world.record(call.sid))["sip_term_status"] == "200"
    await world.until(lambda: call.events == ["ringing", "answered", "completed"])


async def test_a_call_that_is_called_off_before_the_answer(world: World) -> None:
    sid = str(uuid.uuid4())
    routing = {**CALL["routing_parameters"], "host": world.callee.address}
    world.platform.add_call(sid)
    answer = await world.request("POST", "/calls", {**CALL, "sid": sid, "routing_parameters": routing})
    assert answer["host"] == ADDRESS
    again = await world.request("POST", "/calls", {**CALL, "sid": sid, "routing_parameters": routing})
    assert again == answer
    callee = await world.callee.next_call()
    callee.ring()
    await world.request("DELETE", f"/calls/{answer['id']}", {})
    await asyncio.wait_for(callee.ended.wait(), 2)
    record = await world.record(sid)
    assert ("sip_term_status" in record, record["sip_invite_failure_status"]) == (False, "487")
    assert world.callee.incoming.empty()


async def test_health_is_told(world: World) -> None:
    url = f"http://127.0.0.1:{world.application.port}/health_checks"
    async with aiohttp.ClientSession() as http, http.get(url) as response:
        assert (response.status, "freeswitch: ok" in await response.text()) == (200, True)
