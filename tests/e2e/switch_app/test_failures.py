"""What happens to calls when the app, FreeSWITCH or their connection dies, and when the switch takes no more."""

import asyncio
import os
import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from switch_app.call import DialRequest, Leg, Silence
from switch_app.errors import CallEnded, MediaServerError
from switch_app.freeswitch.event_socket import EventSocketAddress
from switch_app.freeswitch.telephony import FreeSwitch, FreeSwitchSettings
from tests.e2e.switch_app.app_world import HANDOVER_PORT, app_world, settings_of
from tests.e2e.switch_app.conftest import Handler, ready, record_of
from tests.fakes.customer_server import twiml
from tests.support.freeswitch import FreeSwitchProcess
from tests.support.loopback import LoopbackNetwork
from tests.support.phone import Phone

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def own_freeswitch(network: LoopbackNetwork) -> Iterator[FreeSwitchProcess]:
    """A FreeSWITCH to be killed."""
    directory = Path(tempfile.mkdtemp(prefix="fs-"))
    address = network.address()
    with FreeSwitchProcess(directory, address, f"{address}:{HANDOVER_PORT}") as process:
        yield process
        process.stop(kill=True)
    shutil.rmtree(directory)


async def test_a_call_without_an_app_is_refused_so_that_the_gateway_tries_another(
    freeswitch_process: FreeSwitchProcess, phone: Phone
) -> None:
    end = await phone.call(freeswitch_process.address, "1234")
    assert await asyncio.wait_for(end.final, 2) == 503


async def test_an_app_that_is_killed_takes_no_call_with_it_silently(
    freeswitch_process: FreeSwitchProcess, phone: Phone
) -> None:
    arguments = ["-m", "tests.e2e.switch_app.app_process", freeswitch_process.address, "2"]
    paths = os.pathsep.join([str(ROOT), str(ROOT / "containers" / "switch_app")])
    app = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        env={**os.environ, "PYTHONPATH": paths},
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert app.stdout is not None
        assert await asyncio.wait_for(app.stdout.readline(), 15) == b"ready\n"
        sid = str(uuid.uuid4())
        end = await phone.call(freeswitch_process.address, "1234", {"X-Sid": sid})
        assert await asyncio.wait_for(end.final, 3) == 200
        # It is put off for as long as the app lives.
        await asyncio.sleep(2.5)
        assert not end.ended.is_set()
    finally:
        app.kill()
        await app.wait()
    await asyncio.wait_for(end.ended.wait(), 4)
    record = await record_of(freeswitch_process, sid)
    assert (record["hangup_cause"], record["sip_term_status"]) == ("NORMAL_TEMPORARY_FAILURE", "200")


async def test_an_app_that_starts_ends_what_the_one_before_left(
    freeswitch_process: FreeSwitchProcess, phone: Phone
) -> None:
    first = FreeSwitch(settings_of(freeswitch_process), Handler())
    await first.start()
    await ready(first)
    other = Handler()
    end = await phone.call(freeswitch_process.address, "1234")
    await asyncio.wait_for(first._handler.next_call(), 3)  # type: ignore[attr-defined]
    # Its socket is closed by another process only when that dies; FreeSWITCH still has the call.
    settings = settings_of(freeswitch_process)
    second = FreeSwitch(
        FreeSwitchSettings(settings.event_socket, (freeswitch_process.address, 8085), pipes=settings.pipes), other
    )
    await second.start()
    await ready(second)
    assert await asyncio.wait_for(end.final, 3) == 503
    await second.close()
    await first.close()


async def test_an_app_that_ends_ends_the_calls_that_there_still_are(
    freeswitch_process: FreeSwitchProcess, handler: Handler, phone: Phone
) -> None:
    telephony = FreeSwitch(settings_of(freeswitch_process), handler)
    await telephony.start()
    await ready(telephony)
    end = await phone.call(freeswitch_process.address, "1234")
    call = await handler.next_call()
    await call.answer({})
    playing = asyncio.ensure_future(call.play([Silence(60)]))
    await telephony.close()
    await asyncio.wait_for(end.ended.wait(), 1)
    with pytest.raises(CallEnded):
        await playing
    assert handler.kinds(call.uuid) == ["answered", "completed"]
    assert not handler.events[-1].is_lost  # FreeSWITCH lives, and writes the record


async def test_freeswitch_that_dies_ends_its_calls_and_is_found_again(
    own_freeswitch: FreeSwitchProcess, handler: Handler, phone: Phone, other_phone: Phone
) -> None:
    telephony = FreeSwitch(settings_of(own_freeswitch, grace_seconds=0.5), handler)
    await telephony.start()
    await ready(telephony)
    await phone.call(own_freeswitch.address, "1234")
    call = await handler.next_call()
    await call.answer({})
    ringing = Leg(str(uuid.uuid4()), f"1@{other_phone.address}", "nat_gateway", "1000", str(uuid.uuid4()))
    await telephony.originate(ringing, 30)
    (await other_phone.next_call()).ring()
    await telephony.check()
    playing = asyncio.ensure_future(call.play([Silence(60)]))
    await phone.call(own_freeswitch.address, "1234")
    caller = await handler.next_call()
    joined = Leg(str(uuid.uuid4()), f"2@{other_phone.address}", "nat_gateway", "1000", str(uuid.uuid4()))
    lost: list[tuple[Leg, int, int | None]] = []
    request = DialRequest([joined], 30, 60, lost=lambda *told: lost.append(told))
    dialling = asyncio.ensure_future(caller.dial(request))
    await (await other_phone.next_call()).answer()
    await asyncio.sleep(0.5)

    own_freeswitch.stop(kill=True)
    with pytest.raises(CallEnded):
        await asyncio.wait_for(playing, 2)
    await asyncio.wait({dialling}, timeout=8)
    assert dialling.done()
    dialling.exception()  # whether its caller is told or not
    for leg in (call.uuid, ringing.uuid, caller.uuid):
        await handler.until_completed(leg, 3)
        assert handler.kinds(leg).count("completed") == 1
    assert [event.is_lost for event in handler.events if event.kind == "completed"] == [True, True, True]
    # Nobody but its dial knows of the leg that talked.
    async with asyncio.timeout(3):
        while not lost:
            await asyncio.sleep(0.02)
    ((leg_lost, began, answered),) = lost
    assert leg_lost == joined
    assert answered is not None
    assert 0 <= time.time() - began < 30
    assert 0 <= answered - began < 5
    with pytest.raises(MediaServerError, match="not reached"):
        await telephony.check()
    with pytest.raises(MediaServerError, match="not reached"):
        await telephony.originate(ringing, 30)

    own_freeswitch.start()
    async with asyncio.timeout(10):
        while True:
            try:
                await telephony.check()
            except MediaServerError:
                await asyncio.sleep(0.1)
            else:
                break
    await phone.call(own_freeswitch.address, "1234")
    await (await handler.next_call()).hangup()
    await telephony.close()


async def test_each_call_of_a_dial_has_one_record_when_freeswitch_dies(
    aws: None, own_freeswitch: FreeSwitchProcess, phone: Phone, other_phone: Phone, tmp_path: Path
) -> None:
    async with app_world(own_freeswitch, phone, other_phone, tmp_path) as world:
        world.platform.routing = {"host": other_phone.address}
        world.customer.reply("/dialled", twiml('<Pause length="60"/>'))
        two = "<Number>85510551006</Number><Number>85510551007</Number>"
        sids: list[str] = []
        for state in ("rings", "talks", "ended"):
            await world.call(f'<Dial action="/dialled">{two}</Dial>')
            legs = [await other_phone.next_call(), await other_phone.next_call()]
            sids += [leg.messages[0].header("X-Somleng-CallSid") for leg in legs]
            for leg in legs:
                leg.ring()
            if state != "rings":
                await legs[0].answer()
                await asyncio.wait_for(legs[1].ended.wait(), 3)  # it lost the race, and has its record
        await asyncio.sleep(1.2)
        legs[0].hang_up()
        await world.until(lambda: "/dialled" in world.customer.paths())

        own_freeswitch.stop(kill=True)
        assert {child["sid"] for child in world.platform.outbound_calls} == set(sids)
        await world.until(lambda: all(world.records(sid) for sid in world.platform.calls), 10)
        own_freeswitch.start()
        await asyncio.sleep(0.6)
        ends = []
        for sid in sids:
            (record,) = world.records(sid)
            times = int(record["answer_epoch"]) > 0, int(record["billsec"]) > 0
            ends.append((record["hangup_cause"], record["sip_term_status"], *times))
        lost, raced = "NORMAL_TEMPORARY_FAILURE", ("LOSE_RACE", "480", False, False)
        assert ends == [
            (lost, "503", False, False),
            (lost, "503", False, False),
            (lost, "200", True, True),
            raced,
            ("NORMAL_CLEARING", "200", True, True),
            raced,
        ]
        for parent in set(world.platform.calls) - set(sids):
            (record,) = world.records(parent)
            assert (record["hangup_cause"], record["sip_term_status"]) == (lost, "200")
        told = [request for request in world.platform.requests if request.path.startswith("/call_data_records")]
        assert len(told) == len(world.platform.calls)  # and none twice


async def test_nothing_is_kept_of_a_call_that_is_over(
    freeswitch_process: FreeSwitchProcess, telephony: FreeSwitch, handler: Handler, phone: Phone
) -> None:
    before = len(asyncio.all_tasks())
    for _ in range(5):
        end = await phone.call(freeswitch_process.address, "1234")
        call = await handler.next_call()
        await call.answer({})
        end.hang_up()
        await handler.until_completed(call.uuid)
        end.close()
    await asyncio.sleep(0.3)
    assert len(asyncio.all_tasks()) == before


async def test_a_switch_that_takes_no_more_calls_keeps_those_it_has(
    freeswitch_process: FreeSwitchProcess, telephony: FreeSwitch, handler: Handler, phone: Phone
) -> None:
    end = await phone.call(freeswitch_process.address, "1234")
    call = await handler.next_call()
    await call.answer({})
    await telephony.refuse_new_calls()
    late = await phone.call(freeswitch_process.address, "1234")
    assert await asyncio.wait_for(late.final, 2) == 503
    await call.play([Silence(0.2)])
    assert not end.ended.is_set()
    assert freeswitch_process.healthcheck().returncode == 0
    await call.hangup()


async def test_a_wrong_password_is_told(freeswitch_process: FreeSwitchProcess, handler: Handler) -> None:
    address = EventSocketAddress(freeswitch_process.address, 8021, "wrong")
    settings = FreeSwitchSettings(address, ("127.0.0.1", 8084), pipes=freeswitch_process.directory / "pipes")
    telephony = FreeSwitch(settings, handler)
    await telephony.start()
    await asyncio.sleep(0.3)
    with pytest.raises(MediaServerError, match="auth") as caught:
        await telephony.check()
    assert "wrong" not in str(caught.value)
    await telephony.close()


def test_the_health_check_names_what_is_not_there(freeswitch_process: FreeSwitchProcess) -> None:
    def check(**settings: str) -> tuple[int, str]:
        environment = freeswitch_process.environment
        freeswitch_process.environment = {**environment, **settings}
        try:
            ended = freeswitch_process.healthcheck()
        finally:
            freeswitch_process.environment = environment
        return ended.returncode, ended.stderr

    assert check() == (0, "")
    status, said = check(FS_SIP_ALTERNATIVE_PORT="5999")
    assert (status, ":5999" in said) == (1, True)
    status, said = check(FS_EVENT_SOCKET_PORT="5999")
    assert (status, "no event socket" in said) == (1, True)
    status, said = check(FS_EVENT_SOCKET_PASSWORD="wrong")
    assert (status, "refuses the password" in said) == (1, True)
