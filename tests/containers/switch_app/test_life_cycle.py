"""How a switch ends."""

import asyncio

from tests.containers.switch_app.switch import CALL, CALLEE, INBOUND, running_switch
from tests.fakes.call import Callee


async def test_an_idle_switch_ends_at_once() -> None:
    async with running_switch() as switch:
        async with asyncio.timeout(0.5):
            assert await switch.life_cycle.drain(asyncio.Event())
        assert switch.telephony.refuses_new_calls


async def test_waits_for_the_last_call() -> None:
    async with running_switch() as switch:
        call = switch.telephony.come(INBOUND)
        await switch.until(lambda: switch.customer.asked)
        draining = asyncio.create_task(switch.life_cycle.drain(asyncio.Event()))
        await asyncio.sleep(0.1)
        assert not draining.done()
        assert switch.telephony.refuses_new_calls
        status, _ = await switch.request("PATCH", f"/calls/{call.uuid}", json={"twiml": "<Response/>"})
        assert status == 204
        assert await draining
        assert call.cause == "NORMAL_CLEARING"
        assert switch.register.kinds(call.uuid)[-1] == "completed"


async def test_cuts_off_what_lasts_for_too_long() -> None:
    async with running_switch(drain_seconds=0.1) as switch:
        switch.telephony.callees[CALLEE] = Callee(answers_after=1)
        await switch.request("POST", "/calls", json=dict(CALL))
        call = switch.telephony.come(INBOUND)
        await switch.until(lambda: len(switch.customer.asked) == 2)
        assert not await switch.life_cycle.drain(asyncio.Event())
        assert call.cause == "SYSTEM_SHUTDOWN"
        assert {kind for uuid in switch.telephony.calls for kind in switch.register.kinds(uuid)[-1:]} == {"completed"}
        assert len(switch.live_calls) == 0


async def test_being_told_twice_cuts_off_at_once() -> None:
    async with running_switch(drain_seconds=60) as switch:
        call = switch.telephony.come(INBOUND)
        await switch.until(lambda: switch.customer.asked)
        at_once = asyncio.Event()
        draining = asyncio.create_task(switch.life_cycle.drain(at_once))
        await asyncio.sleep(0.05)
        assert not draining.done()
        at_once.set()
        assert not await draining
        assert call.cause == "SYSTEM_SHUTDOWN"


async def test_a_call_that_is_being_made_counts() -> None:
    async with running_switch() as switch:
        switch.routes.released.clear()
        asking = asyncio.create_task(switch.request("POST", "/calls", json=dict(CALL)))
        await switch.until(lambda: switch.routes.asked)
        draining = asyncio.create_task(switch.life_cycle.drain(asyncio.Event()))
        await asyncio.sleep(0.05)
        assert not draining.done()
        switch.routes.released.set()
        status, body = await asking
        assert status == 200
        await switch.request("DELETE", f"/calls/{body['id']}", json={})
        assert await draining


async def test_a_media_server_that_is_gone_does_not_hold_it_up() -> None:
    async with running_switch() as switch:
        call = switch.telephony.come(INBOUND)
        await switch.until(lambda: switch.customer.asked)
        call.end("NORMAL_TEMPORARY_FAILURE")
        assert await switch.life_cycle.drain(asyncio.Event())
