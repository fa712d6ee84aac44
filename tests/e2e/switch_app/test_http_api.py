"""The HTTP API, the registration of calls and the end of the app, with real FreeSWITCH and phones."""

import asyncio
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from switch_app.freeswitch.telephony import FreeSwitch
from switch_app.telephony import CallHandler
from tests.containers.switch_app.switch import CALL
from tests.containers.switch_app.whole_app import WholeApp, running_app
from tests.e2e.switch_app.conftest import settings_of
from tests.fakes.customer_server import twiml
from tests.support.freeswitch import FreeSwitchProcess
from tests.support.phone import Phone, PhoneCall

SID = str(CALL["sid"])


@dataclass
class App(WholeApp):
    """An app, and the address of the FreeSWITCH beside it."""

    address: str


@pytest.fixture
async def app(aws: None, freeswitch_process: FreeSwitchProcess, tmp_path: Path) -> AsyncIterator[App]:
    """An app beside FreeSWITCH, ready for calls."""
    address, made = freeswitch_process.address, list[FreeSwitch]()
    for left in freeswitch_process.records.glob("*.json"):
        left.unlink()

    def free_switch(handler: CallHandler) -> FreeSwitch:
        made.append(FreeSwitch(settings_of(freeswitch_process), handler))
        return made[0]

    directory = Path(tempfile.mkdtemp(prefix="app-"))  # short: a recording's path may not be long
    changes = {"CALL_DATA_RECORDS_DIRECTORY": str(freeswitch_process.records), "FS_STORAGE_DIRECTORY": str(directory)}
    async with running_app(tmp_path, free_switch, **changes) as app:
        async with asyncio.timeout(10):
            await made[0].wait_until_ready()
        yield App(**vars(app), address=address)
    shutil.rmtree(directory)


async def come(app: App, phone: Phone, user: str = "1294") -> PhoneCall:
    """Have a phone call in, as a gateway passes it on."""
    headers = {
        "X-Somleng-Callee-Identity": user,
        "X-Somleng-Caller-Identity": "+85512234567",
        "X-Src-Ip": "27.109.112.140",
    }
    return await phone.call(app.address, user, headers)


async def originate(app: App, phone: Phone, **changes: Any) -> tuple[str, PhoneCall]:
    """Have a phone be called, and return the channel and the phone's end."""
    app.platform.add_call(SID)
    routing = {**CALL["routing_parameters"], "host": phone.address}
    status, answer = await app.request("POST", "/calls", {**CALL, "routing_parameters": routing, **changes})
    assert status == 200, answer
    app.platform.calls[SID].external_id = answer["id"]
    return answer["id"], await phone.next_call()


async def record_of(app: App) -> dict[str, str]:
    """Return the variables of the only record that the platform got of a call that it knows. A call that another test
    left ends when this app begins, and its record comes, too."""

    def records() -> list[dict[str, str]]:
        found = [dict(record["variables"]) for record in app.platform.call_data_records]
        names = ("sip_h_X-Somleng-CallSid", "sip_rh_X-Somleng-CallSid")
        return [each for each in found if any(each.get(name) in app.platform.calls for name in names)]

    await app.until(records)
    await asyncio.sleep(1.5)  # for another one, which there must not be
    (record,) = records()
    return record


async def test_a_caller_is_asked_presses_a_key_and_hears_the_answer(app: App, phone: Phone) -> None:
    menu = twiml('<Gather numDigits="1" action="/keys"><Say>Press a key</Say></Gather>')
    app.platform.numbers["1294"] = {"voice_url": app.customer.reply("/menu", menu)}
    app.customer.reply("/keys", twiml("<Say>Thank you</Say>"))
    call = await come(app, phone)
    assert await asyncio.wait_for(call.final, 10) == 200
    (sid,) = app.platform.calls
    assert call.answers(183)[0].header("X-Somleng-CallSid") == sid
    assert call.answers(200)[0].header("X-Somleng-CallSid") == sid
    assert max(await call.until_heard(1.0)) > 500
    call.press("5")
    await asyncio.wait_for(call.ended.wait(), 15)
    assert app.customer.paths() == ["/menu", "/keys"]
    assert dict(app.customer.requests[1].form)["Digits"] == "5"
    (channel,) = [told["external_id"] for told in app.platform.inbound_calls]
    await app.until(lambda: app.kinds(channel) == ["answered", "completed"])
    record = await record_of(app)
    assert (record["uuid"], record["sip_rh_X-Somleng-CallSid"], record["somleng_call_sid"]) == (channel, sid, sid)
    assert (record["sip_term_status"], record["direction"]) == ("200", "inbound")
    assert int(record["answer_epoch"]) > 0
    assert app.agent.is_protected


async def test_a_call_while_the_platform_fails_goes_to_another_switch(app: App, phone: Phone) -> None:
    app.platform.answers = [500] * 5
    call = await come(app, phone)
    assert await asyncio.wait_for(call.final, 15) == 503


async def test_a_call_past_the_gateways(app: App, phone: Phone) -> None:
    call = await phone.call(app.address, "1294")
    assert await asyncio.wait_for(call.final, 10) == 403
    assert app.platform.inbound_calls == []


async def test_a_caller_who_leaves_while_the_platform_is_asked(app: App, phone: Phone) -> None:
    app.platform.numbers["1294"] = {"voice_url": app.customer.reply("/v", twiml("<Say>Hello</Say>"))}
    app.platform.delay = 1.0
    call = await come(app, phone)
    await app.until(lambda: app.platform.requests)
    call.cancel()
    assert await asyncio.wait_for(call.final, 10) == 487
    app.platform.delay = 0.0
    record = await record_of(app)
    assert (record["sip_term_status"], record["answer_epoch"]) == ("487", "0")
    (platform_call,) = app.platform.calls.values()
    await app.until(lambda: platform_call.events == ["completed"])
    assert app.customer.requests == []


async def test_a_callee_answers_and_the_call_is_changed_and_ended(app: App, phone: Phone) -> None:
    pause = twiml('<Pause length="600"/>')
    channel, call = await originate(app, phone, voice_url=app.customer.reply("/first", pause))
    invite = call.messages[0]
    assert invite.header("X-Somleng-CallSid") == SID
    assert re.findall(r"(?im)^X-Somleng-\S+:", invite.text) == ["X-Somleng-CallSid:"]
    call.ring()
    await app.until(lambda: app.kinds(channel) == ["ringing"])
    await call.answer()
    await app.until(lambda: app.customer.paths() == ["/first"])
    new = {"voice_url": app.customer.reply("/second", pause), "voice_method": "GET"}
    assert await app.request("PATCH", f"/calls/{channel}", new) == (204, None)
    await app.until(lambda: app.customer.paths() == ["/first", "/second"])
    assert app.customer.requests[1].method == "GET"
    assert await app.request("DELETE", f"/calls/{channel}", {}) == (204, None)
    await asyncio.wait_for(call.ended.wait(), 5)
    await app.until(lambda: app.kinds(channel) == ["ringing", "answered", "completed"])
    record = await record_of(app)
    assert (record["uuid"], record["sip_h_X-Somleng-CallSid"]) == (channel, SID)
    assert (record["sip_term_status"], record["cgr_reqtype"]) == ("200", "*prepaid")


async def test_a_callee_is_busy(app: App, phone: Phone) -> None:
    channel, call = await originate(app, phone)
    call.refuse("486 Busy Here")
    await app.until(lambda: app.kinds(channel) == ["completed"])
    assert (await record_of(app))["sip_term_status"] == "486"


async def test_a_repeat_rings_once(app: App, phone: Phone) -> None:
    channel, _ = await originate(app, phone)
    routing = {**CALL["routing_parameters"], "host": phone.address}
    for _ in range(3):
        assert (await app.request("POST", "/calls", {**CALL, "routing_parameters": routing}))[1]["id"] == channel
    await asyncio.sleep(0.5)
    assert phone.incoming.empty()
    await app.request("DELETE", f"/calls/{channel}", {})


async def test_a_switch_that_drains_refuses_new_calls_and_keeps_the_live_one(app: App, phone: Phone) -> None:
    app.platform.numbers["1294"] = {"voice_url": app.customer.reply("/v", twiml('<Gather timeout="600"/>'))}
    call = await come(app, phone)
    assert await asyncio.wait_for(call.final, 10) == 200
    draining = asyncio.create_task(app.application.life_cycle.drain(asyncio.Event()))
    await asyncio.sleep(0.5)
    other = await come(app, phone)
    assert await asyncio.wait_for(other.final, 10) == 503
    assert not draining.done()
    assert not call.ended.is_set()
    call.hang_up()
    assert await asyncio.wait_for(draining, 10)
