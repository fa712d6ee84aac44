"""The whole app over HTTP: the platform, the customer's server and AWS are stand-ins, and so is the media server."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from switch_app.telephony import CallHandler
from tests.containers.switch_app.switch import CALL, CALLEE, INBOUND
from tests.containers.switch_app.whole_app import HOST, WholeApp, running_app
from tests.fakes.call import Callee
from tests.fakes.customer_server import twiml
from tests.fakes.telephony import FakeTelephony

FOLDER = Path(__file__).resolve().parents[3] / "containers" / "switch_app"


@dataclass
class MediaServer(FakeTelephony):
    """One that is begun and let go of."""

    is_begun: bool = False

    async def start(self) -> None:
        self.is_begun = True

    async def close(self) -> None:
        self.is_begun = False


@dataclass
class World(WholeApp):
    """The app with the media server."""

    media_server: MediaServer


@pytest.fixture
async def world(aws: None, tmp_path: Path) -> AsyncIterator[World]:
    made: list[MediaServer] = []

    def media_server_for(handler: CallHandler) -> MediaServer:
        made.append(MediaServer(handler))
        return made[0]

    async with running_app(tmp_path, media_server_for) as app:
        yield World(**vars(app), media_server=made[0])
        for call in made[0].calls.values():
            call.end()
        async with asyncio.timeout(10):
            await made[0].settle()
    assert made[0].failures == []
    assert not made[0].is_begun


async def test_a_call_comes_in_and_hears_something(world: World) -> None:
    world.platform.numbers["1294"] = {"voice_url": world.customer.reply("/voice", twiml("<Say>Hello</Say>"))}
    call = world.media_server.come(INBOUND)
    await world.until(lambda: call.cause)
    (told,) = world.platform.inbound_calls
    assert (told["to"], told["from"], told["source_ip"]) == ("1294", "+85512234567", "27.109.112.140")
    assert (told["external_id"], told["host"], told["region"]) == (call.uuid, "10.10.1.13", "hydrogen")
    assert set(told["variables"]) == {"sip_from_host", "sip_to_host", "sip_network_ip", "sip_via_host"}
    (platform_call,) = world.platform.calls.values()
    assert call.progress_headers == call.answer_headers == {"X-Somleng-CallSid": platform_call.sid}
    (request,) = world.customer.requests
    assert dict(request.form)["CallStatus"] == "ringing"
    assert "x-twilio-signature" in request.headers
    await world.until(lambda: platform_call.events == ["answered", "completed"])
    await world.until(lambda: world.platform.tts_events)
    assert [event["phone_call"] for event in world.platform.call_events] == [call.uuid] * 2


async def test_a_number_that_does_not_exist_is_refused(world: World) -> None:
    world.platform.numbers["1"] = {}
    call = world.media_server.come(INBOUND)
    await world.until(lambda: call.cause)
    assert call.rejection == "forbidden"
    assert world.platform.call_events == []


async def test_a_platform_that_fails_has_the_call_go_elsewhere(world: World) -> None:
    world.platform.answers = [500] * 5
    call = world.media_server.come(INBOUND)
    await world.until(lambda: call.cause)
    assert call.rejection == "unavailable"


async def test_a_call_is_made_and_changed_and_ended(world: World) -> None:
    world.media_server.callees[CALLEE] = Callee(answers_after=1)
    first = world.customer.reply("/first", twiml('<Pause length="600"/>'))
    second = world.customer.reply("/second", twiml('<Pause length="600"/>'))
    world.platform.add_call(str(CALL["sid"]))
    status, answer = await world.request("POST", "/calls", {**CALL, "voice_url": first})
    assert (status, answer["host"]) == (200, HOST)
    channel = answer["id"]
    world.platform.calls[str(CALL["sid"])].external_id = channel
    await world.until(lambda: world.customer.paths() == ["/first"])
    await world.until(lambda: world.agent.is_protected)
    assert await world.request("PATCH", f"/calls/{channel}", {"voice_url": second}) == (204, None)
    await world.until(lambda: world.customer.paths() == ["/first", "/second"])
    assert await world.request("DELETE", f"/calls/{channel}", {}) == (204, None)
    await world.until(lambda: len(world.application.live_calls) == 0)
    await world.until(lambda: world.kinds(channel) == ["ringing", "answered", "completed"])
    (leg,) = world.media_server.legs
    assert (leg.caller_id, leg.headers) == ("2442", {"X-Somleng-CallSid": CALL["sid"]})


async def test_a_trunk_that_leads_nowhere_is_completed_by_a_record(world: World) -> None:
    routing = {**CALL["routing_parameters"], "sip_profile": "nowhere"}
    status, _ = await world.request("POST", "/calls", {**CALL, "routing_parameters": routing})
    assert status == 200
    await world.until(lambda: world.platform.call_data_records)
    (record,) = world.platform.call_data_records
    assert record["variables"]["sip_h_X-Somleng-CallSid"] == CALL["sid"]
    assert record["variables"]["sip_term_status"] == "480"


async def test_waits_for_the_last_call(world: World) -> None:
    world.platform.numbers["1294"] = {"voice_url": world.customer.reply("/v", twiml('<Pause length="600"/>'))}
    call = world.media_server.come(INBOUND)
    await world.until(lambda: world.customer.requests)
    draining = asyncio.create_task(world.application.life_cycle.drain(asyncio.Event()))
    await asyncio.sleep(0.1)
    assert not draining.done()
    status, _ = await world.request("GET", "/health_checks/life_cycle", {})
    assert status == 500
    call.end()
    assert await draining
    await world.until(lambda: world.kinds(call.uuid)[-1:] == ["completed"])


async def test_the_containers_health_check_asks_for_freeswitch_only(world: World) -> None:
    async def check() -> int | None:
        environment = {**os.environ, "PYTHONPATH": str(FOLDER), "AHN_CORE_HTTP_PORT": str(world.application.port)}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "switch_app.healthcheck", env=environment, stderr=asyncio.subprocess.DEVNULL
        )
        return await asyncio.wait_for(process.wait(), 20)

    assert await world.application.life_cycle.drain(asyncio.Event())
    assert await check() == 0
    world.media_server.down = "not connected"
    assert await check() == 1
