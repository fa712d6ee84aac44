"""What the platform asks of calls, and what it is answered."""

import asyncio
import uuid
from typing import Any

import pytest

from switch_app.errors import PlatformUnavailable
from tests.containers.switch_app.switch import CALL, CALLEE, HOST, INBOUND, Switch, running_switch
from tests.fakes.call import Callee

NEW = {"voice_url": "https://demo.twilio.com/docs/voice.xml", "voice_method": "GET"}


async def originate(switch: Switch, **changes: Any) -> str:
    status, body = await switch.request("POST", "/calls", json={**CALL, **changes})
    assert status == 200, body
    assert set(body) == {"id", "host"}
    assert body["host"] == HOST
    return str(body["id"])


# --- POST


async def test_makes_a_call_and_does_not_wait_for_the_callee(switch: Switch) -> None:
    channel = await originate(switch)
    assert switch.register.kinds(channel) == ["ringing"]
    (leg,) = switch.telephony.legs
    assert (leg.uuid, leg.address, leg.caller_id, leg.call_sid) == (channel, CALLEE, "2442", CALL["sid"])


async def test_a_call_that_is_answered_runs_its_first_document(switch: Switch) -> None:
    switch.telephony.callees[CALLEE] = Callee(answers_after=1)
    channel = await originate(switch)
    await switch.until(lambda: switch.customer.asked)
    assert switch.customer.asked == [("GET", CALL["voice_url"])]
    assert switch.register.kinds(channel) == ["ringing", "answered"]


async def test_the_rating_engine_finds_what_a_call_is_charged_by(switch: Switch) -> None:
    await originate(switch)
    await originate(switch, sid="other", billing_parameters={"enabled": False})
    charged, free = switch.telephony.legs
    assert charged.variables == {
        "cgr_tenant": CALL["carrier_sid"],
        "cgr_account": CALL["account_sid"],
        "cgr_category": "outbound_calls",
        "cgr_destination": "85516701721",
        "cgr_reqtype": "*prepaid",
    }
    assert free.variables == {"cgr_reqtype": "*none"}


@pytest.mark.parametrize("body", [b"invalid-json", b"", b"[]", b'"call"', b"\xff", b"[" * 100_000])
async def test_a_body_that_is_no_json_object_is_a_bad_request(switch: Switch, body: bytes) -> None:
    status, answer = await switch.request("POST", "/calls", data=body)
    assert status == 400
    assert answer["message"].startswith("the body is no JSON")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"sid": None}, "sid"),
        ({"sid": 7}, "sid"),
        ({"sid": "a\r\nX-Evil: 1"}, "sid"),
        ({"sid": "x" * 65}, "sid"),
        ({"to": ""}, "to"),
        ({"to": "1\n2"}, "to"),
        ({"from": None}, "from"),
        ({"account_sid": None}, "account_sid"),
        ({"carrier_sid": None}, "carrier_sid"),
        ({"account_auth_token": None}, "account_auth_token"),
        ({"direction": None}, "direction"),
        ({"call_direction": None}, "call_direction"),
        ({"api_version": None}, "api_version"),
        ({"default_tts_voice": None}, "default_tts_voice"),
        ({"voice_url": None}, "voice_url and twiml"),
        ({"voice_method": "PUT"}, "voice_method"),
        ({"routing_parameters": None}, "routing_parameters"),
        ({"routing_parameters": "x"}, "routing_parameters"),
        ({"routing_parameters": {}}, "routing_parameters.destination"),
        ({"routing_parameters": {"destination": "1", "plus_prefix": "yes"}}, "routing_parameters.plus_prefix"),
        ({"routing_parameters": {"destination": "1", "host": "a\0b"}}, "routing_parameters.host"),
        ({"billing_parameters": {"enabled": 1}}, "billing_parameters.enabled"),
    ],
)
async def test_names_the_field_that_is_missing_or_wrong(switch: Switch, changes: dict[str, Any], field: str) -> None:
    status, answer = await switch.request("POST", "/calls", json={**CALL, **changes})
    assert status == 422
    assert answer["message"].startswith(field)
    assert switch.telephony.legs == []
    assert CALL["account_auth_token"] not in answer["message"]


async def test_a_body_may_lack_what_the_platform_may_leave_out(switch: Switch) -> None:
    body = {key: value for key, value in CALL.items() if not key.startswith(("billing", "status"))}
    status, _ = await switch.request("POST", "/calls", json=body | {"twiml": None})
    assert status == 200


async def test_a_body_that_is_too_large_is_refused(switch: Switch) -> None:
    status, _ = await switch.request("POST", "/calls", json={**CALL, "twiml": "x" * 600_000})
    assert status == 413


async def test_a_repeat_is_answered_alike_and_dials_nobody(switch: Switch) -> None:
    first = await originate(switch)
    assert await originate(switch) == first
    assert await switch.request("DELETE", f"/calls/{first}") == (204, "")
    await switch.until(lambda: len(switch.live_calls) == 0)
    assert await originate(switch) == first
    assert len(switch.telephony.legs) == 1


async def test_repeats_at_the_same_time_dial_once(switch: Switch) -> None:
    switch.routes.released.clear()
    asking = [asyncio.create_task(originate(switch)) for _ in range(5)]
    await switch.until(lambda: switch.routes.asked)
    await asyncio.sleep(0.05)
    switch.routes.released.set()
    assert len(set(await asyncio.gather(*asking))) == 1
    assert len(switch.telephony.legs) == 1


async def test_who_asks_may_go_away_and_ask_again(switch: Switch) -> None:
    switch.routes.released.clear()
    asking = asyncio.create_task(originate(switch))
    await switch.until(lambda: switch.routes.asked)
    asking.cancel()
    await asyncio.sleep(0.05)
    switch.routes.released.set()
    channel = await originate(switch)
    assert [leg.uuid for leg in switch.telephony.legs] == [channel]


async def test_a_call_that_failed_is_made_anew(switch: Switch) -> None:
    switch.telephony.down = "not connected"
    status, answer = await switch.request("POST", "/calls", json=dict(CALL))
    assert (status, answer) == (503, {"message": "not connected"})
    assert len(switch.live_calls) == 0
    switch.telephony.down = None
    switch.routes.problem = PlatformUnavailable("nobody knows where the client is")
    status, _ = await switch.request("POST", "/calls", json=dict(CALL))
    assert status == 503
    switch.routes.problem = None
    channel = await originate(switch)
    assert [leg.uuid for leg in switch.telephony.legs] == [channel]


async def test_a_mistake_is_told_to_nobody(switch: Switch, caplog: pytest.LogCaptureFixture) -> None:
    switch.routes.problem = RuntimeError("secret")
    status, answer = await switch.request("POST", "/calls", json=dict(CALL))
    assert (status, answer) == (500, {"message": "Internal Server Error"})
    assert "request failed" in caplog.messages


async def test_a_switch_that_is_about_to_end_makes_no_call(switch: Switch) -> None:
    await originate(switch)
    draining = asyncio.create_task(switch.life_cycle.drain(asyncio.Event()))
    await switch.until(lambda: switch.life_cycle.is_draining)
    status, _ = await switch.request("POST", "/calls", json={**CALL, "sid": "other"})
    assert status == 503
    assert len(switch.telephony.legs) == 1
    assert await draining


# --- PATCH


async def test_an_update_cuts_in_while_the_customer_is_asked(switch: Switch) -> None:
    switch.telephony.callees[CALLEE] = Callee(answers_after=1)
    channel = await originate(switch)
    await switch.until(lambda: switch.customer.asked)
    assert await switch.request("PATCH", f"/calls/{channel}", json=NEW) == (204, "")
    await switch.until(lambda: len(switch.customer.asked) == 2)
    assert switch.customer.asked[1] == ("GET", NEW["voice_url"])
    twiml = "<Response><Redirect>https://example.com/third</Redirect></Response>"
    assert await switch.request("PATCH", f"/calls/{channel}", json={"twiml": twiml}) == (204, "")
    await switch.until(lambda: len(switch.customer.asked) == 3)
    assert switch.customer.asked[2] == ("POST", "https://example.com/third")


async def test_an_update_of_a_call_that_rings_is_what_it_begins_with(switch: Switch) -> None:
    switch.telephony.callees[CALLEE] = Callee(answers_after=20)
    channel = await originate(switch)
    assert await switch.request("PATCH", f"/calls/{channel.upper()}", json=NEW) == (204, "")
    await switch.until(lambda: switch.customer.asked)
    assert switch.customer.asked == [("GET", NEW["voice_url"])]


async def test_an_update_of_a_call_that_has_just_come_is_what_it_begins_with(switch: Switch) -> None:
    switch.register.released.clear()
    call = switch.telephony.come(INBOUND)
    await switch.until(lambda: switch.register.inbound)
    assert await switch.request("PATCH", f"/calls/{call.uuid}", json=NEW) == (204, "")
    switch.register.released.set()
    await switch.until(lambda: switch.customer.asked)
    assert switch.customer.asked == [("GET", NEW["voice_url"])]


@pytest.mark.parametrize("body", [NEW, {"twiml": "<Response><Say>Hello World.</Say></Response>"}])
async def test_an_update_of_a_call_that_is_not_known_is_no_mistake(switch: Switch, body: dict[str, str]) -> None:
    assert await switch.request("PATCH", f"/calls/{uuid.uuid4()}", json=body) == (204, "")
    assert await switch.request("PATCH", "/calls/whatever", json=body) == (204, "")


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"invalid-json", 400, "the body"),
        (b"{}", 422, "voice_url and twiml"),
        (b'{"voice_url": 1}', 422, "voice_url"),
        (b'{"twiml": []}', 422, "twiml"),
        (b'{"voice_url": "https://a", "voice_method": "PATCH"}', 422, "voice_method"),
    ],
)
async def test_an_update_that_says_nothing_is_refused(switch: Switch, body: bytes, status: int, field: str) -> None:
    got, answer = await switch.request("PATCH", f"/calls/{uuid.uuid4()}", data=body)
    assert got == status
    assert answer["message"].startswith(field)


# --- DELETE


async def test_hangs_up_an_answered_call(switch: Switch) -> None:
    switch.telephony.callees[CALLEE] = Callee(answers_after=1)
    channel = await originate(switch)
    await switch.until(lambda: switch.customer.asked)
    assert await switch.request("DELETE", f"/calls/{channel}", json={}) == (204, "")
    await switch.until(lambda: len(switch.live_calls) == 0)
    assert switch.telephony.calls[channel].cause == "NORMAL_CLEARING"
    assert switch.register.kinds(channel) == ["ringing", "answered", "completed"]


async def test_hangs_up_a_call_that_rings_with_the_cause_that_makes_it_canceled(switch: Switch) -> None:
    channel = await originate(switch)
    causes: list[str] = []
    hangup = switch.telephony.hangup

    async def noted(uuid: str, cause: str = "NORMAL_CLEARING") -> bool:
        causes.append(cause)
        return await hangup(uuid, cause)

    switch.telephony.hangup = noted  # type: ignore[method-assign]
    assert await switch.request("DELETE", f"/calls/{channel}", json={}) == (204, "")
    await switch.until(lambda: len(switch.live_calls) == 0)
    assert causes == ["MANAGER_REQUEST"]
    assert switch.register.kinds(channel) == ["ringing", "completed"]


@pytest.mark.parametrize("path", ["whatever", "a%20b", "all%0Ahupall", "..%2f", "%00"])
async def test_a_call_that_is_not_known_has_ended_already(switch: Switch, path: str) -> None:
    assert await switch.request("DELETE", f"/calls/{uuid.uuid4()}", json={}) == (204, "")
    status, _ = await switch.request("DELETE", f"/calls/{path}", json={})
    assert status == 204


# --- the rest


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/calls", 405), ("PUT", "/calls/a", 405), ("GET", "/", 404)]
)
async def test_there_is_nothing_else(switch: Switch, method: str, path: str, status: int) -> None:
    got, _ = await switch.request(method, path)
    assert got == status


async def test_remembers_the_last_calls_and_all_that_live() -> None:
    async with running_switch(remembered=3) as switch:
        switch.telephony.callees[CALLEE] = Callee(answers_after=0.1)
        lives = await originate(switch, sid="lives")
        await switch.until(lambda: switch.customer.asked)
        for number in range(6):
            channel = await originate(switch, sid=f"ended-{number}")
            await switch.request("DELETE", f"/calls/{channel}", json={})
            await switch.until(lambda: len(switch.live_calls) == 1)
        dialled = len(switch.telephony.legs)
        assert await originate(switch, sid="lives") == lives
        assert await originate(switch, sid="ended-5") == channel
        assert len(switch.telephony.legs) == dialled
        await originate(switch, sid="ended-0")
        assert len(switch.telephony.legs) == dialled + 1
