import asyncio

from tests.containers.switch_app.switch import Switch, running_switch


async def test_is_healthy_for_everybody(switch: Switch) -> None:
    async with switch.http.get(f"{switch.url}/health_checks") as response:
        assert (response.status, response.content_type) == (200, "text/plain")
        assert await response.text() == "app: ok\nfreeswitch: ok\nlife_cycle: ok\n"
    async with switch.http.head(f"{switch.url}/health_checks") as response:
        assert response.status == 200


async def test_tells_that_freeswitch_takes_no_calls(switch: Switch) -> None:
    switch.telephony.down = "FreeSWITCH's event socket is not connected"
    async with switch.http.get(f"{switch.url}/health_checks") as response:
        assert (response.status, response.content_type) == (500, "text/plain")
        assert "freeswitch: FreeSWITCH's event socket is not connected" in await response.text()
    assert await switch.request("GET", "/health_checks/app", credentials=None) == (200, "app: ok\n")
    status, _ = await switch.request("GET", "/health_checks/freeswitch", credentials=None)
    assert status == 500
    switch.telephony.down = None
    status, _ = await switch.request("GET", "/health_checks", credentials=None)
    assert status == 200


async def test_freeswitch_that_does_not_answer_is_not_healthy() -> None:
    async with running_switch(silent_freeswitch=True) as switch:
        status, text = await switch.request("GET", "/health_checks", credentials=None)
    assert status == 500
    assert "freeswitch: no answer within 0.5 s" in text


async def test_an_unknown_check_is_not_found(switch: Switch) -> None:
    status, _ = await switch.request("GET", "/health_checks/redis", credentials=None)
    assert status == 404


async def test_a_switch_that_is_about_to_end_takes_no_new_calls_but_lives(switch: Switch) -> None:
    call = switch.telephony.come({})
    draining = asyncio.create_task(switch.life_cycle.drain(asyncio.Event()))
    await switch.until(lambda: switch.life_cycle.is_draining)
    status, text = await switch.request("GET", "/health_checks", credentials=None)
    assert status == 500
    assert "draining" in text
    status, _ = await switch.request("GET", "/health_checks/freeswitch", credentials=None)
    assert status == 200
    call.end()
    await draining
