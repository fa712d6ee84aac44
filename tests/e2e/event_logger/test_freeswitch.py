"""The event logger beside a real FreeSWITCH: both are killed and come back, and calls end while nobody listens."""

import asyncio
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from switch_app.freeswitch.connection import Connection
from switch_app.freeswitch.messages import command
from tests.containers.switch_app.whole_app import free_port
from tests.fakes.call_platform import CallPlatform
from tests.fakes.parameter_store import ParameterStore
from tests.support import freeswitch
from tests.support.event_logger import PARAMETER, PASSWORD, EventLogger
from tests.support.freeswitch import FreeSwitchProcess
from tests.support.loopback import LoopbackNetwork
from tests.support.phone import Phone, PhoneCall

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(freeswitch.BINARY is None, reason=freeswitch.MISSING)]


@pytest.fixture
def installed() -> None:
    """Nothing of what other end-to-end tests need is needed here."""


@pytest.fixture
def network() -> LoopbackNetwork:
    return LoopbackNetwork()


@pytest.fixture
def process(network: LoopbackNetwork) -> Iterator[FreeSwitchProcess]:
    directory, address = Path(tempfile.mkdtemp(prefix="fs-")), network.address()
    with FreeSwitchProcess(directory, address, f"{address}:8084") as process:
        yield process
        process.stop(kill=True)  # its own end takes seconds
    shutil.rmtree(directory)


@pytest.fixture
def platform() -> Iterator[CallPlatform]:
    with CallPlatform("services", PASSWORD) as running:
        yield running


@pytest.fixture
def event_logger(process: FreeSwitchProcess, platform: CallPlatform, tmp_path: Path) -> Iterator[EventLogger]:
    with ParameterStore({PARAMETER: PASSWORD}) as parameters:
        settings = {"CALL_DATA_RECORDS_DIRECTORY": str(process.records)}
        event_socket = f"{process.address}:8021"
        with EventLogger(
            tmp_path, event_socket, freeswitch.PASSWORD, platform.url, parameters.url, free_port(), settings
        ) as logger:
            logger.records = process.records
            yield logger


@pytest.fixture
async def phone(network: LoopbackNetwork) -> AsyncIterator[Phone]:
    async with Phone(network.address()) as phone:
        yield phone


async def api(process: FreeSwitchProcess, line: str) -> str:
    """Run a command at the event socket."""
    _, connection = await asyncio.get_running_loop().create_connection(
        lambda: Connection(lambda _: None), process.address, 8021
    )
    await connection.greeted
    await connection.command(f"auth {freeswitch.PASSWORD}")
    output = (await connection.write(command(line))[0]).reply
    connection.close()
    return output


async def call(process: FreeSwitchProcess, phone: Phone, sid: str) -> tuple[str, PhoneCall]:
    """Have FreeSWITCH call a phone, which answers; return the channel and the phone's end."""
    channel = str(uuid.uuid4())
    variables = f"origination_uuid={channel},record_cdr=true,sip_h_X-Somleng-CallSid={sid}"
    await api(process, f"bgapi originate {{{variables}}}sofia/nat_gateway/1@{phone.address} &park()")
    end = await phone.next_call()
    await end.answer()
    return channel, end


async def until(what: str, condition: object, seconds: float = 15.0) -> None:
    assert callable(condition)
    try:
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"waited for {what}")


async def test_nothing_is_lost_by_kills_and_an_outage(
    process: FreeSwitchProcess, event_logger: EventLogger, platform: CallPlatform, phone: Phone
) -> None:
    await until("the connection", lambda: event_logger.health("/event_socket")[0] == 200)

    # A call is counted, told and logged, and its record delivered.
    channel, end = await call(process, phone, "sid-1")
    await until("the call heartbeat", lambda: [channel] in platform.heartbeats)
    await until("the session", lambda: 1.0 in event_logger.values("SessionCount"))
    end.hang_up()
    await until("its record", lambda: platform.call_data_records)
    variables = platform.call_data_records[0]["variables"]
    assert (variables["uuid"], variables["sip_h_X-Somleng-CallSid"]) == (channel, "sid-1")
    await until("its events", lambda: len(event_logger.lines(lambda line: line.get("call_uuid") == channel)) == 3)
    lines = event_logger.lines(lambda line: line.get("call_uuid") == channel)
    assert [line["event"] for line in lines] == ["CHANNEL_CREATE", "CHANNEL_ANSWER", "CHANNEL_HANGUP_COMPLETE"]
    assert (lines[2]["call_sid"], lines[2]["hangup_cause"]) == ("sid-1", "NORMAL_CLEARING")
    assert phone.address not in event_logger.log.read_text()

    # The platform is down; a call ends; the logger is killed, and FreeSWITCH after it.
    platform.password = "another"
    second, end = await call(process, phone, "sid-2")
    end.hang_up()
    await until("the record on the disk", lambda: list(process.records.glob(f"*{second}*")))
    event_logger.kill()
    await asyncio.to_thread(process.stop, kill=True)
    event_logger.start()
    await until("the lack of FreeSWITCH", lambda: event_logger.health("/event_socket")[0] == 503)
    shutil.rmtree(process.directory / "databases", ignore_errors=True)
    await asyncio.to_thread(process.start)
    await until("FreeSWITCH again", lambda: event_logger.health("/event_socket")[0] == 200)
    assert len(platform.call_data_records) == 1
    platform.password = PASSWORD
    await until("the second record", lambda: len(platform.call_data_records) == 2, 40)
    assert platform.call_data_records[1]["variables"]["uuid"] == second

    # Told to stop beside a live call, it stays until the record of that has left the disk.
    third, end = await call(process, phone, "sid-3")
    await until("the session", lambda: event_logger.values("SessionCount")[-1:] == [1.0])
    event_logger.tell()
    await asyncio.sleep(2.2)
    assert event_logger.process is not None
    assert event_logger.process.poll() is None
    end.hang_up()
    assert await asyncio.to_thread(event_logger.end) == 0
    assert platform.call_data_records[2]["variables"]["uuid"] == third
    assert event_logger.left() == []
