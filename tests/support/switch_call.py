"""A call that uses all that the containers of a switch share."""

import asyncio
import uuid
from collections.abc import Callable

import aiohttp

from tests.containers.switch_app.switch import CALL
from tests.fakes.call_platform import CallPlatform
from tests.fakes.customer_server import CustomerServer, Reply, twiml
from tests.support.phone import Phone
from tests.support.speech_codec import share_of, tone
from tests.support.switch_containers import API_PASSWORD
from tests.support.wav_bytes import wav

_FREQUENCY = 1300


async def a_call_through(api: str, platform: CallPlatform, phone_address: str) -> None:
    """Have a switch call a phone, play it a file, record it, and tell the platform of all that.

    The file goes through the cache from the app to FreeSWITCH, the recording through the storage from FreeSWITCH to the
    app, the call data record from FreeSWITCH to the event logger, which removes it.

    Args:
        api: URL of the switch app's HTTP API, or of the proxy in front of it.
        platform: what the switch tells things to.
        phone_address: an address of this machine, for the phone.

    """
    sid = str(uuid.uuid4())
    with CustomerServer() as customer:
        async with Phone(phone_address) as phone:
            file = customer.reply(
                "/tone.wav", Reply(wav(tone(_FREQUENCY, 1.0)), headers=[("Content-Type", "audio/wav")])
            )
            document = twiml(f'<Play>{file}</Play><Record action="/recorded" maxLength="2" playBeep="false"/>')
            url = customer.reply("/first", document)
            customer.reply("/recorded", twiml("<Hangup/>"))
            call = platform.add_call(sid)
            routing = {**CALL["routing_parameters"], "host": phone_address}
            body = {**CALL, "sid": sid, "voice_url": url, "routing_parameters": routing}
            headers = {"Authorization": aiohttp.encode_basic_auth("adhearsion", API_PASSWORD)}
            async with (
                aiohttp.ClientSession(headers=headers) as http,
                http.post(f"{api}/calls", json=body) as answer,
            ):
                assert answer.status == 200, await answer.text()
                call.external_id = (await answer.json())["id"]
            callee = await phone.next_call()
            callee.ring()
            await callee.answer()
            assert share_of(_FREQUENCY, (await callee.until_heard(0.8))[1600:]) > 0.8
            callee.say(tone(600, 3.0))
            await asyncio.wait_for(callee.ended.wait(), 10)
        await _until(lambda: call.events == ["ringing", "answered", "completed"])
        await _until(lambda: [each for each in platform.recordings.values() if "raw_recording_url" in each])
        await _until(lambda: platform.call_data_records)
        (record,) = platform.call_data_records
        assert record["variables"]["uuid"] == call.external_id
        assert record["variables"]["sip_term_status"] == "200"


async def _until(condition: Callable[[], object], seconds: float = 15.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.05)
