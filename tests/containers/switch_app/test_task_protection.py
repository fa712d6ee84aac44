import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator

import aiohttp
import pytest

from switch_app.calls.live_calls import LiveCall, LiveCalls
from switch_app.errors import TaskProtectionFailed
from switch_app.task_protection import EcsAgent, TaskProtection
from tests.fakes import ecs_agent

PROTECT = {"ProtectionEnabled": True, "ExpiresInMinutes": 60}
RELEASE = {"ProtectionEnabled": False}
FAILURE = {
    "failure": {
        "Arn": ecs_agent.TASK_ARN,
        "Detail": "The task protection can't be updated while a deployment is blocked.",
        "Reason": "DEPLOYMENT_BLOCKED",
    }
}
ERROR = {
    "requestID": "12345-abc-6789-0123-abc",
    "error": {"Arn": ecs_agent.TASK_ARN, "Code": "AccessDeniedException", "Message": "User is not authorized"},
}


@pytest.fixture
async def agent() -> AsyncIterator[ecs_agent.EcsAgent]:
    async with ecs_agent.EcsAgent() as agent:
        yield agent


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as http:
        yield http


@contextlib.asynccontextmanager
async def protecting(
    agent: ecs_agent.EcsAgent, http: aiohttp.ClientSession, live_calls: LiveCalls, renewal_seconds: float = 60
) -> AsyncIterator[None]:
    protection = TaskProtection(
        EcsAgent(agent.uri, http), live_calls, renewal_seconds=renewal_seconds, idle_seconds=0.1, retry_seconds=(0.02,)
    )
    task = asyncio.create_task(protection.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(condition: object, seconds: float = 3.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.005)


async def test_protects_while_there_is_a_call(agent: ecs_agent.EcsAgent, http: aiohttp.ClientSession) -> None:
    live_calls = LiveCalls()
    async with protecting(agent, http, live_calls):
        await asyncio.sleep(0.1)
        assert agent.requests == []
        call = LiveCall("a")
        live_calls.add(call)
        await until(lambda: agent.is_protected)
        live_calls.remove(call)
        await until(lambda: not agent.is_protected)
    assert agent.requests == [PROTECT, RELEASE]


async def test_a_pause_between_two_calls_changes_nothing(
    agent: ecs_agent.EcsAgent, http: aiohttp.ClientSession
) -> None:
    live_calls = LiveCalls()
    async with protecting(agent, http, live_calls):
        for uuid in ("a", "b", "c"):
            call = LiveCall(uuid)
            live_calls.add(call)
            await until(lambda: agent.is_protected)
            live_calls.remove(call)
            await asyncio.sleep(0.03)
        await until(lambda: not agent.is_protected)
    assert agent.requests == [PROTECT, RELEASE]


async def test_renews_while_a_call_lasts(agent: ecs_agent.EcsAgent, http: aiohttp.ClientSession) -> None:
    live_calls = LiveCalls()
    async with protecting(agent, http, live_calls, renewal_seconds=0.05):
        live_calls.add(LiveCall("a"))
        await until(lambda: len(agent.requests) >= 3)
        assert all(request == PROTECT for request in agent.requests)


async def test_an_app_that_ends_does_not_leave_its_task_protected(
    agent: ecs_agent.EcsAgent, http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    live_calls = LiveCalls()
    live_calls.add(LiveCall("a"))
    async with protecting(agent, http, live_calls):
        await until(lambda: agent.is_protected)
    assert agent.requests == [PROTECT, RELEASE]
    async with protecting(agent, http, live_calls):
        await until(lambda: agent.is_protected)
        agent.refusals = [(500, ERROR)]
    assert caplog.records[-1].message == "task is still protected"
    async with protecting(agent, http, LiveCalls()):
        requests = len(agent.requests)
    assert len(agent.requests) == requests


@pytest.mark.parametrize("refusal", [(200, FAILURE), (400, ERROR), (500, ERROR), (200, {}), (200, [])])
async def test_tries_again_when_it_is_refused(
    agent: ecs_agent.EcsAgent,
    http: aiohttp.ClientSession,
    refusal: tuple[int, object],
    caplog: pytest.LogCaptureFixture,
) -> None:
    live_calls = LiveCalls()
    agent.refusals = [refusal, refusal]
    async with protecting(agent, http, live_calls):
        call = LiveCall("a")
        with caplog.at_level(logging.WARNING):
            live_calls.add(call)
            await until(lambda: agent.is_protected)
        assert [record.message for record in caplog.records] == ["task is not protected"] * 2
        agent.refusals = [refusal]
        live_calls.remove(call)
        await until(lambda: not agent.is_protected)
    assert agent.requests == [PROTECT, PROTECT, PROTECT, RELEASE, RELEASE]


async def test_names_the_reason_of_a_refusal(agent: ecs_agent.EcsAgent, http: aiohttp.ClientSession) -> None:
    agent.refusals = [(200, FAILURE)]
    with pytest.raises(TaskProtectionFailed, match="DEPLOYMENT_BLOCKED"):
        await EcsAgent(agent.uri, http).protect(60)


async def test_says_that_no_agent_answers(http: aiohttp.ClientSession) -> None:
    with pytest.raises(TaskProtectionFailed, match="cannot be asked"):
        await EcsAgent("http://127.0.0.1:9", http).protect(60)


async def test_the_fake_is_as_strict_as_the_agent(agent: ecs_agent.EcsAgent, http: aiohttp.ClientSession) -> None:
    url = f"{agent.uri}/task-protection/v1/state"
    for body in ({}, {"ProtectionEnabled": "true"}, {"ProtectionEnabled": True, "ExpiresInMinutes": 2881}, []):
        async with http.put(url, data=json.dumps(body)) as response:
            assert response.status == 400, body
    async with http.put(url, json={"ProtectionEnabled": True}) as response:
        assert response.status == 200
    assert agent.expires_in == 120
    async with http.get(url) as response:
        assert (await response.json())["protection"]["TaskArn"] == ecs_agent.TASK_ARN
