"""FreeSWITCH's container is told to stop: calls go on, new ones are refused, and every record is written."""

import asyncio
import shutil
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from switch_app.call import Call, Leg, Silence
from switch_app.freeswitch.telephony import FreeSwitch
from tests.e2e.switch_app.app_world import HANDOVER_PORT, settings_of
from tests.e2e.switch_app.conftest import Handler, ready, record_of
from tests.support.freeswitch import FreeSwitchProcess
from tests.support.loopback import LoopbackNetwork
from tests.support.phone import Phone, PhoneCall


@pytest.fixture
def own_freeswitch(network: LoopbackNetwork) -> Iterator[FreeSwitchProcess]:
    """A FreeSWITCH to be ended, whose calls have three seconds for that."""
    directory, address = Path(tempfile.mkdtemp(prefix="fs-")), network.address()
    settings = {"FS_DRAIN_TIMEOUT": "3", "FS_STOP_DELAY": "1"}
    with FreeSwitchProcess(directory, address, f"{address}:{HANDOVER_PORT}", settings) as process:
        yield process
        process.stop(kill=True)
    shutil.rmtree(directory)


@asynccontextmanager
async def live_call(
    process: FreeSwitchProcess, handler: Handler, phone: Phone
) -> AsyncIterator[tuple[FreeSwitch, PhoneCall, Call, str]]:
    """A call that is answered and counts, and the app's side of FreeSWITCH."""
    telephony, sid = FreeSwitch(settings_of(process), handler), str(uuid.uuid4())
    await telephony.start()
    await ready(telephony)
    end = await phone.call(process.address, "1234")
    call = await handler.next_call()
    await call.set_variables({"record_cdr": "true"})
    await call.answer({"X-Somleng-CallSid": sid})
    assert await asyncio.wait_for(end.final, 3) == 200
    yield telephony, end, call, sid
    await telephony.close()


def tell(process: FreeSwitchProcess) -> float:
    """Tell it to stop, and return when that was."""
    assert process.process is not None
    process.process.terminate()
    return time.monotonic()


async def end_of(process: FreeSwitchProcess, seconds: float) -> int:
    assert process.process is not None
    return await asyncio.to_thread(process.process.wait, seconds)


async def test_it_ends_with_its_last_call(
    own_freeswitch: FreeSwitchProcess, handler: Handler, phone: Phone, other_phone: Phone
) -> None:
    async with live_call(own_freeswitch, handler, phone) as (telephony, end, call, sid):
        tell(own_freeswitch)
        await asyncio.sleep(1)  # from now on nothing but the call keeps it
        refused = await other_phone.call(own_freeswitch.address, "1234")
        assert await asyncio.wait_for(refused.final, 2) == 503
        assert (await asyncio.to_thread(own_freeswitch.healthcheck)).returncode == 0
        leg = Leg(str(uuid.uuid4()), f"1@{other_phone.address}", "nat_gateway", "1000", str(uuid.uuid4()))
        await telephony.originate(leg, 10)  # as the live call may
        dialled = await other_phone.next_call()
        await dialled.answer()
        await call.play([Silence(0.5)])
        assert not end.ended.is_set()
        await telephony.hangup(leg.uuid, "NORMAL_CLEARING")
        await call.hangup()
        assert await end_of(own_freeswitch, 10) == 0
        assert (await record_of(own_freeswitch, sid, 0))["sip_term_status"] == "200"
        assert await record_of(own_freeswitch, leg.call_sid, 0)
        assert "hung up" not in own_freeswitch.log_text()


async def test_calls_that_do_not_end_in_time_are_hung_up_and_recorded(
    own_freeswitch: FreeSwitchProcess, handler: Handler, phone: Phone
) -> None:
    async with live_call(own_freeswitch, handler, phone) as (_, end, _, sid):
        told = tell(own_freeswitch)
        await asyncio.wait_for(end.ended.wait(), 6)
        assert time.monotonic() - told > 2
        assert await end_of(own_freeswitch, 10) == 0
        assert "ends with 1 sessions" in own_freeswitch.log_text()
        assert (await record_of(own_freeswitch, sid, 0))["hangup_cause"] == "SYSTEM_SHUTDOWN"


async def test_told_once_more_it_hangs_up_at_once(
    own_freeswitch: FreeSwitchProcess, handler: Handler, phone: Phone
) -> None:
    async with live_call(own_freeswitch, handler, phone) as (_, end, _, sid):
        told = tell(own_freeswitch)
        await asyncio.sleep(0.3)
        tell(own_freeswitch)
        await asyncio.wait_for(end.ended.wait(), 2)
        assert time.monotonic() - told < 2
        assert await end_of(own_freeswitch, 10) == 0
        assert await record_of(own_freeswitch, sid, 0)


async def test_without_a_call_it_stays_until_no_gateway_sends_it_one(
    own_freeswitch: FreeSwitchProcess, phone: Phone
) -> None:
    tell(own_freeswitch)
    await asyncio.sleep(0.5)
    end = await phone.call(own_freeswitch.address, "1234")
    assert await asyncio.wait_for(end.final, 2) == 503
    assert await end_of(own_freeswitch, 10) == 0
