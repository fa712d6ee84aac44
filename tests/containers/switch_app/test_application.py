"""The whole app over HTTP: the platform, the customer's server and AWS are stand-ins, and so is the media server."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import boto3
import pytest

from switch_app.application import Application
from switch_app.aws_clients import AwsClients
from switch_app.settings import Settings
from switch_app.telephony import CallHandler
from tests.containers.switch_app.switch import CALL, CALLEE, INBOUND
from tests.fakes.call import Callee
from tests.fakes.call_platform import CallPlatform
from tests.fakes.customer_server import CustomerServer, twiml
from tests.fakes.ecs_agent import EcsAgent
from tests.fakes.telephony import FakeTelephony

PARAMETER = "somleng.test.services_password"
BUCKET = "raw-recordings.example"


@dataclass
class MediaServer(FakeTelephony):
    """One that is begun and let go of."""

    is_begun: bool = False

    async def start(self) -> None:
        self.is_begun = True

    async def close(self) -> None:
        self.is_begun = False


@dataclass
class World:
    application: Application
    media_server: MediaServer
    platform: CallPlatform
    customer: CustomerServer
    agent: EcsAgent
    storage: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.application.port}"

    async def until(self, condition: Any, seconds: float = 10.0) -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.01)


@pytest.fixture
async def world(aws: None, tmp_path: Path) -> AsyncIterator[World]:
    boto3.client("ssm").put_parameter(Name=PARAMETER, Value="services-password", Type="SecureString")
    region = {"LocationConstraint": "ap-southeast-1"}
    boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=region)  # type: ignore[arg-type]
    with CallPlatform("services", "services-password") as platform, CustomerServer() as customer:
        async with EcsAgent() as agent:
            settings = Settings.from_environment(
                {
                    "AHN_HTTP_PASSWORD": "password",
                    "AWS_DEFAULT_REGION": "ap-southeast-1",
                    "CALL_PLATFORM_HOST": platform.url,
                    "CALL_PLATFORM_PASSWORD_PARAMETER": PARAMETER,
                    "FS_CACHE_DIRECTORY": str(tmp_path / "cache"),
                    "FS_EVENT_SOCKET_PASSWORD": "event-socket-password",
                    "FS_RECORDINGS_BUCKET_NAME": BUCKET,
                    "FS_STORAGE_DIRECTORY": str(tmp_path / "storage"),
                    "HOST_ADDRESS": "10.10.1.13",
                    "PRIVATE_NETWORKS_ALLOWED": "127.0.0.0/8",
                    "REGION": "hydrogen",
                    "SERVICES_FUNCTION_ARN": "arn:aws:lambda:ap-southeast-1:123456789012:function:services",
                    "ECS_AGENT_URI": agent.uri,
                    "AHN_CORE_HTTP_PORT": str(free_port()),
                }
            )
            made: list[MediaServer] = []

            def media_server_for(handler: CallHandler) -> MediaServer:
                made.append(MediaServer(handler))
                return made[0]

            application = Application(settings, AwsClients.of(settings), media_server_for)
            await application.start()
            try:
                yield World(application, made[0], platform, customer, agent, tmp_path / "storage")
                for call in made[0].calls.values():
                    call.end()
                async with asyncio.timeout(10):
                    await made[0].settle()
            finally:
                await application.close()
            assert made[0].failures == []
            assert not made[0].is_begun


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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
    auth = {"Authorization": aiohttp.encode_basic_auth("adhearsion", "password")}
    async with aiohttp.ClientSession(headers=auth) as http:
        body = {**CALL, "voice_url": first}
        world.platform.add_call(str(CALL["sid"]))
        async with http.post(f"{world.url}/calls", json=body) as response:
            assert response.status == 200
            answer = await response.json()
        assert answer["host"] == "10.10.1.13"
        world.platform.calls[str(CALL["sid"])].external_id = answer["id"]
        await world.until(lambda: world.customer.paths() == ["/first"])
        await world.until(lambda: world.agent.is_protected)
        async with http.patch(f"{world.url}/calls/{answer['id']}", json={"voice_url": second}) as response:
            assert response.status == 204
        await world.until(lambda: world.customer.paths() == ["/first", "/second"])
        async with http.delete(f"{world.url}/calls/{answer['id']}", json={}) as response:
            assert response.status == 204
    await world.until(lambda: len(world.application.live_calls) == 0)
    kinds = [event["type"] for event in world.platform.call_events if event["phone_call"] == answer["id"]]
    await world.until(lambda: world.platform.calls[str(CALL["sid"])].events[-1:] == ["completed"])
    assert kinds[:2] == ["ringing", "answered"]
    (leg,) = world.media_server.legs
    assert (leg.caller_id, leg.headers) == ("2442", {"X-Somleng-CallSid": CALL["sid"]})


async def test_a_trunk_that_leads_nowhere_is_completed_by_a_record(world: World) -> None:
    auth = {"Authorization": aiohttp.encode_basic_auth("adhearsion", "password")}
    routing = {**CALL["routing_parameters"], "sip_profile": "nowhere"}
    body = {**CALL, "routing_parameters": routing}
    async with aiohttp.ClientSession(headers=auth) as http, http.post(f"{world.url}/calls", json=body) as response:
        assert response.status == 200
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
    async with aiohttp.ClientSession() as http, http.get(f"{world.url}/health_checks") as response:
        assert response.status == 500
    call.end()
    assert await draining
    with contextlib.suppress(TimeoutError):
        await world.until(lambda: world.platform.call_events, 2)
    assert [event["type"] for event in world.platform.call_events][-1] == "completed"
