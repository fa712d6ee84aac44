"""What the tests of the switch app with real FreeSWITCH share: addresses, phones, and one FreeSWITCH for all."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from switch_app.call import Call
from switch_app.freeswitch.telephony import FreeSwitch
from switch_app.telephony import CallEvent
from tests.e2e.switch_app.app_world import HANDOVER_PORT, World, app_world, settings_of
from tests.support import freeswitch
from tests.support.freeswitch import FreeSwitchProcess
from tests.support.loopback import LoopbackNetwork
from tests.support.phone import Phone


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this directory, and skip them where FreeSWITCH is missing."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.e2e)
            if freeswitch.BINARY is None:
                item.add_marker(pytest.mark.skip(reason=freeswitch.MISSING))


@pytest.fixture(autouse=True)
def installed() -> None:
    """Nothing of what other end-to-end tests need is needed here."""


@pytest.fixture(scope="session")
def network() -> LoopbackNetwork:
    """Addresses for the hosts of these tests."""
    return LoopbackNetwork()


@pytest.fixture(scope="session")
def freeswitch_process(network: LoopbackNetwork) -> Iterator[FreeSwitchProcess]:
    """A FreeSWITCH for all tests that do not end it. Its directory has a short path: a recording's may not be long."""
    directory = Path(tempfile.mkdtemp(prefix="fs-"))
    address = network.address()
    with FreeSwitchProcess(directory, address, f"{address}:{HANDOVER_PORT}") as process:
        yield process
        process.stop(kill=True)  # its own end takes five seconds
    shutil.rmtree(directory)


@pytest.fixture(autouse=True)
def no_records_of_other_tests(request: pytest.FixtureRequest) -> None:
    """Empty the directory of the FreeSWITCH that tests share: an app would send what is there to its own platform."""
    if "freeswitch_process" in request.fixturenames:
        for path in request.getfixturevalue("freeswitch_process").records.glob("*.json"):
            path.unlink(missing_ok=True)


@dataclass
class Handler:
    """Takes calls: a test gets each, and it goes on until the test lets go of it or it ends."""

    calls: asyncio.Queue[Call] = field(default_factory=asyncio.Queue)
    events: list[CallEvent] = field(default_factory=list)

    async def handle(self, call: Call) -> None:
        self.calls.put_nowait(call)
        await call.wait_until_ended()

    def note(self, event: CallEvent) -> None:
        self.events.append(event)

    async def next_call(self, seconds: float = 5.0) -> Call:
        """Return the next call."""
        return await asyncio.wait_for(self.calls.get(), seconds)

    async def until_completed(self, uuid: str, seconds: float = 5.0) -> None:
        """Wait until the end of a call is told."""
        async with asyncio.timeout(seconds):
            while "completed" not in self.kinds(uuid):
                await asyncio.sleep(0.02)

    def kinds(self, uuid: str) -> list[str]:
        """Return the events of a call."""
        return [str(event.kind) for event in self.events if event.uuid == uuid]


async def record_of(process: FreeSwitchProcess, call_sid: str, seconds: float = 5.0) -> dict[str, Any]:
    """Wait for the record of a call that counts and return its variables; there must be one and no other."""
    async with asyncio.timeout(seconds):
        while not (found := process.recorded(call_sid)):
            await asyncio.sleep(0.05)
    assert len(found) == 1
    return found[0]


@pytest.fixture
def handler() -> Handler:
    return Handler()


@pytest.fixture
async def telephony(freeswitch_process: FreeSwitchProcess, handler: Handler) -> AsyncIterator[FreeSwitch]:
    """FreeSWITCH as the app has it, ready for calls."""
    telephony = FreeSwitch(settings_of(freeswitch_process), handler)
    await telephony.start()
    await ready(telephony)
    yield telephony
    await telephony.close()


async def ready(telephony: FreeSwitch) -> None:
    """Wait until it takes calls."""
    async with asyncio.timeout(10):
        await telephony.wait_until_ready()


@pytest.fixture
async def phone(network: LoopbackNetwork) -> AsyncIterator[Phone]:
    """Somebody's phone."""
    async with Phone(network.address()) as phone:
        yield phone


@pytest.fixture
async def other_phone(network: LoopbackNetwork) -> AsyncIterator[Phone]:
    """Somebody else's phone."""
    async with Phone(network.address()) as phone:
        yield phone


@pytest.fixture
async def world(
    aws: None, freeswitch_process: FreeSwitchProcess, phone: Phone, other_phone: Phone, tmp_path: Path
) -> AsyncIterator[World]:
    """The whole app."""
    async with app_world(freeswitch_process, phone, other_phone, tmp_path) as world:
        yield world
